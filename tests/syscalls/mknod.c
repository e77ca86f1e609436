/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mknod.c - mknod, mknodat
 *
 * See       mknod(2)
 */
#include "tests/lib/t.h"

#include <sys/sysmacros.h>

static void kinds_that_everybody_may_make(void)
{
	struct stat st;

	MUST(chmod(".", 0777));
	t_become_user(1000);
	MUST(mknod("file", S_IFREG | 0640, 0));
	MUST(stat("file", &st));
	CHECK_EQ(st.st_mode, S_IFREG | 0640);
	MUST(mknod("fifo", S_IFIFO | 0600, 0));
	MUST(mknodat(AT_FDCWD, "sock", S_IFSOCK | 0600, 0));
	MUST(stat("sock", &st));
	CHECK(S_ISSOCK(st.st_mode));
	MUST(mknod("plain", 0600, 0));
	MUST(stat("plain", &st));
	CHECK(S_ISREG(st.st_mode));
	CHECK_ERRNO(mknod("dev", S_IFCHR | 0600, makedev(1, 3)), EPERM);
}

static void a_device_node_reaches_its_driver(void)
{
	char byte = 1;
	int fd;

	if (mknod("zero", S_IFCHR | 0600, makedev(1, 5)) < 0 && errno == EPERM)
		SKIP("may not make device nodes");
	fd = open("zero", O_RDWR);
	if (fd < 0 && errno == EACCES)
		SKIP("file system mounted nodev");
	MUST(fd);
	CHECK_EQ(read(fd, &byte, 1), 1);
	CHECK(byte == 0);
}

static void errors(void)
{
	MUST(mknod("f", S_IFREG | 0600, 0));
	CHECK_ERRNO(mknod("f", S_IFREG | 0600, 0), EEXIST);
	CHECK_ERRNO(mknod("none/f", S_IFREG | 0600, 0), ENOENT);
	CHECK_ERRNO(mknod("d", S_IFDIR | 0700, 0), EPERM);
	CHECK_ERRNO(syscall(SYS_mknod, "l", S_IFLNK | 0700, 0), EINVAL);
	CHECK_ERRNO(open("f/x", O_RDONLY), ENOTDIR);
}

static void a_socket_file_cannot_be_opened(void)
{
	MUST(mknod("s", S_IFSOCK | 0600, 0));
	CHECK_ERRNO(open("s", O_RDWR), ENXIO);
}

TEST_PROGRAM(mknod, CASE(kinds_that_everybody_may_make), CASE(a_device_node_reaches_its_driver),
	     CASE(errors), CASE(a_socket_file_cannot_be_opened));
