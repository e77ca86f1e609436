/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unknown.c - calls without a number, wrong numbers, wide arguments
 *
 * See       syscall(2)
 */
#include "tests/lib/t.h"

static void unknown_numbers_are_enosys(void)
{
	CHECK_ERRNO(syscall(5000), ENOSYS);
	CHECK_ERRNO(syscall(400), ENOSYS);
	CHECK_ERRNO(syscall(-1), ENOSYS);
	CHECK_ERRNO(syscall(0x7fffffffffffffffl), ENOSYS);
}

static void upper_halves_of_small_arguments_are_ignored(void)
{
	char byte;
	int fd = t_temp_fd();

	CHECK_EQ(pwrite(fd, "q", 1, 0), 1);
	CHECK_EQ(syscall(SYS_pread64, fd | 0x500000000l, &byte, 1l, 0l), 1);
	CHECK(byte == 'q');
	CHECK_EQ(syscall(SYS_umask, 0x100000012l), 022);
	CHECK_EQ(syscall(SYS_umask, 022l), 022);
}

static void removed_calls_are_enosys(void)
{
#ifdef SYS_tuxcall
	CHECK_ERRNO(syscall(SYS_tuxcall), ENOSYS);
	CHECK_ERRNO(syscall(SYS_security), ENOSYS);
	CHECK_ERRNO(syscall(SYS_vserver), ENOSYS);
	CHECK_ERRNO(syscall(SYS_create_module), ENOSYS);
	CHECK_ERRNO(syscall(SYS_epoll_ctl_old), ENOSYS);
#else
	SKIP("this architecture never had them");
#endif
}

TEST_PROGRAM(unknown, CASE(unknown_numbers_are_enosys),
	     CASE(upper_halves_of_small_arguments_are_ignored), CASE(removed_calls_are_enosys));
