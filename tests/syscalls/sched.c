/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched.c - scheduling calls: yield, affinity, policy, priority, getcpu
 *
 * See       sched(7)
 */
#include "tests/lib/t.h"

#include <sched.h>
#include <sys/resource.h>

static void yield_succeeds(void)
{
	MUST(sched_yield());
}

static void affinity_is_kept_and_inherited(void)
{
	unsigned long all = 0, one = 0;
	cpu_set_t set;
	pid_t pid;
	int first;

	CHECK(MUST(syscall(SYS_sched_getaffinity, 0, sizeof(all), &all)) >= 8);
	CHECK(all != 0);
	first = __builtin_ctzl(all);
	CPU_ZERO(&set);
	CPU_SET(first, &set);
	MUST(sched_setaffinity(0, sizeof(set), &set));
	CHECK_EQ(sched_getcpu(), first);
	pid = t_fork();
	if (pid == 0) {
		MUST(syscall(SYS_sched_getaffinity, 0, sizeof(one), &one));
		_exit(one != 1ul << first);
	}
	t_wait_exit(pid, 0);
	for (int cpu = first; cpu < 64; cpu++) {
		if (!(all >> cpu & 1))
			continue;
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		MUST(sched_setaffinity(0, sizeof(set), &set));
		CHECK_EQ(sched_getcpu(), cpu);
	}
}

static void affinity_errors(void)
{
	unsigned long none = 0;

	CHECK_ERRNO(syscall(SYS_sched_setaffinity, 0, sizeof(none), &none), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_getaffinity, 0, 4, &none), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_getaffinity, 0x3fffffff, sizeof(none), &none), ESRCH);
	CHECK_ERRNO(syscall(SYS_sched_setaffinity, 0, 8, t_bad_ptr()), EFAULT);
}

static void getcpu_agrees_with_affinity(void)
{
	unsigned int cpu = 999, node = 999;
	unsigned long all = 0;

	MUST(syscall(SYS_getcpu, &cpu, &node, NULL));
	MUST(syscall(SYS_sched_getaffinity, 0, sizeof(all), &all));
	CHECK(cpu < 64 && (all >> cpu & 1));
	CHECK(node < 64);
}

static void the_default_policy(void)
{
	struct sched_param param = { 99 };

	CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
	MUST(sched_getparam(0, &param));
	CHECK_EQ(param.sched_priority, 0);
	MUST(sched_setscheduler(0, SCHED_BATCH, &param));
	CHECK_EQ(sched_getscheduler(0), SCHED_BATCH);
	MUST(sched_setparam(0, &param));
	param.sched_priority = 5;
	CHECK_ERRNO(sched_setparam(0, &param), EINVAL);
	CHECK_ERRNO(sched_setscheduler(0, SCHED_OTHER, &param), EINVAL);
	CHECK_ERRNO(sched_setscheduler(0, 77, &param), EINVAL);
	CHECK_ERRNO(sched_getscheduler(0x3fffffff), ESRCH);
}

static void priority_ranges(void)
{
	struct timespec ts;

	CHECK_EQ(sched_get_priority_min(SCHED_FIFO), 1);
	CHECK_EQ(sched_get_priority_max(SCHED_FIFO), 99);
	CHECK_EQ(sched_get_priority_max(SCHED_OTHER), 0);
	CHECK_ERRNO(sched_get_priority_max(77), EINVAL);
	CHECK_ERRNO(sched_get_priority_min(77), EINVAL);
	MUST(sched_rr_get_interval(0, &ts));
	CHECK(ts.tv_sec >= 0);
}

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static void attributes_hold_policy_and_nice(void)
{
	struct attr attr = { 0 };

	MUST(syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0));
	CHECK_EQ(attr.size, sizeof(attr));
	CHECK_EQ(attr.policy, SCHED_OTHER);
	attr.nice = 7;
	MUST(syscall(SYS_sched_setattr, 0, &attr, 0));
	MUST(syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0));
	CHECK_EQ(attr.nice, 7);
	CHECK_ERRNO(syscall(SYS_sched_getattr, 0, &attr, 4, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_setattr, 0, NULL, 0), EINVAL);
}

static void nice_values(void)
{
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 0);
	MUST(setpriority(PRIO_PROCESS, 0, 5));
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 5);
	CHECK_EQ(syscall(SYS_getpriority, PRIO_PROCESS, 0), 15);
	MUST(setpriority(PRIO_PROCESS, 0, 100));
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 19);
	CHECK_EQ(getpriority(PRIO_PGRP, 0), 19);
	t_become_user(1000);
	CHECK_ERRNO(setpriority(PRIO_PROCESS, 0, 5), EACCES);
	CHECK_ERRNO(setpriority(PRIO_PROCESS, getppid() ? getppid() : 1, 19), EPERM);
	CHECK_ERRNO(getpriority(9, 0), EINVAL);
	CHECK_ERRNO(setpriority(PRIO_PROCESS, 0x3fffffff, 5), ESRCH);
}

static void users_get_no_real_time(void)
{
	struct sched_param param = { 1 };

	t_become_user(1000);
	CHECK_ERRNO(sched_setscheduler(0, SCHED_FIFO, &param), EPERM);
}

TEST_PROGRAM(sched, CASE(yield_succeeds), CASE(affinity_is_kept_and_inherited),
	     CASE(affinity_errors), CASE(getcpu_agrees_with_affinity), CASE(the_default_policy),
	     CASE(priority_ranges), CASE(attributes_hold_policy_and_nice), CASE(nice_values),
	     CASE(users_get_no_real_time));
