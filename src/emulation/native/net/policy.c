#include "net.h"
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { MAX_RULES = 16384 };

struct rule {
  const char *name;
  uint8_t length;
  uint8_t exact, below; /* enum verdict */
};
struct policy {
  char *text;
  const char *document;
  int count;
  enum verdict any;
  struct rule *table;
  uint32_t mask;
};

uint32_t hash_text(const char *text, size_t length) {
  static uint32_t seed;
  if (seed == 0 && getrandom(&seed, sizeof seed, 0) < 0) seed = 2166136261u;
  uint32_t hash = seed;
  for (size_t i = 0; i < length; i++) hash = (hash ^ (uint8_t)text[i]) * 16777619u;
  return hash ^ hash >> 15;
}

static struct rule *slot(const struct policy *policy, const char *name, size_t length) {
  uint32_t at = hash_text(name, length) & policy->mask;
  while (policy->table[at].name && (policy->table[at].length != length || memcmp(policy->table[at].name, name, length) != 0)) at = (at + 1) & policy->mask;
  return &policy->table[at];
}

static bool valid_name(const char *name, size_t length) {
  size_t label = 0;
  if (length == 0 || length > 253) return false;
  for (size_t i = 0; i < length; i++) {
    char c = name[i];
    if (c == '.' && label == 0) return false;
    label = c == '.' ? 0 : label + 1;
    if (label > 63 || !(c == '.' || c == '-' || c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) return false;
  }
  return label > 0;
}

static const char *add_rule(struct policy *policy, const char *domain, enum verdict verdict) {
  if (++policy->count > MAX_RULES) return "too many rules";
  if (strcmp(domain, "*") == 0) {
    if (policy->any != UNMATCHED && policy->any != verdict) return "it contradicts an earlier line";
    policy->any = verdict;
    return NULL;
  }
  bool below = domain[0] == '*' && domain[1] == '.';
  const char *name = below ? domain + 2 : domain;
  size_t length = strlen(name);
  if (!valid_name(name, length)) return "not a domain";
  struct rule *rule = slot(policy, name, length);
  uint8_t *place = below ? &rule->below : &rule->exact;
  if (*place != UNMATCHED && *place != verdict) return "it contradicts an earlier line";
  rule->name = name, rule->length = (uint8_t)length, *place = (uint8_t)verdict;
  return NULL;
}

static bool plain(const char *text) {
  for (; *text; text++)
    if ((unsigned char)*text < 0x20 || *text == 0x7f) return false;
  return true;
}

static const char *parse_line(struct policy *policy, int number, char *line) {
  if (number == 1) return strcmp(line, "amux-policy 1") == 0 ? NULL : "not a policy of this version";
  if (strncmp(line, "document ", 9) == 0) {
    if (policy->document || line[9] != '{' || !plain(line)) return "not a document";
    policy->document = line + 9;
    return NULL;
  }
  if (strncmp(line, "allow ", 6) == 0) return add_rule(policy, line + 6, ALLOWED);
  if (strncmp(line, "deny ", 5) == 0) return add_rule(policy, line + 5, DENIED);
  return "neither allow nor deny";
}

struct policy *parse_policy(char *text, size_t length, int *line, const char **why) {
  struct policy *policy = calloc(1, sizeof *policy);
  uint32_t size = 64;
  uint32_t lines = 2;
  for (size_t i = 0; i < length; i++) lines += text[i] == '\n';
  while (size < 2 * lines && size < 2 * MAX_RULES) size *= 2;
  *line = 1, *why = "out of memory";
  if (!policy || !(policy->table = calloc(size, sizeof *policy->table))) return free(policy), NULL;
  policy->text = text, policy->mask = size - 1;
  *why = memchr(text, 0, length) ? "a zero byte" : length == 0 ? "empty" : NULL;
  for (char *at = text; !*why && at < text + length; *line += 1) {
    char *end = memchr(at, '\n', (size_t)(text + length - at));
    if (end) *end = 0;
    if ((*why = parse_line(policy, *line, at))) break;
    at = end ? end + 1 : text + length;
  }
  if (!*why) return policy;
  policy->text = NULL;
  free_policy(policy);
  return NULL;
}

void free_policy(struct policy *policy) {
  if (!policy) return;
  free(policy->table), free(policy->text), free(policy);
}

bool is_open(const struct policy *policy) {
  return policy->count == 0;
}

int count_rules(const struct policy *policy) {
  return policy->count;
}

const char *policy_document(const struct policy *policy) {
  return policy->document;
}

/* Where the next label begins; NULL after the last. */
static const char *next_label(const char *name) {
  for (; *name; name++) {
    if (*name == '\\' && name[1]) name++;
    else if (*name == '.') return name + 1;
  }
  return NULL;
}

enum verdict judge(const struct policy *policy, const char *name) {
  size_t length = strlen(name);
  if (length <= 253) {
    const struct rule *rule = slot(policy, name, length);
    if (rule->name && rule->exact != UNMATCHED) return rule->exact;
  }
  for (const char *at = next_label(name); at; at = next_label(at)) {
    size_t rest = length - (size_t)(at - name);
    if (rest == 0 || rest > 253) continue;
    const struct rule *rule = slot(policy, at, rest);
    if (rule->name && rule->below != UNMATCHED) return rule->below;
  }
  return policy->any == ALLOWED ? ALLOWED : UNMATCHED;
}

bool allows_path(const struct policy *policy, const char *path) {
  char name[NAME_TEXT + 1];
  for (const char *at = path; *at;) {
    size_t length = strcspn(at, " ");
    if (length > NAME_TEXT) return false;
    memcpy(name, at, length), name[length] = 0;
    enum verdict verdict = judge(policy, name);
    if (verdict == DENIED || (at == path && verdict != ALLOWED)) return false;
    at += length + (at[length] == ' ');
  }
  return true;
}
