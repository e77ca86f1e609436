// SPDX-License-Identifier: Apache-2.0
/*
 * sigio - signals that tell the owner of a file that it became ready
 *
 * Role      The task side of kapi/async.h.
 * Rules     With a signal chosen by F_SETSIG the owner learns descriptor and event; when that cannot be queued,
 *           and without such a choice, it gets a plain SIGIO.
 * Locking   tasklist_lock: the numbers' users.
 * See       fcntl(2)
 */
#include "guestkernel/kapi/async.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/poll.h"

/* [T] */
static bool number_in_use(const struct pid *p, s32 type)
{
	if (type == F_OWNER_PGRP)
		return !list_empty(&p->pgrp);
	return p->task && (type == F_OWNER_TID || p->task->group->leader == p->task);
}

int sigio_owner_get(s32 type, s32 nr, struct pid **out)
{
	/* As on Linux any number in use will do, and tells nobody when it is of the wrong kind. */
	*out = pid_find_get(nr);
	return *out ? 0 : -ESRCH;
}

void sigio_owner_put(struct pid *p)
{
	pid_put(p);
}

s32 sigio_owner_nr(struct pid *p, s32 type)
{
	s32 nr;

	spin_lock(&tasklist_lock);
	nr = number_in_use(p, type) ? p->nr : 0;
	spin_unlock(&tasklist_lock);
	return nr;
}

static bool may_signal(struct task *t, const struct sigio *what)
{
	const struct cred *c;
	bool ok;

	if (what->euid == 0)
		return true;
	c = task_cred_get(t);
	if (!c)
		return false;
	ok = what->euid == c->suid || what->euid == c->uid || what->uid == c->suid ||
	     what->uid == c->uid;
	cred_put(c);
	return ok;
}

/* For signals whose own codes mean something else, SI_SIGIO says what it is. */
static s32 code_for(s32 sig, s32 code)
{
	switch (sig) {
	case SIGILL:
	case SIGFPE:
	case SIGSEGV:
	case SIGBUS:
	case SIGTRAP:
	case SIGCHLD:
	case SIGSYS:
		return SI_SIGIO;
	default:
		return code;
	}
}

static void fill_details(siginfo_t *info, const struct sigio *what)
{
	static const u16 bands[] = {
		[POLL_IN] = EPOLLIN | EPOLLRDNORM,
		[POLL_OUT] = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND,
		[POLL_MSG] = EPOLLIN | EPOLLRDNORM | EPOLLMSG,
		[POLL_ERR] = EPOLLERR,
		[POLL_PRI] = EPOLLPRI | EPOLLRDBAND,
		[POLL_HUP] = EPOLLHUP | EPOLLERR,
	};

	siginfo_kernel(info, what->sig);
	info->si_code = code_for(what->sig, what->code);
	info->poll.si_band = bands[what->code];
	info->poll.si_fd = what->fd;
}

/* [T] */
static void send_to(struct task *t, s32 type, const struct sigio *what)
{
	enum signal_to to = type == F_OWNER_TID ? SIGNAL_TO_THREAD : SIGNAL_TO_PROCESS;
	siginfo_t info;

	if (!may_signal(t, what))
		return;
	if (what->sig && what->code) {
		fill_details(&info, what);
		if (signal_send(t, &info, to) != -EAGAIN)
			return;
	}
	siginfo_kernel(&info, what->code ? SIGIO : what->sig);
	(void)!signal_send(t, &info, to);
}

void sigio_send(struct pid *p, s32 type, const struct sigio *what)
{
	struct tgroup *g, *tmp;

	spin_lock(&tasklist_lock);
	if (type != F_OWNER_PGRP) {
		if (number_in_use(p, type))
			send_to(p->task, type, what);
	} else {
		list_for_each_entry_safe (g, tmp, &p->pgrp, pgrp_link)
			if (g->leader)
				send_to(g->leader, type, what);
	}
	spin_unlock(&tasklist_lock);
}
