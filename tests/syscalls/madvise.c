/* SPDX-License-Identifier: Apache-2.0 */
/*
 * madvise.c - madvise(2), mincore(2), msync(2)
 *
 * See       madvise(2), mincore(2), msync(2)
 */
#include "tests/lib/t.h"

#define PAGE 4096

static char *pages(int n)
{
	return MUST(
		mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static void dontneed_gives_zeros_again(void)
{
	char *p = pages(3);

	memset(p, 'x', 3 * PAGE);
	MUST(madvise(p + PAGE, PAGE, MADV_DONTNEED));
	CHECK(p[PAGE] == 0 && p[2 * PAGE - 1] == 0);
	CHECK(p[PAGE - 1] == 'x' && p[2 * PAGE] == 'x');
}

static void dontneed_on_a_private_file_gives_the_file_again(void)
{
	char *p;
	int fd;

	t_write_file("f", "abc");
	fd = MUST(open("f", O_RDONLY));
	p = MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	p[0] = 'X';
	MUST(madvise(p, PAGE, MADV_DONTNEED));
	CHECK(p[0] == 'a');
}

static void hints_are_accepted(void)
{
	static const int hints[] = { MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED };
	char *p = pages(1);

	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		MUST(madvise(p, PAGE, hints[i]));
	MUST(madvise(p, 0, MADV_NORMAL));
}

static void dontfork_is_missing_in_the_child(void)
{
	volatile char *p = pages(1);
	pid_t pid;

	p[0] = 1;
	MUST(madvise((void *)p, PAGE, MADV_DONTFORK));
	pid = t_fork();
	if (pid == 0)
		_exit(p[0]);
	t_wait_signal(pid, SIGSEGV);
}

static void wipeonfork_is_zero_in_the_child(void)
{
	volatile char *p = pages(1);
	pid_t pid;

	p[0] = 1;
	MUST(madvise((void *)p, PAGE, MADV_WIPEONFORK));
	pid = t_fork();
	if (pid == 0)
		_exit(p[0]);
	t_wait_exit(pid, 0);
	CHECK(p[0] == 1);
}

static void errors(void)
{
	char *p = pages(3);

	CHECK_ERRNO(madvise(p + 1, PAGE, MADV_NORMAL), EINVAL);
	CHECK_ERRNO(madvise(p, PAGE, 9999), EINVAL);
	MUST(munmap(p + PAGE, PAGE));
	CHECK_ERRNO(madvise(p, 3 * PAGE, MADV_DONTNEED), ENOMEM);
}

static void mincore_tells_touched_pages(void)
{
	unsigned char vec[4];
	char *p = pages(4);

	p[PAGE] = 1;
	MUST(mincore(p, 4 * PAGE, vec));
	CHECK(!(vec[0] & 1) && (vec[1] & 1) && !(vec[2] & 1));
	CHECK_ERRNO(mincore(p + 1, PAGE, vec), EINVAL);
	CHECK_ERRNO(syscall(SYS_mincore, p, PAGE, t_bad_ptr()), EFAULT);
	MUST(munmap(p, PAGE));
	CHECK_ERRNO(mincore(p, 2 * PAGE, vec), ENOMEM);
}

static void msync_checks_its_range_and_flags(void)
{
	int fd = t_temp_fd();
	char *p;

	MUST(ftruncate(fd, PAGE));
	p = MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	p[0] = 'x';
	MUST(msync(p, PAGE, MS_SYNC));
	MUST(msync(p, PAGE, MS_ASYNC));
	CHECK_ERRNO(msync(p, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	CHECK_ERRNO(msync(p + 1, PAGE, MS_SYNC), EINVAL);
	CHECK_ERRNO(msync(p, PAGE, 0x100), EINVAL);
	MUST(munmap(p, PAGE));
	CHECK_ERRNO(msync(p, PAGE, MS_SYNC), ENOMEM);
}

TEST_PROGRAM(madvise, CASE(dontneed_gives_zeros_again),
	     CASE(dontneed_on_a_private_file_gives_the_file_again), CASE(hints_are_accepted),
	     CASE(dontfork_is_missing_in_the_child), CASE(wipeonfork_is_zero_in_the_child),
	     CASE(errors), CASE(mincore_tells_touched_pages),
	     CASE(msync_checks_its_range_and_flags));
