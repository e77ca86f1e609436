// SPDX-License-Identifier: Apache-2.0
/*
 * vfs_host - the file system layer on the host: what its tests share
 *
 * Role      Stands in for devices, pipes, inotify, mappings and the task's file context; small helpers that
 *           take paths.
 */
#pragma once

#include "fs/namei.h"

struct fs_type;

/* Mounts t as the root and gives the current task a context and a descriptor table. */
void vfs_host_start(const struct fs_type *t, const struct mount_args *a);
/* Everything away again; checks that nothing leaked: the numbers of before vfs_host_start(). */
void vfs_host_stop(void);

struct super;
/* Puts a directory (no data) or file into a layer that is not mounted (tmpfs_create_layer()); the layer keeps it. */
struct inode *vh_layer_add(struct super *sb, struct inode *dir, const char *name, const void *data,
			   size_t n);

int vh_open(const char *path, u32 flags, u32 mode, struct file **out);
/* 0 or -errno of opening and closing. */
int vh_try(const char *path, u32 flags);
int vh_write(const char *path, const char *text);
/* Contents as text, terminated, at most size - 1 bytes; length or -errno. */
s64 vh_read(const char *path, char *buf, size_t size);
int vh_stat(const char *path, struct kstat *st);
int vh_lstat(const char *path, struct kstat *st);
/* Names of a directory, sorted, each followed by a blank; without "." and "..". */
int vh_list(const char *path, char *buf, size_t size);
int vh_chdir(const char *path);
