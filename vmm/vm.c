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
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include "arch/vcpu.h"
#include "vmm/sandbox.h"

#define STRUCT_PAGE_BYTES 64u /* one per frame, see guestkernel/kapi/page.h */
#define EVENT_GSI	  8u

static int open_kvm(struct vm *vm, struct err *e)
{
	int version;

	vm->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm_fd < 0 && errno == ENOENT)
		return err_set(e, ENOENT,
			       "/dev/kvm is missing; load the kvm module or enable virtualisation");
	if (vm->kvm_fd < 0 && (errno == EACCES || errno == EPERM))
		return err_set(e, errno,
			       "no permission for /dev/kvm; run as root or join the kvm group");
	if (vm->kvm_fd < 0)
		return err_set_errno(e, errno, "opening /dev/kvm");
	version = ioctl(vm->kvm_fd, KVM_GET_API_VERSION, 0);
	if (version != KVM_API_VERSION)
		return err_set(e, ENOTSUP, "/dev/kvm speaks API version %d, not %d", version,
			       KVM_API_VERSION);
	vm->fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, 0);
	if (vm->fd < 0)
		return err_set_errno(e, errno, "creating a virtual machine");
	return 0;
}

static int add_slot(struct vm *vm, uint32_t slot, uint64_t gpa, uint64_t len, void *addr,
		    uint32_t flags, struct err *e)
{
	struct kvm_userspace_memory_region r = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = len,
		.userspace_addr = (uintptr_t)addr,
	};

	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &r))
		return err_set_errno(e, errno, "giving the guest memory slot %u", slot);
	return 0;
}

static uint64_t place(uint64_t *at, uint64_t len, uint64_t align)
{
	uint64_t start = round_up_u64(*at, align);

	*at = start + len;
	return start;
}

/* Everything behind the kernel image. Page tables: one per GiB of RAM and window, and some. */
static int plan_layout(struct vm *vm, struct err *e)
{
	uint64_t at = vm->kimage.gpa_end, frames = vm->mem.ram_size / HYP_PAGE_SIZE;
	uint64_t tables = 24 + (vm->mem.ram_size >> 30) +
			  (round_up_u64(vm->cfg.image_len, 1 << 21) >> 30) +
			  2 * (vm->kimage.gpa_end - HYP_RAM_BASE) / (2u << 20);

	vm->at.tables = place(&at, tables * HYP_PAGE_SIZE, HYP_PAGE_SIZE);
	vm->at.tables_end = at;
	vm->at.fdt = place(&at, BOOTINFO_MAX, HYP_PAGE_SIZE);
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

static int map_kernel(struct vm *vm, struct arch_pagetables *pt, struct err *e)
{
	uint64_t first_free = round_up_u64(vm->kimage.gpa_end, 2u << 20);
	uint64_t ram_end = HYP_RAM_BASE + vm->mem.ram_size;
	uint32_t i;
	int ret;

	for (i = 0; i < vm->kimage.nr_segs; i++) {
		const struct kimage_segment *s = &vm->kimage.seg[i];

		ret = arch_pt_map(pt, s->va, s->gpa, s->len,
				  (s->writable ? PT_WRITE : 0) | (s->executable ? PT_EXEC : 0), e);
		/* In the direct map, what is not writable stays so. */
		if (!ret)
			ret = arch_pt_map(pt, arch_direct_map(s->gpa), s->gpa, s->len,
					  s->writable ? PT_WRITE : 0, e);
		if (ret)
			return ret;
	}
	if (first_free > ram_end)
		first_free = ram_end;
	ret = arch_pt_map(pt, arch_direct_map(vm->kimage.gpa_end), vm->kimage.gpa_end,
			  first_free - vm->kimage.gpa_end, PT_WRITE, e);
	if (!ret)
		ret = arch_pt_map(pt, arch_direct_map(first_free), first_free, ram_end - first_free,
				  PT_WRITE, e);
	for (i = 0; !ret && i < vm->mem.nr_windows; i++)
		ret = arch_pt_map(pt, arch_direct_map(vm->mem.window[i].gpa), vm->mem.window[i].gpa,
				  vm->mem.window[i].len, 0, e);
	return ret ? ret : arch_pt_map_devices(pt, e);
}

static int build_memory(struct vm *vm, struct err *e)
{
	const struct vm_config *cfg = &vm->cfg;
	struct arch_pagetables pt;
	uint64_t window_gpa;
	int ret;

	ret = gmem_init(&vm->mem, cfg->mem_bytes, e);
	if (!ret && cfg->image_fd >= 0)
		ret = gmem_add_window(&vm->mem, cfg->image_fd, cfg->image_len, &window_gpa, e);
	if (!ret)
		ret = kimage_load(&vm->kimage, cfg->kernel ? cfg->kernel : kernel_elf,
				  cfg->kernel ? cfg->kernel_len
					      : (size_t)(kernel_elf_end - kernel_elf),
				  &vm->mem, HYP_RAM_BASE, e);
	if (!ret)
		ret = plan_layout(vm, e);
	if (ret)
		return ret;
	arch_pt_init(&pt, &vm->mem, vm->at.tables, vm->at.tables_end, true);
	ret = map_kernel(vm, &pt, e);
	vm->root_gpa = pt.root;
	return ret;
}

static int give_memory(struct vm *vm, struct err *e)
{
	uint32_t i;
	int ret;

	ret = add_slot(vm, 0, HYP_RAM_BASE, vm->mem.ram_size, vm->mem.ram, 0, e);
	for (i = 0; !ret && i < vm->mem.nr_windows; i++)
		ret = add_slot(vm, 1 + i, vm->mem.window[i].gpa, vm->mem.window[i].len,
			       vm->mem.window[i].addr, KVM_MEM_READONLY, e);
	return ret;
}

static int make_events(struct vm *vm, struct err *e)
{
	struct kvm_irqfd irqfd = { .gsi = EVENT_GSI };

	vm->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	vm->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vm->event_fd < 0 || vm->kick_fd < 0)
		return err_set_errno(e, errno, "creating event descriptors");
	irqfd.fd = (uint32_t)vm->event_fd;
	if (arch_vm_route_event(vm, EVENT_GSI, e))
		return -e->code;
	if (ioctl(vm->fd, KVM_IRQFD, &irqfd))
		return err_set_errno(e, errno, "connecting the event interrupt");
	return 0;
}

int vm_create(struct vm *vm, const struct vm_config *cfg, struct err *e)
{
	uint32_t i;
	int ret;

	memset(vm, 0, sizeof *vm);
	vm->kvm_fd = vm->fd = vm->irqchip_fd = vm->event_fd = vm->kick_fd = vm->mem.fd = -1;
	vm->cfg = *cfg;
	vm->nr_cpus = cfg->nr_cpus;
	pthread_mutex_init(&vm->lock, NULL);
	pthread_cond_init(&vm->changed, NULL);
	ret = open_kvm(vm, e);
	if (!ret)
		ret = build_memory(vm, e);
	if (!ret)
		ret = arch_vm_init(vm, e);
	if (!ret)
		ret = give_memory(vm, e);
	for (i = 0; !ret && i < vm->nr_cpus; i++)
		ret = vcpu_create(vm, i, e);
	if (!ret)
		ret = make_events(vm, e);
	if (!ret) {
		vm->counter_offset = arch_counter_offset(&vm->cpu[0]);
		ret = bootinfo_write(vm, arch_counter_khz(&vm->cpu[0]), e);
	}
	if (!ret)
		ret = arch_vcpu_set_entry(&vm->cpu[0], vm->kimage.entry, 0,
					  arch_direct_map(vm->at.fdt), 0, e);
	if (ret)
		vm_destroy(vm);
	return ret;
}

int vm_run(struct vm *vm, struct err *e)
{
	struct err we = { 0 };
	uint32_t i;
	int ret = 0;

	vcpu_setup_kick_signal();
	ret = stream_start(vm, e);
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
			vcpu_kick(&vm->cpu[i]);
		pthread_mutex_unlock(&vm->lock);
		if (has_thread)
			pthread_join(vm->cpu[i].thread, NULL);
	}
	stream_stop(vm);
	return 0;
}

void vm_destroy(struct vm *vm)
{
	uint32_t i;

	for (i = 0; i < vm->nr_cpus; i++)
		vcpu_destroy(&vm->cpu[i]);
	cleanup_fd(&vm->event_fd);
	cleanup_fd(&vm->kick_fd);
	cleanup_fd(&vm->irqchip_fd);
	cleanup_fd(&vm->fd);
	cleanup_fd(&vm->kvm_fd);
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
			vcpu_kick(&vm->cpu[i]);
	pthread_mutex_unlock(&vm->lock);
}

void vm_end_at(struct vcpu *v, const char *reason)
{
	uint64_t frames[HYP_BACKTRACE_MAX];
	uint32_t n = arch_vcpu_backtrace(v, frames, HYP_BACKTRACE_MAX);
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

struct hyp_event *vm_event_page(struct vm *vm)
{
	return gmem_setup_ptr(&vm->mem, vm->at.event, sizeof(struct hyp_event));
}

struct hyp_ring *vm_ring(struct vm *vm, enum hyp_stream s)
{
	return gmem_setup_ptr(&vm->mem, vm->at.rings + s * sizeof(struct hyp_ring),
			      sizeof(struct hyp_ring));
}

struct hyp_channel *vm_channel(struct vm *vm, uint32_t cpu)
{
	return gmem_setup_ptr(&vm->mem, vm->at.channels + cpu * sizeof(struct hyp_channel),
			      sizeof(struct hyp_channel));
}

void vm_raise(struct vm *vm, uint32_t event_bits)
{
	uint64_t one = 1;

	__atomic_fetch_or(&vm_event_page(vm)->pending, event_bits, __ATOMIC_SEQ_CST);
	if (write(vm->event_fd, &one, sizeof one) != sizeof one)
		return; /* the counter is full: an interrupt is already on its way */
}

void vm_signal(struct vm *vm, int signo)
{
	__atomic_fetch_or(&vm_event_page(vm)->signals, 1ull << (signo - 1), __ATOMIC_SEQ_CST);
	vm_raise(vm, HYP_EVENT_SIGNAL);
}

void vm_winsize(struct vm *vm, uint16_t rows, uint16_t cols)
{
	struct hyp_event *ev = vm_event_page(vm);

	__atomic_store_n(&ev->rows, rows, __ATOMIC_RELAXED);
	__atomic_store_n(&ev->cols, cols, __ATOMIC_RELAXED);
	vm_raise(vm, HYP_EVENT_WINSIZE);
}
