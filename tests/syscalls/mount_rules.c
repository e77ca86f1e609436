/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_rules.c - read-only and writers, telling of changes, renames that fail, mounts under walks
 *
 * See       mount(2), proc(5), renameat2(2)
 */
#include "tests/lib/t.h"

#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>

#define WHITEOUT (1u << 2) /* RENAME_WHITEOUT */

static void private_mounts(void)
{
	t_need_cap(CAP_SYS_ADMIN);
	if (unshare(CLONE_NEWNS) == 0)
		MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

static void mount_tmpfs(const char *at, const char *options)
{
	MUST(mkdir(at, 0755));
	MUST(mount("none", at, "tmpfs", 0, options));
}

static void a_writer_keeps_a_file_system_writable(void)
{
	int fd;

	private_mounts();
	mount_tmpfs("m", NULL);
	fd = MUST(open("m/f", O_RDWR | O_CREAT, 0644));
	CHECK_ERRNO(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
	CHECK_EQ(write(fd, "x", 1), 1);
	MUST(close(fd));
	fd = MUST(open("m/f", O_RDONLY));
	MUST(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	CHECK_ERRNO(open("m/f", O_WRONLY), EROFS);
	MUST(mount(NULL, "m", NULL, MS_REMOUNT, NULL));
	MUST(close(open("m/f", O_WRONLY)));
	MUST(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
}

static void so_does_a_writable_mapping(void)
{
	void *p;
	int fd;

	private_mounts();
	mount_tmpfs("m", NULL);
	fd = MUST(open("m/f", O_RDWR | O_CREAT, 0644));
	MUST(ftruncate(fd, 4096));
	p = MUST(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	MUST(close(fd));
	CHECK_ERRNO(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
	MUST(munmap(p, 4096));
	MUST(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
}

static void writers_count_for_their_own_mount(void)
{
	int fd;

	private_mounts();
	mount_tmpfs("m", NULL);
	MUST(mkdir("b", 0755));
	MUST(mount("m", "b", NULL, MS_BIND, NULL));
	fd = MUST(open("m/f", O_RDWR | O_CREAT, 0644));
	/* One bind mount may become read-only while the other is written through. */
	MUST(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	CHECK_ERRNO(open("b/f", O_WRONLY), EROFS);
	CHECK_ERRNO(mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), EBUSY);
	CHECK_EQ(write(fd, "x", 1), 1);
	MUST(close(fd));
	MUST(mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
}

static void changes_of_the_tree_are_told_once(void)
{
	static const char *const files[] = { "/proc/self/mountinfo", "/proc/self/mounts" };
	char buf[256];

	private_mounts();
	MUST(mkdir("m", 0755));
	for (int i = 0; i < 2; i++) {
		struct pollfd p = { .fd = MUST(open(files[i], O_RDONLY)), .events = POLLPRI };

		CHECK_EQ(poll(&p, 1, 0), 0);
		MUST(mount("none", "m", "tmpfs", 0, NULL));
		CHECK_EQ(poll(&p, 1, 0), 1);
		CHECK_EQ(p.revents, POLLPRI | POLLERR);
		CHECK_EQ(poll(&p, 1, 0), 0);
		p.events = POLLIN;
		CHECK_EQ(poll(&p, 1, 0), 1);
		CHECK_EQ(p.revents, POLLIN);
		CHECK(read(p.fd, buf, sizeof(buf)) > 0);
		p.events = POLLPRI;
		if (!t_fork()) {
			usleep(30000);
			MUST(umount("m"));
			_exit(0);
		}
		CHECK_EQ(poll(&p, 1, 5000), 1); /* wakes */
		CHECK_EQ(p.revents, POLLPRI | POLLERR);
		wait(NULL);
		MUST(close(p.fd));
	}
}

static int rename_whiteout(const char *from, const char *to)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, WHITEOUT);
}

static void a_whiteout_without_room_renames_nothing(void)
{
	struct stat st;

	private_mounts();
	mount_tmpfs("m", "nr_inodes=3");
	t_write_file("m/a", "text");
	t_write_file("m/b", "b");
	CHECK_ERRNO(rename_whiteout("m/a", "m/c"), ENOSPC);
	MUST(stat("m/a", &st));
	CHECK_EQ(st.st_size, 4);
	CHECK_EQ(st.st_nlink, 1);
	CHECK_ERRNO(stat("m/c", &st), ENOENT);
	CHECK_ERRNO(rename_whiteout("m/a", "m/b"), ENOSPC);
	MUST(stat("m/b", &st));
	CHECK_EQ(st.st_size, 1);
	MUST(unlink("m/b"));
	MUST(rename_whiteout("m/a", "m/c"));
	MUST(stat("m/a", &st));
	CHECK(S_ISCHR(st.st_mode) && st.st_rdev == 0);
	CHECK_EQ(st.st_nlink, 1);
	MUST(stat("m/c", &st));
	CHECK_EQ(st.st_size, 4);
	MUST(unlink("m/a"));
	MUST(unlink("m/c"));
	MUST(umount("m"));
}

static void directories_keep_their_counts_through_whiteouts(void)
{
	struct stat st;

	private_mounts();
	mount_tmpfs("m", NULL);
	MUST(mkdir("m/d", 0755));
	MUST(mkdir("m/e", 0755));
	MUST(mkdir("m/d/s", 0755));
	MUST(rename_whiteout("m/d/s", "m/e/s"));
	MUST(stat("m/d", &st));
	CHECK_EQ(st.st_nlink, 2);
	MUST(stat("m/e", &st));
	CHECK_EQ(st.st_nlink, 3);
	CHECK_ERRNO(rmdir("m/d"), ENOTEMPTY);
	MUST(unlink("m/d/s"));
	MUST(rmdir("m/d"));
}

static volatile int stop;

static void *walk(void *arg)
{
	struct stat st;

	while (!stop) {
		int fd = open("m/below/dir/file", O_RDONLY);

		if (fd >= 0)
			close(fd);
		(void)stat("m/below/../below/dir", &st);
		fd = open("m/below/new", O_RDWR | O_CREAT, 0644);
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

static void *remount(void *arg)
{
	while (!stop) {
		(void)mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL);
		(void)mount(NULL, "m", NULL, MS_REMOUNT, NULL);
	}
	return NULL;
}

static void mounts_come_and_go_under_walks(void)
{
	long long end = t_now_ms() + 700;
	pthread_t t[3];

	private_mounts();
	mount_tmpfs("m", NULL);
	MUST(mkdir("m/below", 0755));
	MUST(mkdir("m/below/dir", 0755));
	t_write_file("m/below/dir/file", "x");
	CHECK(!pthread_create(&t[0], NULL, walk, NULL));
	CHECK(!pthread_create(&t[1], NULL, walk, NULL));
	CHECK(!pthread_create(&t[2], NULL, remount, NULL));
	while (t_now_ms() < end) {
		if (mount("none", "m/below", "tmpfs", 0, NULL))
			continue;
		(void)mkdir("m/below/dir", 0755);
		MUST(mount("m/below", "m/below", NULL, MS_BIND, NULL));
		MUST(umount2("m/below", MNT_DETACH));
		MUST(umount2("m/below", MNT_DETACH));
	}
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	MUST(access("m/below/dir/file", F_OK));
}

static void a_thousand_mounts_on_one_place_come_off_again(void)
{
	long long start;
	char at[16];

	private_mounts();
	mount_tmpfs("m", NULL);
	start = t_now_ms();
	for (int i = 0; i < 500; i++) {
		snprintf(at, sizeof(at), "m/%d", i);
		MUST(mkdir(at, 0755));
		MUST(mount("m", at, NULL, MS_BIND, NULL));
		MUST(mount("none", "m/0", "tmpfs", 0, NULL));
	}
	MUST(umount2("m", MNT_DETACH));
	CHECK(t_now_ms() - start < 15000);
}

/* In a container the program lies in an image: its first change copies it. */
static void a_change_that_is_killed_leaves_the_file_as_it_was(void)
{
	struct stat before, after;
	pid_t pid;

	if (geteuid())
		SKIP("only its owner may change the program");
	MUST(stat(t_self(), &before));
	for (int i = 0; i < 20; i++) {
		pid = t_fork();
		if (!pid) {
			(void)chmod(t_self(), before.st_mode & 07777);
			_exit(0);
		}
		usleep((useconds_t)i * 50);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		MUST(stat(t_self(), &after));
		CHECK_EQ(after.st_size, before.st_size);
		CHECK_EQ(after.st_ino, before.st_ino);
		CHECK_EQ(after.st_mode, before.st_mode);
	}
}

static void mounts_on_names_in_proc_are_found(void)
{
	char text[4096];
	int fd, below;

	t_need_cap(CAP_SYS_ADMIN);
	MUST(unshare(CLONE_NEWNS));
	MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	t_write_file("mine", "hidden");
	MUST(mount("mine", "/proc/version", NULL, MS_BIND, NULL));
	CHECK_EQ(t_read_file("/proc/version", text, sizeof text), 6);
	MUST(umount("/proc/version"));
	CHECK(t_read_file("/proc/version", text, sizeof text) > 6);
	MUST(mount("none", "/proc/tty", "tmpfs", 0, NULL));
	fd = MUST(open("/proc/tty/new", O_WRONLY | O_CREAT, 0644));
	MUST(close(fd));
	CHECK_ERRNO(access("/proc/tty/drivers", F_OK), ENOENT);
	fd = MUST(open("/proc/sys", O_RDONLY | O_DIRECTORY));
	MUST(mount("mine", "/proc/sys/kernel/hostname", NULL, MS_BIND, NULL));
	below = MUST(openat(fd, "kernel/hostname", O_RDONLY));
	MUST(close(below));
	CHECK_EQ(t_read_file("/proc/sys/kernel/hostname", text, sizeof text), 6);
	MUST(umount("/proc/sys/kernel/hostname"));
	MUST(umount("/proc/tty"));
	MUST(access("/proc/tty/drivers", F_OK));
}

TEST_PROGRAM(mount_rules, CASE(a_writer_keeps_a_file_system_writable),
	     CASE(so_does_a_writable_mapping), CASE(writers_count_for_their_own_mount),
	     CASE(changes_of_the_tree_are_told_once), CASE(a_whiteout_without_room_renames_nothing),
	     CASE(directories_keep_their_counts_through_whiteouts),
	     CASE(mounts_come_and_go_under_walks), CASE(mounts_on_names_in_proc_are_found),
	     CASE(a_thousand_mounts_on_one_place_come_off_again),
	     CASE(a_change_that_is_killed_leaves_the_file_as_it_was));
