// SPDX-License-Identifier: Apache-2.0
/*
 * forward - signals on their way from the caller into the guest
 *
 * Role      See forward.h. What the caller's process is sent, the program gets: process 1, or, when a key of the terminal
 *           sent it, the foreground group. SIGTERM becomes the image's stop signal and, with --stop-timeout, starts the
 *           clock. SIGTSTP, SIGTTIN and SIGTTOU stop the sandbox and then the caller's process, and SIGCONT lets both
 *           go on, with the terminal as each needs it.
 * Rules     A command travels as the value of a queued signal, CARRIER. The locked-in process is in the group that
 *           terminals and shells signal too, but takes nothing else: what is meant once must arrive once. As first
 *           process of its namespace it cannot stop itself either: it stops its machine and says so in *suspended,
 *           then the caller's process stops it, and itself last. When it reads or writes in the background, the host
 *           sends the signal to both, and stream.c tries again.
 *           Not forwarded: SIGKILL and SIGSTOP, which cannot be seen (after the latter the sandbox runs on); SIGURG,
 *           which kicks vCPU threads; SIGPIPE, SIGCHLD, SIGXCPU and SIGXFSZ, which are about the monitor itself;
 *           SIGABRT and what faults send.
 *           What is ignored when the monitor starts (nohup, jobs of a shell without job control) stays ignored.
 *           Forwarded signals are blocked, with their default actions: so one of them can be let through on purpose,
 *           to stop (here) or to end (forward_die()) as a program without a sandbox would.
 *           A real-time signal waits until the guest has taken the one before, so that none is lost.
 * Missing   Values and senders of queued signals; inside, the sender is process 0. kill() of the monitor's whole group
 *           looks like one of the monitor alone: only process 1 gets it.
 * See       tests/cli/run.py: signals and ends, job control
 */
#include "vmm/forward.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vmm/log.h"
#include "vmm/terminal.h"

#define TAKE_TRIES 1000 /* of a millisecond: a guest that takes no signals loses some */
#define CARRIER	   SIGRTMAX

enum command { CMD_SIGNAL = 1, CMD_TTY_SIGNAL, CMD_SIZE, CMD_SUSPEND, CMD_RESUME };

/* In the caller's process. */
static struct {
	pid_t locked_in;
	struct forward_opts opts;
	sigset_t set;  /* what is taken */
	uint64_t sent; /* bit n-1: signal n was passed on */
} caller;

/* In the locked-in process. */
static struct {
	struct forward_opts opts;
	uint32_t *suspended;
} inside;

static const int forwarded[] = { SIGHUP,  SIGINT,    SIGQUIT, SIGTERM,	 SIGUSR1,
				 SIGUSR2, SIGALRM,   SIGPROF, SIGVTALRM, SIGIO,
				 SIGPWR,  SIGSTKFLT, SIGCONT, SIGTSTP,	 SIGWINCH };

static void add_to_set(int signo)
{
	struct sigaction sa;

	if (!sigaction(signo, NULL, &sa) && sa.sa_handler != SIG_IGN)
		sigaddset(&caller.set, signo);
}

void forward_block(void)
{
	size_t i;
	int n;

	sigemptyset(&caller.set);
	for (i = 0; i < ARRAY_SIZE(forwarded); i++)
		add_to_set(forwarded[i]);
	for (n = SIGRTMIN; n <= SIGRTMAX; n++)
		add_to_set(n);
	signal(SIGCHLD, SIG_DFL); /* ignored, it would leave nothing to wait for */
	sigaddset(&caller.set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &caller.set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

void forward_block_terminal(void)
{
	add_to_set(SIGTTIN);
	add_to_set(SIGTTOU);
	sigprocmask(SIG_BLOCK, &caller.set, NULL);
}

/* The default action of a blocked signal, on the whole process; comes back when it was not deadly. */
static void let_through(int signo)
{
	sigset_t one;

	sigemptyset(&one);
	sigaddset(&one, signo);
	pthread_kill(pthread_self(), signo);
	pthread_sigmask(SIG_UNBLOCK, &one, NULL);
	pthread_sigmask(SIG_BLOCK, &one, NULL);
}

static void command(enum command what, uint32_t arg)
{
	const union sigval v = { .sival_ptr = (void *)((uintptr_t)what << 32 | arg) };

	sigqueue(caller.locked_in, CARRIER, v);
}

static void tell_size(void)
{
	uint16_t rows, cols;

	if (!caller.opts.has_tty)
		return;
	terminal_size(&rows, &cols);
	command(CMD_SIZE, (uint32_t)rows << 16 | cols);
}

/* Where it does not answer in time, it is stopped as it is. */
static void wait_until_suspended(uint32_t *suspended)
{
	const struct timespec patience = { .tv_sec = 1 };

	if (!__atomic_load_n(suspended, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, suspended, FUTEX_WAIT, 0, &patience, NULL, 0);
}

/* Where the group is orphaned, the host ignores these signals, and this is over at once. */
static void suspend(int signo, uint32_t *suspended)
{
	sigset_t ttou;

	__atomic_store_n(suspended, 0, __ATOMIC_RELEASE);
	command(CMD_SUSPEND, 0);
	wait_until_suspended(suspended);
	kill(caller.locked_in, SIGSTOP);
	terminal_leave();
	let_through(signo);
	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	sigprocmask(SIG_UNBLOCK, &ttou, NULL);
	terminal_again(); /* in the background this stops the monitor once more */
	sigprocmask(SIG_BLOCK, &ttou, NULL);
	kill(caller.locked_in, SIGCONT);
	command(CMD_RESUME, 0);
	tell_size();
}

static void take(const siginfo_t *info, uint32_t *suspended)
{
	int signo = info->si_signo, as = signo == SIGTERM ? caller.opts.stop_signal : signo;

	if (signo == SIGCHLD)
		return;
	if (signo == SIGTSTP || signo == SIGTTIN || signo == SIGTTOU) {
		suspend(signo, suspended);
	} else if (signo == SIGWINCH && caller.opts.has_tty) {
		tell_size();
	} else {
		if (signo == SIGCONT)
			terminal_again(); /* after SIGSTOP somebody else had it */
		caller.sent |= 1ull << (as - 1);
		command(info->si_code == SI_KERNEL ? CMD_TTY_SIGNAL : CMD_SIGNAL, (uint32_t)signo);
	}
}

int forward_attend(pid_t locked_in, const struct forward_opts *o, uint32_t *suspended)
{
	int status = 0;

	caller.locked_in = locked_in;
	caller.opts = *o;
	for (;;) {
		siginfo_t info;

		if (sigwaitinfo(&caller.set, &info) > 0)
			take(&info, suspended);
		/* Signals of one number become one: whatever came, look. */
		if (waitpid(locked_in, &status, WNOHANG) == locked_in)
			return status;
	}
}

void forward_die(int signo)
{
	if (!(caller.sent & 1ull << (signo - 1)))
		return;
	fflush(NULL);
	let_through(signo);
}

/* The rest runs in the locked-in process. */

static void signal_guest(struct vm *vm, int signo, bool is_tty)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	int tries = 0;
	sigset_t none;

	if (signo == SIGTERM)
		signo = inside.opts.stop_signal;
	if (is_tty) {
		vm_tty_signal(vm, signo);
		return;
	}
	sigemptyset(&none);
	while (signo >= SIGRTMIN && !vm_signal_is_taken(vm, signo) && tries++ < TAKE_TRIES)
		sigtimedwait(&none, NULL, &ms);
	vm_signal(vm, signo);
}

static void suspend_machine(struct vm *vm)
{
	vm_suspend(vm, true);
	__atomic_store_n(inside.suspended, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, inside.suspended, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void obey(struct vm *vm, enum command what, uint32_t arg)
{
	if (what == CMD_SUSPEND)
		suspend_machine(vm);
	else if (what == CMD_RESUME)
		vm_suspend(vm, false);
	else if (what == CMD_SIZE)
		vm_winsize(vm, (uint16_t)(arg >> 16), (uint16_t)arg);
	else if (arg >= 1 && arg <= (uint32_t)SIGRTMAX)
		signal_guest(vm, (int)arg, what == CMD_TTY_SIGNAL);
}

static void *forward_thread(void *arg)
{
	struct vm *vm = arg;
	struct timespec stop_at = { 0 }, now, wait = { .tv_sec = 1 };
	sigset_t set;

	vm_lock_in(vm, SANDBOX_FORWARD, -1);
	sigemptyset(&set);
	sigaddset(&set, CARRIER);
	for (;;) {
		siginfo_t info = { 0 };
		int got = sigtimedwait(&set, &info, stop_at.tv_sec ? &wait : NULL);
		uint64_t v = (uintptr_t)info.si_value.sival_ptr;

		clock_gettime(CLOCK_MONOTONIC, &now);
		if (got > 0 && info.si_code == SI_QUEUE) {
			if (v == ((uint64_t)CMD_SIGNAL << 32 | SIGTERM) &&
			    inside.opts.has_stop_timeout && !stop_at.tv_sec)
				stop_at.tv_sec =
					now.tv_sec + (time_t)inside.opts.stop_timeout_s + 1;
			obey(vm, (enum command)(v >> 32), (uint32_t)v);
		}
		if (stop_at.tv_sec && now.tv_sec >= stop_at.tv_sec)
			vm_end(vm, VM_STOPPED, SIGKILL,
			       "stopped: the program did not end within %u s of SIGTERM",
			       inside.opts.stop_timeout_s);
	}
	return NULL;
}

int forward_start(struct vm *vm, const struct forward_opts *o, uint32_t *suspended, struct err *e)
{
	inside.opts = *o;
	inside.suspended = suspended;
	return vm_thread(vm, forward_thread, vm, "signals", e);
}
