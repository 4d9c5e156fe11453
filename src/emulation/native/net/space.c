#include "net.h"
#include "netlink.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_PORT = 47053, PORTS = 200, NFT_SECONDS = 20 };

static int open_namespace(pid_t pid, const char *name) {
  char path[64];
  struct stat own, other;
  snprintf(path, sizeof path, "/proc/self/ns/%s", name);
  if (stat(path, &own) != 0) return -1;
  snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)pid, name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &other) != 0) return -1;
  if (own.st_ino != other.st_ino || own.st_dev != other.st_dev) return fd;
  close(fd);
  errno = 0;
  return -1;
}

bool open_space(pid_t pid, struct space *space) {
  space->user = open_namespace(pid, "user");
  if (space->user < 0 && errno != 0) return false;
  space->net = open_namespace(pid, "net");
  /* A fence around the host's own network is never what was meant. */
  if (space->net < 0 && errno == 0) errno = EINVAL;
  return space->net >= 0;
}

bool enter_space(const struct space *space) {
  return (space->user < 0 || setns(space->user, CLONE_NEWUSER) == 0) && setns(space->net, CLONE_NEWNET) == 0;
}

static int loopback(bool six, int type, int port) {
  int fd = socket(six ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
  if (fd < 0) return -1;
  struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  if (six) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (type == SOCK_STREAM) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  bool bound = six ? bind(fd, (struct sockaddr *)&in6, sizeof in6) == 0 : bind(fd, (struct sockaddr *)&in4, sizeof in4) == 0;
  if (bound && (type != SOCK_STREAM || listen(fd, 128) == 0)) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

/* There may be no IPv6. */
static bool absent(int error) {
  return error == EADDRNOTAVAIL || error == EAFNOSUPPORT;
}

/* The same port for all four, and the same one again after a restart: flows of before go on. */
static bool listen_somewhere(struct sockets *sockets) {
  for (int port = FIRST_PORT; port < FIRST_PORT + PORTS; port++) {
    bool free_ = true;
    for (int six = 0; six < 2 && free_; six++) {
      sockets->udp[six] = loopback(six, SOCK_DGRAM, port);
      sockets->tcp[six] = sockets->udp[six] < 0 ? -1 : loopback(six, SOCK_STREAM, port);
      free_ = sockets->tcp[six] >= 0 || (six && sockets->udp[six] < 0 && absent(errno));
    }
    sockets->port = port;
    if (free_) return true;
    int error = errno;
    for (int six = 0; six < 2; six++) close(sockets->udp[six]), close(sockets->tcp[six]), sockets->udp[six] = sockets->tcp[six] = -1;
    errno = error;
    if (errno != EADDRINUSE) return false;
  }
  return false;
}

static int netlink(int protocol) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), large = 8 << 20;
  if (fd < 0) return -1;
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &large, sizeof large) != 0) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &large, sizeof large);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof large) != 0) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
  struct timeval limit = {.tv_sec = 2};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return fd;
}

static bool make_here(const uint16_t *host_ports, int count, struct sockets *sockets) {
  if (!listen_somewhere(sockets)) return false;
  for (int i = 0; i < count; i++)
    for (int six = 0; six < 2; six++) {
      sockets->host[i][six] = loopback(six, SOCK_STREAM, host_ports[i]);
      if (sockets->host[i][six] < 0 && !(six && absent(errno))) return false;
    }
  sockets->nft = netlink(NL_NETFILTER), sockets->nflog = netlink(NL_NETFILTER);
  sockets->diag = netlink(NL_SOCK_DIAG), sockets->route = netlink(NL_ROUTE);
  return sockets->nft >= 0 && sockets->nflog >= 0 && sockets->route >= 0;
}

/* Every descriptor in a fixed order: for sending, and for putting what arrived in its place. */
static int slots(struct sockets *sockets, int count, int **slot) {
  int n = 0;
  for (int six = 0; six < 2; six++) slot[n++] = &sockets->udp[six], slot[n++] = &sockets->tcp[six];
  slot[n++] = &sockets->nft, slot[n++] = &sockets->nflog, slot[n++] = &sockets->diag, slot[n++] = &sockets->route;
  for (int i = 0; i < count; i++) slot[n++] = &sockets->host[i][0], slot[n++] = &sockets->host[i][1];
  return n;
}

enum { SLOTS = 8 + 2 * MAX_HOST_PORTS };
struct offer {
  int error, port;
  bool there[SLOTS];
};

static _Noreturn void offer(const struct space *space, const uint16_t *host_ports, int count, int to) {
  struct sockets sockets;
  struct offer head = {.error = 0};
  int *slot[SLOTS], fds[SLOTS], sent = 0, n = slots(&sockets, count, slot);
  for (int i = 0; i < n; i++) *slot[i] = -1;
  if (!enter_space(space) || !make_here(host_ports, count, &sockets)) head.error = errno ? errno : EIO;
  head.port = sockets.port;
  for (int i = 0; i < n; i++)
    if ((head.there[i] = *slot[i] >= 0)) fds[sent++] = *slot[i];
  char control[CMSG_SPACE(sizeof fds)] = {0};
  struct iovec data = {&head, sizeof head};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
  if (sent > 0 && head.error == 0) {
    message.msg_control = control, message.msg_controllen = CMSG_SPACE((size_t)sent * sizeof *fds);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET, header->cmsg_type = SCM_RIGHTS, header->cmsg_len = CMSG_LEN((size_t)sent * sizeof *fds);
    memcpy(CMSG_DATA(header), fds, (size_t)sent * sizeof *fds);
  }
  _exit(sendmsg(to, &message, 0) == sizeof head ? 0 : 1);
}

static bool take(int from, int count, struct sockets *sockets) {
  struct offer head;
  int *slot[SLOTS], n = slots(sockets, count, slot), fds[SLOTS];
  char control[CMSG_SPACE(sizeof fds)];
  struct iovec data = {&head, sizeof head};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t got = recvmsg(from, &message, MSG_CMSG_CLOEXEC);
  if (got != sizeof head) return errno = got < 0 ? errno : EIO, false;
  if (head.error) return errno = head.error, false;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (!header || header->cmsg_type != SCM_RIGHTS) return errno = EIO, false;
  memcpy(fds, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
  sockets->port = head.port;
  for (int i = 0, at = 0; i < n; i++) *slot[i] = head.there[i] ? fds[at++] : -1;
  return true;
}

bool make_sockets(const struct space *space, const uint16_t *host_ports, int count, struct sockets *sockets) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return false;
  pid_t pid = fork();
  if (pid == 0) offer(space, host_ports, count, pair[1]);
  close(pair[1]);
  bool done = pid > 0 && take(pair[0], count, sockets);
  int error = errno;
  close(pair[0]);
  if (pid > 0) waitpid(pid, NULL, 0);
  errno = error;
  return done;
}

bool find_nft(char *path, size_t room) {
  const char *list = getenv("PATH");
  char all[8192];
  snprintf(all, sizeof all, "%s:/usr/sbin:/sbin:/usr/local/sbin", list ? list : "");
  for (char *at = strtok(all, ":"); at; at = strtok(NULL, ":")) {
    snprintf(path, room, "%s/nft", at);
    if (*at == '/' && access(path, X_OK) == 0) return true;
  }
  return false;
}

/* Where our uid is not 0 inside, exec would take the capability away. */
static void keep_net_admin(void) {
  struct {
    uint32_t version;
    int pid;
  } header = {0x20080522, 0};
  uint32_t data[6] = {0};
  enum { NET_ADMIN = 12 };
  if (syscall(SYS_capget, &header, data) != 0) return;
  data[2] |= 1u << NET_ADMIN;
  syscall(SYS_capset, &header, data);
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, NET_ADMIN, 0, 0);
}

static _Noreturn void execute_nft(const struct space *space, const char *path, int text_fd, int answers) {
  char *argv[] = {"nft", "-f", "-", NULL}, *envp[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL};
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!enter_space(space)) say(answers, "cannot enter the network: %s", strerror(errno)), _exit(1);
  keep_net_admin();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int input = dup(text_fd);
  lseek(input, 0, SEEK_SET);
  dup2(input, 0), dup2(answers, 1), dup2(answers, 2);
  execve(path, argv, envp);
  say(2, "cannot run %s: %s", path, strerror(errno));
  _exit(1);
}

static long long milliseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

/* One line of what it said. False: it, or what it left behind, does not come to an end. */
static bool first_line(int fd, char *why, size_t room) {
  long long give = milliseconds() + NFT_SECONDS * 1000;
  size_t have = 0;
  bool over = false;
  while (!over && have < room - 1) {
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    long long left = give - milliseconds();
    if (left <= 0 || poll(&readable, 1, (int)left) == 0) break;
    ssize_t got = read(fd, why + have, room - 1 - have);
    over = got <= 0;
    if (got > 0) have += (size_t)got;
  }
  why[have] = 0;
  why[strcspn(why, "\n")] = 0;
  for (char *at = why; *at; at++)
    if ((unsigned char)*at < 0x20) *at = ' ';
  return over || have == room - 1;
}

int run_nft(const struct space *space, int text_fd, char *why, size_t room) {
  char path[4096];
  int answers[2], status = 0;
  snprintf(why, room, "nft is not on this machine");
  if (!find_nft(path, sizeof path)) return ENOENT;
  if (pipe2(answers, O_CLOEXEC) != 0) return errno;
  pid_t pid = fork();
  if (pid == 0) execute_nft(space, path, text_fd, answers[1]);
  close(answers[1]);
  if (pid < 0) return close(answers[0]), EAGAIN;
  if (!first_line(answers[0], why, room)) kill(pid, SIGKILL);
  close(answers[0]);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;
  if (!*why) snprintf(why, room, "nft ended with status %d", status);
  return EPROTO;
}
