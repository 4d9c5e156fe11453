/* What the kernel's headers say; they do not go together with musl's. */
#ifndef NETLINK_H
#define NETLINK_H
#include <stdint.h>

struct nl_header {
  uint32_t length;
  uint16_t type, flags;
  uint32_t sequence, port;
};
struct nl_attribute {
  uint16_t length, type;
};
struct nf_message {
  uint8_t family, version;
  uint16_t resource;
};
struct nl_address {
  uint16_t family, pad;
  uint32_t port, groups;
};

enum { NL_ROUTE = 0, NL_SOCK_DIAG = 4, NL_NETFILTER = 12 };
enum { NL_REQUEST = 1, NL_ACK = 4, NL_CREATE = 0x400, NL_DUMP = 0x300, NL_ONLY_NEW = 0x200, NL_NESTED = 0x8000 };
enum { NL_ERROR = 2, NL_DONE = 3 };
enum { NL_EXT_ACK = 11, NL_SOL = 270 };

enum { NFT = 10 << 8, NFT_DELTABLE = NFT | 2, NFT_NEWSETELEM = NFT | 12, NFT_GETSETELEM = NFT | 13, NFT_DELSETELEM = NFT | 14 };
enum { NF_BATCH_BEGIN = 16, NF_BATCH_END = 17, NF_INET = 1, NF_SUBSYSTEM_NFT = 10 };
enum { ELEMENTS_TABLE = 1, ELEMENTS_SET, ELEMENTS_LIST, LIST_ELEMENT = 1 };
enum { ELEMENT_KEY = 1, ELEMENT_TIMEOUT = 4, ELEMENT_EXPIRATION = 5, ELEMENT_USERDATA = 6, DATA_VALUE = 1 };

enum { NFLOG_PACKET = 4 << 8 | 0, NFLOG_CONFIG = 4 << 8 | 1, NFLOG_COMMAND = 1, NFLOG_MODE = 2, NFLOG_THRESHOLD = 5, NFLOG_PAYLOAD = 9 };
enum { CONNTRACK_DELETE = 1 << 8 | 2 };

enum { DIAG_BY_FAMILY = 20, DIAG_DESTROY = 21 };
struct diag_id {
  uint16_t sport, dport;
  uint8_t source[16], destination[16];
  uint32_t interface, cookie[2];
};
struct diag_request {
  uint8_t family, protocol, extensions, pad;
  uint32_t states;
  struct diag_id id;
};
struct diag_message {
  uint8_t family, state, timer, retransmits;
  struct diag_id id;
  uint32_t expires, receive, send, uid, inode;
};

enum { ROUTE_NEWADDR = 20, ROUTE_GETADDR = 22, ADDRESS_ADDRESS = 1, ADDRESS_LOCAL = 2, GROUP_ADDR4 = 0x10, GROUP_ADDR6 = 0x100 };
enum { ROUTE_NEWROUTE = 24, ROUTE_NEWRULE = 32, ROUTE_DESTINATION = 1, RULE_PRIORITY = 6, TABLE_MAIN = 254, PROHIBIT = 8, STATIC = 4 };
struct route_message {
  uint8_t family, destination_bits, source_bits, tos, table, protocol, scope, type;
  uint32_t flags;
};
struct route_address {
  uint8_t family, prefix, flags, scope;
  uint32_t index;
};

#define NL_ALIGN(n) (((size_t)(n) + 3) & ~(size_t)3)
#define EACH_ATTRIBUTE(at, start, size) \
  for (const struct nl_attribute *at = (const void *)(start); \
       (const uint8_t *)at + sizeof *at <= (const uint8_t *)(start) + (size) && at->length >= sizeof *at && \
       (const uint8_t *)at + at->length <= (const uint8_t *)(start) + (size); \
       at = (const void *)((const uint8_t *)at + NL_ALIGN(at->length)))
#define ATTRIBUTE_DATA(at) ((const uint8_t *)(at) + sizeof(struct nl_attribute))
#define ATTRIBUTE_TYPE(at) ((at)->type & 0x3fff)
#define ATTRIBUTE_SIZE(at) ((at)->length - sizeof(struct nl_attribute))

#endif
