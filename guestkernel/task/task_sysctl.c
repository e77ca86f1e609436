// SPDX-License-Identifier: Apache-2.0
/*
 * task_sysctl - /proc/sys/kernel: names, limits of processes, switches
 *
 * Rules     See kapi/sysctl.h. What is stored and obeyed here: pid_max, threads-max, nr_open (at most what a table holds), randomize_va_space, host and domain
 *           name. Stored for whoever asks later, since nothing it speaks of exists (no core files, no console that
 *           prints, no restart after a panic): core_*, printk*, panic.
 * Missing   docs/proc.md has the list.
 * See       proc(5)
 */
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/sysctl.h"
#include "guestkernel/task/clone.h"
#include "guestkernel/task/task.h"
#include "guestkernel/task/task_proc.h"
#include "guestkernel/task/utsname.h"
#include "guestkernel/uapi/capability.h"

#define PID_MAX_LIMIT  (1 << 22)
#define THREADS_LOWEST 128 /* root's share is taken out of it */

s32 sysctl_randomize_va = 2;

static s32 printk[4] = { 4, 4, 1, 7 }, printk_ratelimit = 5, printk_burst = 10;
static s32 panic_after, core_uses_pid, core_pipe_limit;
static char core_pattern[128] = "core";

static const struct sysctl k_pid_max = { &pid_max, 1, 4, PID_RESERVED + 1, PID_MAX_LIMIT };
static const struct sysctl k_threads_max = { &threads_max, 1, 4, THREADS_LOWEST, PID_MAX_LIMIT };
static const struct sysctl k_nr_open = { &sysctl_nr_open, 1, 4, 64, 1 << 20 };
static const struct sysctl k_randomize = { &sysctl_randomize_va, 1, 4, S32_MIN, S32_MAX };
static const struct sysctl k_printk = { printk, 4, 4, S32_MIN, S32_MAX };
static const struct sysctl k_ratelimit = { &printk_ratelimit, 1, 4, 0, S32_MAX };
static const struct sysctl k_burst = { &printk_burst, 1, 4, S32_MIN, S32_MAX };
static const struct sysctl k_panic = { &panic_after, 1, 4, S32_MIN, S32_MAX };
static const struct sysctl k_core_uses_pid = { &core_uses_pid, 1, 4, S32_MIN, S32_MAX };
static const struct sysctl k_core_pipe_limit = { &core_pipe_limit, 1, 4, S32_MIN, S32_MAX };
static const struct sysctl k_core_pattern = { core_pattern, 0, sizeof core_pattern };

static int done(struct strbuf *sb)
{
	return sb->failed ? -ENOMEM : 0;
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

/* One line, cut to what a name may have. */
static int store_name(const char *text, size_t n, void (*set)(const char *name, size_t n))
{
	size_t len = 0;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	while (len < n && len < __NEW_UTS_LEN && text[len] && text[len] != '\n')
		len++;
	set(text, len);
	return 0;
}

static int store_hostname(const char *text, size_t n, void *ctx)
{
	return store_name(text, n, utsname_set_host);
}

static int store_domainname(const char *text, size_t n, void *ctx)
{
	return store_name(text, n, utsname_set_domain);
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

static const struct proc_row rows[] = {
	{"sys/kernel/hostname",	 0644, show_hostname,   store_hostname  },
	{ "sys/kernel/domainname",   0644, show_domainname, store_domainname},
	{ "sys/kernel/ngroups_max",  0444, show_ngroups,	NULL	     },
	{ "sys/kernel/cap_last_cap", 0444, show_last_cap,	  NULL	       },
	SYSCTL_TEXT("kernel/osrelease", UTS_RELEASE),
	SYSCTL_TEXT("kernel/ostype", UTS_SYSNAME),
	SYSCTL_TEXT("kernel/version", UTS_VERSION),
	SYSCTL_ROW("sys/kernel/pid_max", 0644, k_pid_max),
	SYSCTL_ROW("sys/kernel/threads-max", 0644, k_threads_max),
	SYSCTL_ROW("sys/fs/nr_open", 0644, k_nr_open),
	SYSCTL_ROW("sys/kernel/randomize_va_space", 0644, k_randomize),
	SYSCTL_ROW("sys/kernel/printk", 0644, k_printk),
	SYSCTL_ROW("sys/kernel/printk_ratelimit", 0644, k_ratelimit),
	SYSCTL_ROW("sys/kernel/printk_ratelimit_burst", 0644, k_burst),
	SYSCTL_ROW("sys/kernel/panic", 0644, k_panic),
	SYSCTL_ROW("sys/kernel/core_pattern", 0644, k_core_pattern),
	SYSCTL_ROW("sys/kernel/core_uses_pid", 0644, k_core_uses_pid),
	SYSCTL_ROW("sys/kernel/core_pipe_limit", 0644, k_core_pipe_limit),
	SYSCTL_TEXT("kernel/tainted", "0"),
	SYSCTL_TEXT("kernel/panic_on_oops", "1"),
	SYSCTL_TEXT("kernel/panic_on_warn", "0"),
	SYSCTL_TEXT("kernel/ctrl-alt-del", "0"),
	SYSCTL_TEXT("kernel/dmesg_restrict", "1"),
	SYSCTL_TEXT("kernel/kptr_restrict", "2"),
	SYSCTL_TEXT("kernel/perf_event_paranoid", "4"),
	SYSCTL_TEXT("kernel/unprivileged_bpf_disabled", "2"),
	SYSCTL_TEXT("kernel/io_uring_disabled", "2"),
	SYSCTL_TEXT("kernel/overflowuid", "65534"),
	SYSCTL_TEXT("kernel/overflowgid", "65534"),
	SYSCTL_TEXT("kernel/sched_rr_timeslice_ms", "100"),
	SYSCTL_TEXT("kernel/sched_rt_period_us", "1000000"),
	SYSCTL_TEXT("kernel/sched_rt_runtime_us", "-1"),
	SYSCTL_TEXT("kernel/sched_autogroup_enabled", "0"),
	SYSCTL_TEXT("kernel/seccomp/actions_avail",
		    "kill_process kill_thread trap errno trace log allow"),
	SYSCTL_TEXT("kernel/max_lock_depth", "1024"),
	SYSCTL_TEXT("user/max_user_namespaces", "0"),
	SYSCTL_TEXT("user/max_pid_namespaces", "0"),
	SYSCTL_TEXT("user/max_net_namespaces", "0"),
	SYSCTL_TEXT("user/max_cgroup_namespaces", "0"),
	SYSCTL_TEXT("user/max_time_namespaces", "0"),
	SYSCTL_TEXT("user/max_mnt_namespaces", "2147483647"),
	SYSCTL_TEXT("user/max_uts_namespaces", "2147483647"),
	SYSCTL_TEXT("user/max_ipc_namespaces", "2147483647"),
};
const struct proc_table task_sysctl = { rows, ARRAY_SIZE(rows), NULL };
