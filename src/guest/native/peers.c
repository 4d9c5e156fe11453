/* Who comes to a recorder's socket: followers and whoever wants something of the session. */
#include "record.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An owner that says nothing for so long is no longer waited for. */
#define SILENT 20000
#define FAREWELL 1000
#define CLOGGED (1u << 20)
#define AHEAD (4u << 20)

static void free_pace(struct recorder *recorder) {
  for (int i = 0; i < 2; i++) recorder->holder.sources[i].limit = UINT64_MAX;
}

/* Until the owner says how far it may go: so far that all of it is still in the log. */
void hold_pace(struct recorder *recorder) {
  for (int i = 0; i < 2; i++) recorder->holder.sources[i].limit = recorder->holder.sources[i].log.end + AHEAD;
}

static void leave(struct recorder *recorder, struct peer *peer) {
  if (peer->role == ROLE_OWNER) free_pace(recorder);
  link_close(&peer->link);
}

/* Connections that were closed give their place up. */
static void sweep(struct recorder *recorder) {
  int kept = 0;
  for (int i = 0; i < recorder->count; i++) {
    struct peer *peer = &recorder->peers[i];
    if (peer->link.fd < 0) {
      free(peer->link.in);
      free(peer->link.out);
    } else {
      if (kept != i) recorder->peers[kept] = *peer;
      kept++;
    }
  }
  memset(recorder->peers + kept, 0, sizeof *recorder->peers * (size_t)(recorder->count - kept));
  recorder->count = kept;
}

void peers_accept(struct recorder *recorder) {
  int fd = sock_accept(recorder->holder.listener);
  if (fd < 0) return;
  struct peer *peer = &recorder->peers[recorder->count++];
  memset(peer, 0, sizeof *peer);
  link_open(&peer->link, fd);
  peer->heard = now_ms();
}

static void tell_end(struct link *link, uint8_t tag, const struct source *source) {
  uint8_t head[9] = {source->stream};
  put64(head + 1, source->log.end);
  link_put(link, tag, head, sizeof head, NULL, 0);
}

static void hello(struct recorder *recorder, struct peer *peer) {
  char text[256];
  int length = journal_hello(recorder, text, sizeof text);
  link_put(&peer->link, R_HELLO, NULL, 0, text, (size_t)length);
  for (int i = 0; i < 2; i++) tell_end(&peer->link, W_GREW, &recorder->holder.sources[i]);
}

/* Who only waits for its end need not wait for more. */
static void tell_ended(struct recorder *recorder, struct peer *peer) {
  if (peer->role == ROLE_ASIDE) link_put(&peer->link, W_EXIT, NULL, 0, NULL, 0);
  else if (peer->role != 0) link_put(&peer->link, R_EXITED, NULL, 0, recorder->status, strlen(recorder->status));
}

void peers_ended(struct recorder *recorder) {
  for (int i = 0; i < recorder->count; i++) tell_ended(recorder, &recorder->peers[i]);
}

static void take_role(struct recorder *recorder, struct peer *peer, uint8_t role) {
  for (int i = 0; role == ROLE_OWNER && i < recorder->count; i++) {
    struct peer *other = &recorder->peers[i];
    if (other == peer || other->role != ROLE_OWNER) continue;
    other->role = ROLE_VIEWER;
    link_put(&other->link, R_DISOWNED, NULL, 0, NULL, 0);
  }
  if (role == ROLE_OWNER) {
    hold_pace(recorder);
    recorder->awaited = 0;
  }
  peer->role = role;
  hello(recorder, peer);
  if (recorder->settled && role != ROLE_ASIDE) tell_ended(recorder, peer);
}

static void set_limit(struct recorder *recorder, const struct record *record) {
  struct source *source = &recorder->holder.sources[record->data[0] == 2];
  source->limit = get64(record->data + 1);
}

static uint32_t least(uint8_t tag) {
  return tag == W_LIMIT ? 9 : tag == W_KILL ? 5 : tag == W_SIZE ? 4 : tag == W_SIGNAL || tag == R_ROLE ? 1 : 0;
}

/* 0: it has to wait for room. */
static int obey(struct recorder *recorder, struct peer *peer, const struct record *record) {
  struct holder *holder = &recorder->holder;
  const uint8_t *data = record->data;
  int may_type = peer->role != ROLE_VIEWER;
  if (record->length < least(record->tag) || (peer->role == 0) != (record->tag == R_ROLE)) return leave(recorder, peer), 1;
  switch (record->tag) {
    case R_ROLE: take_role(recorder, peer, data[0]); break;
    case R_SYNC: link_put(&peer->link, R_SYNCED, NULL, 0, NULL, 0); break;
    case W_INPUT:
      if (!may_type || holder->input.fd < 0) break;
      if (record->length > WIRE_INPUT) return leave(recorder, peer), 1;
      if (record->length > WIRE_INPUT - holder->input.length) return 0;
      recorder->active = now_ms();
      input_add(holder, data, record->length);
      break;
    case W_END_INPUT:
      if (!may_type) break;
      if (holder->request.tty) {
        if (holder->input.length == WIRE_INPUT) return 0;
        input_add(holder, (const uint8_t *)"\4", 1);
        break;
      }
      holder->input.ending = 1;
      input_write(holder);
      break;
    case W_LIMIT: if (peer->role == ROLE_OWNER) set_limit(recorder, record); break;
    case W_SIZE: if (may_type && holder->request.tty) pty_resize(holder->io.holder[0], get16(data), get16(data + 2)); break;
    case W_SIGNAL: if (!holder->exited) control_signal(holder, data[0]); break;
    case W_KILL: ending_begin(holder, data[0], get32(data + 1)); break;
    default: leave(recorder, peer);
  }
  return 1;
}

static void serve(struct recorder *recorder, struct peer *peer) {
  struct record record;
  for (int found; peer->link.fd >= 0 && (found = link_next(&peer->link, &record)) != 0;) {
    if (found < 0) return leave(recorder, peer);
    if (!obey(recorder, peer, &record)) return;
    if (peer->link.fd >= 0) link_consume(&peer->link, &record);
  }
}

int peers_poll(struct recorder *recorder, struct pollfd *polls) {
  for (int i = 0; i < recorder->count; i++) {
    struct link *link = &recorder->peers[i].link;
    polls[i] = (struct pollfd){link->fd, (short)((link->in_length < CLOGGED ? POLLIN : 0) | (link->out_length > 0 ? POLLOUT : 0)), 0};
  }
  return recorder->count;
}

void peers_serve(struct recorder *recorder, const struct pollfd *polls) {
  for (int i = 0; i < recorder->count; i++) {
    struct peer *peer = &recorder->peers[i];
    int gone = polls[i].revents & ~POLLOUT && link_fill(&peer->link) < 0;
    if (polls[i].revents & POLLIN) peer->heard = now_ms();
    if (peer->link.in_length > 0) serve(recorder, peer);
    if ((gone && peer->link.fd >= 0) || peer->link.out_length > CLOGGED) leave(recorder, peer);
  }
}

void peers_check(struct recorder *recorder) {
  for (int i = 0; i < recorder->count; i++)
    if (recorder->peers[i].role == ROLE_OWNER && now_ms() - recorder->peers[i].heard > SILENT) free_pace(recorder);
  sweep(recorder);
}

/* News is told once per round, to those who took the last. */
void peers_tell(struct recorder *recorder) {
  for (int s = 0; s < 2; s++) {
    const struct source *source = &recorder->holder.sources[s];
    int ended = source->fd < 0;
    if (source->log.end == recorder->told[s] && ended == recorder->told_end[s]) continue;
    recorder->told[s] = source->log.end;
    recorder->told_end[s] = ended;
    for (int i = 0; i < recorder->count; i++)
      if (recorder->peers[i].role != 0 && recorder->peers[i].role != ROLE_ASIDE) tell_end(&recorder->peers[i].link, W_GREW, source);
  }
  for (int i = 0; i < recorder->count; i++) link_flush(&recorder->peers[i].link);
}

/* It is all on disk now, its end too. */
void peers_exit(struct recorder *recorder) {
  for (int i = 0; i < recorder->count; i++) link_put(&recorder->peers[i].link, W_EXIT, NULL, 0, NULL, 0);
}

void peers_farewell(struct recorder *recorder) {
  for (int64_t until = now_ms() + FAREWELL; now_ms() < until;) {
    struct pollfd polls[PEERS];
    int left = 0;
    for (int i = 0; i < recorder->count; i++) {
      link_flush(&recorder->peers[i].link);
      if (recorder->peers[i].link.out_length > 0) polls[left++] = (struct pollfd){recorder->peers[i].link.fd, POLLOUT, 0};
    }
    if (left == 0 || poll(polls, (nfds_t)left, 100) < 0) return;
  }
}
