/* The guest's command line, in a file so that it can be changed under a running supervisor: strings, each ended by NUL. */
#include "amux.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int command_write(struct place *place, char **argv) {
  size_t length = 0, old_length;
  char *text = NULL;
  for (; *argv; argv++) {
    size_t more = strlen(*argv) + 1;
    text = grow(text, length + more);
    memcpy(text + length, *argv, more);
    length += more;
  }
  char *path = path_of(place->run, "command"), *fresh = path_of(place->run, "command.new");
  char *old = read_whole(path, &old_length);
  if (old && old_length == length && memcmp(old, text, length) == 0) return 0;
  int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0 || write_all(fd, text, length) < 0 || rename(fresh, path) < 0) die("amux-init: cannot write %s", path);
  close(fd);
  return 1;
}

/* With the configuration as its last argument. */
char **command_read(struct place *place) {
  size_t length;
  char *path = path_of(place->run, "command"), *text = read_whole(path, &length);
  free(path);
  if (!text || length == 0) return NULL;
  char **argv = grow(NULL, (length + 2) * sizeof *argv);
  int count = 0;
  for (size_t at = 0; at < length; at += strlen(text + at) + 1) argv[count++] = text + at;
  argv[count++] = place->config;
  argv[count] = NULL;
  return argv;
}
