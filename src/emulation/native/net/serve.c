/*
 * amux-net serve DIR --netns-of PID [--ready-fd N] [--exit-fd N] [--host-port P]… [--resolv FILE]
 *
 * The parent: it holds the lock and every socket, and starts the worker again whenever that ends. It reads nothing that
 * comes from the computer. What the worker cannot do itself, entering the computer's namespaces to run nft, it does.
 */
#include "net.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct serve serve;

struct options {
  const char *dir;
  long long pid, ready, exit;
};

static bool parse_options(int argc, char **argv, struct options *options) {
  long long port;
  *options = (struct options){.pid = -1, .ready = -1, .exit = -1};
  for (int i = 1; i < argc; i++) {
    const char *value = i + 1 < argc ? argv[i + 1] : NULL;
    if (argv[i][0] != '-') {
      if (options->dir) return false;
      options->dir = argv[i];
      continue;
    }
    if (!value) return false;
    if (strcmp(argv[i], "--netns-of") == 0 && parse_number(value, &options->pid) && options->pid > 0) i++;
    else if (strcmp(argv[i], "--ready-fd") == 0 && parse_number(value, &options->ready) && options->ready >= 0) i++;
    else if (strcmp(argv[i], "--exit-fd") == 0 && parse_number(value, &options->exit) && options->exit >= 0) i++;
    else if (strcmp(argv[i], "--resolv") == 0) serve.resolv = value, i++;
    else if (strcmp(argv[i], "--host-port") == 0 && parse_number(value, &port) && port > 0 && port < 65536 && serve.host_ports < MAX_HOST_PORTS) serve.host_port[serve.host_ports++] = (uint16_t)port, i++;
    else return false;
  }
  return options->dir && options->pid > 0;
}

static int fail(const char *step, const char *subject) {
  char safe[4096];
  int error = errno;
  escape_field(subject, safe, sizeof safe);
  say(2, "error\t%d\t%s\t%s\t%s\n", error, step, safe, strerror(error));
  return 1;
}

/* One that was killed is gone a moment after its lock should be. */
static bool take_lock(void) {
  serve.lock = open("lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (serve.lock < 0) return false;
  for (int tries = 0; flock(serve.lock, LOCK_EX | LOCK_NB) != 0; tries++) {
    if (errno != EWOULDBLOCK || tries == 200) return errno = errno == EWOULDBLOCK ? EBUSY : errno, false;
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
  }
  return true;
}

static bool open_control(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "control"};
  unlink("control");
  serve.control = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  return serve.control >= 0 && bind(serve.control, (struct sockaddr *)&address, sizeof address) == 0 && listen(serve.control, 64) == 0;
}

static pid_t start_worker(int *channel) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return -1;
  pid_t parent = getpid(), pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    close(pair[0]);
    serve.channel = pair[1];
    be_worker();
  }
  close(pair[1]);
  if (pid < 0) close(pair[0]);
  else *channel = pair[0];
  return pid;
}

/* `r`: ready. `n` and a descriptor: run nft on it. False: the worker is gone. */
static bool serve_worker(int channel, bool *ready) {
  char command = 0, control[CMSG_SPACE(sizeof(int))];
  struct iovec data = {&command, 1};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t got = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
  if (got < 0 && errno == EINTR) return true;
  if (got <= 0) return false;
  if (command == 'r') *ready = true;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (command != 'n' || !header || header->cmsg_type != SCM_RIGHTS) return true;
  struct {
    int error;
    char why[1024];
  } reply = {.error = 0};
  int text;
  memcpy(&text, CMSG_DATA(header), sizeof text);
  reply.error = run_nft(&serve.space, text, reply.why, sizeof reply.why);
  close(text);
  return send(channel, &reply, sizeof reply, MSG_NOSIGNAL) == sizeof reply;
}

/* A pipe whose writer is gone, or that says something. */
static bool has_ended(const struct pollfd *poll_) {
  char waste[64];
  if (!poll_->revents) return false;
  ssize_t got = poll_->revents & POLLIN ? read(poll_->fd, waste, sizeof waste) : 0;
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

static int supervise(const struct options *options, int signals) {
  bool was_ready = false;
  for (int wait = 0;;) {
    int channel = -1, status = 0;
    bool ready = false, stop = false;
    pid_t worker = start_worker(&channel);
    if (worker < 0) return fail("worker", "");
    for (bool lives = true; lives && !stop;) {
      struct pollfd polls[3] = {{.fd = channel, .events = POLLIN}, {.fd = signals, .events = POLLIN}, {.fd = (int)options->exit, .events = POLLIN}};
      if (poll(polls, 3, -1) < 0) continue;
      struct signalfd_siginfo signal_;
      if (polls[1].revents && read(signals, &signal_, sizeof signal_) == sizeof signal_ && signal_.ssi_signo != SIGCHLD) stop = true;
      if (has_ended(&polls[2])) stop = true;
      if (polls[0].revents) lives = serve_worker(channel, &ready);
      if (ready && !was_ready && options->ready >= 0) {
        write_all((int)options->ready, "ready\n", 6);
        close((int)options->ready);
      }
      if (ready) was_ready = true;
    }
    kill(worker, SIGKILL);
    while (waitpid(worker, &status, 0) < 0 && errno == EINTR) {}
    close(channel);
    if (stop) return 0;
    if (!was_ready) return WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : 1;
    /* One that worked is replaced at once. */
    wait = ready ? 0 : wait < 640 ? wait * 2 + 10 : 1000;
    nanosleep(&(struct timespec){.tv_sec = wait / 1000, .tv_nsec = wait % 1000 * 1000000L}, NULL);
  }
}

int serve_main(int argc, char **argv) {
  struct options options;
  if (!parse_options(argc, argv, &options)) return say(2, "usage: amux-net serve DIR --netns-of PID [--ready-fd N] [--exit-fd N] [--host-port P]… [--resolv FILE]\n"), 2;
  struct rlimit files = {.rlim_cur = 1024};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) files.rlim_cur = files.rlim_max, setrlimit(RLIMIT_NOFILE, &files);
  serve.files = files.rlim_cur < 1 << 20 ? (int)files.rlim_cur : 1 << 20;
  if (options.ready >= 0) fcntl((int)options.ready, F_SETFD, FD_CLOEXEC);
  if (options.exit >= 0) fcntl((int)options.exit, F_SETFD, FD_CLOEXEC), fcntl((int)options.exit, F_SETFL, O_NONBLOCK);
  char *resolv = serve.resolv ? realpath(serve.resolv, NULL) : NULL;
  serve.resolv = resolv ? resolv : serve.resolv ? serve.resolv : "/etc/resolv.conf";
  signal(SIGPIPE, SIG_IGN), signal(SIGHUP, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM), sigaddset(&set, SIGINT), sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set, NULL);
  int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (!enter_directory(options.dir)) return fail("directory", options.dir);
  if (!take_lock()) return fail("lock", "");
  if (!open_space((pid_t)options.pid, &serve.space)) return fail("namespace", "");
  if (!make_sockets(&serve.space, serve.host_port, serve.host_ports, &serve.sockets)) return fail("sockets", "");
  if (!open_control()) return fail("control", "");
  int status = supervise(&options, signals);
  unlink("control");
  return status;
}
