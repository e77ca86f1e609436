// SPDX-License-Identifier: Apache-2.0
/*
 * log - messages on stderr
 *
 * Role      See log.h.
 * Locking   One write(2) per line; the level words are set before any thread starts.
 * Missing   JSON lines for containerd; rate limit of guest messages.
 */
#include "vmm/log.h"

#include <stdarg.h>
#include <string.h>

static enum log_level level_max = LOG_WARN;
static uint32_t guest_max = HYP_LOG_ERR;

void log_setup(enum log_level level, uint32_t guest_level)
{
	level_max = level;
	guest_max = guest_level;
}

static void emit(const char *line, size_t n)
{
	if (write(STDERR_FILENO, line, n) < 0)
		return; /* nowhere left to say so */
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };
	char line[1200];
	va_list ap;
	int n, m;

	if (level > level_max)
		return;
	n = snprintf(line, sizeof line, "monitor: %s: ", names[level]);
	va_start(ap, fmt);
	m = vsnprintf(line + n, sizeof line - 1 - (size_t)n, fmt, ap);
	va_end(ap);
	n += m < 0 ? 0 : m;
	if (n > (int)sizeof line - 2)
		n = (int)sizeof line - 2;
	line[n++] = '\n';
	emit(line, (size_t)n);
}

void log_guest(uint32_t level, const char *text, uint32_t len)
{
	char line[HYP_LOG_TEXT_MAX + 32];
	size_t n = 0;
	uint32_t i;

	if (level != HYP_LOG_STRACE && level > guest_max)
		return;
	if (level != HYP_LOG_STRACE)
		n = (size_t)snprintf(line, sizeof line, "[guest] ");
	for (i = 0; i < len && n < sizeof line - 1; i++) {
		unsigned char c = (unsigned char)text[i];

		line[n++] = (c >= ' ' && c != 127) || c == '\t' ? text[i] : '?';
	}
	line[n++] = '\n';
	emit(line, n);
}
