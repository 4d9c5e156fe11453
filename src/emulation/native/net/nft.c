/* Elements of the sets, directly over netlink: a lookup waits for this. */
#include "net.h"
#include "netlink.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"open4", "open6", "known4", "known6"};
static const char table[] = "amux";
enum { FULL_LIST = 60000, COMMENT = 0 };

static uint8_t *grow(struct batch *batch, size_t length) {
  if (batch->length + length > batch->room) {
    size_t room = batch->room ? batch->room * 2 : 8192;
    while (room < batch->length + length) room *= 2;
    uint8_t *data = realloc(batch->data, room);
    if (!data) abort();
    batch->data = data, batch->room = room;
  }
  uint8_t *at = batch->data + batch->length;
  memset(at, 0, length);
  batch->length += length;
  return at;
}

static size_t open_attribute(struct batch *batch, int type) {
  size_t at = batch->length;
  struct nl_attribute *attribute = (void *)grow(batch, sizeof *attribute);
  attribute->type = (uint16_t)type;
  return at;
}

static void close_attribute(struct batch *batch, size_t at) {
  ((struct nl_attribute *)(batch->data + at))->length = (uint16_t)(batch->length - at);
  grow(batch, NL_ALIGN(batch->length) - batch->length);
}

static void put(struct batch *batch, int type, const void *data, size_t length) {
  size_t at = open_attribute(batch, type);
  memcpy(grow(batch, length), data, length);
  close_attribute(batch, at);
}

static void start(struct batch *batch, int type, int flags) {
  batch->message = batch->length, batch->list = 0, batch->kind = type;
  struct nl_header *header = (void *)grow(batch, sizeof *header);
  *header = (struct nl_header){.type = (uint16_t)type, .flags = (uint16_t)(NL_REQUEST | flags)};
  struct nf_message *nf = (void *)grow(batch, sizeof *nf);
  bool edge = type == NF_BATCH_BEGIN || type == NF_BATCH_END;
  *nf = (struct nf_message){.family = edge ? 0 : NF_INET, .resource = edge ? htons(NF_SUBSYSTEM_NFT) : 0};
}

static void finish(struct batch *batch) {
  if (batch->list) close_attribute(batch, batch->list);
  batch->list = 0;
  ((struct nl_header *)(batch->data + batch->message))->length = (uint32_t)(batch->length - batch->message);
}

static void next(struct batch *batch, int type, int flags) {
  finish(batch);
  start(batch, type, flags);
}

void batch_begin(struct batch *batch) {
  *batch = (struct batch){.data = NULL};
  start(batch, NF_BATCH_BEGIN, 0);
}

static void change(struct batch *batch, int type, enum set set) {
  bool same = batch->list && batch->kind == type && batch->set == set && batch->length - batch->list < FULL_LIST;
  if (same) return;
  next(batch, type, type == NFT_NEWSETELEM ? NL_CREATE : 0);
  batch->set = set;
  put(batch, ELEMENTS_TABLE, table, sizeof table);
  put(batch, ELEMENTS_SET, names[set], strlen(names[set]) + 1);
  batch->list = open_attribute(batch, ELEMENTS_LIST | NL_NESTED);
}

static void put_element(struct batch *batch, const struct address *address, uint64_t milliseconds, const char *note_) {
  size_t element = open_attribute(batch, LIST_ELEMENT | NL_NESTED), key = open_attribute(batch, ELEMENT_KEY | NL_NESTED);
  put(batch, DATA_VALUE, address->bytes, address->six ? 16 : 4);
  close_attribute(batch, key);
  if (milliseconds) {
    uint32_t big[2] = {htonl((uint32_t)(milliseconds >> 32)), htonl((uint32_t)milliseconds)};
    put(batch, ELEMENT_TIMEOUT, big, sizeof big);
  }
  size_t length = note_ ? strlen(note_) + 1 : 0;
  if (length > 1 && length <= 254) {
    /* As nft writes a comment, so that it shows. */
    uint8_t data[256] = {COMMENT, (uint8_t)length};
    memcpy(data + 2, note_, length);
    put(batch, ELEMENT_USERDATA, data, length + 2);
  }
  close_attribute(batch, element);
}

void batch_add(struct batch *batch, enum set set, const struct address *address, uint64_t milliseconds, const char *note_) {
  change(batch, NFT_NEWSETELEM, set);
  put_element(batch, address, milliseconds, note_);
}

void batch_remove(struct batch *batch, enum set set, const struct address *address) {
  change(batch, NFT_DELSETELEM, set);
  put_element(batch, address, 0, NULL);
}

void batch_flush(struct batch *batch, enum set set) {
  next(batch, NFT_DELSETELEM, 0);
  put(batch, ELEMENTS_TABLE, table, sizeof table);
  put(batch, ELEMENTS_SET, names[set], strlen(names[set]) + 1);
}

void batch_delete_table(struct batch *batch) {
  next(batch, NFT_DELTABLE, 0);
  put(batch, 1, table, sizeof table);
}

/* The kernel works in `send`: what it has to complain about is there when that returns. */
int batch_commit(struct batch *batch) {
  static uint8_t answers[65536];
  int fd = serve.sockets.nft, error = 0;
  next(batch, NF_BATCH_END, 0);
  finish(batch);
  netlink_drain(fd);
  if (send(fd, batch->data, batch->length, 0) != (ssize_t)batch->length) error = errno ? errno : EIO;
  for (ssize_t got; (got = recv(fd, answers, sizeof answers, MSG_DONTWAIT)) > 0;) {
    for (size_t at = 0; at + sizeof(struct nl_header) + 4 <= (size_t)got;) {
      const struct nl_header *header = (const void *)(answers + at);
      if (header->length < sizeof *header) break;
      int code;
      memcpy(&code, answers + at + sizeof *header, sizeof code);
      if (header->type == NL_ERROR && code != 0 && error == 0) error = -code;
      at += NL_ALIGN(header->length);
    }
  }
  free(batch->data);
  batch->data = NULL;
  return error;
}

static element each_element;
static bool six;

static uint64_t big(const uint8_t *data) {
  uint32_t word[2];
  memcpy(word, data, sizeof word);
  return (uint64_t)ntohl(word[0]) << 32 | ntohl(word[1]);
}

static void read_element(const uint8_t *data, size_t length) {
  struct address address;
  bool found = false;
  uint64_t left = 0;
  char text[256] = "";
  EACH_ATTRIBUTE(at, data, length) {
    if (ATTRIBUTE_TYPE(at) == ELEMENT_KEY)
      EACH_ATTRIBUTE(value, ATTRIBUTE_DATA(at), ATTRIBUTE_SIZE(at))
        if (ATTRIBUTE_TYPE(value) == DATA_VALUE && ATTRIBUTE_SIZE(value) == (six ? 16 : 4)) {
          address = (struct address){.six = six};
          memcpy(address.bytes, ATTRIBUTE_DATA(value), six ? 16 : 4);
          found = true;
        }
    if (ATTRIBUTE_TYPE(at) == ELEMENT_EXPIRATION && ATTRIBUTE_SIZE(at) == 8) left = big(ATTRIBUTE_DATA(at));
    if (ATTRIBUTE_TYPE(at) == ELEMENT_USERDATA && ATTRIBUTE_SIZE(at) > 2 && ATTRIBUTE_SIZE(at) <= 256 && ATTRIBUTE_DATA(at)[0] == COMMENT)
      memcpy(text, ATTRIBUTE_DATA(at) + 2, ATTRIBUTE_SIZE(at) - 2), text[ATTRIBUTE_SIZE(at) - 3] = 0;
  }
  if (found) each_element(&address, left, text);
}

static void read_list(const uint8_t *message, size_t length) {
  size_t skip = sizeof(struct nl_header) + sizeof(struct nf_message);
  if (length < skip) return;
  EACH_ATTRIBUTE(at, message + skip, length - skip)
    if (ATTRIBUTE_TYPE(at) == ELEMENTS_LIST)
      EACH_ATTRIBUTE(element_, ATTRIBUTE_DATA(at), ATTRIBUTE_SIZE(at)) read_element(ATTRIBUTE_DATA(element_), ATTRIBUTE_SIZE(element_));
}

int list_set(enum set set, element each) {
  struct batch batch = {.data = NULL};
  int error;
  each_element = each, six = set == OPEN6 || set == KNOWN6;
  start(&batch, NFT_GETSETELEM, NL_DUMP);
  put(&batch, ELEMENTS_TABLE, table, sizeof table);
  put(&batch, ELEMENTS_SET, names[set], strlen(names[set]) + 1);
  finish(&batch);
  netlink_dump(serve.sockets.nft, batch.data, batch.length, &error, read_list);
  free(batch.data);
  return error;
}
