/* amux-net apply DIR < POLICY, amux-net show DIR */
#include "net.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 500, PAUSE_MS = 10, ANSWER_SECONDS = 60 };

static int fail(int error, const char *step, const char *subject, const char *text) {
  char safe[4096];
  escape_field(subject, safe, sizeof safe);
  say(1, "error\t%d\t%s\t%s\t%s\n", error, step, safe, text ? text : strerror(error));
  return 1;
}

/* The server's line; empty when there is no server, or it went away over it. */
static size_t ask_server(const char *text, size_t length, char *line, size_t room) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "control"};
  struct timeval limit = {.tv_sec = ANSWER_SECONDS};
  size_t have = 0;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return 0;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  char head[48];
  int head_length = snprintf(head, sizeof head, "apply %zu\n", length);
  bool asked = connect(fd, (struct sockaddr *)&address, sizeof address) == 0 && send(fd, head, (size_t)head_length, MSG_NOSIGNAL) == head_length;
  for (size_t sent = 0; asked && sent < length;) {
    ssize_t done = send(fd, text + sent, length - sent, MSG_NOSIGNAL);
    if (done <= 0) break;
    sent += (size_t)done;
  }
  for (ssize_t got = 1; asked && got > 0 && have < room - 1;) {
    got = recv(fd, line + have, room - 1 - have, 0);
    if (got > 0) have += (size_t)got;
  }
  close(fd);
  line[have] = 0;
  return have > 0 && line[have - 1] == '\n' ? have : 0;
}

/* A server holds `lock` for as long as it runs: who gets it knows that there is none, and that none begins. */
static bool no_server(int *lock) {
  *lock = open("lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (*lock >= 0 && flock(*lock, LOCK_EX | LOCK_NB) == 0) return true;
  if (*lock >= 0) close(*lock);
  return false;
}

static int apply(const char *text, size_t length) {
  char line[2048];
  int lock;
  for (int i = 0; i < TRIES; i++) {
    if (ask_server(text, length, line, sizeof line) > 0) {
      write_all(1, line, strlen(line));
      return strncmp(line, "applied", 7) == 0 ? 0 : 1;
    }
    if (no_server(&lock)) {
      if (!write_new_policy(text, length) || !keep_new_policy()) return fail(errno, "store", "policy", NULL);
      say(1, "stored\n");
      return 0;
    }
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
  }
  return fail(ETIMEDOUT, "server", "", "it does not answer");
}

int apply_main(int argc, char **argv) {
  size_t length = 0;
  int line;
  const char *why;
  if (argc != 2) return say(2, "usage: amux-net apply DIR < POLICY\n"), 2;
  char *text = read_all(0, &length), *copy = text ? malloc(length + 1) : NULL, number[16];
  if (!copy) return fail(errno, "read", "", NULL);
  if (length > MAX_POLICY) return fail(EFBIG, "policy", "", "too long");
  memcpy(copy, text, length);
  struct policy *policy_ = parse_policy(copy, length, &line, &why);
  snprintf(number, sizeof number, "%d", line);
  if (!policy_) return fail(EINVAL, "policy", number, why);
  if (!enter_directory(argv[1])) return fail(errno, "directory", argv[1], NULL);
  return apply(text, length);
}

int show_main(int argc, char **argv) {
  struct failure failure;
  struct policy *loaded = NULL;
  if (argc != 2) return say(2, "usage: amux-net show DIR\n"), 2;
  if (chdir(argv[1]) != 0 && errno != ENOENT) return fail(errno, "directory", argv[1], NULL);
  else if (errno != ENOENT && !load_policy(&loaded, &failure)) return fail(failure.error, failure.step, "", failure.text);
  const char *document = loaded ? policy_document(loaded) : NULL;
  if (!document) document = "{\"rules\":[]}";
  return write_all(1, document, strlen(document)) && write_all(1, "\n", 1) ? 0 : 1;
}
