/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mkdir.c - mkdir, mkdirat, rmdir, unlink, unlinkat
 *
 * See       mkdir(2), rmdir(2), unlink(2)
 */
#include "tests/lib/t.h"

static void directories_come_and_go(void)
{
	struct stat st;

	umask(022);
	MUST(mkdir("d", 0777));
	MUST(stat("d", &st));
	CHECK_EQ(st.st_mode, S_IFDIR | 0755);
	CHECK_ERRNO(mkdir("d", 0777), EEXIST);
	MUST(mkdir("d/e/", 0700));
	CHECK_ERRNO(rmdir("d"), ENOTEMPTY);
	MUST(rmdir("d/e"));
	MUST(rmdir("d"));
	CHECK_ERRNO(rmdir("d"), ENOENT);
}

static void rmdir_rejects_what_it_cannot_remove(void)
{
	t_write_file("f", "x");
	CHECK_ERRNO(rmdir("f"), ENOTDIR);
	MUST(mkdir("d", 0755));
	CHECK_ERRNO(rmdir("d/."), EINVAL);
	MUST(mkdir("d/e", 0755));
	CHECK_ERRNO(rmdir("d/e/.."), ENOTEMPTY);
	CHECK_ERRNO(rmdir("/"), EBUSY);
	MUST(symlink("d", "l"));
	CHECK_ERRNO(rmdir("l"), ENOTDIR);
}

static void unlink_is_for_files(void)
{
	MUST(mkdir("d", 0755));
	CHECK_ERRNO(unlink("d"), EISDIR);
	CHECK_ERRNO(unlink("none"), ENOENT);
	t_write_file("f", "x");
	CHECK_ERRNO(unlink("f/"), ENOTDIR);
	MUST(symlink("f", "l"));
	MUST(unlink("l"));
	MUST(access("f", F_OK));
	MUST(unlink("f"));
	CHECK_ERRNO(access("f", F_OK), ENOENT);
}

static void the_at_versions(void)
{
	int dir;

	MUST(mkdir("d", 0755));
	dir = MUST(open("d", O_RDONLY | O_DIRECTORY));
	MUST(mkdirat(dir, "sub", 0755));
	t_write_file("d/f", "x");
	CHECK_ERRNO(unlinkat(dir, "sub", 0), EISDIR);
	CHECK_ERRNO(unlinkat(dir, "f", AT_REMOVEDIR), ENOTDIR);
	CHECK_ERRNO(unlinkat(dir, "f", 0x8000), EINVAL);
	MUST(unlinkat(dir, "f", 0));
	MUST(unlinkat(dir, "sub", AT_REMOVEDIR));
	MUST(syscall(SYS_mkdir, "legacy", 0755));
	MUST(syscall(SYS_rmdir, "legacy"));
}

static void write_permission_on_the_parent_is_needed(void)
{
	MUST(mkdir("d", 0755));
	t_write_file("d/f", "x");
	MUST(chmod("d/f", 0666));
	t_become_user(1000);
	CHECK_ERRNO(unlink("d/f"), EACCES);
	CHECK_ERRNO(mkdir("d/e", 0755), EACCES);
	CHECK_ERRNO(rmdir("d"), EACCES);
}

static void sticky_directories_protect_the_files_of_others(void)
{
	MUST(mkdir("tmp", 0755));
	MUST(chmod("tmp", 01777));
	t_write_file("tmp/roots", "x");
	t_write_file("tmp/ours", "x");
	MUST(chown("tmp/ours", 1000, 1000));
	t_become_user(1000);
	CHECK_ERRNO(unlink("tmp/roots"), EPERM);
	CHECK_ERRNO(rename("tmp/roots", "tmp/x"), EPERM);
	MUST(rename("tmp/ours", "tmp/mine"));
	MUST(unlink("tmp/mine"));
}

static void a_set_gid_directory_passes_its_group_on(void)
{
	struct stat st;

	MUST(mkdir("d", 0755));
	MUST(chown("d", 0, 77));
	MUST(chmod("d", 02755));
	t_write_file("d/f", "x");
	MUST(stat("d/f", &st));
	CHECK_EQ(st.st_gid, 77);
	MUST(mkdir("d/e", 0755));
	MUST(stat("d/e", &st));
	CHECK_EQ(st.st_gid, 77);
	CHECK_EQ(st.st_mode & 07777, 02755);
}

static void a_removed_current_directory_is_enoent(void)
{
	MUST(mkdir("d", 0755));
	MUST(chdir("d"));
	MUST(rmdir("../d"));
	CHECK_ERRNO(open("f", O_CREAT | O_WRONLY, 0600), ENOENT);
	CHECK_ERRNO(mkdir("e", 0700), ENOENT);
	MUST(open(".", O_RDONLY));
}

TEST_PROGRAM(mkdir, CASE(directories_come_and_go), CASE(rmdir_rejects_what_it_cannot_remove),
	     CASE(unlink_is_for_files), CASE(the_at_versions),
	     CASE(write_permission_on_the_parent_is_needed),
	     CASE(sticky_directories_protect_the_files_of_others),
	     CASE(a_set_gid_directory_passes_its_group_on),
	     CASE(a_removed_current_directory_is_enoent));
