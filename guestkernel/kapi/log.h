// SPDX-License-Identifier: Apache-2.0
/*
 * log - kernel messages to the monitor (shown with --debug-kernel-log or the monitor's log level)
 *
 * Rules     One line each, no newline at the end. Rate-limited by the monitor, never on a hot path.
 */
#pragma once

#include "guestkernel/kapi/types.h"

enum log_level { LOG_ERR = 0, LOG_WARN, LOG_INFO, LOG_DEBUG };

extern u32 log_level_max; /* from the boot block */

void log_print(enum log_level level, const char *fmt, ...) printf_like(2, 3);

#define log_at(level, ...)                              \
	do {                                            \
		if ((s32)(level) <= (s32)log_level_max) \
			log_print(level, __VA_ARGS__);  \
	} while (0)
#define log_err(...)   log_at(LOG_ERR, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)

/* Takes one line of strace output, without newline (guestkernel/host). */
void strace_emit(const char *line, size_t n);
