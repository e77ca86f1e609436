// SPDX-License-Identifier: Apache-2.0
/*
 * pipe - pipes and FIFOs: a ring of page buffers between readers and writers
 *
 * Role      pipe_create() serves pipe2(2); fifo_open() the VFS. Both ends share one struct pipe through f->priv;
 *           f->flags tells the end. splice helpers are in pipe_splice.c.
 * Rules     A write of at most PIPE_BUF bytes is never split by another writer: it goes in under one hold of `wr`. An
 *           appender holds a page reference, so that a reader may drain and drop the buffer meanwhile. For the
 *           rest see INVARIANTS in pipe_impl.h.
 * Locking   rd, wr (RANK_PIPE) serialise readers and writers while they touch user memory; both only by pipe_move(),
 *           in address order; never while asleep for data or room. lock (RANK_OBJECT) covers the ring and
 *           the counts. fifo_lock (RANK_OBJECT_OUTER) covers inode->special and the life of a FIFO's pipe.
 * Missing   O_NOTIFICATION_PIPE; times of the inode are not updated.
 * See       pipe(7), fifo(7); tests/unit/pipe_test.c
 */
#include "fs/pipe_impl.h"
#include "fs/anonfs.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/ioctl.h"
#include "guestkernel/uapi/signal.h"

static struct spinlock fifo_lock = SPINLOCK_INIT(RANK_OBJECT_OUTER);

/* Linux' numbers: beyond USER_PAGES_SOFT a user gets the smallest pipes only, and cannot enlarge any. */
#define USER_PAGES_SOFT 16384u
#define MIN_SLOTS	2u

/* The slots a new pipe gets; they are charged. */
static int slots_charge(struct user_account **payer, u32 *nr)
{
	*nr = PIPE_DEF_SLOTS;
	if (likely(!charge_current(CHARGE_PIPE_PAGES, *nr, charge_limit(USER_PAGES_SOFT), payer)))
		return 0;
	*nr = MIN_SLOTS;
	return charge_current(CHARGE_PIPE_PAGES, *nr, CHARGE_UNLIMITED, payer);
}

static int pipe_alloc(struct pipe **out)
{
	struct user_account *payer;
	struct pipe *p;
	u32 nr;
	int ret = slots_charge(&payer, &nr);

	if (ret)
		return ret;
	p = knew(struct pipe);
	if (!p)
		goto release;
	p->bufs = kcalloc(nr, sizeof *p->bufs);
	if (!p->bufs)
		goto free;
	p->payer = payer;
	p->nr_slots = nr;
	mutex_init(&p->rd, RANK_PIPE);
	mutex_init(&p->wr, RANK_PIPE);
	spin_init(&p->lock, RANK_OBJECT);
	waitq_init(&p->readable);
	waitq_init(&p->writable);
	waitq_init(&p->opened);
	async_init(&p->async);
	*out = p;
	return 0;

free:
	kfree(p);
release:
	charge_release(payer, CHARGE_PIPE_PAGES, nr);
	return -ENOMEM;
}

static void pipe_free(struct pipe *p)
{
	while (!pipe_is_empty(p)) {
		pipe_buf_put(pipe_front(p));
		p->tail++;
	}
	if (p->spare)
		page_put(p->spare);
	charge_release(p->payer, CHARGE_PIPE_PAGES, p->nr_slots);
	kfree(p->bufs);
	kfree(p);
}

void pipe_buf_put(struct pipe_buf *b)
{
	if (b->page)
		page_put(b->page);
	b->page = NULL;
}

/* Removes n bytes of the front buffer; returns a page to put, or NULL. */
struct page *pipe_consume_locked(struct pipe *p, u32 n)
{
	struct pipe_buf *b = pipe_front(p);
	struct page *pg = b->page;

	if (n < b->len) {
		b->off += n;
		b->len -= n;
		return NULL;
	}
	b->page = NULL;
	p->tail++;
	if (pg && !p->spare && (b->flags & PIPE_BUF_CAN_MERGE) && refs_read(&pg->refs) == 1) {
		p->spare = pg;
		return NULL;
	}
	return pg;
}

void pipe_push_locked(struct pipe *p, const struct pipe_buf *b)
{
	p->bufs[p->head++ & (p->nr_slots - 1)] = *b;
}

/* rd held: copies out until the cursor is full, the pipe is empty or a packet ended. *was_full: set when that made
 * room in a full pipe. */
static s64 pipe_copy_out(struct pipe *p, struct iov_cursor *dst, bool *was_full) REQUIRES(&p->rd)
{
	s64 done = 0;

	while (iov_left(dst) && !p->rd_taken) {
		struct pipe_buf b;
		struct page *dead;
		s64 n;

		spin_lock(&p->lock);
		if (pipe_is_empty(p)) {
			spin_unlock(&p->lock);
			break;
		}
		b = *pipe_front(p);
		spin_unlock(&p->lock);
		n = iov_put_some(dst, b.data + b.off, MIN((u64)b.len, iov_left(dst)));
		if (n <= 0)
			return done ? done : (n ? n : -EFAULT);
		done += n;
		spin_lock(&p->lock);
		*was_full |= pipe_is_full(p);
		dead = pipe_consume_locked(p, b.flags & PIPE_BUF_PACKET ? b.len : (u32)n);
		spin_unlock(&p->lock);
		if (dead)
			page_put(dead);
		if (b.flags & PIPE_BUF_PACKET)
			break;
	}
	return done;
}

/* lock held. The front is there for whoever comes: data, or the end of it. */
static bool front_is_settled(const struct pipe *p)
{
	return !p->rd_taken && (!pipe_is_empty(p) || !p->writers);
}

int pipe_wait_data(struct pipe *p, bool nonblock, bool *slept)
{
	int ret = 0;

	spin_lock(&p->lock);
	while (!front_is_settled(p) && !ret) {
		if (nonblock) {
			p->refused |= p->rd_taken;
			ret = -EAGAIN;
		} else {
			*slept = true;
			ret = wait_on_exclusive(&p->readable, &p->lock, NO_DEADLINE);
		}
	}
	if (front_is_settled(p))
		ret = !pipe_is_empty(p);
	spin_unlock(&p->lock);
	return ret;
}

static s64 pipe_read(struct file *f, struct iov_cursor *dst, s64 *pos)
{
	struct pipe *p = f->priv;
	bool was_full = false, slept = false;
	s64 n;

	if (!iov_left(dst))
		return 0;
	do {
		n = pipe_wait_data(p, f->flags & O_NONBLOCK, &slept);
		if (n <= 0)
			return n;
		mutex_lock(&p->rd);
		n = pipe_copy_out(p, dst, &was_full);
		mutex_unlock(&p->rd);
	} while (n == 0); /* another reader was faster */
	if (was_full) {
		wake_one_events(&p->writable, EPOLLOUT | EPOLLWRNORM);
		async_signal(&p->async, POLL_OUT);
	}
	/* We have eaten a wake-up for one reader: what is left is for the next. Who polls has been told already. */
	if (unlikely(slept) && !pipe_is_empty(p))
		wake_one_events(&p->readable, PIPE_WAKE_SLEEPERS);
	return n;
}

static int pipe_get_page(struct pipe *p, struct page **out)
{
	spin_lock(&p->lock);
	*out = p->spare;
	p->spare = NULL;
	spin_unlock(&p->lock);
	return *out ? 0 : page_alloc(PAGE_USER, out);
}

static void pipe_keep_page(struct pipe *p, struct page *pg)
{
	spin_lock(&p->lock);
	if (!p->spare) {
		p->spare = pg;
		pg = NULL;
	}
	spin_unlock(&p->lock);
	if (pg)
		page_put(pg);
}

/* wr held: appends the odd part of a write to the last buffer if it fits as a whole. 0: it does not. */
static s64 pipe_append(struct pipe *p, struct iov_cursor *src) REQUIRES(&p->wr)
{
	u32 want = iov_left(src) & (PAGE_SIZE - 1);
	struct pipe_buf b = { 0 }, *last;
	s64 n;

	if (!want)
		return 0;
	spin_lock(&p->lock);
	if (!pipe_is_empty(p))
		b = *pipe_last(p);
	if (!(b.flags & PIPE_BUF_CAN_MERGE) || b.off + b.len + want > PAGE_SIZE) {
		spin_unlock(&p->lock);
		return 0;
	}
	page_get(b.page);
	spin_unlock(&p->lock);

	n = iov_get_some(src, (char *)b.data + b.off + b.len, want);
	if (n <= 0) {
		page_put(b.page);
		return n ? n : -EFAULT;
	}
	spin_lock(&p->lock);
	last = pipe_is_empty(p) ? NULL : pipe_last(p);
	if (last && last->page == b.page) {
		last->len += (u32)n;
		spin_unlock(&p->lock);
		page_put(b.page);
		return n;
	}
	/* Drained meanwhile: the new bytes become a buffer of their own; it takes over our reference. */
	b.off += b.len;
	b.len = (u32)n;
	pipe_push_locked(p, &b);
	spin_unlock(&p->lock);
	return n;
}

/* wr held: a new buffer with at most one page of data. 0: no slot. */
static s64 pipe_add_page(struct pipe *p, struct iov_cursor *src, bool packet) REQUIRES(&p->wr)
{
	struct pipe_buf b = { .flags = packet ? PIPE_BUF_PACKET : PIPE_BUF_CAN_MERGE };
	bool full;
	s64 n;
	int ret;

	spin_lock(&p->lock);
	full = pipe_is_full(p);
	spin_unlock(&p->lock);
	if (full)
		return 0;
	ret = pipe_get_page(p, &b.page);
	if (ret)
		return ret;
	b.data = page_kaddr(b.page);
	n = iov_get_some(src, (char *)b.data, MIN((u64)PAGE_SIZE, iov_left(src)));
	if (n <= 0) {
		pipe_keep_page(p, b.page);
		return n ? n : -EFAULT;
	}
	b.len = (u32)n;
	spin_lock(&p->lock);
	pipe_push_locked(p, &b);
	spin_unlock(&p->lock);
	return n;
}

/* wr held: as much as there is room for; 0 when there is none. */
static s64 pipe_copy_in(struct pipe *p, struct iov_cursor *src, bool packet) REQUIRES(&p->wr)
{
	s64 done, n;

	if (!READ_ONCE(p->readers))
		return -EPIPE;
	if (unlikely(p->wr_taken))
		return 0;
	done = packet ? 0 : pipe_append(p, src);
	if (done < 0)
		return done;
	while (iov_left(src)) {
		n = pipe_add_page(p, src, packet);
		if (n <= 0)
			return done ? done : n;
		done += n;
	}
	return done;
}

int pipe_wait_room(struct pipe *p, bool nonblock)
{
	int ret = 0;

	spin_lock(&p->lock);
	while ((pipe_is_full(p) || p->wr_taken) && p->readers && !ret) {
		if (nonblock) {
			p->refused |= p->wr_taken;
			ret = -EAGAIN;
		} else {
			ret = wait_on_exclusive(&p->writable, &p->lock, NO_DEADLINE);
		}
	}
	if (!p->readers)
		ret = -EPIPE;
	spin_unlock(&p->lock);
	return ret;
}

static s64 pipe_write(struct file *f, struct iov_cursor *src, s64 *pos)
{
	struct pipe *p = f->priv;
	s64 done = 0, n = 0;

	while (iov_left(src)) {
		mutex_lock(&p->wr);
		n = pipe_copy_in(p, src, f->flags & O_DIRECT);
		mutex_unlock(&p->wr);
		if (n > 0) {
			done += n;
			wake_one_events(&p->readable, EPOLLIN | EPOLLRDNORM);
			async_signal(&p->async, POLL_IN);
		}
		if (n < 0 || !iov_left(src))
			break;
		n = pipe_wait_room(p, f->flags & O_NONBLOCK);
		if (n < 0)
			break;
	}
	if (!waitq_is_idle(&p->writable) && !pipe_is_full(p))
		wake_one_events(&p->writable, PIPE_WAKE_SLEEPERS);
	if (done && n == -EPIPE)
		current_send_signal(SIGPIPE);
	return done ? done : n;
}

static u32 pipe_poll(struct file *f, struct poll_table *pt)
{
	struct pipe *p = f->priv;
	u32 mask = 0;

	if (file_can_read(f))
		poll_wait(pt, &p->readable);
	if (file_can_write(f))
		poll_wait(pt, &p->writable);
	spin_lock(&p->lock);
	if (file_can_read(f)) {
		if (!pipe_is_empty(p) && !p->rd_taken)
			mask |= EPOLLIN | EPOLLRDNORM;
		/* A FIFO opened without a writer has not hung up before one came and went. */
		if (!p->writers && (u32)f->pos != p->w_opens)
			mask |= EPOLLHUP;
	}
	if (file_can_write(f)) {
		if (!pipe_is_full(p) && !p->wr_taken)
			mask |= EPOLLOUT | EPOLLWRNORM;
		if (!p->readers)
			mask |= EPOLLERR;
	}
	if (unlikely(p->rd_taken || p->wr_taken))
		p->refused = true;
	spin_unlock(&p->lock);
	return mask;
}

static s64 pipe_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct pipe *p = f->priv;
	s32 bytes = 0;

	if (cmd != FIONREAD)
		return -ENOTTY;
	spin_lock(&p->lock);
	for (u32 i = p->tail; i != p->head; i++)
		bytes += (s32)p->bufs[i & (p->nr_slots - 1)].len;
	spin_unlock(&p->lock);
	return put_user(UADDR(arg), bytes);
}

static u32 slots_for_bytes(u64 bytes)
{
	u32 slots = 1;

	while ((u64)slots << PAGE_SHIFT < bytes)
		slots <<= 1;
	return slots;
}

/* lock held. Moves the contents to a ring of nr slots; returns the old one. */
static struct pipe_buf *replace_ring_locked(struct pipe *p, struct pipe_buf *ring, u32 nr)
	REQUIRES(&p->lock)
{
	struct pipe_buf *old = p->bufs;
	u32 n = 0;

	for (u32 i = p->tail; i != p->head; i++)
		ring[n++] = old[i & (p->nr_slots - 1)];
	p->bufs = ring;
	p->nr_slots = nr;
	p->tail = 0;
	p->head = n;
	return old;
}

/* wr held. More is charged before, less is given back after. */
static s64 replace_ring(struct pipe *p, struct pipe_buf **ring, u32 slots) REQUIRES(&p->wr)
{
	u32 old = p->nr_slots, more = slots > old ? slots - old : 0;
	s64 ret = 0;

	if (more)
		ret = charge(p->payer, CHARGE_PIPE_PAGES, more, charge_limit(USER_PAGES_SOFT));
	if (ret)
		return ret;
	spin_lock(&p->lock);
	if (p->head - p->tail > slots || p->wr_taken) {
		ret = -EBUSY; /* a splice under way counts on the room it has seen */
	} else {
		*ring = replace_ring_locked(p, *ring, slots);
		ret = (s64)slots << PAGE_SHIFT;
	}
	spin_unlock(&p->lock);
	uncharge(p->payer, CHARGE_PIPE_PAGES, ret < 0 ? more : slots < old ? old - slots : 0);
	return ret;
}

static s64 pipe_set_size(struct pipe *p, u64 bytes)
{
	struct pipe_buf *ring;
	u32 slots;
	s64 ret;

	if (bytes > 1u << 31)
		return -EINVAL;
	slots = slots_for_bytes(bytes);
	if (slots > p->nr_slots && (u64)slots << PAGE_SHIFT > PIPE_MAX_BYTES &&
	    !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	ring = kcalloc(slots, sizeof *ring);
	if (!ring)
		return -ENOMEM;
	mutex_lock(&p->wr);
	ret = replace_ring(p, &ring, slots);
	mutex_unlock(&p->wr);
	kfree(ring);
	if (ret > 0)
		wake_all(&p->writable);
	return ret;
}

static s64 pipe_fcntl(struct file *f, u32 cmd, u64 arg)
{
	struct pipe *p = f->priv;

	switch (cmd) {
	case F_GETPIPE_SZ:
		return (s64)READ_ONCE(p->nr_slots) << PAGE_SHIFT;
	case F_SETPIPE_SZ:
		return pipe_set_size(p, (u32)arg);
	default:
		return -EINVAL;
	}
}

/* Drops one file's ends; frees the pipe with the last. The wake-ups come first: as long as `files` counts this file,
 * nobody else frees the pipe. */
static void pipe_drop(struct pipe *p, u32 flags)
{
	u32 mode = flags & O_ACCMODE;
	bool last;

	spin_lock(&p->lock);
	if (mode != O_WRONLY)
		p->readers--;
	if (mode != O_RDONLY)
		p->writers--;
	spin_unlock(&p->lock);
	wake_events(&p->readable, EPOLLIN | EPOLLRDNORM | EPOLLHUP);
	wake_events(&p->writable, EPOLLOUT | EPOLLWRNORM | EPOLLERR);
	async_signal(&p->async, POLL_IN);
	async_signal(&p->async, POLL_OUT);

	spin_lock(&fifo_lock);
	last = --p->files == 0;
	if (last && p->inode)
		p->inode->special = NULL;
	spin_unlock(&fifo_lock);
	if (last)
		pipe_free(p);
}

static void pipe_release(struct file *f)
{
	pipe_drop(f->priv, f->flags);
}

static struct async_list *pipe_async(struct file *f)
{
	struct pipe *p = f->priv;

	return &p->async;
}

static const struct file_ops pipe_ops = {
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.fcntl = pipe_fcntl,
	.async = pipe_async,
	.release = pipe_release,
};

struct pipe *file_pipe(const struct file *f)
{
	return f->ops == &pipe_ops ? f->priv : NULL;
}

int pipe_create(u32 flags, struct file **rd, struct file **wr)
{
	const struct file_ops *ops[2] = { &pipe_ops, &pipe_ops };
	u32 extra = flags & (O_NONBLOCK | O_DIRECT);
	u32 file_flags[2] = { O_RDONLY | (extra & O_NONBLOCK), O_WRONLY | extra };
	struct file *ends[2];
	struct pipe *p;
	int ret;

	ret = pipe_alloc(&p);
	if (ret)
		return ret;
	p->readers = 1;
	p->writers = 1;
	p->files = 2;
	p->w_opens = 1; /* differs from f->pos: the end of the writers is a hang-up */
	ret = file_create_anon_pair("pipe", S_IFIFO | 0600, file_flags, ops, p, ends);
	if (ret) {
		pipe_free(p);
		return ret;
	}
	/* Opened again through /proc/self/fd it is a FIFO with this pipe. */
	p->inode = ends[0]->inode;
	p->inode->special = p;
	*rd = ends[0];
	*wr = ends[1];
	return 0;
}

/* The pipe of a FIFO inode with one more file on it. */
static int fifo_get_pipe(struct inode *inode, struct pipe **out)
{
	struct pipe *p, *fresh;
	int ret = pipe_alloc(&fresh);

	if (ret)
		return ret;
	spin_lock(&fifo_lock);
	p = inode->special;
	if (!p) {
		p = fresh;
		p->inode = inode;
		p->is_fifo = true;
		inode->special = p;
		fresh = NULL;
	}
	p->files++;
	spin_unlock(&fifo_lock);
	if (fresh)
		pipe_free(fresh);
	*out = p;
	return 0;
}

/* lock held. Sleeps until the other side opens (its counter moves). */
static int fifo_wait_other(struct pipe *p, const u32 *opens) REQUIRES(&p->lock)
{
	u32 seen = *opens;
	int ret = 0;

	while (*opens == seen && !ret)
		ret = wait_on(&p->opened, &p->lock);
	return *opens != seen ? 0 : ret;
}

int fifo_open(struct inode *inode, struct file *f)
{
	u32 mode = f->flags & O_ACCMODE;
	bool nonblock = f->flags & O_NONBLOCK;
	struct pipe *p;
	int ret = fifo_get_pipe(inode, &p);

	if (ret)
		return ret;
	spin_lock(&p->lock);
	if (mode != O_WRONLY) {
		p->readers++;
		p->r_opens++;
	}
	if (mode != O_RDONLY) {
		if (p->is_fifo && mode == O_WRONLY && nonblock && !p->readers)
			ret = -ENXIO;
		p->writers++;
		p->w_opens += !ret;
	}
	spin_unlock(&p->lock);
	if (!ret)
		wake_all(&p->opened);
	spin_lock(&p->lock);
	f->pos = p->writers ? (s64)(u32)(p->w_opens - 1) : (s64)p->w_opens;
	if (!p->is_fifo) {
		f->pos = p->w_opens - 1; /* an anonymous pipe, opened again: nobody to wait for */
	} else if (mode == O_RDONLY && !p->writers && !nonblock) {
		ret = fifo_wait_other(p, &p->w_opens);
		f->pos = (s64)(u32)(p->w_opens - 1);
	} else if (mode == O_WRONLY && !p->readers && !ret) {
		ret = fifo_wait_other(p, &p->r_opens);
	}
	spin_unlock(&p->lock);
	if (ret) {
		pipe_drop(p, f->flags);
		return ret;
	}
	f->ops = &pipe_ops;
	f->priv = p;
	return 0;
}

void fifo_evict(struct inode *inode)
{
	/* Every open file of the FIFO holds the inode, and the last one takes the pipe away. */
	BUG_ON(inode->special);
}
