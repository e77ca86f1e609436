// SPDX-License-Identifier: Apache-2.0
/*
 * task - threads, thread groups (processes) and their numbers
 *
 * Role      struct task is one thread, struct tgroup one process, struct pid one number in use as thread,
 *           process group or session. fs/ and net/ never see them (kapi/current.h).
 * Rules     A task is referenced by its number (until it is reaped) and by the scheduler (until its last
 *           switch). A group is referenced by each of its tasks and by its children while they live.
 *           Fields marked [self] are written by the task itself only.
 * Locking   [T] tasklist_lock (RANK_TASKLIST), [S] group->lock (RANK_SIGHAND), [R] run queue lock of
 *           t->cpu, [I] immutable after creation, [a] atomic, [A] task->alloc_lock (RANK_FSCTX): pointers
 *           that other tasks may look at (mm, files, fs, cred).
 */
#pragma once

#include "arch/clock.h"
#include "arch/thread.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/disturb.h"
#include "guestkernel/kapi/defer.h"
#include "guestkernel/kapi/htab.h"
#include "guestkernel/kapi/sigmask.h"
#include "guestkernel/kapi/timer.h"
#include "guestkernel/kapi/wait.h"
#include "guestkernel/task/lockcheck.h"
#include "guestkernel/task/sigset.h"
#include "guestkernel/uapi/prctl.h"
#include "guestkernel/uapi/resource.h"

struct aspace;
struct fdtable;
struct fs_ctx;
struct file;
struct tty_session;
struct posix_timer;
struct ns_set;
struct sem_undo_list;

#define PID_MAX_DEFAULT 32768
#define PID_RESERVED	300

enum task_state {
	TASK_RUNNABLE = 0,
	TASK_SLEEP = 1u << 0,	     /* any signal wakes */
	TASK_SLEEP_KILL = 1u << 1,   /* only a fatal signal wakes */
	TASK_SLEEP_ALWAYS = 1u << 2, /* only wake_task() */
	TASK_STOPPED = 1u << 3,	     /* job control */
	TASK_DEAD = 1u << 4,
	TASK_NEW = 1u << 5,
	TASK_TRACED = 1u << 6, /* its tracer goes on with it, or SIGKILL */
};
#define TASK_WAKE_NORMAL (TASK_SLEEP | TASK_SLEEP_KILL | TASK_SLEEP_ALWAYS)

enum task_work {
	WORK_SIGNAL = 1u << 0,	     /* look at the signal queues */
	WORK_RSEQ = 1u << 1,	     /* switched or signalled since rseq was last written */
	WORK_RESTORE_MASK = 1u << 2, /* saved_blocked becomes blocked (sigsuspend) */
	WORK_KILLED = 1u << 3,	     /* group is exiting or exec removes this thread */
	WORK_MEMBARRIER = 1u << 4,   /* passes through the kernel once */
	WORK_DEFERRED = 1u << 5,     /* releases wait in task.deferred */
	WORK_RESTART = 1u << 6,	     /* a call ends with an error of the kernel's own: deliver.c */
};

/* A number; in the table while anything uses it. */
struct pid {
	struct refs refs;
	s32 nr;			 /* [I] */
	struct task *task;	 /* [T] the thread, NULL after it was reaped */
	struct list pgrp;	 /* [T] tgroup.pgrp_link of members */
	u32 nr_session;		 /* [T] groups in the session */
	struct tty_session *tty; /* [T] controlling terminal of the session */
	struct waitq exit_wait;	 /* pidfd pollers */
	bool dead;		 /* [T] the process became a zombie */
};

struct tgroup {
	struct refs refs;
	s32 tgid;		       /* [I] */
	s32 ppid;		       /* [T], read anywhere: number of the parent */
	struct task *leader;	       /* [T] */
	struct list threads;	       /* [T] task.thread_link */
	u32 nr_threads;		       /* [T and S for writing] not yet exited */
	atomic_t live;		       /* threads that have not begun to exit */
	struct tgroup *parent;	       /* [T] */
	struct list children, sibling; /* [T] */
	struct pid *pgrp, *session;    /* [T] */
	struct list pgrp_link;	       /* [T] */
	bool zombie;		       /* [T] all threads have exited, parent may reap */
	bool subreaper, has_subreaper; /* [T] */
	bool did_exec;		       /* [T] setpgid() by the parent is no longer allowed */
	bool is_init;		       /* [I] process 1: unhandled signals are ignored */
	s32 exit_signal;	       /* [T] to the parent; 0 none */
	s32 exit_code;		       /* [S] wait status, valid when exiting */
	s32 pdeath_signal;	       /* [self] */
	s32 parent_tid;		       /* [T] thread that created us */
	struct waitq child_wait;       /* wait4() of our threads; condition under tasklist_lock */

	struct spinlock lock;	     /* RANK_SIGHAND */
	struct sighand *sighand;     /* [S] replaced by exec */
	struct sigqueue_head shared; /* [S] */
	struct waitq *
		signal_wait; /* [I] readers and pollers of signalfds; one of signalfd.c's, never freed */
	bool exiting;	     /* [S] exit_group or fatal signal */
	struct task *exec_task;		       /* [S] thread that removes the others */
	bool stop_pending;		       /* [S] threads are to stop */
	bool stopped;			       /* [S] all have */
	bool stop_unreported, cont_unreported; /* [S] for wait4() */
	bool notify_cont;		       /* [S] somebody has to tell the parent */
	bool init_may_die;     /* [S] process 1 was killed by a fault or by the monitor */
	u32 nr_stopped;	       /* [S] */
	u32 nr_forking;	       /* [S] threads inside clone() */
	u32 nr_traced;	       /* [T and S for writing] threads with a tracer */
	u32 nr_trace_zombies;  /* [T] exited threads that their tracers have not waited for */
	sigset_t fork_signals; /* [S] sent to several processes since; the children get them too */
	s32 stop_signal;       /* [S] */
	struct waitq thread_wait; /* exec waits for the other threads to go */
	struct task *last_target; /* [S] rotates delivery of process signals */

	struct rlimit rlim[RLIM_NLIMITS]; /* [S] for writing */
	/* of exited threads, and of reaped children */
	u64 utime_ns, stime_ns, cutime_ns, cstime_ns; /* [T] */
	u64 nvcsw, nivcsw, cnvcsw, cnivcsw;	      /* [T] */
	u64 min_flt, maj_flt, cmin_flt, cmaj_flt;     /* [T] */
	u64 maxrss_kb, cmaxrss_kb;		      /* [T] */
	u64 start_ns;				      /* [I] */
	struct itimer {
		struct ktimer timer;
		u64 interval_ns, deadline_ns; /* CPU clocks: in CPU time */
	} itimer[3];			      /* [S] */
	struct list posix_timers;	      /* [S] */
	u32 next_timer_id;		      /* [S] */
	bool cpu_timers;		      /* [S] something watches CPU time */
	s32 cpu_timer_told;		      /* [S] thread that got the last signal about it */
	struct ktimer cpu_timer;	      /* looks at CPU time again */
	u32 rlimit_cpu_warned_s;	      /* [S] */
	s32 oom_score_adj;
	u32 core_filter;	  /* which memory a core file would hold; kept for whoever asks */
	struct mutex timer_mutex; /* RANK_EXEC: setting itimers and POSIX timers */
	u32 personality;	  /* [self] */
};

struct rseq_state {
	u64 ua; /* 0: not registered */
	u32 len, sig;
};

/* How a traced thread goes on. */
enum trace_resume {
	TRACE_CONT,
	TRACE_SYSCALL, /* to the next begin or end of a system call */
	TRACE_STEP,
	TRACE_SYSEMU, /* to the next system call, which is not made */
	TRACE_SYSEMU_STEP,
};

/* ptrace(2); see ptrace.c. */
struct trace {
	struct list tracees; /* [T] trace.link of those this thread traces */
	struct list link;    /* [T] */
	struct task *tracer; /* [T and S for writing] NULL: none; alive while set */
	const struct cred
		*cred;	/* [S] of the tracer when it began: what exec may give is judged by it */
	u32 options;	/* [S] PTRACE_O_* */
	bool seized;	/* [S] by PTRACE_SEIZE */
	bool zombie;	/* [T] exited, kept for its tracer; not the leader */
	bool trap_stop; /* [S] stops on its next way to user mode: with the group, or interrupted */
	bool trap_notify;  /* [S] the same, because its group was continued */
	bool stay_stopped; /* [S] let go of while its group is stopped */
	bool listening;	   /* [S] stopped, but not to be told what to do (PTRACE_LISTEN) */
	bool unreported;   /* [S] wait4() has news */
	bool has_info;	   /* [S] info says why it is stopped */
	bool is_stepping;  /* [self] */
	bool end_is_seen;  /* [self] in a call whose end is looked at anyway */
	bool end_is_due;   /* [self] resumed inside a call so that its end is a stop */
	u8 resume;	   /* [S] while stopped, [self] else: enum trace_resume */
	s32 code;	   /* [S] while stopped: status >> 8; then the signal to go on with */
	u64 message;	   /* [S] PTRACE_GETEVENTMSG */
	siginfo_t *info;   /* [S] while stopped: of the stopped task's stack */
};

/* seccomp(2); see seccomp.h. */
struct seccomp {
	u8 mode;		       /* [T and S for writing] SECCOMP_MODE_* */
	struct seccomp_filter *filter; /* [T and S for writing] the newest */
};

struct task {
	struct arch_thread thread; /* first: offsets known to assembly */
	u32 work;		   /* [a] enum task_work */
	u32 state;   /* [a] enum task_state, changes under [R] except by the task itself */
	u32 nofault; /* [self] faults on user memory are not resolved */
	s32 tid;     /* [I] changes only in exec of a thread */
	struct refs refs;

	/* scheduler */
	u32 cpu;		  /* [R] */
	bool on_rq;		  /* [R] */
	bool on_cpu;		  /* [a] its stack is in use */
	bool is_idle, is_kthread; /* [I] */
	bool must_move; /* [self] runnable, but no longer allowed here: queued elsewhere after the switch */
	s8 nice;	/* [R] */
	u8 policy;	/* [R] SCHED_* */
	u8 rt_priority; /* [R] */
	bool reset_on_fork;
	struct list rq_link;		  /* [R] */
	u64 vruntime;			  /* [R] ns scaled by weight */
	u64 exec_start_ns, slice_used_ns; /* [R] */
	u64 runtime_ns, stime_ns;	  /* [R]; stime_ns also [self] */
	u64 kernel_since_ns; /* [self] on this CPU since then for a system call or fault; 0: not timed */
	u32 quick_nr,
		quick_skipped; /* [self] number + 1 of the last timed call; the same since, not timed */
	u64 affinity;	       /* [R] CPU bit mask */
	u64 nvcsw, nivcsw;
	u64 min_flt, maj_flt; /* [self] counted by mm */
	u64 wait_chan;	      /* wait queue asleep on, for wchan */
	void *kstack;	      /* top; NULL after the last switch away from it */

	/* identity */
	struct tgroup *group;	  /* [I] */
	struct pid *pid;	  /* [T] */
	struct list thread_link;  /* [T] */
	char comm[TASK_COMM_LEN]; /* [A] */
	u64 start_ns;		  /* [I] */
	bool exited;		  /* [T] */
	s32 exit_code;		  /* [self] */

	/* resources */
	struct spinlock alloc_lock;	/* RANK_FSCTX */
	struct aspace *mm;		/* [A] */
	struct fdtable *files;		/* [A] */
	struct fs_ctx *fs;		/* [A] */
	const struct cred *cred;	/* [A] */
	struct ns_set *ns;		/* [A] */
	struct sem_undo_list *sem_undo; /* [self] */

	/* signals */
	sigset_t blocked;	      /* [self], changed under [S] */
	sigset_t saved_blocked;	      /* [self] */
	sigset_t wait_set;	      /* [S] sigtimedwait: signals that wake though blocked */
	struct vfork_done *vfork;     /* [self] the parent waits until we exec or exit */
	struct sigqueue_head pending; /* [S] */
	bool stop_counted;	      /* [S] */
	struct trace trace;
	u64 altstack_sp, altstack_size; /* [self] */
	u32 altstack_flags;		/* [self] */
	struct restart_block restart;	/* [self] */

	/* user memory the kernel writes */
	uaddr_t set_child_tid, clear_child_tid; /* [self] */
	uaddr_t robust_list;			/* [self] */
	struct rseq_state rseq;			/* [self] */
	u64 timer_slack_ns;
	u32 loginuid, sessionid; /* [self] of audit, inherited; U32_MAX: nobody logged in */
	bool keep_caps;		 /* [self] */
	bool no_new_privs;	 /* [T and S for writing by others] */
	struct seccomp seccomp;
	bool in_execve;
	bool is_beyond_drain;	    /* [self] exiting: nobody would run what is deferred now */
	struct defer_list deferred; /* [self] last puts to be done on the way out */
	u32 ioprio;
	u64 syscw, syscr;
	struct disturb disturb; /* [self] */
#ifdef DEBUG_LOCKS
	struct held_locks held; /* [self] sleeping locks */
#endif
};

/* The time between the two, without that asleep or preempted, is system time of the current task. */
static inline void task_kernel_begin(struct task *t)
{
	t->kernel_since_ns = arch_clock_ns();
}
static inline u64 task_kernel_end(struct task *t)
{
	u64 ns = arch_clock_ns() - t->kernel_since_ns;

	t->kernel_since_ns = 0;
	return ns;
}

extern struct spinlock tasklist_lock;
extern struct tgroup *init_group;
extern u32 pid_max;

static inline struct tgroup *current_group(void)
{
	return current()->group;
}

/* While true, faults on user memory end the access instead of being resolved (futex words). */
static inline void task_nofault_begin(void)
{
	current()->nofault++;
}
static inline void task_nofault_end(void)
{
	current()->nofault--;
}
static inline bool task_nofault(void)
{
	return current()->nofault != 0;
}

static inline void task_get(struct task *t)
{
	refs_get(&t->refs);
}
void task_put(struct task *t);
static inline void tgroup_get(struct tgroup *g)
{
	refs_get(&g->refs);
}
void tgroup_put(struct tgroup *g);

void task_init(void);
/* Referenced, or NULL. Any thread; zombies included until they are reaped. */
struct task *task_find_get(s32 tid);
/* The leader of process tgid; referenced, or NULL. */
struct task *task_find_process_get(s32 tgid);
/* Process leaders with a number >= *tgid in ascending order, referenced; sets *tgid. NULL at the end. */
struct task *task_next(s32 *tgid);
/* Threads of a group with tid >= *tid. */
struct task *task_next_thread(struct tgroup *g, s32 *tid);
u32 task_count(void); /* threads alive */
u64 task_fork_count(void);

/* References to another task's resources; NULL when it has exited or is a kernel thread. */
struct aspace *task_mm_get(struct task *t);
struct fdtable *task_files_get(struct task *t); /* fdtable_drop() gives it back */
struct fs_ctx *task_fs_get(struct task *t);	/* given back by fs_ctx_unlook() */
const struct cred *task_cred_get(struct task *t);
u32 task_uid(struct task *t);
void task_comm_get(struct task *t, char comm[TASK_COMM_LEN]);
void task_comm_set(struct task *t, const char *name);
char task_state_char(struct task *t);
/* Whose ids and capabilities ask: those for files (procfs), or the real ones (system calls on other processes). */
enum access_creds { ACCESS_FS, ACCESS_REAL };
/* May the current task look into and change t (ptrace(2), "Ptrace access mode checking")? The answer is of this moment:
 * whoever keeps what it got by it, gets that first and asks then, or asks both at once. */
bool task_may_access(struct task *t, enum access_creds how);
/* The same, and the memory that the answer is about, with a user's reference; *mm NULL when there is none. */
bool must_check task_access_mm(struct task *t, enum access_creds how, struct aspace **mm);

/* pid.c */
int must_check pid_alloc(s32 want, struct pid **out);
struct pid *pid_lookup(s32 nr); /* [T] held; not referenced */
struct pid *pid_find_get(s32 nr);
void pid_put(struct pid *p);
/* [T] held: takes the number out of the table when nothing uses it any more. */
void pid_release_if_unused(struct pid *p);

/* A bare task with stack, number not assigned. */
int must_check task_alloc(struct task **out);
/* It has run for the last time: a zombie needs no stack. */
void task_release_stack(struct task *t);
void task_free_new(struct task *t);
int must_check tgroup_alloc(struct tgroup **out);

/* Starts fn(arg) as a kernel thread. */
int must_check kernel_thread_create(void (*fn)(void *arg), void *arg, const char *name,
				    struct task **out);

/* Process 1. Strings and arrays are copied before task_create_init() returns. */
struct init_spec {
	const char *path; /* as in argv[0]: searched in PATH of env when without a slash */
	const char *const *argv, *const *env; /* NULL-terminated */
	const char *cwd;
	const char *hostname;
	u32 uid, gid, nr_groups;
	const u32 *groups;
	u64 cap_permitted, cap_effective, cap_inheritable, cap_bounding, cap_ambient;
	bool no_new_privs;
	const struct rlimit *rlim; /* RLIM_NLIMITS entries */
	/* Runs as process 1 before the program is loaded: opens descriptors 0, 1, 2, mounts. 0 or -errno. */
	int (*prepare)(void *arg);
	/* Called when the program could not be started, with the failing -errno; does not return. */
	void (*failed)(int err, const char *what);
	void *arg;
};
int must_check task_create_init(const struct init_spec *spec);
/* Called when process 1 has exited and everything else was killed; by main.c. status as of wait4(). */
void init_exited(s32 status);
/* In prepare(): the CPU's current() is process 1. */

/* A synchronous fault of the current task (mm): forced even when blocked or ignored. */
void task_fault_signal(s32 sig, s32 code, u64 addr, u32 access);

/* exit.c */
noreturn_fn void task_exit_group(s32 status);
noreturn_fn void task_exit(s32 status);

struct task_times {
	u64 utime_ns, stime_ns;
};
/* CPU time of a thread; of a whole process with its exited threads. */
void task_times(struct task *t, struct task_times *out);
void tgroup_times(struct tgroup *g, struct task_times *out);
u64 task_runtime_now(struct task *t);
u64 tgroup_runtime_now(struct tgroup *g);
