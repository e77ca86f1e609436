// SPDX-License-Identifier: Apache-2.0
/*
 * log - the monitor's own messages and what the guest kernel says, on stderr
 *
 * Rules     Guest text is bounded, stripped of control characters, limited in lines a second. One write per line.
 */
#pragma once

#include "vmm/abi/hyp.h"
#include "vmm/util.h"

enum log_level { LOG_ERR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* guest_level: highest hyp_log_level shown of the guest kernel's own messages. strace: its system call lines too. */
void log_setup(enum log_level level, uint32_t guest_level, bool strace);
void log_msg(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);
void log_guest(uint32_t level, const char *text, uint32_t len);

#define log_err(...)   log_msg(LOG_ERR, __VA_ARGS__)
#define log_warn(...)  log_msg(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_msg(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_msg(LOG_DEBUG, __VA_ARGS__)
