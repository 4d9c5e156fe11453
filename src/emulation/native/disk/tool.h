/* The commands, and what they share. */
#ifndef DISK_TOOL_H
#define DISK_TOOL_H
#include <stdbool.h>
#include "request.h"
#include "store.h"
#include "walk.h"

struct options {
  const char *store, **words, *mark, *expect, *owner, *origin;
  int word_count;
  long wait;
  /* Bytes that an archive says it holds, + 1. */
  uint64_t most;
  bool pause, skip_shared, json, only_shared, count, list, portable;
};

bool create_command(const struct options *options);
bool restore_command(const struct options *options);
bool recover_command(const struct options *options);
bool pending_command(const struct options *options);
bool list_command(const struct options *options);
bool remove_command(const struct options *options);
bool diff_command(const struct options *options);
bool cat_command(const struct options *options);
bool export_command(const struct options *options);
bool import_command(const struct options *options);
bool verify_command(const struct options *options);

/* Opens, locks for changes, clears what killed processes left; EINPROGRESS when a restore waits for `recover`. */
bool open_for_change(struct store *store, const struct options *options, bool create);
bool open_for_reading(struct store *store, const struct options *options);

/* Set by a signal that asks for an end. */
extern volatile sig_atomic_t asked_to_end;
bool report_progress(struct look *look);
/* One line of JSON, whatever it holds. */
bool valid_meta(const char *meta);
/* Publishes `index` with the contents of `packer`; both are durable then. */
bool publish(struct store *store, const char *kind, const char *meta, struct index *index, struct packer *packer);
/* The identities of `index`, and those of trees that it does not cover from `older`, become `live`. */
void remember(struct store *store, struct index *index, const struct index *older);
/* One line for each point, newest first. */
bool print_heads(struct store *store);
bool print_made(const char *id, int64_t time, uint32_t entries, uint64_t size, uint64_t copied);

/* ---- json.c ---- */
void json_string(struct bytes *out, const char *text, size_t length);

#endif
