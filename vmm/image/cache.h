// SPDX-License-Identifier: Apache-2.0
/*
 * cache - the content-addressed store of unpacked images on the host
 *
 * Role      image.c looks images up and builds them; cmd_image.c lists and removes them
 * Rules     place: $XDG_CACHE_HOME/monitor, else $HOME/.cache/monitor, else /var/cache/monitor for
 *           root; mode 0700
 *             images/ID-V/     rootfs.erofs, config.json, source (its mtime is the last use); ID is
 *                              the image's digest, V the version of the writer
 *             refs/KEY         the ID of an archive file known by device, inode, size and times, so
 *                              that a second run reads nothing of it
 *             tmp/NAME/        images being built, each locked by its builder
 *             locks/XX         one lock per first byte of the ID: two builders, one build
 *           an image appears by one rename of its finished directory and disappears by one rename
 *           into tmp/, so no state in between is ever seen; users keep their open file
 *           nothing is synced to disk: after a power cut a file may be cut short or lack its super
 *           block, which cache_entry_open() notices by size and checksum and treats as not cached
 * Locking   flock only; a builder that dies loses its locks, and the next one cleans up its tmp
 * Missing   a limit on the total size
 */
#pragma once

#include <limits.h>
#include <sys/stat.h>

#include "vmm/err.h"
#include "vmm/image/blob.h"

#define CACHE_VERSION 1

struct cache {
	char path[PATH_MAX - 300]; /* leaves room for what is appended */
	int fd;
};

struct cache_entry {
	char path[PATH_MAX]; /* of rootfs.erofs */
	int fd;
	uint64_t size;
	char *config; /* owned, NUL-terminated */
	size_t config_len;
};

struct cache_build {
	const struct cache *cache;
	char name[64];
	int dir_fd; /* holds the lock */
	int fd;	    /* rootfs.erofs */
	int spool_fd;
};

struct cache_info {
	char id[DIGEST_HEX];
	char name[NAME_MAX + 1]; /* of the directory */
	char source[PATH_MAX];
	uint64_t bytes; /* on disk */
	time_t created;
	time_t used;
	bool is_current; /* made by this version */
};

/* dir NULL: the default place. Creates it when missing. */
MUST_CHECK int cache_open(const char *dir, struct cache *out, struct err *err);
void cache_close(struct cache *c);

/* -ENOENT without text when unknown. tag may be NULL. */
MUST_CHECK int cache_ref_find(const struct cache *c, const struct stat *st, const char *tag,
			      char id[DIGEST_HEX]);
/* Best effort: a failure only costs time at the next run. */
void cache_ref_put(const struct cache *c, const struct stat *st, const char *tag, const char *id);

/* -ENOENT without text when not cached (or damaged: then it is removed). Marks it used. */
MUST_CHECK int cache_entry_open(const struct cache *c, const char *id, struct cache_entry *out,
				struct err *err);
void cache_entry_close(struct cache_entry *e);

/* Wait for the right to build id; the descriptor to close, or a negative error. */
MUST_CHECK int cache_lock(const struct cache *c, const char *id, struct err *err);

/* Also removes what dead builders left. */
MUST_CHECK int cache_build_start(const struct cache *c, struct cache_build *b, struct err *err);
MUST_CHECK int cache_build_commit(struct cache_build *b, const char *id, const char *config,
				  const char *source, struct err *err);
/* Release everything; without a commit before it, remove everything. */
void cache_build_end(struct cache_build *b);

void cache_clean(const struct cache *c);

/* All images, sorted by name; *out is the caller's. */
MUST_CHECK int cache_list(const struct cache *c, struct cache_info **out, size_t *nr,
			  struct err *err);
MUST_CHECK int cache_remove(const struct cache *c, const char *name, struct err *err);
/* Forget archives whose image is gone. */
void cache_refs_prune(const struct cache *c);
