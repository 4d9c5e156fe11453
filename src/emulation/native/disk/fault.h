/* Named steps, so that tests can kill the process or fail a call at each: AMUX_DISK_FAULT=step:n:kill|ENOSPC|EIO. */
#ifndef DISK_FAULT_H
#define DISK_FAULT_H
#include <stdbool.h>

/* Passes a step; false with errno when it is to fail. */
bool step(const char *name);
void print_steps(void);

#endif
