// SPDX-License-Identifier: Apache-2.0
/*
 * filter - rows of seccomp.tbl become a system call filter
 *
 * Role      sandbox_filter_build(), for the monitor's own threads and for the processes of the process machine, which
 *           gets its filters as data.
 * Rules     What no row allows traps. A call of another architecture ends a monitor, and traps in the process
 *           machine: application code may try it, and the guest kernel judges. A condition
 *           compares one half of an argument: the lower alone suffices for int, and for flags of which no others exist.
 * See       seccomp(2); vmm/seccomp.tbl, vmm/seccomp_process.tbl
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "arch/vcpu.h"
#include "vmm/abi/process.h"
#include "vmm/sandbox.h"

#define CONDITIONS_MAX 7

enum filter_op {
	FILTER_EQ,
	FILTER_BELOW,
	FILTER_FROM,
	FILTER_NONE_OF,
	FILTER_OWN_TGID,
	FILTER_OWN_VCPU,
	FILTER_OWN_MACHINE,
};

static const struct filter_row {
	enum sandbox_machine machine;
	enum sandbox_thread kind;
	int nr;
	uint32_t nr_conditions;
	struct {
		uint32_t arg, half; /* bytes into it: 0 the lower half, 4 the upper */
		enum filter_op op;
		uint32_t value;
	} condition[CONDITIONS_MAX];
} rows[] = {
#include "seccomp_gen.h"
};

struct program {
	struct sock_filter *f;
	uint32_t n;
};

static void add(struct program *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	if (p->n == SANDBOX_FILTER_MAX)
		abort(); /* the tables are constant: a test builds every kind */
	p->f[p->n++] = (struct sock_filter)BPF_JUMP(code, k, jt, jf);
}

static void load(struct program *p, size_t offset)
{
	add(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void decide(struct program *p, uint32_t action)
{
	add(p, BPF_RET | BPF_K, action, 0, 0);
}

static bool is_machine(enum sandbox_thread kind)
{
	return kind >= SANDBOX_KERNEL;
}

static bool applies(const struct filter_row *r, enum sandbox_machine m, enum sandbox_thread kind)
{
	return (r->machine == m || r->machine == SANDBOX_ANY) &&
	       (r->kind == kind || (r->kind == SANDBOX_ALL && !is_machine(kind)));
}

/* Calls from anywhere but the stub's code trap. The address seen is that behind the instruction, which is two
 * bytes long and may lie right before the code. */
static void add_place(struct program *p)
{
	const size_t ip = offsetof(struct seccomp_data, instruction_pointer);

	_Static_assert(PM_STUB_CODE >> 32 == (PM_STUB_CODE + PM_STUB_CODE_BYTES) >> 32, "one word");
	load(p, ip + 4);
	add(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(PM_STUB_CODE >> 32), 0, 3);
	load(p, ip);
	add(p, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)PM_STUB_CODE + 2, 0, 1);
	add(p, BPF_JMP | BPF_JGT | BPF_K, (uint32_t)(PM_STUB_CODE + PM_STUB_CODE_BYTES), 0, 1);
	decide(p, SECCOMP_RET_TRAP);
}

static uint32_t value_of(enum filter_op op, uint32_t value, const struct sandbox_own *own)
{
	switch (op) {
	case FILTER_OWN_TGID:
		return (uint32_t)own->tgid;
	case FILTER_OWN_VCPU:
		return (uint32_t)own->vcpu_fd;
	case FILTER_OWN_MACHINE:
		return (uint32_t)-own->machine; /* as kill(2) names a group */
	default:
		return value;
	}
}

static void add_row(struct program *p, const struct filter_row *r, const struct sandbox_own *own)
{
	uint32_t left = 2 * r->nr_conditions, i;

	load(p, offsetof(struct seccomp_data, nr));
	add(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)r->nr, 0, (uint8_t)(left + 1));
	for (i = 0; i < r->nr_conditions; i++) {
		enum filter_op op = r->condition[i].op;
		uint32_t value = value_of(op, r->condition[i].value, own);
		uint8_t out;

		left -= 2;
		out = (uint8_t)(left + 1); /* behind this row's decision */
		load(p, offsetof(struct seccomp_data, args) + 8 * r->condition[i].arg +
				r->condition[i].half);
		if (op == FILTER_BELOW)
			add(p, BPF_JMP | BPF_JGE | BPF_K, value, out, 0);
		else if (op == FILTER_FROM)
			add(p, BPF_JMP | BPF_JGE | BPF_K, value, 0, out);
		else if (op == FILTER_NONE_OF)
			add(p, BPF_JMP | BPF_JSET | BPF_K, value, out, 0);
		else
			add(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, out);
	}
	decide(p, SECCOMP_RET_ALLOW);
}

uint32_t sandbox_filter_build(enum sandbox_machine m, enum sandbox_thread kind,
			      const struct sandbox_own *own, struct sock_filter *f)
{
	struct program p = { .f = f };
	size_t i;

	load(&p, offsetof(struct seccomp_data, arch));
	add(&p, BPF_JMP | BPF_JEQ | BPF_K, ARCH_AUDIT, 1, 0);
	decide(&p, is_machine(kind) ? SECCOMP_RET_TRAP : SECCOMP_RET_KILL_PROCESS);
	if (kind == SANDBOX_APP)
		add_place(&p);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (applies(&rows[i], m, kind))
			add_row(&p, &rows[i], own);
	decide(&p, SECCOMP_RET_TRAP);
	return p.n;
}

static bool applies_to_any(const struct filter_row *r, enum sandbox_machine m, uint32_t kinds)
{
	int kind;

	for (kind = SANDBOX_ALL + 1; kind < SANDBOX_KINDS; kind++)
		if (kinds >> kind & 1 && applies(r, m, (enum sandbox_thread)kind))
			return true;
	return false;
}

uint32_t sandbox_filter_calls(enum sandbox_machine m, uint32_t kinds)
{
	uint32_t n = 0;
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!applies_to_any(&rows[i], m, kinds))
			continue;
		for (j = 0; j < i; j++)
			if (rows[j].nr == rows[i].nr && applies_to_any(&rows[j], m, kinds))
				break;
		n += j == i;
	}
	return n;
}
