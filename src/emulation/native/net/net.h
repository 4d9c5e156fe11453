/* amux-net: the fence around a computer's network. Static, single-threaded, no dependency but libc. */
#ifndef NET_H
#define NET_H
#define _GNU_SOURCE
#include "../common/text.h"
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>

/* ---- space.c: the computer's namespaces ---- */
struct space {
  int user; /* -1: our own */
  int net;
};
enum { MAX_HOST_PORTS = 64 };
/* Everything that must be made inside. -1: that family does not exist there. */
struct sockets {
  int udp[2], tcp[2];          /* the name server, IPv4 and IPv6 */
  int nft, nflog, diag, route; /* netlink */
  int host[MAX_HOST_PORTS][2]; /* listeners of the host's ports */
  int port;                    /* of the name server */
};
bool open_space(pid_t pid, struct space *space);
bool enter_space(const struct space *space);
bool make_sockets(const struct space *space, const uint16_t *host_ports, int count, struct sockets *sockets);
/* Runs `nft -f` inside on what `text_fd` holds. 0, or an errno with what it said in `why`. */
int run_nft(const struct space *space, int text_fd, char *why, size_t room);
bool find_nft(char *path, size_t room);

/* ---- serve.c ---- */
struct serve {
  struct space space;
  struct sockets sockets;
  uint16_t host_port[MAX_HOST_PORTS];
  int host_ports;
  const char *resolv;
  int lock, control, channel;
  int files; /* descriptors that it may have */
};
extern struct serve serve;

/* ---- loop.c: one thread, one epoll ---- */
struct source {
  int fd;
  void (*ready)(struct source *source, uint32_t events);
  void (*release)(struct source *source);
  struct source *next_dead;
};
bool loop_add(struct source *source, int fd, uint32_t events, void (*ready)(struct source *, uint32_t));
void loop_change(struct source *source, uint32_t events);
/* Closes it now; `release` runs when no event of this round can name it any more. */
void loop_close(struct source *source, void (*release)(struct source *));
/* Milliseconds that only go forward, taken once a round. */
uint64_t now(void);
_Noreturn void loop_run(void);
enum { FOREVER = -1 };

/* ---- address.c ---- */
struct address {
  bool six;
  uint8_t bytes[16];
};
/* A v4 address written as v6 becomes v4. */
struct address address_of(const void *bytes, bool six);
bool same_address(const struct address *a, const struct address *b);
const char *address_text(const struct address *address);
/* Private, special, or one of this host's. Such an address is never opened. */
bool off_limits(const struct address *address);
void watch_host(void);

/* ---- policy.c ---- */
enum verdict { UNMATCHED, ALLOWED, DENIED };
struct policy;
/* NULL: `line` and `why` say what is wrong. The text is kept, and changed. */
struct policy *parse_policy(char *text, size_t length, int *line, const char **why);
void free_policy(struct policy *policy);
bool is_open(const struct policy *policy);
int count_rules(const struct policy *policy);
/* DENIED only by a rule that names it; `deny *` is what no rule matches. */
enum verdict judge(const struct policy *policy, const char *name);
/* A name that was asked for, then what it is an alias of, separated by spaces. */
bool allows_path(const struct policy *policy, const char *path);
const char *policy_document(const struct policy *policy);
uint32_t hash_text(const char *text, size_t length);

/* ---- dns.c ---- */
enum { NAME_WIRE = 255, NAME_TEXT = 1024, MESSAGE = 320, MAX_ADDRESSES = 1024, MAX_HOPS = 16 };
enum { NOERROR = 0, FORMERR = 1, SERVFAIL = 2, NOTIMP = 4, REFUSED = 5 };
enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_AAAA = 28, TYPE_OPT = 41 };
struct question {
  uint16_t id, type, class, udp_size; /* udp_size 0: no EDNS */
  uint8_t flags[2];
  bool dnssec;
  uint8_t length, name[NAME_WIRE];
};
struct answer {
  int rcode;
  bool truncated;
  int hops;
  char hop[MAX_HOPS][NAME_TEXT + 1];
  uint32_t hop_ttl[MAX_HOPS];
  int count;
  struct address address[MAX_ADDRESSES];
  uint32_t ttl[MAX_ADDRESSES];
};
/* 0: well; -1: not worth an answer; otherwise the code to answer with. */
int parse_query(const uint8_t *message, size_t length, struct question *question);
/* Lower case; bytes that are no host name's are written as in zone files. */
const char *question_name(const struct question *question);
const char *type_name(uint16_t type);
size_t build_query(const struct question *question, uint16_t id, uint8_t *out);
size_t build_refusal(const struct question *question, int rcode, uint8_t *out);
/* False: it does not answer that question, or is malformed. */
bool parse_answer(const uint8_t *message, size_t length, const struct question *question, uint16_t id, struct answer *answer);

/* ---- query.c: one lookup, from its arrival to its answer ---- */
struct client;
struct query {
  struct source source; /* to the server that was asked */
  struct query *before, *after;
  uint64_t deadline;
  struct client *client; /* NULL: by UDP */
  int listener;
  struct sockaddr_storage from;
  socklen_t from_length;
  struct question question;
  char *path;
  uint16_t id;
  int tries, server;
  uint8_t *stream; /* what came over TCP so far */
  size_t have, room, sent;
};
void ask(const uint8_t *message, size_t length, struct client *client, int listener, const struct sockaddr_storage *from, socklen_t from_length);
void finish_query(struct query *query, const uint8_t *message, size_t length, const struct answer *answer);
void fail_query(struct query *query, int rcode);
/* Its client is gone. */
void drop_queries(const struct client *client);
int queries_due(void);
void queries_expire(void);
void enqueue(struct query *query);
void dequeue(struct query *query);

/* ---- upstream.c ---- */
/* To the next server; false when none is left. */
bool ask_next(struct query *query);

/* ---- listen.c: the name server's sockets ---- */
void listen_names(void);
void answer_client(struct client *client, const uint8_t *message, size_t length);
int clients_due(void);
void clients_expire(void);

/* ---- nft.c ---- */
enum set { OPEN4, OPEN6, KNOWN4, KNOWN6 };
struct batch {
  uint8_t *data;
  size_t length, room, message, list;
  int kind;
  enum set set;
};
void batch_begin(struct batch *batch);
void batch_add(struct batch *batch, enum set set, const struct address *address, uint64_t milliseconds, const char *note);
void batch_remove(struct batch *batch, enum set set, const struct address *address);
void batch_flush(struct batch *batch, enum set set);
void batch_delete_table(struct batch *batch);
/* 0 or an errno. All of it or nothing. */
int batch_commit(struct batch *batch);
typedef void (*element)(const struct address *address, uint64_t milliseconds, const char *note);
/* 0, or an errno: ENOENT when there is no table. */
int list_set(enum set set, element each);

/* ---- netlink.c ---- */
bool netlink_dump(int fd, void *request, size_t length, int *error, void (*each)(const uint8_t *message, size_t length));
int netlink_ask(int fd, void *request, size_t length);
void netlink_drain(int fd);

/* ---- learn.c: which address was learned by which name ---- */
/* 0, or an errno when the kernel did not take it. */
int learn(const struct answer *answer, const char *path);
bool is_known(const struct address *address);
/* Takes out what the policy allows no more. 0 or an errno. */
int relearn(const struct policy *policy);
/* From the kernel, after a start. False: there is no table. */
bool recall(void);
void forget(void);
/* Puts everything into empty sets. */
int teach(void);
int count_known(void);

/* ---- alias.c ---- */
void learn_alias(const char *name, const char *path, uint32_t ttl);
/* NULL: not an alias of anything allowed. */
const char *path_of_alias(const char *name);

/* ---- force.c: the policy in force ---- */
extern struct policy *policy;
struct failure {
  int error;
  const char *step;
  char text[1024];
};
/* Takes the policy over when it succeeds. */
bool put_in_force(struct policy *next, int *cut, struct failure *failure);
bool start_force(struct failure *failure);
/* The host's addresses have changed: what was learned may be one of them. */
void reconsider(void);
bool load_policy(struct policy **loaded, struct failure *failure);

/* ---- cut.c ---- */
/* Before a change: those there are. */
void note_connections(void);
/* After it: destroys TCP connections whose peer is not known. `fenced`: there was a policy before, so port 53 is ours. */
int cut_connections(bool fenced);
/* Calls with the peer of every connection. */
void each_peer(void (*each)(const struct address *peer));

/* ---- event.c ---- */
void open_events(void);
void note(const char *event, const char *domain, const struct address *address, int port, const char *protocol, const char *reason);

/* ---- nflog.c, control.c, relay.c ---- */
void listen_packets(void);
void listen_control(void);
int control_due(void);
void control_expire(void);
void listen_host_ports(void);

/* ---- guard.c ---- */
/* Bars loopback addresses from leaving by an interface that a program bound its socket to. */
void bar_loopback(void);
/* Nothing but what the worker needs: it reads what comes from the computer. */
void give_up_power(void);

/* ---- worker.c ---- */
_Noreturn void be_worker(void);
/* Asks the parent to run nft. */
int load_rules(const char *text, char *why, size_t room);

/* ---- the commands ---- */
int serve_main(int argc, char **argv);
int apply_main(int argc, char **argv);
int show_main(int argc, char **argv);
int log_main(int argc, char **argv);

/* ---- file.c ---- */
bool enter_directory(const char *dir);
/* Writes DIR/policy.new to the disk. */
bool write_new_policy(const char *text, size_t length);
bool keep_new_policy(void);
char *read_file(const char *name, size_t *length);
enum { MAX_POLICY = 8 << 20, TOOL_MISSING = 4 };

#endif
