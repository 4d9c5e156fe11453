#include "net.h"
#include "netlink.h"
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Below the local table, which is asked first: who gets here was sent elsewhere. One that is there already is well. */
static void prohibit(int type, uint8_t family, const void *address, size_t length, int bits) {
  struct {
    struct nl_header header;
    struct route_message route;
    uint8_t attributes[32];
  } ask = {.header = {.type = (uint16_t)type, .flags = NL_REQUEST | NL_CREATE | NL_ONLY_NEW}};
  ask.route = (struct route_message){.family = family, .destination_bits = (uint8_t)bits, .table = type == ROUTE_NEWROUTE ? TABLE_MAIN : 0, .protocol = STATIC, .type = PROHIBIT};
  struct nl_attribute destination = {.length = (uint16_t)(sizeof destination + length), .type = ROUTE_DESTINATION};
  struct nl_attribute priority = {.length = sizeof priority + sizeof(uint32_t), .type = RULE_PRIORITY};
  uint8_t *at = ask.attributes;
  at = (uint8_t *)memcpy(at, &destination, sizeof destination) + sizeof destination;
  at = (uint8_t *)memcpy(at, address, length) + length;
  at = (uint8_t *)memcpy(at, &priority, sizeof priority) + sizeof priority;
  at = (uint8_t *)memcpy(at, &(uint32_t){1}, sizeof(uint32_t)) + sizeof(uint32_t);
  ask.header.length = (uint32_t)(at - (uint8_t *)&ask);
  netlink_ask(serve.sockets.route, &ask, ask.header.length);
}

void bar_loopback(void) {
  static const uint8_t loopback4[4] = {127}, loopback6[16] = {[15] = 1};
  prohibit(ROUTE_NEWROUTE, AF_INET, loopback4, sizeof loopback4, 8);
  prohibit(ROUTE_NEWRULE, AF_INET6, loopback6, sizeof loopback6, 128);
}

enum { DAC_OVERRIDE = 1, NET_ADMIN = 12 };

static void keep_capabilities(uint64_t kept) {
  struct {
    uint32_t version;
    int pid;
  } header = {0x20080522, 0};
  uint32_t data[6];
  for (int i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++) prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (syscall(SYS_capget, &header, data) != 0) return;
  for (int i = 0; i < 2; i++) {
    uint32_t part = (uint32_t)(kept >> 32 * i);
    data[3 * i] &= part, data[3 * i + 1] &= part, data[3 * i + 2] = 0;
  }
  syscall(SYS_capset, &header, data);
}

/* Where the kernel can: to write and to execute, nothing but this directory. */
static void keep_to_directory(void) {
  enum { CREATE_RULESET = 444, ADD_RULE, RESTRICT_SELF, PATH_BENEATH = 1, READS = 1 << 2 | 1 << 3, ALL = (1 << 13) - 1 };
  uint64_t handled = ALL & ~READS;
  struct {
    uint64_t allowed;
    int32_t directory;
  } __attribute__((packed)) rule = {.allowed = handled & ~1u, .directory = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)};
  int rules = (int)syscall(CREATE_RULESET, &handled, sizeof handled, 0);
  if (rules >= 0 && rule.directory >= 0 && syscall(ADD_RULE, rules, PATH_BENEATH, &rule, 0) == 0) syscall(RESTRICT_SELF, rules, 0);
  if (rules >= 0) close(rules);
  if (rule.directory >= 0) close(rule.directory);
}

void give_up_power(void) {
  struct stat found;
  bool foreign = stat(".", &found) != 0 || found.st_uid != geteuid();
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  keep_capabilities(1u << NET_ADMIN | (foreign ? 1u << DAC_OVERRIDE : 0));
  keep_to_directory();
}
