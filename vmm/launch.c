// SPDX-License-Identifier: Apache-2.0
/*
 * launch - see launch.h
 *
 * Role      The order of a start: namespaces, everything that is opened, memory, boot block, lock-in, threads with their
 *           filters, guest.
 */
#include "vmm/launch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "vmm/machine.h"
#include "vmm/terminal.h"

#define EXIT_SAID 125 /* the report has the reason */

struct launch {
	const struct launch_job *job;
	struct sandbox sandbox;
	struct launch_report *shared;
	int caller_pidfd;
};

/* Asked for again after each change of user or capabilities, which makes the host forget it. */
static int end_with_caller(const struct launch *l, struct err *e)
{
	struct pollfd p = { .fd = l->caller_pidfd, .events = POLLIN };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
		return err_set_errno(e, errno, "asking to end with the caller");
	if (poll(&p, 1, 0) > 0)
		return err_set(e, ESRCH, "the caller has ended");
	return 0;
}

static int run_locked_in(const struct launch *l, struct vm *vm, struct err *e)
{
	struct vm_config config = *l->job->config;
	int ret = end_with_caller(l, e);

	config.sandbox = &l->sandbox;
	if (!ret)
		ret = sandbox_begin(&l->sandbox, e);
	if (!ret)
		ret = vm_create(vm, &config, e);
	if (!ret)
		ret = sandbox_enter(&l->sandbox, e); /* before any thread */
	if (!ret)
		ret = end_with_caller(l, e);
	if (!ret)
		ret = vm_place_fds(vm, e);
	vm->has_stdin = l->job->has_stdin;
	if (!ret)
		ret = forward_start(vm, &l->job->forward, &l->shared->suspended, e);
	if (!ret)
		ret = vm_run(vm, e);
	return ret;
}

static _Noreturn void locked_in(const struct launch *l)
{
	static struct vm vm; /* threads that rest look at it until the process is gone */
	struct launch_report *r = l->shared;
	struct err e = { 0 };

	sandbox_report_refusals(&r->refused_call);
	if (run_locked_in(l, &vm, &e)) {
		r->error = e;
		_exit(EXIT_SAID);
	}
	r->result = vm.result;
	r->exec_errno = vm.exec_errno;
	_exit(0);
}

static void make_printable(char *s, size_t size)
{
	s[size - 1] = 0;
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 127)
			*s = '?';
}

/* *r is a copy of what a hostile process may have written. */
static int judge(int status, struct launch_report *r, struct err *e)
{
	make_printable(r->error.msg, sizeof r->error.msg);
	make_printable(r->result.reason, sizeof r->result.reason);
	if (r->result.nr_frames > HYP_BACKTRACE_MAX)
		r->result.nr_frames = 0;
	if (r->refused_call)
		return err_set(e, EPERM,
			       "internal error: a host system call outside the filter tables was "
			       "refused: number %d",
			       r->refused_call - 1);
	if (WIFSIGNALED(status))
		return err_set(e, EIO, "the process that ran the sandbox was killed by signal %d%s",
			       WTERMSIG(status),
			       WTERMSIG(status) == SIGKILL ? " (out of memory?)" : "");
	if (WEXITSTATUS(status) || r->result.kind <= VM_RUNNING || r->result.kind > VM_STOPPED)
		return err_set(e, r->error.code ? r->error.code : EIO, "%s",
			       *r->error.msg ? r->error.msg : "the sandbox ended without a reason");
	return 0;
}

/* Waits for a child that says in *shared what went wrong. */
static int child_error(pid_t pid, const struct err *shared, struct err *e)
{
	int status;

	if (pid < 0)
		return err_set_errno(e, errno, "forking");
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	*e = *shared;
	if (!WIFEXITED(status))
		return err_set(e, EIO, "locking in: killed by signal %d", WTERMSIG(status));
	return -e->code;
}

static int try_lock_in(struct err *e)
{
	struct sandbox s = { 0 };
	int ret = sandbox_prepare(&s, false, e);
	pid_t pid = ret ? 0 : fork();

	if (ret)
		return ret;
	if (!pid) {
		if (!sandbox_begin(&s, e))
			(void)!sandbox_enter(&s, e);
		_exit(0);
	}
	return child_error(pid, e, &(struct err){ 0 });
}

int launch_check(struct err *e)
{
	struct err *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;
	int ret;

	if (shared == MAP_FAILED)
		return err_set_errno(e, errno, "trying to lock in");
	fflush(NULL);
	pid = fork(); /* what is tried cannot be undone */
	if (!pid) {
		(void)!try_lock_in(shared);
		_exit(0);
	}
	ret = child_error(pid, shared, e);
	munmap(shared, sizeof *shared);
	return ret;
}

static int fork_locked_in(struct launch *l, struct launch_report *out, struct err *e)
{
	pid_t pid;
	int status;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return err_set_errno(e, errno, "forking the process that runs the sandbox");
	if (!pid)
		locked_in(l);
	if (sandbox_stand_by(&l->sandbox, e)) {
		kill(pid, SIGKILL);
		return -e->code;
	}
	status = forward_attend(pid, &l->job->forward, &l->shared->suspended);
	terminal_restore();
	*out = *l->shared;
	return judge(status, out, e);
}

int launch(const struct launch_job *job, struct launch_report *r, struct err *e)
{
	struct launch l = { .job = job };
	int ret = sandbox_prepare(&l.sandbox, job->no_namespaces, e);

	if (ret)
		return ret;
	l.sandbox.machine = job->config->machine->sandbox;
	l.caller_pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	l.shared = mmap(NULL, sizeof *l.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (l.caller_pidfd < 0 || l.shared == MAP_FAILED)
		return err_set_errno(e, errno, "preparing the process that runs the sandbox");
	forward_block();
	if (job->wants_raw_terminal)
		ret = terminal_raw(e);
	forward_block_terminal();
	return ret ? ret : fork_locked_in(&l, r, e);
}
