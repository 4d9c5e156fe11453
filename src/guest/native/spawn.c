/* Makes the streams and the process, and learns exactly why when it cannot. */
#include "amux.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void close_ends(int *ends) {
  for (int i = 0; i < 3; i++)
    if (ends[i] >= 0 && (i == 0 || ends[i] != ends[0])) close(ends[i]);
}

/* Programs may open /dev/stdout anew, which only the pipe's owner can. */
static int pipe_for(const struct request *request, struct stdio *io, int index, int size) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return -1;
  int input = index == 0;
  io->child[index] = ends[!input];
  io->holder[index] = ends[input];
  set_nonblocking(io->holder[index]);
  if (request->has_user && fchown(ends[0], request->uid, request->gid)) { /* it still reads and writes */ }
  if (size) fcntl(ends[0], F_SETPIPE_SZ, size);
  return 0;
}

static int pipes_open(const struct request *request, struct stdio *io) {
  /* Large pipes of an ordinary user count against a limit that shrinks all later ones. */
  int root = geteuid() == 0;
  if (request->no_stdin) {
    io->child[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (io->child[0] < 0) return -1;
  } else if (pipe_for(request, io, 0, root ? 1 << 18 : 0) < 0) {
    return -1;
  }
  return pipe_for(request, io, 1, root ? 1 << 20 : 1 << 18) < 0 || pipe_for(request, io, 2, 0) < 0 ? -1 : 0;
}

static pid_t launch(const struct request *request, struct stdio *io, struct failure *failure) {
  int report[2];
  if (pipe2(report, O_CLOEXEC) < 0) return *failure = (struct failure){S_SETUP, errno}, -1;
  pid_t pid = fork();
  if (pid == 0) exec_program(request, io, report[1]);
  int error = errno;
  close(report[1]);
  ssize_t told = 0;
  if (pid > 0) do told = read(report[0], failure, sizeof *failure); while (told < 0 && errno == EINTR);
  close(report[0]);
  if (pid < 0) return *failure = (struct failure){S_FORK, error}, -1;
  return told == sizeof *failure ? -1 : pid;
}

pid_t spawn(const struct request *request, struct stdio *io, struct failure *failure) {
  *io = (struct stdio){{-1, -1, -1}, {-1, -1, -1}};
  int made = request->tty ? pty_open(request, io) : pipes_open(request, io);
  pid_t pid = -1;
  if (made < 0) *failure = (struct failure){S_SETUP, errno};
  else pid = launch(request, io, failure);
  if (pid < 0) {
    close_ends(io->child);
    close_ends(io->holder);
    return -1;
  }
  /* Our end of a terminal's slave side stays open until the leader ends: a program that closes its own loses nothing. */
  if (!request->tty) close_ends(io->child);
  return pid;
}
