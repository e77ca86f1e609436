/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmap.c - mmap(2), munmap(2): kinds of mappings, placement, coherence with files
 *
 * See       mmap(2)
 */
#include "tests/lib/t.h"

#include <setjmp.h>

#define PAGE 4096

static void anonymous_memory_is_zero_and_writable(void)
{
	char *p = MUST(
		mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	CHECK(((uintptr_t)p & (PAGE - 1)) == 0);
	for (int i = 0; i < 4 * PAGE; i += 64)
		CHECK(p[i] == 0);
	p[PAGE] = 'x';
	CHECK(p[PAGE] == 'x');
	MUST(munmap(p, 4 * PAGE));
}

static void shared_anonymous_memory_is_seen_by_the_child(void)
{
	volatile int *p =
		MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	pid_t pid = t_fork();

	if (pid == 0) {
		p[5] = 77;
		_exit(0);
	}
	t_wait_exit(pid, 0);
	CHECK_EQ(p[5], 77);
}

static void private_memory_is_copied_on_write(void)
{
	volatile int *p =
		MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	pid_t pid;

	p[0] = 1;
	pid = t_fork();
	if (pid == 0) {
		CHECK_EQ(p[0], 1);
		p[0] = 2;
		_exit(p[0]);
	}
	t_wait_exit(pid, 2);
	CHECK_EQ(p[0], 1);
}

static void shared_file_mapping_and_file_calls_agree(void)
{
	char buf[4];
	int fd = t_temp_fd();
	char *p;

	MUST(ftruncate(fd, PAGE));
	p = MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	CHECK_EQ(pwrite(fd, "abc", 3, 10), 3);
	CHECK(!memcmp(p + 10, "abc", 3));
	memcpy(p + 20, "xyz", 3);
	CHECK_EQ(pread(fd, buf, 3, 20), 3);
	CHECK(!memcmp(buf, "xyz", 3));
}

static void private_file_mapping_does_not_reach_the_file(void)
{
	char byte;
	int fd = t_temp_fd();
	char *p;

	CHECK_EQ(write(fd, "abc", 3), 3);
	p = MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	CHECK(p[1] == 'b' && p[3] == 0);
	p[1] = 'B';
	CHECK_EQ(pread(fd, &byte, 1, 1), 1);
	CHECK(byte == 'b');
}

static void two_mappings_of_a_file_are_one(void)
{
	int fd = t_temp_fd();
	volatile char *a, *b;

	MUST(ftruncate(fd, 2 * PAGE));
	a = MUST(mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	b = MUST(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, PAGE));
	a[PAGE + 7] = 'q';
	CHECK(b[7] == 'q');
}

static void mapping_outlives_the_descriptor(void)
{
	int fd = t_temp_fd();
	char *p;

	CHECK_EQ(write(fd, "live", 4), 4);
	p = MUST(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0));
	MUST(close(fd));
	MUST(unlink("temp-file"));
	CHECK(!memcmp(p, "live", 4));
}

static sigjmp_buf jump;
static volatile int seen_sig;
static volatile int seen_code;
static void *volatile seen_addr;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	seen_sig = sig;
	seen_code = info->si_code;
	seen_addr = info->si_addr;
	siglongjmp(jump, 1);
}

static int faults(volatile char *p, int writing)
{
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	MUST(sigaction(SIGSEGV, &sa, NULL));
	MUST(sigaction(SIGBUS, &sa, NULL));
	seen_sig = 0;
	if (sigsetjmp(jump, 1) == 0) {
		if (writing)
			*p = 1;
		else
			(void)*p;
	}
	return seen_sig;
}

static void access_past_the_end_of_the_file_is_sigbus(void)
{
	int fd = t_temp_fd();
	char *p;

	CHECK_EQ(write(fd, "abc", 3), 3);
	p = MUST(mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	CHECK_EQ(faults(p + PAGE - 1, 0), 0);
	CHECK_EQ(faults(p + PAGE, 0), SIGBUS);
	CHECK_EQ(seen_code, BUS_ADRERR);
	CHECK(seen_addr == p + PAGE);
	MUST(ftruncate(fd, 2 * PAGE));
	CHECK_EQ(faults(p + PAGE, 0), 0);
	MUST(ftruncate(fd, 0));
	CHECK_EQ(faults(p, 1), SIGBUS);
}

static void access_after_munmap_is_segv_maperr(void)
{
	char *p = MUST(
		mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	p[PAGE] = 1;
	MUST(munmap(p + PAGE, PAGE));
	CHECK_EQ(faults(p + PAGE + 5, 0), SIGSEGV);
	CHECK_EQ(seen_code, SEGV_MAPERR);
	CHECK(seen_addr == p + PAGE + 5);
	CHECK_EQ(faults(p, 1), 0);
	CHECK_EQ(faults(p + 2 * PAGE, 1), 0);
}

static void write_to_read_only_is_segv_accerr(void)
{
	char *p = MUST(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	CHECK_EQ(faults(p, 0), 0);
	CHECK_EQ(faults(p, 1), SIGSEGV);
	CHECK_EQ(seen_code, SEGV_ACCERR);
}

static void prot_none_is_segv_accerr(void)
{
	char *p = MUST(mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	CHECK_EQ(faults(p + 1, 0), SIGSEGV);
	CHECK_EQ(seen_code, SEGV_ACCERR);
}

static void fixed_replaces_and_noreplace_does_not(void)
{
	char *p = MUST(
		mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	char *q;

	p[PAGE] = 1;
	CHECK_ERRNO(mmap(p + PAGE, PAGE, PROT_READ,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
		    EEXIST);
	q = MUST(mmap(p + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	CHECK(q == p + PAGE);
	CHECK(q[0] == 0);
	MUST(munmap(q, PAGE));
	q = MUST(mmap(p + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		      -1, 0));
	CHECK(q == p + PAGE);
}

static void a_free_hint_is_taken(void)
{
	char *p = MUST(mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	char *q;

	MUST(munmap(p + PAGE, PAGE));
	q = MUST(mmap(p + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	CHECK(q == p + PAGE);
	q = MUST(mmap(p + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	CHECK(q != p + PAGE);
}

static void errors(void)
{
	int fd = t_temp_fd();
	int wr = MUST(open("w", O_WRONLY | O_CREAT, 0600));
	int rd = MUST(open("temp-file", O_RDONLY));
	int dir = MUST(open(".", O_RDONLY));

	CHECK_ERRNO(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EINVAL);
	CHECK_ERRNO(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0), EINVAL);
	CHECK_ERRNO(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0), EBADF);
	CHECK_ERRNO(syscall(SYS_mmap, NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 100), EINVAL);
	CHECK_ERRNO(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, wr, 0), EACCES);
	CHECK_ERRNO(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, rd, 0), EACCES);
	CHECK_ERRNO(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, dir, 0), ENODEV);
	CHECK_ERRNO(mmap((void *)(PAGE + 1), PAGE, PROT_READ,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
		    EINVAL);
	CHECK_ERRNO(mmap(NULL, (size_t)1 << 60, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		    ENOMEM);
	CHECK_ERRNO(munmap((void *)1, PAGE), EINVAL);
	CHECK_ERRNO(munmap((void *)PAGE, 0), EINVAL);
	MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, rd, 0));
}

static void code_can_run_from_executable_memory_only(void)
{
	static const unsigned char code[] = T_RETURN_42;
	unsigned char *p =
		MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	int (*fn)(void) = (int (*)(void))p;
	pid_t pid;

	memcpy(p, code, sizeof(code));
	pid = t_fork();
	if (pid == 0)
		_exit(fn());
	t_wait_signal(pid, SIGSEGV);
	MUST(mprotect(p, PAGE, PROT_READ | PROT_EXEC));
	__builtin___clear_cache((char *)p, (char *)p + sizeof(code));
	CHECK_EQ(fn(), 42);
}

static void a_large_reservation_costs_nothing(void)
{
	size_t size = (size_t)1 << 36;
	char *p = MUST(mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));

	p[size - 1] = 1;
	p[size / 2] = 1;
	MUST(munmap(p, size));
}

static void populate_maps_at_once(void)
{
	unsigned char vec[4] = { 0 };
	char *p = MUST(mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0));

	MUST(mincore(p, 4 * PAGE, vec));
	CHECK(vec[0] & vec[1] & vec[2] & vec[3] & 1);
}

static void munmap_may_cover_holes_and_many_regions(void)
{
	char *p = MUST(mmap(NULL, 8 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	MUST(munmap(p + PAGE, PAGE));
	MUST(mprotect(p + 4 * PAGE, PAGE, PROT_READ | PROT_WRITE));
	MUST(munmap(p, 8 * PAGE));
	MUST(munmap(p, 8 * PAGE));
	CHECK_EQ(faults(p + 7 * PAGE, 0), SIGSEGV);
}

static void address_space_limit_is_enomem(void)
{
	struct {
		unsigned long cur, max;
	} lim = { 1ul << 30, 1ul << 30 };

	MUST(syscall(SYS_setrlimit, 9 /* RLIMIT_AS */, &lim));
	CHECK_ERRNO(mmap(NULL, (size_t)1 << 31, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		    ENOMEM);
}

TEST_PROGRAM(mmap, CASE(anonymous_memory_is_zero_and_writable),
	     CASE(shared_anonymous_memory_is_seen_by_the_child),
	     CASE(private_memory_is_copied_on_write),
	     CASE(shared_file_mapping_and_file_calls_agree),
	     CASE(private_file_mapping_does_not_reach_the_file),
	     CASE(two_mappings_of_a_file_are_one), CASE(mapping_outlives_the_descriptor),
	     CASE(access_past_the_end_of_the_file_is_sigbus),
	     CASE(access_after_munmap_is_segv_maperr), CASE(write_to_read_only_is_segv_accerr),
	     CASE(prot_none_is_segv_accerr), CASE(fixed_replaces_and_noreplace_does_not),
	     CASE(a_free_hint_is_taken), CASE(errors),
	     CASE(code_can_run_from_executable_memory_only),
	     CASE(a_large_reservation_costs_nothing), CASE(populate_maps_at_once),
	     CASE(munmap_may_cover_holes_and_many_regions), CASE(address_space_limit_is_enomem));
