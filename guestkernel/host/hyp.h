// SPDX-License-Identifier: Apache-2.0
/*
 * hyp - the kernel's side of the hostcalls
 *
 * Rules     None of these blocks or sleeps.
 */
#pragma once

#include "guestkernel/kapi/types.h"
#include "vmm/abi/hyp.h"

/* Implemented by arch/<cpu>/guest/hostcall.c: one request through this CPU's channel page. */
s32 arch_hostcall(u32 nr, const void *req, u32 len, void *reply, u32 reply_len);

extern struct hyp_channel *hyp_channels;

void hyp_init(void);
void hyp_log(u32 level, const char *text, size_t n);
/* Ends the VM with a wait status; the monitor stops this CPU. */
noreturn_fn void hyp_exit(struct hyp_exit *e);
void hyp_panic(const struct hyp_panic *p);
void hyp_kick(u32 streams);
/* After this sandbox became another one's copy: the kernel's generator goes on from the host's randomness, so that the two do
 * not draw the same keys, addresses and identifiers. Called before the first program runs again, by whoever restores. Stack
 * canary and hash seeds stay: frames and tables that live depend on them. -errno: the copy must not go on. */
int must_check hyp_reseed(void);
/* A signal or window change from the monitor: called from trap_host_event(). Set by main.c. */
/* from_tty: a key of the terminal the monitor runs on; for the foreground group. */
extern void (*hyp_on_signals)(u64 mask, bool from_tty);
extern void (*hyp_on_winsize)(u16 rows, u16 cols);
