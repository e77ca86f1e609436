// SPDX-License-Identifier: Apache-2.0
/*
 * sandbox - what a process of the host side gives up before the guest's first instruction
 *
 * Role      sandbox_prepare() in the process the caller sees, before it forks; sandbox_begin(), then sandbox_enter() in
 *           the process that runs the machine, while it has one thread; sandbox_jail() in the kernel process of the
 *           process machine; sandbox_filter() by every thread, first thing. launch.c and vm.c have the order.
 * Rules     INVARIANT: a stage is done, or nothing runs and the error names the stage. There is no third way but
 *           --insecure-no-namespaces, which leaves out the stages called namespaces and the empty root, and nothing
 *           else. Landlock alone depends on the host: where it does not exist, it is left out.
 *           Stages, in order: PID namespace (and a user namespace, where the caller is an ordinary user); network, IPC,
 *           UTS, cgroup, mount namespaces; an empty root; a user of its own and then a user namespace (where the
 *           caller is root); no new privileges; Landlock; no capabilities; limits; descriptors (vm.c, which knows
 *           them); a system call filter per thread. Each is final.
 */
#pragma once

#include <sys/types.h>

#include "vmm/err.h"

/* Rows of vmm/seccomp*.tbl belong to one of these. */
enum sandbox_machine { SANDBOX_ANY, SANDBOX_KVM, SANDBOX_PROCESS };

enum sandbox_thread {
	SANDBOX_ALL,
	SANDBOX_MAIN,
	SANDBOX_VCPU,
	SANDBOX_STREAM,
	SANDBOX_FORWARD,
	SANDBOX_WATCHDOG,
	SANDBOX_REAPER,
	/* of the process machine (abi/process.h); they take no rows of SANDBOX_ALL */
	SANDBOX_KERNEL,
	SANDBOX_SPAWNER,
	SANDBOX_SERVICE,
	SANDBOX_APP,
	SANDBOX_KINDS
};

/* Descriptors of the monitor once it is locked in, besides the standard three. It has no others, and the filters name
 * them. */
enum sandbox_fd {
	SANDBOX_FD_KICK = 3,   /* eventfd: guest and main thread to I/O thread */
	SANDBOX_FD_EVENT = 4,  /* kvm: irqfd of the event interrupt */
	SANDBOX_FD_VM = 5,     /* kvm */
	SANDBOX_FD_KERNEL = 6, /* process: pidfd of the kernel process */
	SANDBOX_FD_VCPU = 8,   /* kvm: + number of the CPU */
};

/* Values of conditions that are known only when a filter is built: @tgid, @vcpu and @machine in the tables. */
struct sandbox_own {
	pid_t tgid;
	int vcpu_fd;
	pid_t machine; /* process: leader of the machine's process group */
};

struct sandbox {
	enum sandbox_machine machine;
	bool has_namespaces; /* false: --insecure-no-namespaces */
	bool is_by_right;    /* the caller needs no user namespace to make the others */
	uid_t uid;	     /* to become, group too; 0: the caller's stays */
};

#define SANDBOX_FILTER_MAX 256
struct sock_filter;

/* The next fork() makes the first process of a new PID namespace. *s: what the stages below do. */
int sandbox_prepare(struct sandbox *s, bool no_namespaces, struct err *e) MUST_CHECK;
/* First thing after that fork: namespaces that do not hinder what is still to be opened. */
int sandbox_begin(const struct sandbox *s, struct err *e) MUST_CHECK;
/* Everything but filters and descriptors. */
int sandbox_enter(const struct sandbox *s, struct err *e) MUST_CHECK;
/* What to fork the kernel process with. */
unsigned long sandbox_clone_flags(const struct sandbox *s);
/* The same as sandbox_enter() for that process. 0 or -errno, and *stage says where. */
int sandbox_jail(const struct sandbox *s, const char **stage);
/* The process the caller sees keeps only the right to signal the one that runs the machine. */
int sandbox_stand_by(const struct sandbox *s, struct err *e) MUST_CHECK;

/* The filter of a kind of thread, into SANDBOX_FILTER_MAX places; how many it has. filter.c. */
uint32_t sandbox_filter_build(enum sandbox_machine m, enum sandbox_thread kind,
			      const struct sandbox_own *own, struct sock_filter *f);
/* How many different calls the kinds of a set (bit SANDBOX_x) may make together. */
uint32_t sandbox_filter_calls(enum sandbox_machine m, uint32_t kinds);
/* Where the number of a refused call, plus one, is stored before it ends the process. */
void sandbox_report_refusals(int *call);
/* Ends the process with a sentence when the filter cannot be installed. */
void sandbox_filter(enum sandbox_machine m, enum sandbox_thread kind,
		    const struct sandbox_own *own);
