// SPDX-License-Identifier: Apache-2.0
/*
 * disturb - see kapi/disturb.h; only in debug kernels
 *
 * Rules     The n-th allocation counts what the thread asks of the heap and of the frame allocator in its own calls;
 *           frames for applications are left out, since running short of those kills somebody. What a schedule
 *           looks like follows from the seed as far as the machine lets it: each CPU draws its own numbers.
 * Locking   None: a task's state is written by itself, or before it runs on; each CPU's numbers by the CPU.
 */
#include "guestkernel/kapi/disturb.h"

#include "arch/cpu.h"
#include "arch/param.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/proc.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/task/sched.h"
#include "guestkernel/task/task.h"

#define SPIN_MAX 256

static u64 seed; /* 0: off */
static struct {
	u64 state;
	bool is_busy; /* a yield takes locks itself */
} of_cpu[MAX_CPUS];

bool disturb_alloc_fails(void)
{
	struct task *t = current();

	if (likely(!t || !t->disturb.fail_nth) || --t->disturb.fail_nth)
		return false;
	t->disturb.failed = true;
	return true;
}

bool disturb_was_alloc(void)
{
	bool was = current()->disturb.failed;

	current()->disturb.failed = false;
	return was;
}

static u32 draw(u32 cpu)
{
	u64 *x = &of_cpu[cpu].state;

	if (!*x)
		*x = seed * 0x9e3779b97f4a7c15ull + cpu + 1;
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return (u32)(*x >> 32);
}

void disturb_lock(bool may_yield)
{
	u32 cpu, r, n;

	if (likely(!seed))
		return;
	cpu = this_cpu()->id;
	if (of_cpu[cpu].is_busy)
		return;
	of_cpu[cpu].is_busy = true;
	r = draw(cpu);
	if (r % 16 == 0)
		for (n = r / 16 % SPIN_MAX; n; n--)
			barrier();
	if (r % 64 == 1)
		this_cpu()->need_resched = true;
	of_cpu[cpu].is_busy = false;
	if (may_yield && r % 8 == 2 && READ_ONCE(current()->state) == TASK_RUNNABLE)
		sched_yield_current();
}

static int parse(const char *text, size_t n, u64 most, u64 *out)
{
	char digits[24];

	if (!n || n >= sizeof digits)
		return -EINVAL;
	memcpy(digits, text, n);
	digits[digits[n - 1] == '\n' ? n - 1 : n] = 0;
	return parse_u64(digits, 10, out) && *out <= most ? 0 : -EINVAL;
}

static int show_fail_nth(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%u\n", ((struct task *)ctx)->disturb.fail_nth);
	return sb->failed ? -ENOMEM : 0;
}

static int store_fail_nth(const char *text, size_t n, void *ctx)
{
	struct task *t = ctx;
	u64 v;
	int ret = parse(text, n, U32_MAX, &v);

	if (ret)
		return ret;
	t->disturb = (struct disturb){ .fail_nth = (u32)v };
	return 0;
}

static int show_perturb(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%llu\n", (unsigned long long)seed);
	return sb->failed ? -ENOMEM : 0;
}

static int store_perturb(const char *text, size_t n, void *ctx)
{
	u64 v;
	u32 i;
	int ret = parse(text, n, U64_MAX, &v);

	if (ret)
		return ret;
	WRITE_ONCE(seed, 0);
	for (i = 0; i < MAX_CPUS; i++)
		of_cpu[i].state = 0;
	WRITE_ONCE(seed, v);
	return 0;
}

static const struct proc_row process_rows[] = {
	{"fail-nth", 0666, show_fail_nth, store_fail_nth}
};
const struct proc_table disturb_proc_process = { process_rows, ARRAY_SIZE(process_rows), NULL };

static const struct proc_row root_rows[] = {
	{"monitor/perturb", 0644, show_perturb, store_perturb}
};
const struct proc_table disturb_proc_root = { root_rows, ARRAY_SIZE(root_rows), NULL };
