#include "net.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

bool enter_directory(const char *dir) {
  umask(077);
  if (mkdir(dir, 0700) != 0 && errno != EEXIST) return false;
  return chdir(dir) == 0;
}

bool write_new_policy(const char *text, size_t length) {
  unlink("policy.new");
  int fd = open("policy.new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return false;
  bool done = write_all(fd, text, length) && fsync(fd) == 0;
  int error = errno;
  close(fd);
  if (!done) unlink("policy.new");
  errno = error;
  return done;
}

bool keep_new_policy(void) {
  if (rename("policy.new", "policy") != 0) return false;
  int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return true;
  fsync(fd);
  close(fd);
  return true;
}

char *read_file(const char *name, size_t *length) {
  int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return NULL;
  char *text = read_all(fd, length);
  int error = errno;
  close(fd);
  errno = error;
  return text;
}
