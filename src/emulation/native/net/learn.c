/* Which address was learned by which names, here and as comments in the kernel's sets, where it outlives this process. */
#include "net.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 16384, MOST = 65536, MOST_PATHS = 24, COMMENT = 250, LEAST = 10, LONGEST = 3600, PART = 180000 };

struct known {
  struct known *next, *older, *newer;
  struct address address;
  bool busy;
  uint8_t paths;
  uint64_t until; /* in the open set, by our clock */
  char **path;
};

static struct known *buckets[BUCKETS], *oldest, *newest;
static int count;

static struct known **find(const struct address *address) {
  struct known **at = &buckets[hash_text((const char *)address->bytes, address->six ? 16 : 4) % BUCKETS];
  while (*at && !same_address(&(*at)->address, address)) at = &(*at)->next;
  return at;
}

static void unlink_age(struct known *known) {
  *(known->older ? &known->older->newer : &oldest) = known->newer;
  *(known->newer ? &known->newer->older : &newest) = known->older;
}

static void make_newest(struct known *known) {
  known->newer = NULL, known->older = newest;
  *(newest ? &newest->newer : &oldest) = known;
  newest = known;
}

static struct known *add(const struct address *address) {
  struct known *known = calloc(1, sizeof *known), **at = find(address);
  if (!known) return NULL;
  known->address = *address;
  *at = known;
  make_newest(known);
  count++;
  return known;
}

static void drop(struct known *known) {
  *find(&known->address) = known->next;
  unlink_age(known);
  for (int i = 0; i < known->paths; i++) free(known->path[i]);
  free(known->path), free(known);
  count--;
}

/* True when it was not there. With too many, the eldest of them goes. */
static bool add_path(struct known *known, const char *path) {
  for (int i = 0; i < known->paths; i++)
    if (strcmp(known->path[i], path) == 0) return false;
  char *copy = strdup(path);
  if (!copy) return false;
  if (known->paths == MOST_PATHS) {
    free(known->path[0]);
    memmove(known->path, known->path + 1, (MOST_PATHS - 1) * sizeof *known->path);
    known->path[MOST_PATHS - 1] = copy;
    return true;
  }
  char **more = realloc(known->path, (size_t)(known->paths + 1) * sizeof *more);
  if (!more) return free(copy), false;
  known->path = more;
  known->path[known->paths++] = copy;
  return true;
}

/* As many of its paths as fit, the newest first. */
static const char *comment(const struct known *known) {
  static char text[COMMENT + 1];
  size_t used = 0;
  for (int i = known->paths - 1; i >= 0; i--) {
    size_t length = strlen(known->path[i]);
    if (used + length + 1 > COMMENT) continue;
    if (used) text[used++] = ',';
    memcpy(text + used, known->path[i], length), used += length;
  }
  text[used] = 0;
  return text;
}

static enum set open_set(const struct address *address) {
  return address->six ? OPEN6 : OPEN4;
}

static enum set known_set(const struct address *address) {
  return address->six ? KNOWN6 : KNOWN4;
}

bool is_known(const struct address *address) {
  return *find(address) != NULL;
}

int count_known(void) {
  return count;
}

static void mark_busy(const struct address *peer) {
  struct known *known = *find(peer);
  if (known) known->busy = true;
}

struct step {
  struct address address;
  uint64_t milliseconds;
  bool was_open, was_known, renamed; /* renamed: it has a new path */
  struct known *known;
};

static int commit_steps(const struct step *steps, int n, bool present) {
  struct batch batch;
  batch_begin(&batch);
  for (int i = 0; i < n; i++) {
    const struct step *step = &steps[i];
    if (step->was_known && step->renamed) batch_remove(&batch, known_set(&step->address), &step->address);
    if (!step->was_known || step->renamed) batch_add(&batch, known_set(&step->address), &step->address, 0, comment(step->known));
    if (!step->milliseconds) continue;
    /* A kernel may not prolong what is there already. */
    if (step->was_open && present) batch_remove(&batch, open_set(&step->address), &step->address);
    batch_add(&batch, open_set(&step->address), &step->address, step->milliseconds, NULL);
  }
  return batch_commit(&batch);
}

/* What just ran out cannot be taken out: then one by one. */
static int commit_each(const struct step *steps, int n) {
  int error = commit_steps(steps, n, true);
  for (int i = 0; error == ENOENT && i < n; i++) {
    int one = commit_steps(&steps[i], 1, true);
    if (one == ENOENT) one = commit_steps(&steps[i], 1, false);
    if (one != 0) return one;
    if (i == n - 1) error = 0;
  }
  return error;
}

/* Taking out in parts only ever shuts. */
static int flush_part(struct batch *batch, size_t most) {
  if (batch->length < most) return 0;
  int error = batch_commit(batch);
  batch_begin(batch);
  return error;
}

static int teach_into(struct batch *batch) {
  int error = 0;
  for (struct known *at = oldest; at && !error; at = at->newer) {
    batch_add(batch, known_set(&at->address), &at->address, 0, comment(at));
    if (at->until > now()) batch_add(batch, open_set(&at->address), &at->address, at->until - now(), NULL);
    error = flush_part(batch, PART);
  }
  int last = batch_commit(batch);
  return error ? error : last;
}

int teach(void) {
  struct batch batch;
  batch_begin(&batch);
  return teach_into(&batch);
}

/* Should the kernel hold something else than we think: exactly what we think. */
static int resync(void) {
  struct batch batch;
  batch_begin(&batch);
  for (enum set set = OPEN4; set <= KNOWN6; set++) batch_flush(&batch, set);
  return teach_into(&batch);
}

/* Room for more. First go the eldest that are neither open nor in use; then open ones; those in use last. */
static int make_room(void) {
  struct batch batch;
  batch_begin(&batch);
  for (struct known *at = oldest; at; at = at->newer) at->busy = false;
  each_peer(mark_busy);
  for (int pass = 0, left = MOST / 16; pass < 3; pass++)
    for (struct known *at = oldest, *newer; at && left > 0; at = newer) {
      newer = at->newer;
      if ((pass < 1 && at->until > now()) || (pass < 2 && at->busy)) continue;
      if (at->until > now() + 1000) batch_remove(&batch, open_set(&at->address), &at->address);
      batch_remove(&batch, known_set(&at->address), &at->address);
      drop(at), left--;
    }
  return batch_commit(&batch) == 0 ? 0 : resync();
}

int learn(const struct answer *answer, const char *path) {
  static struct step steps[MAX_ADDRESSES];
  int n = 0, error = count + answer->count > MOST ? make_room() : 0;
  if (error != 0) return error;
  for (int i = 0; i < answer->count; i++) {
    const struct address *address = &answer->address[i];
    uint32_t ttl = answer->ttl[i] < LEAST ? LEAST : answer->ttl[i] > LONGEST ? LONGEST : answer->ttl[i];
    struct known *known = *find(address);
    /* A second more in the kernel, two more in doubt: clocks are read a moment apart. */
    struct step step = {.address = *address, .was_known = known, .was_open = known && known->until + 2000 > now()};
    if (!known && !(known = add(address))) return ENOMEM;
    step.known = known, step.renamed = add_path(known, path);
    unlink_age(known), make_newest(known);
    uint64_t until = now() + (uint64_t)ttl * 1000;
    /* Asked again within the second: it is open for long enough. */
    if (until > known->until) step.milliseconds = (uint64_t)ttl * 1000 + 1000, known->until = until + 1000;
    if (!step.was_known || step.renamed || step.milliseconds) steps[n++] = step;
  }
  if (n > 0) error = commit_each(steps, n);
  for (int i = 0; error != 0 && i < n; i++) {
    steps[i].known->until = 0;
    if (!steps[i].was_known) drop(steps[i].known);
  }
  return error;
}

static void prune(struct known *known, const struct policy *next) {
  int kept = 0, before = known->paths;
  for (int i = 0; i < before; i++) {
    if (allows_path(next, known->path[i])) known->path[kept++] = known->path[i];
    else free(known->path[i]);
  }
  known->paths = (uint8_t)kept;
}

static bool stays(const struct known *known, const struct policy *next) {
  if (off_limits(&known->address)) return false;
  for (int i = 0; i < known->paths; i++)
    if (allows_path(next, known->path[i])) return true;
  return false;
}

int relearn(const struct policy *next) {
  struct batch batch;
  int error = 0, gone = 0;
  batch_begin(&batch);
  for (struct known *at = oldest; at; at = at->newer) gone += !stays(at, next);
  if (gone == 0) return batch_commit(&batch);
  batch_flush(&batch, OPEN4), batch_flush(&batch, OPEN6);
  for (struct known *at = oldest; at && !error; at = at->newer) {
    if (stays(at, next)) continue;
    batch_remove(&batch, known_set(&at->address), &at->address);
    error = flush_part(&batch, PART);
  }
  for (struct known *at = oldest; at && !error; at = at->newer) {
    if (!stays(at, next) || at->until <= now()) continue;
    batch_add(&batch, open_set(&at->address), &at->address, at->until - now(), NULL);
    error = flush_part(&batch, PART);
  }
  int last = batch_commit(&batch);
  if (!error) error = last;
  if (error && error != ENOENT) return error;
  for (struct known *at = oldest, *newer; at; at = newer) {
    newer = at->newer;
    if (!stays(at, next)) drop(at);
    else prune(at, next);
  }
  return error ? resync() : 0;
}

void forget(void) {
  while (oldest) drop(oldest);
}

static void recall_known(const struct address *address, uint64_t milliseconds, const char *note_) {
  char copy[256];
  (void)milliseconds;
  snprintf(copy, sizeof copy, "%s", note_);
  struct known *known = *find(address);
  if (!known) known = add(address);
  for (char *path = strtok(copy, ","); path && known; path = strtok(NULL, ",")) add_path(known, path);
}

static void recall_open(const struct address *address, uint64_t milliseconds, const char *note_) {
  (void)note_;
  struct known *known = *find(address);
  if (!known) known = add(address);
  if (known) known->until = now() + milliseconds;
}

bool recall(void) {
  if (list_set(KNOWN4, recall_known) != 0) return false;
  list_set(KNOWN6, recall_known), list_set(OPEN4, recall_open), list_set(OPEN6, recall_open);
  return true;
}
