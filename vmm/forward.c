// SPDX-License-Identifier: Apache-2.0
/*
 * forward - a thread that waits for signals
 *
 * Role      See forward.h. SIGTERM becomes the image's stop signal and starts the stop timeout; a third
 *           SIGINT or SIGTERM ends the sandbox at once.
 * Rules     SIGKILL and SIGSTOP cannot be seen; SIGUSR1 belongs to the vCPU threads; SIGPIPE, SIGTTIN and SIGTTOU
 *           belong to the monitor's own I/O.
 */
#include "vmm/forward.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "vmm/log.h"
#include "vmm/sandbox.h"
#include "vmm/terminal.h"

#define INSIST 3

static struct forward_opts opts;
static const int forwarded[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR2, SIGWINCH, SIGALRM };

static void make_set(sigset_t *set)
{
	size_t i;

	sigemptyset(set);
	for (i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaddset(set, forwarded[i]);
}

void forward_block(void)
{
	sigset_t set;

	make_set(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
}

static void pass_on(struct vm *vm, int signo)
{
	uint16_t rows, cols;

	if (signo == SIGWINCH) {
		if (!opts.has_tty)
			return;
		terminal_size(&rows, &cols);
		vm_winsize(vm, rows, cols);
		return;
	}
	vm_signal(vm, signo == SIGTERM ? opts.stop_signal : signo);
}

static void *forward_thread(void *arg)
{
	struct vm *vm = arg;
	struct timespec stop_at = { 0 }, now, wait = { .tv_sec = 1 };
	unsigned insist = 0;
	sigset_t set;
	int signo;

	sandbox_filter(SANDBOX_FORWARD);
	make_set(&set);
	for (;;) {
		signo = stop_at.tv_sec ? sigtimedwait(&set, NULL, &wait) : sigwaitinfo(&set, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (signo > 0) {
			insist += signo == SIGINT || signo == SIGTERM;
			if (signo == SIGTERM && !stop_at.tv_sec)
				stop_at.tv_sec = now.tv_sec + (time_t)opts.stop_timeout_s + 1;
			pass_on(vm, signo);
		}
		if (insist >= INSIST)
			vm_end(vm, VM_STOPPED, SIGKILL,
			       "stopped: the program did not end after %d signals", INSIST);
		else if (stop_at.tv_sec && now.tv_sec >= stop_at.tv_sec)
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
