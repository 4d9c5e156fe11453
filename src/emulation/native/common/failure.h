/* The one thing that went wrong: recorded where it happens, told to the caller at the end. */
#ifndef COMMON_FAILURE_H
#define COMMON_FAILURE_H
#include <stdbool.h>

/* Records errno with the step and what it was about, unless something is recorded already. Always false. */
bool fail(const char *step, const char *subject);
/* The same with another number, and with words that say more than the number's own. */
bool fail_as(int number, const char *step, const char *subject, const char *text);
bool has_failed(void);
int failure_number(void);
/* Something worse came of it: the same number under another step. */
void rename_failure(const char *step);
void forget_failure(void);
/* While what failed is being mended, which may fail too. */
void put_failure_aside(void);
void take_failure_back(void);
/* `error<TAB>number<TAB>step<TAB>subject<TAB>text`. */
void tell_failure(int fd);

#endif
