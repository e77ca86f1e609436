/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setuid.c - user and group id calls
 *
 * See       credentials(7), setresuid(2)
 */
#include "tests/lib/t.h"

#include <sys/fsuid.h>
#include <sys/prctl.h>

static void check_uids(uid_t r, uid_t e, uid_t s)
{
	uid_t ruid, euid, suid;

	MUST(syscall(SYS_getresuid, &ruid, &euid, &suid));
	CHECK_EQ(ruid, r);
	CHECK_EQ(euid, e);
	CHECK_EQ(suid, s);
	CHECK_EQ(getuid(), r);
	CHECK_EQ(geteuid(), e);
}

static void check_gids(gid_t r, gid_t e, gid_t s)
{
	gid_t rgid, egid, sgid;

	MUST(syscall(SYS_getresgid, &rgid, &egid, &sgid));
	CHECK_EQ(rgid, r);
	CHECK_EQ(egid, e);
	CHECK_EQ(sgid, s);
	CHECK_EQ(getgid(), r);
	CHECK_EQ(getegid(), e);
}

static void root_setuid_sets_all(void)
{
	MUST(syscall(SYS_setgid, 1000));
	check_gids(1000, 1000, 1000);
	MUST(syscall(SYS_setuid, 1000));
	check_uids(1000, 1000, 1000);
	CHECK_ERRNO(syscall(SYS_setuid, 0), EPERM);
	CHECK_ERRNO(syscall(SYS_setgid, 0), EPERM);
	MUST(syscall(SYS_setuid, 1000));
}

static void effective_id_can_go_and_come_back(void)
{
	MUST(syscall(SYS_setresuid, -1, 1000, -1));
	check_uids(0, 1000, 0);
	CHECK_ERRNO(chroot("."), EPERM);
	MUST(syscall(SYS_setuid, 0));
	check_uids(0, 0, 0);
	MUST(chroot("."));
}

static void setreuid_rules(void)
{
	MUST(syscall(SYS_setreuid, 1000, 2000));
	check_uids(1000, 2000, 2000);
	MUST(syscall(SYS_setreuid, 2000, 1000));
	check_uids(2000, 1000, 1000);
	CHECK_ERRNO(syscall(SYS_setreuid, 0, -1), EPERM);
	CHECK_ERRNO(syscall(SYS_setresuid, -1, 3000, -1), EPERM);
}

static void setregid_rules(void)
{
	MUST(syscall(SYS_setregid, 1000, 2000));
	check_gids(1000, 2000, 2000);
	MUST(syscall(SYS_setresgid, 10, 20, 30));
	check_gids(10, 20, 30);
	MUST(syscall(SYS_setresuid, 5, 5, 5));
	MUST(syscall(SYS_setresgid, -1, 30, -1));
	check_gids(10, 30, 30);
	CHECK_ERRNO(syscall(SYS_setresgid, 40, -1, -1), EPERM);
}

static void groups_are_a_list(void)
{
	gid_t set[3] = { 10, 20, 30 }, got[4];

	MUST(syscall(SYS_setgroups, 3, set));
	CHECK_EQ(syscall(SYS_getgroups, 0, NULL), 3);
	CHECK_EQ(syscall(SYS_getgroups, 4, got), 3);
	CHECK(!memcmp(set, got, sizeof(set)));
	CHECK_ERRNO(syscall(SYS_getgroups, 2, got), EINVAL);
	CHECK_ERRNO(syscall(SYS_getgroups, -1, got), EINVAL);
	CHECK_ERRNO(syscall(SYS_setgroups, 3, t_bad_ptr()), EFAULT);
	CHECK_ERRNO(syscall(SYS_setgroups, 70000, set), EINVAL);
	MUST(syscall(SYS_setresuid, 5, 5, 5));
	CHECK_ERRNO(syscall(SYS_setgroups, 0, NULL), EPERM);
}

static void fs_ids_guard_files(void)
{
	t_write_file("secret", "x");
	MUST(chmod("secret", 0600));
	CHECK_EQ(setfsuid(1000), 0);
	CHECK_EQ(setfsuid(-1), 1000);
	CHECK_ERRNO(open("secret", O_RDONLY), EACCES);
	CHECK_EQ(setfsuid(0), 1000);
	MUST(open("secret", O_RDONLY));
	CHECK_EQ(setfsgid(77), 0);
	CHECK_EQ(setfsgid(-1), 77);
}

static void capabilities_go_with_root_and_may_be_kept(void)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		MUST(syscall(SYS_setresuid, 1000, 1000, 1000));
		CHECK_ERRNO(sethostname("x", 1), EPERM);
		_exit(0);
	}
	t_wait_exit(pid, 0);
	MUST(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
	CHECK_EQ(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0), 1);
}

static void bad_pointers(void)
{
	CHECK_ERRNO(syscall(SYS_getresuid, t_bad_ptr(), NULL, NULL), EFAULT);
	CHECK_ERRNO(syscall(SYS_getresgid, t_bad_ptr(), NULL, NULL), EFAULT);
	CHECK_ERRNO(syscall(SYS_setuid, -1), EINVAL);
	CHECK_ERRNO(syscall(SYS_setgid, -1), EINVAL);
}

TEST_PROGRAM(setuid, CASE(root_setuid_sets_all), CASE(effective_id_can_go_and_come_back),
	     CASE(setreuid_rules), CASE(setregid_rules), CASE(groups_are_a_list),
	     CASE(fs_ids_guard_files), CASE(capabilities_go_with_root_and_may_be_kept),
	     CASE(bad_pointers));
