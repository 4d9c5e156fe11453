/* The policy in force: from its text to the kernel. */
#include "net.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct policy *policy;

static bool fails(struct failure *failure, int error, const char *step, const char *text) {
  failure->error = error, failure->step = step;
  snprintf(failure->text, sizeof failure->text, "%s", text ? text : strerror(error));
  return false;
}

/*
 * Applied as a whole, and again and again: sets keep what they hold. `mark`: of connections that came from outside, which
 * is told by their first packet; a packet in the middle of one that the kernel forgot would look as if it came from there.
 * `edge` sees where a packet really goes, also one that a program bound to a device.
 */
static const char rules[] =
    "add table inet amux\n"
    "add set inet amux open4 { type ipv4_addr; flags timeout; }\n"
    "add set inet amux open6 { type ipv6_addr; flags timeout; }\n"
    "add set inet amux known4 { type ipv4_addr; }\n"
    "add set inet amux known6 { type ipv6_addr; }\n"
    "add chain inet amux names { type nat hook output priority -110; policy accept; }\n"
    "add chain inet amux inward { type filter hook input priority -10; policy accept; }\n"
    "add chain inet amux outward { type filter hook output priority 0; policy drop; }\n"
    "add chain inet amux through { type filter hook forward priority 0; policy drop; }\n"
    "add chain inet amux edge { type filter hook postrouting priority 0; policy accept; }\n"
    "add chain inet amux refuse\n"
    "flush chain inet amux names\n"
    "flush chain inet amux inward\n"
    "flush chain inet amux outward\n"
    "flush chain inet amux edge\n"
    "flush chain inet amux refuse\n"
    "add rule inet amux names meta l4proto { tcp, udp } th dport 53 redirect to :%d\n"
    "add rule inet amux inward iifname != \"lo\" ct state new tcp flags & (fin|syn|rst|ack) == syn ct mark set 1\n"
    "add rule inet amux outward oifname \"lo\" accept\n"
    "add rule inet amux outward ct state established ip daddr @known4 accept\n"
    "add rule inet amux outward ct state established ip6 daddr @known6 accept\n"
    "add rule inet amux outward ct direction reply ct mark 1 accept\n"
    "add rule inet amux outward ct direction original ct status dnat ip daddr 127.0.0.1 accept\n"
    "add rule inet amux outward ct direction original ct status dnat ip6 daddr ::1 accept\n"
    "add rule inet amux outward ip daddr @open4 accept\n"
    "add rule inet amux outward ip6 daddr @open6 accept\n"
    "add rule inet amux outward icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, mld2-listener-report } accept\n"
    "add rule inet amux outward ct direction reply icmp type echo-reply accept\n"
    "add rule inet amux outward ct direction reply icmpv6 type echo-reply accept\n"
    "add rule inet amux outward goto refuse\n"
    "%s"
    "add rule inet amux refuse meta l4proto tcp reject with tcp reset\n"
    "add rule inet amux refuse reject with icmpx admin-prohibited\n"
    "add rule inet amux edge oifname != \"lo\" ip daddr 127.0.0.0/8 drop\n"
    "add rule inet amux edge oifname != \"lo\" ip6 daddr ::1 drop\n";

static const char logged[] =
    "add rule inet amux refuse tcp flags & (syn|ack) == syn limit rate 50/second burst 200 packets log group 1\n"
    "add rule inet amux refuse meta l4proto != tcp limit rate 50/second burst 200 packets log group 1\n";

static int load(bool afresh, const char *log, char *why, size_t room) {
  static char text[sizeof rules + sizeof logged + 128];
  int at = afresh ? sprintf(text, "add table inet amux\ndelete table inet amux\n") : 0;
  sprintf(text + at, rules, serve.sockets.port, log);
  return load_rules(text, why, room);
}

/* A table of another make is replaced; a kernel that cannot log goes without. */
static bool raise_fence(struct failure *failure) {
  char why[1024];
  int error = load(false, logged, why, sizeof why);
  if (error == ENOENT) return fails(failure, error, "tool", why);
  if (error == 0) return true;
  bool done = load(false, "", why, sizeof why) == 0;
  if (!done && ((error = load(true, logged, why, sizeof why)) == 0 || load(true, "", why, sizeof why) == 0)) {
    if ((error = teach()) != 0) return fails(failure, error, "sets", NULL);
    done = true;
  }
  return done || fails(failure, error, "rules", why);
}

static bool drop_fence(struct failure *failure) {
  struct batch batch;
  batch_begin(&batch);
  batch_delete_table(&batch);
  int error = batch_commit(&batch);
  if (error != 0 && error != ENOENT) return fails(failure, error, "rules", NULL);
  forget();
  return true;
}

static void say_change(int cut) {
  char text[128];
  if (is_open(policy)) snprintf(text, sizeof text, "open: no rules");
  else snprintf(text, sizeof text, "%d rules in force, %d connections cut", count_rules(policy), cut);
  note("policy", NULL, NULL, 0, NULL, text);
}

static void adopt(struct policy *next) {
  free_policy(policy);
  policy = next;
}

bool put_in_force(struct policy *next, int *cut, struct failure *failure) {
  bool fenced = !is_open(policy);
  *cut = 0;
  if (is_open(next)) {
    if (fenced && !drop_fence(failure)) return false;
    adopt(next);
    return say_change(0), true;
  }
  note_connections();
  if (!fenced && !raise_fence(failure)) return false;
  int error = relearn(next);
  if (error != 0) return fails(failure, error, "sets", NULL);
  adopt(next);
  *cut = cut_connections(fenced);
  return say_change(*cut), true;
}

bool load_policy(struct policy **loaded, struct failure *failure) {
  size_t length = 0;
  int line;
  const char *why;
  char *text = read_file("policy", &length), number[64];
  if (!text && errno != ENOENT) return fails(failure, errno, "policy", NULL);
  if (!text) text = strdup("amux-policy 1\n"), length = text ? strlen(text) : 0;
  *loaded = text ? parse_policy(text, length, &line, &why) : NULL;
  if (*loaded) return true;
  free(text);
  snprintf(number, sizeof number, "line %d: %s", line, why);
  return fails(failure, EINVAL, "policy", number);
}

bool start_force(struct failure *failure) {
  struct policy *loaded;
  if (!load_policy(&loaded, failure)) return false;
  bool fenced = recall();
  policy = loaded;
  if (is_open(loaded)) return !fenced || drop_fence(failure);
  if (!raise_fence(failure)) return false;
  int error = relearn(loaded);
  if (error != 0) return fails(failure, error, "sets", NULL);
  cut_connections(fenced);
  return true;
}

void reconsider(void) {
  if (is_open(policy)) return;
  note_connections();
  relearn(policy);
  cut_connections(true);
}
