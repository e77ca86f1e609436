// SPDX-License-Identifier: Apache-2.0
/*
 * vm - one virtual machine: memory, vCPUs, the place of everything in it, how it ended
 *
 * Role      vm_create() prepares everything up to the first guest instruction, vm_run() runs it to its end.
 * Rules     The first recorded end wins (vm_end); everything after it only helps to stop.
 *           INVARIANT: no guest instruction runs before every thread of the monitor, and the kernel process, has its
 *           filter. A thread counts itself in with vm_lock_in(); vm_run() waits for all before it lets CPU 0 go.
 *           Threads never end, they only rest (vm_rest): ending takes system calls that nothing else needs.
 * Locking   lock covers result, the counts of threads and the vCPUs' start records; the rest is immutable after
 *           vm_create().
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "vmm/abi/ring.h"
#include "vmm/gmem.h"
#include "vmm/kimage.h"
#include "vmm/sandbox.h"

struct kvm_run;
struct machine;
struct vm;

enum vcpu_look {
	LOOK_NONE,
	LOOK_HUNG,   /* it did not answer: end the VM with its backtrace */
	LOOK_HALTED, /* it went quiet: is it asleep for good? */
};

struct vcpu {
	struct vm *vm;
	uint32_t id;
	int fd;		     /* kvm */
	struct kvm_run *run; /* kvm */
	pid_t tid;	     /* kvm: whom a kick signals */
	clockid_t clock;     /* CPU time of its thread */
	bool has_clock;
	bool has_thread; /* [vm->lock] and it still looks at vm->stopping */
	/* [vm->lock] set by HYP_CPU_START */
	bool started;
	uint64_t start_ip, start_sp, start_arg;
	uint64_t hostcalls; /* counter, own thread */
	uint32_t kicks;	    /* process: futex, raised by each kick */
	atomic_int look;    /* enum vcpu_look: what the watchdog wants known of a kicked CPU */
};

/* Where things lie in guest memory. */
struct vm_layout {
	uint64_t tables, tables_end, fdt, pm_boot, channels, event, rings, page_map, reserved_end;
};

enum vm_end_kind {
	VM_RUNNING,
	VM_EXITED,	  /* the container's first process ended: status */
	VM_PANICKED,	  /* the guest kernel said it cannot go on */
	VM_KILL_PROTOCOL, /* the guest broke the ABI */
	VM_KILL_GUEST,	  /* triple fault, hang */
	VM_KILL_HOST,	  /* the host failed us */
	VM_STOPPED,	  /* the user asked twice, or a signal to the monitor */
};

struct vm_result {
	enum vm_end_kind kind;
	int status; /* wait status for VM_EXITED */
	char reason[1024];
	uint64_t frames[HYP_BACKTRACE_MAX]; /* of a panic; named by vm_report_frames() */
	uint32_t nr_frames;
};

/* What the container is to run; lives as long as the VM. */
struct vm_start {
	char **argv, **envp; /* NULL-terminated */
	const char *cwd, *hostname;
	uint32_t uid, gid;
	uint32_t *groups;
	uint32_t nr_groups;
	bool tty, read_only, privileged;
	uint16_t rows, cols;
	char **tmpfs;	    /* "path[:options]", NULL-terminated, may be NULL */
	char **rlimits;	    /* "name=soft:hard", NULL-terminated, may be NULL */
	const char *strace; /* NULL: off; "" all; else list */
	uint32_t log_level;
	uint32_t pids_limit; /* most tasks */
};

struct vm_config {
	const struct machine *machine;
	const struct sandbox *sandbox; /* how this process and its children are locked in */
	uint32_t pm_flags;	       /* enum pm_boot_flag */
	uint64_t mem_bytes;
	uint32_t nr_cpus;
	int image_fd; /* EROFS root file */
	uint64_t image_len;
	const struct vm_start *start;
	const void *kernel; /* ELF to use instead of the embedded one, or NULL */
	size_t kernel_len;
};

struct vm {
	const struct machine *machine;
	pid_t tgid;	   /* of the process that runs it */
	int kvm_fd, fd;	   /* kvm */
	int irqchip_fd;	   /* kvm: where the interrupt controller is a device of its own, else -1 */
	int event_fd;	   /* kvm: irqfd of the event interrupt */
	uint64_t root_gpa; /* kvm, x86-64: page table root */
	uint32_t irqchip;  /* kvm, aarch64: version of the GIC, for the guest */
	pid_t kernel_pid;  /* process: the kernel process, 0 before and after */
	int kernel_pidfd;  /* process: the same */
	struct gmem mem;
	struct kimage kimage;
	struct vm_layout at;
	struct vm_config cfg;
	struct vcpu cpu[HYP_CPU_MAX];
	uint32_t nr_cpus;
	uint64_t counter_offset; /* of the guest's cycle counter from the host's */
	int kick_fd;		 /* guest to I/O thread */
	bool has_stdin;		 /* else the container's standard input is empty */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct vm_result result;
	uint32_t nr_threads, nr_locked_in; /* [lock] started; behind their filters */
	uint32_t nr_resumes;		   /* [lock] after vm_suspend() */
	bool has_drained;		   /* [lock] the I/O thread is done */
	bool has_reaped;		   /* [lock] process: the kernel process has ended */
	atomic_bool stopping;
	int exec_errno; /* of VM_EXITED: the program never started */
	struct hyp_exit exit_report;
};

int vm_create(struct vm *vm, const struct vm_config *cfg, struct err *e) MUST_CHECK;
/* Moves the descriptors that are still needed to their numbers (enum sandbox_fd) and closes all others. */
int vm_place_fds(struct vm *vm, struct err *e) MUST_CHECK;
/* Runs to the end; result in vm->result. */
int vm_run(struct vm *vm, struct err *e) MUST_CHECK;
void vm_destroy(struct vm *vm);
/* Records how the VM ended and stops every vCPU. Any thread. The first call wins. */
void vm_end(struct vm *vm, enum vm_end_kind kind, int status, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
/* The same with the backtrace of v, whose own thread calls. */
void vm_end_at(struct vcpu *v, const char *reason);
/* Starts a thread of the monitor; all signals but those of its own faults are blocked in it. fn calls vm_lock_in()
 * first and vm_rest() last. */
int vm_thread(struct vm *vm, void *(*fn)(void *), void *arg, const char *what,
	      struct err *e) MUST_CHECK;
/* Installs the caller's filter and counts it in. */
void vm_lock_in(struct vm *vm, enum sandbox_thread kind, int vcpu_fd);
/* What a thread does when it has nothing left to do. *done, if any, is set under the lock. */
_Noreturn void vm_rest(struct vm *vm, bool *done, bool value);
/* Sets bits of the event page and raises the event interrupt. Any thread. */
void vm_raise(struct vm *vm, uint32_t event_bits);
void vm_signal(struct vm *vm, int signo);
/* From a key of the monitor's terminal: to the whole foreground group inside. */
void vm_tty_signal(struct vm *vm, int signo);
/* Whether the guest has seen the last vm_signal() of this number. */
bool vm_signal_is_taken(struct vm *vm, int signo);
/* Stops what of the machine does not stop with the monitor's own process; lets it go on. */
void vm_suspend(struct vm *vm, bool on);
/* How often it went on; waits until that is no more `seen`. */
uint32_t vm_resumes(struct vm *vm);
void vm_wait_resumed(struct vm *vm, uint32_t seen);
void vm_winsize(struct vm *vm, uint16_t rows, uint16_t cols);
struct hyp_event *vm_event_page(struct vm *vm);
struct hyp_ring *vm_ring(struct vm *vm, enum hyp_stream s);
struct hyp_channel *vm_channel(struct vm *vm, uint32_t cpu);

/* hypercall.c */
void hypercall_dispatch(struct vcpu *v);

/* bootinfo.c: writes the device tree at vm->at.fdt. */
int bootinfo_write(struct vm *vm, uint64_t tsc_khz, struct err *e) MUST_CHECK;
#define BOOTINFO_MAX (512u * 1024)

/* watchdog.c: a detached thread; it ends with the process. */
int watchdog_start(struct vm *vm, struct err *e) MUST_CHECK;
/* Part of the thread of v: answers v->look after a kick. */
void watchdog_look(struct vcpu *v);

/* stream.c */
int stream_start(struct vm *vm, struct err *e) MUST_CHECK;
/* Has what is left in the output rings written out. */
void stream_stop(struct vm *vm);
