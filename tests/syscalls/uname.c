/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uname.c - uname, sysinfo, sethostname, setdomainname, getpid, gettid, syslog, getrandom, personality
 *
 * See       uname(2)
 */
#include "tests/lib/t.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

static void uname_is_linux(void)
{
	struct utsname u;

	MUST(uname(&u));
	CHECK(!strcmp(u.sysname, "Linux"));
	CHECK(!strcmp(u.machine, "x86_64") || !strcmp(u.machine, "aarch64"));
	CHECK(atoi(u.release) >= 4);
	CHECK(u.nodename[0] && u.version[0]);
	CHECK_ERRNO(uname(t_bad_ptr()), EFAULT);
}

static void names_can_be_set(void)
{
	char before[65];
	struct utsname u;

	t_need_cap(CAP_SYS_ADMIN);
	MUST(gethostname(before, sizeof(before)));
	if (unshare(CLONE_NEWUTS) < 0)
		SKIP("no private name space for host names");
	MUST(sethostname("testname", 8));
	MUST(setdomainname("testdomain", 10));
	MUST(uname(&u));
	CHECK(!strcmp(u.nodename, "testname"));
	CHECK(!strcmp(u.domainname, "testdomain"));
	CHECK_ERRNO(sethostname("x", 65), EINVAL);
	CHECK_ERRNO(setdomainname("x", -1), EINVAL);
	CHECK_ERRNO(sethostname(t_bad_ptr(), 3), EFAULT);
}

static void users_may_not_set_names(void)
{
	t_become_user(1000);
	CHECK_ERRNO(sethostname("x", 1), EPERM);
	CHECK_ERRNO(setdomainname("x", 1), EPERM);
}

static void sysinfo_is_sane(void)
{
	struct sysinfo si;

	MUST(sysinfo(&si));
	CHECK(si.totalram > 0 && si.freeram <= si.totalram);
	CHECK(si.mem_unit > 0 && si.procs > 0);
	CHECK_ERRNO(sysinfo(t_bad_ptr()), EFAULT);
}

static void ids(void)
{
	CHECK_EQ(syscall(SYS_getpid), getpid());
	CHECK_EQ(syscall(SYS_gettid), getpid());
	CHECK(getpid() > 1);
}

static void random_bytes_differ(void)
{
	unsigned char a[32] = { 0 }, b[32] = { 0 };

	CHECK_EQ(getrandom(a, sizeof(a), 0), 32);
	CHECK_EQ(getrandom(b, sizeof(b), GRND_NONBLOCK), 32);
	CHECK(memcmp(a, b, sizeof(a)));
	CHECK_EQ(getrandom(a, 0, 0), 0);
	CHECK_ERRNO(getrandom(a, 1, 0x100), EINVAL);
	CHECK_ERRNO(syscall(SYS_getrandom, t_bad_ptr(), 8, 0), EFAULT);
}

static void a_large_random_request_is_served(void)
{
	static unsigned char block[1 << 16];

	CHECK_EQ(getrandom(block, sizeof(block), 0), sizeof(block));
	CHECK(block[60000] | block[60001] | block[60002] | block[60003] | block[60004]);
}

static void personality_is_kept(void)
{
	CHECK_EQ(personality(0xffffffff), 0);
	CHECK_EQ(personality(ADDR_NO_RANDOMIZE), 0);
	CHECK_EQ(personality(0xffffffff), ADDR_NO_RANDOMIZE);
}

static void a_32_bit_personality_changes_the_machine(void)
{
	struct utsname now, was;

	CHECK_EQ(uname(&was), 0);
	CHECK_EQ(personality(PER_LINUX32), 0);
	CHECK_EQ(uname(&now), 0);
	CHECK(strcmp(now.machine, was.machine) != 0);
	CHECK_EQ(personality(PER_LINUX), PER_LINUX32);
	CHECK_EQ(uname(&now), 0);
	CHECK_EQ(strcmp(now.machine, was.machine), 0);
}

static void syslog_needs_privilege_or_tells_its_size(void)
{
	long n = syscall(SYS_syslog, 10, NULL, 0);

	CHECK(n > 0 || (n == -1 && errno == EPERM));
	CHECK(syscall(SYS_syslog, 99, NULL, 0) == -1 && (errno == EINVAL || errno == EPERM));
}

TEST_PROGRAM(uname, CASE(uname_is_linux), CASE(names_can_be_set), CASE(users_may_not_set_names),
	     CASE(sysinfo_is_sane), CASE(ids), CASE(random_bytes_differ),
	     CASE(a_large_random_request_is_served), CASE(personality_is_kept),
	     CASE(a_32_bit_personality_changes_the_machine),
	     CASE(syslog_needs_privilege_or_tells_its_size));
