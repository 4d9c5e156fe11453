/* Unpacks a tar stream below a directory; of what it contains nothing is trusted. */
#include "tar.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Who unpacks: a computer's guest, exactly what is said and for whom it is told; or its user here, who has a umask, and watches. */
static struct {
  int exact, chosen, skip; /* skip: names that are no text */
  uid_t uid;
  gid_t gid;
} manner;

static struct steps steps, linked;
static struct { /* what is being written, and is no file yet */
  int directory;
  char name[256];
} draft;
static char token[17];
static unsigned drafts;

static void drop_draft(void) {
  if (draft.name[0]) unlinkat(draft.directory, draft.name, 0);
  draft.name[0] = 0;
}

static void begin_draft(int directory, const char *name) {
  draft.directory = directory;
  if (name == draft.name) return;
  if (name) snprintf(draft.name, sizeof draft.name, "%s", name);
  else snprintf(draft.name, sizeof draft.name, ".amux-%s%u", token, drafts++);
}

/* Of what somebody else's umask, group or access list may have changed, too. */
static void own(int fd, int64_t mode) {
  struct stat made;
  if (!manner.exact) return;
  if (fstat(fd, &made) < 0) failed("fstat");
  if (manner.chosen && (made.st_uid != manner.uid || made.st_gid != manner.gid) && fchown(fd, manner.uid, manner.gid) < 0) failed("fchown");
  if (mode >= 0 && (made.st_mode & 07777) != (mode & 0777) && fchmod(fd, (mode_t)(mode & 0777)) < 0) failed("fchmod");
}

static void adopt(int fd) {
  own(fd, -1);
}

/* What may not be replaced. */
static void spare(int directory, const char *name) {
  struct stat there;
  if (fstatat(directory, name, &there, AT_SYMLINK_NOFOLLOW) < 0) return;
  if (S_ISDIR(there.st_mode)) refuse("ERR_TAR_CONFLICT", "a directory is in its place");
  if (!S_ISREG(there.st_mode) && !S_ISLNK(there.st_mode)) refuse("ERR_TAR_CONFLICT", "a device or a pipe is in its place");
}

static void fill(int fd, const struct entry *entry) {
  const uint8_t *piece;
  for (size_t length; (length = tar_body(&piece)) > 0;)
    if (write_all(fd, piece, length) < 0) failed("write");
  own(fd, entry->mode);
  struct timespec times[2] = {entry->mtime, entry->mtime};
  if (futimens(fd, times) < 0) failed("futimens");
  if (close(fd) < 0) failed("close");
}

static int make_file(int directory, const char *name, const struct entry *entry) {
  return openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, (mode_t)(entry->mode & 0777));
}

static int make_link(int directory, const char *name, const struct entry *entry) {
  struct timespec times[2] = {entry->mtime, entry->mtime};
  if (symlinkat(entry->target.data, directory, name) < 0) return -1;
  begin_draft(directory, name);
  if (manner.chosen && fchownat(directory, name, manner.uid, manner.gid, AT_SYMLINK_NOFOLLOW) < 0) failed("fchownat");
  if (utimensat(directory, name, times, AT_SYMLINK_NOFOLLOW) < 0) failed("utimensat");
  return 0;
}

/* A file that is below the root, and no link itself. */
static int make_hard_link(int directory, const char *name, const struct entry *entry) {
  static struct names names;
  struct stat there;
  split_or_refuse(&names, &entry->target, "it is a hard link to a name that");
  if (names.count == 0) refuse("ERR_TAR", "it is a hard link to nothing");
  const struct level *parent = steps_enter(&linked, names.all, names.count - 1);
  const char *last = names.all[names.count - 1];
  if (fstatat(parent->fd, last, &there, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(there.st_mode)) refuse("ERR_TAR", "it is a hard link to something that is no file in the archive");
  return linkat(parent->fd, last, directory, name, 0);
}

static int make(int directory, const char *name, const struct entry *entry) {
  if (entry->flag == '0') return make_file(directory, name, entry);
  return entry->flag == '2' ? make_link(directory, name, entry) : make_hard_link(directory, name, entry);
}

static const char *call_of(const struct entry *entry) {
  return entry->flag == '0' ? "open" : entry->flag == '2' ? "symlink" : "link";
}

/* Directly where nothing has to be spared; else aside, and then in one step. */
static void put(const struct level *parent, const char *name, const struct entry *entry) {
  int fd = -1, directory = parent->fd;
  if (parent->made || manner.exact) {
    fd = make(directory, name, entry);
    if (fd < 0 && errno != EEXIST) failed(call_of(entry));
    if (fd >= 0) begin_draft(directory, name);
  }
  int aside = fd < 0;
  if (aside) {
    spare(directory, name);
    begin_draft(directory, NULL);
    fd = make(directory, draft.name, entry);
    if (fd < 0) {
      draft.name[0] = 0;
      failed(call_of(entry));
    }
  }
  if (entry->flag == '0') fill(fd, entry);
  if (!aside) {
    draft.name[0] = 0;
    return;
  }
  spare(directory, name);
  if (renameat(directory, draft.name, directory, name) < 0) failed("rename");
  /* Two names of one file stay two. */
  if (entry->flag == '1') drop_draft();
  draft.name[0] = 0;
}

static void take(struct entry *entry) {
  static struct names names;
  if (!manner.exact && !is_text(&entry->name)) {
    if (!manner.skip) refuse("ERR_TAR_NAME", "its name is no UTF-8");
    const uint8_t *piece;
    left_out("its name is no UTF-8");
    while (tar_body(&piece) > 0) { /* away */ }
    return;
  }
  split_or_refuse(&names, &entry->name, "its name");
  if (entry->flag == '5') {
    steps_enter(&steps, names.all, names.count);
    close_later(&names, entry);
    return;
  }
  if (names.count == 0) refuse("ERR_TAR", "it has no name");
  if (entry->flag == '0' && (entry->mode & 06000)) refuse("ERR_TAR", "it would run with the rights of its owner (setuid or setgid)");
  if (entry->flag == '2' && entry->target.length == 0) refuse("ERR_TAR", "it is a link to nothing");
  if (entry->flag == '2' && memchr(entry->target.data, 0, entry->target.length)) refuse("ERR_TAR", "it is a link to a name with a zero byte");
  put(steps_enter(&steps, names.all, names.count - 1), names.all[names.count - 1], entry);
}

static int begin(const char *directory) {
  /* What is half written must not stay. Whoever feeds it says when to end; a terminal's signals are meant for that one. */
  for (const int *one = (const int[]){SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGXFSZ, 0}; *one; one++) signal(*one, SIG_IGN);
  tar_stop_on(SIGTERM);
  raise_file_limit();
  snprintf(token, sizeof token, "%08x%08x", (unsigned)getpid(), (unsigned)now_ms());
  subject.clean = drop_draft;
  int root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0 && errno == EACCES) root = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) {
    subject.name = directory;
    subject.length = strlen(directory);
    subject.is_place = 1;
    failed("open");
  }
  return root;
}

int unpack_command(const char *directory, char **words) {
  for (; *words; words++) {
    if (strcmp(*words, "exact") == 0) manner.exact = 1;
    else if (strcmp(*words, "skip") == 0) manner.skip = 1;
    else if (sscanf(*words, "owner=%u:%u", &manner.uid, &manner.gid) == 2) manner.chosen = 1;
    else die("amux-init unpack: %s?", *words);
  }
  mode_t mask = umask(0);
  if (manner.exact) mask = 0;
  umask(mask);
  int root = begin(directory);
  steps_begin(&steps, root, adopt);
  steps_begin(&linked, root, NULL);
  struct entry entry = {0};
  while (tar_next(&entry)) take(&entry);
  close_directories(&steps, mask, manner.exact);
  return 0;
}
