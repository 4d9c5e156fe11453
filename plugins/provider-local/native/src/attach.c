/* amux-box attach < PLAN   puts directories of this machine into a computer that runs already. The plan takes them here and then goes `into` it. */
#include "box.h"
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

int attach_main(int argc, char **argv) {
  struct plan plan;
  (void)argv;
  if (argc != 1) return say(2, "usage: amux-box attach < PLAN\n"), 2;
  char *text = read_all(0, NULL);
  if (!text || !parse_plan(text, &plan)) return say(2, "error\t%d\tplan\t\tincomplete\n", EINVAL), 1;
  const struct step *other = find_step(&plan, "join");
  if (other && !join_spaces(other->fields + 1)) return say(2, "error\t%d\tjoin\t\t%s\n", errno, strerror(errno)), 1;
  /* Of its own: nothing that is taken stays connected to the machine's. */
  if (unshare(CLONE_NEWNS) != 0) return say(2, "error\t%d\tnamespaces\t\t%s\n", errno, strerror(errno)), 1;
  return run_plan(&plan, 2) ? 0 : 1;
}
