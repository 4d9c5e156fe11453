#define _GNU_SOURCE
#include "fault.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../common/text.h"

static const char *const names[] = {
    "read",   "pack-create", "pack-write", "pack-sync", "point-write", "point-sync", "next", "publish", "live", "intent", "mark",
    "unlink", "make",  "content",     "rename",     "link",      "meta",        "directory",  "settle", "done", "intent-remove", "withdraw", "punch", "withdrawn", "sweep",
};

bool step(const char *name) {
  static const char *wanted, *what;
  static long left = -1;
  static bool looked;
  if (!looked) {
    looked = true;
    char *text = getenv("AMUX_DISK_FAULT");
    text = text ? strdup(text) : NULL;
    char *count = text ? strchr(text, ':') : NULL, *then = count ? strchr(count + 1, ':') : NULL;
    if (then) {
      *count = *then = 0;
      wanted = text;
      left = strtol(count + 1, NULL, 10);
      what = then + 1;
    }
  }
  if (!wanted || strcmp(wanted, name) != 0 || left <= 0 || --left > 0) return true;
  if (strcmp(what, "kill") == 0) kill(getpid(), SIGKILL);
  errno = strcmp(what, "ENOSPC") == 0 ? ENOSPC : EIO;
  return false;
}

void print_steps(void) {
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) say(1, "%s\n", names[i]);
}
