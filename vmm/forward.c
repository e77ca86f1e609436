// SPDX-License-Identifier: Apache-2.0
/*
 * forward - signals on their way from the caller into the guest
 *
 * Role      See forward.h. SIGTERM becomes the image's stop signal and starts the stop timeout; a third
 *           SIGINT or SIGTERM ends the sandbox at once.
 * Rules     A signal travels as the value of one queued signal, CARRIER. The locked-in process takes nothing else: a
 *           terminal or a shell signals the whole process group, and what is meant once must arrive once. It cannot
 *           stop itself either, as first process of its namespace; the process outside stops it and then itself.
 *           SIGKILL and SIGSTOP cannot be seen; SIGUSR1 inside belongs to the vCPU threads; SIGPIPE, SIGTTIN and
 *           SIGTTOU belong to the monitor's own I/O; what tells of a fault is a fault of the monitor's.
 */
#include "vmm/forward.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "vmm/log.h"
#include "vmm/terminal.h"

#define INSIST	3
#define CARRIER SIGRTMAX

static struct forward_opts opts;
static const int forwarded[] = { SIGHUP,  SIGINT,   SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2,
				 SIGALRM, SIGWINCH, SIGPROF, SIGIO,   SIGPWR,  SIGVTALRM };

static void make_set(sigset_t *set)
{
	size_t i;
	int n;

	sigemptyset(set);
	for (i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaddset(set, forwarded[i]);
	for (n = SIGRTMIN; n <= SIGRTMAX; n++)
		sigaddset(set, n);
	sigaddset(set, SIGCHLD);
	sigaddset(set, SIGTSTP);
}

void forward_block(void)
{
	sigset_t set;

	make_set(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* ignored, it would leave nothing to wait for */
}

static void stop_both(pid_t locked_in)
{
	kill(locked_in, SIGSTOP);
	raise(SIGSTOP);
	kill(locked_in, SIGCONT);
}

int forward_attend(pid_t locked_in)
{
	int status = 0, signo;
	sigset_t set;

	make_set(&set);
	for (;;) {
		signo = sigwaitinfo(&set, NULL);
		if (signo == SIGTSTP)
			stop_both(locked_in);
		else if (signo > 0 && signo != SIGCHLD)
			sigqueue(locked_in, CARRIER, (union sigval){ .sival_int = signo });
		/* Signals of one number become one: whatever came, look. */
		if (waitpid(locked_in, &status, WNOHANG) == locked_in)
			return status;
	}
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

/* What arrived within the time, or 0. */
static int arrived(const struct timespec *timeout)
{
	siginfo_t info = { 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, CARRIER);
	if (sigtimedwait(&set, &info, timeout) < 0 || info.si_code != SI_QUEUE)
		return 0;
	return info.si_value.sival_int >= 1 && info.si_value.sival_int <= SIGRTMAX
		       ? info.si_value.sival_int
		       : 0;
}

static void *forward_thread(void *arg)
{
	struct vm *vm = arg;
	struct timespec stop_at = { 0 }, now, wait = { .tv_sec = 1 };
	unsigned insist = 0;
	int signo;

	vm_lock_in(vm, SANDBOX_FORWARD, -1);
	for (;;) {
		signo = arrived(stop_at.tv_sec ? &wait : NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (signo) {
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
	opts = *o;
	return vm_thread(vm, forward_thread, vm, "signals", e);
}
