/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.c - names, modes, owners, attributes, links and sticky directories
 */
#include "tests/probes/probe.h"

#include <sys/mount.h>
#include <sys/xattr.h>

static const uid_t owners[] = { 0, USER, OTHER };
static const char *const owner_names[] = { "root's", "the user's", "another's" };

static void make(const char *path, uid_t id, mode_t mode, mode_t type)
{
	if (type == S_IFDIR)
		mkdir(path, 0700);
	else if (type == S_IFLNK)
		symlink("/etc/hostname-that-is-not-there", path);
	else if (mknod(path, type | 0600, 0))
		return;
	lchown(path, id, id);
	if (type != S_IFLNK)
		chmod(path, mode);
}

/* Laid out once, by root: for each owner a file, FIFO, link and directory in a sticky directory of each owner. */
static void lay_out(void)
{
	char path[64];

	for (int d = 0; d < 3; d++) {
		snprintf(path, sizeof path, "dir%d", d);
		make(path, owners[d], 01777, S_IFDIR);
		for (int o = 0; o < 3; o++) {
			static const mode_t types[] = { S_IFREG, S_IFIFO, S_IFLNK, S_IFDIR };

			for (int t = 0; t < 4; t++) {
				snprintf(path, sizeof path, "dir%d/%c%d", d, "pfld"[t], o);
				make(path, owners[o], types[t] == S_IFDIR ? 0755 : 0644, types[t]);
			}
			snprintf(path, sizeof path, "dir%d/w%d", d, o);
			make(path, owners[o], 0666, S_IFREG);
			snprintf(path, sizeof path, "dir%d/s%d", d, o);
			make(path, owners[o], 06777, S_IFREG);
		}
	}
	make("private", 0, 0700, S_IFDIR);
	make("private/f", 0, 0666, S_IFREG);
}

static void ask_about(const char *path, const char *what)
{
	struct timespec ts[2] = {
		{5,  0},
		  { 6, 0}
	};
	char link_name[80];

	ASK(access(path, R_OK), "files/%s read", what);
	ASK(access(path, W_OK), "files/%s write", what);
	ASK(access(path, X_OK), "files/%s execute", what);
	ASK_APART(chmod(path, 0644), "files/%s chmod", what);
	ASK_APART(chmod(path, 02755), "files/%s chmod set-group-id", what);
	ASK_APART(lchown(path, USER, -1), "files/%s chown to the user", what);
	ASK_APART(lchown(path, 0, 0), "files/%s chown to root", what);
	ASK_APART(lchown(path, -1, OTHER), "files/%s chgrp", what);
	ASK_APART(utimensat(AT_FDCWD, path, ts, AT_SYMLINK_NOFOLLOW), "files/%s times", what);
	ASK_APART(utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW), "files/%s times now", what);
	ASK_APART(truncate(path, 0), "files/%s truncate", what);
	ASK_APART(lsetxattr(path, "user.probe", "x", 1, 0), "files/%s xattr user", what);
	ASK_APART(lsetxattr(path, "trusted.probe", "x", 1, 0), "files/%s xattr trusted", what);
	ASK_APART(lsetxattr(path, "security.probe", "x", 1, 0), "files/%s xattr security", what);
	ASK_APART(lsetxattr(path, "security.capability", "x", 1, 0), "files/%s xattr capability",
		  what);
	ASK_APART(lgetxattr(path, "user.none", NULL, 0), "files/%s xattr get", what);
	ASK_APART(lgetxattr(path, "trusted.none", NULL, 0), "files/%s xattr get trusted", what);
	ASK_APART(lgetxattr(path, "system.posix_acl_access", NULL, 0), "files/%s acl get", what);
	ASK_APART(lremovexattr(path, "system.posix_acl_access"), "files/%s acl remove", what);
	snprintf(link_name, sizeof link_name, "new-%d", getpid());
	ASK(link(path, link_name), "files/%s link", what);
	unlink(link_name);
	ASK_APART(open(path, O_RDONLY | O_NOATIME | O_NONBLOCK), "files/%s noatime", what);
	ASK_APART(open(path, O_RDWR | O_CREAT | O_NONBLOCK, 0600), "files/%s create", what);
	ASK_APART(open(path, O_RDWR | O_NONBLOCK), "files/%s open", what);
}

/* Removes it in a copy of the world: a child cannot undo, so each name is asked about once, last. */
static void ask_removal(const char *path, const char *what)
{
	char other[96];

	snprintf(other, sizeof other, "%s-moved", path);
	ASK(rename(path, other), "files/%s rename", what);
	rename(other, path);
	snprintf(other, sizeof other, "moved-%c", *what);
	ASK(rename(path, other), "files/%s move away", what);
	rename(other, path);
}

void probe_files(void)
{
	static const char *const kinds[] = { "file",	  "fifo",	   "link",
					     "directory", "writable file", "set-id file" };
	char path[64], what[128];

	if (geteuid() == 0) {
		lay_out();
		return;
	}
	for (int d = 0; d < 3; d++)
		for (int o = 0; o < 3; o++)
			for (int k = 0; k < 6; k++) {
				snprintf(path, sizeof path, "dir%d/%c%d", d, "pfldws"[k], o);
				snprintf(what, sizeof what, "%s %s in %s directory", owner_names[o],
					 kinds[k], owner_names[d]);
				if (o != 1)
					ask_about(path, what);
				ask_removal(path, what);
			}
	ask_about("private/f", "what lies behind a closed directory");
	ask_about("dir1", "one's own directory");
	ASK(mknod("char", S_IFCHR | 0600, 0x101), "files/mknod char");
	ASK(mknod("block", S_IFBLK | 0600, 0x101), "files/mknod block");
	ASK(mknod("whiteout", S_IFCHR | 0600, 0), "files/mknod 0:0");
	ASK(mkfifo("fifo", 0600), "files/mkfifo");
	ASK(syscall(SYS_linkat, open("plain", O_PATH), "", AT_FDCWD, "by-descriptor",
		    AT_EMPTY_PATH),
	    "files/linkat of a descriptor");
	ASK(open("/proc/self/mem", O_RDWR), "files/own memory");
}
