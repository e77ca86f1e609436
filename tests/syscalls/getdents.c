/* SPDX-License-Identifier: Apache-2.0 */
/*
 * getdents.c - getdents, getdents64
 *
 * See       getdents(2)
 */
#include "tests/lib/t.h"

#include <dirent.h>

struct entry64 {
	uint64_t ino;
	int64_t off;
	uint16_t len;
	uint8_t type;
	char name[];
};

/* Counts entries and checks that each name occurs in `expected`, a blank-separated list. */
static int count_entries(int fd, size_t size, const char *expected)
{
	char buf[4096] __attribute__((aligned(8)));
	int total = 0;
	long n;

	while ((n = MUST(syscall(SYS_getdents64, fd, buf, size))) > 0) {
		for (long at = 0; at < n;) {
			struct entry64 *e = (struct entry64 *)(buf + at);

			CHECK(strstr(expected, e->name) != NULL);
			CHECK(e->ino != 0);
			CHECK(e->len % 8 == 0);
			total++;
			at += e->len;
		}
	}
	return total;
}

static void every_entry_comes_once(void)
{
	int fd;

	MUST(mkdir("d", 0755));
	t_write_file("d/one", "");
	t_write_file("d/two", "");
	MUST(mkdir("d/three", 0755));
	fd = MUST(open("d", O_RDONLY | O_DIRECTORY));
	CHECK_EQ(count_entries(fd, 4096, ". .. one two three"), 5);
	CHECK_EQ(count_entries(fd, 4096, ""), 0);
	MUST(lseek(fd, 0, SEEK_SET));
	CHECK_EQ(count_entries(fd, 4096, ". .. one two three"), 5);
}

static void small_buffers_take_several_calls(void)
{
	int fd;

	MUST(mkdir("d", 0755));
	t_write_file("d/one", "");
	t_write_file("d/two", "");
	fd = MUST(open("d", O_RDONLY | O_DIRECTORY));
	CHECK_EQ(count_entries(fd, 24, ". .. one two"), 4);
	MUST(lseek(fd, 0, SEEK_SET));
	CHECK_ERRNO(syscall(SYS_getdents64, fd, t_self(), 10), EINVAL);
}

static void types_are_told(void)
{
	struct dirent *e;
	DIR *dir;
	int seen = 0;

	t_write_file("file", "");
	MUST(mkdir("dir", 0755));
	MUST(symlink("x", "link"));
	MUST(mkfifo("fifo", 0600));
	dir = opendir(".");
	CHECK(dir != NULL);
	while ((e = readdir(dir)) != NULL) {
		if (!strcmp(e->d_name, "file"))
			seen += e->d_type == DT_REG;
		if (!strcmp(e->d_name, "dir"))
			seen += e->d_type == DT_DIR;
		if (!strcmp(e->d_name, "link"))
			seen += e->d_type == DT_LNK;
		if (!strcmp(e->d_name, "fifo"))
			seen += e->d_type == DT_FIFO;
	}
	CHECK_EQ(seen, 4);
}

static void removal_while_reading_is_safe(void)
{
	char name[16];
	struct dirent *e;
	DIR *dir;
	int n = 0;

	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		t_write_file(name, "");
	}
	dir = opendir(".");
	while ((e = readdir(dir)) != NULL) {
		if (e->d_name[0] == 'f') {
			MUST(unlink(e->d_name));
			n++;
		}
	}
	CHECK_EQ(n, 60);
}

static void seekdir_returns_to_a_place(void)
{
	struct dirent *e;
	char name[256];
	long place;
	DIR *dir;

	t_write_file("a", "");
	t_write_file("b", "");
	t_write_file("c", "");
	dir = opendir(".");
	readdir(dir);
	readdir(dir);
	place = telldir(dir);
	e = readdir(dir);
	strcpy(name, e->d_name);
	while (readdir(dir))
		;
	seekdir(dir, place);
	e = readdir(dir);
	CHECK(e && !strcmp(e->d_name, name));
}

static void legacy_getdents_works(void)
{
#ifdef SYS_getdents
	char buf[512];
	int fd = MUST(open(".", O_RDONLY | O_DIRECTORY));
	long n = MUST(syscall(SYS_getdents, fd, buf, sizeof(buf)));

	CHECK(n > 0 && n % 8 == 0);
	CHECK_EQ(syscall(SYS_getdents, fd, buf, sizeof(buf)), 0);
#else
	SKIP("this architecture never had getdents");
#endif
}

static void errors(void)
{
	char buf[64];

	CHECK_ERRNO(syscall(SYS_getdents64, -1, buf, 64), EBADF);
	CHECK_ERRNO(syscall(SYS_getdents64, t_temp_fd(), buf, 64), ENOTDIR);
	CHECK_ERRNO(syscall(SYS_getdents64, open(".", O_RDONLY), t_bad_ptr(), 64), EFAULT);
}

TEST_PROGRAM(getdents, CASE(every_entry_comes_once), CASE(small_buffers_take_several_calls),
	     CASE(types_are_told), CASE(removal_while_reading_is_safe),
	     CASE(seekdir_returns_to_a_place), CASE(legacy_getdents_works), CASE(errors));
