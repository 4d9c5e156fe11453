/* How two points differ, by path, as programs on the computer see it. */
#ifndef DISK_DIFF_H
#define DISK_DIFF_H
#include "layer.h"
#include "linux.h"
#include "pack.h"
#include "tool.h"

enum { LEFT, RIGHT };

/* What one side has at a path. */
struct node {
  enum { ABSENT, ENTRY, BELOW } kind;
  uint32_t entry;
  /* Of what lies below a layer. */
  struct wide_stat stat;
};

struct differ {
  struct store *store;
  const struct index *sides[2];
  const struct tree *trees[2];
  /* What lies below a layer, -1 where that is not known. */
  int base;
  bool only_count;
  uint64_t count;
  struct bytes out;
};

/* Compares what both have at a path and tells the difference. */
bool diff_node(struct differ *differ, const char *path, const struct node *left, const struct node *right);
mode_t node_mode(const struct differ *differ, int side, const struct node *node);

#endif
