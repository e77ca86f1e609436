// SPDX-License-Identifier: Apache-2.0
/*
 * worker - a process that makes random system calls with several threads, and may end at any of them
 *
 * Rules     Calls that end the worker or take its memory away are rare, not absent. Processes it makes have calls to make
 *           as well, and few of them. It may signal itself and its children alone (values.c).
 */
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/fuzz/calls/calls.h"

#define LIFE_S	    6
#define CALLS_MAX   3000
#define FORKS_MAX   6
#define CHILD_CALLS 100
#define MEMORY_MAX  (256ull << 20)
#define FILE_MAX    (4ull << 20)
#define KEEP_FDS    3

static struct worker_opts opts;
static int forks;

/* One in `odds` of these is made; 0: none. */
static const struct {
	int nr;
	unsigned odds;
} rare[] = {
	{SYS_exit,		    50 },
	    { SYS_exit_group,      100},
	       { SYS_rt_sigreturn,	   30 },
	{ SYS_rt_sigsuspend,   10 },
	    { SYS_rt_sigprocmask,  4  },
	       { SYS_seccomp,	      60 },
	{ SYS_execve,	      100},
	    { SYS_execveat,	    100},
	       { SYS_close_range,	  60 },
	{ SYS_setrlimit,	 10 },
	    { SYS_prlimit64,	     4  },
	       { SYS_brk,		  4  },
	{ SYS_reboot,	      0	},
	    { SYS_sched_setattr,	 0  },
	       { SYS_chroot,	     20 },
	{ SYS_ppoll,	     2  },
	    { SYS_wait4,		 4  },
	       { SYS_waitid,	     4  },
	{ SYS_munlockall,	  2  },
	    { SYS_vhangup,	   0  },
	       { SYS_sethostname,	  10 },
	{ SYS_rt_sigtimedwait, 4	 },
#ifdef SYS_arch_prctl
	{ SYS_arch_prctl,	  40 },
	    { SYS_pause,		 40 },
	       { SYS_vfork,	    0  },
#endif
};

static bool is_wanted(int nr)
{
	size_t i;

	for (i = 0; i < sizeof rare / sizeof *rare; i++)
		if (rare[i].nr == nr)
			return rare[i].odds && !below(rare[i].odds);
	return true;
}

/* Mostly inside the memory made for it. */
static void tame_memory(int nr, uint64_t *v)
{
	uint64_t bytes, at = some_pages(&bytes);

	switch (nr) {
	case SYS_mmap:
		if (!below(3)) {
			v[0] = at;
			v[1] = bytes + 4096;
			v[3] |= MAP_FIXED;
		} else {
			v[1] &= 0xffffff;
			v[3] &= ~(uint64_t)MAP_FIXED;
		}
		v[3] |= below(8) ? (below(2) ? MAP_PRIVATE : MAP_SHARED) : 0;
		v[3] |= below(3) ? MAP_ANONYMOUS : 0;
		break;
	case SYS_munmap:
	case SYS_mprotect:
	case SYS_mremap:
	case SYS_madvise:
	case SYS_remap_file_pages:
	case SYS_mlock:
	case SYS_msync:
		if (!below(30))
			return;
		v[0] = at;
		v[1] = bytes;
		if (nr == SYS_mremap)
			v[2] = 4096ull * below(30);
		break;
	}
}

static void tame(int nr, uint64_t *v)
{
	tame_memory(nr, v);
	switch (nr) {
	case SYS_close:
	case SYS_fcntl:
		v[0] += v[0] < KEEP_FDS ? KEEP_FDS : 0;
		break;
	case SYS_dup3:
		v[1] += v[1] < KEEP_FDS ? KEEP_FDS : 0;
		v[1] &= 63;
		break;
	case SYS_ftruncate:
	case SYS_truncate:
		v[1] &= 0xfffff;
		break;
	case SYS_fallocate:
		v[2] &= 0xfffff;
		v[3] &= 0xfffff;
		break;
	case SYS_sched_setscheduler: /* a real-time loop would stop everybody else, and rightly */
		v[1] = below(2) ? SCHED_OTHER : SCHED_BATCH;
		break;
	case SYS_kill: /* -1 is everybody */
	case SYS_tkill:
	case SYS_tgkill:
	case SYS_rt_sigqueueinfo:
	case SYS_rt_tgsigqueueinfo:
	case SYS_ptrace:
	case SYS_process_vm_writev:
	case SYS_setpriority:
	case SYS_pidfd_open:
		if (nr == SYS_setpriority || nr == SYS_ptrace)
			v[1] = value_of(K_PID);
		else
			v[0] = value_of(K_PID);
		for (unsigned i = 0; i < 2; i++)
			if ((int)v[i] == -1 || (int)v[i] < -1)
				v[i] = (uint64_t)getpid();
		break;
	}
}

static void make_calls(unsigned n);

/* Children have a memory of their own, or (as with vfork) end before their parent goes on. */
static void make_child(const struct call *c, uint64_t *v)
{
	struct clone_args args = { .exit_signal = below(4) ? SIGCHLD : below(65) };
	uint64_t which = value_of(K_FLAGS) & ~(uint64_t)(CLONE_VM | CLONE_THREAD | CLONE_SIGHAND |
							 CLONE_VFORK | CLONE_SETTLS);
	uint32_t seed = (uint32_t)random64();
	long pid;

	if (__atomic_add_fetch(&forks, 1, __ATOMIC_RELAXED) > FORKS_MAX)
		return;
	args.flags = which;
	args.parent_tid = args.child_tid = args.pidfd = (uintptr_t)some_memory();
	if (c->nr == SYS_clone3)
		pid = syscall(SYS_clone3, &args, sizeof args);
	else
		pid = syscall(SYS_clone, which | (args.exit_signal & 0xff), NULL, v[2], v[3], 0);
	if (pid > 0)
		children_add((int)pid);
	if (pid)
		return;
	forks = FORKS_MAX;
	alarm(LIFE_S);
	random_seed(seed);
	make_calls(CHILD_CALLS);
	_exit(0);
}

static void trace(const struct call *c, const uint64_t *v)
{
	char line[200];
	int n = snprintf(line, sizeof line, "%d %s(%lx, %lx, %lx, %lx, %lx, %lx)\n",
			 (int)syscall(SYS_gettid), c->name, v[0], v[1], v[2], v[3], v[4], v[5]);

	(void)!write(2, line, (size_t)n);
}

static void make_call(void)
{
	const struct call *c = &calls[below(nr_calls)];
	uint64_t v[6];
	int i;

	if (!is_wanted(c->nr))
		return;
	for (i = 0; i < 6; i++)
		v[i] = i < c->nr_args ? value_of(c->arg[i]) : value_of(K_NUM);
	tame(c->nr, v);
	if (opts.trace)
		trace(c, v);
	if (!strcmp(c->name, "fork") || c->nr == SYS_clone || c->nr == SYS_clone3)
		make_child(c, v);
	else
		syscall(c->nr, v[0], v[1], v[2], v[3], v[4], v[5]);
}

static void make_calls(unsigned n)
{
	while (n--)
		make_call();
}

static void *thread(void *arg)
{
	random_seed(opts.seed * 64 + (uintptr_t)arg);
	make_calls(200 + below(CALLS_MAX));
	return NULL;
}

static void limit(int which, uint64_t n)
{
	const struct rlimit l = { n, n };

	setrlimit(which, &l);
}

static void on_signal(int signo)
{
	(void)signo;
}

static void prepare(void)
{
	int i, null = open("/dev/null", O_RDWR);

	setpgid(0, 0);
	for (i = 1; i < 32; i++)
		if (i != SIGALRM && i != SIGSEGV && i != SIGBUS && i != SIGILL && i != SIGTRAP &&
		    i != SIGSYS)
			signal(i, i == SIGCHLD && below(2) ? SIG_IGN : on_signal);
	dup2(null, 0);
	dup2(null, 1);
	if (!opts.trace)
		dup2(null, 2);
	close(null);
	limit(RLIMIT_AS, MEMORY_MAX);
	limit(RLIMIT_FSIZE, FILE_MAX);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_CPU, LIFE_S);
	null = open("/proc/self/oom_score_adj", O_WRONLY);
	(void)!write(null, "1000", 4);
	close(null);
	if (opts.uid &&
	    (setgroups(0, NULL) || setresgid((gid_t)opts.uid, (gid_t)opts.uid, (gid_t)opts.uid) ||
	     setresuid((uid_t)opts.uid, (uid_t)opts.uid, (uid_t)opts.uid)))
		_exit(3);
	alarm(LIFE_S);
}

_Noreturn void worker_run(const struct worker_opts *o)
{
	pthread_t t;
	unsigned i;

	opts = *o;
	random_seed(o->seed);
	prepare();
	values_start();
	for (i = 1; i < o->threads; i++)
		pthread_create(&t, NULL, thread, (void *)(uintptr_t)i);
	thread(NULL);
	_exit(0);
}
