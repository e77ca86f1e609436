// SPDX-License-Identifier: Apache-2.0
/*
 * place - see place.h
 *
 * See       openat2(2), user_namespaces(7): /proc/PID/uid_map
 */
#include "vmm/image/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define LINKS_MAX    40
#define UID_UNMAPPED 65534u /* what a user of the host is shown as in a user namespace without it */
#define IDS_ALL	     4294967295u

struct walk {
	int fd;
	unsigned nr_links;
	char rest[2 * PATH_MAX]; /* what is still to be walked */
	const char *whole;	 /* for messages */
	unsigned create;
};

static bool sees_all_users(void)
{
	CLEANUP_FILE FILE *f = fopen("/proc/self/uid_map", "re");
	unsigned inside, outside, count;

	return !f || fscanf(f, "%u %u %u", &inside, &outside, &count) != 3 || count == IDS_ALL;
}

static bool is_trusted(uid_t uid)
{
	return uid == 0 || uid == geteuid() || (uid == UID_UNMAPPED && !sees_all_users());
}

/* A group of the caller's own or root's is a decision of theirs, where it is only on the way. */
static bool others_may_write(const struct stat *st)
{
	bool group = st->st_mode & S_IWGRP && st->st_gid && st->st_gid != getegid();

	return (group || st->st_mode & S_IWOTH) && !(st->st_mode & S_ISVTX);
}

static bool is_own(const struct stat *st)
{
	return st->st_uid == geteuid() && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

static int refuse(const struct walk *w, const char *name, const struct stat *st, struct err *err)
{
	if (is_trusted(st->st_uid))
		return err_set(
			err, EPERM,
			"the image cache %s is not safe: others may write to '%s' (mode %04o); "
			"take that away, or set XDG_CACHE_HOME to a place of your own",
			w->whole, name, st->st_mode & 07777u);
	return err_set(err, EPERM,
		       "the image cache %s is not safe: '%s' belongs to user %u, not to you; set "
		       "XDG_CACHE_HOME to a place of your own",
		       w->whole, name, st->st_uid);
}

static int failed(const struct walk *w, int code, struct err *err)
{
	return err_set_errno(
		err, code, "creating the image cache %s (set XDG_CACHE_HOME to place it elsewhere)",
		w->whole);
}

/* Takes the next component off rest; false at the end. */
static bool next_name(struct walk *w, char name[NAME_MAX + 1])
{
	size_t skip = strspn(w->rest, "/"), len = strcspn(w->rest + skip, "/");

	if (!len || len > NAME_MAX)
		return false;
	memcpy(name, w->rest + skip, len);
	name[len] = '\0';
	memmove(w->rest, w->rest + skip + len, strlen(w->rest + skip + len) + 1);
	return true;
}

static unsigned names_left(const char *path)
{
	unsigned n = 0;

	for (; *path; path += strcspn(path, "/")) {
		path += strspn(path, "/");
		n += *path != '\0';
	}
	return n;
}

static int root_fd(void)
{
	return open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* The link's text goes before what is left. */
static int follow(struct walk *w, const char *name, struct err *err)
{
	char target[PATH_MAX], rest[sizeof w->rest];
	ssize_t n = readlinkat(w->fd, name, target, sizeof target - 1);

	if (n < 0 || ++w->nr_links > LINKS_MAX)
		return failed(w, n < 0 ? errno : ELOOP, err);
	target[n] = '\0';
	if (snprintf(rest, sizeof rest, "%s/%s", target, w->rest) >= (int)sizeof rest)
		return failed(w, ENAMETOOLONG, err);
	memcpy(w->rest, rest, sizeof rest);
	if (target[0] == '/') {
		close(w->fd);
		w->fd = root_fd();
	}
	return w->fd < 0 ? failed(w, errno, err) : 0;
}

static int enter(struct walk *w, const char *name, struct err *err)
{
	bool is_last = names_left(w->rest) == 0;
	int fd = openat(w->fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return failed(w, errno, err);
	close(w->fd);
	w->fd = fd;
	if (fstat(fd, &st))
		return failed(w, errno, err);
	if (!is_trusted(st.st_uid) || others_may_write(&st) || (is_last && !is_own(&st)))
		return refuse(w, name, &st, err);
	return 0;
}

static int step(struct walk *w, const char *name, struct err *err)
{
	struct stat st;

	if (fstatat(w->fd, name, &st, AT_SYMLINK_NOFOLLOW)) {
		if (errno != ENOENT || names_left(w->rest) >= w->create)
			return failed(w, errno, err);
		if (mkdirat(w->fd, name, 0700) && errno != EEXIST)
			return failed(w, errno, err);
		return enter(w, name, err);
	}
	if (!S_ISLNK(st.st_mode))
		return enter(w, name, err);
	if (!names_left(w->rest))
		return err_set(err, ELOOP, "the image cache %s is a symbolic link; remove it",
			       w->whole);
	return is_trusted(st.st_uid) ? follow(w, name, err) : refuse(w, name, &st, err);
}

int place_open(const char *path, unsigned create, struct err *err)
{
	struct walk w = { .fd = root_fd(), .whole = path, .create = create };
	char name[NAME_MAX + 1];
	int ret = 0;

	if (w.fd < 0)
		return failed(&w, errno, err);
	if (snprintf(w.rest, sizeof w.rest, "%s", path) >= PATH_MAX)
		ret = failed(&w, ENAMETOOLONG, err);
	while (!ret && next_name(&w, name))
		ret = step(&w, name, err);
	if (!ret && *w.rest && names_left(w.rest))
		ret = failed(&w, ENAMETOOLONG, err);
	if (ret) {
		close(w.fd);
		return ret;
	}
	return w.fd;
}

/* Hosts before Linux 5.6, or with a filter that does not know openat2. */
static int open_by_component(int dir_fd, const char *path, int flags, mode_t mode)
{
	CLEANUP_FD int at = openat(dir_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[NAME_MAX + 1];
	const char *slash;
	int fd = -1;

	while (at >= 0 && (slash = strchr(path, '/'))) {
		int next;

		if (slash - path > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, path, (size_t)(slash - path));
		name[slash - path] = '\0';
		next = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		close(at);
		at = next;
		path = slash + 1;
	}
	if (at >= 0)
		fd = openat(at, path, flags | O_NOFOLLOW, mode);
	return fd < 0 ? -errno : fd;
}

int place_openat(int dir_fd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC | O_NOFOLLOW),
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_BENEATH,
	};
	int fd = (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof how);
	struct stat st;

	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = open_by_component(dir_fd, path, flags | O_CLOEXEC, mode);
	else if (fd < 0)
		fd = -errno;
	if (fd < 0)
		return fd;
	if (!fstat(fd, &st) && is_own(&st) && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return fd;
	close(fd);
	return -EPERM;
}

int place_mkdirat(int dir_fd, const char *name)
{
	int fd;

	if (mkdirat(dir_fd, name, 0700) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	fd = place_openat(dir_fd, name, O_PATH | O_DIRECTORY, 0);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}
