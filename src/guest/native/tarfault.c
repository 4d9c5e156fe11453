/* How packing and unpacking say what went wrong, and with what. */
#include "tar.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct tar_subject subject;

void text_set(struct text *text, const void *data, size_t length) {
  text->length = 0;
  text_add(text, data, length);
}

void text_add(struct text *text, const void *data, size_t length) {
  if (text->length + length + 1 > text->room) {
    text->room = 2 * (text->length + length) + 256;
    text->data = grow(text->data, text->room);
  }
  if (length > 0) memcpy(text->data + text->length, data, length);
  text->length += length;
  text->data[text->length] = 0;
}

/* As much of a name as is for people. */
enum { SHOWN = 1024 };

/* To a zero byte, which a name may contain and no record may. */
static void add_name(struct text *record) {
  size_t length = subject.name ? strnlen(subject.name, subject.length) : 0;
  text_add(record, subject.name ? subject.name : "", length < SHOWN ? length : SHOWN);
  text_add(record, "", 1);
}

static void add_field(struct text *record, const char *data, size_t length) {
  text_add(record, data, length);
  text_add(record, "", 1);
}

void left_out(const char *why) {
  static struct text record;
  text_set(&record, "s", 1);
  add_name(&record);
  add_field(&record, why, strlen(why));
  write_all(2, record.data, record.length);
}

void passed(size_t bytes) {
  enum { STEP = 1024 * 1024, STEP_MS = 200 };
  static uint64_t all, told;
  static int64_t last;
  all += bytes;
  if (all - told < STEP) return;
  told = all;
  int64_t now = now_ms();
  if (now - last < STEP_MS) return;
  last = now;
  char record[32];
  int length = snprintf(record, sizeof record, "b%llu", (unsigned long long)all);
  write_all(2, record, (size_t)length + 1);
}

void refuse(const char *why, const char *words) {
  struct text record = {0};
  text_set(&record, subject.is_place ? "p" : "e", 1);
  add_field(&record, why, strlen(why));
  add_name(&record);
  add_field(&record, words, strlen(words));
  if (subject.clean) subject.clean();
  write_all(2, record.data, record.length);
  _exit(1);
}

void failed(const char *call) {
  char why[16];
  snprintf(why, sizeof why, "#%d", errno);
  refuse(why, call);
}
