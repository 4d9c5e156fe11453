/* A plan is text: one step a line, fields separated by tabs, %XX for what would confuse. A `-` before a step's name: its failure is no failure. */
#include "box.h"
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int do_nothing(char **field) {
  (void)field;
  return 0;
}

static int do_hostname(char **field) {
  return sethostname(field[0], strlen(field[0]));
}

static int do_caps(char **field) {
  return keep_caps(field[0]) ? 0 : -1;
}

static int do_pass(char **field) {
  return pass_caps(field[0]) ? 0 : -1;
}

static int do_deny(char **field) {
  (void)field;
  scope_sockets();
  return deny_syscalls() ? 0 : -1;
}

static int do_chdir(char **field) {
  return chdir(field[0]);
}

static int do_env(char **field) {
  return putenv(field[0]);
}

static int do_exec(char **field) {
  box_cloexec_from(3);
  execv(field[0], field);
  return -1;
}

static const struct {
  const char *name;
  int fields;
  int (*run)(char **);
} known[] = {
    {"map", 4, do_nothing}, {"hold", 1, do_nothing}, {"group", 2, do_nothing}, {"net", 0, do_nothing}, {"attend", -1, do_nothing}, {"await", 0, do_await}, {"join", 3, do_nothing},     {"private", 0, do_private},   {"overlay", 5, do_overlay}, {"root", 3, do_root},
    {"clone", 3, do_clone},     {"foreign", 5, do_foreign},   {"into", 2, do_into},         {"detach", 1, do_detach}, {"pivot", 1, do_pivot},     {"attach", 2, do_attach},
    {"mount", 5, do_mount},     {"mask", 1, do_mask},         {"readonly", 1, do_readonly}, {"seal", 1, do_seal}, {"hide", 6, do_hide},
    {"dir", 4, do_dir},         {"file", 5, do_file},         {"link", 2, do_link},       {"node", 4, do_node},
    {"hostname", 1, do_hostname}, {"caps", 1, do_caps},       {"pass", 1, do_pass},         {"deny", 0, do_deny},       {"chdir", 1, do_chdir},
    {"env", 1, do_env},         {"exec", -1, do_exec},
};

bool parse_plan(char *text, struct plan *plan) {
  size_t room = 64;
  plan->steps = calloc(room, sizeof *plan->steps);
  plan->count = 0;
  char *fields[MAX_FIELDS];
  for (char *line = strtok(text, "\n"); line && plan->steps; line = strtok(NULL, "\n")) {
    if (strcmp(line, "end") == 0) return true;
    if (plan->count == room) plan->steps = realloc(plan->steps, (room *= 2) * sizeof *plan->steps);
    int count = split_fields(line, fields);
    if (count < 1 || !plan->steps) return false;
    char **copy = calloc((size_t)count + 1, sizeof *copy);
    if (!copy) return false;
    memcpy(copy, fields, (size_t)count * sizeof *copy);
    plan->steps[plan->count++] = (struct step){.count = count, .fields = copy};
  }
  return false;
}

const struct step *find_step(const struct plan *plan, const char *name) {
  for (size_t i = 0; i < plan->count; i++)
    if (strcmp(plan->steps[i].fields[0], name) == 0) return &plan->steps[i];
  return NULL;
}

static int run_step(const char *name, const struct step *step) {
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (strcmp(known[i].name, name) != 0) continue;
    if (known[i].fields >= 0 && known[i].fields != step->count - 1) break;
    return known[i].run(step->fields + 1);
  }
  errno = ENOSYS;
  return -1;
}

bool run_plan(const struct plan *plan, int report) {
  for (size_t i = 0; i < plan->count; i++) {
    const struct step *step = &plan->steps[i];
    bool tolerant = step->fields[0][0] == '-';
    const char *name = step->fields[0] + tolerant;
    if (run_step(name, step) == 0 || tolerant) continue;
    int error = errno;
    say(report, "error\t%d\t%s\t%s\t%s\n", error, name, step->count > 1 ? step->fields[1] : "", strerror(error));
    return false;
  }
  return true;
}
