/* The worker: everything that reads what others wrote. */
#include "net.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

int load_rules(const char *text, char *why, size_t room) {
  int fd = memfd_create("rules", MFD_CLOEXEC);
  char command = 'n', control[CMSG_SPACE(sizeof fd)] = {0};
  struct {
    int error;
    char why[1024];
  } reply;
  struct iovec data = {&command, 1};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET, header->cmsg_type = SCM_RIGHTS, header->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  snprintf(why, room, "cannot reach nft");
  if (fd < 0 || !write_all(fd, text, strlen(text)) || sendmsg(serve.channel, &message, MSG_NOSIGNAL) != 1) return errno;
  close(fd);
  if (recv(serve.channel, &reply, sizeof reply, 0) != sizeof reply) _exit(1);
  snprintf(why, room, "%s", reply.why);
  return reply.error;
}

_Noreturn void be_worker(void) {
  struct failure failure;
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGTERM, SIG_DFL), signal(SIGINT, SIG_IGN);
  prctl(PR_SET_NAME, "amux-net-worker");
  give_up_power();
  open_events();
  watch_host();
  bar_loopback();
  if (!start_force(&failure)) {
    say(2, "error\t%d\t%s\t%s\t%s\n", failure.error, failure.step, strcmp(failure.step, "tool") == 0 ? "nft" : "", failure.text);
    _exit(strcmp(failure.step, "tool") == 0 ? TOOL_MISSING : 1);
  }
  listen_names();
  listen_packets();
  listen_control();
  listen_host_ports();
  if (send(serve.channel, "r", 1, MSG_NOSIGNAL) != 1) _exit(1);
  loop_run();
}
