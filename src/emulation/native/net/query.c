/* One lookup: may it be made, may its answer go back. */
#include "net.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { MOST = 4096 };

static struct query *first, *last;
static int count;

void enqueue(struct query *query) {
  query->after = NULL, query->before = last;
  *(last ? &last->after : &first) = query;
  last = query;
  count++;
}

void dequeue(struct query *query) {
  *(query->before ? &query->before->after : &first) = query->after;
  *(query->after ? &query->after->before : &last) = query->before;
  count--;
}

static void release(struct source *source) {
  struct query *query = (struct query *)source;
  free(query->stream), free(query->path), free(query);
}

static void end(struct query *query) {
  dequeue(query);
  loop_close(&query->source, release);
}

static void reply(const struct query *query, const uint8_t *message, size_t length) {
  if (query->client) answer_client(query->client, message, length);
  else sendto(query->listener, message, length, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&query->from, query->from_length);
}

void fail_query(struct query *query, int rcode) {
  uint8_t out[MESSAGE];
  size_t length = build_refusal(&query->question, rcode, out);
  reply(query, out, length);
  end(query);
}

static void refuse(struct query *query, const char *reason) {
  note("lookup", question_name(&query->question), NULL, 0, type_name(query->question.type), reason);
  fail_query(query, REFUSED);
}

void drop_queries(const struct client *client) {
  for (struct query *at = first, *after; at; at = after) {
    after = at->after;
    if (at->client == client) end(at);
  }
}

int queries_due(void) {
  if (!first) return FOREVER;
  return first->deadline > now() ? (int)(first->deadline - now()) : 0;
}

void queries_expire(void) {
  while (first && first->deadline <= now())
    if (!ask_next(first)) fail_query(first, SERVFAIL);
}

/* By whose leave: the name itself, or the allowed one that it is an alias of. NULL: by nobody's. */
static const char *leave(const char *name, const char **reason) {
  enum verdict verdict = judge(policy, name);
  *reason = verdict == DENIED ? "denied" : "no rule allows it";
  if (verdict == ALLOWED) return name;
  const char *path = verdict == UNMATCHED ? path_of_alias(name) : NULL;
  return path && allows_path(policy, path) ? path : NULL;
}

void ask(const uint8_t *message, size_t length, struct client *client, int listener, const struct sockaddr_storage *from, socklen_t from_length) {
  struct query *query = calloc(1, sizeof *query);
  if (!query) return;
  query->source.fd = -1, query->client = client, query->listener = listener;
  if (from) query->from = *from, query->from_length = from_length;
  int rcode = parse_query(message, length, &query->question);
  if (rcode < 0) return free(query);
  /* The one that waited longest makes room, so that nobody is kept out for long. */
  if (count >= MOST || count >= serve.files / 2) fail_query(first, SERVFAIL);
  enqueue(query);
  if (rcode > 0) return fail_query(query, rcode);
  const char *name = question_name(&query->question), *reason;
  if (!is_open(policy)) {
    const char *path = leave(name, &reason);
    if (!path) return refuse(query, reason);
    query->path = strdup(path);
  }
  if (!ask_next(query)) fail_query(query, SERVFAIL);
}

/* What may never be opened is left out. True when nothing is left that was there. */
static bool lies(struct answer *answer, struct address *example) {
  int kept = 0, before = answer->count;
  for (int i = 0; i < before; i++) {
    if (off_limits(&answer->address[i])) *example = answer->address[i];
    else answer->address[kept] = answer->address[i], answer->ttl[kept++] = answer->ttl[i];
  }
  answer->count = kept;
  return before > 0 && kept == 0;
}

/* The path grows by what the answer says it is an alias of; each of these may be asked for by itself. */
static char *lengthen(const char *path, const struct answer *answer) {
  size_t length = strlen(path);
  for (int i = 0; i < answer->hops; i++) length += strlen(answer->hop[i]) + 1;
  char *whole = malloc(length + 1);
  if (!whole) return NULL;
  char *at = stpcpy(whole, path);
  for (int i = 0; i < answer->hops; i++) {
    *at++ = ' ';
    at = stpcpy(at, answer->hop[i]);
    learn_alias(answer->hop[i], whole, answer->hop_ttl[i]);
  }
  return whole;
}

static const char *denied_hop(const struct answer *answer) {
  for (int i = 0; i < answer->hops; i++)
    if (judge(policy, answer->hop[i]) == DENIED) return answer->hop[i];
  return NULL;
}

void finish_query(struct query *query, const uint8_t *message, size_t length, const struct answer *got) {
  static struct answer answer;
  char reason[NAME_TEXT + 64];
  struct address example;
  if (is_open(policy)) return reply(query, message, length), end(query);
  /* The policy may have changed meanwhile. */
  if (!query->path || !allows_path(policy, query->path)) return refuse(query, "no rule allows it");
  answer = *got;
  const char *denied = denied_hop(&answer);
  if (denied) {
    snprintf(reason, sizeof reason, "it is an alias of %s, which is denied", denied);
    return refuse(query, reason);
  }
  if (lies(&answer, &example)) {
    snprintf(reason, sizeof reason, "it resolves to %s, an address that is never opened", address_text(&example));
    return refuse(query, reason);
  }
  char *path = answer.hops ? lengthen(query->path, &answer) : NULL;
  int error = answer.count ? learn(&answer, path ? path : query->path) : 0;
  free(path);
  if (error != 0) return fail_query(query, SERVFAIL);
  reply(query, message, length);
  end(query);
}
