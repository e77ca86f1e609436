/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chmod.c - chmod, fchmod, fchmodat, umask
 *
 * See       chmod(2), umask(2)
 */
#include "tests/lib/t.h"

static mode_t mode_of(const char *path)
{
	struct stat st;

	MUST(stat(path, &st));
	return st.st_mode & 07777;
}

static void all_versions_set_the_bits(void)
{
	int fd = t_temp_fd();

	MUST(chmod("temp-file", 07777));
	CHECK_EQ(mode_of("temp-file"), 07777);
	MUST(fchmod(fd, 0123));
	CHECK_EQ(mode_of("temp-file"), 0123);
	MUST(fchmodat(AT_FDCWD, "temp-file", 0640, 0));
	CHECK_EQ(mode_of("temp-file"), 0640);
	MUST(syscall(SYS_chmod, "temp-file", 0600));
	CHECK_EQ(mode_of("temp-file"), 0600);
}

static void links_are_followed(void)
{
	t_write_file("f", "x");
	MUST(symlink("f", "l"));
	MUST(chmod("l", 0700));
	CHECK_EQ(mode_of("f"), 0700);
}

static void only_the_owner_may(void)
{
	t_write_file("f", "x");
	t_write_file("mine", "x");
	MUST(chown("mine", 1000, 1000));
	t_become_user(1000);
	CHECK_ERRNO(chmod("f", 0777), EPERM);
	MUST(chmod("mine", 0700));
}

static void set_gid_needs_group_membership(void)
{
	t_write_file("f", "x");
	MUST(chown("f", 1000, 55));
	t_become_user(1000);
	MUST(chmod("f", 02755));
	CHECK_EQ(mode_of("f"), 0755);
}

static void errors(void)
{
	CHECK_ERRNO(chmod("none", 0), ENOENT);
	CHECK_ERRNO(fchmod(-1, 0), EBADF);
	CHECK_ERRNO(chmod(t_bad_ptr(), 0), EFAULT);
	CHECK_ERRNO(fchmod(open(".", O_PATH), 0700), EBADF);
}

static void umask_returns_the_old_one(void)
{
	umask(0123);
	CHECK_EQ(umask(0777), 0123);
	CHECK_EQ(umask(07022), 0777);
	CHECK_EQ(umask(0), 022);
}

static void umask_is_inherited(void)
{
	pid_t pid;

	umask(031);
	pid = t_fork();
	if (pid == 0) {
		mode_t old = umask(0);

		_exit(old == 031 ? 0 : 1);
	}
	t_wait_exit(pid, 0);
	CHECK_EQ(umask(0), 031);
}

TEST_PROGRAM(chmod, CASE(all_versions_set_the_bits), CASE(links_are_followed),
	     CASE(only_the_owner_may), CASE(set_gid_needs_group_membership), CASE(errors),
	     CASE(umask_returns_the_old_one), CASE(umask_is_inherited));
