#include "net.h"
#include <string.h>

static const struct {
  const char *name;
  int (*run)(int, char **);
} commands[] = {{"serve", serve_main}, {"apply", apply_main}, {"show", show_main}, {"log", log_main}};

int main(int argc, char **argv) {
  for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
    if (strcmp(argv[1], commands[i].name) == 0) return commands[i].run(argc - 1, argv + 1);
  say(2, "usage: amux-net serve|apply|show|log DIR …\n");
  return 2;
}
