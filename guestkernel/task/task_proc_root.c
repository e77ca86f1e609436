// SPDX-License-Identifier: Apache-2.0
/*
 * task_proc_root - the rows of /proc about the system as a whole that follow from tasks and clocks
 *
 * Missing   time per CPU is busy or idle; interrupts are not counted.
 * See       proc(5)
 */
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/task/sched.h"
#include "guestkernel/task/task_proc.h"
#include "guestkernel/task/utsname.h"
#include "guestkernel/uapi/times.h"

#define NS_PER_TICK (NSEC_PER_SEC / USER_HZ)
typedef unsigned long long ull;

static int done(struct strbuf *sb)
{
	return sb->failed ? -ENOMEM : 0;
}

static u64 idle_time(struct cpu *c, u64 now)
{
	u64 idle = c->idle_ns;

	if (!c->online)
		return now;
	if (c->idle && c->arch.current == c->idle && now > c->idle->exec_start_ns)
		idle += now - c->idle->exec_start_ns;
	return MIN(idle, now);
}

static void cpu_line(struct strbuf *sb, const char *name, u64 busy, u64 idle)
{
	strbuf_printf(sb, "%s %llu 0 0 %llu 0 0 0 0 0 0\n", name, (ull)(busy / NS_PER_TICK),
		      (ull)(idle / NS_PER_TICK));
}

static int show_stat(struct strbuf *sb, void *ctx)
{
	u64 now = clock_monotonic_ns(), idle = 0;
	struct cpu *c;
	char name[16];

	for_each_cpu(c) idle += idle_time(c, now);
	cpu_line(sb, "cpu ", now * nr_cpus - idle, idle);
	for_each_cpu(c)
	{
		idle = idle_time(c, now);
		snprintf(name, sizeof name, "cpu%u", c->id);
		cpu_line(sb, name, now - idle, idle);
	}
	strbuf_printf(
		sb,
		"intr 0\nctxt %llu\nbtime %llu\nprocesses %llu\nprocs_running %u\nprocs_blocked 0\n",
		(ull)sched_switches(), (ull)((clock_realtime_ns() - now) / NSEC_PER_SEC),
		(ull)task_fork_count() + 1, sched_nr_running());
	strbuf_printf(sb, "softirq 0 0 0 0 0 0 0 0 0 0 0\n");
	return done(sb);
}

static int show_uptime(struct strbuf *sb, void *ctx)
{
	u64 now = clock_monotonic_ns(), idle = 0;
	struct cpu *c;

	for_each_cpu(c) idle += idle_time(c, now);
	strbuf_printf(sb, "%llu.%02llu %llu.%02llu\n", (ull)(now / NSEC_PER_SEC),
		      (ull)(now % NSEC_PER_SEC / 10000000), (ull)(idle / NSEC_PER_SEC),
		      (ull)(idle % NSEC_PER_SEC / 10000000));
	return done(sb);
}

static int show_loadavg(struct strbuf *sb, void *ctx)
{
	s32 last = 1, nr = 1;
	struct task *t;
	u64 avg[3];

	sched_loadavg(avg);
	for (; (t = task_next(&nr)) != NULL; nr++) {
		last = t->tid;
		task_put(t);
	}
	for (u32 i = 0; i < 3; i++)
		strbuf_printf(sb, "%llu.%02llu ", (ull)(avg[i] >> 11),
			      (ull)((avg[i] & 2047) * 100 >> 11));
	strbuf_printf(sb, "%u/%u %d\n", sched_nr_running(), task_count(), last);
	return done(sb);
}

static int show_version(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%s version %s (monitor) (gcc) %s\n", UTS_SYSNAME, UTS_RELEASE,
		      UTS_VERSION);
	return done(sb);
}

static const struct proc_row root_rows[] = {
	{"stat",	  0444, show_stat,	   NULL},
	{ "uptime",  0444, show_uptime,  NULL},
	{ "loadavg", 0444, show_loadavg, NULL},
	{ "version", 0444, show_version, NULL},
};
const struct proc_table task_proc_root = { root_rows, ARRAY_SIZE(root_rows), NULL };
