/* Puts a tar stream together: many small pieces, written side by side and sent in few large ones. */
#include "tar.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OCTAL_11 077777777777LL

static struct text tape;

void tape_send(const void *data, size_t length) {
  if (write_all(1, data, length) == 0) return;
  /* Nobody reads on: nobody is there to be told. */
  if (errno == EPIPE || errno == ECONNRESET) _exit(0);
  subject.name = NULL;
  failed("write");
}

void tape_flush(void) {
  tape_send(tape.data, tape.length);
  passed(tape.length);
  tape.length = 0;
}

static void add(const void *data, size_t length) {
  text_add(&tape, data, length);
}

void tape_content(const void *data, size_t length) {
  add(data, length);
  tape_pad(length);
  if (tape.length >= PIECE) tape_flush();
}

void tape_pad(uint64_t size) {
  static const char zeros[BLOCK];
  add(zeros, (BLOCK - size % BLOCK) % BLOCK);
}

static void octal(uint8_t *at, int digits, uint64_t value) {
  for (int i = digits - 1; i >= 0; i--, value >>= 3) at[i] = (uint8_t)('0' + (value & 7));
}

static void cut(uint8_t *at, const struct text *text) {
  if (text) memcpy(at, text->data, text->length < 100 ? text->length : 100);
}

static void block(const struct head *head) {
  uint8_t out[BLOCK] = {0};
  int64_t seconds = head->mtime.tv_sec;
  cut(out, head->name);
  octal(out + 100, 7, head->mode & 07777);
  octal(out + 108, 7, 0);
  octal(out + 116, 7, 0);
  octal(out + 124, 11, head->size > OCTAL_11 ? OCTAL_11 : head->size);
  octal(out + 136, 11, seconds < 0 ? 0 : seconds > OCTAL_11 ? OCTAL_11 : (uint64_t)seconds);
  memset(out + 148, ' ', 8);
  out[156] = (uint8_t)head->flag;
  cut(out + 157, head->target);
  memcpy(out + 257, "ustar\00000", 8);
  unsigned sum = 0;
  for (int i = 0; i < BLOCK; i++) sum += out[i];
  octal(out + 148, 6, sum);
  out[154] = 0;
  add(out, sizeof out);
}

/* A record begins with its own length, the digits of that length included. */
static void record(struct text *records, const char *key, const char *value, size_t length) {
  size_t rest = 1 + strlen(key) + 1 + length + 1, whole = rest + 1;
  char digits[24];
  while (whole != rest + (size_t)snprintf(digits, sizeof digits, "%zu", whole)) whole = rest + strlen(digits);
  text_add(records, digits, strlen(digits));
  text_add(records, " ", 1);
  text_add(records, key, strlen(key));
  text_add(records, "=", 1);
  text_add(records, value, length);
  text_add(records, "\n", 1);
}

static int is_plain(const struct text *text) {
  if (!text) return 1;
  for (size_t i = 0; i < text->length; i++)
    if ((uint8_t)text->data[i] > 0x7e) return 0;
  return text->length <= 100;
}

static void record_time(struct text *records, struct timespec time) {
  char value[64];
  /* Before 1970 the fraction counts forwards from the second, the text backwards. */
  int back = time.tv_sec < 0 && time.tv_nsec > 0;
  long long seconds = time.tv_sec + back;
  long fraction = (back ? 1000000000 - time.tv_nsec : time.tv_nsec) / 1000000;
  int length = snprintf(value, sizeof value, "%s%lld.%03ld", back && seconds == 0 ? "-" : "", seconds, fraction);
  record(records, "mtime", value, (size_t)length);
}

/* Preceded by a pax header where the old format is too narrow. */
void tape_head(const struct head *head) {
  static struct text records;
  char size[24];
  text_set(&records, "", 0);
  if (!is_plain(head->name)) record(&records, "path", head->name->data, head->name->length);
  if (!is_plain(head->target)) record(&records, "linkpath", head->target->data, head->target->length);
  if (head->size > OCTAL_11) record(&records, "size", size, (size_t)snprintf(size, sizeof size, "%llu", (unsigned long long)head->size));
  if (head->mtime.tv_sec < 0 || head->mtime.tv_nsec > 0) record_time(&records, head->mtime);
  if (records.length > 0) {
    static struct text pax;
    text_set(&pax, "pax", 3);
    block(&(struct head){.flag = 'x', .name = &pax, .size = records.length, .mode = 0644, .mtime = {.tv_sec = head->mtime.tv_sec}});
    add(records.data, records.length);
    tape_pad(records.length);
  }
  block(head);
  if (tape.length >= PIECE) tape_flush();
}
