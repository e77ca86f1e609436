/* SPDX-License-Identifier: Apache-2.0 */
/*
 * efault.c - pointers that lead nowhere, call by call
 *
 * See       errno(3), EFAULT
 */
#include "tests/lib/t.h"

#include <sys/resource.h>
#include <sys/socket.h>

static void *bad[3];

static void prepare(void)
{
	bad[0] = t_bad_ptr();
	bad[1] = t_kernel_ptr();
	bad[2] = (void *)(uintptr_t)T_USER_END;
}

#define EACH_BAD(call)              \
	for (int i = 0; i < 3; i++) \
	CHECK_ERRNO(call, EFAULT)

static void paths(void)
{
	struct stat st;

	prepare();
	EACH_BAD(syscall(SYS_open, bad[i], O_RDONLY));
	EACH_BAD(syscall(SYS_openat, AT_FDCWD, bad[i], O_RDONLY));
	EACH_BAD(syscall(SYS_stat, bad[i], &st));
	EACH_BAD(syscall(SYS_mkdir, bad[i], 0700));
	EACH_BAD(syscall(SYS_rmdir, bad[i]));
	EACH_BAD(syscall(SYS_unlink, bad[i]));
	EACH_BAD(syscall(SYS_rename, bad[i], "x"));
	EACH_BAD(syscall(SYS_rename, ".", bad[i]));
	EACH_BAD(syscall(SYS_link, bad[i], "x"));
	EACH_BAD(syscall(SYS_symlink, bad[i], "x"));
	EACH_BAD(syscall(SYS_chmod, bad[i], 0));
	EACH_BAD(syscall(SYS_chown, bad[i], 0, 0));
	EACH_BAD(syscall(SYS_chdir, bad[i]));
	EACH_BAD(syscall(SYS_access, bad[i], 0));
	EACH_BAD(syscall(SYS_truncate, bad[i], 0));
	EACH_BAD(syscall(SYS_mknod, bad[i], S_IFREG, 0));
	EACH_BAD(syscall(SYS_execve, bad[i], NULL, NULL));
	EACH_BAD(syscall(SYS_getxattr, bad[i], "user.x", NULL, 0));
	EACH_BAD(syscall(SYS_statfs, bad[i], &st));
}

static void buffers(void)
{
	int fds[2], fd;

	prepare();
	MUST(pipe(fds));
	t_write_file("f", "some bytes");
	fd = MUST(open("f", O_RDWR));
	EACH_BAD(syscall(SYS_read, fd, bad[i], 5));
	EACH_BAD(syscall(SYS_pread64, fd, bad[i], 5, 0));
	EACH_BAD(syscall(SYS_write, fd, bad[i], 5));
	EACH_BAD(syscall(SYS_write, fds[1], bad[i], 5));
	EACH_BAD(syscall(SYS_readv, fd, bad[i], 1));
	EACH_BAD(syscall(SYS_writev, fd, bad[i], 1));
	EACH_BAD(syscall(SYS_pipe2, bad[i], 0));
	EACH_BAD(syscall(SYS_fstat, fd, bad[i]));
	EACH_BAD(syscall(SYS_poll, bad[i], 1, 0));
	EACH_BAD(syscall(SYS_getcwd, bad[i], 100));
	EACH_BAD(syscall(SYS_getrandom, bad[i], 5, 0));
	EACH_BAD(syscall(SYS_sendfile, fds[1], fd, bad[i], 1));
}

static void records(void)
{
	prepare();
	EACH_BAD(syscall(SYS_uname, bad[i]));
	EACH_BAD(syscall(SYS_sysinfo, bad[i]));
	EACH_BAD(syscall(SYS_times, bad[i]));
	EACH_BAD(syscall(SYS_getrusage, RUSAGE_SELF, bad[i]));
	EACH_BAD(syscall(SYS_getrlimit, RLIMIT_AS, bad[i]));
	EACH_BAD(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, bad[i]));
	EACH_BAD(syscall(SYS_gettimeofday, bad[i], NULL));
	EACH_BAD(syscall(SYS_nanosleep, bad[i], NULL));
	EACH_BAD(syscall(SYS_getitimer, 0, bad[i]));
	EACH_BAD(syscall(SYS_rt_sigaction, SIGUSR1, NULL, bad[i], 8));
	EACH_BAD(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, bad[i], 8));
	EACH_BAD(syscall(SYS_rt_sigpending, bad[i], 8));
	EACH_BAD(syscall(SYS_sigaltstack, bad[i], NULL));
	EACH_BAD(syscall(SYS_sched_getaffinity, 0, 128, bad[i]));
	EACH_BAD(syscall(SYS_futex, bad[i], 0, 0, NULL));
	EACH_BAD(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, bad[i]));
	EACH_BAD(syscall(SYS_timer_create, CLOCK_MONOTONIC, bad[i], NULL));
}

static void a_fault_in_the_middle_of_a_copy(void)
{
	char *edge = t_edge_buffer(16);

	CHECK_ERRNO(syscall(SYS_uname, edge), EFAULT);
	CHECK_ERRNO(syscall(SYS_sysinfo, edge), EFAULT);
	MUST(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, edge));
	CHECK_ERRNO(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, edge + 8), EFAULT);
}

TEST_PROGRAM(efault, CASE(paths), CASE(buffers), CASE(records),
	     CASE(a_fault_in_the_middle_of_a_copy));
