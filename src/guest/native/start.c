/* Starting and stopping a supervisor that stays in the background. */
#include "amux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 10000
#define LOG_MAX (1 << 20)

static void nap(void) {
  struct timespec t = {0, 5000000};
  nanosleep(&t, NULL);
}

static void to_log(struct place *place) {
  char *path = path_of(place->store, "init.log");
  struct stat found;
  int fresh = stat(path, &found) == 0 && found.st_size > LOG_MAX ? O_TRUNC : 0;
  int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | fresh, 0600);
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) die("amux-init: cannot open /dev/null: %s", strerror(errno));
  dup2(null, 0);
  dup2(log < 0 ? null : log, 1);
  dup2(log < 0 ? null : log, 2);
}

static int answers(const char *socket) {
  int fd = sock_connect(socket);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

/* `child` is the supervisor when it is ours, so that its early end is not waited out. */
static int await_guest(struct place *place, const char *socket, pid_t child) {
  for (int64_t until = now_ms() + PATIENCE; now_ms() < until; nap()) {
    if (answers(socket)) return 0;
    int status;
    if (child > 0 && waitpid(child, &status, WNOHANG) == child) {
      note("amux-init: the supervisor ended at once; see %s/init.log", place->store);
      return 1;
    }
  }
  note("amux-init: the guest does not answer on %s; see %s/init.log", socket, place->store);
  return 1;
}

int start_command(struct place *place, char **guest) {
  char *socket = path_of(place->run, "guest.sock");
  int ours = place_lock(place) == 0;
  int changed = command_write(place, guest);
  if (!ours) {
    pid_t owner = place_owner(place);
    if (changed && owner > 0) {
      unlink(socket); /* whoever answers afterwards is the new one */
      kill(owner, SIGHUP);
    }
    return await_guest(place, socket, 0);
  }
  unlink(socket);
  pid_t child = fork();
  if (child < 0) die("amux-init: cannot fork: %s", strerror(errno));
  if (child > 0) return await_guest(place, socket, child);
  setsid();
  to_log(place);
  supervise(place);
}

int stop_command(struct place *place) {
  for (int64_t until = now_ms() + 2 * PATIENCE; now_ms() < until; nap()) {
    if (place_lock(place) == 0) return 0;
    static int told;
    pid_t owner = place_owner(place);
    if (!told && owner > 0) told = kill(owner, SIGTERM) == 0;
    close(place->lock);
  }
  note("amux-init: it does not end");
  return 1;
}
