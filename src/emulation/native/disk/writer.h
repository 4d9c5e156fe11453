/* Writes packs behind the reader's back, in order, so that the disk and the copying do not wait for each other. */
#ifndef DISK_WRITER_H
#define DISK_WRITER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WRITER_BUFFER = (4 << 20) + (1 << 20) + 4096 };

/* An aligned buffer of WRITER_BUFFER bytes to fill; waits for one. */
char *writer_buffer(void);
/* Hands a buffer over. False with errno when something before could not be written. */
bool writer_put(int fd, char *buffer, size_t length, uint64_t at);
/* After all that was put: sets the length and closes. */
bool writer_close(int fd, uint64_t length);
/* All of it is written. False with errno when something could not be; then it is as new. */
bool writer_wait(void);
/* Gives a buffer back unused. */
void writer_return(char *buffer);

#endif
