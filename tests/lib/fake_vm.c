// SPDX-License-Identifier: Apache-2.0
/*
 * fake_vm - see fake_vm.h
 */
#include "tests/lib/fake_vm.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "arch/vcpu.h"
#include "vmm/machine.h"

/* The embedded kernel of a real build. */
const unsigned char kernel_elf[1], kernel_elf_end[1];

/* One whose further CPUs start by hostcall. */
static const struct machine fake_machine = { .name = "fake" };

void fake_vm_init(struct vm *vm, uint32_t nr_cpus)
{
	struct err e = { 0 };
	uint64_t at = HYP_RAM_BASE + (1u << 20);
	uint32_t i;

	memset(vm, 0, sizeof *vm);
	if (gmem_init(&vm->mem, FAKE_RAM, &e))
		abort();
	vm->machine = &fake_machine;
	vm->nr_cpus = nr_cpus;
	vm->at.fdt = at;
	vm->at.channels = at += BOOTINFO_MAX;
	vm->at.event = at += nr_cpus * HYP_PAGE_SIZE;
	vm->at.rings = at += HYP_PAGE_SIZE;
	vm->at.reserved_end = at + HYP_STREAMS * sizeof(struct hyp_ring);
	vm->kvm_fd = vm->fd = -1;
	vm->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	vm->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&vm->lock, NULL);
	pthread_cond_init(&vm->changed, NULL);
	for (i = 0; i < nr_cpus; i++)
		vm->cpu[i] = (struct vcpu){ .vm = vm, .id = i, .fd = -1, .started = i == 0 };
}

void fake_vm_fini(struct vm *vm)
{
	close(vm->event_fd);
	close(vm->kick_fd);
	gmem_fini(&vm->mem);
}

void fake_vm_reset(struct vm *vm)
{
	uint32_t i;

	memset(vm_channel(vm, 0), 0, vm->nr_cpus * sizeof(struct hyp_channel));
	memset(vm_event_page(vm), 0, HYP_PAGE_SIZE);
	memset(vm_ring(vm, HYP_STDIN), 0, HYP_STREAMS * sizeof(struct hyp_ring));
	memset(&vm->result, 0, sizeof vm->result);
	atomic_store(&vm->stopping, false);
	for (i = 1; i < vm->nr_cpus; i++)
		vm->cpu[i].started = false;
}

void vm_end(struct vm *vm, enum vm_end_kind kind, int status, const char *fmt, ...)
{
	va_list ap;

	if (vm->result.kind == VM_RUNNING) {
		vm->result.kind = kind;
		vm->result.status = status;
		va_start(ap, fmt);
		vsnprintf(vm->result.reason, sizeof vm->result.reason, fmt, ap);
		va_end(ap);
	}
	atomic_store(&vm->stopping, true);
}

void vm_raise(struct vm *vm, uint32_t bits)
{
	__atomic_fetch_or(&vm_event_page(vm)->pending, bits, __ATOMIC_SEQ_CST);
}

uint64_t arch_counter_now(void)
{
	return 1;
}

int vm_thread(struct vm *vm, void *(*fn)(void *), void *arg, const char *what, struct err *e)
{
	(void)vm, (void)fn, (void)arg;
	return err_set(e, ENOSYS, "no thread of %s here", what);
}

void vm_lock_in(struct vm *vm, enum sandbox_thread kind, int vcpu_fd)
{
	(void)vm, (void)kind, (void)vcpu_fd;
}

_Noreturn void vm_rest(struct vm *vm, bool *done, bool value)
{
	(void)vm, (void)done, (void)value;
	abort();
}

uint32_t vm_resumes(struct vm *vm)
{
	return vm->nr_resumes;
}

void vm_wait_resumed(struct vm *vm, uint32_t seen)
{
	(void)vm, (void)seen;
	abort();
}
