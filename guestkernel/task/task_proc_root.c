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
#include "guestkernel/task/clone.h"
#include "guestkernel/task/sched.h"
#include "guestkernel/task/task_proc.h"
#include "guestkernel/task/utsname.h"
#include "guestkernel/uapi/capability.h"
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

static int show_hostname(struct strbuf *sb, void *ctx)
{
	struct new_utsname u;

	utsname_get(&u);
	strbuf_printf(sb, "%s\n", u.nodename);
	return done(sb);
}

static int show_domainname(struct strbuf *sb, void *ctx)
{
	struct new_utsname u;

	utsname_get(&u);
	strbuf_printf(sb, "%s\n", u.domainname);
	return done(sb);
}

static int store_hostname(const char *text, size_t n, void *ctx)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (n && text[n - 1] == '\n')
		n--;
	utsname_set_host(text, n);
	return 0;
}

static int show_osrelease(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%s\n", UTS_RELEASE);
	return done(sb);
}

static int show_ostype(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%s\n", UTS_SYSNAME);
	return done(sb);
}

static int show_osversion(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%s\n", UTS_VERSION);
	return done(sb);
}

static int show_pid_max(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%u\n", pid_max);
	return done(sb);
}

static int show_threads_max(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%u\n", threads_max);
	return done(sb);
}

static int show_ngroups(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%u\n", NGROUPS_MAX_KERNEL);
	return done(sb);
}

static int show_last_cap(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%u\n", CAP_LAST_CAP);
	return done(sb);
}

static int show_core_pattern(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "core\n");
	return done(sb);
}

static int show_2(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "2\n");
	return done(sb);
}

static int show_0(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "0\n");
	return done(sb);
}

static int show_printk(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "4\t4\t1\t7\n");
	return done(sb);
}

static int show_rr_timeslice(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "100\n");
	return done(sb);
}

static const struct proc_row root_rows[] = {
	{"stat",			      0444, show_stat,	   NULL		},
	{ "uptime",			   0444, show_uptime,       NULL	    },
	{ "loadavg",			  0444, show_loadavg,	 NULL	      },
	{ "version",			  0444, show_version,	 NULL	      },
	{ "sys/kernel/hostname",		 0644, show_hostname,     store_hostname},
	{ "sys/kernel/domainname",		   0444, show_domainname,	  NULL	       },
	{ "sys/kernel/osrelease",		  0444, show_osrelease,	NULL	     },
	{ "sys/kernel/ostype",		       0444, show_ostype,	  NULL	       },
	{ "sys/kernel/version",		0444, show_osversion,    NULL	   },
	{ "sys/kernel/pid_max",		0444, show_pid_max,	    NULL		 },
	{ "sys/kernel/threads-max",	    0444, show_threads_max,  NULL		 },
	{ "sys/kernel/ngroups_max",	    0444, show_ngroups,	NULL	     },
	{ "sys/kernel/cap_last_cap",	     0444, show_last_cap,	  NULL	       },
	{ "sys/kernel/randomize_va_space",	   0444, show_2,		 NULL	      },
	{ "sys/kernel/core_pattern",	     0444, show_core_pattern, NULL	   },
	{ "sys/kernel/core_uses_pid",	      0444, show_0,	    NULL		 },
	{ "sys/kernel/tainted",		0444, show_0,	      NULL	   },
	{ "sys/kernel/panic",		      0444, show_0,	    NULL		 },
	{ "sys/kernel/printk",		       0444, show_printk,	  NULL	       },
	{ "sys/kernel/sched_rr_timeslice_ms", 0444, show_rr_timeslice, NULL	    },
};
const struct proc_table task_proc_root = { root_rows, ARRAY_SIZE(root_rows), NULL };
