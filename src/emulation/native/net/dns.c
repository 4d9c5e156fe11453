/* Messages of the domain name system (RFC 1035, 6891, 8914). Whatever comes in is hostile. */
#include "net.h"
#include <stdlib.h>
#include <string.h>

enum { HEADER = 12, CLASS_IN = 1, TYPE_IXFR = 251, TYPE_AXFR = 252 };

static unsigned get16(const uint8_t *at) {
  return (unsigned)at[0] << 8 | at[1];
}

static void put16(uint8_t *at, unsigned value) {
  at[0] = (uint8_t)(value >> 8), at[1] = (uint8_t)value;
}

/* Unfolds the name at `at`; returns where the message goes on after it, 0 when it is malformed. */
static size_t read_name(const uint8_t *message, size_t length, size_t at, uint8_t *wire, uint8_t *wire_length) {
  size_t after = 0, used = 0;
  for (int jumps = 0; at < length;) {
    unsigned label = message[at];
    if (label >= 0xc0) {
      if (at + 1 >= length || ++jumps > 64) return 0;
      if (after == 0) after = at + 2;
      at = get16(message + at) & 0x3fff;
      continue;
    }
    if (label > 63 || at + 1 + label > length || used + 1 + label > NAME_WIRE) return 0;
    memcpy(wire + used, message + at, 1 + label);
    used += 1 + label, at += 1 + label;
    if (label > 0) continue;
    *wire_length = (uint8_t)used;
    return after ? after : at;
  }
  return 0;
}

static char lower(uint8_t byte) {
  return (char)(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
}

static void name_text(const uint8_t *wire, char *out) {
  char *to = out;
  for (const uint8_t *label = wire; *label; label += 1 + *label) {
    if (label != wire) *to++ = '.';
    for (int i = 1; i <= *label; i++) {
      uint8_t byte = label[i];
      bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '-' || byte == '_' || byte == '*';
      if (plain) *to++ = lower(byte);
      else to += sprintf(to, "\\%03u", byte);
    }
  }
  *to = 0;
}

const char *question_name(const struct question *question) {
  static char text[NAME_TEXT + 1];
  name_text(question->name, text);
  return text;
}

const char *type_name(uint16_t type) {
  static char text[12];
  static const struct {
    uint16_t type;
    const char *name;
  } known[] = {{TYPE_A, "A"}, {2, "NS"}, {TYPE_CNAME, "CNAME"}, {6, "SOA"}, {12, "PTR"}, {15, "MX"}, {16, "TXT"}, {TYPE_AAAA, "AAAA"}, {33, "SRV"}, {64, "SVCB"}, {65, "HTTPS"}, {TYPE_AXFR, "AXFR"}, {255, "ANY"}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (known[i].type == type) return known[i].name;
  snprintf(text, sizeof text, "TYPE%u", type);
  return text;
}

static bool same_wire(const uint8_t *a, const uint8_t *b, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

/* A record's owner is skipped over: 0 when malformed. */
static size_t skip_record(const uint8_t *message, size_t length, size_t at, size_t *body) {
  uint8_t wire[NAME_WIRE], size;
  at = read_name(message, length, at, wire, &size);
  if (at == 0 || at + 10 > length) return 0;
  *body = at;
  size_t end = at + 10 + get16(message + at + 8);
  return end <= length ? end : 0;
}

int parse_query(const uint8_t *message, size_t length, struct question *question) {
  if (length < HEADER || message[2] & 0x80) return -1;
  memset(question, 0, sizeof *question);
  question->id = (uint16_t)get16(message);
  memcpy(question->flags, message + 2, 2);
  question->length = 1;
  if ((message[2] & 0x78) != 0) return NOTIMP;
  if (get16(message + 4) != 1 || get16(message + 6) != 0 || get16(message + 8) != 0) return FORMERR;
  struct question read = *question;
  size_t at = read_name(message, length, HEADER, read.name, &read.length), body = 0;
  if (at == 0 || at + 4 > length) return FORMERR;
  read.type = (uint16_t)get16(message + at), read.class = (uint16_t)get16(message + at + 2);
  at += 4;
  for (unsigned i = 0, more = get16(message + 10); i < more; i++) {
    size_t end = skip_record(message, length, at, &body);
    if (end == 0) return FORMERR;
    if (get16(message + body) == TYPE_OPT) {
      unsigned size = get16(message + body + 2);
      read.udp_size = (uint16_t)(size < 512 ? 512 : size > 4096 ? 4096 : size);
      read.dnssec = message[body + 6] & 0x80;
    }
    at = end;
  }
  *question = read;
  if (read.class != CLASS_IN || read.type == TYPE_AXFR || read.type == TYPE_IXFR) return REFUSED;
  return 0;
}

static size_t put_question(const struct question *question, uint8_t *out) {
  size_t at = HEADER;
  memcpy(out + at, question->name, question->length);
  at += question->length;
  put16(out + at, question->type), put16(out + at + 2, question->class);
  return at + 4;
}

static size_t put_options(const struct question *question, size_t at, int reason, uint8_t *out) {
  if (question->udp_size == 0) return at;
  memset(out + at, 0, 11);
  put16(out + at + 1, TYPE_OPT), put16(out + at + 3, question->udp_size);
  out[at + 7] = question->dnssec ? 0x80 : 0;
  put16(out + 10, 1);
  if (reason == 0) return at + 11;
  /* An extended error: for people who ask with dig. */
  put16(out + at + 9, 6), put16(out + at + 11, 15), put16(out + at + 13, 2), put16(out + at + 15, (unsigned)reason);
  return at + 17;
}

size_t build_query(const struct question *question, uint16_t id, uint8_t *out) {
  memset(out, 0, HEADER);
  put16(out, id);
  out[2] = question->flags[0] & 0x01, out[3] = question->flags[1] & 0x30;
  put16(out + 4, 1);
  return put_options(question, put_question(question, out), 0, out);
}

size_t build_refusal(const struct question *question, int rcode, uint8_t *out) {
  memset(out, 0, HEADER);
  put16(out, question->id);
  out[2] = (uint8_t)(0x80 | (question->flags[0] & 0x79)), out[3] = (uint8_t)(0x80 | (question->flags[1] & 0x10) | rcode);
  if (question->type == 0 && question->class == 0) return HEADER;
  put16(out + 4, 1);
  return put_options(question, put_question(question, out), rcode == REFUSED ? 18 : 0, out);
}

struct record {
  uint8_t owner[NAME_WIRE], owner_length;
  uint16_t type;
  uint32_t ttl;
  size_t data, size;
};

static size_t read_record(const uint8_t *message, size_t length, size_t at, struct record *record) {
  at = read_name(message, length, at, record->owner, &record->owner_length);
  if (at == 0 || at + 10 > length) return 0;
  record->type = (uint16_t)get16(message + at);
  if (get16(message + at + 2) != CLASS_IN) record->type = 0;
  record->ttl = (uint32_t)get16(message + at + 4) << 16 | get16(message + at + 6);
  record->size = get16(message + at + 8), record->data = at + 10;
  return record->data + record->size <= length ? record->data + record->size : 0;
}

/* The alias that `name` is, if the answer has one; it takes the name's place. False: malformed. */
static bool follow(const uint8_t *message, size_t length, size_t at, unsigned records, uint8_t *name, uint8_t *name_length, struct answer *answer, bool *found) {
  struct record record;
  *found = false;
  for (unsigned i = 0; i < records; i++) {
    at = read_record(message, length, at, &record);
    if (at == 0) return false;
    if (record.type != TYPE_CNAME || record.owner_length != *name_length || !same_wire(record.owner, name, *name_length)) continue;
    uint8_t target[NAME_WIRE], size;
    if (read_name(message, length, record.data, target, &size) != record.data + record.size || answer->hops == MAX_HOPS) return false;
    memcpy(name, target, size), *name_length = size;
    name_text(target, answer->hop[answer->hops]);
    answer->hop_ttl[answer->hops++] = record.ttl;
    *found = true;
    return true;
  }
  return true;
}

static bool take_addresses(const uint8_t *message, size_t length, size_t at, unsigned records, const uint8_t *name, uint8_t name_length, struct answer *answer) {
  struct record record;
  for (unsigned i = 0; i < records; i++) {
    at = read_record(message, length, at, &record);
    if (at == 0) return false;
    bool four = record.type == TYPE_A, six = record.type == TYPE_AAAA;
    if (!four && !six) continue;
    if (record.size != (four ? 4u : 16u)) return false;
    if (record.owner_length != name_length || !same_wire(record.owner, name, name_length)) continue;
    if (answer->count == MAX_ADDRESSES) continue;
    answer->address[answer->count] = address_of(message + record.data, six);
    answer->ttl[answer->count++] = record.ttl >> 31 ? 0 : record.ttl;
  }
  return true;
}

bool parse_answer(const uint8_t *message, size_t length, const struct question *question, uint16_t id, struct answer *answer) {
  if (length < HEADER || get16(message) != id || (message[2] & 0xf8) != 0x80 || get16(message + 4) != 1) return false;
  uint8_t name[NAME_WIRE], size;
  size_t at = read_name(message, length, HEADER, name, &size);
  if (at == 0 || at + 4 > length || size != question->length || !same_wire(name, question->name, size)) return false;
  if (get16(message + at) != question->type || get16(message + at + 2) != question->class) return false;
  at += 4;
  unsigned records = get16(message + 6);
  answer->rcode = message[3] & 0x0f, answer->truncated = message[2] & 0x02, answer->hops = 0, answer->count = 0;
  for (bool found = true; found;)
    if (!follow(message, length, at, records, name, &size, answer, &found)) return answer->truncated;
  return take_addresses(message, length, at, records, name, size, answer) || answer->truncated;
}
