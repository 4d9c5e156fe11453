/* Output: to the log first, then to the guest. Input: as fast as the program takes it. */
#include "holder.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BULK (256u << 10)
/* Up to here the bytes travel with the news; beyond, the guest reads the log. */
#define INLINE (32u << 10)
#define CLOGGED (1u << 20)
#define GATHER 2048
#define TELL_EVERY (WIRE_INPUT / 4)

static uint8_t buffer[BULK];

int source_wanted(const struct holder *holder, const struct source *source) {
  if (source->fd < 0 || source->log.end >= source->limit) return 0;
  return !source->broken || holder->link.fd < 0 || holder->link.out_length < CLOGGED;
}

/* Where a visitor reads a terminal, what it read is not looked at until it has calmed down: only whether it left. */
struct pollfd source_poll(const struct holder *holder, const struct source *source) {
  int calm = holder->door.look_at == 0 || source != &holder->sources[0];
  return (struct pollfd){source_wanted(holder, source) ? source->fd : -1, (short)(calm ? POLLIN : 0), 0};
}

static void tell_end(struct holder *holder, const struct source *source, uint8_t tag) {
  uint8_t head[9] = {source->stream};
  put64(head + 1, source->log.end);
  link_put(&holder->link, tag, head, sizeof head, NULL, 0);
}

void source_tell(struct holder *holder, struct source *source) {
  if (source->log.end > 0) tell_end(holder, source, W_GREW);
  if (source->fd < 0) tell_end(holder, source, W_ENDED);
}

static void source_close(struct holder *holder, struct source *source) {
  if (source->fd >= 0 && !holder->request.tty) close(source->fd);
  source->fd = -1;
  tell_end(holder, source, W_ENDED);
}

static void keep(struct holder *holder, struct source *source, size_t length) {
  struct log *out = &holder->sources[0].log, *err = &holder->sources[1].log;
  uint8_t head[9] = {source->stream};
  put64(head + 1, source->log.end);
  order_note(&holder->order, source->stream, out->end, err->end);
  source->broken = log_append(&source->log, buffer, length) < 0;
  if (holder->seen) holder->seen(source->stream, buffer, length);
  int clogged = holder->link.out_length > CLOGGED;
  if (source->broken || (length <= INLINE && !clogged)) link_put(&holder->link, W_OUTPUT, head, sizeof head, buffer, length);
  else tell_end(holder, source, W_GREW);
}

/* A terminal gives 4 KB at a time: gather what is there. Less than that was all. */
void source_read(struct holder *holder, struct source *source) {
  uint64_t room = source->limit - source->log.end;
  size_t most = room < BULK ? (size_t)room : BULK, length = 0;
  int ended = 0;
  while (length < most) {
    ssize_t n = read(source->fd, buffer + length, most - length);
    if (n < 0 && errno == EINTR) continue;
    ended = n == 0 || (n < 0 && errno != EAGAIN);
    if (n <= 0) break;
    length += (size_t)n;
    if (!holder->request.tty || n < GATHER) break;
  }
  if (length > 0) keep(holder, source, length);
  if (ended && !door_left(holder)) source_close(holder, source);
}

void input_tell(struct holder *holder) {
  uint8_t total[8];
  holder->input.told = holder->input.taken;
  put64(total, holder->input.fd < 0 ? UINT64_MAX : holder->input.taken);
  link_put(&holder->link, W_TAKEN, total, sizeof total, NULL, 0);
}

void input_close(struct holder *holder) {
  struct input *input = &holder->input;
  if (input->fd < 0) return;
  if (!holder->request.tty) close(input->fd);
  input->fd = -1;
  input->length = 0;
  input_tell(holder);
}

void input_keep(struct holder *holder, const uint8_t *data, size_t length) {
  struct input *input = &holder->input;
  if (input->fd < 0) return;
  if (length > WIRE_INPUT - input->length) return control_lost(holder);
  size_t at = (input->start + input->length) % WIRE_INPUT;
  size_t straight = length < WIRE_INPUT - at ? length : WIRE_INPUT - at;
  memcpy(input->bytes + at, data, straight);
  memcpy(input->bytes, data + straight, length - straight);
  input->length += length;
}

void input_add(struct holder *holder, const uint8_t *data, size_t length) {
  input_keep(holder, data, length);
  input_write(holder);
}

void input_write(struct holder *holder) {
  struct input *input = &holder->input;
  while (input->fd >= 0 && input->length > 0) {
    size_t straight = WIRE_INPUT - input->start;
    ssize_t n = write(input->fd, input->bytes + input->start, input->length < straight ? input->length : straight);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) return input_close(holder);
    input->start = (input->start + (size_t)n) % WIRE_INPUT;
    input->length -= (size_t)n;
    input->taken += (uint64_t)n;
  }
  /* Who has more to send need not hear of every piece. */
  uint64_t news = input->taken - input->told;
  if (input->length == 0 ? news > 0 : news >= TELL_EVERY) input_tell(holder);
  if (input->ending && input->length == 0 && !holder->request.tty) input_close(holder);
}
