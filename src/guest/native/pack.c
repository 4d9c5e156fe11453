/*
 * A tar stream of what is at and below the places it is told. Made for a tree in use: what vanishes meanwhile is left out,
 * a file that shrinks while it is read breaks the stream, and nothing is silently padded.
 */
#include "tar.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

enum { SIZELESS_MOST = 64 * 1024 * 1024, DEPTH_MOST = 4096, POUR_MOST = 16 * 1024 * 1024 };

static int whole_seconds;
static struct text name, place; /* of what is packed: in the archive, and on this machine */

static int has_vanished(void) {
  return errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENXIO;
}

/* Names the place, which is what people can look at. */
static void fail_at(const char *call) {
  subject.name = place.data;
  subject.length = place.length;
  subject.is_place = 1;
  failed(call);
}

static struct head head_of(char flag, const struct stat *found) {
  struct timespec mtime = found->st_mtim;
  mtime.tv_nsec = whole_seconds ? 0 : mtime.tv_nsec / 1000000 * 1000000;
  return (struct head){.flag = flag, .name = &name, .mode = found->st_mode & 0777, .mtime = mtime};
}

/* By device and inode, the first name of files that have several. */
struct known {
  dev_t device;
  ino_t inode;
  struct text name;
};
static struct known *table;
static size_t table_room, table_count;

static struct known *slot_of(dev_t device, ino_t inode) {
  uint64_t hash = ((uint64_t)inode ^ (uint64_t)device << 32) * 0x9e3779b97f4a7c15u;
  for (size_t at = hash >> 20;; at++) {
    struct known *slot = &table[at & (table_room - 1)];
    if (!slot->name.data || (slot->device == device && slot->inode == inode)) return slot;
  }
}

/* Its first name, or none, and then this is it. */
static const struct text *earlier(const struct stat *found) {
  if (2 * table_count >= table_room) {
    struct known *old = table;
    size_t old_room = table_room;
    table_room = table_room ? 2 * table_room : 1024;
    table = grow(NULL, sizeof *table * table_room);
    memset(table, 0, sizeof *table * table_room);
    for (size_t at = 0; at < old_room; at++)
      if (old[at].name.data) *slot_of(old[at].device, old[at].inode) = old[at];
    free(old);
  }
  struct known *slot = slot_of(found->st_dev, found->st_ino);
  if (slot->name.data) return &slot->name;
  *slot = (struct known){.device = found->st_dev, .inode = found->st_ino};
  text_set(&slot->name, name.data, name.length);
  table_count++;
  return NULL;
}

/* Up to so much of it; what of it cannot be read has nothing to give where nobody said how much there is. */
static void read_into(int fd, struct text *content, size_t most, int is_sizeless) {
  static char piece[SMALL];
  text_set(content, "", 0);
  while (content->length < most) {
    size_t want = most - content->length < sizeof piece ? most - content->length : sizeof piece;
    ssize_t n = read(fd, piece, want);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && !is_sizeless) fail_at("read");
    if (n <= 0) return;
    text_add(content, piece, (size_t)n);
  }
}

/* Read before its header is written, so its size is what was read. */
static void put_small(int fd, const struct stat *found) {
  static struct text content;
  read_into(fd, &content, found->st_size > 0 ? (size_t)found->st_size : SIZELESS_MOST, found->st_size == 0);
  struct head head = head_of('0', found);
  head.size = content.length;
  tape_head(&head);
  tape_content(content.data, content.length);
}

static ssize_t pour(int fd, uint64_t left) {
  static char piece[PIECE];
  static int no_sendfile;
  size_t most = left < POUR_MOST ? (size_t)left : POUR_MOST;
  ssize_t n = no_sendfile ? -1 : sendfile(1, fd, NULL, most);
  if (!no_sendfile && (n >= 0 || (errno != EINVAL && errno != ENOSYS))) return n;
  no_sendfile = 1;
  n = read(fd, piece, most < sizeof piece ? most : sizeof piece);
  if (n > 0) tape_send(piece, (size_t)n);
  return n;
}

static void put_large(int fd, const struct stat *found) {
  struct head head = head_of('0', found);
  head.size = (uint64_t)found->st_size;
  tape_head(&head);
  tape_flush();
  for (uint64_t left = head.size; left > 0;) {
    ssize_t n = pour(fd, left);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EPIPE || errno == ECONNRESET)) _exit(0);
    if (n < 0) fail_at("read");
    subject.name = name.data;
    subject.length = name.length;
    if (n == 0) refuse("ERR_TAR_SHORTER", "became shorter while it was read");
    left -= (uint64_t)n;
    passed((size_t)n);
  }
  tape_pad(head.size);
}

static void put_open(int fd) {
  struct stat found;
  if (fstat(fd, &found) < 0) fail_at("fstat");
  if (!S_ISREG(found.st_mode)) return;
  const struct text *first = found.st_nlink > 1 ? earlier(&found) : NULL;
  if (first) {
    struct head head = head_of('1', &found);
    head.target = first;
    tape_head(&head);
  } else if (found.st_size > SMALL) put_large(fd, &found);
  else put_small(fd, &found);
}

/* Without NONBLOCK a pipe that took a file's place would hang it. */
static void put_file(int directory, const char *leaf, int follow) {
  int fd = openat(directory, leaf, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
  if (fd >= 0) {
    put_open(fd);
    close(fd);
  } else if (!has_vanished()) fail_at("open");
}

static void put_link(int directory, const char *leaf, const struct stat *found) {
  static struct text target;
  ssize_t n = 0;
  while (target.room == 0 || (n = readlinkat(directory, leaf, target.data, target.room - 1)) == (ssize_t)target.room - 1) {
    target.room = target.room ? 2 * target.room : 4096;
    target.data = grow(target.data, target.room);
  }
  if (n < 0 && (has_vanished() || errno == EINVAL)) return;
  if (n < 0) fail_at("readlink");
  target.data[n] = 0;
  target.length = (size_t)n;
  struct head head = head_of('2', found);
  head.target = &target;
  tape_head(&head);
}

struct found {
  char *name;
  unsigned char type;
};
struct listing {
  struct found *entries;
  int count, room;
};

static int by_name(const void *a, const void *b) {
  return strcmp(((const struct found *)a)->name, ((const struct found *)b)->name);
}

static struct listing list(DIR *directory) {
  struct listing listing = {0};
  struct dirent *entry;
  while (errno = 0, (entry = readdir(directory))) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (listing.count == listing.room) {
      listing.room = 2 * listing.room + 64;
      listing.entries = grow(listing.entries, sizeof *listing.entries * (size_t)listing.room);
    }
    listing.entries[listing.count++] = (struct found){copy_of(entry->d_name), entry->d_type};
  }
  if (errno != 0 && !has_vanished()) fail_at("scandir");
  if (listing.count > 0) qsort(listing.entries, (size_t)listing.count, sizeof *listing.entries, by_name);
  return listing;
}

static void put_any(int directory, const char *leaf, unsigned char type, int depth);

static void put_directory(int parent, const char *leaf, const struct stat *found, int follow, int depth) {
  if (name.length > 0) {
    text_add(&name, "/", 1);
    struct head head = head_of('5', found);
    tape_head(&head);
  }
  if (depth > DEPTH_MOST) errno = ENAMETOOLONG, fail_at("scandir");
  int fd = openat(parent, leaf, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
  DIR *directory = fd < 0 ? NULL : fdopendir(fd);
  if (!directory) {
    if (!has_vanished()) fail_at("scandir");
    return;
  }
  struct listing listing = list(directory);
  size_t name_length = name.length, place_length = place.length;
  for (int at = 0; at < listing.count; at++) {
    struct found *one = &listing.entries[at];
    name.length = name_length;
    place.length = place_length;
    text_add(&name, one->name, strlen(one->name));
    text_add(&place, "/", 1);
    text_add(&place, one->name, strlen(one->name));
    put_any(fd, one->name, one->type, depth + 1);
    free(one->name);
  }
  place.length = place_length;
  place.data[place_length] = 0;
  free(listing.entries);
  closedir(directory);
}

static void put_found(int directory, const char *leaf, const struct stat *found, int follow, int depth) {
  if (S_ISDIR(found->st_mode)) return put_directory(directory, leaf, found, follow, depth);
  if (S_ISLNK(found->st_mode)) return put_link(directory, leaf, found);
  if (S_ISREG(found->st_mode)) return put_file(directory, leaf, follow);
  subject.name = name.data;
  subject.length = name.length;
  left_out(S_ISFIFO(found->st_mode) ? "a named pipe" : S_ISSOCK(found->st_mode) ? "a socket" : "a device");
}

/* A file is looked at once it is open. */
static void put_any(int directory, const char *leaf, unsigned char type, int depth) {
  struct stat found;
  if (type == DT_REG) return put_file(directory, leaf, 0);
  if (fstatat(directory, leaf, &found, AT_SYMLINK_NOFOLLOW) == 0) return put_found(directory, leaf, &found, 0, depth);
  if (!has_vanished()) fail_at("lstat");
}

/* Of these one that is not there is an error. */
static void put_root(int follow) {
  struct stat found;
  static struct text path;
  text_set(&path, place.data, place.length);
  if (fstatat(AT_FDCWD, path.data, &found, follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0) fail_at(follow ? "stat" : "lstat");
  put_found(AT_FDCWD, path.data, &found, follow, 0);
}

int pack_command(int whole) {
  for (const int *one = (const int[]){SIGPIPE, SIGXFSZ, 0}; *one; one++) signal(*one, SIG_IGN);
  whole_seconds = whole;
  raise_file_limit();
  /* A place, and whether a link that is there itself is followed (1, 0) with the name it gets; and the next. */
  size_t length;
  char *roots = read_all(0, &length);
  if (!roots) failed("read");
  for (size_t at = 0; at < length;) {
    text_set(&place, roots + at, strlen(roots + at));
    at += place.length + 1;
    if (at >= length) die("amux-init pack: a place without a name");
    int follow = roots[at] == '1';
    text_set(&name, roots + at + 1, strlen(roots + at + 1));
    at += name.length + 2;
    put_root(follow);
  }
  static const char end[2 * BLOCK];
  tape_content(end, sizeof end);
  tape_flush();
  return 0;
}
