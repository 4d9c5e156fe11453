/* Connections that are over by a new policy: destroyed, so that both programs and people learn of it at once. */
#include "net.h"
#include "netlink.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { TCP = 6, ESTABLISHED = 1, TIME_WAIT = 6, CLOSE = 7, LISTEN = 10, DNS = 53 };

static struct diag_message *list, *before;
static size_t count, room, before_count;
static uint8_t listening[8192];
static struct address own[256];
static int own_count;

static void collect(const uint8_t *message, size_t length) {
  if (length < sizeof(struct nl_header) + sizeof *list) return;
  if (count == room) {
    struct diag_message *more = realloc(list, (room ? room * 2 : 256) * sizeof *list);
    if (!more) return;
    list = more, room = room ? room * 2 : 256;
  }
  memcpy(&list[count++], message + sizeof(struct nl_header), sizeof *list);
}

static void dump(uint32_t states) {
  static const uint8_t families[] = {AF_INET, AF_INET6};
  int error;
  count = 0;
  for (int i = 0; i < 2; i++) {
    struct {
      struct nl_header header;
      struct diag_request request;
    } ask = {.header = {.length = sizeof ask, .type = DIAG_BY_FAMILY, .flags = NL_REQUEST | NL_DUMP}, .request = {.family = families[i], .protocol = TCP, .states = states}};
    if (serve.sockets.diag >= 0) netlink_dump(serve.sockets.diag, &ask, sizeof ask, &error, collect);
  }
}

static void collect_own(const uint8_t *message, size_t length) {
  const struct nl_header *header = (const void *)message;
  size_t skip = sizeof *header + sizeof(struct route_address);
  if (header->type != ROUTE_NEWADDR || length < skip) return;
  bool six = ((const struct route_address *)(message + sizeof *header))->family == AF_INET6;
  EACH_ATTRIBUTE(at, message + skip, length - skip)
    if ((ATTRIBUTE_TYPE(at) == ADDRESS_ADDRESS || ATTRIBUTE_TYPE(at) == ADDRESS_LOCAL) && ATTRIBUTE_SIZE(at) == (six ? 16 : 4) && own_count < 256)
      own[own_count++] = address_of(ATTRIBUTE_DATA(at), six);
}

static void learn_own(void) {
  struct {
    struct nl_header header;
    struct route_address address;
  } ask = {.header = {.length = sizeof ask, .type = ROUTE_GETADDR, .flags = NL_REQUEST | NL_DUMP}};
  int error;
  own_count = 0;
  netlink_dump(serve.sockets.route, &ask, sizeof ask, &error, collect_own);
}

static bool is_own(const struct address *address) {
  static const struct address loopback6 = {.six = true, .bytes = {[15] = 1}};
  if (!address->six && address->bytes[0] == 127) return true;
  if (same_address(address, &loopback6)) return true;
  for (int i = 0; i < own_count; i++)
    if (same_address(address, &own[i])) return true;
  return false;
}

static struct address peer_of(const struct diag_message *socket_) {
  return address_of(socket_->id.destination, socket_->family == AF_INET6);
}

static bool destroy(const struct diag_message *socket_) {
  struct {
    struct nl_header header;
    struct diag_request request;
  } ask = {.header = {.length = sizeof ask, .type = DIAG_DESTROY, .flags = NL_REQUEST}, .request = {.family = socket_->family, .protocol = TCP, .states = ~0u, .id = socket_->id}};
  return netlink_ask(serve.sockets.diag, &ask, sizeof ask) == 0;
}

/* A port that listens is where connections come in; those are the packet filter's to judge, which saw them begin. */
static bool comes_in(const struct diag_message *socket_) {
  uint16_t port = ntohs(socket_->id.sport);
  return listening[port / 8] >> port % 8 & 1;
}

static void dump_connections(void) {
  dump(~0u & ~(1u << LISTEN | 1u << CLOSE | 1u << TIME_WAIT));
}

static void forget_list(struct diag_message **which) {
  free(*which);
  *which = NULL;
}

static int by_cookie(const void *a, const void *b) {
  return memcmp(((const struct diag_message *)a)->id.cookie, ((const struct diag_message *)b)->id.cookie, sizeof(uint32_t[2]));
}

/* One that sends at the very moment is reset by the packet filter before it can be found: it was cut all the same. */
void note_connections(void) {
  dump_connections();
  forget_list(&before);
  before = list, before_count = count;
  list = NULL, count = room = 0;
  if (before) qsort(before, before_count, sizeof *before, by_cookie);
}

static bool is_over(const struct diag_message *socket_, bool fenced) {
  struct address peer = peer_of(socket_);
  uint16_t port = ntohs(socket_->id.dport);
  if (port == 0 || is_own(&peer) || is_known(&peer)) return false;
  return !fenced || (port != DNS && !comes_in(socket_));
}

/* One that its program has closed already is nobody's loss. 1 when it counts. */
static int note_cut(const struct diag_message *socket_) {
  if (socket_->inode == 0) return 0;
  struct address peer = peer_of(socket_);
  note("cut", NULL, &peer, ntohs(socket_->id.dport), "tcp", "the policy does not allow it any more");
  return 1;
}

int cut_connections(bool fenced) {
  int cut = 0;
  memset(listening, 0, sizeof listening);
  dump(1u << LISTEN);
  for (size_t i = 0; i < count; i++) listening[ntohs(list[i].id.sport) / 8] |= (uint8_t)(1 << ntohs(list[i].id.sport) % 8);
  learn_own();
  for (size_t i = 0; i < before_count; i++)
    if (is_over(&before[i], fenced)) cut += note_cut(&before[i]);
  dump_connections();
  for (size_t i = 0; i < count; i++) {
    if (!is_over(&list[i], fenced) || !destroy(&list[i])) continue;
    if (before && bsearch(&list[i], before, before_count, sizeof *before, by_cookie)) continue;
    cut += note_cut(&list[i]);
  }
  forget_list(&list), forget_list(&before);
  room = count = before_count = 0;
  return cut;
}

void each_peer(void (*each)(const struct address *)) {
  dump_connections();
  for (size_t i = 0; i < count; i++) {
    struct address peer = peer_of(&list[i]);
    each(&peer);
  }
}
