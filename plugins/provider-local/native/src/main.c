#include "box.h"
#include <string.h>

static const struct {
  const char *name;
  int (*run)(int, char **);
} commands[] = {{"keep", keep_main}, {"enter", enter_main}, {"aside", aside_main}, {"attach", attach_main}, {"remove", remove_main}, {"freeze", freeze_main}, {"thaw", thaw_main}};

int main(int argc, char **argv) {
  for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
    if (strcmp(argv[1], commands[i].name) == 0) return commands[i].run(argc - 1, argv + 1);
  say(2, "usage: amux-box keep|enter|aside|attach|remove|freeze|thaw …\n");
  return 2;
}
