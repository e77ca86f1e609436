// SPDX-License-Identifier: Apache-2.0
/*
 * vcpu - the thread of one virtual CPU and its KVM_RUN loop
 *
 * Role      Created by vm.c. CPU 0 runs at once; the others wait until the guest starts them (HYP_CPU_START), so
 *           that a sandbox that needs one CPU pays for one.
 * Rules     A thread leaves KVM_RUN when vm->stopping is set: the setter then sends SIGUSR1, whose handler
 *           sets immediate_exit, so the request cannot fall between the check and the ioctl.
 */
#include "vmm/vm.h"

#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "arch/vcpu.h"
#include "vmm/sandbox.h"

static __thread struct vcpu *self;

static void on_kick(int signo)
{
	(void)signo;
	if (self && self->run)
		self->run->immediate_exit = 1;
}

void vcpu_setup_kick_signal(void)
{
	struct sigaction sa = { .sa_handler = on_kick };

	sigaction(SIGUSR1, &sa, NULL);
}

void vcpu_kick(struct vcpu *v)
{
	pthread_kill(v->thread, SIGUSR1);
}

int vcpu_create(struct vm *vm, uint32_t id, struct err *e)
{
	struct vcpu *v = &vm->cpu[id];
	int size;

	v->vm = vm;
	v->id = id;
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

void vcpu_destroy(struct vcpu *v)
{
	int size = v->vm ? ioctl(v->vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0) : 0;

	if (v->run && size > 0)
		munmap(v->run, (size_t)size);
	if (v->vm && v->fd >= 0)
		close(v->fd);
	v->run = NULL;
	v->fd = -1;
	v->vm = NULL;
}

/* False when the VM ends before this CPU is wanted. */
static bool wait_for_start(struct vcpu *v)
{
	struct vm *vm = v->vm;
	struct err e = { 0 };
	bool go;

	pthread_mutex_lock(&vm->lock);
	while (!v->started && !atomic_load(&vm->stopping))
		pthread_cond_wait(&vm->changed, &vm->lock);
	go = v->started && !atomic_load(&vm->stopping);
	pthread_mutex_unlock(&vm->lock);
	if (go && v->id &&
	    arch_vcpu_set_entry(v, v->start_ip, v->start_sp, v->start_arg, v->id, &e)) {
		vm_end(vm, VM_KILL_HOST, 0, "%s", e.msg);
		return false;
	}
	return go;
}

static void run_loop(struct vcpu *v)
{
	struct vm *vm = v->vm;
	struct err e = { 0 };

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

void *vcpu_thread(void *arg)
{
	struct vcpu *v = arg;

	self = v;
	sandbox_filter(SANDBOX_VCPU);
	if (wait_for_start(v))
		run_loop(v);
	return NULL;
}
