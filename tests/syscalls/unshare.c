/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unshare.c - unshare(2), setns(2): what needs no name spaces, and simple ones
 *
 * See       unshare(2)
 */
#include "tests/lib/t.h"

#include <linux/capability.h>
#include <sched.h>

static void sharing_ends_for_descriptors_and_directory(void)
{
	MUST(unshare(0));
	MUST(unshare(CLONE_FILES | CLONE_FS));
	CHECK_ERRNO(unshare(0x1), EINVAL);
}

static void mount_name_spaces_need_privilege(void)
{
	t_become_user(1000);
	CHECK_ERRNO(unshare(CLONE_NEWNS), EPERM);
	CHECK_ERRNO(unshare(CLONE_NEWUTS), EPERM);
}

static void host_names_become_private(void)
{
	char before[65], after[65];
	pid_t pid;

	t_need_cap(CAP_SYS_ADMIN);
	MUST(gethostname(before, sizeof(before)));
	pid = t_fork();
	if (pid == 0) {
		MUST(unshare(CLONE_NEWUTS));
		MUST(sethostname("other", 5));
		_exit(0);
	}
	t_wait_exit(pid, 0);
	MUST(gethostname(after, sizeof(after)));
	CHECK(!strcmp(before, after));
}

static void setns_wants_a_name_space(void)
{
	CHECK_ERRNO(setns(-1, 0), EBADF);
	CHECK_ERRNO(setns(t_temp_fd(), 0), EINVAL);
}

TEST_PROGRAM(unshare, CASE(sharing_ends_for_descriptors_and_directory),
	     CASE(mount_name_spaces_need_privilege), CASE(host_names_become_private),
	     CASE(setns_wants_a_name_space));
