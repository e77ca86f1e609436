// SPDX-License-Identifier: Apache-2.0
/*
 * stream - the I/O thread: moves bytes between the rings and the monitor's stdin, stdout and stderr
 *
 * Role      Started by vm_run(), stopped after the last vCPU; then drains what the guest left.
 * Rules     Guest memory is hostile: the monitor's own index of each ring lives here, the guest's is loaded once
 *           per look and checked (used <= HYP_RING_BYTES), bytes are copied out before they are written.
 *           Host descriptors stay in the mode we found them (they may be shared with other programs):
 *           writes are cut to PIPE_BUF behind poll(), so that they do not block.
 *           Terminals: a monitor in the background that reads is stopped by SIGTTIN as any program, but after the
 *           guest was; one that writes is stopped by SIGTTOU where the terminal is set so (stty tostop).
 * Locking   All state belongs to the I/O thread.
 */
#include "vmm/vm.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "vmm/sandbox.h"

struct stream {
	struct hyp_ring *ring;
	uint32_t index; /* ours: tail of an output ring, head of stdin's */
	int fd;
	bool is_done; /* EOF delivered, or the reader went away */
};

struct stream_set {
	struct stream s[HYP_STREAMS];
	pthread_t thread;
	atomic_bool finish;
	bool tell_stdin; /* [I] the guest kicks when it waits for stdin, which is a terminal */
};

static struct stream_set set;

static void store_index(uint32_t *p, uint32_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Bytes waiting in an output ring; ends the VM on nonsense. */
static uint32_t output_used(struct vm *vm, struct stream *s)
{
	uint32_t used = __atomic_load_n(&s->ring->head, __ATOMIC_ACQUIRE) - s->index;

	if (used > HYP_RING_BYTES) {
		vm_end(vm, VM_KILL_PROTOCOL, 0,
		       "the guest broke the ring contract: %u bytes in a ring of %u", used,
		       HYP_RING_BYTES);
		s->is_done = true;
		return 0;
	}
	return used;
}

/* Free bytes of stdin's ring; ends the VM on nonsense. */
static uint32_t input_room(struct vm *vm, struct stream *s)
{
	uint32_t used = s->index - __atomic_load_n(&s->ring->tail, __ATOMIC_ACQUIRE);

	if (used > HYP_RING_BYTES) {
		vm_end(vm, VM_KILL_PROTOCOL, 0,
		       "the guest broke the ring contract: %u bytes taken from stdin",
		       (uint32_t)-used);
		s->is_done = true;
		return 0;
	}
	return HYP_RING_BYTES - used;
}

static void output_broken(struct vm *vm, struct stream *s)
{
	s->is_done = true;
	__atomic_fetch_or(&s->ring->consumer_flags, HYP_RING_BROKEN, __ATOMIC_SEQ_CST);
	vm_raise(vm, HYP_EVENT_STREAM);
}

static void output_some(struct vm *vm, struct stream *s)
{
	uint32_t used = output_used(vm, s), at = s->index % HYP_RING_BYTES, n = used;
	uint8_t buf[PIPE_BUF];
	ssize_t done;

	if (n > HYP_RING_BYTES - at)
		n = HYP_RING_BYTES - at;
	if (n > sizeof buf)
		n = sizeof buf;
	if (n == 0)
		return;
	memcpy(buf, s->ring->data + at, n);
	done = write(s->fd, buf, n);
	if (done < 0) {
		if (errno != EINTR && errno != EAGAIN)
			output_broken(vm, s);
		return;
	}
	s->index += (uint32_t)done;
	store_index(&s->ring->tail, s->index);
	if (__atomic_exchange_n(&s->ring->producer_waits, 0, __ATOMIC_SEQ_CST))
		vm_raise(vm, HYP_EVENT_STREAM);
}

/* SIGTTIN is blocked in this thread, so that a background read fails instead of stopping the monitor before the guest
 * is stopped. Reading nothing makes the same check, and waits for no input when we are in front again. False: nobody
 * could continue us (an orphaned group). */
static bool stop_in_background(struct vm *vm)
{
	sigset_t ttin;
	uint8_t nothing;
	ssize_t ret;

	sigemptyset(&ttin);
	sigaddset(&ttin, SIGTTIN);
	vm_suspend(vm, true);
	pthread_sigmask(SIG_UNBLOCK, &ttin, NULL);
	ret = read(STDIN_FILENO, &nothing, 0);
	pthread_sigmask(SIG_BLOCK, &ttin, NULL);
	vm_suspend(vm, false);
	return ret == 0;
}

/* The guest waits for input that a background process will not get. */
static void input_wanted(struct vm *vm, struct stream *s)
{
	uint8_t nothing;

	if (set.tell_stdin && !s->is_done &&
	    __atomic_load_n(&s->ring->consumer_waits, __ATOMIC_SEQ_CST) &&
	    read(s->fd, &nothing, 0) < 0 && errno == EIO)
		stop_in_background(vm);
}

static void input_some(struct vm *vm, struct stream *s)
{
	uint32_t room = input_room(vm, s), at = s->index % HYP_RING_BYTES, n = room;
	ssize_t got;

	if (n > HYP_RING_BYTES - at)
		n = HYP_RING_BYTES - at;
	if (n == 0)
		return;
	got = read(s->fd, s->ring->data + at, n);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got < 0 && errno == EIO && stop_in_background(vm))
		return;
	if (got <= 0) {
		s->is_done = true;
		__atomic_fetch_or(&s->ring->producer_flags, HYP_RING_EOF, __ATOMIC_SEQ_CST);
	} else {
		s->index += (uint32_t)got;
		store_index(&s->ring->head, s->index);
	}
	if (__atomic_exchange_n(&s->ring->consumer_waits, 0, __ATOMIC_SEQ_CST) || got <= 0)
		vm_raise(vm, HYP_EVENT_STREAM);
}

/* Asks the guest for kicks before we sleep. wait_and_move() looks at the indexes again afterwards, so that nothing
 * is missed; a ring that waits for its host descriptor needs no kick. */
static void ask_for_kicks(struct vm *vm)
{
	int i;

	for (i = HYP_STDOUT; i < HYP_STREAMS; i++)
		if (!set.s[i].is_done && !output_used(vm, &set.s[i]))
			__atomic_store_n(&set.s[i].ring->consumer_waits, 1, __ATOMIC_SEQ_CST);
	if (!set.s[HYP_STDIN].is_done && !input_room(vm, &set.s[HYP_STDIN]))
		__atomic_store_n(&set.s[HYP_STDIN].ring->producer_waits, 1, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* False when nothing was ready in time. */
static bool wait_and_move(struct vm *vm, int timeout_ms)
{
	struct pollfd p[HYP_STREAMS + 1] = {
		{.fd = vm->kick_fd, .events = POLLIN}
	};
	uint64_t drained;
	int i;

	for (i = 0; i < HYP_STREAMS; i++) {
		struct stream *s = &set.s[i];
		bool want = !s->is_done &&
			    (i == HYP_STDIN ? input_room(vm, s) != 0 : output_used(vm, s) != 0);

		p[1 + i].fd = want ? s->fd : -1;
		p[1 + i].events = i == HYP_STDIN ? POLLIN : POLLOUT;
	}
	i = poll(p, HYP_STREAMS + 1, timeout_ms);
	if (i <= 0)
		return i < 0; /* interrupted */
	if (p[0].revents && read(vm->kick_fd, &drained, sizeof drained) < 0)
		return true;
	if (p[0].revents)
		input_wanted(vm, &set.s[HYP_STDIN]);
	for (i = 0; i < HYP_STREAMS; i++) {
		if (!p[1 + i].revents)
			continue;
		if (i == HYP_STDIN)
			input_some(vm, &set.s[i]);
		else
			output_some(vm, &set.s[i]);
	}
	return true;
}

static bool output_left(struct vm *vm)
{
	return (!set.s[HYP_STDOUT].is_done && output_used(vm, &set.s[HYP_STDOUT])) ||
	       (!set.s[HYP_STDERR].is_done && output_used(vm, &set.s[HYP_STDERR]));
}

static void *stream_thread(void *arg)
{
	struct vm *vm = arg;

	sandbox_filter(SANDBOX_STREAM);
	while (!atomic_load(&set.finish)) {
		ask_for_kicks(vm);
		wait_and_move(vm, -1);
	}
	set.s[HYP_STDIN].is_done = true;
	/* The CPUs stand still. What a program wrote before it ended waits for its reader; of a sandbox that was
	 * stopped or broken, only what the reader takes now. */
	while (output_left(vm))
		if (!wait_and_move(vm, 1000) && vm->result.kind != VM_EXITED)
			break;
	return NULL;
}

int stream_start(struct vm *vm, struct err *e)
{
	sigset_t all, old;
	int i, ret;

	for (i = 0; i < HYP_STREAMS; i++)
		set.s[i] = (struct stream){ .ring = vm_ring(vm, (enum hyp_stream)i), .fd = i };
	if (!vm->has_stdin) {
		set.s[HYP_STDIN].is_done = true;
		__atomic_fetch_or(&set.s[HYP_STDIN].ring->producer_flags, HYP_RING_EOF,
				  __ATOMIC_SEQ_CST);
	}
	set.tell_stdin = vm->has_stdin && !vm->cfg.start->tty && isatty(STDIN_FILENO);
	if (set.tell_stdin)
		__atomic_fetch_or(&set.s[HYP_STDIN].ring->producer_flags, HYP_RING_TELL,
				  __ATOMIC_SEQ_CST);
	sigfillset(&all);
	sigdelset(&all, SIGTTOU);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(&set.thread, NULL, stream_thread, vm);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ret ? err_set_errno(e, ret, "starting the I/O thread") : 0;
}

void stream_stop(struct vm *vm)
{
	uint64_t one = 1;

	atomic_store(&set.finish, true);
	if (write(vm->kick_fd, &one, sizeof one) != sizeof one)
		return;
	pthread_join(set.thread, NULL);
}
