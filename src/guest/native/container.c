/* What amux-init does on a container engine: the first process of a computer, and the way in for programs beside one. */
#include "amux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define OURS "/run/amux/"

/* Beside a computer whose root is somebody else outside, what is made is its directory's owner's. */
static int open_theirs(const char *path) {
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  char directory[4096];
  struct stat status;
  const char *slash = strrchr(path, '/');
  snprintf(directory, sizeof directory, "%.*s", slash ? (int)(slash - path) : 0, path);
  if (fd >= 0 && stat(directory, &status) == 0 && fchown(fd, status.st_uid, status.st_gid)) { /* then it is ours */ }
  return fd;
}

static int lock_as(const char *path, int how) {
  int fd = open_theirs(path);
  return fd < 0 || flock(fd, how | LOCK_NB) == 0 ? fd : (close(fd), -1);
}

/* Strings, each ended by NUL, as an argv. */
static char **read_argv(const char *path) {
  static char text[16384];
  static char *argv[64];
  int fd = open(path, O_RDONLY | O_CLOEXEC), count = 0;
  ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  for (ssize_t at = 0; at < length && count < 63; at += (ssize_t)strlen(text + at) + 1) argv[count++] = text + at;
  return count > 0 ? argv : NULL;
}

/* Whoever reaches the directory may connect: it is its owner's alone. */
static int listen_at(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = path && strlen(path) < sizeof address.sun_path ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
  if (fd < 0) return -1;
  strcpy(address.sun_path, path);
  unlink(path);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && chmod(path, 0666) == 0 && listen(fd, 8) == 0) return fd;
  note("amux-init: cannot listen on %s: %s", path, strerror(errno));
  close(fd);
  return -1;
}

/* True when told to go on. Leaves when told to end. */
static int is_told(int signals, int listener) {
  struct pollfd polls[2] = {{signals, POLLIN, 0}, {listener, POLLIN, 0}};
  poll(polls, 2, -1);
  int told = listener >= 0 && polls[1].revents != 0;
  if (told) close(accept(listener, NULL, NULL));
  struct signalfd_siginfo info;
  while (read(signals, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) _exit(0);
    if (info.ssi_signo == SIGUSR1) told = 1;
    while (waitpid(-1, NULL, WNOHANG) > 0) { /* somebody's, left to us */ }
  }
  return told;
}

/*
 * Runs nothing until it is told, by SIGUSR1 or a connection to SOCKET: an engine starts containers also for others, and then
 * nobody has put the computer's network policy in force. Its lock keeps the disk from being changed from outside; on
 * descriptor 0 it stays with whatever it becomes.
 */
int first_command(const char *lock, const char *boot, const char *mark, const char *socket) {
  int held = lock_as(lock, LOCK_SH);
  if (held < 0) {
    note("amux-init: %s: %s", lock, errno == EWOULDBLOCK ? "the disk is being changed from outside" : strerror(errno));
    return BUSY;
  }
  if (dup2(held, 0) < 0) return 1;
  close(held);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1), sigaddset(&set, SIGTERM), sigaddset(&set, SIGINT), sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_SETMASK, &set, NULL);
  int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), listener = listen_at(socket);
  for (;;) {
    if (!is_told(signals, listener)) continue;
    unlink(mark); /* whoever tells has finished what was marked */
    char **argv = read_argv(boot);
    if (argv) execv(argv[0], argv);
    note("amux-init: cannot become what %s says: %s", boot, argv ? strerror(errno) : "it says nothing");
  }
}

/* As a shell finds it; what it may not execute is said only where there is no other. */
static char *found(const char *name) {
  static char path[4096];
  struct stat status;
  const char *all = strchr(name, '/') ? NULL : getenv("PATH");
  int error = ENOENT;
  do {
    size_t length = all ? strcspn(all, ":") : 0;
    if (all) snprintf(path, sizeof path, "%.*s/%s", (int)length, all, name);
    else snprintf(path, sizeof path, "%s", name);
    int there = stat(path, &status) == 0;
    if (there && !S_ISDIR(status.st_mode) && access(path, X_OK) == 0) return path;
    if (there || errno != ENOENT) error = there ? EACCES : errno;
    all = all && all[length] ? all + length + 1 : NULL;
  } while (all);
  errno = error;
  return NULL;
}

/* What a program beside a computer is surrounded with. */
struct beside {
  const char *mark;
  int keeps; /* the mark, where the program has put a word in it: what was changed is yet to take its place */
  const char *links[8];
  int count;
};

/* On what may be a copy of somebody's disk there may be something of theirs, or of an earlier one that was killed. */
static int link_as(struct beside *beside, const char *name, const char *target) {
  char there[4096];
  ssize_t length = readlink(name, there, sizeof there);
  if (length > 0 && (size_t)length == strlen(target) && memcmp(there, target, (size_t)length) == 0) return 0;
  if (length > (ssize_t)strlen(OURS) && memcmp(there, OURS, strlen(OURS)) == 0) unlink(name);
  if (symlink(target, name) < 0) return -1;
  if (beside->count < 8) beside->links[beside->count++] = name;
  return 0;
}

/* It went well: nothing of ours stays. */
static int finish(const struct beside *beside, int fd) {
  for (int i = 0; i < beside->count; i++) unlink(beside->links[i]);
  struct stat status;
  if (beside->keeps && fstat(fd, &status) == 0 && status.st_size > 0) return 1;
  return unlink(beside->mark) == 0;
}

/* Lets another one do it, and takes the mark away where that went well. */
static int watch(const struct beside *beside, const char *program, char **argv) {
  int fd = open_theirs(beside->mark), status;
  if (fd < 0 || ftruncate(fd, 0) < 0 || fsync(fd) < 0) return step_failed("mark", beside->mark);
  pid_t pid = fork();
  if (pid < 0) return step_failed("fork", "");
  if (pid == 0) {
    note("started");
    if (beside->keeps) setenv("AMUX_DONE", beside->mark, 1);
    execv(program, argv);
    _exit(step_failed("exec", program));
  }
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) { /* again */ }
  if (status == 0 && finish(beside, fd)) note("ended"); /* an engine takes its time to say so */
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* One line of standard input, and nothing of what is behind it. False where it ends instead. */
static int is_called(void) {
  char letter;
  ssize_t length;
  do length = read(0, &letter, 1);
  while ((length < 0 && errno == EINTR) || (length == 1 && letter != '\n'));
  return length == 1;
}

/* amux-init beside [wait] [lock FILE] [mark|done FILE] [link NAME TARGET]… -- ARGV. `wait`: until it is called. */
int beside_command(char **word) {
  struct beside beside = {0};
  for (; *word && strcmp(*word, "--") != 0; word++) {
    if (strcmp(*word, "wait") == 0) {
      note("waiting");
      if (!is_called()) return 0;
      continue;
    }
    if ((strcmp(*word, "mark") == 0 || strcmp(*word, "done") == 0) && word[1]) {
      beside.keeps = **word == 'd';
      beside.mark = *++word;
      continue;
    }
    if (strcmp(*word, "lock") == 0 && word[1]) {
      int fd = lock_as(*++word, LOCK_EX);
      if (fd < 0) return step_failed(errno == EWOULDBLOCK ? "busy" : "lock", *word);
      fcntl(fd, F_SETFD, 0);
    } else if (strcmp(*word, "link") == 0 && word[1] && word[2]) {
      if (link_as(&beside, word[1], word[2]) < 0) return step_failed("link", word[1]);
      word += 2;
    } else return errno = EINVAL, step_failed("word", *word);
  }
  if (!*word || !word[1]) return errno = EINVAL, step_failed("word", "");
  char **argv = word + 1, *program = found(argv[0]);
  if (!program) return step_failed("exec", argv[0]);
  if (beside.mark) return watch(&beside, program, argv);
  note("started");
  execv(program, argv);
  /* It is there, and what it takes to run it is not: its interpreter, its loader. Who asked takes what comes now for its own words. */
  int error = errno;
  note("%s: %s", argv[0], error == ENOENT ? "what it takes to run it is not there" : strerror(error));
  return error == ENOENT ? 127 : 126;
}

static int is_marked(pid_t pid, const char *mark) {
  static char text[1 << 20];
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  size_t length = 0;
  for (ssize_t n; length < sizeof text - 1 && (n = read(fd, text + length, sizeof text - 1 - length)) > 0;) length += (size_t)n;
  close(fd);
  text[length] = 0;
  for (size_t at = 0; at < length; at += strlen(text + at) + 1)
    if (strcmp(text + at, mark) == 0) return 1;
  return 0;
}

/* To every process that was started with that in its environment: an engine has no signal for what it executes. */
int signal_command(const char *mark, const char *number) {
  DIR *proc = opendir("/proc");
  if (!proc) return 1;
  for (struct dirent *entry; (entry = readdir(proc));) {
    pid_t pid = atoi(entry->d_name);
    if (pid > 1 && pid != getpid() && is_marked(pid, mark)) kill(pid, atoi(number));
  }
  closedir(proc);
  return 0;
}
