#include "net.h"
#include "netlink.h"
#include <errno.h>
#include <string.h>

static uint8_t room[262144];

void netlink_drain(int fd) {
  while (recv(fd, room, sizeof room, MSG_DONTWAIT) > 0 || errno == ENOBUFS) errno = 0;
}

static bool send_request(int fd, void *request, size_t length, uint32_t *sequence) {
  static uint32_t last;
  struct nl_header *header = request;
  netlink_drain(fd);
  if (last == 0) last = (uint32_t)now();
  header->sequence = *sequence = ++last;
  return send(fd, request, length, 0) == (ssize_t)length;
}

/* `each` gets the messages with their header. */
bool netlink_dump(int fd, void *request, size_t length, int *error, void (*each)(const uint8_t *, size_t)) {
  uint32_t sequence;
  *error = 0;
  if (!send_request(fd, request, length, &sequence)) return *error = errno, false;
  for (;;) {
    ssize_t got = recv(fd, room, sizeof room, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return *error = got < 0 ? errno : EIO, false;
    for (size_t at = 0; at + sizeof(struct nl_header) <= (size_t)got;) {
      const struct nl_header *header = (const void *)(room + at);
      if (header->length < sizeof *header || at + header->length > (size_t)got) break;
      if (header->sequence == sequence && header->type == NL_DONE) return true;
      if (header->sequence == sequence && header->type == NL_ERROR) {
        memcpy(error, room + at + sizeof *header, sizeof *error);
        *error = -*error;
        return *error == 0;
      }
      if (header->sequence == sequence) each(room + at, header->length);
      at += NL_ALIGN(header->length);
    }
  }
}

static void ignore(const uint8_t *message, size_t length) {
  (void)message, (void)length;
}

int netlink_ask(int fd, void *request, size_t length) {
  int error;
  ((struct nl_header *)request)->flags |= NL_ACK;
  netlink_dump(fd, request, length, &error, ignore);
  return error;
}
