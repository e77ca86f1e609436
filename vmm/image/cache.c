// SPDX-License-Identifier: Apache-2.0
/*
 * cache - the content-addressed store of unpacked images on the host
 *
 * Role      see cache.h
 * Rules     everything happens relative to the cache's directory descriptor, which place.c opened; its
 *           parts were checked there, and files are opened through it too
 */
#include "vmm/image/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <time.h>

#include "vmm/image/erofs_read.h"
#include "vmm/image/erofs_format.h"
#include "vmm/image/jsonio.h"
#include "vmm/image/place.h"

#define REF_NAME_MAX 200
#define REF_AGE_NS   (20ll * 1000 * 1000)

/* create: how many directories of the path may be made; what the user named must be there. */
static int choose_path(const char *dir, struct cache *c, unsigned *create, struct err *err)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	int n;

	*create = 2;
	if (dir) {
		*create = 1;
		n = snprintf(c->path, sizeof(c->path), "%s", dir);
	} else if (xdg && xdg[0] == '/') {
		n = snprintf(c->path, sizeof(c->path), "%s/monitor", xdg);
	} else if (home && home[0] == '/') {
		n = snprintf(c->path, sizeof(c->path), "%s/.cache/monitor", home);
	} else if (geteuid() == 0) {
		n = snprintf(c->path, sizeof(c->path), "/var/cache/monitor");
	} else {
		return err_set(err, ENOENT,
			       "there is no place for the image cache: set HOME or XDG_CACHE_HOME");
	}
	if (n >= (int)sizeof(c->path))
		return err_set(err, ENAMETOOLONG, "the path of the image cache is too long");
	return 0;
}

/* A link, of the caller's own or not; or something that others may change. */
static bool is_refused(int r)
{
	return r == -EPERM || r == -ELOOP || r == -ENOTDIR;
}

int cache_open(const char *dir, struct cache *c, struct err *err)
{
	static const char *const parts[] = { "images", "refs", "tmp", "locks" };
	unsigned create;
	int r = choose_path(dir, c, &create, err);

	if (r < 0)
		return r;
	c->fd = place_open(c->path, create, err);
	if (c->fd < 0)
		return c->fd;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(parts); i++) {
		r = place_mkdirat(c->fd, parts[i]);
		if (r < 0)
			err_set(err, -r,
				"the image cache %s: %s %s (set XDG_CACHE_HOME to place it elsewhere)",
				c->path, parts[i],
				is_refused(r) ? "is a link, or not yours alone; remove it"
					      : strerror(-r));
	}
	if (r < 0)
		cache_close(c);
	return r;
}

void cache_close(struct cache *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static int write_file(int dir_fd, const char *name, const char *text, struct err *err)
{
	CLEANUP_FD int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	size_t len = strlen(text);

	if (fd < 0)
		return err_set_errno(err, errno, "creating %s in the image cache", name);
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set_errno(err, errno, "writing %s in the image cache", name);
		text += n;
		len -= n;
	}
	return 0;
}

static int read_file(int dir_fd, const char *name, size_t max, char **out, size_t *len)
{
	CLEANUP_FD int fd = place_openat(dir_fd, name, O_RDONLY | O_NONBLOCK, 0);
	struct blob blob = { .fd = fd };
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	blob.len = st.st_size;
	*len = st.st_size;
	return blob_load(&blob, max, out, NULL);
}

/* Archives by file identity. */

static void ref_name(const struct stat *st, const char *tag, char out[REF_NAME_MAX])
{
	char sum[DIGEST_HEX] = "";

	if (tag)
		digest_bytes(tag, strlen(tag), sum);
	snprintf(out, REF_NAME_MAX, "refs/%llx-%llx-%llx-%llx.%lx-%llx.%lx%s%s",
		 (unsigned long long)st->st_dev, (unsigned long long)st->st_ino,
		 (unsigned long long)st->st_size, (unsigned long long)st->st_mtim.tv_sec,
		 st->st_mtim.tv_nsec, (unsigned long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec,
		 tag ? "-" : "", sum);
}

int cache_ref_find(const struct cache *c, const struct stat *st, const char *tag,
		   char id[DIGEST_HEX])
{
	CLEANUP_FREE char *text = NULL;
	char name[REF_NAME_MAX];
	size_t len;

	ref_name(st, tag, name);
	if (read_file(c->fd, name, DIGEST_HEX, &text, &len) < 0 || !digest_is_valid(text))
		return -ENOENT;
	memcpy(id, text, DIGEST_HEX);
	return 0;
}

void cache_ref_put(const struct cache *c, const struct stat *st, const char *tag, const char *id)
{
	char name[REF_NAME_MAX], tmp[64];
	struct timespec now;
	int64_t age_ns;

	/* A file changed within the clock's tick could change again and keep its times. */
	clock_gettime(CLOCK_REALTIME, &now);
	age_ns = (now.tv_sec - st->st_ctim.tv_sec) * 1000000000ll + now.tv_nsec -
		 st->st_ctim.tv_nsec;
	if (age_ns < REF_AGE_NS)
		return;
	ref_name(st, tag, name);
	snprintf(tmp, sizeof(tmp), "refs/new-%d", getpid());
	unlinkat(c->fd, tmp, 0);
	if (write_file(c->fd, tmp, id, NULL) < 0 || renameat(c->fd, tmp, c->fd, name) < 0)
		unlinkat(c->fd, tmp, 0);
}

/* Removing. */

/* Image directories are flat, so one level is enough. */
static void remove_dir(int parent_fd, const char *name)
{
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP_DIR DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *de;

	if (!dir) {
		unlinkat(parent_fd, name, 0);
		return;
	}
	while ((de = readdir(dir))) {
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			unlinkat(dirfd(dir), de->d_name, 0);
	}
	unlinkat(parent_fd, name, AT_REMOVEDIR);
}

static DIR *open_dir(const struct cache *c, const char *name)
{
	int fd = place_openat(c->fd, name, O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (!dir && fd >= 0)
		close(fd);
	return dir;
}

void cache_clean(const struct cache *c)
{
	CLEANUP_DIR DIR *dir = open_dir(c, "tmp");
	struct dirent *de;

	while (dir && (de = readdir(dir))) {
		if (de->d_name[0] == '.')
			continue;
		CLEANUP_FD int fd =
			openat(dirfd(dir), de->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			remove_dir(dirfd(dir), de->d_name);
	}
}

static void tmp_name(char out[64])
{
	uint64_t r = 0;

	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != sizeof(r))
		r = clock();
	snprintf(out, 64, "%d-%016llx", getpid(), (unsigned long long)r);
}

int cache_remove(const struct cache *c, const char *name, struct err *err)
{
	char from[NAME_MAX + 10], to[80], tmp[64];

	tmp_name(tmp);
	snprintf(from, sizeof(from), "images/%s", name);
	snprintf(to, sizeof(to), "tmp/%s", tmp);
	if (renameat(c->fd, from, c->fd, to) < 0)
		return err_set_errno(err, errno, "removing image %.12s from %s", name, c->path);
	remove_dir(c->fd, to);
	return 0;
}

/* Entries. */

static void entry_name(const char *id, char out[DIGEST_HEX + 20])
{
	snprintf(out, DIGEST_HEX + 20, "%s-%d", id, CACHE_VERSION);
}

/* Size and super block agree: the file was completely written. */
static bool file_is_whole(int fd, uint64_t size)
{
	uint8_t block[EROFS_BLOCK_SIZE];

	return pread(fd, block, sizeof(block), 0) == sizeof(block) &&
	       erofs_super_check(block, size, NULL) == 0;
}

static int entry_load(int dir_fd, struct cache_entry *e)
{
	struct stat st;
	int r;

	e->fd = place_openat(dir_fd, "rootfs.erofs", O_RDONLY | O_NONBLOCK, 0);
	if (e->fd < 0)
		return e->fd;
	if (fstat(e->fd, &st) < 0)
		return -errno;
	e->size = st.st_size;
	if (!file_is_whole(e->fd, e->size))
		return -EUCLEAN;
	r = read_file(dir_fd, "config.json", JSON_SIZE_MAX, &e->config, &e->config_len);
	/* cut short or zeros after a power cut */
	if (r == 0 && e->config[0] != '{')
		r = -EUCLEAN;
	return r;
}

static int entry_refused(const struct cache *c, const char *id, int r, struct err *err)
{
	if (is_refused(r))
		return err_set(err, EPERM,
			       "image %.12s in %s is a link, or not yours alone; remove it with "
			       "'monitor image rm %.12s'",
			       id, c->path, id);
	return err_set_errno(err, -r, "opening image %.12s in %s", id, c->path);
}

int cache_entry_open(const struct cache *c, const char *id, struct cache_entry *e, struct err *err)
{
	char name[DIGEST_HEX + 20], path[DIGEST_HEX + 40];
	int r;

	memset(e, 0, sizeof(*e));
	e->fd = -1;
	entry_name(id, name);
	snprintf(path, sizeof(path), "images/%s", name);
	CLEANUP_FD int dir_fd = place_openat(c->fd, path, O_RDONLY | O_DIRECTORY, 0);
	if (dir_fd == -ENOENT)
		return -ENOENT;
	if (dir_fd < 0)
		return entry_refused(c, id, dir_fd, err);
	r = entry_load(dir_fd, e);
	if (r < 0) {
		cache_entry_close(e);
		if (r != -EUCLEAN && r != -ENOENT)
			return entry_refused(c, id, r, err);
		r = cache_remove(c, name, err);
		return r < 0 && r != -ENOENT ? r : -ENOENT;
	}
	snprintf(e->path, sizeof(e->path), "%s/%s/rootfs.erofs", c->path, path);
	utimensat(dir_fd, "source", NULL, 0);
	return 0;
}

void cache_entry_close(struct cache_entry *e)
{
	if (e->fd >= 0)
		close(e->fd);
	free(e->config);
	e->fd = -1;
	e->config = NULL;
}

/* Building. */

int cache_lock(const struct cache *c, const char *id, struct err *err)
{
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "locks/%.2s", id);
	fd = place_openat(c->fd, name, O_RDWR | O_CREAT, 0600);
	if (fd < 0)
		return err_set_errno(err, -fd, "locking the image cache %s", c->path);
	while (flock(fd, LOCK_EX) < 0) {
		if (errno == EINTR)
			continue;
		close(fd);
		return err_set_errno(err, errno, "locking the image cache %s", c->path);
	}
	return fd;
}

/* A directory in tmp/ that is ours: locked, and still there after the lock was taken. */
static int make_tmp(const struct cache *c, struct cache_build *b)
{
	char path[80];
	struct stat st;

	for (int tries = 0; tries < 10; tries++) {
		tmp_name(b->name);
		snprintf(path, sizeof(path), "tmp/%s", b->name);
		if (mkdirat(c->fd, path, 0700) < 0)
			return -errno;
		b->dir_fd = place_openat(c->fd, path, O_RDONLY | O_DIRECTORY, 0);
		if (b->dir_fd >= 0 && flock(b->dir_fd, LOCK_EX | LOCK_NB) == 0 &&
		    fstatat(c->fd, path, &st, 0) == 0)
			return 0;
		/* a cleaner was faster, or no descriptor is left */
		if (b->dir_fd >= 0)
			close(b->dir_fd);
		b->dir_fd = -1;
		unlinkat(c->fd, path, AT_REMOVEDIR);
	}
	return -EBUSY;
}

int cache_build_start(const struct cache *c, struct cache_build *b, struct err *err)
{
	char tmp[PATH_MAX];
	int r;

	*b = (struct cache_build){ .cache = c, .dir_fd = -1, .fd = -1, .spool_fd = -1 };
	r = make_tmp(c, b);
	if (r < 0)
		return err_set_errno(err, -r, "creating a directory in %s/tmp", c->path);
	b->fd = openat(b->dir_fd, "rootfs.erofs", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (b->fd < 0) {
		r = err_set_errno(err, errno, "creating a file in %s/tmp", c->path);
		cache_build_end(b);
		return r;
	}
	snprintf(tmp, sizeof(tmp), "%s/tmp", c->path);
	b->spool_fd = blob_temp_file(tmp, err);
	if (b->spool_fd < 0) {
		r = b->spool_fd;
		cache_build_end(b);
		return r;
	}
	return 0;
}

int cache_build_commit(struct cache_build *b, const char *id, const char *config,
		       const char *source, struct err *err)
{
	char from[80], name[DIGEST_HEX + 20], to[DIGEST_HEX + 40];
	int r = write_file(b->dir_fd, "config.json", config, err);

	if (r == 0)
		r = write_file(b->dir_fd, "source", source, err);
	if (r < 0)
		return r;
	entry_name(id, name);
	snprintf(from, sizeof(from), "tmp/%s", b->name);
	snprintf(to, sizeof(to), "images/%s", name);
	if (renameat(b->cache->fd, from, b->cache->fd, to) < 0)
		return err_set_errno(err, errno, "moving the image to its place in %s",
				     b->cache->path);
	b->name[0] = '\0';
	return 0;
}

void cache_build_end(struct cache_build *b)
{
	char path[80];

	if (b->name[0]) {
		snprintf(path, sizeof(path), "tmp/%s", b->name);
		remove_dir(b->cache->fd, path);
	}
	if (b->spool_fd >= 0)
		close(b->spool_fd);
	if (b->fd >= 0)
		close(b->fd);
	if (b->dir_fd >= 0)
		close(b->dir_fd);
	b->name[0] = '\0';
	b->fd = b->spool_fd = b->dir_fd = -1;
}

/* Listing. */

static bool info_load(int images_fd, const char *name, struct cache_info *info)
{
	CLEANUP_FREE char *source = NULL;
	struct stat st;
	size_t len;

	memset(info, 0, sizeof(*info));
	CLEANUP_FD int fd =
		openat(images_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || strlen(name) < DIGEST_HEX)
		return false;
	memcpy(info->id, name, DIGEST_HEX - 1);
	if (!digest_is_valid(info->id))
		return false;
	snprintf(info->name, sizeof(info->name), "%s", name);
	info->is_current = atoi(name + DIGEST_HEX) == CACHE_VERSION;
	if (fstatat(fd, "rootfs.erofs", &st, AT_SYMLINK_NOFOLLOW) == 0)
		info->bytes = st.st_blocks * 512ull;
	if (fstatat(fd, "config.json", &st, AT_SYMLINK_NOFOLLOW) == 0)
		info->created = st.st_mtime;
	if (fstatat(fd, "source", &st, AT_SYMLINK_NOFOLLOW) == 0)
		info->used = st.st_mtime;
	if (read_file(fd, "source", PATH_MAX, &source, &len) == 0)
		snprintf(info->source, sizeof(info->source), "%s", source);
	return true;
}

static int info_compare(const void *a, const void *b)
{
	return strcmp(((const struct cache_info *)a)->name, ((const struct cache_info *)b)->name);
}

int cache_list(const struct cache *c, struct cache_info **out, size_t *nr, struct err *err)
{
	CLEANUP_DIR DIR *dir = open_dir(c, "images");
	CLEANUP_FREE struct cache_info *list = NULL;
	struct dirent *de;
	size_t n = 0;

	if (!dir)
		return err_set_errno(err, errno, "listing the image cache %s", c->path);
	while ((de = readdir(dir))) {
		if (de->d_name[0] == '.')
			continue;
		void *p = reallocarray(list, n + 1, sizeof(*list));

		if (!p)
			return err_set(err, ENOMEM, "not enough memory");
		list = p;
		if (info_load(dirfd(dir), de->d_name, &list[n]))
			n++;
	}
	if (n)
		qsort(list, n, sizeof(*list), info_compare);
	*out = take_ptr(list);
	*nr = n;
	return 0;
}

void cache_refs_prune(const struct cache *c)
{
	CLEANUP_DIR DIR *dir = open_dir(c, "refs");
	struct dirent *de;

	while (dir && (de = readdir(dir))) {
		CLEANUP_FREE char *id = NULL;
		char name[DIGEST_HEX + 20], path[DIGEST_HEX + 40];
		size_t len;

		if (de->d_name[0] == '.')
			continue;
		if (read_file(dirfd(dir), de->d_name, DIGEST_HEX, &id, &len) == 0 &&
		    digest_is_valid(id)) {
			entry_name(id, name);
			snprintf(path, sizeof(path), "images/%s", name);
			if (faccessat(c->fd, path, F_OK, 0) == 0)
				continue;
		}
		unlinkat(dirfd(dir), de->d_name, 0);
	}
}
