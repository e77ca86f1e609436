// SPDX-License-Identifier: Apache-2.0
/*
 * image_fail_test - opening an image while the Nth allocation or host call fails
 *
 * Rules     each failure is either tolerated or gives an error text; nothing half-made stays in the
 *           cache, no descriptor and (under LSan) no memory is lost, and the next try works
 * See       tests/lib/fail_host.h
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "tests/lib/tar_make.h"
#include "vmm/image/image.h"

long fail_countdown = -1;

/* Of LeakSanitizer, when the build has it. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

static char dir[64];
static char cache_path[80];

static int nr_entries(const char *path)
{
	CLEANUP_DIR DIR *d = opendir(path);
	struct dirent *de;
	int nr = 0;

	while (d && (de = readdir(d)))
		nr += de->d_name[0] != '.';
	return nr;
}

static size_t load(const char *name, char *buf, size_t max)
{
	const char *seeds = getenv("SEEDS");
	char path[512];
	CLEANUP_FILE FILE *f = NULL;

	snprintf(path, sizeof(path), "%s/%s", seeds ? seeds : "tests/fuzz/corpus/tar", name);
	f = fopen(path, "rb");
	cr_assert_not_null(f, "%s", path);
	return fread(buf, 1, max, f);
}

static void start(void)
{
	strcpy(dir, "/tmp/image-fail-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(cache_path, sizeof(cache_path), "%s/cache", dir);
}

static void end(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

static void make_path(char path[100], const char *name)
{
	snprintf(path, 100, "%s/%s", dir, name);
}

static int make_file(const char *path)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

	cr_assert_geq(fd, 0);
	return fd;
}

static void make_docker_archive(const char *path)
{
	static const char manifest[] = "[{\"Config\":\"c.json\",\"Layers\":[\"l\"]}]";
	static char plain[65536], packed[65536];
	size_t plain_len = load("pax", plain, sizeof(plain));
	size_t packed_len = load("gzip", packed, sizeof(packed));
	CLEANUP_FD int fd = make_file(path);
	char digest[DIGEST_HEX], config[400];

	digest_bytes(plain, plain_len, digest);
	snprintf(config, sizeof(config),
		 "{\"config\":{\"Cmd\":[\"a\"],\"Env\":[\"A=b\"],\"Volumes\":{\"/v\":{}}},"
		 "\"rootfs\":{\"diff_ids\":[\"sha256:%s\"]}}",
		 digest);
	tar_make_file(fd, "l", packed, packed_len);
	tar_make_file(fd, "c.json", config, strlen(config));
	tar_make_file(fd, "manifest.json", manifest, strlen(manifest));
	cr_assert_eq(tar_make_end(fd), 0);
}

static void make_rootfs(const char *path, const char *seed)
{
	static char data[65536];
	size_t len = load(seed, data, sizeof(data));
	CLEANUP_FD int fd = make_file(path);

	cr_assert_eq(write(fd, data, len), (ssize_t)len);
}

static void empty_cache(void)
{
	struct cache c;
	struct cache_info *list;
	size_t nr;

	cr_assert_eq(cache_open(cache_path, &c, NULL), 0);
	cr_assert_eq(cache_list(&c, &list, &nr, NULL), 0);
	for (size_t i = 0; i < nr; i++)
		cr_assert_eq(cache_remove(&c, list[i].name, NULL), 0);
	free(list);
	cache_refs_prune(&c);
	cache_close(&c);
}

static int open_and_resolve(const char *path, const char *user, struct err *err)
{
	struct image_opts opts = { .cache_dir = cache_path, .is_quiet = true };
	struct image_user u;
	struct image *img;
	int r = image_open(path, &opts, &img, err);

	if (r < 0)
		return r;
	r = image_resolve_user(img, user, &u, err);
	if (r == 0)
		image_user_fini(&u);
	image_close(img);
	return r;
}

static void failure_loop(const char *path, bool is_cached)
{
	char tmp[100];
	struct err err;
	int nr_failed = 0;

	snprintf(tmp, sizeof(tmp), "%s/tmp", cache_path);
	for (long n = 0;; n++) {
		int nr_fds = nr_entries("/proc/self/fd");
		bool was_hit;
		int r;

		cr_assert_lt(n, 5000);
		if (!is_cached)
			empty_cache();
		err_clear(&err);
		fail_countdown = n;
		r = open_and_resolve(path, "", &err);
		was_hit = fail_countdown < 0;
		fail_countdown = -1;
		cr_assert_eq(nr_entries(tmp), 0, "call %ld leaves something", n);
		cr_assert_eq(nr_entries("/proc/self/fd"), nr_fds, "call %ld loses a file", n);
		if (r < 0)
			cr_assert(err.msg[0] && err.code == -r, "call %ld: %d, no text", n, r);
		nr_failed += r < 0;
		if (!was_hit) {
			cr_assert_eq(r, 0, "%s", err.msg);
			break;
		}
		cr_assert_eq(open_and_resolve(path, "", &err), 0, "after call %ld: %s", n, err.msg);
	}
	if (__lsan_do_recoverable_leak_check)
		cr_assert_eq(__lsan_do_recoverable_leak_check(), 0);
	cr_assert_gt(nr_failed, is_cached ? 5 : 50);
}

TestSuite(image_fail, .init = start, .fini = end, .timeout = 100);

Test(image_fail, docker_archive)
{
	char path[100];

	make_path(path, "d.tar");
	make_docker_archive(path);
	failure_loop(path, false);
}

Test(image_fail, root_tar)
{
	char path[100];

	make_path(path, "r.tar");
	make_rootfs(path, "pax");
	failure_loop(path, false);
}

Test(image_fail, compressed_root_tar)
{
	char path[100];

	make_path(path, "r.tar");
	make_rootfs(path, "zstd");
	failure_loop(path, false);
}

Test(image_fail, image_seen_before)
{
	struct timespec wait = { .tv_nsec = 50000000 };
	char path[100];
	struct err err;

	make_path(path, "d.tar");
	make_docker_archive(path);
	nanosleep(&wait, NULL); /* a file just written is not remembered */
	cr_assert_eq(open_and_resolve(path, "", &err), 0, "%s", err.msg);
	failure_loop(path, true);
}
