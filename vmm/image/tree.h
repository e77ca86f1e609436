// SPDX-License-Identifier: Apache-2.0
/*
 * tree - the merged file tree of an image, in memory, names and attributes only
 *
 * Role      layer.c puts the entries of all layers into it, erofs_write.c turns it into a file
 *           system; file contents never pass through here
 * Rules     nothing is ever created on the host file system, so a hostile name can at worst end up
 *           at an odd place inside the image
 *           names are cleaned lexically below the root first ("..", "//" and a leading "/" cannot
 *           leave it); then parents are walked, symbolic links in parents are followed with the
 *           image's root as their root, at most 40 of them; the last component is never followed
 *           missing parents are made as root-owned 0755 directories
 *           whiteouts act on lower layers only, in whatever order the layer lists them; a directory
 *           is searched for lower entries once per layer, so many whiteouts cost no more
 *           bounded by struct tree_limits: nodes and bytes of names, targets and attributes
 * Missing   hard links between directories (no archiver makes them)
 * See       OCI image spec, layer.md
 */
#pragma once

#include <sys/types.h>

#include "vmm/err.h"

#define TREE_PATH_MAX  4096
#define TREE_DEPTH_MAX 2048
#define TREE_LINKS_MAX 40

struct tree_xattr {
	struct tree_xattr *next;
	uint8_t index; /* EROFS_XATTR_* */
	uint8_t name_len;
	uint16_t value_len;
	uint8_t bytes[]; /* name without prefix, then value */
};

enum tree_data { TREE_DATA_NONE, TREE_DATA_BLOCKS, TREE_DATA_SPOOL };

struct tree_node;

struct tree_inode {
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	dev_t rdev;
	int64_t mtime;
	uint32_t mtime_nsec;
	uint32_t nr_names;
	uint64_t size;		    /* regular files; link length; directories: set by the writer */
	enum tree_data data;	    /* where the writer has put the contents */
	uint64_t data_off;	    /* byte offset in the output file or in the spool file */
	char *target;		    /* symbolic links, owned */
	struct tree_xattr *xattrs;  /* owned */
	struct tree_node *children; /* directories: first child, unordered until written */
	uint32_t nr_subdirs;

	/* the rest belongs to the writer */
	struct tree_inode *order_next;
	struct tree_node *name; /* directories only: the one name */
	struct tree_node *tail_child;
	uint8_t tail_dots;
	uint8_t layout;
	bool is_ordered;
	bool is_extended;
	uint32_t ino;
	uint32_t xattr_len;
	uint64_t meta_off;
};

struct tree_node {
	struct tree_node *parent; /* the root is its own parent */
	struct tree_node *prev;
	struct tree_node *next;
	struct tree_node *hash_next;
	struct tree_inode *inode;
	uint64_t hash;
	uint32_t layer;	 /* the layer that named it last */
	uint32_t pruned; /* the layer that last hid what lower ones had below it */
	uint16_t depth;
	uint16_t name_len;
	char name[]; /* NUL-terminated */
};

struct tree_limits {
	uint64_t nodes;
	uint64_t bytes;
};

/* Called when the last name of a regular file is gone. */
typedef void tree_drop_fn(void *ctx, struct tree_inode *inode);

struct tree {
	struct tree_node *root;
	struct tree_limits limits;
	uint64_t nr_nodes;
	uint64_t nr_bytes;
	uint32_t layer;
	struct tree_node **buckets;
	uint64_t nr_buckets;
	uint64_t seed;
	tree_drop_fn *drop;
	void *drop_ctx;
};

MUST_CHECK int tree_create(const struct tree_limits *limits, struct tree **out, struct err *err);
void tree_destroy(struct tree *t);

/* Entries put from now on belong to the next layer. To be called before the first, too. */
void tree_begin_layer(struct tree *t);

/*
 * Put an entry at path, replacing what was there; a directory over a directory keeps its
 * children. *attr is copied; its target and xattrs move into the tree on success.
 */
MUST_CHECK int tree_put(struct tree *t, const char *path, struct tree_inode *attr,
			struct tree_inode **out, struct err *err);

/* Make path another name of the file at target. */
MUST_CHECK int tree_link(struct tree *t, const char *path, const char *target, struct err *err);

/* Hide path, or with is_opaque everything inside the directory path, as lower layers left it. */
MUST_CHECK int tree_whiteout(struct tree *t, const char *path, bool is_opaque, struct err *err);

/* Borrowed child of a directory or NULL. */
struct tree_node *tree_child(const struct tree *t, const struct tree_node *dir, const char *name,
			     size_t len);

/* Append a copy of an extended attribute; unknown name spaces are dropped silently. */
MUST_CHECK int tree_xattr_add(struct tree_inode *inode, const char *name, const void *value,
			      size_t len, struct err *err);
void tree_xattr_free(struct tree_xattr *x);

/* Lexical cleaning: "a//./b/../c" becomes "a/c"; -1 when the result does not fit. */
int tree_path_clean(const char *path, char out[TREE_PATH_MAX]);
