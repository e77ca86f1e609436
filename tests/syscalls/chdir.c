/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chdir.c - chdir, fchdir, getcwd, chroot
 *
 * See       chdir(2), getcwd(2), chroot(2)
 */
#include "tests/lib/t.h"

static void the_current_directory_moves(void)
{
	char before[4096], after[4096];
	int here = MUST(open(".", O_RDONLY));

	CHECK(getcwd(before, sizeof(before)) != NULL);
	MUST(mkdir("d", 0755));
	MUST(chdir("d"));
	CHECK(getcwd(after, sizeof(after)) != NULL);
	CHECK(!strncmp(before, after, strlen(before)));
	CHECK(!strcmp(after + strlen(before), "/d"));
	MUST(fchdir(here));
	CHECK(getcwd(after, sizeof(after)) != NULL);
	CHECK(!strcmp(before, after));
	MUST(chdir(".."));
}

static void getcwd_returns_its_length(void)
{
	char buf[16];

	MUST(chdir("/"));
	CHECK_EQ(syscall(SYS_getcwd, buf, sizeof(buf)), 2);
	CHECK(!strcmp(buf, "/"));
	CHECK_ERRNO(syscall(SYS_getcwd, buf, 1), ERANGE);
	CHECK_ERRNO(syscall(SYS_getcwd, t_bad_ptr(), 100), EFAULT);
}

static void a_renamed_parent_is_seen(void)
{
	char buf[4096];

	MUST(mkdir("a", 0755));
	MUST(mkdir("a/b", 0755));
	MUST(chdir("a/b"));
	MUST(rename("../../a", "../../z"));
	CHECK(getcwd(buf, sizeof(buf)) != NULL);
	CHECK(!strcmp(buf + strlen(buf) - 4, "/z/b"));
}

static void a_removed_directory_has_no_name(void)
{
	char buf[4096];

	MUST(mkdir("d", 0755));
	MUST(chdir("d"));
	MUST(rmdir("../d"));
	CHECK_ERRNO(syscall(SYS_getcwd, buf, sizeof(buf)), ENOENT);
	MUST(chdir(".."));
}

static void errors(void)
{
	int fd = t_temp_fd();

	CHECK_ERRNO(chdir("none"), ENOENT);
	CHECK_ERRNO(chdir("temp-file"), ENOTDIR);
	CHECK_ERRNO(fchdir(fd), ENOTDIR);
	CHECK_ERRNO(fchdir(-1), EBADF);
	MUST(mkdir("closed", 0700));
	t_become_user(1000);
	CHECK_ERRNO(chdir("closed"), EACCES);
}

static void the_child_has_its_own(void)
{
	char before[4096], after[4096];
	pid_t pid;

	CHECK(getcwd(before, sizeof(before)) != NULL);
	pid = t_fork();
	if (pid == 0)
		_exit(chdir("/"));
	t_wait_exit(pid, 0);
	CHECK(getcwd(after, sizeof(after)) != NULL);
	CHECK(!strcmp(before, after));
}

static void chroot_confines_absolute_paths(void)
{
	struct stat a, b;

	MUST(mkdir("jail", 0755));
	t_write_file("jail/inside", "x");
	MUST(symlink("/inside", "jail/l"));
	MUST(chroot("jail"));
	MUST(chdir("/"));
	MUST(access("/inside", F_OK));
	MUST(access("/l", F_OK));
	MUST(access("/../../inside", F_OK));
	MUST(stat("/", &a));
	MUST(stat("/..", &b));
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_ERRNO(access("/jail", F_OK), ENOENT);
}

static void chroot_needs_privilege(void)
{
	CHECK_ERRNO(chroot("none"), ENOENT);
	t_become_user(1000);
	CHECK_ERRNO(chroot("."), EPERM);
}

TEST_PROGRAM(chdir, CASE(the_current_directory_moves), CASE(getcwd_returns_its_length),
	     CASE(a_renamed_parent_is_seen), CASE(a_removed_directory_has_no_name), CASE(errors),
	     CASE(the_child_has_its_own), CASE(chroot_confines_absolute_paths),
	     CASE(chroot_needs_privilege));
