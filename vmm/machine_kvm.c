// SPDX-License-Identifier: Apache-2.0
/*
 * machine_kvm - guests in a KVM virtual machine
 *
 * Role      See machine.h. What is the processor's own is in arch/<cpu>/vmm. CPU 0 runs at once; the threads of the
 *           others wait until the guest starts them (HYP_CPU_START, or in KVM_RUN), so that a sandbox that needs one
 *           CPU pays for one.
 * Rules     A thread leaves KVM_RUN when vm->stopping is set: the setter then sends SIGURG, whose handler
 *           sets immediate_exit, so the request cannot fall between the check and the ioctl.
 */
#include "vmm/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "arch/layout.h"
#include "arch/vcpu.h"

#define EVENT_GSI 8u

#define KICK_SIGNAL SIGURG

static __thread struct kvm_run *own_run; /* of the CPU whose thread this is */

static int kvm_open(struct vm *vm, struct err *e)
{
	unsigned long type;
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
	if (arch_vm_type(vm->kvm_fd, &type, e))
		return -e->code;
	vm->fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, type);
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
	if (vm->event_fd < 0)
		return err_set_errno(e, errno, "creating an event descriptor");
	irqfd.fd = (uint32_t)vm->event_fd;
	if (arch_vm_route_event(vm, EVENT_GSI, e))
		return -e->code;
	if (ioctl(vm->fd, KVM_IRQFD, &irqfd))
		return err_set_errno(e, errno, "connecting the event interrupt");
	return 0;
}

static int create_cpu(struct vm *vm, uint32_t id, struct err *e)
{
	struct vcpu *v = &vm->cpu[id];
	int size;

	v->fd = ioctl(vm->fd, KVM_CREATE_VCPU, id);
	if (v->fd < 0)
		return err_set_errno(e, errno, "creating virtual CPU %u", id);
	size = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (size <= 0)
		return err_set_errno(e, errno, "sizing the run area of virtual CPU %u", id);
	v->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	if (v->run == MAP_FAILED) {
		v->run = NULL;
		return err_set_errno(e, errno, "mapping the run area of virtual CPU %u", id);
	}
	return arch_vcpu_init(vm, v, e);
}

static void destroy_cpu(struct vcpu *v)
{
	int size = v->run ? ioctl(v->vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0) : 0;

	if (size > 0)
		munmap(v->run, (size_t)size);
	v->run = NULL;
	cleanup_fd(&v->fd);
}

static int kvm_create(struct vm *vm, struct err *e)
{
	uint32_t i;
	int ret;

	ret = arch_vm_init(vm, e);
	if (!ret)
		ret = give_memory(vm, e);
	for (i = 0; !ret && i < vm->nr_cpus; i++)
		ret = create_cpu(vm, i, e);
	if (!ret)
		ret = make_events(vm, e);
	return ret;
}

static uint64_t kvm_counter_khz(struct vm *vm)
{
	return arch_counter_khz(&vm->cpu[0]);
}

static uint64_t kvm_counter_offset(struct vm *vm)
{
	return arch_counter_offset(&vm->cpu[0]);
}

static int kvm_enter(struct vm *vm, struct err *e)
{
	return arch_vcpu_set_boot(&vm->cpu[0], vm->kimage.entry, vm->at.fdt, e);
}

/* SIGURG, because nobody sends it to a program that has no such socket, and its default is nothing. */
static void on_kick(int signo)
{
	(void)signo;
	if (own_run)
		own_run->immediate_exit = 1;
}

static int kvm_start(struct vm *vm, struct err *e)
{
	struct sigaction sa = { .sa_handler = on_kick };

	(void)vm;
	return sigaction(KICK_SIGNAL, &sa, NULL) ? err_set_errno(e, errno, "taking the kick signal")
						 : 0;
}

static void kvm_kick(struct vcpu *v)
{
	syscall(SYS_tgkill, v->vm->tgid, v->tid, KICK_SIGNAL);
}

static void kvm_raise(struct vm *vm)
{
	uint64_t one = 1;

	if (write(vm->event_fd, &one, sizeof one) != sizeof one)
		return; /* the counter is full: an interrupt is already on its way */
}

static clockid_t kvm_clock(struct vcpu *v)
{
	return v->has_clock ? v->clock : CLOCK_MONOTONIC;
}

static void kvm_stop(struct vm *vm)
{
	(void)vm; /* the guest runs only inside run() */
}

static void kvm_destroy(struct vm *vm)
{
	uint32_t i;

	for (i = 0; i < vm->nr_cpus; i++)
		destroy_cpu(&vm->cpu[i]);
	cleanup_fd(&vm->event_fd);
	cleanup_fd(&vm->irqchip_fd);
	cleanup_fd(&vm->fd);
	cleanup_fd(&vm->kvm_fd);
}

/* False when the VM ends before this CPU is wanted. */
static bool wait_for_start(struct vcpu *v)
{
	struct vm *vm = v->vm;
	struct err e = { 0 };
	bool go;

	pthread_mutex_lock(&vm->lock);
	if (ARCH_KVM_STARTS_CPUS && v->id)
		v->started = true; /* in KVM_RUN, when the guest wants it */
	while (!v->started && !atomic_load(&vm->stopping))
		pthread_cond_wait(&vm->changed, &vm->lock);
	go = v->started && !atomic_load(&vm->stopping);
	pthread_mutex_unlock(&vm->lock);
	if (go && v->id && !ARCH_KVM_STARTS_CPUS &&
	    arch_vcpu_set_entry(v, v->start_ip, v->start_sp, v->start_arg, v->id, &e)) {
		vm_end(vm, VM_KILL_HOST, 0, "%s", e.msg);
		return false;
	}
	return go;
}

static void kvm_run(struct vcpu *v)
{
	struct vm *vm = v->vm;
	struct err e = { 0 };

	own_run = v->run;
	if (!wait_for_start(v))
		return;
	while (!atomic_load(&vm->stopping)) {
		if (atomic_load(&v->look))
			watchdog_look(v);
		if (ioctl(v->fd, KVM_RUN, 0) < 0) {
			if (errno == EINTR || errno == EAGAIN) {
				v->run->immediate_exit =
					0; /* whoever kicked has set stopping or look before */
				continue;
			}
			vm_end(vm, VM_KILL_HOST, 0, "running virtual CPU %u: %s", v->id,
			       strerror(errno));
			return;
		}
		switch (arch_vcpu_exit(v, v->run, &e)) {
		case ARCH_EXIT_DOORBELL:
			hypercall_dispatch(v);
			break;
		case ARCH_EXIT_AGAIN:
			break;
		case ARCH_EXIT_BROKEN:
			vm_end_at(v, e.msg);
			return;
		}
	}
}

const struct machine machine_kvm = {
	.name = "kvm",
	.sandbox = SANDBOX_KVM,
	.kernel_va = KERNEL_VA_BASE,
	.kvm_starts_cpus = ARCH_KVM_STARTS_CPUS,
	.kernel = kernel_elf,
	.kernel_end = kernel_elf_end,
	.open = kvm_open,
	.table_pages = arch_vm_table_pages,
	.create = kvm_create,
	.counter_khz = kvm_counter_khz,
	.counter_offset = kvm_counter_offset,
	.enter = kvm_enter,
	.start = kvm_start,
	.run = kvm_run,
	.kick = kvm_kick,
	.interrupt = arch_vm_interrupt,
	.raise = kvm_raise,
	.clock = kvm_clock,
	.backtrace = arch_vcpu_backtrace,
	.sleeps_for_good = arch_vcpu_sleeps_for_good,
	.stop = kvm_stop,
	.destroy = kvm_destroy,
};
