// SPDX-License-Identifier: Apache-2.0
/*
 * sigset - signal sets, queues and dispositions, the data types of signal.c
 *
 * Rules     Bit n - 1 is signal n. A queue keeps one entry of each standard signal and any number of each
 *           real-time one; a set bit without an entry is a signal whose information was lost (no memory,
 *           limit reached).
 */
#pragma once

#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/refs.h"
#include "guestkernel/uapi/signal.h"

static inline sigset_t sig_bit(s32 sig)
{
	return 1ull << (sig - 1);
}

#define SIGSET_UNBLOCKABLE (1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1))
#define SIGSET_STOP                                                              \
	(1ull << (SIGSTOP - 1) | 1ull << (SIGTSTP - 1) | 1ull << (SIGTTIN - 1) | \
	 1ull << (SIGTTOU - 1))
#define SIGSET_SYNC                                                            \
	(1ull << (SIGSEGV - 1) | 1ull << (SIGBUS - 1) | 1ull << (SIGILL - 1) | \
	 1ull << (SIGTRAP - 1) | 1ull << (SIGFPE - 1) | 1ull << (SIGSYS - 1))
#define SIGSET_IGNORED_BY_DEFAULT                                                 \
	(1ull << (SIGCONT - 1) | 1ull << (SIGCHLD - 1) | 1ull << (SIGWINCH - 1) | \
	 1ull << (SIGURG - 1))
#define SIGSET_CORE                                                             \
	(1ull << (SIGQUIT - 1) | 1ull << (SIGILL - 1) | 1ull << (SIGTRAP - 1) | \
	 1ull << (SIGABRT - 1) | 1ull << (SIGFPE - 1) | 1ull << (SIGSEGV - 1) | \
	 1ull << (SIGBUS - 1) | 1ull << (SIGSYS - 1) | 1ull << (SIGXCPU - 1) |  \
	 1ull << (SIGXFSZ - 1))

struct posix_timer;
struct user_account;

struct sigqueue {
	struct list link;
	siginfo_t info;
	struct user_account *payer; /* charged CHARGE_SIGPENDING */
	struct posix_timer *timer;  /* preallocated entry of a timer, not freed on delivery */
};

struct sigqueue_head {
	struct list list;
	sigset_t set;
};

struct sighand {
	struct refs refs;
	struct spinlock lock;		/* RANK_LEAF */
	struct sigaction action[_NSIG]; /* [lock] */
};

static inline void sigqueue_init(struct sigqueue_head *q)
{
	list_init(&q->list);
	q->set = 0;
}
