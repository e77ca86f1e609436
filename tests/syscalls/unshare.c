/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unshare.c - unshare(2), setns(2): what needs no name spaces, and simple ones
 *
 * See       unshare(2)
 */
#include "tests/lib/t.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/stat.h>

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

static void name_spaces_are_files_to_return_to(void)
{
	struct stat old, new;
	char name[65], link[64], text[64];
	ssize_t n;
	pid_t pid;
	int fd;

	t_need_cap(CAP_SYS_ADMIN);
	fd = MUST(open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC));
	MUST(fstat(fd, &old));
	n = MUST(readlink("/proc/self/ns/uts", link, sizeof(link) - 1));
	link[n] = 0;
	snprintf(text, sizeof(text), "uts:[%lu]", (unsigned long)old.st_ino);
	CHECK(!strcmp(link, text));
	pid = t_fork();
	if (pid == 0) {
		MUST(unshare(CLONE_NEWUTS));
		MUST(stat("/proc/self/ns/uts", &new));
		CHECK(new.st_dev == old.st_dev &&new.st_ino != old.st_ino);
		MUST(sethostname("inner", 5));
		CHECK_ERRNO(setns(fd, CLONE_NEWIPC), EINVAL);
		MUST(setns(fd, CLONE_NEWUTS));
		MUST(gethostname(name, sizeof(name)));
		CHECK(strcmp(name, "inner"));
		MUST(stat("/proc/self/ns/uts", &new));
		CHECK(new.st_ino == old.st_ino);
		t_become_user(1000);
		CHECK_ERRNO(setns(fd, 0), EPERM);
		_exit(0);
	}
	t_wait_exit(pid, 0);
	close(fd);
}

static int tell_name(void *arg)
{
	char name[65];

	if (sethostname("cloned", 6) || gethostname(name, sizeof(name)) || strcmp(name, "cloned"))
		return 1;
	return 0;
}

static void clone_makes_name_spaces(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	char name[65];
	pid_t pid;

	t_need_cap(CAP_SYS_ADMIN);
	pid = MUST(clone(tell_name, stack + sizeof(stack), CLONE_NEWUTS | SIGCHLD, NULL));
	t_wait_exit(pid, 0);
	MUST(gethostname(name, sizeof(name)));
	CHECK(strcmp(name, "cloned"));
	CHECK_ERRNO(clone(tell_name, stack + sizeof(stack), CLONE_NEWNS | CLONE_FS | SIGCHLD, NULL),
		    EINVAL);
}

TEST_PROGRAM(unshare, CASE(sharing_ends_for_descriptors_and_directory),
	     CASE(mount_name_spaces_need_privilege), CASE(host_names_become_private),
	     CASE(setns_wants_a_name_space), CASE(name_spaces_are_files_to_return_to),
	     CASE(clone_makes_name_spaces));
