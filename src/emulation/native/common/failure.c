#define _GNU_SOURCE
#include "failure.h"
#include "text.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct failure {
  int number;
  char step[40], subject[8192], text[256];
} failure, aside;

bool fail_as(int number, const char *step, const char *subject, const char *text) {
  if (failure.number != 0) return false;
  failure.number = number == 0 ? EIO : number;
  snprintf(failure.step, sizeof failure.step, "%s", step);
  escape_field(subject ? subject : "", failure.subject, sizeof failure.subject);
  snprintf(failure.text, sizeof failure.text, "%s", text ? text : strerror(failure.number));
  return false;
}

bool fail(const char *step, const char *subject) {
  return fail_as(errno, step, subject, NULL);
}

bool has_failed(void) {
  return failure.number != 0;
}

int failure_number(void) {
  return failure.number;
}

void rename_failure(const char *step) {
  snprintf(failure.step, sizeof failure.step, "%s", step);
}

void forget_failure(void) {
  failure.number = 0;
}

void put_failure_aside(void) {
  aside = failure;
  failure.number = 0;
}

void take_failure_back(void) {
  failure = aside;
}

void tell_failure(int fd) {
  say(fd, "error\t%d\t%s\t%s\t%s\n", failure.number, failure.step, failure.subject, failure.text);
}
