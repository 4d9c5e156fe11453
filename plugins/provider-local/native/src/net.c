#include "box.h"
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool set(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  bool done = fd >= 0 && write_all(fd, text, strlen(text));
  if (fd >= 0) close(fd);
  return done;
}

void ease_network(void) {
  char own[32];
  snprintf(own, sizeof own, "%u %u", getgid(), getgid());
  set("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
  /* All groups, or the one that there is. */
  if (!set("/proc/sys/net/ipv4/ping_group_range", "0 2147483647")) set("/proc/sys/net/ipv4/ping_group_range", own);
}

bool raise_loopback(void) {
  struct ifreq request;
  memset(&request, 0, sizeof request);
  strcpy(request.ifr_name, "lo");
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  bool done = ioctl(fd, SIOCGIFFLAGS, &request) == 0;
  request.ifr_flags |= IFF_UP;
  done = done && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  close(fd);
  return done;
}
