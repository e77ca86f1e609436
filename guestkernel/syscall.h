// SPDX-License-Identifier: Apache-2.0
/*
 * syscall - from the architecture's entry to the handler
 *
 * Role      arch/<cpu>/guest calls syscall_dispatch() with the application's registers; the generated
 *           table (tools/gen_syscalls.py, guestkernel/syscalls.tbl) leads to sys_<name>().
 * Rules     The caller stores the result in the registers and handles restart codes and signals.
 *           With tracing off the cost over an indirect call is one bounds check and one branch.
 */
#pragma once

#include "guestkernel/kapi/types.h"

struct regs;
struct strbuf;

typedef s64 (*syscall_fn)(struct regs *r);

/* Generated: indexed by number, no NULL below syscall_count. */
extern const syscall_fn syscall_table[];
extern const u32 syscall_count;

/* Runs the call in r; its result or -errno, restart codes included. */
s64 syscall_dispatch(struct regs *r);
/* Table entry of calls we do not have: counts, reports the first use of each, -ENOSYS. */
s64 syscall_unimplemented(struct regs *r);
/* "syscall_999" has no name: NULL. */
const char *syscall_name(u32 nr);
/* One line "name count" for each call that was wanted and is not there. */
int syscall_show_missing(struct strbuf *sb, void *ctx);
