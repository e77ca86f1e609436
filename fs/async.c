// SPDX-License-Identifier: Apache-2.0
/*
 * async - owners of files, and the signals that tell them a file became ready
 *
 * Role      See guestkernel/kapi/async.h. f->async is made by the first call that says anything about it.
 * Rules     The owner is kept as the object behind the number, so that a number in use again gets no signal;
 *           with it go the IDs of who named it, which are what the permission to send is checked by.
 * Locking   async_lock (RANK_ASYNC, before all other spinlocks: signals are sent under it) covers every list
 *           and every async_owner; f->async is set once.
 * See       fcntl(2), signal(7)
 */
#include "guestkernel/kapi/async.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/atomic.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/file.h"
#include "guestkernel/uapi/fcntl.h"

struct async_owner {
	struct list link;  /* in the object's list, while O_ASYNC is set */
	struct file *file; /* [I] whose f->async this is */
	struct pid *pid;   /* NULL: nobody */
	s32 type;	   /* F_OWNER_* */
	struct sigio what; /* code is filled in when sending */
};

static struct spinlock async_lock = SPINLOCK_INIT(RANK_ASYNC);

static struct async_owner *owner_of(struct file *f)
{
	struct async_owner *o = load_acquire(&f->async), *old = NULL;

	if (o)
		return o;
	o = knew(struct async_owner);
	if (!o)
		return NULL;
	list_init(&o->link);
	o->file = f;
	spin_lock(&async_lock);
	old = f->async;
	if (!old)
		store_release(&f->async, o);
	spin_unlock(&async_lock);
	if (old)
		kfree(o);
	return old ? old : o;
}

static int set_owner(struct file *f, s32 type, s32 nr, bool replace)
{
	struct async_owner *o = owner_of(f);
	const struct cred *c = current_cred();
	struct pid *pid = NULL;
	int ret;

	if (!o)
		return -ENOMEM;
	if (nr) {
		ret = sigio_owner_get(type, nr, &pid);
		if (ret)
			return ret;
	}
	spin_lock(&async_lock);
	if (replace || !o->pid) {
		struct pid *old = o->pid;

		o->pid = pid;
		pid = old;
		o->type = type;
		o->what.uid = c->uid;
		o->what.euid = c->euid;
	}
	spin_unlock(&async_lock);
	if (pid)
		sigio_owner_put(pid);
	return 0;
}

int async_set_owner(struct file *f, s32 type, s32 nr)
{
	return set_owner(f, type, nr, true);
}

void async_default_owner(struct file *f, s32 type, s32 nr)
{
	(void)!set_owner(f, type, nr, false);
}

void async_get_owner(struct file *f, s32 *type, s32 *nr)
{
	struct async_owner *o = load_acquire(&f->async);

	*type = F_OWNER_TID;
	*nr = 0;
	if (!o)
		return;
	spin_lock(&async_lock);
	*type = o->type;
	if (o->pid)
		*nr = sigio_owner_nr(o->pid, o->type);
	spin_unlock(&async_lock);
}

int async_set_signal(struct file *f, s32 sig)
{
	struct async_owner *o = owner_of(f);

	if (!o)
		return -ENOMEM;
	WRITE_ONCE(o->what.sig, sig);
	return 0;
}

s32 async_get_signal(struct file *f)
{
	struct async_owner *o = load_acquire(&f->async);

	return o ? READ_ONCE(o->what.sig) : 0;
}

int async_set(struct file *f, s32 fd, bool on)
{
	struct async_list *l = f->ops->async ? f->ops->async(f) : NULL;
	struct async_owner *o;

	if (!l)
		return -ENOTTY;
	if (!on && !load_acquire(&f->async))
		return 0;
	o = owner_of(f);
	if (!o)
		return -ENOMEM;
	spin_lock(&async_lock);
	o->what.fd = fd;
	list_del(&o->link);
	if (on)
		list_add_tail(&l->entries, &o->link);
	spin_lock(&f->lock);
	WRITE_ONCE(f->flags, on ? f->flags | O_ASYNC : f->flags & ~(u32)O_ASYNC);
	spin_unlock(&f->lock);
	spin_unlock(&async_lock);
	return 0;
}

void async_forget_file(struct file *f)
{
	struct async_owner *o = f->async;

	if (!o)
		return;
	spin_lock(&async_lock);
	list_del(&o->link);
	spin_unlock(&async_lock);
	if (o->pid)
		sigio_owner_put(o->pid);
	f->async = NULL;
	kfree(o);
}

void async_signal_urgent(struct file *f)
{
	struct async_owner *o = load_acquire(&f->async);
	struct sigio what;

	if (!o)
		return;
	spin_lock(&async_lock);
	if (o->pid) {
		what = o->what;
		what.sig = SIGURG;
		what.code = 0;
		sigio_send(o->pid, o->type, &what);
	}
	spin_unlock(&async_lock);
}

static bool concerns(const struct file *f, s32 code)
{
	return (code != POLL_IN || file_can_read(f)) && (code != POLL_OUT || file_can_write(f));
}

void async_signal_slow(struct async_list *l, s32 code)
{
	struct async_owner *o;

	spin_lock(&async_lock);
	list_for_each_entry (o, &l->entries, link) {
		if (!o->pid || !concerns(o->file, code))
			continue;
		o->what.code = code;
		sigio_send(o->pid, o->type, &o->what);
	}
	spin_unlock(&async_lock);
}
