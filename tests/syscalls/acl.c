/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acl.c - POSIX access control lists as extended attributes: checked, shown, obeyed, handed on, coupled to the mode
 *
 * See       acl(5), setxattr(2)
 */
#include "tests/lib/t.h"

#include <linux/capability.h>
#include <sys/xattr.h>

#define ACCESS	"system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"
#define NOBODY	0xffffffffu

enum { USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, GROUP = 8, MASK = 16, OTHER = 32 };

struct list {
	uint32_t version;
	struct {
		uint16_t tag, perm;
		uint32_t id;
	} e[8];
};

#define SIZE(n) (4 + (n)*8)

static const struct list named = {
	2,
	{{ USER_OBJ, 6, NOBODY },
	  { USER, 4, 77 },
	  { GROUP_OBJ, 0, NOBODY },
	  { MASK, 4, NOBODY },
	  { OTHER, 0, NOBODY }}
};

static int set(const char *path, const char *name, const struct list *l, int n)
{
	return setxattr(path, name, l, SIZE(n), 0);
}

static void need_acls(void)
{
	t_write_file("try", "");
	if (set("try", ACCESS, &named, 5) < 0 && errno == EOPNOTSUPP)
		SKIP("this file system has no ACLs");
	t_need_cap(CAP_SETUID);
	MUST(chmod(".", 0755));
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	MUST(stat(path, &st));
	return st.st_mode & 07777;
}

/* As user id in the groups: may it? */
static int may(uid_t id, gid_t gid, const char *path, int flags)
{
	pid_t pid = t_fork();
	int status;

	if (pid == 0) {
		MUST(syscall(SYS_setgroups, 0, NULL));
		MUST(setresgid(gid, gid, gid));
		MUST(setresuid(id, id, id));
		_exit(open(path, flags) >= 0 ? 1 : errno == EACCES ? 0 : 99);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
	return WEXITSTATUS(status);
}

static void a_list_is_kept_and_its_mask_is_the_group_bits(void)
{
	struct list got;

	need_acls();
	t_write_file("f", "x");
	MUST(chmod("f", 0600));
	CHECK_ERRNO(getxattr("f", ACCESS, NULL, 0), ENODATA);
	MUST(set("f", ACCESS, &named, 5));
	CHECK_EQ(mode_of("f"), 0640);
	CHECK_EQ(getxattr("f", ACCESS, NULL, 0), SIZE(5));
	CHECK_ERRNO(getxattr("f", ACCESS, &got, SIZE(4)), ERANGE);
	CHECK_EQ(getxattr("f", ACCESS, &got, sizeof got), SIZE(5));
	CHECK(!memcmp(&got, &named, SIZE(5)));
}

static void a_list_that_says_what_the_mode_says_is_the_mode(void)
{
	struct list l = {
		2, {{ USER_OBJ, 7, NOBODY }, { GROUP_OBJ, 5, NOBODY }, { OTHER, 1, NOBODY }}
	};

	need_acls();
	t_write_file("f", "x");
	MUST(set("f", ACCESS, &l, 3));
	CHECK_EQ(mode_of("f"), 0751);
	CHECK_ERRNO(getxattr("f", ACCESS, NULL, 0), ENODATA);
}

static void lists_that_make_no_sense_are_refused(void)
{
	struct list l = named;

	need_acls();
	CHECK_ERRNO(setxattr("try", ACCESS, &l, 3, 0), EINVAL);
	CHECK_ERRNO(setxattr("try", ACCESS, &l, SIZE(5) - 1, 0), EINVAL);
	CHECK_ERRNO(set("try", ACCESS, &l, 4), EINVAL); /* no others */
	l.version = 3;
	CHECK_ERRNO(set("try", ACCESS, &l, 5), EOPNOTSUPP);
	l = named;
	l.e[1].perm = 8;
	CHECK_ERRNO(set("try", ACCESS, &l, 5), EINVAL);
	l = named;
	l.e[1].tag = 3;
	CHECK_ERRNO(set("try", ACCESS, &l, 5), EINVAL);
	l = named;
	l.e[1].id = NOBODY;
	CHECK_ERRNO(set("try", ACCESS, &l, 5), EINVAL);
	l = named;
	l.e[1].tag = GROUP_OBJ;
	CHECK_ERRNO(set("try", ACCESS, &l, 5), EINVAL); /* twice */
	l = named;
	l.e[1].tag = USER_OBJ;
	CHECK_ERRNO(set("try", ACCESS, &l, 5), EINVAL);
	l = named;
	l.e[3] = l.e[4];
	CHECK_ERRNO(set("try", ACCESS, &l, 4), EINVAL); /* named, but no mask */
}

static void who_may_change_a_list(void)
{
	pid_t pid;

	need_acls();
	t_write_file("f", "x");
	MUST(chmod("f", 0666));
	MUST(symlink("f", "link"));
	CHECK_ERRNO(set("f", DEFAULT, &named, 5), EACCES);
	CHECK_ERRNO(lsetxattr("link", ACCESS, &named, SIZE(5), 0), EOPNOTSUPP);
	pid = t_fork();
	if (pid == 0) {
		t_become_user(1000);
		CHECK_ERRNO(set("f", ACCESS, &named, 5), EPERM);
		CHECK_ERRNO(removexattr("f", ACCESS), EPERM);
		CHECK_EQ(getxattr("try", ACCESS, NULL, 0), SIZE(5));
		_exit(0);
	}
	t_wait_exit(pid, 0);
	MUST(removexattr("f", ACCESS)); /* not there: all right */
	MUST(removexattr("try", ACCESS));
	CHECK_ERRNO(getxattr("try", ACCESS, NULL, 0), ENODATA);
}

static void named_users_and_groups_get_what_the_mask_leaves(void)
{
	struct list l = {
		2,
		{{ USER_OBJ, 0, NOBODY },
		  { USER, 6, 77 },
		  { USER, 0, 78 },
		  { GROUP_OBJ, 4, NOBODY },
		  { GROUP, 2, 200 },
		  { GROUP, 4, 201 },
		  { MASK, 6, NOBODY },
		  { OTHER, 4, NOBODY }}
	};

	need_acls();
	t_write_file("f", "x");
	MUST(set("f", ACCESS, &l, 8));
	CHECK(may(77, 77, "f", O_RDWR));
	CHECK(!may(78, 78, "f", O_RDONLY)); /* though others may */
	CHECK(may(79, 79, "f", O_RDONLY));
	CHECK(!may(79, 79, "f", O_WRONLY));
	CHECK(may(79, 200, "f", O_WRONLY));
	CHECK(!may(79, 200, "f", O_RDONLY)); /* in a group: others do not count */
	CHECK(may(79, 201, "f", O_RDONLY));
	CHECK(may(79, 0, "f", O_RDONLY)); /* the file's group */
	l.e[6].perm = 4;
	MUST(set("f", ACCESS, &l, 8));
	CHECK(!may(77, 77, "f", O_RDWR));
	CHECK(may(77, 77, "f", O_RDONLY));
	CHECK(!may(79, 200, "f", O_WRONLY));
}

static void directories_obey_too(void)
{
	struct list l = named;

	need_acls();
	MUST(mkdir("d", 0777));
	t_write_file("d/f", "x");
	l.e[0].perm = l.e[2].perm = l.e[3].perm = l.e[4].perm = 7;
	l.e[1].perm = 6; /* 77 may list, not enter */
	MUST(set("d", ACCESS, &l, 5));
	CHECK_EQ(mode_of("d"), 0777);
	CHECK(!may(77, 77, "d/f", O_RDONLY));
	CHECK(may(77, 77, "d", O_RDONLY));
	CHECK(may(78, 78, "d/f", O_RDONLY));
}

static void chmod_moves_the_mask(void)
{
	struct list got;

	need_acls();
	t_write_file("f", "x");
	MUST(set("f", ACCESS, &named, 5));
	MUST(chmod("f", 0704));
	CHECK_EQ(getxattr("f", ACCESS, &got, sizeof got), SIZE(5));
	CHECK_EQ(got.e[0].perm, 7);
	CHECK_EQ(got.e[1].perm, 4);
	CHECK_EQ(got.e[3].perm, 0);
	CHECK_EQ(got.e[4].perm, 4);
	CHECK(may(77, 77, "f", O_RDONLY)); /* with an empty mask the list does not count */
}

static void defaults_are_handed_on(void)
{
	struct list got, d = named;

	need_acls();
	d.e[0].perm = 7;
	d.e[3].perm = 7;
	d.e[1].perm = 7;
	MUST(mkdir("d", 0755));
	CHECK_ERRNO(getxattr("d", DEFAULT, NULL, 0), ENODATA);
	MUST(set("d", DEFAULT, &d, 5));
	CHECK_EQ(mode_of("d"), 0755);
	umask(077); /* does not count here */
	MUST(close(open("d/f", O_CREAT | O_WRONLY, 0666)));
	CHECK_EQ(mode_of("d/f"), 0660);
	CHECK_EQ(getxattr("d/f", ACCESS, &got, sizeof got), SIZE(5));
	CHECK_EQ(got.e[0].perm, 6);
	CHECK_EQ(got.e[1].perm, 7);
	CHECK_EQ(got.e[3].perm, 6);
	CHECK_ERRNO(getxattr("d/f", DEFAULT, NULL, 0), ENODATA);
	MUST(mkdir("d/sub", 0777));
	CHECK_EQ(mode_of("d/sub"), 0770);
	CHECK_EQ(getxattr("d/sub", DEFAULT, &got, sizeof got), SIZE(5));
	CHECK(!memcmp(&got, &d, SIZE(5)));
	CHECK_EQ(getxattr("d/sub", ACCESS, NULL, 0), SIZE(5));
	MUST(mkfifo("d/fifo", 0666));
	CHECK_EQ(mode_of("d/fifo"), 0660);
	MUST(symlink("f", "d/link"));
	MUST(removexattr("d", DEFAULT));
	MUST(close(open("d/g", O_CREAT | O_WRONLY, 0666)));
	CHECK_EQ(mode_of("d/g"), 0600);
}

static void lists_are_listed(void)
{
	char names[256] = "";
	ssize_t n;

	need_acls();
	MUST(mkdir("d", 0755));
	CHECK_EQ(listxattr("d", NULL, 0), 0);
	MUST(set("d", ACCESS, &named, 5));
	MUST(set("d", DEFAULT, &named, 5));
	n = MUST(listxattr("d", names, sizeof names));
	CHECK_EQ(n, sizeof ACCESS + sizeof DEFAULT);
	CHECK(!strcmp(names, ACCESS) && !strcmp(names + sizeof ACCESS, DEFAULT));
	CHECK_EQ(listxattr("d", NULL, 0), n);
	CHECK_ERRNO(listxattr("d", names, 30), ERANGE);
}

static void a_list_stays_with_its_file(void)
{
	need_acls();
	t_write_file("f", "x");
	MUST(set("f", ACCESS, &named, 5));
	MUST(rename("f", "g"));
	MUST(link("g", "h"));
	t_write_file("other", "");
	CHECK_EQ(getxattr("h", ACCESS, NULL, 0), SIZE(5));
	CHECK_EQ(fgetxattr(MUST(open("g", O_RDONLY)), ACCESS, NULL, 0), SIZE(5));
	MUST(chown("g", 5, 5));
	CHECK_EQ(getxattr("g", ACCESS, NULL, 0), SIZE(5));
	CHECK(may(77, 77, "g", O_RDONLY));
}

TEST_PROGRAM(acl, CASE(a_list_is_kept_and_its_mask_is_the_group_bits),
	     CASE(a_list_that_says_what_the_mode_says_is_the_mode),
	     CASE(lists_that_make_no_sense_are_refused), CASE(who_may_change_a_list),
	     CASE(named_users_and_groups_get_what_the_mask_leaves), CASE(directories_obey_too),
	     CASE(chmod_moves_the_mask), CASE(defaults_are_handed_on), CASE(lists_are_listed),
	     CASE(a_list_stays_with_its_file));
