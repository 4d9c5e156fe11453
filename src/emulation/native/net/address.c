#include "net.h"
#include "netlink.h"
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

struct address address_of(const void *bytes, bool six) {
  struct address address = {.six = six};
  memcpy(address.bytes, bytes, six ? 16 : 4);
  if (!six || memcmp(bytes, mapped, sizeof mapped) != 0) return address;
  return address_of((const uint8_t *)bytes + 12, false);
}

bool same_address(const struct address *a, const struct address *b) {
  return a->six == b->six && memcmp(a->bytes, b->bytes, a->six ? 16 : 4) == 0;
}

const char *address_text(const struct address *address) {
  static char text[INET6_ADDRSTRLEN];
  return inet_ntop(address->six ? AF_INET6 : AF_INET, address->bytes, text, sizeof text);
}

struct range {
  uint8_t bytes[16];
  int bits;
};

static const struct range ranges4[] = {
    {{0}, 8}, {{10}, 8}, {{100, 64}, 10}, {{127}, 8}, {{169, 254}, 16}, {{172, 16}, 12}, {{192, 168}, 16}, {{224}, 4}, {{240}, 4},
};
static const struct range ranges6[] = {
    {{0}, 128}, {{[15] = 1}, 128}, {{0xfc}, 7}, {{0xfe, 0x80}, 10}, {{0xff}, 8},
};

static bool within(const uint8_t *bytes, const struct range *range) {
  int whole = range->bits / 8, rest = range->bits % 8;
  if (memcmp(bytes, range->bytes, (size_t)whole) != 0) return false;
  return rest == 0 || ((bytes[whole] ^ range->bytes[whole]) & (0xff << (8 - rest)) & 0xff) == 0;
}

static bool special4(const uint8_t *bytes) {
  for (size_t i = 0; i < sizeof ranges4 / sizeof *ranges4; i++)
    if (within(bytes, &ranges4[i])) return true;
  return false;
}

/* Those that carry a v4 address end, or would end, there. */
static bool special6(const uint8_t *bytes) {
  static const struct range nat64 = {{0x00, 0x64, 0xff, 0x9b}, 96}, six_to_four = {{0x20, 0x02}, 16}, compatible = {{0}, 96};
  for (size_t i = 0; i < sizeof ranges6 / sizeof *ranges6; i++)
    if (within(bytes, &ranges6[i])) return true;
  if (within(bytes, &nat64) || within(bytes, &compatible)) return special4(bytes + 12);
  return within(bytes, &six_to_four) && special4(bytes + 2);
}

static struct address *host;
static size_t host_count;
static bool host_stale = true;
static struct source changes = {.fd = -1};

static void on_change(struct source *source, uint32_t events) {
  char waste[4096];
  (void)events;
  while (recv(source->fd, waste, sizeof waste, MSG_DONTWAIT) >= 0 || errno == ENOBUFS) errno = 0;
  host_stale = true;
  reconsider();
}

void watch_host(void) {
  struct nl_address address = {.family = AF_NETLINK, .groups = GROUP_ADDR4 | GROUP_ADDR6};
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NL_ROUTE);
  if (fd >= 0 && (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || !loop_add(&changes, fd, EPOLLIN, on_change))) changes.fd = -1, close(fd);
}

/* A change is in the socket before anyone can have used it. Looked at once a millisecond. */
static bool host_changed(void) {
  static uint64_t looked;
  char byte;
  if (host_stale || changes.fd < 0) return true;
  if (looked == now()) return false;
  looked = now();
  return recv(changes.fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) >= 0 || errno == ENOBUFS;
}

static void list_host(void) {
  struct ifaddrs *list;
  host_stale = getifaddrs(&list) != 0;
  if (host_stale) return;
  size_t count = 0;
  for (struct ifaddrs *at = list; at; at = at->ifa_next) count++;
  free(host);
  host = calloc(count + 1, sizeof *host), host_count = 0;
  for (struct ifaddrs *at = list; at && host; at = at->ifa_next) {
    if (at->ifa_addr && at->ifa_addr->sa_family == AF_INET) host[host_count++] = address_of(&((struct sockaddr_in *)at->ifa_addr)->sin_addr, false);
    if (at->ifa_addr && at->ifa_addr->sa_family == AF_INET6) host[host_count++] = address_of(&((struct sockaddr_in6 *)at->ifa_addr)->sin6_addr, true);
  }
  freeifaddrs(list);
}

bool off_limits(const struct address *address) {
  if (address->six ? special6(address->bytes) : special4(address->bytes)) return true;
  if (host_changed()) list_host();
  if (host_stale || !host) return true;
  for (size_t i = 0; i < host_count; i++)
    if (same_address(&host[i], address)) return true;
  return false;
}
