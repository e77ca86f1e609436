/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pointer_auth - keys of pointer authentication: a program's own, inherited, renewed; and registers there are not
 */
#include "tests/lib/t.h"

#include <pthread.h>
#include <sys/auxv.h>
#include <sys/prctl.h>

#define PACA  (1ul << 30) /* of AT_HWCAP */
#define SVE   (1ul << 22)
#define NAMED 64 /* pointers: with seven bits of code and more, no two keys agree on all */

/* Instructions that are hints, and so assemble anywhere: pacia1716, pacib1716. */
static unsigned long sign_a(unsigned long pointer, unsigned long context)
{
	register unsigned long x17 __asm__("x17") = pointer;
	register unsigned long x16 __asm__("x16") = context;

	__asm__ volatile("hint #8" : "+r"(x17) : "r"(x16));
	return x17;
}

static unsigned long sign_b(unsigned long pointer, unsigned long context)
{
	register unsigned long x17 __asm__("x17") = pointer;
	register unsigned long x16 __asm__("x16") = context;

	__asm__ volatile("hint #10" : "+r"(x17) : "r"(x16));
	return x17;
}

struct signatures {
	unsigned long a[NAMED], b[NAMED];
};

static void take(struct signatures *s)
{
	unsigned long i;

	for (i = 0; i < NAMED; i++) {
		s->a[i] = sign_a(0x123456780 + i, i);
		s->b[i] = sign_b(0x123456780 + i, i);
	}
}

static void needs_pointer_auth(void)
{
	if (!(getauxval(AT_HWCAP) & PACA))
		SKIP("this CPU has no pointer authentication");
}

static void *take_in_thread(void *arg)
{
	take(arg);
	return NULL;
}

static void threads_share_the_keys(void)
{
	static struct signatures mine, other;
	pthread_t t;

	needs_pointer_auth();
	take(&mine);
	CHECK_EQ(pthread_create(&t, NULL, take_in_thread, &other), 0);
	pthread_join(t, NULL);
	CHECK(!memcmp(&mine, &other, sizeof mine));
	CHECK(memcmp(mine.a, mine.b, sizeof mine.a) != 0);
}

static void a_child_inherits_the_keys(void)
{
	struct signatures *s = MUST(mmap(NULL, 2 * sizeof *s, PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	pid_t pid;

	needs_pointer_auth();
	take(&s[0]);
	pid = t_fork();
	if (!pid) {
		take(&s[1]);
		_exit(0);
	}
	MUST(waitpid(pid, NULL, 0));
	CHECK(!memcmp(&s[0], &s[1], sizeof *s));
}

static int helper(int argc, char **argv)
{
	struct signatures s;

	take(&s);
	return write(1, &s, sizeof s) == sizeof s ? 0 : 1;
}

static void exec_makes_new_keys(void)
{
	static struct signatures mine, other;
	int ends[2], status;
	pid_t pid;

	needs_pointer_auth();
	take(&mine);
	MUST(pipe(ends));
	pid = t_fork();
	if (!pid) {
		dup2(ends[1], 1);
		execl("/proc/self/exe", "syscalls_all", "--helper", "pointer_auth", NULL);
		_exit(99);
	}
	CHECK_EQ(read(ends[0], &other, sizeof other), sizeof other);
	MUST(waitpid(pid, &status, 0));
	CHECK_EQ(status, 0);
	CHECK(memcmp(mine.a, other.a, sizeof mine.a) != 0);
}

static __attribute__((noinline)) int reset(unsigned long which)
{
	return prctl(PR_PAC_RESET_KEYS, which, 0, 0, 0);
}

static void keys_are_renewed_one_by_one(void)
{
	static struct signatures before, after;

	needs_pointer_auth();
	take(&before);
	CHECK_EQ(reset(PR_PAC_APIBKEY), 0);
	take(&after);
	CHECK(!memcmp(before.a, after.a, sizeof before.a));
	CHECK(memcmp(before.b, after.b, sizeof before.b) != 0);
	CHECK_EQ(reset(0), 0);
	take(&after);
	CHECK(memcmp(before.a, after.a, sizeof before.a) != 0);
}

static void wrong_keys_are_refused(void)
{
	CHECK_ERRNO(reset(1ul << 5), EINVAL);
	CHECK_ERRNO(prctl(PR_PAC_RESET_KEYS, 0, 1, 0, 0), EINVAL);
	if (!(getauxval(AT_HWCAP) & PACA))
		CHECK_ERRNO(reset(0), EINVAL);
}

static void without_sve_its_registers_are_illegal(void)
{
	pid_t pid;
	int status;

	if (getauxval(AT_HWCAP) & SVE)
		SKIP("this kernel offers SVE");
	CHECK_ERRNO(prctl(PR_SVE_GET_VL), EINVAL);
	CHECK_ERRNO(prctl(PR_SVE_SET_VL, 16), EINVAL);
	pid = t_fork();
	if (!pid) {
		__asm__ volatile(".inst 0x0420e3e0" : : : "x0"); /* cntb x0 */
		_exit(0);
	}
	MUST(waitpid(pid, &status, 0));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGILL);
}

TEST_PROGRAM_WITH_HELPER(pointer_auth, helper, CASE(threads_share_the_keys),
			 CASE(a_child_inherits_the_keys), CASE(exec_makes_new_keys),
			 CASE(keys_are_renewed_one_by_one), CASE(wrong_keys_are_refused),
			 CASE(without_sve_its_registers_are_illegal));
