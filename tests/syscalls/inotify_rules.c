/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inotify_rules.c - which call makes which events, in which order; limits; watches and events at once
 *
 * See       inotify(7)
 */
#include "tests/lib/t.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/inotify.h>
#include <sys/xattr.h>

static int in;
static struct {
	int wd;
	const char *path;
} watches[16];
static int nr_watches;

static void watch(const char *path)
{
	watches[nr_watches].wd = MUST(inotify_add_watch(in, path, IN_ALL_EVENTS));
	watches[nr_watches++].path = path;
}

static const char *bit_name(unsigned bit)
{
	static const char *const names[] = { "ACCESS",	    "MODIFY",	     "ATTRIB",
					     "CLOSE_WRITE", "CLOSE_NOWRITE", "OPEN",
					     "MOVED_FROM",  "MOVED_TO",	     "CREATE",
					     "DELETE",	    "DELETE_SELF",   "MOVE_SELF" };

	if (bit < 12)
		return names[bit];
	return bit == 15 ? "IGNORED" : bit == 14 ? "OVERFLOW" : bit == 30 ? "ISDIR" : "?";
}

/* One event as text: PATH:EVENT[+ISDIR][(NAME)]. */
static void describe(char *out, size_t room, const struct inotify_event *e)
{
	const char *path = "?", *sep = "";
	size_t n;

	for (int i = 0; i < nr_watches; i++)
		if (watches[i].wd == e->wd)
			path = watches[i].path;
	n = (size_t)snprintf(out, room, "%s:", path);
	for (unsigned bit = 0; bit < 32; bit++)
		if (e->mask >> bit & 1) {
			n += (size_t)snprintf(out + n, room - n, "%s%s", sep, bit_name(bit));
			sep = "+";
		}
	if (e->len)
		snprintf(out + n, room - n, "(%s)", e->name);
}

/* What has been queued since, separated by blanks. */
static void check_events(const char *file, int line, const char *expected)
{
	char buf[8192] __attribute__((aligned(8))), text[4096] = "", one[512];
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0) {
		for (char *p = buf; p < buf + n;) {
			struct inotify_event *e = (struct inotify_event *)p;

			describe(one, sizeof(one), e);
			if (*text)
				strcat(text, " ");
			strcat(text, one);
			p += sizeof(*e) + e->len;
		}
	}
	if (strcmp(text, expected)) {
		static char what[9000];

		snprintf(what, sizeof(what), "expected \"%s\", got \"%s\"", expected, text);
		t_fail(file, line, what);
	}
}
#define EVENTS(text) check_events(__FILE__, __LINE__, text)

static void begin(void)
{
	in = MUST(inotify_init1(IN_NONBLOCK));
	MUST(mkdir("d", 0777));
	MUST(mkdir("e", 0777));
	t_write_file("d/f", "text");
	watch("d");
	watch("d/f");
	watch("e");
}

static void reading_and_writing(void)
{
	char buf[16];
	int fd;

	begin();
	MUST(truncate("d/f", 10));
	EVENTS("d:MODIFY(f) d/f:MODIFY");
	fd = MUST(open("d/f", O_RDWR));
	EVENTS("d:OPEN(f) d/f:OPEN");
	MUST(ftruncate(fd, 100));
	EVENTS("d:MODIFY(f) d/f:MODIFY");
	if (!posix_fallocate(fd, 0, 200))
		EVENTS("d:MODIFY(f) d/f:MODIFY");
	CHECK_EQ(read(fd, buf, 10), 10);
	EVENTS("d:ACCESS(f) d/f:ACCESS");
	CHECK_EQ(read(fd, buf, 0), 0);
	EVENTS("");
	CHECK_EQ(write(fd, "x", 1), 1);
	EVENTS("d:MODIFY(f) d/f:MODIFY");
	MUST(close(fd));
	EVENTS("d:CLOSE_WRITE(f) d/f:CLOSE_WRITE");
	fd = MUST(open("d/f", O_PATH));
	MUST(close(fd));
	EVENTS("");
}

static void opening_with_truncation_opens_then_modifies(void)
{
	int fd;

	begin();
	fd = MUST(open("d/f", O_RDWR | O_TRUNC));
	check_events(__FILE__, __LINE__, "d:OPEN(f) d/f:OPEN d:MODIFY(f) d/f:MODIFY");
	MUST(close(fd));
}

static void attributes(void)
{
	struct timespec access[2] = {
		{1,  0	       },
		  { 0, UTIME_OMIT}
	};
	struct timespec modify[2] = {
		{0,  UTIME_OMIT},
		   { 1, 0	  }
	};

	begin();
	MUST(chmod("d/f", 0755));
	EVENTS("d:ATTRIB(f) d/f:ATTRIB");
	MUST(chown("d/f", getuid(), getgid()));
	EVENTS("d:ATTRIB(f) d/f:ATTRIB");
	MUST(utimensat(AT_FDCWD, "d/f", NULL, 0));
	EVENTS("d:ATTRIB(f) d/f:ATTRIB");
	MUST(utimensat(AT_FDCWD, "d/f", access, 0));
	EVENTS("d:ACCESS(f) d/f:ACCESS");
	MUST(utimensat(AT_FDCWD, "d/f", modify, 0));
	EVENTS("d:MODIFY(f) d/f:MODIFY");
	if (!setxattr("d/f", "user.a", "b", 1, 0))
		EVENTS("d:ATTRIB(f) d/f:ATTRIB");
	MUST(chmod("d", 0700));
	EVENTS("d:ATTRIB+ISDIR");
}

static void listing_a_directory_is_an_access(void)
{
	DIR *dir;

	begin();
	dir = opendir("d");
	CHECK(dir);
	EVENTS("d:OPEN+ISDIR");
	CHECK(readdir(dir));
	EVENTS("d:ACCESS+ISDIR");
	closedir(dir);
	EVENTS("d:CLOSE_NOWRITE+ISDIR");
}

static void names(void)
{
	begin();
	MUST(link("d/f", "e/x"));
	EVENTS("d/f:ATTRIB e:CREATE(x)");
	MUST(unlink("e/x"));
	EVENTS("d/f:ATTRIB e:DELETE(x)");
	MUST(symlink("f", "d/s"));
	EVENTS("d:CREATE(s)");
	MUST(unlink("d/s"));
	EVENTS("d:DELETE(s)");
	MUST(mkdir("d/sub", 0777));
	watch("d/sub");
	EVENTS("d:CREATE+ISDIR(sub)");
	MUST(rename("d/sub", "e/sub"));
	EVENTS("d:MOVED_FROM+ISDIR(sub) e:MOVED_TO+ISDIR(sub) d/sub:MOVE_SELF");
}

static void an_exchange_moves_both(void)
{
	begin();
	t_write_file("e/y", "");
	watch("e/y");
	EVENTS("e:CREATE(y) e:OPEN(y) e:CLOSE_WRITE(y)");
	if (syscall(SYS_renameat2, AT_FDCWD, "d/f", AT_FDCWD, "e/y", 2))
		SKIP("no RENAME_EXCHANGE here");
	EVENTS("d:MOVED_FROM(f) e:MOVED_TO(y) d/f:MOVE_SELF e:MOVED_FROM(y) d:MOVED_TO(f) "
	       "e/y:MOVE_SELF");
}

static void a_replaced_file_ends(void)
{
	begin();
	t_write_file("d/g", "");
	watch("d/g");
	EVENTS("d:CREATE(g) d:OPEN(g) d:CLOSE_WRITE(g)");
	MUST(rename("d/f", "d/g"));
	EVENTS("d:MOVED_FROM(f) d:MOVED_TO(g) d/g:ATTRIB d/f:MOVE_SELF d/g:DELETE_SELF "
	       "d/g:IGNORED");
}

static void a_deleted_file_ends_when_it_is_closed(void)
{
	int fd;

	begin();
	fd = MUST(open("d/f", O_RDWR));
	EVENTS("d:OPEN(f) d/f:OPEN");
	MUST(unlink("d/f"));
	EVENTS("d/f:ATTRIB d:DELETE(f)");
	MUST(close(fd));
	EVENTS("d:CLOSE_WRITE(f) d/f:CLOSE_WRITE d/f:DELETE_SELF d/f:IGNORED");
}

static void a_deleted_directory_ends_once(void)
{
	begin();
	MUST(mkdir("d/sub", 0777));
	watch("d/sub");
	EVENTS("d:CREATE+ISDIR(sub)");
	MUST(chdir("d/sub"));
	MUST(rmdir("../sub"));
	EVENTS("d:DELETE+ISDIR(sub)");
	MUST(chdir("/"));
	EVENTS("d/sub:DELETE_SELF d/sub:IGNORED");
}

static void a_deleted_directory_nobody_uses_ends_first(void)
{
	begin();
	MUST(mkdir("d/sub", 0777));
	watch("d/sub");
	EVENTS("d:CREATE+ISDIR(sub)");
	MUST(rmdir("d/sub"));
	EVENTS("d/sub:DELETE_SELF d/sub:IGNORED d:DELETE+ISDIR(sub)");
}

static void running_a_program_opens_it(void)
{
	char buf[4096];
	int from, to;
	ssize_t n;
	pid_t pid;

	begin();
	from = MUST(open(t_self(), O_RDONLY));
	to = MUST(open("prog", O_WRONLY | O_CREAT, 0755));
	while ((n = read(from, buf, sizeof(buf))) > 0)
		CHECK_EQ(write(to, buf, (size_t)n), n);
	MUST(close(to));
	watch("prog");
	pid = t_fork();
	if (!pid) {
		MUST(dup2(open("/dev/null", O_WRONLY), 1));
		execl("prog", "prog", "--list", NULL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	EVENTS("prog:OPEN prog:ACCESS prog:CLOSE_NOWRITE");
}

static long limit_of(const char *name)
{
	char path[64], text[32];

	snprintf(path, sizeof(path), "/proc/sys/fs/inotify/%s", name);
	t_read_file(path, text, sizeof(text));
	return atol(text);
}

static void instances_are_limited_by_user(void)
{
	long max = limit_of("max_user_instances"), n = 0;

	if (max > 900)
		SKIP("more than a process has descriptors");
	t_become_user(54322);
	while (n <= max && inotify_init1(0) >= 0)
		n++;
	CHECK_EQ(errno, EMFILE);
	CHECK_EQ(n, max);
}

static void a_full_queue_says_so_once(void)
{
	struct inotify_event e;
	long max = limit_of("max_queued_events");

	if (max > 100000)
		SKIP("a very long queue");
	begin();
	/* Two kinds in turn: equal ones in a row are merged. */
	for (long i = 0; i < max + 50; i++)
		MUST(chmod(i & 1 ? "d" : "e", 0755));
	for (long i = 0; i < max; i++) {
		CHECK_EQ(read(in, &e, sizeof(e)), sizeof(e));
		CHECK_EQ(e.mask, IN_ATTRIB | IN_ISDIR);
	}
	CHECK_EQ(read(in, &e, sizeof(e)), sizeof(e));
	CHECK_EQ(e.mask, IN_Q_OVERFLOW);
	CHECK_EQ(e.wd, -1);
	CHECK_ERRNO(read(in, &e, sizeof(e)), EAGAIN);
	MUST(chmod("d", 0755));
	CHECK_EQ(read(in, &e, sizeof(e)), sizeof(e));
	CHECK_EQ(e.mask, IN_ATTRIB | IN_ISDIR);
}

static void many_watches_of_one_directory_end_quickly(void)
{
	long max = limit_of("max_user_instances"), n;
	long long start;
	int fds[100];
	char name[16];

	for (n = 0; n < 300; n++) {
		snprintf(name, sizeof(name), "w%ld", n);
		MUST(mkdir(name, 0777));
	}
	for (n = 0; n < 100 && n < max - 20; n++) {
		fds[n] = inotify_init1(IN_NONBLOCK);
		if (fds[n] < 0)
			break;
		for (int i = 0; i < 300; i++) {
			snprintf(name, sizeof(name), "w%d", i);
			MUST(inotify_add_watch(fds[n], name, IN_ALL_EVENTS));
		}
	}
	start = t_now_ms();
	while (n)
		MUST(close(fds[--n]));
	CHECK(t_now_ms() - start < 5000);
}

static volatile int stop;

static void *make_events(void *arg)
{
	while (!stop) {
		int fd = open("d/f", O_RDWR | O_CREAT, 0644);

		(void)!write(fd, "x", 1);
		close(fd);
		unlink("d/f");
	}
	return NULL;
}

static void *add_and_remove(void *arg)
{
	while (!stop) {
		int wd = inotify_add_watch(in, "d/f", IN_ALL_EVENTS);

		if (wd > 0)
			inotify_rm_watch(in, wd);
		wd = inotify_add_watch(in, "d", IN_ALL_EVENTS);
		if (wd > 0)
			inotify_rm_watch(in, wd);
	}
	return NULL;
}

/* Watches end by being removed, with their file, and with their instance, while events come. */
static void watches_end_while_events_come(void)
{
	long long end = t_now_ms() + 700;
	pthread_t t[3];
	char buf[4096];

	begin();
	CHECK(!pthread_create(&t[0], NULL, make_events, NULL));
	CHECK(!pthread_create(&t[1], NULL, make_events, NULL));
	CHECK(!pthread_create(&t[2], NULL, add_and_remove, NULL));
	while (t_now_ms() < end) {
		int other = MUST(inotify_init1(IN_NONBLOCK));

		MUST(inotify_add_watch(other, "d", IN_ALL_EVENTS));
		(void)inotify_add_watch(other, "d/f", IN_ALL_EVENTS);
		while (read(in, buf, sizeof(buf)) > 0)
			;
		MUST(close(other));
	}
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
}

TEST_PROGRAM(inotify_rules, CASE(reading_and_writing),
	     CASE(opening_with_truncation_opens_then_modifies), CASE(attributes),
	     CASE(listing_a_directory_is_an_access), CASE(names), CASE(an_exchange_moves_both),
	     CASE(a_replaced_file_ends), CASE(a_deleted_file_ends_when_it_is_closed),
	     CASE(a_deleted_directory_ends_once), CASE(a_deleted_directory_nobody_uses_ends_first),
	     CASE(running_a_program_opens_it), CASE(instances_are_limited_by_user),
	     CASE(a_full_queue_says_so_once), CASE(many_watches_of_one_directory_end_quickly),
	     CASE(watches_end_while_events_come));
