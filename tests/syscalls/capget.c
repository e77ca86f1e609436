/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capget.c - capget, capset and the capability prctls
 *
 * See       capabilities(7)
 */
#include "tests/lib/t.h"

#include <linux/capability.h>
#include <sys/prctl.h>

static struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
static struct __user_cap_data_struct caps[2];

static void get(void)
{
	head.version = _LINUX_CAPABILITY_VERSION_3;
	head.pid = 0;
	MUST(syscall(SYS_capget, &head, caps));
}

static void root_has_the_usual_ones(void)
{
	get();
	CHECK(caps[0].effective & (1u << CAP_CHOWN));
	CHECK(caps[0].effective & (1u << CAP_SETUID));
	CHECK_EQ(caps[0].effective & ~caps[0].permitted, 0);
}

static void dropping_takes_effect_and_is_final(void)
{
	get();
	caps[0].effective &= ~(1u << CAP_CHOWN);
	MUST(syscall(SYS_capset, &head, caps));
	t_write_file("f", "x");
	CHECK_ERRNO(chown("f", 5, 5), EPERM);
	caps[0].effective |= 1u << CAP_CHOWN;
	MUST(syscall(SYS_capset, &head, caps));
	MUST(chown("f", 5, 5));
	caps[0].effective &= ~(1u << CAP_CHOWN);
	caps[0].permitted &= ~(1u << CAP_CHOWN);
	MUST(syscall(SYS_capset, &head, caps));
	caps[0].effective |= 1u << CAP_CHOWN;
	CHECK_ERRNO(syscall(SYS_capset, &head, caps), EPERM);
	caps[0].permitted |= 1u << CAP_CHOWN;
	CHECK_ERRNO(syscall(SYS_capset, &head, caps), EPERM);
}

static void the_version_is_negotiated(void)
{
	head.version = 0x12345678;
	CHECK_ERRNO(syscall(SYS_capget, &head, caps), EINVAL);
	CHECK_EQ(head.version, _LINUX_CAPABILITY_VERSION_3);
	head.version = 0;
	CHECK_EQ(syscall(SYS_capget, &head, NULL), 0);
}

static void other_processes_can_be_read_not_set(void)
{
	head.pid = getppid() ? getppid() : getpid();
	MUST(syscall(SYS_capget, &head, caps));
	if (getppid())
		CHECK_ERRNO(syscall(SYS_capset, &head, caps), EPERM);
	head.pid = 0x3fffffff;
	CHECK_ERRNO(syscall(SYS_capget, &head, caps), ESRCH);
}

static void bounding_set_only_shrinks(void)
{
	CHECK_EQ(prctl(PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0), 1);
	MUST(prctl(PR_CAPBSET_DROP, CAP_CHOWN, 0, 0, 0));
	CHECK_EQ(prctl(PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0), 0);
	CHECK_ERRNO(prctl(PR_CAPBSET_READ, 1000, 0, 0, 0), EINVAL);
}

static void leaving_root_clears_them_unless_kept(void)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		t_become_user(1000);
		get();
		CHECK_EQ(caps[0].permitted, 0);
		CHECK_EQ(caps[0].effective, 0);
		_exit(0);
	}
	t_wait_exit(pid, 0);
	MUST(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
	MUST(setresuid(1000, 1000, 1000));
	get();
	CHECK(caps[0].permitted != 0);
	CHECK_EQ(caps[0].effective, 0);
}

TEST_PROGRAM(capget, CASE(root_has_the_usual_ones), CASE(dropping_takes_effect_and_is_final),
	     CASE(the_version_is_negotiated), CASE(other_processes_can_be_read_not_set),
	     CASE(bounding_set_only_shrinks), CASE(leaving_root_clears_them_unless_kept));
