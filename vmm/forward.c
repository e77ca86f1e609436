// SPDX-License-Identifier: Apache-2.0
/*
 * forward - a thread that waits for signals
 *
 * Role      See forward.h. What the monitor is sent, the program gets: process 1, or, when a key of the terminal sent it,
 *           the foreground group. SIGTERM becomes the image's stop signal and, with --stop-timeout, starts the clock.
 *           SIGTSTP stops the sandbox with the monitor, and SIGCONT lets both go on, with the terminal as each needs it.
 * Rules     Not forwarded: SIGKILL and SIGSTOP, which cannot be seen (after the latter the process machine runs on
 *           until it needs the monitor); SIGURG, which kicks vCPU threads; SIGPIPE, SIGTTIN, SIGTTOU, SIGCHLD,
 *           SIGXCPU and SIGXFSZ, which are about the monitor itself; SIGABRT and what faults send.
 *           What is ignored when the monitor starts (nohup, jobs of a shell without job control) stays ignored.
 *           Forwarded signals are blocked in every thread, with their default actions: so one of them can be let
 *           through on purpose, to stop (here) or to end (forward_die()) as a program without a sandbox would.
 *           A real-time signal waits until the guest has taken the one before, so that none is lost.
 * Missing   Values and senders of queued signals; inside, the sender is process 0. kill() of the monitor's whole group
 *           looks like one of the monitor alone: only process 1 gets it.
 * See       tests/cli/run.py: signals and ends, job control
 */
#include "vmm/forward.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "vmm/log.h"
#include "vmm/sandbox.h"
#include "vmm/terminal.h"

#define TAKE_TRIES 1000 /* of a millisecond: a guest that takes no signals loses some */

static struct forward_opts opts;
static sigset_t set;  /* [I] what is forwarded */
static uint64_t sent; /* [a] bit n-1: signal n was passed on */
static const int forwarded[] = { SIGHUP,  SIGINT,    SIGQUIT, SIGTERM,	 SIGUSR1,
				 SIGUSR2, SIGALRM,   SIGPROF, SIGVTALRM, SIGIO,
				 SIGPWR,  SIGSTKFLT, SIGCONT, SIGTSTP,	 SIGWINCH };

static void add_to_set(int signo)
{
	struct sigaction sa;

	if (!sigaction(signo, NULL, &sa) && sa.sa_handler != SIG_IGN)
		sigaddset(&set, signo);
}

void forward_block(void)
{
	size_t i;
	int n;

	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(forwarded); i++)
		add_to_set(forwarded[i]);
	for (n = SIGRTMIN; n <= SIGRTMAX; n++)
		add_to_set(n);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
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

static void tell_size(struct vm *vm)
{
	uint16_t rows, cols;

	if (!opts.has_tty)
		return;
	terminal_size(&rows, &cols);
	vm_winsize(vm, rows, cols);
}

/* Where the group is orphaned, the host ignores SIGTSTP, and this is over at once. */
static void suspend(struct vm *vm)
{
	vm_suspend(vm, true);
	terminal_leave();
	let_through(SIGTSTP);
	terminal_again(); /* in the background this stops the monitor once more */
	vm_suspend(vm, false);
	tell_size(vm);
}

static void pass_on(struct vm *vm, const siginfo_t *info)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	int signo = info->si_signo, tries = 0;
	sigset_t none;

	if (signo == SIGTERM)
		signo = opts.stop_signal;
	__atomic_fetch_or(&sent, 1ull << (signo - 1), __ATOMIC_RELAXED);
	if (info->si_code == SI_KERNEL) {
		vm_tty_signal(vm, signo);
		return;
	}
	sigemptyset(&none);
	while (signo >= SIGRTMIN && !vm_signal_is_taken(vm, signo) && tries++ < TAKE_TRIES)
		sigtimedwait(&none, NULL, &ms);
	vm_signal(vm, signo);
}

static void take(struct vm *vm, const siginfo_t *info)
{
	if (info->si_signo == SIGTSTP) {
		suspend(vm);
	} else if (info->si_signo == SIGWINCH && opts.has_tty) {
		tell_size(vm);
	} else {
		if (info->si_signo == SIGCONT)
			terminal_again(); /* after SIGSTOP somebody else had it */
		pass_on(vm, info);
	}
}

static void *forward_thread(void *arg)
{
	struct vm *vm = arg;
	struct timespec stop_at = { 0 }, now, wait = { .tv_sec = 1 };
	siginfo_t info;
	int signo;

	sandbox_filter(SANDBOX_FORWARD);
	for (;;) {
		signo = stop_at.tv_sec ? sigtimedwait(&set, &info, &wait)
				       : sigwaitinfo(&set, &info);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (signo == SIGTERM && opts.has_stop_timeout && !stop_at.tv_sec)
			stop_at.tv_sec = now.tv_sec + (time_t)opts.stop_timeout_s + 1;
		if (signo > 0)
			take(vm, &info);
		if (stop_at.tv_sec && now.tv_sec >= stop_at.tv_sec)
			vm_end(vm, VM_STOPPED, SIGKILL,
			       "stopped: the program did not end within %u s of SIGTERM",
			       opts.stop_timeout_s);
	}
	return NULL;
}

int forward_start(struct vm *vm, const struct forward_opts *o, struct err *e)
{
	pthread_attr_t attr;
	pthread_t thread;
	int ret;

	opts = *o;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	ret = pthread_create(&thread, &attr, forward_thread, vm);
	pthread_attr_destroy(&attr);
	return ret ? err_set_errno(e, ret, "starting the signal thread") : 0;
}

void forward_die(int signo)
{
	if (!(__atomic_load_n(&sent, __ATOMIC_RELAXED) & 1ull << (signo - 1)))
		return;
	fflush(NULL);
	let_through(signo);
}
