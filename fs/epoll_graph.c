// SPDX-License-Identifier: Apache-2.0
/*
 * epoll_graph - instances that watch instances: no loops, no depth, no fans
 *
 * Role      epoll_ctl() asks here before and after it makes an edge, and says when one goes.
 * Rules     A wake-up climbs every way from the file to instances nobody watches. So the number of ways of one file
 *           is bounded by length, with Linux' numbers: any number of instances that watch it themselves, then
 *           500, 100, 50 and 10 of the longer ways. What would pass that is taken back with EINVAL.
 *           Each walk visits an instance once: it is marked with the number of the walk. Recursion goes along
 *           levels, so it is at most EPOLL_MAX_LEVEL deep.
 * Locking   epoll_nest_lock for everything. It is a mutex, and walks are cond_resched() points.
 * See       epoll_ctl(2), ELOOP and EINVAL; tests/syscalls/nested.c
 */
#include "fs/epoll_impl.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/wait.h"

struct mutex epoll_nest_lock = MUTEX_INIT(epoll_nest_lock, RANK_EPOLL_NEST);
static u64 walk_nr; /* [nest] */

/* By length; [0] is not limited. */
static const u32 ways_max[EPOLL_MAX_LEVEL + 1] = { U32_MAX, 500, 100, 50, 10 };

/* True when `what` is from or below it. */
static bool reaches(struct epoll *from, const struct epoll *what)
{
	struct epoll_item *it;

	if (from == what)
		return true;
	/* a parent's level is above its children's: what is not higher does not lead there */
	if (from->level <= what->level || from->down_walk == walk_nr)
		return false;
	from->down_walk = walk_nr;
	list_for_each_entry (it, &from->children, child_link) {
		cond_resched();
		if (reaches(it->child, what))
			return true;
	}
	return false;
}

static u32 height_above(struct epoll *ep)
{
	struct epoll_item *it;

	if (ep->up_walk == walk_nr)
		return ep->above;
	ep->up_walk = walk_nr;
	ep->above = 0;
	list_for_each_entry (it, &ep->parents, parent_link) {
		cond_resched();
		ep->above = MAX(ep->above, height_above(it->ep) + 1);
	}
	return ep->above;
}

/* Lock ranks follow the level. A holder of the old rank would only confuse the debug check. */
static void set_level(struct epoll *ep, u32 level)
{
	ep->level = level;
	WRITE_ONCE(ep->mtx.rank, RANK_EPOLL + EPOLL_MAX_LEVEL - level);
	WRITE_ONCE(ep->lock.rank, RANK_EPOLL_WAKE + 2 * level);
	WRITE_ONCE(ep->wq.lock.rank, RANK_EPOLL_WAKE + 2 * level + 1);
}

/* An instance is raised at most EPOLL_MAX_LEVEL times, so this ends soon. */
static void raise(struct epoll *ep, u32 level)
{
	struct epoll_item *it;

	if (ep->level >= level)
		return;
	set_level(ep, level);
	list_for_each_entry (it, &ep->parents, parent_link) {
		cond_resched();
		raise(it->ep, level + 1);
	}
}

void epoll_graph_init(struct epoll *ep)
{
	list_init(&ep->children);
	list_init(&ep->parents);
	set_level(ep, 0);
}

/* A child has gone or sunk. */
static void sink(struct epoll *ep)
{
	struct epoll_item *it;
	u32 level = 0;

	list_for_each_entry (it, &ep->children, child_link) {
		level = MAX(level, it->child->level + 1);
		if (level == ep->level)
			return;
	}
	if (level == ep->level)
		return;
	set_level(ep, level);
	list_for_each_entry (it, &ep->parents, parent_link) {
		cond_resched();
		sink(it->ep);
	}
}

int epoll_graph_link(struct epoll *ep, struct epoll_item *it)
{
	walk_nr++;
	if (reaches(it->child, ep) || it->child->level + 1 + height_above(ep) > EPOLL_MAX_LEVEL)
		return -ELOOP;
	list_add_tail(&ep->children, &it->child_link);
	list_add_tail(&it->child->parents, &it->parent_link);
	raise(ep, it->child->level + 1);
	return 0;
}

void epoll_graph_unlink(struct epoll_item *it, bool is_dying)
{
	list_del(&it->child_link);
	list_del(&it->parent_link);
	if (!is_dying)
		sink(it->ep);
}

/* Adds the ways of `from` to those of `to`, each longer by `more`; false: there are too many. */
static bool add_ways(u32 *to, const u32 *from, u32 more)
{
	for (u32 i = 0; i + more <= EPOLL_MAX_LEVEL; i++) {
		to[i + more] += from[i];
		if (to[i + more] > ways_max[i + more])
			return false;
	}
	return true;
}

/* ep->ways. False: too many already, and the rest is not counted. No break in it: called under a file's lock, and what
 * it goes through is bounded, but for the direct watchers of one instance without a limit of their own. */
static bool count_ways(struct epoll *ep)
{
	struct epoll_item *it;

	if (ep->ways_walk == walk_nr)
		return ep->ways_ok;
	ep->ways_walk = walk_nr;
	ep->ways_ok = true;
	memset(ep->ways, 0, sizeof ep->ways);
	ep->ways[0] = list_empty(&ep->parents);
	list_for_each_entry (it, &ep->parents, parent_link) {
		ep->ways_ok = count_ways(it->ep) && add_ways(ep->ways, it->ep->ways, 1);
		if (!ep->ways_ok)
			break;
	}
	return ep->ways_ok;
}

/* only: the item to check f at; when f is at another item of this walk too, only the first of them does it. */
static bool file_ok(struct file *f, const struct epoll_item *only)
{
	u32 ways[EPOLL_MAX_LEVEL + 1] = { 0 };
	struct epoll_item *it;
	bool ok = true;

	spin_lock(&f->lock);
	list_for_each_entry (it, &f->epoll_links, file_link) {
		if (only && it->ep->down_walk == walk_nr) {
			if (it != only)
				break;
			only = NULL;
		}
		ok = count_ways(it->ep) && add_ways(ways, it->ep->ways, 0);
		if (!ok)
			break;
	}
	spin_unlock(&f->lock);
	return ok;
}

bool epoll_graph_file_ok(struct file *f)
{
	walk_nr++;
	return file_ok(f, NULL);
}

static bool files_ok(struct epoll *ep)
{
	struct epoll_item *it;
	bool ok = true;

	mutex_lock(&ep->mtx);
	for (struct rb_node *n = rb_first(&ep->items); n && ok; n = rb_next(n)) {
		it = rb_entry(n, struct epoll_item, node);
		if (!it->child)
			ok = file_ok(it->file, it);
		cond_resched();
	}
	mutex_unlock(&ep->mtx);
	return ok;
}

static bool below_ok(struct epoll *ep)
{
	struct epoll_item *it;

	if (ep->down_walk == walk_nr)
		return true;
	ep->down_walk = walk_nr;
	if (!files_ok(ep))
		return false;
	list_for_each_entry (it, &ep->children, child_link)
		if (!below_ok(it->child))
			return false;
	return true;
}

bool epoll_graph_below_ok(struct epoll *top)
{
	walk_nr++;
	return below_ok(top);
}
