// SPDX-License-Identifier: Apache-2.0
/*
 * epoll_impl - instances and items, shared by epoll.c and epoll_graph.c only
 *
 * Locking   See epoll.c.
 */
#pragma once

#include "fs/epoll.h"
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/rbtree.h"

#define EPOLL_MAX_LEVEL 4 /* instances above the first, as Linux */

/*
 * INVARIANTS
 * Item      Added by epoll_ctl() alone, which holds references on both files; key (file, descriptor number). It holds
 *           none itself: the last put of either file removes it. It is freed only with its instance's mtx
 *           held, by epoll_ctl(), by the release of the instance, or by epoll_forget_file() of the watched
 *           file. Its memory, its instance and its file are alive as long as it is in file->epoll_links:
 *           who takes it out does everything with the file and what belongs to it first (queues, child),
 *           and does not look at the file again. A file that ever had an item (file->was_watched) takes its
 *           own lock once more before it is freed, so that this last look is over.
 * Queues    Those a file names in its poll() live until its release returns (kapi/poll.h).
 * Instance  Freed with the last of refs; its items are gone before its file gives up its reference.
 * Graph     An item whose file is an instance is an edge. Edges are added and removed under epoll_nest_lock, so
 *           whoever holds it sees a graph that stands still: without loops, level above the level of all
 *           that is watched, at most EPOLL_MAX_LEVEL. For each watched file that is no instance, the number
 *           of ways up from it is bounded by their length (epoll_graph.c): so is the work of one wake-up.
 */
struct epoll {
	struct refs refs; /* the file's, plus epoll_forget_file() calls under way */
	struct mutex mtx;
	struct rb_root items; /* [mtx] by file, then fd */
	struct spinlock lock;
	struct list ready;	    /* [lock] of epoll_item.ready_link */
	u32 nr_ready;		    /* [lock] */
	struct waitq wq;	    /* epoll_wait sleepers, and who watches this instance */
	struct user_account *payer; /* [I] of the items; NULL: nobody */
	/* [nest] */
	u32 level;	      /* 0: watches no other instance */
	struct list children; /* items that watch an instance: epoll_item.child_link */
	struct list parents;  /* items that watch this instance: epoll_item.parent_link */
	u64 down_walk, up_walk,
		ways_walk; /* the last walk that came by; of the last two: for what is below */
	u32 above;	   /* instances on the longest way up */
	bool ways_ok;	   /* `ways` is complete and within the limits */
	u32 ways[EPOLL_MAX_LEVEL +
		 1]; /* number of ways up to an instance nobody watches, by length */
};

struct epoll_hook {
	struct wait_entry wait;
	struct epoll_hook *next;
	struct epoll_item *item;
};

struct epoll_item {
	struct rb_node node; /* [ep->mtx] */
	struct epoll *ep;    /* [I] */
	struct file *file;   /* [I] not referenced */
	s32 fd;		     /* [I] */
	u32 events;	     /* [ep->lock] wanted; 0 but private bits: disabled by EPOLLONESHOT */
	u64 data;	     /* [ep->mtx] */
	struct list ready_link;		     /* [ep->lock] */
	struct list file_link;		     /* [file->lock] in file->epoll_links */
	struct epoll *child;		     /* [I] file is this instance; NULL: not an instance */
	struct list child_link, parent_link; /* [nest] */
	struct epoll_hook first;	     /* most files name one queue */
	struct epoll_hook *more;	     /* [ep->mtx] */
	bool first_used, failed;	     /* [ep->mtx] */
};

extern struct mutex epoll_nest_lock;

/* Needs no lock: nobody knows ep. */
void epoll_graph_init(struct epoll *ep);
/* All with epoll_nest_lock held. */
/* Records that ep watches it->child; -ELOOP when that is a loop or too deep. */
int must_check epoll_graph_link(struct epoll *ep, struct epoll_item *it) REQUIRES(&epoll_nest_lock);
/* is_dying: nobody watches ep or will. */
void epoll_graph_unlink(struct epoll_item *it, bool is_dying) REQUIRES(&epoll_nest_lock);
/* Whether f has become reachable on too many ways. */
bool epoll_graph_file_ok(struct file *f) REQUIRES(&epoll_nest_lock);
/* The same of all files watched from top or below; holds the mtx of one of them after the other. */
bool epoll_graph_below_ok(struct epoll *top) REQUIRES(&epoll_nest_lock);
