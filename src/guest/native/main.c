/* amux-init: the supervisor of a computer's guest, and the holders of its sessions; recorders where there is no guest. */
#include "amux.h"
#include "tar.h"

#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static const char usage[] =
  "amux-init run CONFIG -- COMMAND...    supervise the guest: COMMAND... CONFIG\n"
  "amux-init start CONFIG -- COMMAND...  the same in the background; returns once the guest answers\n"
  "amux-init stop CONFIG                 end it, its guest and every session\n"
  "amux-init bridge SOCKET               join standard input and output with a unix socket\n"
  "amux-init first LOCK BOOT MARK [SOCKET]  a container's first process: once told, it becomes what BOOT says\n"
  "amux-init beside [lock FILE] [mark|done FILE] [link NAME TARGET]... -- COMMAND...   run it beside a container\n"
  "amux-init signal NAME=VALUE NUMBER    to every process with that in its environment\n"
  "amux-init shift FROM TO               everything in one directory goes into another\n"
  "amux-init root MOUNTINFO              the line of it that tells what is at /\n"
  "amux-init clear DIRECTORY             remove everything in it\n"
  "amux-init reach DIRECTORY             whether it can be read\n"
  "amux-init show DIRECTORY AT           put it on the container beside which this runs\n"
  "amux-init pack exact|seconds          a tar stream of what standard input names: PATH NUL 0|1 (follow it) NAME NUL...\n"
  "amux-init unpack DIR [exact] [owner=UID:GID] [skip]   of a tar stream, below it\n"
  "amux-init visit keys|input [BYTE...] meet a session past its client: the terminal, or what is piped in; the client looks at these bytes\n"
  "amux-init record DIR [TASKS]          run what DIR/start says, and keep its output and its end in DIR\n"
  "amux-init follow DIR ROLE OUT ERR     speak with it: o(wner), v(iewer), a(side), or d(ump) it; from these offsets, - for none\n"
  "amux-init records ROOT                what the directories in ROOT say, a line each";

int main(int argc, char **argv) {
  for (int fd = open("/dev/null", O_RDWR); fd >= 0 && fd < 3; fd = dup(fd)) { /* 0 to 2 are never anything else */ }
  const char *verb = argc > 2 ? argv[1] : "";
  int visits = strcmp(verb, "visit") == 0;
  close_from(visits ? 5 : 3);
  prctl(PR_SET_NAME, "amux-init"); /* whatever the file is called: the guest knows its own by this */
  if (visits) return visit_command(argv[2], argv + 3);
  if (strcmp(verb, "bridge") == 0) return bridge_command(argv[2]);
  if (strcmp(verb, "first") == 0 && argc >= 5) return first_command(argv[2], argv[3], argv[4], argv[5]);
  if (strcmp(verb, "beside") == 0) return beside_command(argv + 2);
  if (strcmp(verb, "shift") == 0 && argc == 4) return shift_command(argv[2], argv[3]);
  if (strcmp(verb, "root") == 0) return root_command(argv[2]);
  if (strcmp(verb, "clear") == 0) return clear_command(argv[2]);
  if (strcmp(verb, "reach") == 0) return reach_command(argv[2]);
  if (strcmp(verb, "show") == 0 && argc == 4) return show_command(argv[2], argv[3]);
  if (strcmp(verb, "signal") == 0 && argc == 4) return signal_command(argv[2], argv[3]);
  if (strcmp(verb, "pack") == 0) return pack_command(strcmp(argv[2], "seconds") == 0);
  if (strcmp(verb, "unpack") == 0) return unpack_command(argv[2], argv + 3);
  if (strcmp(verb, "record") == 0) return record_command(argv[2], argc > 3 ? argv[3] : "/.sprite/api.sock");
  if (strcmp(verb, "follow") == 0 && argc == 6) return follow_command(argv[2], argv + 3);
  if (strcmp(verb, "records") == 0) return records_command(argv[2]);
  int has_command = argc > 4 && strcmp(argv[3], "--") == 0;
  struct place place = {0};
  if (strcmp(verb, "stop") == 0) {
    place_read(&place, argv[2]);
    return stop_command(&place);
  }
  if (strcmp(verb, "start") == 0 && has_command) {
    place_read(&place, argv[2]);
    return start_command(&place, argv + 4);
  }
  if (strcmp(verb, "run") == 0 && has_command) {
    place_read(&place, argv[2]);
    if (place_lock(&place) < 0) die("amux-init: another one runs there already");
    command_write(&place, argv + 4);
    supervise(&place);
  }
  note("%s", usage);
  return 2;
}
