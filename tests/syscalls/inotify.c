/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inotify.c - inotify_init, inotify_init1, inotify_add_watch, inotify_rm_watch
 *
 * See       inotify(7)
 */
#include "tests/lib/t.h"

#include <sys/inotify.h>

static int fd;
static char buf[4096] __attribute__((aligned(8)));

/* Reads all events there are and returns the masks of those with this name, joined. */
static uint32_t events_for(const char *name)
{
	uint32_t mask = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; at < n;) {
			struct inotify_event *e = (struct inotify_event *)(buf + at);

			if (!strcmp(e->len ? e->name : "", name))
				mask |= e->mask;
			at += (ssize_t)sizeof(*e) + e->len;
		}
	}
	CHECK(errno == EAGAIN);
	return mask;
}

static void directories_report_their_entries(void)
{
	fd = MUST(inotify_init1(IN_NONBLOCK));
	MUST(inotify_add_watch(fd, ".", IN_ALL_EVENTS));
	t_write_file("f", "x");
	CHECK_EQ(events_for("f"), IN_CREATE | IN_OPEN | IN_MODIFY | IN_CLOSE_WRITE);
	MUST(chmod("f", 0600));
	CHECK_EQ(events_for("f"), IN_ATTRIB);
	MUST(unlink("f"));
	CHECK_EQ(events_for("f"), IN_DELETE);
	MUST(mkdir("d", 0755));
	CHECK_EQ(events_for("d"), IN_CREATE | IN_ISDIR);
}

static void files_report_themselves(void)
{
	char byte;
	int file;

	t_write_file("f", "x");
	fd = MUST(inotify_init1(IN_NONBLOCK));
	MUST(inotify_add_watch(fd, "f", IN_ALL_EVENTS));
	file = MUST(open("f", O_RDONLY));
	CHECK_EQ(read(file, &byte, 1), 1);
	MUST(close(file));
	CHECK_EQ(events_for(""), IN_OPEN | IN_ACCESS | IN_CLOSE_NOWRITE);
	MUST(unlink("f"));
	CHECK_EQ(events_for(""), IN_ATTRIB | IN_DELETE_SELF | IN_IGNORED);
}

static void a_rename_is_two_events_with_one_cookie(void)
{
	struct inotify_event *from, *to;
	ssize_t n;

	t_write_file("a", "x");
	fd = MUST(inotify_init1(IN_NONBLOCK));
	MUST(inotify_add_watch(fd, ".", IN_MOVE));
	MUST(rename("a", "b"));
	n = MUST(read(fd, buf, sizeof(buf)));
	from = (struct inotify_event *)buf;
	to = (struct inotify_event *)(buf + sizeof(*from) + from->len);
	CHECK(n == (ssize_t)(2 * sizeof(*from) + from->len + to->len));
	CHECK(from->mask == IN_MOVED_FROM && !strcmp(from->name, "a"));
	CHECK(to->mask == IN_MOVED_TO && !strcmp(to->name, "b"));
	CHECK(from->cookie != 0 && from->cookie == to->cookie);
}

static void watches_can_be_removed(void)
{
	int wd;

	fd = MUST(inotify_init1(IN_NONBLOCK));
	wd = MUST(inotify_add_watch(fd, ".", IN_CREATE));
	CHECK_EQ(inotify_add_watch(fd, ".", IN_DELETE), wd);
	MUST(inotify_rm_watch(fd, wd));
	CHECK_EQ(events_for(""), IN_IGNORED);
	t_write_file("f", "x");
	CHECK_EQ(events_for("f"), 0);
	CHECK_ERRNO(inotify_rm_watch(fd, wd), EINVAL);
}

static void a_reader_is_woken(void)
{
	pid_t pid;

	fd = MUST((int)syscall(SYS_inotify_init));
	MUST(inotify_add_watch(fd, ".", IN_CREATE));
	pid = t_fork();
	if (pid == 0)
		_exit(read(fd, buf, sizeof(buf)) <= 0);
	t_write_file("f", "x");
	t_wait_exit(pid, 0);
}

static void errors(void)
{
	fd = MUST(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_ERRNO(inotify_init1(1), EINVAL);
	CHECK_ERRNO(inotify_add_watch(fd, "none", IN_CREATE), ENOENT);
	CHECK_ERRNO(inotify_add_watch(fd, ".", 0), EINVAL);
	CHECK_ERRNO(inotify_add_watch(t_temp_fd(), ".", IN_CREATE), EINVAL);
	CHECK_ERRNO(inotify_add_watch(fd, "temp-file", IN_CREATE | IN_ONLYDIR), ENOTDIR);
	MUST(inotify_add_watch(fd, ".", IN_CREATE));
	t_write_file("long-enough-name-for-a-short-buffer", "x");
	CHECK_ERRNO(read(fd, buf, 16), EINVAL);
}

TEST_PROGRAM(inotify, CASE(directories_report_their_entries), CASE(files_report_themselves),
	     CASE(a_rename_is_two_events_with_one_cookie), CASE(watches_can_be_removed),
	     CASE(a_reader_is_woken), CASE(errors));
