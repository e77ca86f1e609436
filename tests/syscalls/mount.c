/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount.c - mount(2), umount2(2)
 *
 * See       mount(2), umount(2)
 */
#include "tests/lib/t.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>

static void private_mounts(void)
{
	t_need_cap(CAP_SYS_ADMIN);
	if (unshare(CLONE_NEWNS) == 0)
		MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

static void tmpfs_hides_and_shows_again(void)
{
	struct statfs sf;

	private_mounts();
	MUST(mkdir("m", 0755));
	t_write_file("m/below", "x");
	MUST(mount("none", "m", "tmpfs", 0, "mode=750"));
	CHECK_ERRNO(access("m/below", F_OK), ENOENT);
	t_write_file("m/above", "x");
	MUST(statfs("m", &sf));
	CHECK_EQ(sf.f_type, 0x01021994);
	MUST(umount2("m", 0));
	MUST(access("m/below", F_OK));
	CHECK_ERRNO(access("m/above", F_OK), ENOENT);
}

static void bind_shows_a_directory_twice(void)
{
	private_mounts();
	MUST(mkdir("a", 0755));
	MUST(mkdir("b", 0755));
	t_write_file("a/f", "x");
	MUST(mount("a", "b", NULL, MS_BIND, NULL));
	MUST(access("b/f", F_OK));
	t_write_file("b/g", "x");
	MUST(umount("b"));
	MUST(access("a/g", F_OK));
}

static void read_only_mounts_refuse_writes(void)
{
	private_mounts();
	MUST(mkdir("m", 0755));
	MUST(mount("none", "m", "tmpfs", MS_RDONLY, NULL));
	CHECK_ERRNO(open("m/f", O_CREAT | O_WRONLY, 0600), EROFS);
	CHECK_ERRNO(mkdir("m/d", 0700), EROFS);
	MUST(mount(NULL, "m", NULL, MS_REMOUNT, NULL));
	t_write_file("m/f", "x");
	MUST(umount("m"));
}

static void a_busy_mount_stays_unless_detached(void)
{
	int fd;

	private_mounts();
	MUST(mkdir("m", 0755));
	MUST(mount("none", "m", "tmpfs", 0, NULL));
	fd = MUST(open("m/f", O_RDWR | O_CREAT, 0600));
	CHECK_ERRNO(umount("m"), EBUSY);
	MUST(umount2("m", MNT_DETACH));
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_ERRNO(access("m/f", F_OK), ENOENT);
}

static void rename_and_link_across_mounts_are_exdev(void)
{
	private_mounts();
	MUST(mkdir("m", 0755));
	t_write_file("f", "x");
	MUST(mount("none", "m", "tmpfs", 0, NULL));
	CHECK_ERRNO(rename("f", "m/f"), EXDEV);
	CHECK_ERRNO(link("f", "m/f"), EXDEV);
	CHECK_ERRNO(rmdir("m"), EBUSY);
	MUST(umount("m"));
}

static void the_list_names_them(void)
{
	char buf[16384];

	private_mounts();
	MUST(mkdir("m", 0755));
	MUST(mount("mysource", "m", "tmpfs", MS_NOSUID, NULL));
	t_read_file("/proc/self/mounts", buf, sizeof(buf));
	CHECK(strstr(buf, "mysource ") != NULL);
	MUST(umount("m"));
}

/* Neither by execve() nor by the ways of a loader. */
static void nothing_on_a_noexec_mount_is_executed(void)
{
	char *args[] = { "f", NULL };
	void *p;
	int fd;

	private_mounts();
	MUST(mkdir("m", 0755));
	MUST(mount("none", "m", "tmpfs", MS_NOEXEC, NULL));
	t_write_file("m/f", "#!/bin/true\n");
	MUST(chmod("m/f", 0755));
	CHECK_ERRNO(execv("m/f", args), EACCES);
	CHECK_ERRNO(access("m/f", X_OK), EACCES);
	fd = MUST(open("m/f", O_RDWR));
	CHECK_ERRNO(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0), EPERM);
	CHECK_ERRNO(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0), EPERM);
	p = MUST(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	CHECK_ERRNO(mprotect(p, 4096, PROT_READ | PROT_EXEC), EACCES);
	MUST(mprotect(p, 4096, PROT_READ));
	p = MUST(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
	CHECK_ERRNO(mprotect(p, 4096, PROT_READ | PROT_EXEC), EACCES);
}

static void errors(void)
{
	private_mounts();
	MUST(mkdir("m", 0755));
	CHECK_ERRNO(umount("m"), EINVAL);
	CHECK_ERRNO(umount2("m", 0x100), EINVAL);
	CHECK_ERRNO(mount("none", "none", "tmpfs", 0, NULL), ENOENT);
	CHECK_ERRNO(mount("none", "m", "nosuchfs", 0, NULL), ENODEV);
	t_become_user(1000);
	CHECK_ERRNO(mount("none", "m", "tmpfs", 0, NULL), EPERM);
	CHECK_ERRNO(umount("m"), EPERM);
}

TEST_PROGRAM(mount, CASE(tmpfs_hides_and_shows_again), CASE(bind_shows_a_directory_twice),
	     CASE(read_only_mounts_refuse_writes), CASE(a_busy_mount_stays_unless_detached),
	     CASE(rename_and_link_across_mounts_are_exdev), CASE(the_list_names_them),
	     CASE(nothing_on_a_noexec_mount_is_executed), CASE(errors));
