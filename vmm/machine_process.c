// SPDX-License-Identifier: Apache-2.0
/*
 * machine_process - guests without a virtual machine: the guest kernel in a jailed host process
 *
 * Role      See machine.h and abi/process.h. The monitor forks the kernel process, which maps guest memory, gives up
 *           what the host lets a process give up, and jumps into the guest kernel. One thread of the monitor for
 *           each guest CPU serves the hostcalls of its channel page; one waits for the kernel process to end.
 * Rules     The child between fork and jump uses system calls and nothing that takes a lock. What goes wrong there is
 *           written into guest memory, where the monitor finds the sentence when the child has ended.
 *           The kernel process dies with the monitor (parent-death signal), the stubs with the kernel process
 *           (it is init of their PID namespace). It has a session of its own, and so have all it forks: what a terminal
 *           or kill(-group) sends to the monitor's group is for the program inside, through forward.c, and never
 *           reaches a process of the machine. Its pid is the machine's process group.
 *           Its zombie is kept until the monitor ends, so that its pid stays its own.
 * See       fork(2), pid_namespaces(7), futex(2), eventfd(2)
 */
#include "vmm/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch/vcpu.h"
#include "vmm/abi/process.h"
#include "vmm/log.h"
#include "vmm/sandbox.h"

#define RSEQ_BYTES	 32
#define RSEQ_UNREGISTER	 1
#define LAST_WORDS_TRIES 100 /* 1 s */
#define LOW_FDS		 64  /* descriptors are moved above, then to their places */
#define ERROR_TEXT	 256

/* vm->at.pm_boot: struct pm_boot, the kernel process's starting gun and the sentence of a failed start, then a page
 * for each filter. */
struct boot_page {
	struct pm_boot boot;
	uint32_t go; /* futex: the child waits while it is 0 */
	char error[ERROR_TEXT];
};
_Static_assert(sizeof(struct boot_page) <= HYP_PAGE_SIZE, "one page");

static struct boot_page *boot_page(struct vm *vm)
{
	return gmem_setup_ptr(&vm->mem, vm->at.pm_boot, sizeof(struct boot_page));
}

static void wake_all(uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static int process_open(struct vm *vm, struct err *e)
{
	(void)vm;
	if (syscall(SYS_futex_waitv, NULL, 0, 0, NULL, 0) < 0 && errno == ENOSYS)
		return err_set(
			e, ENOSYS,
			"the process machine needs futex_waitv, Linux 5.16 or newer; use --platform=kvm");
	return arch_process_check(e);
}

static uint64_t process_table_pages(const struct vm *vm)
{
	(void)vm;
	return 0;
}

/* Of the host CPUs, two for each guest CPU (a handover between kernel and application may take two), in a row that begins
 * where we happen to be: what bounds the sandbox when a program finds a way to compute uncounted. */
static void bound_host_cpus(cpu_set_t *set, uint32_t nr_cpus)
{
	int left = (int)nr_cpus * 2, at = sched_getcpu(), i;
	cpu_set_t few;

	if (at < 0 || CPU_COUNT(set) <= left)
		return;
	CPU_ZERO(&few);
	for (i = 0; i < CPU_SETSIZE && left; i++) {
		int cpu = (at + i) % CPU_SETSIZE;

		if (CPU_ISSET(cpu, set)) {
			CPU_SET(cpu, &few);
			left--;
		}
	}
	*set = few;
}

/* Without an answer the kernel believes in one CPU, and binds nothing to it. */
static void tell_host_cpus(struct pm_boot *b)
{
	cpu_set_t set;

	_Static_assert(sizeof set >= sizeof b->host_cpu_mask, "the mask fits");
	if (sched_getaffinity(0, sizeof set, &set)) {
		b->host_cpus = 1;
		memset(b->host_cpu_mask, 0xff, sizeof b->host_cpu_mask);
		return;
	}
	bound_host_cpus(&set, b->nr_cpus);
	b->host_cpus = (uint32_t)CPU_COUNT(&set);
	memcpy(b->host_cpu_mask, &set, sizeof b->host_cpu_mask);
}

static int process_create(struct vm *vm, struct err *e)
{
	static const enum sandbox_thread kinds[PM_FILTERS] = {
		[PM_FILTER_KERNEL] = SANDBOX_KERNEL,
		[PM_FILTER_SPAWNER] = SANDBOX_SPAWNER,
		[PM_FILTER_SERVICE] = SANDBOX_SERVICE,
		[PM_FILTER_APP] = SANDBOX_APP,
	};
	const struct sandbox_own own = { .tgid = -1, .vcpu_fd = -1 };
	struct pm_boot *b = &boot_page(vm)->boot;
	uint64_t at = vm->at.pm_boot + HYP_PAGE_SIZE;
	uint32_t i;

	_Static_assert(SANDBOX_FILTER_MAX * sizeof(struct sock_filter) <= HYP_PAGE_SIZE,
		       "a filter fits its page");
	(void)e;
	*b = (struct pm_boot){
		.magic = PM_BOOT_MAGIC,
		.fdt_gpa = vm->at.fdt,
		.ram_bytes = vm->mem.ram_size,
		.channels_gpa = vm->at.channels,
		.nr_cpus = vm->nr_cpus,
		.nr_windows = vm->mem.nr_windows,
		.flags = vm->cfg.pm_flags,
		.pids_limit = vm->cfg.start->pids_limit,
	};
	tell_host_cpus(b);
	for (i = 0; i < vm->mem.nr_windows; i++) {
		b->window[i].gpa = vm->mem.window[i].gpa;
		b->window[i].bytes = vm->mem.window[i].len;
	}
	for (i = 0; i < PM_FILTERS; i++, at += HYP_PAGE_SIZE) {
		b->filter[i].gpa = at;
		b->filter[i].count =
			sandbox_filter_build(SANDBOX_PROCESS, kinds[i], &own,
					     gmem_setup_ptr(&vm->mem, at, HYP_PAGE_SIZE));
	}
	return 0;
}

static uint64_t process_counter_khz(struct vm *vm)
{
	(void)vm;
	return arch_host_counter_khz();
}

static uint64_t process_counter_offset(struct vm *vm)
{
	(void)vm;
	return 0;
}

/* The rest, up to process_enter(), runs in the child. */

static _Noreturn void child_fail(struct vm *vm, const char *what)
{
	snprintf(boot_page(vm)->error, ERROR_TEXT, "starting the kernel process: %s: %s", what,
		 strerror(errno));
	_exit(1);
}

static void child_map(struct vm *vm, uint64_t va, uint64_t len, int prot, int fd, uint64_t off)
{
	void *p = mmap((void *)va, len, prot, MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_NORESERVE, fd,
		       (off_t)off);

	if (p != (void *)va)
		child_fail(vm, "mapping guest memory");
}

static void child_map_memory(struct vm *vm)
{
	uint32_t i;

	child_map(vm, PM_DIRECT_BASE + HYP_RAM_BASE, vm->mem.ram_size, PROT_READ | PROT_WRITE,
		  vm->mem.fd, 0);
	for (i = 0; i < vm->kimage.nr_segs; i++) {
		const struct kimage_segment *s = &vm->kimage.seg[i];

		child_map(vm, s->va, s->len,
			  PROT_READ | (s->writable ? PROT_WRITE : 0) |
				  (s->executable ? PROT_EXEC : 0),
			  vm->mem.fd, s->gpa - HYP_RAM_BASE);
		/* In the direct map, what is not writable stays so. */
		if (!s->writable && mprotect((void *)(PM_DIRECT_BASE + s->gpa), s->len, PROT_READ))
			child_fail(vm, "protecting the guest kernel");
	}
	for (i = 0; i < vm->mem.nr_windows; i++)
		child_map(vm, PM_DIRECT_BASE + vm->mem.window[i].gpa, vm->mem.window[i].len,
			  PROT_READ, vm->mem.window[i].fd, 0);
}

/* Exactly the descriptors of enum pm_fd. */
static void child_place_fds(struct vm *vm)
{
	int from[PM_FD_DONE + HYP_CPU_MAX], nr = PM_FD_DONE + (int)vm->nr_cpus, i;

	for (i = 0; i < nr; i++)
		from[i] = -1;
	from[PM_FD_RAM] = vm->mem.fd;
	for (i = 0; i < (int)vm->mem.nr_windows; i++)
		from[PM_FD_WINDOW + i] = vm->mem.window[i].fd;
	from[PM_FD_BIRTH] = eventfd(0, EFD_NONBLOCK);
	for (i = 0; i < (int)vm->nr_cpus; i++)
		from[PM_FD_DONE + i] = eventfd(0, EFD_NONBLOCK);
	for (i = 0; i < nr; i++)
		if (from[i] >= 0 && (from[i] = fcntl(from[i], F_DUPFD, nr + LOW_FDS)) < 0)
			child_fail(vm, "moving descriptors");
	for (i = 0; i < nr; i++) {
		if (from[i] >= 0 && dup2(from[i], i) != i)
			child_fail(vm, "placing descriptors");
		if (from[i] < 0)
			close(i);
	}
	if (syscall(SYS_close_range, nr, ~0u, 0))
		child_fail(vm, "closing descriptors");
}

/* It needs no more of these; a host that refuses has lower ones. */
static void child_limit(struct vm *vm)
{
	const struct rlimit none = { 0, 0 },
			    fds = { PM_FD_DONE + vm->nr_cpus, PM_FD_DONE + vm->nr_cpus };

	if (setrlimit(RLIMIT_NOFILE, &fds) || setrlimit(RLIMIT_MEMLOCK, &none) ||
	    setrlimit(RLIMIT_MSGQUEUE, &none) || setrlimit(RLIMIT_FSIZE, &none))
		child_fail(vm, "lowering limits");
}

/* Without a handler of the monitor's, and without a signal it blocks. */
static void child_reset_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;
	int n;

	for (n = 1; n < 65; n++)
		sigaction(n, &sa, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Else the host would go on writing into the C library's area, which the kernel unmaps. */
static void child_unregister_rseq(struct vm *vm)
{
	char *self = __builtin_thread_pointer();

	if (__rseq_size &&
	    syscall(SYS_rseq, self + __rseq_offset, RSEQ_BYTES, RSEQ_UNREGISTER, RSEQ_SIG))
		child_fail(vm, "unregistering restartable sequences");
}

static void child_bind_to_parent(struct vm *vm, int monitor_pidfd)
{
	struct pollfd p = { .fd = monitor_pidfd, .events = POLLIN };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
		child_fail(vm, "asking to end with the monitor");
	if (poll(&p, 1, 0) > 0)
		_exit(1); /* it ended before it was asked */
}

/* Until every thread of the monitor is locked in. If the monitor ends before, so does this process. */
static void child_wait_for_go(struct vm *vm)
{
	uint32_t *go = &boot_page(vm)->go;

	while (!__atomic_load_n(go, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, go, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static _Noreturn void child_main(struct vm *vm, int monitor_pidfd)
{
	const char *stage;
	int ret;
	void (*entry)(const struct pm_boot *) =
		(void (*)(const struct pm_boot *))(uintptr_t)vm->kimage.entry;

	if (setsid() < 0) /* before signals are let in */
		child_fail(vm, "making a session");
	child_reset_signals();
	ret = sandbox_jail(vm->cfg.sandbox, &stage);
	if (ret) {
		errno = -ret;
		child_fail(vm, stage);
	}
	child_bind_to_parent(vm, monitor_pidfd);
	child_map_memory(vm);
	child_place_fds(vm);
	child_limit(vm);
	child_unregister_rseq(vm);
	child_wait_for_go(vm);
	entry((const struct pm_boot *)(PM_DIRECT_BASE + vm->at.pm_boot));
	_exit(1);
}

static int process_enter(struct vm *vm, struct err *e)
{
	int monitor_pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	pid_t pid;

	if (monitor_pidfd < 0)
		return err_set_errno(e, errno, "opening the monitor's own pidfd");
	fflush(NULL);
	pid = (pid_t)syscall(SYS_clone, sandbox_clone_flags(vm->cfg.sandbox) | SIGCHLD, NULL, NULL,
			     NULL, 0);
	if (pid == 0)
		child_main(vm, monitor_pidfd);
	close(monitor_pidfd);
	if (pid < 0)
		return err_set_errno(e, errno, "forking the kernel process");
	vm->kernel_pid = pid;
	vm->kernel_pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	return vm->kernel_pidfd < 0 ? err_set_errno(e, errno, "opening the kernel process") : 0;
}

static void *reaper_thread(void *arg)
{
	struct vm *vm = arg;
	const char *said = boot_page(vm)->error;
	siginfo_t info = { 0 };
	char text[ERROR_TEXT];

	vm_lock_in(vm, SANDBOX_REAPER, -1);
	while (waitid(P_PIDFD, (id_t)vm->kernel_pidfd, &info, WEXITED | WNOWAIT) && errno == EINTR)
		;
	memcpy(text, said, sizeof text); /* guest memory: once, then looked at */
	text[sizeof text - 1] = 0;
	if (text[0])
		vm_end(vm, VM_KILL_HOST, 0, "%s", text);
	else if (info.si_code == CLD_EXITED)
		vm_end(vm, VM_KILL_GUEST, 0, "the kernel process ended with status %d",
		       info.si_status);
	else
		vm_end(vm, VM_KILL_GUEST, 0, "the kernel process was killed by signal %d%s",
		       info.si_status,
		       info.si_status == SIGSYS	   ? " (a system call its filter refuses)"
		       : info.si_status == SIGKILL ? " (out of memory?)"
						   : "");
	vm_rest(vm, &vm->has_reaped, true);
}

static int process_start(struct vm *vm, struct err *e)
{
	return vm_thread(vm, reaper_thread, vm, "the kernel process", e);
}

static void process_go(struct vm *vm)
{
	uint32_t *go = &boot_page(vm)->go;

	__atomic_store_n(go, 1, __ATOMIC_RELEASE);
	wake_all(go);
}

/* Serves one hostcall after the other: the monitor's side of the protocol at enum pm_bell. */
static void process_run(struct vcpu *v)
{
	struct hyp_channel *ch = vm_channel(v->vm, v->id);
	struct vm *vm = v->vm;

	while (!atomic_load(&vm->stopping)) {
		struct futex_waitv w[2] = {
			{.uaddr = (uintptr_t)&ch->bell,	 .flags = FUTEX_32			   },
			{ .uaddr = (uintptr_t)&v->kicks, .flags = FUTEX_32 | FUTEX_PRIVATE_FLAG},
		};

		w[1].val = __atomic_load_n(&v->kicks, __ATOMIC_SEQ_CST);
		if (atomic_load(&vm->stopping))
			return;
		if (atomic_load(&v->look))
			watchdog_look(v);
		w[0].val = __atomic_load_n(&ch->bell, __ATOMIC_ACQUIRE);
		if (w[0].val != PM_BELL_RUNG) {
			syscall(SYS_futex_waitv, w, 2, 0, NULL, 0);
			continue;
		}
		hypercall_dispatch(v);
		__atomic_store_n(&ch->bell, PM_BELL_QUIET, __ATOMIC_RELEASE);
		wake_all(&ch->bell);
	}
}

static void process_kick(struct vcpu *v)
{
	__atomic_fetch_add(&v->kicks, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &v->kicks, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT32_MAX, NULL, NULL, 0);
}

static void process_interrupt(struct vm *vm, uint32_t cpu)
{
	struct hyp_channel *ch = vm_channel(vm, cpu);

	__atomic_fetch_or(&ch->wake, PM_WAKE_EVENT, __ATOMIC_SEQ_CST);
	wake_all(&ch->wake);
}

static void process_raise(struct vm *vm)
{
	process_interrupt(vm, 0);
}

/* The kernel process has the CPU time, not the thread that serves it. */
static clockid_t process_clock(struct vcpu *v)
{
	clockid_t clock;

	return clock_getcpuclockid(v->vm->kernel_pid, &clock) ? CLOCK_MONOTONIC : clock;
}

static int signal_kernel(struct vm *vm, int signo)
{
	return (int)syscall(SYS_pidfd_send_signal, vm->kernel_pidfd, signo, NULL, 0);
}

/* Its registers are its own: SIGTRAP makes its first thread, CPU 0, panic, and the panic has the addresses. What it
 * says is not served any more; like all of the channel it is copied, then looked at. */
static uint32_t process_backtrace(struct vcpu *v, uint64_t *frames, uint32_t max)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	uint32_t nothing = 0;
	struct hyp_channel *ch = vm_channel(v->vm, v->id);
	struct hyp_panic said;
	int i;

	if (v->id || signal_kernel(v->vm, SIGTRAP))
		return 0;
	for (i = 0; i < LAST_WORDS_TRIES; i++) {
		if (__atomic_load_n(&ch->bell, __ATOMIC_ACQUIRE) == PM_BELL_RUNG &&
		    ch->nr == HYP_PANIC)
			break;
		syscall(SYS_futex, &nothing, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, &pause, NULL, 0);
	}
	memcpy(&said, ch->payload, sizeof said);
	if (i == LAST_WORDS_TRIES || said.nr_frames > max)
		return 0;
	memcpy(frames, said.frames, said.nr_frames * sizeof frames[0]);
	return said.nr_frames;
}

static bool process_sleeps_for_good(struct vcpu *v)
{
	(void)v;
	return false;
}

/* Kernel process, spawner and stubs. */
static void process_suspend(struct vm *vm, bool on)
{
	kill(-vm->kernel_pid, on ? SIGSTOP : SIGCONT);
}

static void process_stop(struct vm *vm)
{
	signal_kernel(vm, SIGKILL);
	pthread_mutex_lock(&vm->lock);
	while (!vm->has_reaped)
		pthread_cond_wait(&vm->changed, &vm->lock);
	pthread_mutex_unlock(&vm->lock);
}

/* Only of a machine that never ran: the reaper has no thread yet. */
static void process_destroy(struct vm *vm)
{
	if (!vm->kernel_pid)
		return;
	kill(vm->kernel_pid, SIGKILL);
	while (waitpid(vm->kernel_pid, NULL, 0) < 0 && errno == EINTR)
		;
	vm->kernel_pid = 0;
	cleanup_fd(&vm->kernel_pidfd);
}

const struct machine machine_process = {
	.name = "process",
	.sandbox = SANDBOX_PROCESS,
	.kernel_va = PM_KERNEL_BASE,
	.kernel = kernel_process_elf,
	.kernel_end = kernel_process_elf_end,
	.boot_pages = 1 + PM_FILTERS,
	.open = process_open,
	.table_pages = process_table_pages,
	.create = process_create,
	.counter_khz = process_counter_khz,
	.counter_offset = process_counter_offset,
	.enter = process_enter,
	.start = process_start,
	.go = process_go,
	.run = process_run,
	.kick = process_kick,
	.interrupt = process_interrupt,
	.raise = process_raise,
	.clock = process_clock,
	.backtrace = process_backtrace,
	.sleeps_for_good = process_sleeps_for_good,
	.suspend = process_suspend,
	.stop = process_stop,
	.destroy = process_destroy,
};
