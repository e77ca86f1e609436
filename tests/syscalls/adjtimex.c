/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adjtimex.c - adjtimex, clock_adjtime, reboot, ioprio_get, ioprio_set, fchmodat2: the rarely used
 *
 * See       adjtimex(2), ioprio_set(2), reboot(2)
 */
#include "tests/lib/t.h"

#include <sys/timex.h>

static void clock_state_can_be_read(void)
{
	struct timex tx = { 0 };

	CHECK(syscall(SYS_adjtimex, &tx) >= 0);
	CHECK(tx.time.tv_sec > 1600000000);
	memset(&tx, 0, sizeof(tx));
	CHECK(syscall(SYS_clock_adjtime, CLOCK_REALTIME, &tx) >= 0);
	CHECK_ERRNO(syscall(SYS_clock_adjtime, 99, &tx), EINVAL);
	CHECK_ERRNO(syscall(SYS_adjtimex, t_bad_ptr()), EFAULT);
}

static void users_may_not_change_the_clock(void)
{
	struct timex tx = { .modes = ADJ_FREQUENCY };

	t_become_user(1000);
	CHECK_ERRNO(syscall(SYS_adjtimex, &tx), EPERM);
}

static void reboot_wants_privilege(void)
{
	t_become_user(1000);
	CHECK_ERRNO(syscall(SYS_reboot, 0, 0, 0, 0), EPERM);
}

static void input_output_priority_is_kept(void)
{
	int value = 2 << 13 | 5; /* best effort, level 5 */

	MUST(syscall(SYS_ioprio_get, 1, 0));
	MUST(syscall(SYS_ioprio_set, 1, 0, value));
	CHECK_EQ(syscall(SYS_ioprio_get, 1, 0), value);
	CHECK_ERRNO(syscall(SYS_ioprio_get, 9, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_ioprio_set, 1, 0, 7 << 13), EINVAL);
	CHECK_ERRNO(syscall(SYS_ioprio_get, 1, 0x3fffffff), ESRCH);
}

static void fchmodat2_takes_flags(void)
{
	struct stat st;
	int fd = t_temp_fd();

	MUST(syscall(452 /* fchmodat2 */, fd, "", 0611, AT_EMPTY_PATH));
	MUST(fstat(fd, &st));
	CHECK_EQ(st.st_mode & 07777, 0611);
	MUST(syscall(452, AT_FDCWD, "temp-file", 0622, AT_SYMLINK_NOFOLLOW));
	CHECK_ERRNO(syscall(452, AT_FDCWD, "temp-file", 0622, 0x8000), EINVAL);
	MUST(symlink("temp-file", "l"));
	CHECK_ERRNO(syscall(452, AT_FDCWD, "l", 0600, AT_SYMLINK_NOFOLLOW), EOPNOTSUPP);
}

TEST_PROGRAM(adjtimex, CASE(clock_state_can_be_read), CASE(users_may_not_change_the_clock),
	     CASE(reboot_wants_privilege), CASE(input_output_priority_is_kept),
	     CASE(fchmodat2_takes_flags));
