/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xattr.c - the twelve extended attribute calls
 *
 * See       xattr(7)
 */
#include "tests/lib/t.h"

#include <linux/capability.h>
#include <sys/xattr.h>

/* user.* needs a file system with it; trusted.* works on tmpfs as well. */
static const char *usable_prefix(void)
{
	t_write_file("f", "x");
	if (setxattr("f", "user.probe", "1", 1, 0) == 0) {
		MUST(removexattr("f", "user.probe"));
		return "user";
	}
	CHECK(errno == EOPNOTSUPP);
	t_need_cap(CAP_SYS_ADMIN);
	return "trusted";
}

static const char *name_of(const char *suffix)
{
	static char names[4][64];
	static int at;

	at = (at + 1) % 4;
	snprintf(names[at], sizeof(names[at]), "%s.%s", usable_prefix(), suffix);
	return names[at];
}

static void values_are_kept(void)
{
	const char *name = name_of("a");
	char buf[16] = "";

	MUST(setxattr("f", name, "value", 5, 0));
	CHECK_EQ(getxattr("f", name, buf, sizeof(buf)), 5);
	CHECK(!memcmp(buf, "value", 5));
	CHECK_EQ(getxattr("f", name, NULL, 0), 5);
	CHECK_ERRNO(getxattr("f", name, buf, 3), ERANGE);
	MUST(setxattr("f", name, "", 0, 0));
	CHECK_EQ(getxattr("f", name, buf, sizeof(buf)), 0);
	MUST(removexattr("f", name));
	CHECK_ERRNO(getxattr("f", name, buf, sizeof(buf)), ENODATA);
	CHECK_ERRNO(removexattr("f", name), ENODATA);
}

static void create_and_replace(void)
{
	const char *name = name_of("a");

	CHECK_ERRNO(setxattr("f", name, "1", 1, XATTR_REPLACE), ENODATA);
	MUST(setxattr("f", name, "1", 1, XATTR_CREATE));
	CHECK_ERRNO(setxattr("f", name, "1", 1, XATTR_CREATE), EEXIST);
	MUST(setxattr("f", name, "2", 1, XATTR_REPLACE));
	CHECK_ERRNO(setxattr("f", name, "2", 1, 4), EINVAL);
}

static int list_has(const char *list, ssize_t size, const char *name)
{
	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(list + at) + 1) {
		if (!strcmp(list + at, name))
			return 1;
	}
	return 0;
}

static void names_are_listed(void)
{
	const char *a = name_of("aa"), *b = name_of("bb");
	char list[1024];
	ssize_t n;

	MUST(setxattr("f", a, "1", 1, 0));
	MUST(setxattr("f", b, "1", 1, 0));
	n = MUST(listxattr("f", list, sizeof(list)));
	CHECK(list_has(list, n, a) && list_has(list, n, b));
	CHECK_EQ(listxattr("f", NULL, 0), n);
	CHECK_ERRNO(listxattr("f", list, 3), ERANGE);
}

static void by_descriptor_and_on_links(void)
{
	const char *name = name_of("a");
	char buf[8];
	int fd;

	fd = MUST(open("f", O_RDWR));
	MUST(fsetxattr(fd, name, "123", 3, 0));
	CHECK_EQ(fgetxattr(fd, name, buf, sizeof(buf)), 3);
	CHECK(flistxattr(fd, NULL, 0) > 0);
	MUST(symlink("f", "l"));
	CHECK_EQ(getxattr("l", name, buf, sizeof(buf)), 3);
	CHECK_ERRNO(lgetxattr("l", name, buf, sizeof(buf)), ENODATA);
	MUST(llistxattr("l", NULL, 0));
	CHECK_ERRNO(lsetxattr("l", "user.x", "1", 1, 0), EPERM);
	MUST(lremovexattr("f", name));
	CHECK_ERRNO(fremovexattr(fd, name), ENODATA);
}

static void errors(void)
{
	char name[300];
	char buf[8];

	t_write_file("f", "x");
	memset(name, 'n', sizeof(name));
	memcpy(name, "user.", 5);
	name[256] = '\0';
	CHECK_ERRNO(setxattr("f", name, "1", 1, 0), ERANGE);
	CHECK_ERRNO(setxattr("f", "nonsense.x", "1", 1, 0), EOPNOTSUPP);
	CHECK_ERRNO(getxattr("none", "user.x", buf, 8), ENOENT);
	CHECK_ERRNO(fgetxattr(-1, "user.x", buf, 8), EBADF);
	CHECK_ERRNO(setxattr("f", "user.x", buf, 70000, 0), E2BIG);
}

static void trusted_names_are_for_the_privileged(void)
{
	char buf[8];

	t_need_cap(CAP_SYS_ADMIN);
	t_write_file("f", "x");
	MUST(chmod("f", 0666));
	MUST(setxattr("f", "trusted.t", "1", 1, 0));
	t_become_user(1000);
	CHECK_ERRNO(getxattr("f", "trusted.t", buf, 8), ENODATA);
	CHECK_ERRNO(setxattr("f", "trusted.t", "1", 1, 0), EPERM);
	CHECK_EQ(listxattr("f", NULL, 0), 0);
}

TEST_PROGRAM(xattr, CASE(values_are_kept), CASE(create_and_replace), CASE(names_are_listed),
	     CASE(by_descriptor_and_on_links), CASE(errors),
	     CASE(trusted_names_are_for_the_privileged));
