/* How a session's programs are ended, all of them, and what is left on disk when nobody was there to be told. */
#include "holder.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Interactive shells ignore SIGTERM; what they do understand is their terminal going away. */
#define HANG_UP_AFTER 250
#define AGAIN_AFTER 30
/* How long a program may be held back by an owner's window without a guest. */
#define LONELY 5000

void ending_begin(struct holder *holder, int signal, int64_t grace) {
  int64_t now = now_ms();
  holder->kill_at = now + grace;
  if (grace > 0) {
    tree_signal(getpid(), signal);
    tree_signal(getpid(), SIGCONT);
    if (holder->request.tty) holder->hup_at = now + HANG_UP_AFTER;
  }
  ending_step(holder);
}

void ending_step(struct holder *holder) {
  int64_t now = now_ms();
  if (holder->empty) holder->hup_at = holder->kill_at = 0;
  if (holder->hup_at && now >= holder->hup_at) {
    holder->hup_at = 0;
    tree_signal(getpid(), SIGHUP);
  }
  if (holder->kill_at && now >= holder->kill_at) {
    tree_signal(getpid(), SIGKILL);
    holder->kill_at = now + AGAIN_AFTER; /* whoever was forked meanwhile */
  }
  if (holder->lonely_since && now >= holder->lonely_since + LONELY) {
    holder->lonely_since = 0;
    for (int i = 0; i < 2; i++) holder->sources[i].limit = UINT64_MAX;
  }
}

static int sooner(int timeout, int64_t at, int64_t now) {
  if (at == 0) return timeout;
  int64_t left = at > now ? at - now : 0;
  return timeout < 0 || left < timeout ? (int)left : timeout;
}

int ending_timeout(const struct holder *holder) {
  int64_t now = now_ms();
  int timeout = sooner(-1, holder->hup_at, now);
  timeout = sooner(timeout, holder->kill_at, now);
  timeout = sooner(timeout, holder->door.look_at, now);
  timeout = sooner(timeout, holder->door.leave_by, now);
  return holder->lonely_since ? sooner(timeout, holder->lonely_since + LONELY, now) : timeout;
}

void ending_record(struct holder *holder) {
  char text[32];
  char *path = path_of(holder->request.dir, "exit"), *fresh = path_of(holder->request.dir, "exit.new");
  snprintf(text, sizeof text, "%s %d\n", holder->by_signal ? "killed" : "exited", holder->status);
  write_file(fresh, text);
  rename(fresh, path);
  free(path);
  free(fresh);
}
