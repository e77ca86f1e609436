// SPDX-License-Identifier: Apache-2.0
/*
 * watchdog - ends a sandbox whose kernel loops with interrupts off
 *
 * Role      A thread that looks at the CPU time of each vCPU thread now and then. A CPU that was busy gets a ping:
 *           its bit in the event page and the event interrupt; taking the bit is the answer. A CPU that
 *           burns HANG_CPU_NS without any answer has hung, and its thread ends the VM with a backtrace.
 *           A CPU that has just gone quiet is looked at once, from outside: halted with interrupts
 *           off, it would sleep for good.
 * Rules     An idle guest is never woken: a ping costs less CPU time than BUSY_NS, so it is not answered with another.
 *           Limits are CPU time, not wall time: a crowded host or a stopped monitor is not the guest's fault.
 * See       vmm/abi/hyp.h: struct hyp_event; guestkernel/host/hyp.c: trap_host_event()
 */
#include "vmm/vm.h"

#include <string.h>
#include <time.h>

#include "vmm/machine.h"

#define LOOK_EVERY_S 5
#define BUSY_NS	     200000000ull   /* in LOOK_EVERY_S; far above what an answer costs */
#define HANG_CPU_NS  30000000000ull /* instructions of a kernel are dear on some hosts */

struct watched {
	clockid_t clock;
	uint64_t last_ns;  /* CPU time at the last look */
	bool was_examined; /* quiet since then */
	bool is_waiting;   /* for its answer */
	uint64_t ping_ns;  /* CPU time when it was asked */
};

static struct {
	struct vm *vm;
	struct watched cpu[HYP_CPU_MAX];
} dog;

static uint64_t cpu_ns(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		return 0;
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void ask(struct vcpu *v, enum vcpu_look look)
{
	pthread_mutex_lock(&v->vm->lock);
	if (v->has_thread && v->started) {
		atomic_store(&v->look, look);
		v->vm->machine->kick(v);
	}
	pthread_mutex_unlock(&v->vm->lock);
}

static void ping(uint32_t cpu, uint64_t now_ns)
{
	__atomic_fetch_or(&vm_event_page(dog.vm)->pings, 1ull << cpu, __ATOMIC_SEQ_CST);
	dog.cpu[cpu].ping_ns = now_ns;
	dog.cpu[cpu].is_waiting = true;
	dog.vm->machine->interrupt(dog.vm, cpu);
}

static bool is_answered(uint32_t cpu)
{
	return !(__atomic_load_n(&vm_event_page(dog.vm)->pings, __ATOMIC_SEQ_CST) & 1ull << cpu);
}

static bool has_started(struct vcpu *v)
{
	bool started;

	pthread_mutex_lock(&v->vm->lock);
	started = v->started;
	pthread_mutex_unlock(&v->vm->lock);
	return started;
}

static void look_at(uint32_t id)
{
	struct vcpu *v = &dog.vm->cpu[id];
	struct watched *w = &dog.cpu[id];
	uint64_t now = cpu_ns(w->clock), used = now - w->last_ns;

	w->last_ns = now;
	if (!has_started(v))
		return; /* its clock may be one with the others' */
	if (w->is_waiting && is_answered(id))
		w->is_waiting = false;
	if (w->is_waiting && now - w->ping_ns > HANG_CPU_NS)
		ask(v, LOOK_HUNG);
	if (used < BUSY_NS) {
		if (!w->was_examined)
			ask(v, LOOK_HALTED);
		w->was_examined = true;
		/* It took the interrupt and slept before it took the bit, or it halts. */
		w->is_waiting = false;
		return;
	}
	w->was_examined = false;
	if (!w->is_waiting)
		ping(id, now);
}

static void look_at_all(void)
{
	uint32_t i;

	for (i = 0; i < dog.vm->nr_cpus; i++)
		look_at(i);
}

static void *watchdog_thread(void *arg)
{
	const struct timespec pause = { .tv_sec = LOOK_EVERY_S };

	(void)arg;
	vm_lock_in(dog.vm, SANDBOX_WATCHDOG, -1);
	for (;;) {
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
		if (atomic_load(&dog.vm->stopping))
			vm_rest(dog.vm, NULL, false);
		look_at_all();
	}
}

void watchdog_look(struct vcpu *v)
{
	int look = atomic_exchange(&v->look, LOOK_NONE);
	char reason[80];

	if (look == LOOK_HUNG) {
		snprintf(reason, sizeof reason,
			 "the guest kernel hangs on CPU %u with interrupts off", v->id);
		vm_end_at(v, reason);
	} else if (look == LOOK_HALTED && v->vm->machine->sleeps_for_good(v)) {
		snprintf(reason, sizeof reason,
			 "the guest kernel halted CPU %u with interrupts off", v->id);
		vm_end_at(v, reason);
	}
}

int watchdog_start(struct vm *vm, struct err *e)
{
	uint32_t i;

	memset(&dog, 0, sizeof dog);
	dog.vm = vm;
	for (i = 0; i < vm->nr_cpus; i++) {
		dog.cpu[i].was_examined = i != 0; /* the others have not started */
		dog.cpu[i].clock = vm->machine->clock(&vm->cpu[i]);
	}
	return vm_thread(vm, watchdog_thread, NULL, "the watchdog", e);
}
