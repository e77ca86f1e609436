// SPDX-License-Identifier: Apache-2.0
/*
 * notify - inotify: watches on inodes, events in queues
 *
 * Role      The VFS reports through fs/notify.h; sys_event.c makes instances and watches.
 * Rules     A mark belongs to one instance and one inode; inode->marks chains those of an inode. Marks hold no
 *           reference: an inode that goes away ends its marks (IN_DELETE_SELF when its last name is gone, then
 *           IN_IGNORED), an instance that is closed ends its own. An event equal to the last queued one is
 *           dropped; beyond max_queued_events, or without memory for more, one IN_Q_OVERFLOW is queued and the rest
 *           lost. Instances, watches and the memory of queues are charged to the user who made the instance.
 * Locking   notify_lock (RANK_OBJECT_OUTER): all marks, wd tables. in->lock (RANK_OBJECT): the queue.
 *           dcache_lock is taken outside of both to read names.
 * Missing   An inode that only the name cache
 *           keeps in memory may be dropped under memory pressure and its watch with it. fanotify, dnotify.
 * See       inotify(7); tests/unit/notify_test.c
 */
#include "fs/dentry.h"
#include "fs/inotify.h"
#include "fs/notify.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/async.h"
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/strbuf.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/timer.h"
#include "guestkernel/kapi/wait.h"
#include "guestkernel/kapi/xarray.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/ioctl.h"

#define RELEASE_BATCH 64u /* watches taken away between two chances for other tasks */
#define IN_ALWAYS     (IN_IGNORED | IN_Q_OVERFLOW | IN_UNMOUNT)
#define IN_OPTIONS    (IN_EXCL_UNLINK | IN_ONESHOT)

/*
 * INVARIANTS
 * - A mark is in marks of its instance and in the chain of its inode, or in neither: mark_unlink_locked() takes it out of
 *   both under notify_lock, and whoever called that frees it. Nobody keeps a mark beyond notify_lock.
 * - A mark's instance lives: inotify_release() ends all marks before it frees. A mark's inode lives: notify_inode_gone()
 *   ends all marks before the inode is freed, under the same lock; so an event meets a mark or its end, never both.
 * - Work under notify_lock is bounded by the marks of one inode (as many as instances, at most one each) or by
 *   RELEASE_BATCH; taking a mark out costs the same however many others there are.
 * - queued nodes are charged to payer (CHARGE_KMEM), and given back by whoever takes them off the queue. overflow is
 *   kept ready so that a queue that cannot take an event can always say so.
 */
struct inotify {
	struct spinlock lock;
	struct user_account *payer;    /* [I] */
	u64 memory_limit;	       /* [I] of payer's CHARGE_KMEM */
	u32 max_events;		       /* [I] */
	struct list events;	       /* [lock] of inotify_node */
	u32 nr_events;		       /* [lock] */
	u64 bytes;		       /* [lock] as read(2) would return them */
	struct inotify_node *overflow; /* [lock] IN_Q_OVERFLOW while it is not queued */
	struct waitq wq;
	struct async_list async;
	struct ktimer
		async_timer; /* events are queued under locks under which no signal can be sent */
	struct xarray marks; /* [notify_lock] wd -> notify_mark */
	s32 last_wd;	     /* [notify_lock] */
};

struct notify_mark {
	struct notify_mark *next; /* [notify_lock] of the same inode */
	struct notify_mark **at;  /* [notify_lock] what points at this one there */
	struct inode *inode;	  /* [I] */
	struct inotify *owner;	  /* [I] */
	s32 wd;			  /* [I] */
	u32 mask;		  /* [notify_lock] events and IN_OPTIONS */
};

struct inotify_node {
	struct list link;
	u32 name_space; /* bytes of name with padding, 0: none */
	struct inotify_event event;
};

s32 inotify_max_queued_events = 16384;
s32 inotify_max_user_instances = 128;
s32 inotify_max_user_watches = 1048576;
atomic_t notify_nr_marks;
static struct spinlock notify_lock = SPINLOCK_INIT(RANK_OBJECT_OUTER);
static atomic_t cookie_counter;
static const struct file_ops inotify_ops;

u32 notify_next_cookie(void)
{
	return atomic_add(&cookie_counter, 1);
}

/* Queues */

static bool same_event(const struct inotify_node *a, const struct inotify_node *b)
{
	return a->event.wd == b->event.wd && a->event.mask == b->event.mask &&
	       a->event.cookie == b->event.cookie && a->name_space == b->name_space &&
	       memcmp(a->event.name, b->event.name, a->name_space) == 0;
}

static u64 node_bytes(const struct inotify_node *node)
{
	return sizeof *node + node->name_space;
}

static void node_free(struct inotify *in, struct inotify_node *node)
{
	uncharge(in->payer, CHARGE_KMEM, node_bytes(node));
	kfree(node);
}

static void append_locked(struct inotify *in, struct inotify_node *node) REQUIRES(&in->lock)
{
	list_add_tail(&in->events, &node->link);
	in->nr_events++;
	in->bytes += sizeof node->event + node->name_space;
}

/* An event is lost: says so once. True: there is something new to read. */
static bool overflow_locked(struct inotify *in) REQUIRES(&in->lock)
{
	if (!in->overflow)
		return false;
	append_locked(in, in->overflow);
	in->overflow = NULL;
	return true;
}

/* node NULL: there was no memory. *taken: it belongs to the queue now. True: there is something new to read. */
static bool enqueue_locked(struct inotify *in, struct inotify_node *node, bool *taken)
	REQUIRES(&in->lock)
{
	struct inotify_node *last;

	*taken = false;
	if (node && !list_empty(&in->events)) {
		last = list_entry(in->events.prev, struct inotify_node, link);
		if (same_event(last, node))
			return false;
	}
	if (!node || in->nr_events >= in->max_events)
		return overflow_locked(in);
	append_locked(in, node);
	*taken = true;
	return true;
}

static struct inotify_node *node_make(struct inotify *in, u32 space)
{
	u64 bytes = sizeof(struct inotify_node) + space;
	struct inotify_node *node;

	if (charge(in->payer, CHARGE_KMEM, bytes, in->memory_limit))
		return NULL;
	node = kzalloc(bytes);
	if (!node)
		uncharge(in->payer, CHARGE_KMEM, bytes);
	else
		node->name_space = space;
	return node;
}

static void queue_event(struct inotify *in, s32 wd, u32 mask, u32 cookie, const char *name, u32 len)
{
	u32 space = name ? ALIGN_UP(len + 1, (u32)sizeof(struct inotify_event)) : 0;
	struct inotify_node *node = node_make(in, space);
	bool news, taken;

	if (node) {
		node->event.wd = wd;
		node->event.mask = mask;
		node->event.cookie = cookie;
		node->event.len = space;
		if (name)
			memcpy(node->event.name, name, len);
	}
	spin_lock(&in->lock);
	news = enqueue_locked(in, node, &taken);
	spin_unlock(&in->lock);
	if (node && !taken)
		node_free(in, node);
	if (!news)
		return;
	wake_events(&in->wq, EPOLLIN | EPOLLRDNORM);
	if (async_wanted(&in->async))
		ktimer_arm(&in->async_timer, 0);
}

/* Marks */

static void mark_unlink_locked(struct notify_mark *m) REQUIRES(&notify_lock)
{
	*m->at = m->next;
	if (m->next)
		m->next->at = m->at;
	xa_erase(&m->owner->marks, (u64)m->wd);
	uncharge(m->owner->payer, CHARGE_INOTIFY_WATCHES, 1);
	atomic_sub(&notify_nr_marks, 1);
}

static void mark_end_locked(struct notify_mark *m) REQUIRES(&notify_lock)
{
	mark_unlink_locked(m);
	queue_event(m->owner, m->wd, IN_IGNORED, 0, NULL, 0);
	kfree(m);
}

static void tell_locked(struct inode *inode, u32 mask, const char *name, u32 len, u32 cookie,
			bool unlinked) REQUIRES(&notify_lock)
{
	struct notify_mark *m, *next;

	for (m = inode->marks; m; m = next) {
		next = m->next;
		if (!(m->mask & mask & (IN_ALL_EVENTS | IN_UNMOUNT)))
			continue;
		if (unlinked && (m->mask & IN_EXCL_UNLINK))
			continue;
		queue_event(m->owner, m->wd, mask, cookie, name, len);
		if (m->mask & IN_ONESHOT)
			mark_end_locked(m);
	}
}

void notify_inode(struct inode *inode, u32 mask, const char *name, u32 cookie)
{
	if (!notify_active() || !READ_ONCE(inode->marks))
		return;
	spin_lock(&notify_lock);
	tell_locked(inode, mask, name, name ? (u32)strlen(name) : 0, cookie, false);
	spin_unlock(&notify_lock);
}

void notify_inode_gone(struct inode *inode)
{
	spin_lock(&notify_lock);
	if (inode->nlink == 0)
		tell_locked(inode, IN_DELETE_SELF, NULL, 0, 0, false);
	while (inode->marks)
		mark_end_locked(inode->marks);
	spin_unlock(&notify_lock);
}

void notify_dentry(struct dentry *d, u32 mask)
{
	struct inode *inode, *dir;

	spin_lock(&dcache_lock);
	inode = d->inode;
	dir = d->parent != d ? d->parent->inode : NULL;
	if (inode && (READ_ONCE(inode->marks) || (dir && READ_ONCE(dir->marks)))) {
		mask |= inode_is_dir(inode) ? IN_ISDIR : 0;
		spin_lock(&notify_lock);
		if (dir)
			tell_locked(dir, mask, d->name, d->name_len, 0, d->flags & DENTRY_DELETED);
		tell_locked(inode, mask, NULL, 0, 0, false);
		spin_unlock(&notify_lock);
	}
	spin_unlock(&dcache_lock);
}

/* Instances */

static s64 put_event(struct inotify *in, struct iov_cursor *dst, struct inotify_node *node)
{
	u64 n = sizeof node->event + node->name_space;
	int ret = iov_put(dst, &node->event, n);

	if (node->event.mask & IN_Q_OVERFLOW) {
		spin_lock(&in->lock);
		in->overflow = node; /* ready for the next time */
		spin_unlock(&in->lock);
	} else {
		node_free(in, node);
	}
	return ret ? ret : (s64)n;
}

/* Takes the first event that fits in room; NULL with *err 0 when there is none. */
static struct inotify_node *take_locked(struct inotify *in, u64 room, int *err) REQUIRES(&in->lock)
{
	struct inotify_node *node = list_first(&in->events, struct inotify_node, link);
	u64 n;

	if (!node)
		return NULL;
	n = sizeof node->event + node->name_space;
	if (n > room) {
		*err = -EINVAL;
		return NULL;
	}
	list_del(&node->link);
	in->nr_events--;
	in->bytes -= n;
	return node;
}

static s64 inotify_read(struct file *f, struct iov_cursor *dst, s64 *pos)
{
	struct inotify *in = f->priv;
	struct inotify_node *node;
	s64 done = 0, n = 0;
	int err = 0;

	while (n >= 0) {
		spin_lock(&in->lock);
		while (list_empty(&in->events) && !done && !err)
			err = f->flags & O_NONBLOCK ? -EAGAIN : wait_on(&in->wq, &in->lock);
		if (!list_empty(&in->events))
			err = 0;
		node = take_locked(in, iov_left(dst), &err);
		spin_unlock(&in->lock);
		if (!node)
			break;
		n = put_event(in, dst, node);
		if (n > 0)
			done += n;
		else
			err = (int)n;
	}
	return done ? done : err;
}

static u32 inotify_poll(struct file *f, struct poll_table *pt)
{
	struct inotify *in = f->priv;
	u32 mask;

	poll_wait(pt, &in->wq);
	spin_lock(&in->lock);
	mask = list_empty(&in->events) ? 0 : EPOLLIN | EPOLLRDNORM;
	spin_unlock(&in->lock);
	return mask;
}

static s64 inotify_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct inotify *in = f->priv;
	s32 n;

	if (cmd != FIONREAD)
		return -ENOTTY;
	spin_lock(&in->lock);
	n = (s32)MIN(in->bytes, (u64)S32_MAX);
	spin_unlock(&in->lock);
	return put_user(UADDR(arg), n);
}

/* Takes up to RELEASE_BATCH watches away; false: there were none left. */
static bool drop_marks(struct inotify *in)
{
	struct notify_mark *m = NULL;

	spin_lock(&notify_lock);
	for (u32 n = 0; n < RELEASE_BATCH; n++) {
		u64 wd = 0;

		m = xa_find(&in->marks, &wd);
		if (!m)
			break;
		mark_unlink_locked(m);
		kfree(m);
	}
	spin_unlock(&notify_lock);
	return m != NULL;
}

static void inotify_free(struct inotify *in)
{
	if (in->overflow)
		node_free(in, in->overflow);
	charge_release(in->payer, CHARGE_INOTIFY_INSTANCES, 1);
	kfree(in);
}

static void inotify_release(struct file *f)
{
	struct inotify *in = f->priv;
	struct inotify_node *node, *tmp;

	while (drop_marks(in))
		cond_resched();
	ktimer_cancel(&in->async_timer);
	xa_fini(&in->marks);
	list_for_each_entry_safe (node, tmp, &in->events, link)
		node_free(in, node);
	inotify_free(in);
}

/* Watch by watch: nobody waits for a long list. */
static void inotify_show_fdinfo(struct file *f, struct strbuf *sb)
{
	struct inotify *in = f->priv;
	struct notify_mark *m;
	u64 wd = 0;

	do {
		spin_lock(&notify_lock);
		m = xa_find(&in->marks, &wd);
		if (m)
			strbuf_printf(sb, "inotify wd:%x ino:%llx sdev:%x mask:%x ignored_mask:0\n",
				      m->wd, (unsigned long long)m->inode->ino,
				      m->inode->sb ? m->inode->sb->dev : 0, m->mask);
		spin_unlock(&notify_lock);
		if (wd++ % RELEASE_BATCH == 0)
			cond_resched();
	} while (m);
}

static void async_timer_fired(struct ktimer *t)
{
	async_signal(&container_of(t, struct inotify, async_timer)->async, POLL_IN);
}

static struct async_list *inotify_async(struct file *f)
{
	struct inotify *in = f->priv;

	return &in->async;
}

static const struct file_ops inotify_ops = {
	.read = inotify_read,
	.poll = inotify_poll,
	.ioctl = inotify_ioctl,
	.async = inotify_async,
	.release = inotify_release,
	.show_fdinfo = inotify_show_fdinfo,
};

bool file_is_inotify(const struct file *f)
{
	return f->ops == &inotify_ops;
}

int inotify_create(u32 flags, struct file **out)
{
	struct user_account *payer;
	struct inotify *in;
	int ret = charge_current(CHARGE_INOTIFY_INSTANCES, 1,
				 (u64)READ_ONCE(inotify_max_user_instances), &payer);

	if (ret)
		return ret;
	in = knew(struct inotify);
	if (!in) {
		charge_release(payer, CHARGE_INOTIFY_INSTANCES, 1);
		return -ENOMEM;
	}
	in->payer = payer;
	in->memory_limit = charge_kmem_limit();
	in->max_events = (u32)READ_ONCE(inotify_max_queued_events);
	spin_init(&in->lock, RANK_OBJECT);
	list_init(&in->events);
	waitq_init(&in->wq);
	async_init(&in->async);
	ktimer_init(&in->async_timer, async_timer_fired);
	xa_init(&in->marks);
	in->overflow = node_make(in, 0);
	ret = -ENOMEM;
	if (in->overflow) {
		in->overflow->event = (struct inotify_event){ .wd = -1, .mask = IN_Q_OVERFLOW };
		ret = file_create_anon("anon_inode:inotify", 0600, O_RDONLY | (flags & IN_NONBLOCK),
				       &inotify_ops, in, out);
	}
	if (ret)
		inotify_free(in);
	return ret;
}

static int mark_add_locked(struct inotify *in, struct notify_mark *m, struct inode *inode)
	REQUIRES(&notify_lock)
{
	s32 wd = in->last_wd == S32_MAX ? 1 : in->last_wd + 1;
	int ret;

	if (xa_load(&in->marks, (u64)wd))
		return -ENOSPC;
	ret = charge(in->payer, CHARGE_INOTIFY_WATCHES, 1,
		     (u64)READ_ONCE(inotify_max_user_watches));
	if (ret)
		return ret;
	ret = xa_store(&in->marks, (u64)wd, m, NULL);
	if (ret) {
		uncharge(in->payer, CHARGE_INOTIFY_WATCHES, 1);
		return ret;
	}
	in->last_wd = wd;
	m->wd = wd;
	m->inode = inode;
	m->next = inode->marks;
	m->at = &inode->marks;
	if (m->next)
		m->next->at = &m->next;
	inode->marks = m;
	atomic_add(&notify_nr_marks, 1);
	return wd;
}

int inotify_add(struct file *f, struct inode *inode, u32 mask)
{
	struct notify_mark *fresh = knew(struct notify_mark), *m;
	struct inotify *in = f->priv;
	u32 bits = (mask & (IN_ALL_EVENTS | IN_OPTIONS)) | IN_ALWAYS;
	int ret;

	if (!fresh)
		return -ENOMEM;
	fresh->owner = in;
	fresh->mask = bits;
	spin_lock(&notify_lock);
	for (m = inode->marks; m && m->owner != in; m = m->next)
		;
	if (!m) {
		ret = mark_add_locked(in, fresh, inode);
		if (ret > 0)
			fresh = NULL;
	} else if (mask & IN_MASK_CREATE) {
		ret = -EEXIST;
	} else {
		m->mask = mask & IN_MASK_ADD ? m->mask | bits : bits;
		ret = m->wd;
	}
	spin_unlock(&notify_lock);
	kfree(fresh);
	return ret;
}

int inotify_remove(struct file *f, s32 wd)
{
	struct inotify *in = f->priv;
	struct notify_mark *m;

	spin_lock(&notify_lock);
	m = wd > 0 ? xa_load(&in->marks, (u64)wd) : NULL;
	if (m)
		mark_end_locked(m);
	spin_unlock(&notify_lock);
	return m ? 0 : -EINVAL;
}
