// SPDX-License-Identifier: Apache-2.0
/*
 * pidfd - a file that names a process
 *
 * Rules     Holds the struct pid, so a reused number never refers to another process. Readable when the process is a
 *           zombie or gone (PIDFD_THREAD: when the thread has exited).
 * See       pidfd_open(2)
 */
#include "guestkernel/task/pidfd.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/pidref.h"
#include "guestkernel/kapi/strbuf.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/stat.h"

/* O_EXCL in the file's flags says PIDFD_THREAD, as on Linux. */
static struct pid *pid_of(struct file *f)
{
	return f->priv;
}

static u32 pidfd_poll(struct file *f, struct poll_table *pt)
{
	struct pid *p = pid_of(f);
	u32 mask = 0;

	poll_wait(pt, &p->exit_wait);
	spin_lock(&tasklist_lock);
	if (!p->task)
		mask = EPOLLIN | EPOLLRDNORM | EPOLLHUP;
	else if (p->dead || ((f->flags & PIDFD_THREAD) && p->task->exited))
		mask = EPOLLIN | EPOLLRDNORM;
	spin_unlock(&tasklist_lock);
	return mask;
}

static void pidfd_release(struct file *f)
{
	pid_put(pid_of(f));
}

static void pidfd_show(struct file *f, struct strbuf *sb)
{
	struct pid *p = pid_of(f);
	s32 nr = READ_ONCE(p->task) ? p->nr : -1;

	strbuf_printf(sb, "Pid:\t%d\nNSpid:\t%d\n", nr, nr);
}

static const struct file_ops pidfd_ops = {
	.poll = pidfd_poll,
	.release = pidfd_release,
	.show_fdinfo = pidfd_show,
};

int pidfd_file_create(struct pid *pid, u32 flags, struct file **out)
{
	int r;

	refs_get(&pid->refs);
	r = file_create_anon("anon_inode:[pidfd]", 0700, O_RDWR | flags, &pidfd_ops, pid, out);
	if (r < 0)
		pid_put(pid);
	return r;
}

int pidfd_lookup(s32 fd, struct pid **out, u32 *flags)
{
	struct file *f;
	int r = fd_lookup(fd, &f);

	if (r < 0)
		return r;
	if (f->ops == &pidfd_ops) {
		*out = pid_of(f);
		*flags = f->flags;
		refs_get(&(*out)->refs);
	} else {
		r = -EBADF;
	}
	file_put(f);
	return r;
}

int task_pid_get(struct task *t, struct pid **out)
{
	int r;

	spin_lock(&tasklist_lock);
	*out = pid_lookup(t->tid);
	r = *out && (*out)->task == t ? 0 : -ESRCH;
	if (!r)
		refs_get(&(*out)->refs);
	spin_unlock(&tasklist_lock);
	return r;
}

int pid_task_get(struct pid *pid, struct task **out)
{
	spin_lock(&tasklist_lock);
	*out = pid->task;
	if (*out)
		task_get(*out);
	spin_unlock(&tasklist_lock);
	return *out ? 0 : -ESRCH;
}

/* For objects outside task/ (kapi/pidref.h) */

struct pid *pidref_self(void)
{
	struct pid *p;

	return task_pid_get(current_group()->leader, &p) ? NULL : p;
}

struct pid *pidref_get(struct pid *p)
{
	if (p)
		refs_get(&p->refs);
	return p;
}

void pidref_put(struct pid *p)
{
	if (p)
		pid_put(p);
}

bool pidref_exists(s32 nr)
{
	struct pid *p = pid_find_get(nr);

	if (p)
		pid_put(p);
	return p != NULL;
}

int pidref_open(struct pid *p, struct file **out)
{
	if (!p || !READ_ONCE(p->task))
		return -ESRCH;
	return pidfd_file_create(p, 0, out);
}
