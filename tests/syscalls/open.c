/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open.c - open(2), creat(2), openat(2): flags, creation, permissions, errors
 *
 * See       open(2)
 */
#include "tests/lib/t.h"

static void create_and_exclusive(void)
{
	int fd = MUST(open("f", O_RDWR | O_CREAT | O_EXCL, 0640));
	struct stat st;

	MUST(fstat(fd, &st));
	CHECK_EQ(st.st_mode, S_IFREG | 0640);
	CHECK_ERRNO(open("f", O_RDWR | O_CREAT | O_EXCL, 0640), EEXIST);
	MUST(open("f", O_RDWR | O_CREAT, 0));
}

static void exclusive_does_not_follow_a_dangling_link(void)
{
	MUST(symlink("nowhere", "l"));
	CHECK_ERRNO(open("l", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	MUST(open("l", O_RDWR | O_CREAT, 0600));
	MUST(access("nowhere", F_OK));
}

static void missing_is_enoent(void)
{
	CHECK_ERRNO(open("none", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("none/f", O_RDWR | O_CREAT, 0600), ENOENT);
}

static void file_as_directory_is_enotdir(void)
{
	t_write_file("f", "x");
	CHECK_ERRNO(open("f/x", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(open("f/", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
}

static void writing_a_directory_is_eisdir(void)
{
	MUST(mkdir("d", 0755));
	CHECK_ERRNO(open("d", O_WRONLY), EISDIR);
	CHECK_ERRNO(open("d", O_RDWR), EISDIR);
	CHECK_ERRNO(open("d", O_RDONLY | O_CREAT, 0600), EISDIR);
	MUST(open("d/", O_RDONLY | O_DIRECTORY));
}

static void truncate_empties_and_keeps_the_inode(void)
{
	struct stat before, after;

	t_write_file("f", "some text");
	MUST(stat("f", &before));
	MUST(open("f", O_WRONLY | O_TRUNC));
	MUST(stat("f", &after));
	CHECK_EQ(after.st_size, 0);
	CHECK_EQ(after.st_ino, before.st_ino);
}

static void lowest_free_descriptor_is_used(void)
{
	int a = MUST(open(".", O_RDONLY));
	int b = MUST(open(".", O_RDONLY));

	CHECK_EQ(b, a + 1);
	MUST(close(a));
	CHECK_EQ(open(".", O_RDONLY), a);
}

static void nofollow_on_a_link_is_eloop(void)
{
	t_write_file("f", "x");
	MUST(symlink("f", "l"));
	CHECK_ERRNO(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
	MUST(open("f", O_RDONLY | O_NOFOLLOW));
}

static void umask_takes_bits_from_the_mode(void)
{
	struct stat st;

	umask(027);
	MUST(open("f", O_CREAT | O_WRONLY, 0777));
	MUST(stat("f", &st));
	CHECK_EQ(st.st_mode & 07777, 0750);
	MUST(creat("g", 0666));
	MUST(stat("g", &st));
	CHECK_EQ(st.st_mode & 07777, 0640);
}

static void a_read_only_mode_still_lets_the_creator_write(void)
{
	int fd;

	MUST(chmod(".", 0777));
	t_become_user(1000);
	fd = MUST(open("f", O_WRONLY | O_CREAT, 0400));
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_ERRNO(open("f", O_WRONLY), EACCES);
}

static void permission_bits_are_enforced_for_users(void)
{
	t_write_file("secret", "x");
	MUST(chmod("secret", 0600));
	t_write_file("public", "x");
	MUST(mkdir("closed", 0700));
	t_write_file("closed/f", "x");
	t_become_user(1000);
	CHECK_ERRNO(open("secret", O_RDONLY), EACCES);
	MUST(open("public", O_RDONLY));
	CHECK_ERRNO(open("public", O_RDWR), EACCES);
	CHECK_ERRNO(open("closed/f", O_RDONLY), EACCES);
	CHECK_ERRNO(open("new", O_WRONLY | O_CREAT, 0600), EACCES);
}

static void group_class_is_chosen_before_other(void)
{
	gid_t group = 2000;

	t_write_file("f", "x");
	MUST(chown("f", 0, 2000));
	MUST(chmod("f", 0604));
	MUST(syscall(SYS_setgroups, 1, &group));
	MUST(setresgid(1000, 1000, 1000));
	MUST(setresuid(1000, 1000, 1000));
	CHECK_ERRNO(open("f", O_RDONLY), EACCES);
}

static void names_over_255_bytes_are_enametoolong(void)
{
	char name[300];
	char path[5000];

	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	MUST(open(name, O_CREAT | O_WRONLY, 0600));
	name[255] = 'n';
	name[256] = '\0';
	CHECK_ERRNO(open(name, O_CREAT | O_WRONLY, 0600), ENAMETOOLONG);
	memset(path, '/', sizeof(path));
	path[4999] = '\0';
	CHECK_ERRNO(open(path, O_RDONLY), ENAMETOOLONG);
	path[4095] = '\0';
	MUST(open(path, O_RDONLY));
}

static void bad_path_pointer_is_efault(void)
{
	CHECK_ERRNO(open(t_bad_ptr(), O_RDONLY), EFAULT);
	CHECK_ERRNO(open(t_kernel_ptr(), O_RDONLY), EFAULT);
}

static void path_may_end_right_before_an_unmapped_page(void)
{
	char *edge = t_edge_buffer(2);

	strcpy(edge, ".");
	MUST(open(edge, O_RDONLY));
	edge[1] = '.';
	CHECK_ERRNO(open(edge, O_RDONLY), EFAULT);
}

static void openat_is_relative_to_its_directory(void)
{
	int dir, fd;
	char byte;

	MUST(mkdir("d", 0755));
	t_write_file("d/f", "q");
	dir = MUST(open("d", O_RDONLY | O_DIRECTORY));
	fd = MUST(openat(dir, "f", O_RDONLY));
	CHECK_EQ(read(fd, &byte, 1), 1);
	CHECK(byte == 'q');
	MUST(openat(-1, "/", O_RDONLY));
	MUST(openat(AT_FDCWD, "d/f", O_RDONLY));
	CHECK_ERRNO(openat(-1, "f", O_RDONLY), EBADF);
	CHECK_ERRNO(openat(fd, "f", O_RDONLY), ENOTDIR);
}

static void legacy_open_and_creat_calls_work(void)
{
	long fd = MUST(syscall(SYS_open, "f", O_RDWR | O_CREAT, 0600));
	long other = MUST(syscall(SYS_creat, "g", 0600));

	CHECK_EQ(write((int)fd, "x", 1), 1);
	CHECK_EQ(write((int)other, "x", 1), 1);
	CHECK_ERRNO(read((int)other, &fd, 1), EBADF);
}

static void descriptor_limit_is_emfile(void)
{
	struct {
		unsigned long cur, max;
	} lim = { 5, 5 };
	int fd, last = -1;

	MUST(syscall(SYS_setrlimit, 7 /* RLIMIT_NOFILE */, &lim));
	while ((fd = open(".", O_RDONLY)) >= 0)
		last = fd;
	CHECK(errno == EMFILE);
	CHECK(last < 5);
}

TEST_PROGRAM(open, CASE(create_and_exclusive), CASE(exclusive_does_not_follow_a_dangling_link),
	     CASE(missing_is_enoent), CASE(file_as_directory_is_enotdir),
	     CASE(writing_a_directory_is_eisdir), CASE(truncate_empties_and_keeps_the_inode),
	     CASE(lowest_free_descriptor_is_used), CASE(nofollow_on_a_link_is_eloop),
	     CASE(umask_takes_bits_from_the_mode),
	     CASE(a_read_only_mode_still_lets_the_creator_write),
	     CASE(permission_bits_are_enforced_for_users), CASE(group_class_is_chosen_before_other),
	     CASE(names_over_255_bytes_are_enametoolong), CASE(bad_path_pointer_is_efault),
	     CASE(path_may_end_right_before_an_unmapped_page),
	     CASE(openat_is_relative_to_its_directory), CASE(legacy_open_and_creat_calls_work),
	     CASE(descriptor_limit_is_emfile));
