// SPDX-License-Identifier: Apache-2.0
/*
 * current - what fs/ and net/ may know about the running task
 *
 * Role      fs and net never see struct task; the owner (task/) implements these.
 */
#pragma once

#include "guestkernel/kapi/types.h"

struct cred;
struct fdtable;
struct fs_ctx;
struct sigset_k;

const struct cred *current_cred(void); /* borrowed */
struct fdtable *current_fds(void);     /* borrowed */
/* Replaces the table by t (takes over the reference), drops the old one: close_range, unshare. */
void current_set_fds(struct fdtable *t);
struct fs_ctx *current_fs(void); /* borrowed: root, cwd, umask (fs/fsctx.h) */
u64 current_rlimit(u32 which);	 /* soft limit, RLIM_INFINITY = U64_MAX */
s32 current_tid(void);
s32 current_tgid(void);
bool signal_pending(void);
/* The current task is going to die: long work need not go on. */
bool current_is_killed(void);
/* Sends a signal to the current thread (SIGPIPE) or process (SIGXFSZ) as the kernel. */
void current_send_signal(s32 sig);
