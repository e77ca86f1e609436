// SPDX-License-Identifier: Apache-2.0
/*
 * vm - set-up order of a virtual machine, its end, its events
 *
 * Role      See vm.h.
 * Rules     Guest memory from HYP_RAM_BASE up: kernel image, page tables, device tree, channel pages, event page,
 *           rings, array of struct page (left untouched), then free memory.
 * Locking   vm->lock for result and vCPU starts.
 */
#include "vmm/vm.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

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
	if (!ret)
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

static void *vcpu_thread(void *arg)
{
	struct vcpu *v = arg;

	sandbox_filter(SANDBOX_VCPU);
	v->vm->machine->run(v);
	return NULL;
}

int vm_run(struct vm *vm, struct err *e)
{
	struct err we = { 0 };
	uint32_t i;
	int ret = 0;

	ret = stream_start(vm, e);
	if (!ret)
		ret = vm->machine->start(vm, e);
	if (ret)
		return ret;
	for (i = 0; i < vm->nr_cpus && !ret; i++) {
		pthread_mutex_lock(&vm->lock);
		ret = pthread_create(&vm->cpu[i].thread, NULL, vcpu_thread, &vm->cpu[i]);
		vm->cpu[i].has_thread = !ret;
		pthread_mutex_unlock(&vm->lock);
		if (ret)
			vm_end(vm, VM_KILL_HOST, 0, "starting the thread of CPU %u: %s", i,
			       strerror(ret));
	}
	if (!ret && watchdog_start(vm, &we))
		vm_end(vm, VM_KILL_HOST, 0, "%s", we.msg);
	sandbox_filter(SANDBOX_MAIN);
	pthread_mutex_lock(&vm->lock);
	vm->cpu[0].started = true; /* the first guest instruction */
	pthread_cond_broadcast(&vm->changed);
	while (vm->result.kind == VM_RUNNING)
		pthread_cond_wait(&vm->changed, &vm->lock);
	pthread_mutex_unlock(&vm->lock);
	for (i = 0; i < vm->nr_cpus; i++) {
		bool has_thread;

		pthread_mutex_lock(&vm->lock);
		has_thread = vm->cpu[i].has_thread;
		vm->cpu[i].has_thread = false;
		if (has_thread)
			vm->machine->kick(&vm->cpu[i]);
		pthread_mutex_unlock(&vm->lock);
		if (has_thread)
			pthread_join(vm->cpu[i].thread, NULL);
	}
	vm->machine->stop(vm);
	stream_stop(vm);
	return 0;
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
	/* Under the lock: vm_run() takes has_thread back before it joins. */
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

void vm_report_frames(const struct vm *vm)
{
	char name[128];
	uint32_t i;

	for (i = 0; i < vm->result.nr_frames; i++) {
		kimage_symbol(&vm->kimage, vm->result.frames[i], name, sizeof name);
		fprintf(stderr, "  #%-2u 0x%016lx %s\n", i, vm->result.frames[i], name);
	}
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
}

void vm_winsize(struct vm *vm, uint16_t rows, uint16_t cols)
{
	struct hyp_event *ev = vm_event_page(vm);

	__atomic_store_n(&ev->rows, rows, __ATOMIC_RELAXED);
	__atomic_store_n(&ev->cols, cols, __ATOMIC_RELAXED);
	vm_raise(vm, HYP_EVENT_WINSIZE);
}
