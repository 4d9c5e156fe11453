/* Packets that were refused: the kernel tells the first bytes of each. */
#include "net.h"
#include "netlink.h"
#include <arpa/inet.h>
#include <string.h>
#include <sys/epoll.h>

enum { GROUP = 1, COPIED = 96 };

static struct source source;

static const char *protocol_name(int protocol) {
  static char text[8];
  static const struct {
    int number;
    const char *name;
  } known[] = {{1, "icmp"}, {2, "igmp"}, {6, "tcp"}, {17, "udp"}, {33, "dccp"}, {47, "gre"}, {58, "icmpv6"}, {132, "sctp"}, {136, "udplite"}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (known[i].number == protocol) return known[i].name;
  snprintf(text, sizeof text, "%d", protocol);
  return text;
}

static bool has_ports(int protocol) {
  return protocol == 6 || protocol == 17 || protocol == 33 || protocol == 132 || protocol == 136;
}

static void read_packet(const uint8_t *packet, size_t length) {
  bool six = length >= 40 && packet[0] >> 4 == 6;
  if (!six && (length < 20 || packet[0] >> 4 != 4)) return;
  int protocol = six ? packet[6] : packet[9];
  size_t header = six ? 40 : (size_t)(packet[0] & 15) * 4;
  struct address address = address_of(packet + (six ? 24 : 16), six);
  int port = has_ports(protocol) && length >= header + 4 ? packet[header + 2] << 8 | packet[header + 3] : 0;
  note("connect", NULL, &address, port, protocol_name(protocol), "no allowed name has this address");
}

static void on_packets(struct source *source_, uint32_t events) {
  static uint8_t buffer[65536];
  (void)events;
  for (int i = 0; i < 64; i++) {
    ssize_t got = recv(source_->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got <= 0) return;
    for (size_t at = 0; at + sizeof(struct nl_header) <= (size_t)got;) {
      const struct nl_header *header = (const void *)(buffer + at);
      size_t skip = sizeof *header + sizeof(struct nf_message);
      if (header->length < skip || at + header->length > (size_t)got) break;
      if (header->type == NFLOG_PACKET)
        EACH_ATTRIBUTE(field, buffer + at + skip, header->length - skip)
          if (ATTRIBUTE_TYPE(field) == NFLOG_PAYLOAD) read_packet(ATTRIBUTE_DATA(field), ATTRIBUTE_SIZE(field));
      at += NL_ALIGN(header->length);
    }
  }
}

static int configure(int type, const void *data, size_t length) {
  struct {
    struct nl_header header;
    struct nf_message nf;
    struct nl_attribute attribute;
    uint8_t data[8];
  } request = {.header = {.type = NFLOG_CONFIG, .flags = NL_REQUEST}, .nf = {.resource = htons(GROUP)}};
  request.attribute = (struct nl_attribute){.length = (uint16_t)(sizeof request.attribute + length), .type = (uint16_t)type};
  memcpy(request.data, data, length);
  request.header.length = (uint32_t)(sizeof request - sizeof request.data + NL_ALIGN(length));
  return netlink_ask(serve.sockets.nflog, &request, request.header.length);
}

void listen_packets(void) {
  static const uint8_t bind = 1, mode[] = {0, 0, 0, COPIED, 2, 0}, at_once[] = {0, 0, 0, 1};
  /* Bound already when a worker before this one did. Without it there is no log of packets, and a fence all the same. */
  configure(NFLOG_COMMAND, &bind, 1);
  if (configure(NFLOG_MODE, mode, sizeof mode) != 0) return;
  configure(NFLOG_THRESHOLD, at_once, sizeof at_once);
  loop_add(&source, serve.sockets.nflog, EPOLLIN, on_packets);
}
