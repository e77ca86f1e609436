// SPDX-License-Identifier: Apache-2.0
/*
 * async - signals for O_ASYNC: who wants to be told that a file became ready
 *
 * Role      An object embeds an async_list and hands it out through file_ops.async; where it wakes its poll
 *           queue it also calls async_signal(). Switched on by F_SETFL and FIOASYNC. Implemented by fs/async.c.
 * Rules     A file is in at most one list. POLL_IN reaches files open for reading, POLL_OUT those open for
 *           writing, other codes all.
 * Locking   async_signal() is called with no spinlock held.
 * See       fcntl(2): F_SETOWN, F_SETSIG, O_ASYNC
 */
#pragma once

#include "guestkernel/kapi/list.h"
#include "guestkernel/uapi/signal.h"

struct file;
struct pid;

struct async_list {
	struct list entries; /* [async_lock] of async_owner */
};

static inline void async_init(struct async_list *l)
{
	list_init(&l->entries);
}

void async_signal_slow(struct async_list *l, s32 code);
static inline bool async_wanted(const struct async_list *l)
{
	return !list_empty(&l->entries);
}
/* code: POLL_IN, POLL_OUT, POLL_HUP ... */
static inline void async_signal(struct async_list *l, s32 code)
{
	if (unlikely(async_wanted(l)))
		async_signal_slow(l, code);
}

/* SIGURG to the owner of f, O_ASYNC or not. No spinlock is held. */
void async_signal_urgent(struct file *f);
/* O_ASYNC on or off; fd is what si_fd will say. -ENOTTY: the file cannot. */
int must_check async_set(struct file *f, s32 fd, bool on);
/* F_SETOWN: type F_OWNER_*, nr 0: nobody. -ESRCH: no such thread, process or group. */
int must_check async_set_owner(struct file *f, s32 type, s32 nr);
/* The same for a file that has no owner yet. */
void async_default_owner(struct file *f, s32 type, s32 nr);
void async_get_owner(struct file *f, s32 *type, s32 *nr);
int must_check async_set_signal(struct file *f, s32 sig);
s32 async_get_signal(struct file *f);
/* The last reference on f is gone. */
void async_forget_file(struct file *f);

/* What the task side supplies (task/sigio.c). */
struct sigio {
	s32 sig;  /* 0: SIGIO without details */
	s32 code; /* POLL_IN ...; 0: sig comes from the kernel, without details */
	s32 fd;
	u32 uid, euid; /* of who set the owner */
};
/* A reference on the number of a thread, process or group. */
int must_check sigio_owner_get(s32 type, s32 nr, struct pid **out);
void sigio_owner_put(struct pid *p);
/* The number as the current task sees it; 0 when nobody has it any more. */
s32 sigio_owner_nr(struct pid *p, s32 type);
void sigio_send(struct pid *p, s32 type, const struct sigio *what);
