/* The last steps of a new process. Whatever fails is told to the holder: the step and the system's error. */
#include "amux.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define REPORT 3

static void fail(uint8_t stage, int error) __attribute__((noreturn));
static void fail(uint8_t stage, int error) {
  struct failure failure = {stage, error};
  write_all(REPORT, &failure, sizeof failure);
  _exit(127);
}

static void become(const struct request *request) {
  if (!request->has_user || geteuid() != 0) return;
  /* Some user namespaces allow no change of groups; staying who we are needs none. */
  int stays = geteuid() == request->uid && getegid() == request->gid;
  if (setgroups((size_t)request->group_count, request->groups) < 0 && !(stays && errno == EPERM)) fail(S_USER, errno);
  if (setgid(request->gid) < 0 || setuid(request->uid) < 0) fail(S_USER, errno);
}

/* A program that is there and yet "not found" lacks its interpreter or loader. */
static void try_exec(const char *path, const struct request *request) {
  execve(path, request->argv, request->env);
  if (errno != ENOENT) return;
  struct stat found;
  if (stat(path, &found) == 0) fail(S_INTERPRETER, ENOENT);
  errno = ENOENT;
}

static const char *search_path(const struct request *request) {
  for (int i = 0; i < request->envc; i++)
    if (strncmp(request->env[i], "PATH=", 5) == 0) return request->env[i] + 5;
  return "/usr/local/bin:/usr/bin:/bin";
}

/* As a shell does it, but without handing files in no known format to a shell. */
static int search(const char *name, const struct request *request) {
  int error = ENOENT;
  for (const char *from = search_path(request);; from++) {
    size_t length = strcspn(from, ":");
    char *directory = length ? strndup(from, length) : strdup(".");
    if (!directory) fail(S_EXEC, ENOMEM);
    char *path = path_of(directory, name);
    try_exec(path, request);
    struct stat found;
    int is_directory = errno == EACCES && stat(path, &found) == 0 && S_ISDIR(found.st_mode);
    if (errno == EACCES && !is_directory) error = EACCES;
    else if (!is_directory && errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG && errno != ELOOP) return errno;
    free(directory);
    free(path);
    from += length;
    if (*from == 0) return error;
  }
}

void exec_program(const struct request *request, const struct stdio *io, int report) {
  setsid();
  if (request->tty && ioctl(io->child[0], TIOCSCTTY, 0) < 0) fail(S_SETUP, errno);
  for (int fd = 0; fd < 3; fd++) dup2(io->child[fd], fd);
  if (report != REPORT) dup3(report, REPORT, O_CLOEXEC);
  close_from(REPORT + 1);
  reset_signals();
  umask(022);
  become(request);
  if (request->cwd && chdir(request->cwd) < 0) fail(S_CWD, errno);
  const char *name = request->argv[0];
  if (*name == 0) fail(S_EXEC, ENOENT);
  if (!strchr(name, '/')) fail(S_EXEC, search(name, request));
  try_exec(name, request);
  fail(S_EXEC, errno);
}
