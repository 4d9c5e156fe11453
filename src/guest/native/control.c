/* What the guest asks of a holder. */
#include "holder.h"

#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

void control_lost(struct holder *holder) {
  link_close(&holder->link);
  holder->lonely_since = now_ms();
  if (holder->exited) ending_record(holder);
}

void control_exit(struct holder *holder) {
  uint8_t how[2] = {(uint8_t)holder->by_signal, (uint8_t)holder->status};
  link_put(&holder->link, W_EXIT, how, sizeof how, NULL, 0);
}

/* Whoever typed what was not taken yet types it again: it was never told that it was. */
static void tell_all(struct holder *holder) {
  if (holder->input.length > 0) holder->input.ending = 0;
  holder->input.length = 0;
  uint8_t pids[8];
  put32(pids, (uint32_t)getpid());
  put32(pids + 4, (uint32_t)holder->pid);
  link_put(&holder->link, W_STARTED, pids, sizeof pids, NULL, 0);
  input_tell(holder);
  for (int i = 0; i < 2; i++) source_tell(holder, &holder->sources[i]);
  if (holder->exited) control_exit(holder);
  if (holder->empty) link_put(&holder->link, W_EMPTY, NULL, 0, NULL, 0);
}

/* The number of a group whose leader was reaped may belong to a stranger by now. */
void control_signal(struct holder *holder, int number) {
  pid_t group = 0;
  if (holder->request.tty) ioctl(holder->io.holder[0], TIOCGPGRP, &group);
  if (group <= 0) group = holder->pid;
  if (!holder->exited || tree_has_group(getpid(), group)) kill(-group, number);
}

static void set_limit(struct holder *holder, const struct record *record) {
  struct source *source = &holder->sources[record->data[0] == 2];
  source->limit = get64(record->data + 1);
  source->log.floor = get64(record->data + 9);
  log_prune(&source->log);
}

/* The shortest payload that makes sense. */
static uint32_t least(uint8_t tag) {
  return tag == W_LIMIT ? 17 : tag == W_KILL ? 5 : tag == W_SIZE ? 4 : tag == W_SIGNAL ? 1 : 0;
}

static void obey(struct holder *holder, const struct record *record) {
  const uint8_t *data = record->data;
  if (record->length < least(record->tag)) return control_lost(holder);
  if (record->tag != W_INPUT && holder->input.length > 0) input_write(holder);
  switch (record->tag) {
    case W_RESUME: return tell_all(holder);
    case W_INPUT: return input_keep(holder, data, record->length);
    case W_END_INPUT: holder->input.ending = 1; return input_write(holder);
    case W_LIMIT: return set_limit(holder, record);
    case W_SIZE: if (holder->request.tty) pty_resize(holder->io.holder[0], get16(data), get16(data + 2)); return;
    case W_SIGNAL: return control_signal(holder, data[0]);
    case W_KILL: return ending_begin(holder, data[0], get32(data + 1));
    case W_DISMISS: holder->dismissed = 1; return;
    case W_DOOR: return door_open(holder, record);
    case W_SHUT: return door_shut(holder);
    default: return control_lost(holder);
  }
}

static void obey_all(struct holder *holder) {
  struct record record;
  while (holder->link.fd >= 0 && !holder->dismissed) {
    int found = link_next(&holder->link, &record);
    if (found < 0) return control_lost(holder);
    if (found == 0) return;
    link_consume(&holder->link, &record);
    obey(holder, &record);
  }
}

/* Input that came in pieces goes on in one: each write of a little takes a page of a pipe. */
void control_obey(struct holder *holder) {
  obey_all(holder);
  if (holder->input.length > 0) input_write(holder);
}

void control_read(struct holder *holder) {
  int state = link_fill(&holder->link);
  control_obey(holder);
  if (state < 0 && holder->link.fd >= 0) control_lost(holder);
}

/* The newest guest is the one. */
void control_accept(struct holder *holder) {
  int fd = sock_accept(holder->listener);
  if (fd < 0) return;
  door_shut(holder); /* whoever came by it comes back by the guest */
  link_close(&holder->link);
  link_open(&holder->link, fd);
  holder->lonely_since = 0;
}
