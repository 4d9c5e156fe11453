/* DIR/log: one JSON document a line. What is said again and again is counted. */
#include "net.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FULL = 1 << 20, RECENT = 512, AGAIN = 1000, BURST = 400, RATE = 100 };

static int log_fd = -1;
static size_t size;

static struct {
  uint32_t key;
  uint32_t times;
  uint64_t since;
} recent[RECENT];
static uint32_t left_out;

static void open_log(void) {
  struct stat found;
  if (log_fd >= 0) close(log_fd);
  log_fd = open("log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  size = log_fd >= 0 && fstat(log_fd, &found) == 0 ? (size_t)found.st_size : 0;
}

void open_events(void) {
  open_log();
}

static size_t put_string(char *out, size_t at, size_t room, const char *text) {
  if (at < room) out[at++] = '"';
  for (; *text && at + 8 < room; text++) {
    unsigned char byte = (unsigned char)*text;
    if (byte == '"' || byte == '\\') out[at++] = '\\', out[at++] = (char)byte;
    else if (byte < 0x20 || byte == 0x7f) at += (size_t)sprintf(out + at, "\\u%04x", byte);
    else out[at++] = (char)byte;
  }
  out[at++] = '"';
  return at;
}

static size_t put_field(char *out, size_t at, size_t room, const char *name, const char *value) {
  if (!value || at + strlen(name) + 16 > room) return at;
  at += (size_t)sprintf(out + at, ",\"%s\":", name);
  return put_string(out, at, room, value);
}

static void write_line(char *line, size_t length) {
  if (size + length > FULL) {
    rename("log", "log.1");
    open_log();
  }
  if (log_fd < 0) return;
  /* A line that went out in part, on a full disk, is ended by the next. */
  ssize_t done = write(log_fd, line, length);
  if (done > 0) size += (size_t)done;
  if (done > 0 && (size_t)done < length && ftruncate(log_fd, (off_t)(size - (size_t)done)) == 0) size -= (size_t)done;
}

/* At most so many a second over time. */
static bool may_write(void) {
  static uint64_t tokens = BURST * 1000, last;
  tokens += (now() - last) * RATE;
  last = now();
  if (tokens > BURST * 1000) tokens = BURST * 1000;
  if (tokens < 1000) return left_out++, false;
  tokens -= 1000;
  return true;
}

static bool is_repeat(const char *key, size_t length, uint32_t *times) {
  uint32_t hash = hash_text(key, length);
  size_t at = hash % RECENT;
  if (recent[at].key == hash && now() - recent[at].since < AGAIN) return recent[at].times++, true;
  *times = recent[at].key == hash ? recent[at].times : 0;
  recent[at].key = hash, recent[at].times = 0, recent[at].since = now();
  return false;
}

void note(const char *event, const char *domain, const struct address *address, int port, const char *protocol, const char *reason) {
  char line[8192], key[NAME_TEXT + 128], why[NAME_TEXT + 256];
  uint32_t times = 0;
  bool denial = strcmp(event, "policy") != 0;
  int length = snprintf(key, sizeof key, "%s %s %s %d %s", event, domain ? domain : "", address ? address_text(address) : "", port, protocol ? protocol : "");
  if (denial && (is_repeat(key, (size_t)length, &times) || !may_write())) return;
  struct timespec time;
  struct tm tm;
  clock_gettime(CLOCK_REALTIME, &time);
  gmtime_r(&time.tv_sec, &tm);
  size_t at = strftime(line, sizeof line, "{\"time\":\"%Y-%m-%dT%H:%M:%S", &tm);
  at += (size_t)sprintf(line + at, ".%03ldZ\",\"event\":\"%s\"", time.tv_nsec / 1000000, event);
  at = put_field(line, at, sizeof line, "domain", domain);
  at = put_field(line, at, sizeof line, "address", address ? address_text(address) : NULL);
  if (port > 0) at += (size_t)sprintf(line + at, ",\"port\":%d", port);
  at = put_field(line, at, sizeof line, "protocol", protocol);
  size_t used = (size_t)snprintf(why, sizeof why, "%s", reason ? reason : "");
  if (times > 0) used += (size_t)snprintf(why + used, sizeof why - used, ", and %u times more before", times);
  if (left_out > 0) snprintf(why + used, sizeof why - used, " (%u other events were too many to log)", left_out);
  left_out = 0;
  at = put_field(line, at, sizeof line, "reason", *why ? why : NULL);
  line[at++] = '}', line[at++] = '\n';
  write_line(line, at);
}
