/* System calls and constants that an old libc does not know. */
#ifndef DISK_LINUX_H
#define DISK_LINUX_H
#include <stdint.h>
#include <sys/types.h>

struct wide_time {
  int64_t seconds;
  uint32_t nanos;
  int32_t reserved;
};

/* struct statx under a name of our own: libc headers differ in whether they have it. */
struct wide_stat {
  uint32_t mask, block_size;
  uint64_t attributes;
  uint32_t links, uid, gid;
  uint16_t mode, spare;
  uint64_t ino, size, blocks, attributes_mask;
  struct wide_time atime, btime, ctime, mtime;
  uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
  uint64_t mount;
  uint64_t rest[13];
};

#define WIDE_IMMUTABLE 0x10u
#define WIDE_APPEND 0x20u
#define WIDE_NODUMP 0x40u

/* Follows no link and triggers no mount. An empty name: the descriptor itself. */
int wide_stat(int dir, const char *name, struct wide_stat *stat);
/* A mode by name, of anything but a link, without following one. */
int change_mode(int dir, const char *name, mode_t mode);
/* The whole of `from`; needs a file system that shares blocks. */
int clone_file(int to, int from);
int clone_range(int to, uint64_t at, int from, uint64_t offset, uint64_t length);
int get_flags(int fd, int *flags);
int set_flags(int fd, int flags);
/* Opens below `dir`, following no link on the way. */
int open_beneath(int dir, const char *path, int flags);

#define FLAG_IMMUTABLE 0x10
#define FLAG_APPEND 0x20
#define FLAG_NODUMP 0x40

#endif
