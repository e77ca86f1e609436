/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mlock.c - mlock, mlock2, munlock, mlockall, munlockall
 *
 * See       mlock(2)
 */
#include "tests/lib/t.h"

#define PAGE 4096

static void locked_pages_are_present(void)
{
	unsigned char vec[2] = { 0, 0 };
	char *p = MUST(
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	MUST(mlock(p, 2 * PAGE));
	MUST(mincore(p, 2 * PAGE, vec));
	CHECK(vec[0] & vec[1] & 1);
	MUST(munlock(p, 2 * PAGE));
}

static void on_fault_locking_and_its_flags(void)
{
	char *p =
		MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	MUST(mlock2(p, PAGE, 1 /* MLOCK_ONFAULT */));
	CHECK_ERRNO(mlock2(p, PAGE, 0x10), EINVAL);
	MUST(munlock(p, PAGE));
}

static void unmapped_ranges_are_enomem(void)
{
	char *p =
		MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	MUST(munmap(p, PAGE));
	CHECK_ERRNO(mlock(p, PAGE), ENOMEM);
	CHECK_ERRNO(munlock(p, PAGE), ENOMEM);
}

static void all_pages_can_be_locked(void)
{
	CHECK_ERRNO(mlockall(0), EINVAL);
	CHECK_ERRNO(mlockall(0x80), EINVAL);
	MUST(mlockall(MCL_CURRENT));
	MUST(munlockall());
}

static void the_limit_holds_for_users(void)
{
	struct {
		unsigned long cur, max;
	} lim = { PAGE, PAGE };
	char *p = MUST(
		mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	MUST(syscall(SYS_setrlimit, 8 /* RLIMIT_MEMLOCK */, &lim));
	t_become_user(1000);
	MUST(mlock(p, PAGE));
	CHECK_ERRNO(mlock(p, 4 * PAGE), ENOMEM);
}

TEST_PROGRAM(mlock, CASE(locked_pages_are_present), CASE(on_fault_locking_and_its_flags),
	     CASE(unmapped_ranges_are_enomem), CASE(all_pages_can_be_locked),
	     CASE(the_limit_holds_for_users));
