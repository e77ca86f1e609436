/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_rights.c - what gives a program rights goes when its contents or its owner change; traps in shared directories
 *
 * See       capabilities(7), inode(7), proc_sys_fs(5)
 */
#include "tests/lib/t.h"

#include <linux/capability.h>
#include <linux/falloc.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/xattr.h>

#define CAPS "security.capability"
#define USER 1000

static int source; /* a file with a few bytes */

static void by_write(const char *name)
{
	int fd = MUST(open(name, O_WRONLY));

	CHECK_EQ(write(fd, "x", 1), 1);
}

static void by_pwritev(const char *name)
{
	int fd = MUST(open(name, O_WRONLY));
	struct iovec v = { "xy", 2 };

	CHECK_EQ(pwritev(fd, &v, 1, 3), 2);
}

static void by_truncate(const char *name)
{
	MUST(truncate(name, 3));
}

static void by_ftruncate(const char *name)
{
	int fd = MUST(open(name, O_WRONLY));

	MUST(ftruncate(fd, 5));
}

static void by_o_trunc(const char *name)
{
	MUST(open(name, O_WRONLY | O_TRUNC));
}

static void by_fallocate(const char *name)
{
	int fd = MUST(open(name, O_WRONLY));

	MUST(fallocate(fd, 0, 0, 8192));
}

static void by_punching(const char *name)
{
	int fd = MUST(open(name, O_WRONLY));

	MUST(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
}

static void by_sendfile(const char *name)
{
	int fd = MUST(open(name, O_WRONLY));
	off_t at = 0;

	CHECK_EQ(sendfile(fd, source, &at, 4), 4);
}

static void by_copy_file_range(const char *name)
{
	int fd = MUST(open(name, O_WRONLY));
	off_t at = 0;

	CHECK_EQ(copy_file_range(source, &at, fd, NULL, 4, 0), 4);
}

static void by_splice(const char *name)
{
	int fd = MUST(open(name, O_WRONLY)), p[2];

	MUST(pipe(p));
	CHECK_EQ(write(p[1], "abcd", 4), 4);
	CHECK_EQ(splice(p[0], NULL, fd, NULL, 4, 0), 4);
}

static void (*const changes[])(const char *name) = {
	by_write,     by_pwritev,  by_truncate, by_ftruncate,	    by_o_trunc,
	by_fallocate, by_punching, by_sendfile, by_copy_file_range, by_splice,
};
#define CHANGES (sizeof changes / sizeof *changes)

static void make(const char *name, mode_t mode)
{
	uint32_t v[5] = { 0x02000001u, 1u << CAP_NET_RAW };

	t_write_file(name, "some contents");
	MUST(setxattr(name, CAPS, v, sizeof v, 0));
	MUST(chmod(name, mode));
}

static void prepare(void)
{
	t_need_cap(CAP_SETFCAP);
	t_need_cap(CAP_FSETID);
	t_write_file("source", "abcdefgh");
	source = MUST(open("source", O_RDONLY));
	MUST(chmod(".", 0777));
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	MUST(stat(name, &st));
	return st.st_mode & 07777;
}

static int has_caps(const char *name)
{
	return getxattr(name, CAPS, NULL, 0) >= 0;
}

static void do_as_user(void (*change)(const char *name), const char *name)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		t_become_user(USER);
		change(name);
		_exit(0);
	}
	t_wait_exit(pid, 0);
}

static void a_user_that_changes_contents_takes_all_rights_away(void)
{
	char name[16];

	prepare();
	for (size_t i = 0; i < CHANGES; i++) {
		snprintf(name, sizeof name, "file%zu", i);
		make(name, 06777);
		do_as_user(changes[i], name);
		CHECK_EQ(mode_of(name), 0777);
		CHECK(!has_caps(name));
	}
}

static void the_super_user_leaves_set_id_bits_but_not_capabilities(void)
{
	char name[16];

	prepare();
	for (size_t i = 0; i < CHANGES; i++) {
		snprintf(name, sizeof name, "file%zu", i);
		make(name, 06777);
		changes[i](name);
		CHECK_EQ(mode_of(name), 06777);
		CHECK(!has_caps(name));
	}
}

static void writing_nothing_changes_nothing(void)
{
	int fd;

	prepare();
	make("f", 06777);
	fd = MUST(open("f", O_WRONLY));
	CHECK_EQ(write(fd, "", 0), 0);
	CHECK_EQ(mode_of("f"), 06777);
	CHECK(has_caps("f"));
}

static void set_group_id_without_execution_stays_for_members_only(void)
{
	prepare();
	make("f", 02767); /* group root, which USER is not in */
	do_as_user(by_write, "f");
	CHECK_EQ(mode_of("f"), 0767);
	make("g", 02767);
	MUST(chown("g", 0, USER));
	MUST(chmod("g", 02767));
	do_as_user(by_write, "g");
	CHECK_EQ(mode_of("g"), 02767);
}

static void chown_takes_rights_away_whoever_calls(void)
{
	prepare();
	make("f", 06755);
	MUST(chown("f", USER, USER));
	CHECK_EQ(mode_of("f"), 0755);
	CHECK(!has_caps("f"));
	make("g", 06755);
	MUST(chown("g", -1, -1));
	CHECK_EQ(mode_of("g"), 0755);
	CHECK(!has_caps("g"));
	make("h", 02745);
	MUST(chown("h", USER, USER));
	CHECK_EQ(mode_of("h"), 02745);
	MUST(mkdir("d", 0755));
	MUST(chmod("d", 06755));
	MUST(chown("d", USER, USER));
	CHECK_EQ(mode_of("d"), 06755);
}

static void chmod_and_times_leave_capabilities(void)
{
	prepare();
	make("f", 0755);
	MUST(chmod("f", 0711));
	MUST(utimensat(AT_FDCWD, "f", NULL, 0));
	MUST(rename("f", "g"));
	CHECK(has_caps("g"));
}

static void watchers_are_told_that_bits_went(void)
{
	char buf[1024];
	uint32_t seen = 0;
	ssize_t n;
	int fd;

	prepare();
	make("f", 06777);
	fd = MUST(inotify_init1(IN_NONBLOCK));
	MUST(inotify_add_watch(fd, "f", IN_ATTRIB | IN_MODIFY));
	do_as_user(by_ftruncate, "f");
	while ((n = read(fd, buf, sizeof buf)) > 0)
		for (char *p = buf; p < buf + n;
		     p += sizeof(struct inotify_event) + ((struct inotify_event *)p)->len)
			seen |= ((struct inotify_event *)p)->mask;
	CHECK_EQ(seen & (IN_ATTRIB | IN_MODIFY), IN_ATTRIB | IN_MODIFY);
	MUST(truncate("f", 1));
	n = MUST(read(fd, buf, sizeof buf));
	CHECK_EQ(n, sizeof(struct inotify_event));
	CHECK_EQ(((struct inotify_event *)buf)->mask, IN_MODIFY);
	MUST(fallocate(open("f", O_WRONLY), 0, 0, 100));
	n = MUST(read(fd, buf, sizeof buf));
	CHECK_EQ(((struct inotify_event *)buf)->mask, IN_MODIFY);
}

static void a_stranger_does_not_get_a_groups_set_group_id_bit(void)
{
	pid_t pid;

	prepare();
	MUST(mkdir("d", 0777));
	MUST(chmod("d", 02777));
	pid = t_fork();
	if (pid == 0) {
		t_become_user(USER);
		umask(0);
		MUST(open("d/open", O_CREAT | O_WRONLY, 02777));
		umask(010); /* hides the execute bit that makes it one */
		MUST(open("d/masked", O_CREAT | O_WRONLY, 02777));
		MUST(mknod("d/node", S_IFREG | 02777, 0));
		MUST(mkdir("d/dir", 0777));
		_exit(0);
	}
	t_wait_exit(pid, 0);
	CHECK_EQ(mode_of("d/open"), 0777);
	CHECK_EQ(mode_of("d/masked"), 0767);
	CHECK_EQ(mode_of("d/node"), 0767);
	CHECK_EQ(mode_of("d/dir"), 02767);
}

static void need_sysctl(const char *name, int least)
{
	char path[64], text[16] = "";
	int fd;

	snprintf(path, sizeof path, "/proc/sys/fs/protected_%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof text - 1) < 1 || atoi(text) < least)
		SKIP("not protected here");
}

/* A directory like /tmp with what user 77 left in it. */
static void make_shared(void)
{
	t_need_cap(CAP_SETUID);
	MUST(chmod(".", 0755));
	t_write_file("target", "text");
	MUST(chmod("target", 0666));
	MUST(mkdir("tmp", 0777));
	MUST(chmod("tmp", 01777));
	MUST(symlink("../target", "tmp/link"));
	MUST(lchown("tmp/link", 77, 77));
	t_write_file("tmp/file", "");
	MUST(chmod("tmp/file", 0666));
	MUST(chown("tmp/file", 77, 77));
	MUST(mkfifo("tmp/fifo", 0666));
	MUST(chmod("tmp/fifo", 0666));
	MUST(chown("tmp/fifo", 77, 77));
	MUST(mkdir("tmp/dir", 0755));
	MUST(symlink("../tmp/dir", "tmp/dirlink"));
	MUST(lchown("tmp/dirlink", 77, 77));
	t_write_file("tmp/dir/inner", "");
}

static void links_of_others_in_sticky_directories_are_not_followed(void)
{
	struct stat st;
	char buf[32];

	need_sysctl("symlinks", 1);
	make_shared();
	CHECK_ERRNO(open("tmp/link", O_RDONLY), EACCES);
	CHECK_ERRNO(open("tmp/link", O_WRONLY | O_CREAT, 0600), EACCES);
	CHECK_ERRNO(stat("tmp/link", &st), EACCES);
	CHECK_ERRNO(access("tmp/link", F_OK), EACCES);
	CHECK_ERRNO(truncate("tmp/link", 0), EACCES);
	CHECK_ERRNO(stat("tmp/dirlink/", &st), EACCES);
	MUST(lstat("tmp/link", &st));
	MUST(readlink("tmp/link", buf, sizeof buf));
	MUST(stat("tmp/dirlink/inner", &st)); /* not the last component */
	MUST(lchown("tmp/link", 0, 0));	      /* the owner of the directory, and ours */
	MUST(close(open("tmp/link", O_RDONLY)));
	t_become_user(77);
	MUST(stat("tmp/dirlink", &st)); /* one's own */
	MUST(stat("tmp/link", &st));
}

static void files_of_others_cannot_be_linked(void)
{
	need_sysctl("hardlinks", 1);
	make_shared();
	MUST(chmod(".", 0777));
	t_write_file("readable", "");
	t_write_file("writable", "");
	MUST(chmod("writable", 0666));
	t_write_file("suid", "");
	MUST(chmod("suid", 04777));
	t_write_file("sgid", "");
	MUST(chmod("sgid", 02777));
	MUST(mkfifo("fifo", 0666));
	MUST(chmod("fifo", 0666));
	MUST(link("readable", "root-may"));
	t_become_user(USER);
	CHECK_ERRNO(link("readable", "l1"), EPERM);
	MUST(link("writable", "l2"));
	CHECK_ERRNO(link("suid", "l3"), EPERM);
	CHECK_ERRNO(link("sgid", "l4"), EPERM);
	CHECK_ERRNO(link("fifo", "l5"), EPERM);
	CHECK_ERRNO(link("tmp/link", "l6"), EPERM);
	t_write_file("own", "");
	MUST(chmod("own", 04711));
	MUST(link("own", "l7"));
}

static void files_of_others_are_not_opened_for_creation(void)
{
	need_sysctl("regular", 1);
	need_sysctl("fifos", 1);
	make_shared();
	CHECK_ERRNO(open("tmp/file", O_WRONLY | O_CREAT, 0600), EACCES);
	CHECK_ERRNO(open("tmp/fifo", O_RDWR | O_CREAT, 0600), EACCES);
	MUST(open("tmp/file", O_WRONLY));
	MUST(open("tmp/fifo", O_RDWR));
	t_become_user(77);
	MUST(open("tmp/file", O_WRONLY | O_CREAT, 0600));
	MUST(open("tmp/fifo", O_RDWR | O_CREAT, 0600));
}

static void names_of_processes_cannot_forge_lines(void)
{
	char text[4096], *p = text;
	int uids = 0;

	MUST(prctl(PR_SET_NAME, "x\nUid:\t0\\"));
	t_read_file("/proc/self/status", text, sizeof text);
	CHECK(!strncmp(text, "Name:\tx\\nUid:\t0\\\\\n", 18));
	while ((p = strstr(p, "\nUid:")) != NULL)
		p++, uids++;
	CHECK_EQ(uids, 1);
}

TEST_PROGRAM(file_rights, CASE(a_user_that_changes_contents_takes_all_rights_away),
	     CASE(the_super_user_leaves_set_id_bits_but_not_capabilities),
	     CASE(writing_nothing_changes_nothing),
	     CASE(set_group_id_without_execution_stays_for_members_only),
	     CASE(chown_takes_rights_away_whoever_calls), CASE(chmod_and_times_leave_capabilities),
	     CASE(watchers_are_told_that_bits_went),
	     CASE(a_stranger_does_not_get_a_groups_set_group_id_bit),
	     CASE(links_of_others_in_sticky_directories_are_not_followed),
	     CASE(files_of_others_cannot_be_linked),
	     CASE(files_of_others_are_not_opened_for_creation),
	     CASE(names_of_processes_cannot_forge_lines));
