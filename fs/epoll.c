// SPDX-License-Identifier: Apache-2.0
/*
 * epoll - interest sets: a tree of watched files and a list of those that may be ready
 *
 * Role      An epoll file holds items keyed by (file, descriptor number). Each item has wait entries on the
 *           queues its file names; their wake function links the item into the ready list. epoll_wait asks
 *           the listed files again and reports what is true now.
 * Rules     Who may add and free what is under INVARIANTS in epoll_impl.h.
 *           Level-triggered items that were reported go back to the end of the list; at most as many items are
 *           asked per call as were listed at its start.
 *           An event of an item that is listed already still wakes who watches the instance: that is an edge
 *           of its own for edge-triggered watchers, as on Linux.
 * Locking   epoll_nest_lock (RANK_EPOLL_NEST): which instances watch which. mtx (RANK_EPOLL + 4 - level):
 *           tree of items; held while files are asked and user memory is written. lock (RANK_EPOLL_WAKE + 2 *
 *           level): ready list; taken by wake functions under a watched queue's lock. The instance's own queue
 *           ranks one above it.
 * Missing   EPIOCSPARAMS (no busy polling); EPOLLWAKEUP is accepted and has
 *           nothing to keep awake.
 * See       epoll(7), epoll_ctl(2); tests/unit/epoll_test.c
 */
#include "fs/epoll_impl.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/strbuf.h"
#include "guestkernel/uapi/fcntl.h"

#define EP_ALWAYS	(EPOLLERR | EPOLLHUP)
#define EP_PRIVATE	(EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE)
#define WATCH_PART	25 /* of all memory may be one user's items */
#define EP_EXCLUSIVE_OK (EPOLLIN | EPOLLOUT | EP_ALWAYS | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)

struct epoll_table {
	struct poll_table table;
	struct epoll_item *item;
};

static const struct file_ops epoll_ops;

bool file_is_epoll(const struct file *f)
{
	return f->ops == &epoll_ops;
}

/* Ready list; the _locked functions want it->ep->lock held. */

/* True when the item was not listed yet. */
static bool item_list_locked(struct epoll_item *it)
{
	struct epoll *ep = it->ep;

	if (!list_empty(&it->ready_link))
		return false;
	list_add_tail(&ep->ready, &it->ready_link);
	ep->nr_ready++;
	return true;
}

static void item_unlist_locked(struct epoll_item *it)
{
	if (list_empty(&it->ready_link))
		return;
	list_del(&it->ready_link);
	it->ep->nr_ready--;
}

/* Called under the watched queue's lock. */
static bool item_wake(struct wait_entry *w, u32 events)
{
	struct epoll_item *it = container_of(w, struct epoll_hook, wait)->item;
	struct epoll *ep = it->ep;
	bool sleepers;

	spin_lock(&ep->lock);
	if (!(it->events & ~EP_PRIVATE) || (events && !(events & (it->events | EP_ALWAYS)))) {
		spin_unlock(&ep->lock);
		return false;
	}
	item_list_locked(it);
	sleepers = !waitq_is_idle(&ep->wq);
	spin_unlock(&ep->lock);
	if (sleepers)
		wake_one_events(&ep->wq, EPOLLIN | EPOLLRDNORM);
	/* An exclusive watch used up a wake_one() only if somebody was there to take it. */
	return (it->events & EPOLLEXCLUSIVE) && sleepers;
}

static void item_make_ready(struct epoll_item *it)
{
	struct epoll *ep = it->ep;

	spin_lock(&ep->lock);
	item_list_locked(it);
	spin_unlock(&ep->lock);
	wake_one_events(&ep->wq, EPOLLIN | EPOLLRDNORM);
}

/* Hooks on the queues of a watched file */

static void item_hook(struct poll_table *pt, struct waitq *q)
{
	struct epoll_item *it = container_of(pt, struct epoll_table, table)->item;
	struct epoll_hook *h = &it->first;

	if (it->first_used) {
		h = knew(struct epoll_hook);
		if (!h) {
			it->failed = true;
			return;
		}
		h->next = it->more;
		it->more = h;
	}
	it->first_used = true;
	h->item = it;
	h->wait.wake = item_wake;
	h->wait.task = NULL;
	h->wait.exclusive = it->events & EPOLLEXCLUSIVE;
	waitq_add(q, &h->wait);
}

static void item_unhook(struct epoll_item *it)
{
	struct epoll_hook *h;

	if (it->first_used)
		waitq_remove(&it->first.wait);
	while ((h = it->more) != NULL) {
		it->more = h->next;
		waitq_remove(&h->wait);
		kfree(h);
	}
	it->first_used = false;
}

static u32 item_ask(struct epoll_item *it, struct poll_table *pt)
{
	return file_poll(it->file, pt) & (it->events | EP_ALWAYS) & ~EP_PRIVATE;
}

/* Items */

static s32 item_cmp(const struct file *f, s32 fd, const struct epoll_item *it)
{
	if (f != it->file)
		return f < it->file ? -1 : 1;
	return fd < it->fd ? -1 : fd > it->fd;
}

static struct epoll_item *item_find(struct epoll *ep, const struct file *f, s32 fd)
{
	struct rb_node *n = ep->items.node;

	while (n) {
		struct epoll_item *it = rb_entry(n, struct epoll_item, node);
		s32 c = item_cmp(f, fd, it);

		if (c == 0)
			return it;
		n = c < 0 ? n->left : n->right;
	}
	return NULL;
}

static void item_insert(struct epoll *ep, struct epoll_item *it)
{
	struct rb_node **link = &ep->items.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = item_cmp(it->file, it->fd, rb_entry(parent, struct epoll_item, node)) < 0
			       ? &parent->left
			       : &parent->right;
	}
	rb_link(&it->node, parent, link);
	rb_insert_fixup(&ep->items, &it->node);
}

/* mtx held, and epoll_nest_lock when the item watches an instance. Frees it; its file may be freed by others as soon as
 * it is not in the file's list any more. */
static void item_remove(struct epoll_item *it, bool is_dying) NO_LOCK_ANALYSIS
{
	struct epoll *ep = it->ep;

	item_unhook(it);
	if (it->child)
		epoll_graph_unlink(it, is_dying);
	spin_lock(&it->file->lock);
	list_del(&it->file_link);
	spin_unlock(&it->file->lock);
	spin_lock(&ep->lock);
	item_unlist_locked(it);
	spin_unlock(&ep->lock);
	rb_erase(&ep->items, &it->node);
	uncharge(ep->payer, CHARGE_EPOLL_WATCHES, 1);
	kfree(it);
}

/* epoll_ctl */

/* A part of all memory, as Linux. */
static u64 max_watches(void)
{
	static u64 max;
	struct page_stats st;

	if (unlikely(!max)) {
		page_stats(&st);
		max = st.total * PAGE_SIZE / WATCH_PART / sizeof(struct epoll_item);
	}
	return max;
}

static int item_new(struct epoll *ep, struct file *target, s32 fd, const struct epoll_event *ev,
		    struct epoll_item **out)
{
	int ret = charge(ep->payer, CHARGE_EPOLL_WATCHES, 1, max_watches());
	struct epoll_item *it;

	if (ret)
		return ret;
	it = knew(struct epoll_item);
	if (!it) {
		uncharge(ep->payer, CHARGE_EPOLL_WATCHES, 1);
		return -ENOMEM;
	}
	it->ep = ep;
	it->file = target;
	it->fd = fd;
	it->events = ev->events | EP_ALWAYS;
	it->data = ev->data;
	it->child = file_is_epoll(target) ? target->priv : NULL;
	list_init(&it->ready_link);
	list_init(&it->file_link);
	list_init(&it->child_link);
	list_init(&it->parent_link);
	*out = it;
	return 0;
}

/* Not in the set yet. */
static void item_drop(struct epoll_item *it)
{
	uncharge(it->ep->payer, CHARGE_EPOLL_WATCHES, 1);
	kfree(it);
}

/* mtx held; for an instance as target epoll_nest_lock too, and epoll_graph_link() done. Takes over it. */
static int item_add(struct epoll *ep, struct epoll_item *it)
{
	struct epoll_table et = { { item_hook }, it };
	u32 now;

	item_insert(ep, it);
	spin_lock(&it->file->lock);
	it->file->was_watched = true;
	list_add_tail(&it->file->epoll_links, &it->file_link);
	spin_unlock(&it->file->lock);
	now = item_ask(it, &et.table);
	if (it->failed) {
		item_remove(it, false);
		return -ENOMEM;
	}
	if (now)
		item_make_ready(it);
	return 0;
}

/* epoll_nest_lock held. */
static int add_instance(struct epoll *ep, struct epoll_item *it) REQUIRES(&epoll_nest_lock)
{
	int ret = epoll_graph_link(ep, it);

	if (ret) {
		item_drop(it);
		return ret;
	}
	mutex_lock(&ep->mtx);
	if (item_find(ep, it->file, it->fd)) {
		epoll_graph_unlink(it, false);
		item_drop(it);
		ret = -EEXIST;
	} else {
		ret = item_add(ep, it);
	}
	mutex_unlock(&ep->mtx);
	if (ret || epoll_graph_below_ok(it->child))
		return ret;
	/* It is still there: only holders of epoll_nest_lock remove it. */
	mutex_lock(&ep->mtx);
	item_remove(it, false);
	mutex_unlock(&ep->mtx);
	return -EINVAL;
}

/* mtx held. */
static int add_file(struct epoll *ep, struct epoll_item *it)
{
	if (!item_find(ep, it->file, it->fd))
		return item_add(ep, it);
	item_drop(it);
	return -EEXIST;
}

/* epoll_nest_lock held: ep is watched itself. */
static int add_file_below(struct epoll *ep, struct epoll_item *it) REQUIRES(&epoll_nest_lock)
{
	int ret;

	mutex_lock(&ep->mtx);
	ret = add_file(ep, it);
	if (!ret && !epoll_graph_file_ok(it->file)) {
		item_remove(it, false);
		ret = -EINVAL;
	}
	mutex_unlock(&ep->mtx);
	return ret;
}

static int ctl_add(struct epoll *ep, s32 fd, struct file *target, const struct epoll_event *ev)
{
	struct epoll_item *it;
	int ret = item_new(ep, target, fd, ev, &it);

	if (ret)
		return ret;
	if (!it->child) {
		mutex_lock(&ep->mtx);
		/* Who makes ep watched at this moment walks over its items afterwards, with mtx. */
		if (likely(list_empty(&ep->parents))) {
			ret = add_file(ep, it);
			mutex_unlock(&ep->mtx);
			return ret;
		}
		mutex_unlock(&ep->mtx);
	}
	mutex_lock(&epoll_nest_lock);
	ret = it->child ? add_instance(ep, it) : add_file_below(ep, it);
	mutex_unlock(&epoll_nest_lock);
	return ret;
}

static int ctl_mod(struct epoll *ep, struct epoll_item *it, const struct epoll_event *ev)
{
	if (it->events & EPOLLEXCLUSIVE)
		return -EINVAL;
	spin_lock(&ep->lock);
	it->events = ev->events | EP_ALWAYS;
	spin_unlock(&ep->lock);
	it->data = ev->data;
	/* A wake-up before this point was judged by the old mask; the file is asked after the new one is seen. */
	smp_mb();
	if (item_ask(it, NULL))
		item_make_ready(it);
	return 0;
}

static int ctl_check(struct file *epf, u32 op, struct file *target, const struct epoll_event *ev)
{
	if (!file_is_epoll(epf) || epf == target)
		return -EINVAL;
	if (!target->ops->poll)
		return -EPERM;
	if (op == EPOLL_CTL_DEL || !(ev->events & EPOLLEXCLUSIVE))
		return 0;
	if (op == EPOLL_CTL_MOD || file_is_epoll(target) || (ev->events & ~EP_EXCLUSIVE_OK))
		return -EINVAL;
	return 0;
}

static int ctl_change(struct epoll *ep, u32 op, s32 fd, struct file *target,
		      const struct epoll_event *ev)
{
	struct epoll_item *it;
	int ret = 0;

	mutex_lock(&ep->mtx);
	it = item_find(ep, target, fd);
	if (!it)
		ret = -ENOENT;
	else if (op == EPOLL_CTL_DEL)
		item_remove(it, false);
	else
		ret = ctl_mod(ep, it, ev);
	mutex_unlock(&ep->mtx);
	return ret;
}

int epoll_control(struct file *epf, u32 op, s32 fd, struct file *target,
		  const struct epoll_event *ev)
{
	struct epoll *ep = epf->priv;
	int ret = ctl_check(epf, op, target, ev);

	if (ret)
		return ret;
	if (op == EPOLL_CTL_ADD)
		return ctl_add(ep, fd, target, ev);
	if (op != EPOLL_CTL_DEL && op != EPOLL_CTL_MOD)
		return -EINVAL;
	if (!file_is_epoll(target))
		return ctl_change(ep, op, fd, target, ev);
	mutex_lock(&epoll_nest_lock);
	ret = ctl_change(ep, op, fd, target, ev);
	mutex_unlock(&epoll_nest_lock);
	return ret;
}

static void ep_put(struct epoll *ep)
{
	if (!refs_put(&ep->refs))
		return;
	account_put(ep->payer);
	kfree(ep);
}

/* The instance of the first item that watches f, referenced: it drops its items before its last reference. */
static struct epoll *first_watcher(struct file *f)
{
	struct epoll_item *it;
	struct epoll *ep = NULL;

	spin_lock(&f->lock);
	it = list_first(&f->epoll_links, struct epoll_item, file_link);
	if (it) {
		ep = it->ep;
		refs_get(&ep->refs);
	}
	spin_unlock(&f->lock);
	return ep;
}

static void forget(struct file *f)
{
	struct epoll_item *it;
	struct epoll *ep;

	while ((ep = first_watcher(f)) != NULL) {
		mutex_lock(&ep->mtx);
		spin_lock(&f->lock);
		it = list_first(&f->epoll_links, struct epoll_item, file_link);
		spin_unlock(&f->lock);
		/* Still the first? Only holders of its instance's mtx free an item. */
		if (it && it->ep == ep)
			item_remove(it, false);
		mutex_unlock(&ep->mtx);
		ep_put(ep);
		cond_resched();
	}
}

void epoll_forget_file(struct file *f)
{
	if (!file_is_epoll(f)) {
		forget(f);
		return;
	}
	mutex_lock(&epoll_nest_lock);
	forget(f);
	mutex_unlock(&epoll_nest_lock);
}

/* epoll_wait */

/* mtx held. Takes the first listed item off the list. */
static struct epoll_item *ready_pop(struct epoll *ep)
{
	struct epoll_item *it;

	spin_lock(&ep->lock);
	it = list_first(&ep->ready, struct epoll_item, ready_link);
	if (it)
		item_unlist_locked(it);
	spin_unlock(&ep->lock);
	return it;
}

static void ready_put_back(struct epoll_item *it)
{
	spin_lock(&it->ep->lock);
	item_list_locked(it);
	spin_unlock(&it->ep->lock);
}

/* mtx held. After a report: back on the list (level), disabled (one shot), or off (edge). */
static void item_reported(struct epoll_item *it)
{
	spin_lock(&it->ep->lock);
	if (it->events & EPOLLONESHOT)
		it->events &= EP_PRIVATE;
	else if (!(it->events & EPOLLET))
		item_list_locked(it);
	spin_unlock(&it->ep->lock);
}

/* Asks the listed items and stores events. Count or -EFAULT. */
static s64 send_events(struct epoll *ep, uaddr_t out, u32 max)
{
	u32 n = 0, todo;
	int err = 0;

	mutex_lock(&ep->mtx);
	todo = READ_ONCE(ep->nr_ready);
	while (todo-- && n < max && !err) {
		struct epoll_item *it = ready_pop(ep);
		struct epoll_event ev = { 0 };

		if (!it)
			break;
		cond_resched();
		ev.events = it->events & ~EP_PRIVATE ? item_ask(it, NULL) : 0;
		if (!ev.events)
			continue;
		ev.data = it->data;
		err = put_user(uaddr_add(out, n * sizeof ev), ev);
		if (err) {
			ready_put_back(it);
			break;
		}
		n++;
		item_reported(it);
	}
	mutex_unlock(&ep->mtx);
	return n ? (s64)n : err;
}

s64 epoll_wait_events(struct file *epf, uaddr_t out, u32 max, u64 deadline_ns)
{
	struct epoll *ep = epf->priv;
	int err = 0;
	s64 n = 0;

	while (!err) {
		spin_lock(&ep->lock);
		while (list_empty(&ep->ready) && !err) {
			if (deadline_ns == 0)
				err = -ETIMEDOUT;
			else
				err = wait_on_exclusive(&ep->wq, &ep->lock, deadline_ns);
		}
		if (!list_empty(&ep->ready) && err != -ERESTARTSYS)
			err = 0;
		spin_unlock(&ep->lock);
		if (err)
			break;
		n = send_events(ep, out, max);
		if (n)
			break;
		if (deadline_ns == 0)
			err = -ETIMEDOUT;
	}
	/* What is left over belongs to the next sleeper. */
	if (n > 0 && READ_ONCE(ep->nr_ready))
		wake_one_events(&ep->wq, EPOLLIN | EPOLLRDNORM);
	if (n)
		return n;
	return err == -ETIMEDOUT ? 0 : err;
}

/* Ready when an item really is: asks listed items until one says so, drops those that are not. */
static u32 epoll_poll(struct file *f, struct poll_table *pt)
{
	struct epoll *ep = f->priv;
	u32 mask = 0, todo;

	poll_wait(pt, &ep->wq);
	/* With the lock: either the waker sees our entry or we see its item. */
	spin_lock(&ep->lock);
	todo = ep->nr_ready;
	spin_unlock(&ep->lock);
	if (!todo)
		return 0;
	mutex_lock(&ep->mtx);
	todo = READ_ONCE(ep->nr_ready);
	while (todo-- && !mask) {
		struct epoll_item *it = ready_pop(ep);

		if (!it)
			break;
		if ((it->events & ~EP_PRIVATE) && item_ask(it, NULL)) {
			mask = EPOLLIN | EPOLLRDNORM;
			ready_put_back(it);
		}
	}
	mutex_unlock(&ep->mtx);
	return mask;
}

/* Those that watch an instance. Nobody adds one any more; others are removed by the end of what they watch. */
static void drop_edges(struct epoll *ep)
{
	struct epoll_item *it;

	mutex_lock(&epoll_nest_lock);
	mutex_lock(&ep->mtx);
	while ((it = list_first(&ep->children, struct epoll_item, child_link)) != NULL) {
		item_remove(it, true);
		cond_resched();
	}
	mutex_unlock(&ep->mtx);
	mutex_unlock(&epoll_nest_lock);
}

static void epoll_release(struct file *f)
{
	struct epoll *ep = f->priv;
	struct rb_node *n;

	if (!list_empty(&ep->children))
		drop_edges(ep);
	mutex_lock(&ep->mtx);
	while ((n = rb_first(&ep->items)) != NULL) {
		item_remove(rb_entry(n, struct epoll_item, node), true);
		cond_resched();
	}
	mutex_unlock(&ep->mtx);
	ep_put(ep);
}

static void epoll_show_fdinfo(struct file *f, struct strbuf *sb)
{
	struct epoll *ep = f->priv;

	mutex_lock(&ep->mtx);
	for (struct rb_node *n = rb_first(&ep->items); n; n = rb_next(n)) {
		struct epoll_item *it = rb_entry(n, struct epoll_item, node);

		strbuf_printf(sb, "tfd: %8d events: %8x data: %16llx\n", it->fd, it->events,
			      (unsigned long long)it->data);
	}
	mutex_unlock(&ep->mtx);
}

static const struct file_ops epoll_ops = {
	.poll = epoll_poll,
	.release = epoll_release,
	.show_fdinfo = epoll_show_fdinfo,
};

int epoll_create_file(struct file **out)
{
	struct epoll *ep = knew(struct epoll);
	int ret;

	if (!ep)
		return -ENOMEM;
	refs_init(&ep->refs, 1);
	mutex_init(&ep->mtx, RANK_EPOLL);
	spin_init(&ep->lock, RANK_EPOLL_WAKE);
	list_init(&ep->ready);
	waitq_init(&ep->wq);
	ep->payer = account_get(account_current());
	epoll_graph_init(ep);
	ret = file_create_anon("anon_inode:[eventpoll]", 0600, O_RDWR, &epoll_ops, ep, out);
	if (ret)
		ep_put(ep);
	return ret;
}
