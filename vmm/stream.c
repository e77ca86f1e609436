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
 *           guest was; one that writes is stopped by SIGTTOU where the terminal is set so (stty tostop). The signal
 *           interrupts the call here, and the process outside, which gets it too, does the stopping (forward.c).
 * Locking   All state belongs to the I/O thread.
 */
#include "vmm/vm.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

struct stream {
	struct hyp_ring *ring;
	uint32_t index; /* ours: tail of an output ring, head of stdin's */
	int fd;
	bool is_done; /* EOF delivered, or the reader went away */
};

struct stream_set {
	struct stream s[HYP_STREAMS];
	atomic_bool finish;
	bool tell_stdin; /* [I] the guest kicks when it waits for stdin, which is a terminal */
	bool was_kicked; /* since the guest was last asked whether it waits for stdin; only with tell_stdin */
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

/* A call on a terminal from the background is interrupted; it is made again when the monitor goes on, which may be in
 * the background still. */
static bool was_stopped(struct vm *vm, ssize_t ret, uint32_t resumes)
{
	if (ret >= 0 || errno != EINTR)
		return false;
	vm_wait_resumed(vm, resumes);
	return true;
}

static void output_some(struct vm *vm, struct stream *s)
{
	uint32_t used = output_used(vm, s), at = s->index % HYP_RING_BYTES, n = used;
	uint32_t resumes = vm_resumes(vm);
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
	if (was_stopped(vm, done, resumes))
		return;
	if (done < 0) {
		if (errno != EAGAIN)
			output_broken(vm, s);
		return;
	}
	s->index += (uint32_t)done;
	store_index(&s->ring->tail, s->index);
	if (__atomic_exchange_n(&s->ring->producer_waits, 0, __ATOMIC_SEQ_CST))
		vm_raise(vm, HYP_EVENT_STREAM);
}

static bool output_left(struct vm *vm)
{
	return (!set.s[HYP_STDOUT].is_done && output_used(vm, &set.s[HYP_STDOUT])) ||
	       (!set.s[HYP_STDERR].is_done && output_used(vm, &set.s[HYP_STDERR]));
}

/* The guest may wait for input that a background process will not get: asking for nothing stops us then. What was
 * written before goes out before, so the output is looked at after the wish. */
static void input_wanted(struct vm *vm, struct stream *s)
{
	uint8_t nothing;

	while (set.was_kicked && !s->is_done) {
		uint32_t resumes = vm_resumes(vm);
		bool waits = __atomic_load_n(&s->ring->consumer_waits, __ATOMIC_SEQ_CST);

		if (waits && output_left(vm))
			return;
		if (!waits || !was_stopped(vm, read(s->fd, &nothing, 0), resumes))
			set.was_kicked = false;
	}
}

static void input_some(struct vm *vm, struct stream *s)
{
	uint32_t room = input_room(vm, s), at = s->index % HYP_RING_BYTES, n = room;
	uint32_t resumes = vm_resumes(vm);
	ssize_t got;

	if (n > HYP_RING_BYTES - at)
		n = HYP_RING_BYTES - at;
	if (n == 0)
		return;
	got = read(s->fd, s->ring->data + at, n);
	if (was_stopped(vm, got, resumes) || (got < 0 && errno == EAGAIN))
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
static bool wait_and_move(struct vm *vm, const struct timespec *timeout)
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
	i = ppoll(p, HYP_STREAMS + 1, timeout, NULL);
	if (i <= 0)
		return i < 0; /* interrupted */
	if (p[0].revents && read(vm->kick_fd, &drained, sizeof drained) < 0)
		return true;
	if (p[0].revents)
		set.was_kicked = set.tell_stdin;
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

static void on_background(int signo)
{
	(void)signo; /* the call it interrupts is tried again */
}

/* The host sends these to the whole group when a background process reads or writes; the caller's process then stops
 * both. Where the caller ignores them, reads fail and writes pass, as with any program. */
static void catch_terminal(int signo)
{
	struct sigaction sa;

	if (sigaction(signo, NULL, &sa) || sa.sa_handler == SIG_IGN)
		return;
	sa = (struct sigaction){ .sa_handler = on_background }; /* no SA_RESTART */
	sigaction(signo, &sa, NULL);
}

static void *stream_thread(void *arg)
{
	const struct timespec patience = { .tv_sec = 1 };
	struct vm *vm = arg;
	sigset_t terminal;

	sigemptyset(&terminal);
	sigaddset(&terminal, SIGTTIN);
	sigaddset(&terminal, SIGTTOU);
	pthread_sigmask(SIG_UNBLOCK, &terminal, NULL);
	vm_lock_in(vm, SANDBOX_STREAM, -1);
	while (!atomic_load(&set.finish)) {
		input_wanted(vm, &set.s[HYP_STDIN]);
		ask_for_kicks(vm);
		wait_and_move(vm, NULL);
	}
	set.s[HYP_STDIN].is_done = true;
	/* The CPUs stand still. What a program wrote before it ended waits for its reader; of a sandbox that was
	 * stopped or broken, only what the reader takes now. */
	while (output_left(vm))
		if (!wait_and_move(vm, &patience) && vm->result.kind != VM_EXITED)
			break;
	vm_rest(vm, &vm->has_drained, true);
}

int stream_start(struct vm *vm, struct err *e)
{
	int i;

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
	catch_terminal(SIGTTIN);
	catch_terminal(SIGTTOU);
	return vm_thread(vm, stream_thread, vm, "the streams", e);
}

void stream_stop(struct vm *vm)
{
	uint64_t one = 1;

	atomic_store(&set.finish, true);
	if (write(vm->kick_fd, &one, sizeof one) != sizeof one)
		return;
	pthread_mutex_lock(&vm->lock);
	while (!vm->has_drained)
		pthread_cond_wait(&vm->changed, &vm->lock);
	pthread_mutex_unlock(&vm->lock);
}
