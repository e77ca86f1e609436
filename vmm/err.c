// SPDX-License-Identifier: Apache-2.0
/*
 * err - the error object of the monitor's set-up code
 *
 * Role      see err.h
 * Rules     texts may quote names out of hostile files, so control characters never reach the
 *           terminal; bytes above 127 pass, they may be UTF-8
 */
#include "vmm/err.h"

#include <errno.h>
#include <string.h>

static void err_sanitize(struct err *e)
{
	for (char *p = e->msg; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return -code;
	e->code = code;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	err_sanitize(e);
	return -code;
}

int err_set_errno(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;
	size_t len;

	if (!e)
		return -code;
	e->code = code;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	len = strlen(e->msg);
	snprintf(e->msg + len, sizeof(e->msg) - len, ": %s", strerror(code));
	err_sanitize(e);
	return -code;
}

int err_add(struct err *e, const char *fmt, ...)
{
	char tail[sizeof(e->msg)];
	va_list ap;
	size_t len;

	if (!e)
		return -EIO;
	memcpy(tail, e->msg, sizeof(tail));
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	len = strlen(e->msg);
	snprintf(e->msg + len, sizeof(e->msg) - len, ": %s", tail);
	err_sanitize(e);
	return -e->code;
}

void err_clear(struct err *e)
{
	if (!e)
		return;
	e->code = 0;
	e->msg[0] = '\0';
}
