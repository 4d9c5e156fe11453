#define _GNU_SOURCE
#include "plan.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../common/failure.h"
#include "attrs.h"
#include "layer.h"

struct pair {
  uint32_t now, then;
};

struct stack {
  struct pair *pairs;
  uint32_t used, room;
};

static void push(struct stack *stack, uint32_t now, uint32_t then) {
  stack->pairs = grown(stack->pairs, stack->used + 1, sizeof *stack->pairs, &stack->room);
  stack->pairs[stack->used++] = (struct pair){now, then};
}

static void push_children(struct plan *plan, struct stack *stack, uint32_t now, uint32_t then) {
  const struct entry *none = &(struct entry){0}, *left = now == NONE ? none : &plan->now->entries[now], *right = then == NONE ? none : &plan->then->entries[then];
  uint32_t i = 0, j = 0, here = left->mode && is_directory(left) ? left->count : 0, there = right->mode && is_directory(right) ? right->count : 0;
  while (i < here || j < there) {
    int order = i == here ? 1 : j == there ? -1 : strcmp(name_of(plan->now, left->first + i), name_of(plan->then, right->first + j));
    push(stack, order <= 0 ? left->first + i : NONE, order >= 0 ? right->first + j : NONE);
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
}

static void match(struct plan *plan, uint32_t now, uint32_t then) {
  plan->then_of[now] = then + 1;
  plan->now_of[then] = now + 1;
}

static void compare(struct plan *plan, struct stack *stack, uint32_t now, uint32_t then) {
  const struct entry *left = now == NONE ? NULL : &plan->now->entries[now], *right = then == NONE ? NULL : &plan->then->entries[then];
  if (right) plan->then_asked[then] = 1;
  if (left && right) match(plan, now, then);
  if ((left && left->flags & IS_FOREIGN) || (right && right->flags & IS_FOREIGN)) return;
  if (!left) {
    plan->then_act[then] = ACT_MAKE;
  } else if (!right) {
    plan->now_act[now] = ACT_REMOVE;
  } else {
    unsigned found = differences(plan->now, left, plan->then, right);
    if (found & ~(unsigned)DIFFERS_METADATA) plan->then_act[then] = ACT_MAKE;
    else if (found) plan->then_act[then] = ACT_META;
    if (is_directory(left) != is_directory(right)) {
      plan->now_act[now] = ACT_REMOVE;
      push_children(plan, stack, now, NONE);
      push_children(plan, stack, NONE, then);
      return;
    }
  }
  push_children(plan, stack, now, then);
}

static void compare_all(struct plan *plan, uint32_t now, uint32_t then) {
  struct stack stack = {0};
  push(&stack, now, then);
  while (stack.used > 0) {
    struct pair pair = stack.pairs[--stack.used];
    compare(plan, &stack, pair.now, pair.then);
  }
  free(stack.pairs);
}

/* Whether a layer's entry keeps what lies below it from being seen. */
static bool hides(const struct index *index, uint32_t at) {
  if (at == NONE) return false;
  return !is_directory(&index->entries[at]) || is_opaque(index, at);
}

/* Leads to one path; directories above it are made when they are missing, else left alone. */
static bool compare_path(struct plan *plan, const struct tree *now_tree, const struct tree *then_tree, const char *rest, const char *whole) {
  uint32_t now = now_tree->root, then = then_tree->root;
  char name[256];
  match(plan, now, then);
  for (;;) {
    size_t length = strcspn(rest, "/");
    if (length >= sizeof name) return fail_as(ENAMETOOLONG, "path", whole, NULL);
    memcpy(name, rest, length);
    name[length] = 0;
    uint32_t left = now == NONE ? NONE : find_child(plan->now, now, name), right = then == NONE ? NONE : find_child(plan->then, then, name);
    if (!rest[length]) {
      if (left != NONE || right != NONE) compare_all(plan, left, right);
      return true;
    }
    if (then_tree->flags & TREE_LAYER && hides(plan->now, left) && !hides(plan->then, right))
      return fail_as(EINVAL, "path", whole, "a directory above it was deleted since: restore that one");
    bool is_left = left != NONE && is_directory(&plan->now->entries[left]), is_right = right != NONE && is_directory(&plan->then->entries[right]);
    if (is_left && is_right) {
      match(plan, left, right);
    } else if (is_right) {
      if (left != NONE) plan->now_act[left] = ACT_REMOVE;
      plan->then_act[right] = ACT_MAKE;
      plan->then_asked[right] = 1;
    } else if (!is_left) {
      return true;
    }
    now = is_left ? left : NONE;
    then = is_right ? right : NONE;
    rest += length + 1;
  }
}

/* A group of hard links stays as it is only where present and target join the same names. */
static void compare_groups(struct plan *plan) {
  const struct index *now = plan->now, *then = plan->then;
  uint32_t *now_size = must(calloc(now->count + 1, sizeof *now_size)), *then_size = must(calloc(then->count + 1, sizeof *then_size));
  uint8_t *broken = must(calloc(then->count + 1, 1));
  for (uint32_t i = 0; i < now->count; i++)
    if (!is_directory(&now->entries[i]) && plan->now_act[i] != ACT_REMOVE) now_size[leader_of(now, i)]++;
  for (uint32_t i = 0; i < then->count; i++) {
    if (is_directory(&then->entries[i]) || !plan->then_asked[i]) continue;
    uint32_t leader = leader_of(then, i);
    then_size[leader]++;
    if (!plan->first_asked[leader]) plan->first_asked[leader] = i + 1;
  }
  for (uint32_t i = 0; i < then->count; i++) {
    if (is_directory(&then->entries[i]) || !plan->then_asked[i]) continue;
    uint32_t leader = leader_of(then, i), first = plan->first_asked[leader] - 1, mine = plan->now_of[i], firsts = plan->now_of[first];
    bool joined = mine && firsts && leader_of(now, mine - 1) == leader_of(now, firsts - 1) && now_size[leader_of(now, mine - 1)] == then_size[leader];
    if (plan->then_act[i] == ACT_MAKE || !joined) broken[leader] = 1;
  }
  for (uint32_t i = 0; i < then->count; i++) {
    const struct entry *entry = &then->entries[i];
    if (!is_directory(entry) && plan->then_asked[i] && !(entry->flags & IS_FOREIGN) && broken[leader_of(then, i)]) plan->then_act[i] = ACT_MAKE;
  }
  free(now_size);
  free(then_size);
  free(broken);
}

bool takes_part(const struct scope *scope, const struct index *now, const struct tree *then) {
  return find_tree(now, then->name) && wanted_tree(scope->request, then->name) && (!scope->within || find_tree(scope->within, then->name)) &&
         !(scope->skip_shared && then->flags & TREE_SHARED);
}

static bool below(const char *path, const char *at) {
  size_t length = strcmp(path, "/") == 0 ? 0 : strlen(path);
  return strncmp(at, path, length) == 0 && (at[length] == '/' || at[length] == 0);
}

static bool plan_tree(struct plan *plan, const struct tree *then, const struct scope *scope) {
  const struct tree *now = find_tree(plan->now, then->name);
  const struct request_tree *wanted = wanted_tree(scope->request, then->name);
  if (!takes_part(scope, plan->now, then)) return true;
  bool whole = scope->path_count == 0;
  for (uint32_t i = 0; i < scope->path_count; i++) whole = whole || below(scope->paths[i], now->at);
  if (whole) {
    compare_all(plan, now->root, then->root);
    /* What is not ours came or went in it: that is no change. */
    uint32_t root = then->root;
    if (wanted->except_count && differences(plan->now, &plan->now->entries[now->root], plan->then, &plan->then->entries[root]) == DIFFERS_TIME) plan->then_act[root] = ACT_KEEP;
    return true;
  }
  for (uint32_t i = 0; i < scope->path_count; i++) {
    const char *rest;
    const struct tree *owner = tree_at(plan->now, scope->paths[i], &rest);
    if (owner != now) continue;
    char name[256];
    size_t length = strcspn(rest, "/");
    snprintf(name, sizeof name, "%.*s", (int)length, rest);
    if (!is_excepted(wanted, name) && !compare_path(plan, now, then, rest, scope->paths[i])) return false;
  }
  return true;
}

bool plan_make(struct plan *plan, const struct index *now, const struct index *then, const struct scope *scope) {
  *plan = (struct plan){.now = now, .then = then};
  plan->now_act = must(calloc(now->count + 1, 1));
  plan->then_act = must(calloc(then->count + 1, 1));
  plan->then_asked = must(calloc(then->count + 1, 1));
  plan->then_of = must(calloc(now->count + 1, sizeof *plan->then_of));
  plan->now_of = must(calloc(then->count + 1, sizeof *plan->now_of));
  plan->first_asked = must(calloc(then->count + 1, sizeof *plan->first_asked));
  for (uint32_t i = 0; i < then->tree_count; i++)
    if (!plan_tree(plan, &then->trees[i], scope)) return false;
  for (uint32_t i = 0; scope->temporary && i < now->count; i++)
    if (strcmp(name_of(now, i), scope->temporary) == 0) plan->now_act[i] = ACT_REMOVE;
  compare_groups(plan);
  for (uint32_t i = 0; i < then->count; i++) plan->changed += plan->then_act[i] != ACT_KEEP;
  for (uint32_t i = 0; i < now->count; i++) plan->changed += plan->now_act[i] == ACT_REMOVE && !(plan->then_of[i] && plan->then_act[plan->then_of[i] - 1]);
  return true;
}

void plan_free(struct plan *plan) {
  free(plan->now_act);
  free(plan->then_act);
  free(plan->then_asked);
  free(plan->then_of);
  free(plan->now_of);
  free(plan->first_asked);
  *plan = (struct plan){0};
}
