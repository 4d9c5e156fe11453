/* Small things without a home of their own. */
#include "amux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void say(const char *format, va_list args) {
  char line[1024];
  int length = vsnprintf(line, sizeof line - 1, format, args);
  if (length < 0) return;
  if ((size_t)length > sizeof line - 2) length = sizeof line - 2;
  line[length++] = '\n';
  write_all(2, line, (size_t)length);
}

void note(const char *format, ...) {
  va_list args;
  va_start(args, format);
  say(format, args);
  va_end(args);
}

void die(const char *format, ...) {
  va_list args;
  va_start(args, format);
  say(format, args);
  va_end(args);
  _exit(1);
}

int step_failed(const char *step, const char *subject) {
  int error = errno;
  note("error\t%d\t%s\t%s\t%s", error, step, subject, strerror(error));
  return BUSY;
}

int64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t now_ms(void) { return now_us() / 1000; }

int write_all(int fd, const void *data, size_t length) {
  const char *from = data;
  while (length > 0) {
    ssize_t n = write(fd, from, length);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return -1;
    from += n;
    length -= (size_t)n;
  }
  return 0;
}

/* For kernels without close_range: what /proc lists, else every number there can be. */
static void close_listed(int first) {
  DIR *dir = opendir("/proc/self/fd");
  if (dir) {
    struct dirent *entry;
    while ((entry = readdir(dir))) {
      int fd = atoi(entry->d_name);
      if (fd >= first && fd != dirfd(dir)) close(fd);
    }
    closedir(dir);
    return;
  }
  struct rlimit limit = {0};
  getrlimit(RLIMIT_NOFILE, &limit);
  int last = limit.rlim_cur < 65536 ? (int)limit.rlim_cur : 65536;
  for (int fd = first; fd < last; fd++) close(fd);
}

void close_from(int first) {
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
  if (syscall(SYS_close_range, (unsigned)first, ~0u, 0u) == 0) return;
  close_listed(first);
}

void *grow(void *block, size_t size) {
  void *grown = realloc(block, size);
  if (!grown) die("amux-init: out of memory");
  return grown;
}

char *copy_of(const char *string) {
  size_t size = strlen(string) + 1;
  return memcpy(grow(NULL, size), string, size);
}

void raise_file_limit(void) {
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) < 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

char *path_of(const char *directory, const char *name) {
  size_t a = strlen(directory), b = strlen(name);
  char *path = grow(NULL, a + b + 2);
  memcpy(path, directory, a);
  path[a] = '/';
  memcpy(path + a + 1, name, b + 1);
  return path;
}

void reset_signals(void) {
  struct sigaction action = {.sa_handler = SIG_DFL};
  for (int signal = 1; signal < 65; signal++) sigaction(signal, &action, NULL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

void set_nonblocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

void write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return;
  write_all(fd, text, strlen(text));
  close(fd);
}

char *read_all(int fd, size_t *length) {
  char *text = NULL;
  ssize_t n;
  *length = 0;
  do {
    text = grow(text, *length + 65537);
    n = read(fd, text + *length, 65536);
    if (n > 0) *length += (size_t)n;
  } while (n > 0 || (n < 0 && errno == EINTR));
  text[*length] = 0;
  if (n == 0) return text;
  free(text);
  return NULL;
}

char *read_whole(const char *path, size_t *length) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return NULL;
  char *text = read_all(fd, length);
  int error = errno;
  close(fd);
  errno = error;
  return text;
}

void put32(uint8_t *p, uint32_t value) {
  for (int i = 3; i >= 0; i--, value >>= 8) p[i] = (uint8_t)value;
}

void put64(uint8_t *p, uint64_t value) {
  put32(p, (uint32_t)(value >> 32));
  put32(p + 4, (uint32_t)value);
}
