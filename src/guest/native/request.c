/* What to start, collected from its records. */
#include "amux.h"

#include <stdlib.h>
#include <string.h>

/* Lists double their room; the last entry is always NULL. */
static char **append(char **list, int *count, char *entry) {
  if ((*count & (*count + 1)) == 0) list = grow(list, sizeof *list * (size_t)(*count * 2 + 2));
  list[(*count)++] = entry;
  list[*count] = NULL;
  return list;
}

static int take_user(struct request *request, const struct record *record) {
  if (record->length < 8 || record->length % 4 != 0) return -1;
  request->has_user = 1;
  request->uid = get32(record->data);
  request->gid = get32(record->data + 4);
  request->group_count = (int)(record->length / 4 - 2);
  request->groups = grow(NULL, sizeof *request->groups * (size_t)(request->group_count + 1));
  for (int i = 0; i < request->group_count; i++) request->groups[i] = get32(record->data + 8 + 4 * i);
  return 0;
}

static int take_size(struct request *request, const struct record *record) {
  if (record->length != 8) return -1;
  request->tty = 1;
  request->cols = get16(record->data);
  request->rows = get16(record->data + 2);
  request->tty_group = get32(record->data + 4);
  return 0;
}

static int replace(char **field, const struct record *record) {
  free(*field);
  *field = record_text(record);
  return 0;
}

int request_take(struct request *request, const struct record *record) {
  switch (record->tag) {
    case W_ARG: request->argv = append(request->argv, &request->argc, record_text(record)); return 0;
    case W_ENV: request->env = append(request->env, &request->envc, record_text(record)); return 0;
    case W_CWD: return replace(&request->cwd, record);
    case W_DIR: return replace(&request->dir, record);
    case W_SOCKET: return replace(&request->socket, record);
    case W_USER: return take_user(request, record);
    case W_SIZE: return take_size(request, record);
    case W_NO_STDIN: request->no_stdin = 1; return 0;
    default: return -1;
  }
}
