// SPDX-License-Identifier: Apache-2.0
/*
 * err - the error object of the monitor's set-up code
 *
 * Role      the caller owns a struct err and passes it down; the place that fails fills it in, the
 *           callers put context in front while unwinding, main() prints it once
 * Rules     one sentence: what failed, where, what to do about it; no newline, no allocation
 *           functions return 0 or the negative code that stands in err->code
 *           a NULL err is allowed and drops the text
 */
#pragma once

#include <stdarg.h>

#include "vmm/util.h"

struct err {
	int code; /* positive errno value, 0 when nothing failed */
	char msg[512];
};

/* Set the error and return -code. Control characters in the text become '?'. */
int err_set(struct err *e, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* As err_set, with ": <strerror(code)>" behind the text. */
int err_set_errno(struct err *e, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Put "context: " in front of the text; returns -code, or -EIO for a NULL err: never success. */
int err_add(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

void err_clear(struct err *e);
