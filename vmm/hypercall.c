// SPDX-License-Identifier: Apache-2.0
/*
 * hypercall - the dispatcher: number, copy in, handler, copy out
 *
 * Role      Called on the vCPU's thread after the doorbell. Handlers work on a local copy of the request and
 *           never see guest memory; none of them blocks.
 * Rules     A bad number, size or field the ABI forbids ends the VM (VM_KILL_PROTOCOL). Values the guest may
 *           legally get wrong come back as a status.
 * See       abi/hyp.h; tests/guest, tests/fuzz/fuzz_hypercall.c
 */
#include "vmm/vm.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "arch/vcpu.h"
#include "vmm/machine.h"
#include "vmm/log.h"

typedef int (*hc_fn)(struct vcpu *v, void *req, uint32_t len);

/* Ends the VM; the value makes handlers one-liners. */
#define PROTOCOL(v, ...)                                                \
	(vm_end((v)->vm, VM_KILL_PROTOCOL, 0,                           \
		"the guest broke the hostcall contract: " __VA_ARGS__), \
	 HYP_INVALID)

static int hc_log(struct vcpu *v, void *req, uint32_t len)
{
	struct hyp_log *r = req;

	if (r->level >= HYP_LOG_LEVELS || r->len > len - offsetof(struct hyp_log, text))
		return PROTOCOL(v, "log line of %u bytes at level %u", r->len, r->level);
	log_guest(r->level, (const char *)r->text, r->len);
	return HYP_OK;
}

static int hc_exit(struct vcpu *v, void *req, uint32_t len)
{
	struct hyp_exit *r = req;

	(void)len;
	if (r->exec_errno < 0 || r->exec_errno > 4095)
		return PROTOCOL(v, "exec error %d", r->exec_errno);
	pthread_mutex_lock(&v->vm->lock);
	if (v->vm->result.kind == VM_RUNNING) {
		v->vm->exec_errno = r->exec_errno;
		v->vm->exit_report = *r;
	}
	pthread_mutex_unlock(&v->vm->lock);
	vm_end(v->vm, VM_EXITED, r->status & 0xffff, "exited");
	return HYP_OK;
}

static int hc_cpu_start(struct vcpu *v, void *req, uint32_t len)
{
	struct hyp_cpu_start *r = req;
	struct vm *vm = v->vm;
	struct vcpu *other;

	(void)len;
	if (r->cpu == 0 || r->cpu >= vm->nr_cpus)
		return PROTOCOL(v, "start of CPU %u of %u", r->cpu, vm->nr_cpus);
	if (vm->machine->kvm_starts_cpus)
		return PROTOCOL(v, "start of CPU %u, which is not by hostcall here", r->cpu);
	other = &vm->cpu[r->cpu];
	pthread_mutex_lock(&vm->lock);
	if (other->started) {
		pthread_mutex_unlock(&vm->lock);
		return PROTOCOL(v, "CPU %u started twice", r->cpu);
	}
	other->start_ip = r->ip;
	other->start_sp = r->sp;
	other->start_arg = r->arg;
	other->started = true;
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->lock);
	return HYP_OK;
}

static int hc_kick(struct vcpu *v, void *req, uint32_t len)
{
	struct hyp_kick *r = req;
	uint64_t one = 1;

	(void)len;
	if (r->streams >> HYP_STREAMS)
		return PROTOCOL(v, "kick of streams 0x%x", r->streams);
	if (write(v->vm->kick_fd, &one, sizeof one) != sizeof one && errno != EAGAIN)
		return HYP_NOMEM;
	return HYP_OK;
}

static int hc_random(struct vcpu *v, void *req, uint32_t len)
{
	struct hyp_random *r = req;

	(void)len;
	if (r->len > HYP_RANDOM_MAX)
		return PROTOCOL(v, "%u random bytes", r->len);
	memset(r->bytes, 0, sizeof r->bytes);
	if (getrandom(r->bytes, r->len, 0) != (ssize_t)r->len)
		return HYP_NOMEM;
	return HYP_OK;
}

static int hc_clock(struct vcpu *v, void *req, uint32_t len)
{
	struct hyp_clock *r = req;
	struct timespec ts;

	(void)v;
	(void)len;
	clock_gettime(CLOCK_REALTIME, &ts);
	r->counter = arch_counter_now() + v->vm->counter_offset;
	r->wall_ns = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
	return HYP_OK;
}

static int hc_mem_release(struct vcpu *v, void *req, uint32_t len)
{
	struct hyp_mem_release *r = req;
	uint32_t i;

	(void)len;
	if (r->count > HYP_RELEASE_MAX)
		return PROTOCOL(v, "release of %u ranges", r->count);
	for (i = 0; i < r->count; i++) {
		/* The kernel image, tables and rings are not the guest's to give away. */
		if (r->range[i].start.gpa < v->vm->at.reserved_end)
			return PROTOCOL(v, "release of reserved memory at 0x%lx",
					r->range[i].start.gpa);
		if (gmem_release(&v->vm->mem, r->range[i].start, r->range[i].npages) == -EFAULT)
			return PROTOCOL(v, "release of %lu pages at 0x%lx", r->range[i].npages,
					r->range[i].start.gpa);
	}
	return HYP_OK;
}

static int hc_panic(struct vcpu *v, void *req, uint32_t len)
{
	struct hyp_panic *r = req;

	(void)len;
	r->text[HYP_PANIC_TEXT_MAX - 1] = 0;
	if (r->nr_frames > HYP_BACKTRACE_MAX)
		return PROTOCOL(v, "panic with %u frames", r->nr_frames);
	pthread_mutex_lock(&v->vm->lock);
	if (v->vm->result.kind == VM_RUNNING) {
		memcpy(v->vm->result.frames, r->frames, sizeof r->frames);
		v->vm->result.nr_frames = r->nr_frames;
	}
	pthread_mutex_unlock(&v->vm->lock);
	vm_end(v->vm, VM_PANICKED, 0, "the guest kernel panicked: %s", (const char *)r->text);
	return HYP_OK;
}

/* in: fixed part of the request; var: the rest may be shorter. */
static const struct {
	const char *name;
	hc_fn fn;
	uint32_t in, out_off, out;
	bool is_variable;
} calls[HYP_CALL_MAX] = {
	[HYP_LOG] = {"log", hc_log,     offsetof(struct hyp_log, text),		     0,	0,					   true },
	[HYP_EXIT] = { "exit",    hc_exit,	sizeof(struct hyp_exit),			 0,		    0, false		     },
	[HYP_CPU_START] = { "cpu_start",	 hc_cpu_start,   sizeof(struct hyp_cpu_start),	     0,	0, false		 },
	[HYP_KICK] = { "kick",    hc_kick,	sizeof(struct hyp_kick),			 0,		    0, false	     },
	[HYP_RANDOM] = { "random",	   hc_random,      8,		 8,				    HYP_RANDOM_MAX,			    false  },
	[HYP_CLOCK] = { "clock",	 hc_clock,	   0,		      0,					 sizeof(struct hyp_clock),			   false},
	[HYP_MEM_RELEASE] = { "mem_release",    hc_mem_release, sizeof(struct hyp_mem_release),	     0, 0,
		      false				     },
	[HYP_PANIC] = { "panic",	 hc_panic,	   sizeof(struct hyp_panic),		     0,		0, false},
};

void hypercall_dispatch(struct vcpu *v)
{
	struct hyp_channel *ch = vm_channel(v->vm, v->id);
	union {
		uint8_t bytes[HYP_PAYLOAD_MAX];
		uint64_t align;
	} req;
	uint32_t nr = __atomic_load_n(&ch->nr, __ATOMIC_ACQUIRE);
	uint32_t len = __atomic_load_n(&ch->len, __ATOMIC_RELAXED);
	int status;

	v->hostcalls++;
	if (nr >= HYP_CALL_MAX || !calls[nr].fn) {
		(void)PROTOCOL(v, "no hostcall %u", nr);
		return;
	}
	if (len > HYP_PAYLOAD_MAX || len < calls[nr].in ||
	    (!calls[nr].is_variable && len != calls[nr].in)) {
		(void)PROTOCOL(v, "%s with %u bytes", calls[nr].name, len);
		return;
	}
	memcpy(req.bytes, ch->payload, len);
	status = calls[nr].fn(v, req.bytes, len);
	if (calls[nr].out)
		memcpy(ch->payload + calls[nr].out_off, req.bytes + calls[nr].out_off,
		       calls[nr].out);
	__atomic_store_n(&ch->status, status, __ATOMIC_RELEASE);
}
