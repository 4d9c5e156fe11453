/* Text between the tools and their caller: lines of fields separated by tabs, %XX for what would confuse. */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H
#include <stdbool.h>
#include <stddef.h>

#define MAX_FIELDS 512
/* Splits a line at tabs and undoes %XX, in place. Returns the number of fields, -1 when there are too many. */
int split_fields(char *line, char **fields);
/* Writes `text` with %XX for control bytes, `%` and bytes above 126. Cut to fit. */
void escape_field(const char *text, char *to, size_t room);
/* All that a descriptor gives, NUL-terminated; NULL with errno. */
char *read_all(int fd, size_t *length);
bool write_all(int fd, const void *data, size_t length);
/* One formatted line; false when the reader is gone. */
bool say(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool parse_number(const char *text, long long *value);

#endif
