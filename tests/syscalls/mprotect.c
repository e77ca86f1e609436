/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mprotect.c - mprotect(2): splits, joins, user copies that meet it
 *
 * See       mprotect(2)
 */
#include "tests/lib/t.h"

#define PAGE 4096

static char *pages(int n)
{
	return MUST(
		mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static void kernel_copies_respect_protection(void)
{
	char *p = pages(3);
	int fds[2];

	MUST(pipe(fds));
	CHECK_EQ(write(fds[1], "abcdef", 6), 6);
	p[PAGE] = 'k';
	MUST(mprotect(p + PAGE, PAGE, PROT_READ));
	CHECK_ERRNO(read(fds[0], p + PAGE, 1), EFAULT);
	CHECK_EQ(write(fds[1], p + PAGE, 1), 1);
	MUST(mprotect(p + PAGE, PAGE, PROT_NONE));
	CHECK_ERRNO(write(fds[1], p + PAGE, 1), EFAULT);
	MUST(mprotect(p, 3 * PAGE, PROT_READ | PROT_WRITE));
	CHECK(p[PAGE] == 'k');
	CHECK(read(fds[0], p + PAGE, 1) == 1);
}

static void writing_the_middle_page_kills(void)
{
	volatile char *p = pages(3);
	pid_t pid;

	MUST(mprotect((void *)(p + PAGE), PAGE, PROT_READ));
	p[0] = p[2 * PAGE] = 1;
	pid = t_fork();
	if (pid == 0) {
		p[PAGE] = 1;
		_exit(0);
	}
	t_wait_signal(pid, SIGSEGV);
}

static void a_copied_page_made_writable_stays_private(void)
{
	volatile char *p = pages(1);
	pid_t pid;

	p[0] = 'p';
	MUST(mprotect((void *)p, PAGE, PROT_READ));
	pid = t_fork();
	if (pid == 0) {
		MUST(mprotect((void *)p, PAGE, PROT_READ | PROT_WRITE));
		p[0] = 'c';
		_exit(0);
	}
	t_wait_exit(pid, 0);
	CHECK(p[0] == 'p');
}

static void errors(void)
{
	char *p = pages(3);
	int fd;

	CHECK_ERRNO(mprotect(p + 1, PAGE, PROT_READ), EINVAL);
	MUST(munmap(p + PAGE, PAGE));
	CHECK_ERRNO(mprotect(p, 3 * PAGE, PROT_READ), ENOMEM);
	MUST(mprotect(p, 0, PROT_READ));
	t_write_file("f", "x");
	fd = MUST(open("f", O_RDONLY));
	p = MUST(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0));
	CHECK_ERRNO(mprotect(p, PAGE, PROT_READ | PROT_WRITE), EACCES);
}

static void many_splits_and_joins(void)
{
	char *p = pages(32);

	for (int i = 0; i < 32; i += 2)
		MUST(mprotect(p + i * PAGE, PAGE, PROT_READ));
	for (int i = 1; i < 32; i += 2)
		p[i * PAGE] = 1;
	MUST(mprotect(p, 32 * PAGE, PROT_READ | PROT_WRITE));
	for (int i = 0; i < 32; i++)
		p[i * PAGE] = 2;
}

TEST_PROGRAM(mprotect, CASE(kernel_copies_respect_protection), CASE(writing_the_middle_page_kills),
	     CASE(a_copied_page_made_writable_stays_private), CASE(errors),
	     CASE(many_splits_and_joins));
