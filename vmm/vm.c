// SPDX-License-Identifier: Apache-2.0
/*
 * vm - set-up order of a virtual machine, its end, its events
 *
 * Role      See vm.h.
 * Rules     Guest memory from HYP_RAM_BASE up: kernel image, page tables, device tree, channel pages, event page,
 *           rings, array of struct page (left untouched), then free memory.
 * Locking   vm->lock, see vm.h.
 */
#include "vmm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "vmm/kslide.h"
#include "vmm/machine.h"
#include "vmm/sandbox.h"

#define STRUCT_PAGE_BYTES 64u /* one per frame, see guestkernel/kapi/page.h */

static uint64_t place(uint64_t *at, uint64_t len, uint64_t align)
{
	uint64_t start = round_up_u64(*at, align);

	*at = start + len;
	return start;
}

/* Everything behind the kernel image. */
static int plan_layout(struct vm *vm, struct err *e)
{
	uint64_t at = vm->kimage.gpa_end, frames = vm->mem.ram_size / HYP_PAGE_SIZE;

	vm->at.tables = place(&at, vm->machine->table_pages(vm) * HYP_PAGE_SIZE, HYP_PAGE_SIZE);
	vm->at.tables_end = at;
	vm->at.fdt = place(&at, BOOTINFO_MAX, HYP_PAGE_SIZE);
	vm->at.pm_boot = place(&at, vm->machine->boot_pages * HYP_PAGE_SIZE, HYP_PAGE_SIZE);
	vm->at.channels = place(&at, (uint64_t)vm->nr_cpus * HYP_PAGE_SIZE, HYP_PAGE_SIZE);
	vm->at.event = place(&at, HYP_PAGE_SIZE, HYP_PAGE_SIZE);
	vm->at.rings = place(&at, HYP_STREAMS * sizeof(struct hyp_ring), HYP_PAGE_SIZE);
	vm->at.page_map = place(&at, frames * STRUCT_PAGE_BYTES, HYP_PAGE_SIZE);
	vm->at.reserved_end = round_up_u64(at, HYP_PAGE_SIZE);
	if (vm->at.reserved_end + (4u << 20) > HYP_RAM_BASE + vm->mem.ram_size)
		return err_set(
			e, ENOMEM,
			"%lu MiB of memory is too little for the guest kernel; use --memory 32m or more",
			vm->mem.ram_size >> 20);
	return 0;
}

static int build_memory(struct vm *vm, struct err *e)
{
	const struct vm_config *cfg = &vm->cfg;
	const struct machine *m = vm->machine;
	uint64_t window_gpa;
	int ret;

	ret = gmem_init(&vm->mem, cfg->mem_bytes, e);
	if (!ret && cfg->image_fd >= 0)
		ret = gmem_add_window(&vm->mem, cfg->image_fd, cfg->image_len, &window_gpa, e);
	if (!ret)
		ret = kimage_load(&vm->kimage, cfg->kernel ? cfg->kernel : m->kernel,
				  cfg->kernel ? cfg->kernel_len
					      : (size_t)(m->kernel_end - m->kernel),
				  m->kernel_va, &vm->mem, HYP_RAM_BASE, e);
	if (!ret && !cfg->kernel) /* a developer's stays where debuggers and counters look for it */
		ret = kslide_apply(&vm->kimage, &vm->mem, e);
	if (!ret)
		ret = plan_layout(vm, e);
	return ret;
}

int vm_create(struct vm *vm, const struct vm_config *cfg, struct err *e)
{
	uint32_t i;
	int ret;

	memset(vm, 0, sizeof *vm);
	vm->kvm_fd = vm->fd = vm->irqchip_fd = vm->event_fd = vm->kick_fd = vm->mem.fd = -1;
	vm->kernel_pidfd = -1;
	vm->tgid = getpid();
	vm->cfg = *cfg;
	vm->machine = cfg->machine;
	vm->nr_cpus = cfg->nr_cpus;
	for (i = 0; i < vm->nr_cpus; i++)
		vm->cpu[i] = (struct vcpu){ .vm = vm, .id = i, .fd = -1 };
	pthread_mutex_init(&vm->lock, NULL);
	pthread_cond_init(&vm->changed, NULL);
	ret = vm->machine->open(vm, e);
	if (!ret)
		ret = build_memory(vm, e);
	if (!ret) {
		vm->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (vm->kick_fd < 0)
			ret = err_set_errno(e, errno, "creating an event descriptor");
	}
	if (!ret)
		ret = vm->machine->create(vm, e);
	if (!ret) {
		vm->counter_offset = vm->machine->counter_offset(vm);
		ret = bootinfo_write(vm, vm->machine->counter_khz(vm), e);
	}
	if (!ret)
		ret = vm->machine->enter(vm, e);
	if (ret)
		vm_destroy(vm);
	return ret;
}

static void block_signals(sigset_t *old)
{
	static const int own_faults[] = {
		SIGSYS, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT
	};
	sigset_t set;
	size_t i;

	sigfillset(&set);
	for (i = 0; i < ARRAY_SIZE(own_faults); i++)
		sigdelset(&set, own_faults[i]);
	pthread_sigmask(SIG_SETMASK, &set, old);
}

int vm_thread(struct vm *vm, void *(*fn)(void *), void *arg, const char *what, struct err *e)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t old;
	int ret;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	block_signals(&old);
	ret = pthread_create(&thread, &attr, fn, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (ret)
		return err_set_errno(e, ret, "starting the thread of %s", what);
	pthread_mutex_lock(&vm->lock);
	vm->nr_threads++;
	pthread_mutex_unlock(&vm->lock);
	return 0;
}

void vm_lock_in(struct vm *vm, enum sandbox_thread kind, int vcpu_fd)
{
	static const char *const names[SANDBOX_KINDS] = {
		[SANDBOX_VCPU] = "vcpu",       [SANDBOX_STREAM] = "stream",
		[SANDBOX_FORWARD] = "forward", [SANDBOX_WATCHDOG] = "watchdog",
		[SANDBOX_REAPER] = "reaper",
	};

	const struct sandbox_own own = { vm->tgid, vcpu_fd, vm->kernel_pid };

	if (names[kind])
		prctl(PR_SET_NAME, names[kind], 0, 0, 0);
	sandbox_filter(vm->machine->sandbox, kind, &own);
	pthread_mutex_lock(&vm->lock);
	vm->nr_locked_in++;
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->lock);
}

_Noreturn void vm_rest(struct vm *vm, bool *done, bool value)
{
	pthread_mutex_lock(&vm->lock);
	if (done)
		*done = value;
	pthread_cond_broadcast(&vm->changed);
	for (;;)
		pthread_cond_wait(&vm->changed, &vm->lock);
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *v = arg;
	sigset_t kick;

	v->tid = (pid_t)syscall(SYS_gettid);
	v->has_clock = !pthread_getcpuclockid(pthread_self(), &v->clock);
	sigemptyset(&kick);
	sigaddset(&kick, SIGURG);
	pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
	vm_lock_in(v->vm, SANDBOX_VCPU, v->fd);
	v->vm->machine->run(v);
	vm_rest(v->vm, &v->has_thread, false);
}

/* [vm->lock] held; until every thread is behind its filter. Then nothing but its memory is in the guest's reach. */
static void wait_for_filters(struct vm *vm)
{
	while (vm->nr_locked_in < vm->nr_threads)
		pthread_cond_wait(&vm->changed, &vm->lock);
}

static int start_threads(struct vm *vm, struct err *e)
{
	uint32_t i;
	int ret = stream_start(vm, e);

	if (!ret)
		ret = vm->machine->start(vm, e);
	for (i = 0; !ret && i < vm->nr_cpus; i++) {
		vm->cpu[i].has_thread = true; /* nobody looks yet */
		ret = vm_thread(vm, vcpu_thread, &vm->cpu[i], "a virtual CPU", e);
	}
	pthread_mutex_lock(&vm->lock);
	if (!ret)
		wait_for_filters(vm);
	pthread_mutex_unlock(&vm->lock);
	if (!ret)
		ret = watchdog_start(vm, e);
	return ret;
}

static bool any_cpu_runs(const struct vm *vm)
{
	uint32_t i;

	for (i = 0; i < vm->nr_cpus; i++)
		if (vm->cpu[i].has_thread)
			return true;
	return false;
}

int vm_run(struct vm *vm, struct err *e)
{
	int ret = start_threads(vm, e);

	if (ret)
		return ret;
	pthread_mutex_lock(&vm->lock);
	vm->nr_threads++; /* this one */
	pthread_mutex_unlock(&vm->lock);
	vm_lock_in(vm, SANDBOX_MAIN, -1);
	pthread_mutex_lock(&vm->lock);
	wait_for_filters(vm);
	if (vm->machine->go)
		vm->machine->go(vm);
	vm->cpu[0].started = true; /* the first guest instruction */
	pthread_cond_broadcast(&vm->changed);
	while (vm->result.kind == VM_RUNNING || any_cpu_runs(vm))
		pthread_cond_wait(&vm->changed, &vm->lock);
	pthread_mutex_unlock(&vm->lock);
	vm->machine->stop(vm);
	stream_stop(vm);
	return 0;
}

/* Closes what it does not keep, itself. */
static int place_fds(int *const *fd, uint32_t nr)
{
	uint32_t i;

	for (i = SANDBOX_FD_KICK; i < nr; i++)
		if (fd[i] && *fd[i] >= 0 && (*fd[i] = fcntl(*fd[i], F_DUPFD_CLOEXEC, nr)) < 0)
			return -errno;
	for (i = SANDBOX_FD_KICK; i < nr; i++) {
		if (!fd[i] || *fd[i] < 0)
			close((int)i);
		else if (dup3(*fd[i], (int)i, O_CLOEXEC) < 0)
			return -errno;
		else
			*fd[i] = (int)i;
	}
	return syscall(SYS_close_range, nr, ~0u, 0) ? -errno : 0;
}

int vm_place_fds(struct vm *vm, struct err *e)
{
	int *fd[SANDBOX_FD_VCPU + HYP_CPU_MAX] = {
		[SANDBOX_FD_KICK] = &vm->kick_fd,
		[SANDBOX_FD_EVENT] = &vm->event_fd,
		[SANDBOX_FD_VM] = &vm->fd,
		[SANDBOX_FD_KERNEL] = &vm->kernel_pidfd,
	};
	uint32_t nr = SANDBOX_FD_VCPU + vm->nr_cpus, i;
	const struct rlimit limit = { nr, nr };
	int ret;

	for (i = 0; i < vm->nr_cpus; i++)
		fd[SANDBOX_FD_VCPU + i] = &vm->cpu[i].fd;
	ret = place_fds(fd, nr);
	if (!ret && setrlimit(RLIMIT_NOFILE, &limit))
		ret = -errno;
	/* Memory and image stay mapped. */
	vm->mem.fd = vm->kvm_fd = vm->irqchip_fd = vm->cfg.image_fd = -1;
	for (i = 0; i < vm->mem.nr_windows; i++)
		vm->mem.window[i].fd = -1;
	return ret ? err_set_errno(e, -ret, "locking in: descriptors") : 0;
}

void vm_destroy(struct vm *vm)
{
	vm->machine->destroy(vm);
	cleanup_fd(&vm->kick_fd);
	gmem_fini(&vm->mem);
}

/* Reasons quote the guest. */
static void make_printable(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 127)
			*s = '?';
}

void vm_end(struct vm *vm, enum vm_end_kind kind, int status, const char *fmt, ...)
{
	va_list ap;
	uint32_t i;

	pthread_mutex_lock(&vm->lock);
	if (vm->result.kind == VM_RUNNING) {
		vm->result.kind = kind;
		vm->result.status = status;
		va_start(ap, fmt);
		vsnprintf(vm->result.reason, sizeof vm->result.reason, fmt, ap);
		va_end(ap);
		make_printable(vm->result.reason);
	}
	atomic_store(&vm->stopping, true);
	pthread_cond_broadcast(&vm->changed);
	/* Under the lock: a thread that is done takes has_thread back. */
	for (i = 0; i < vm->nr_cpus; i++)
		if (vm->cpu[i].has_thread)
			vm->machine->kick(&vm->cpu[i]);
	pthread_mutex_unlock(&vm->lock);
}

void vm_end_at(struct vcpu *v, const char *reason)
{
	uint64_t frames[HYP_BACKTRACE_MAX];
	uint32_t n = v->vm->machine->backtrace(v, frames, HYP_BACKTRACE_MAX);
	struct vm *vm = v->vm;

	pthread_mutex_lock(&vm->lock);
	if (vm->result.kind == VM_RUNNING) {
		memcpy(vm->result.frames, frames, n * sizeof frames[0]);
		vm->result.nr_frames = n;
	}
	pthread_mutex_unlock(&vm->lock);
	vm_end(vm, VM_KILL_GUEST, 0, "%s", reason);
}

void vm_raise(struct vm *vm, uint32_t event_bits)
{
	__atomic_fetch_or(&vm_event_page(vm)->pending, event_bits, __ATOMIC_SEQ_CST);
	vm->machine->raise(vm);
}

void vm_signal(struct vm *vm, int signo)
{
	__atomic_fetch_or(&vm_event_page(vm)->signals, 1ull << (signo - 1), __ATOMIC_SEQ_CST);
	vm_raise(vm, HYP_EVENT_SIGNAL);
}

void vm_tty_signal(struct vm *vm, int signo)
{
	__atomic_fetch_or(&vm_event_page(vm)->tty_signals, 1ull << (signo - 1), __ATOMIC_SEQ_CST);
	vm_raise(vm, HYP_EVENT_TTY_SIGNAL);
}

bool vm_signal_is_taken(struct vm *vm, int signo)
{
	return !(__atomic_load_n(&vm_event_page(vm)->signals, __ATOMIC_SEQ_CST) &
		 1ull << (signo - 1));
}

void vm_suspend(struct vm *vm, bool on)
{
	if (vm->machine->suspend)
		vm->machine->suspend(vm, on);
	pthread_mutex_lock(&vm->lock);
	vm->nr_resumes += !on;
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->lock);
}

uint32_t vm_resumes(struct vm *vm)
{
	uint32_t n;

	pthread_mutex_lock(&vm->lock);
	n = vm->nr_resumes;
	pthread_mutex_unlock(&vm->lock);
	return n;
}

void vm_wait_resumed(struct vm *vm, uint32_t seen)
{
	pthread_mutex_lock(&vm->lock);
	while (vm->nr_resumes == seen)
		pthread_cond_wait(&vm->changed, &vm->lock);
	pthread_mutex_unlock(&vm->lock);
}

void vm_winsize(struct vm *vm, uint16_t rows, uint16_t cols)
{
	struct hyp_event *ev = vm_event_page(vm);

	__atomic_store_n(&ev->rows, rows, __ATOMIC_RELAXED);
	__atomic_store_n(&ev->cols, cols, __ATOMIC_RELAXED);
	vm_raise(vm, HYP_EVENT_WINSIZE);
}
