// SPDX-License-Identifier: Apache-2.0
/*
 * stream - guest end of the byte rings
 *
 * Role      Implements kapi/hoststream.h; fs/hoststream.c builds files and the console on it.
 * Rules     Index protocol and fences: vmm/abi/ring.h. The monitor's numbers are checked: nonsense is a panic, not
 *           memory corruption.
 * Locking   stream->lock serialises this side.
 */
#include "guestkernel/host/stream.h"

#include "arch/mmu.h"
#include "guestkernel/host/boot.h"
#include "guestkernel/host/hyp.h"
#include "guestkernel/kapi/bug.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/poll.h"

struct ring_stream {
	struct host_stream base;
	struct hyp_ring *ring; /* [I] */
	enum hyp_stream which; /* [I] */
};

static struct ring_stream streams[HYP_STREAMS];

static struct ring_stream *ring_stream(struct host_stream *s)
{
	return container_of(s, struct ring_stream, base);
}

static u32 ring_used(const struct hyp_ring *r)
{
	u32 used = load_acquire(&r->head) - load_acquire(&r->tail);

	BUG_ON(used > HYP_RING_BYTES);
	return used;
}

/* Bytes to read; 0 arms the monitor (and re-checks, so that nothing is missed). */
static u32 input_ready(struct hyp_ring *r)
{
	u32 used = ring_used(r);

	if (used)
		return used;
	WRITE_ONCE(r->consumer_waits, 1);
	smp_mb();
	return ring_used(r);
}

static u32 output_room(struct hyp_ring *r)
{
	u32 room = HYP_RING_BYTES - ring_used(r);

	if (room)
		return room;
	WRITE_ONCE(r->producer_waits, 1);
	smp_mb();
	return HYP_RING_BYTES - ring_used(r);
}

static s64 stream_read(struct host_stream *s, void *buf, size_t n)
{
	struct hyp_ring *r = ring_stream(s)->ring;
	bool is_eof = load_acquire(&r->producer_flags) & HYP_RING_EOF;
	u32 used = input_ready(r), at = r->tail % HYP_RING_BYTES, first;

	if (!used && !is_eof && (READ_ONCE(r->producer_flags) & HYP_RING_TELL))
		hyp_kick(1u << HYP_STDIN);
	if (!used)
		return is_eof ? 0 : -EAGAIN;
	n = MIN(n, (size_t)used);
	first = MIN((u32)n, HYP_RING_BYTES - at);
	memcpy(buf, r->data + at, first);
	memcpy((u8 *)buf + first, r->data, n - first);
	store_release(&r->tail, r->tail + (u32)n);
	smp_mb();
	if (READ_ONCE(r->producer_waits)) {
		WRITE_ONCE(r->producer_waits, 0);
		hyp_kick(1u << HYP_STDIN);
	}
	return (s64)n;
}

static s64 stream_write(struct host_stream *s, const void *buf, size_t n)
{
	struct ring_stream *rs = ring_stream(s);
	struct hyp_ring *r = rs->ring;
	u32 room, at = r->head % HYP_RING_BYTES, first;

	if (load_acquire(&r->consumer_flags) & HYP_RING_BROKEN)
		return -EPIPE;
	room = output_room(r);
	if (!room)
		return -EAGAIN;
	n = MIN(n, (size_t)room);
	first = MIN((u32)n, HYP_RING_BYTES - at);
	memcpy(r->data + at, buf, first);
	memcpy(r->data, (const u8 *)buf + first, n - first);
	store_release(&r->head, r->head + (u32)n);
	smp_mb();
	if (READ_ONCE(r->consumer_waits)) {
		WRITE_ONCE(r->consumer_waits, 0);
		hyp_kick(1u << rs->which);
	}
	return (s64)n;
}

static u32 stream_poll(struct host_stream *s, u32 *bytes)
{
	struct ring_stream *rs = ring_stream(s);
	struct hyp_ring *r = rs->ring;
	u32 n, mask = 0;

	if (rs->which == HYP_STDIN) {
		if (load_acquire(&r->producer_flags) & HYP_RING_EOF)
			mask = EPOLLIN | EPOLLHUP;
		n = input_ready(r);
		if (n)
			mask |= EPOLLIN;
	} else {
		if (load_acquire(&r->consumer_flags) & HYP_RING_BROKEN)
			mask = EPOLLERR;
		n = output_room(r);
		if (n)
			mask |= EPOLLOUT;
	}
	if (bytes)
		*bytes = n;
	return mask;
}

static const struct host_stream_ops ring_ops = {
	.read = stream_read,
	.write = stream_write,
	.poll = stream_poll,
};

void stream_init(void)
{
	u32 i;

	for (i = 0; i < HYP_STREAMS; i++) {
		host_stream_init(&streams[i].base, &ring_ops);
		streams[i].which = (enum hyp_stream)i;
		streams[i].ring = (struct hyp_ring *)arch_phys_to_virt(PADDR(boot.rings)) + i;
	}
}

struct host_stream *stream_get(enum hyp_stream which)
{
	return &streams[which].base;
}

void stream_event(void)
{
	u32 i;

	for (i = 0; i < HYP_STREAMS; i++) {
		struct host_stream *s = &streams[i].base;

		wake_events(&s->wq, i == HYP_STDIN ? EPOLLIN : EPOLLOUT);
		if (s->notify)
			s->notify(s);
	}
}
