/*
 * A point's file: a fixed head, then three parts with a checksum each, so that a list of points reads only what it needs.
 *   about    who and when, the trees
 *   objects  where contents lie, sorted
 *   entries  blobs, then every entry; names share beginnings, numbers are differences
 */
#ifndef DISK_FORMAT_H
#define DISK_FORMAT_H
#include <stdint.h>

#define POINT_MAGIC "amuxpt\r\n"
enum { POINT_VERSION = 1, PACK_ALIGN = 4096, LONGEST_NAME = 255 };

struct point_head {
  char magic[8];
  uint32_t version, reserved;
  uint64_t lengths[3], sums[3];
  uint64_t sum;
};

#endif
