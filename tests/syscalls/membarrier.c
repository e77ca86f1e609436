/* SPDX-License-Identifier: Apache-2.0 */
/*
 * membarrier.c - membarrier(2) and rseq(2)
 *
 * See       membarrier(2), rseq(2)
 */
#include "tests/lib/t.h"

#include <linux/membarrier.h>
#include <linux/rseq.h>
#include <sched.h>

static void commands_are_listed_and_need_registration(void)
{
	long known = MUST(syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0));

	CHECK(known & MEMBARRIER_CMD_PRIVATE_EXPEDITED);
	CHECK_ERRNO(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), EPERM);
	MUST(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
	MUST(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
	MUST(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0));
	CHECK_ERRNO(syscall(SYS_membarrier, 1 << 30, 0, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 77, 0), EINVAL);
}

static void a_thread_without_a_record_may_register_one(void)
{
	static struct rseq area __attribute__((aligned(32)));
	pid_t pid = t_fork();

	/* libc has registered its own record; a second one is refused. */
	if (pid == 0) {
		long r = syscall(SYS_rseq, &area, sizeof(area), 0, 0x53053053);

		if (r == 0) {
			sched_yield();
			_exit(area.cpu_id < 1024 ? 0 : 1);
		}
		_exit(errno == EINVAL || errno == EBUSY ? 0 : 2);
	}
	t_wait_exit(pid, 0);
}

static void rseq_rejects_nonsense(void)
{
	static struct rseq area __attribute__((aligned(32)));

	CHECK_ERRNO(syscall(SYS_rseq, (char *)&area + 1, sizeof(area), 0, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_rseq, &area, sizeof(area), 0x80, 1), EINVAL);
}

extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

static void the_record_of_libc_names_the_cpu(void)
{
	struct rseq *area;

	if (!&__rseq_size || __rseq_size == 0)
		SKIP("libc did not register one");
	area = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
	sched_yield();
	CHECK(area->cpu_id < 1024);
	CHECK_EQ(area->cpu_id_start, area->cpu_id);
}

TEST_PROGRAM(membarrier, CASE(commands_are_listed_and_need_registration),
	     CASE(a_thread_without_a_record_may_register_one), CASE(rseq_rejects_nonsense),
	     CASE(the_record_of_libc_names_the_cpu));
