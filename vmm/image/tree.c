// SPDX-License-Identifier: Apache-2.0
/*
 * tree - the merged file tree of an image, in memory, names and attributes only
 *
 * Role      see tree.h
 * Rules     all nodes hang in one hash table keyed by (directory, name), so a directory of 100,000
 *           files costs no more per file than a small one; the table is seeded per run, so an image
 *           cannot be built to collide; order never depends on the table
 *           an inode lives as long as it has names (nr_names)
 */
#include "vmm/image/tree.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "vmm/image/erofs_format.h"

#define FIRST_BUCKETS 1024

static uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0x9e3779b97f4a7c15ull;
	return h ^ (h >> 29);
}

static uint64_t name_hash(const struct tree *t, const struct tree_node *dir, const char *name,
			  size_t len)
{
	uint64_t h = mix(t->seed, (uintptr_t)dir);
	uint64_t word;

	for (; len >= sizeof(word); name += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, name, sizeof(word));
		h = mix(h, word);
	}
	word = 0;
	memcpy(&word, name, len);
	return mix(mix(h, word), len ^ t->seed);
}

static int table_grow(struct tree *t)
{
	uint64_t nr = t->nr_buckets ? t->nr_buckets * 2 : FIRST_BUCKETS;
	struct tree_node **fresh = calloc(nr, sizeof(*fresh));

	if (!fresh)
		return -ENOMEM;
	for (uint64_t i = 0; i < t->nr_buckets; i++) {
		struct tree_node *n = t->buckets[i];

		while (n) {
			struct tree_node *next = n->hash_next;

			n->hash_next = fresh[n->hash % nr];
			fresh[n->hash % nr] = n;
			n = next;
		}
	}
	free(t->buckets);
	t->buckets = fresh;
	t->nr_buckets = nr;
	return 0;
}

static void table_remove(struct tree *t, struct tree_node *n)
{
	struct tree_node **p = &t->buckets[n->hash % t->nr_buckets];

	while (*p != n)
		p = &(*p)->hash_next;
	*p = n->hash_next;
}

struct tree_node *tree_child(const struct tree *t, const struct tree_node *dir, const char *name,
			     size_t len)
{
	uint64_t hash = name_hash(t, dir, name, len);
	struct tree_node *n = t->buckets[hash % t->nr_buckets];

	for (; n; n = n->hash_next) {
		if (n->hash == hash && n->parent == dir && n->name_len == len &&
		    memcmp(n->name, name, len) == 0 && n != t->root)
			return n;
	}
	return NULL;
}

static bool is_dir(const struct tree_node *n)
{
	return S_ISDIR(n->inode->mode);
}

void tree_xattr_free(struct tree_xattr *x)
{
	while (x) {
		struct tree_xattr *next = x->next;

		free(x);
		x = next;
	}
}

static uint64_t inode_bytes(const struct tree_inode *inode)
{
	uint64_t n = sizeof(*inode);

	if (inode->target)
		n += inode->size;
	for (struct tree_xattr *x = inode->xattrs; x; x = x->next)
		n += sizeof(*x) + x->name_len + x->value_len;
	return n;
}

static void inode_unname(struct tree *t, struct tree_inode *inode)
{
	if (--inode->nr_names)
		return;
	if (t->drop && inode->data != TREE_DATA_NONE)
		t->drop(t->drop_ctx, inode);
	t->nr_bytes -= inode_bytes(inode);
	tree_xattr_free(inode->xattrs);
	free(inode->target);
	free(inode);
}

static int budget(struct tree *t, uint64_t nodes, uint64_t bytes, struct err *err)
{
	if (t->nr_nodes + nodes > t->limits.nodes)
		return err_set(err, E2BIG,
			       "the image has more than %llu files, the limit for one image",
			       (unsigned long long)t->limits.nodes);
	if (t->nr_bytes + bytes > t->limits.bytes)
		return err_set(err, E2BIG,
			       "the names and attributes of the image need more than %llu MiB, "
			       "the limit for one image",
			       (unsigned long long)(t->limits.bytes >> 20));
	return 0;
}

/* Copies *attr; its target and xattrs change owner. */
static int inode_create(struct tree *t, const struct tree_inode *attr, struct tree_inode **out,
			struct err *err)
{
	struct tree_inode *inode;
	int r = budget(t, 0, inode_bytes(attr), err);

	if (r < 0)
		return r;
	inode = malloc(sizeof(*inode));
	if (!inode)
		return err_set(err, ENOMEM, "not enough memory for the image's file tree");
	*inode = *attr;
	inode->nr_names = 0;
	t->nr_bytes += inode_bytes(inode);
	*out = inode;
	return 0;
}

static void node_attach_inode(struct tree *t, struct tree_node *n, struct tree_inode *inode)
{
	n->inode = inode;
	n->layer = t->layer;
	inode->nr_names++;
	inode->name = n;
	if (S_ISDIR(inode->mode) && n != t->root)
		n->parent->inode->nr_subdirs++;
}

static void node_detach_inode(struct tree *t, struct tree_node *n)
{
	if (is_dir(n) && n != t->root)
		n->parent->inode->nr_subdirs--;
	inode_unname(t, n->inode);
	n->inode = NULL;
}

/* A new, linked node without an inode; the caller attaches one at once. */
static int node_create(struct tree *t, struct tree_node *dir, const char *name, size_t len,
		       struct tree_node **out, struct err *err)
{
	struct tree_node *n;
	int r = budget(t, 1, sizeof(*n) + len + 1, err);

	if (r < 0)
		return r;
	if (dir && dir->depth >= TREE_DEPTH_MAX)
		return err_set(err, ENAMETOOLONG, "directories are nested deeper than %d",
			       TREE_DEPTH_MAX);
	n = calloc(1, sizeof(*n) + len + 1);
	if (!n || (t->nr_nodes >= t->nr_buckets && table_grow(t) < 0)) {
		free(n);
		return err_set(err, ENOMEM, "not enough memory for the image's file tree");
	}
	memcpy(n->name, name, len);
	n->name_len = len;
	n->parent = dir ? dir : n;
	n->depth = dir ? dir->depth + 1 : 0;
	n->hash = name_hash(t, n->parent, name, len);
	n->hash_next = t->buckets[n->hash % t->nr_buckets];
	t->buckets[n->hash % t->nr_buckets] = n;
	if (dir) {
		n->next = dir->inode->children;
		if (n->next)
			n->next->prev = n;
		dir->inode->children = n;
	}
	t->nr_nodes++;
	t->nr_bytes += sizeof(*n) + len + 1;
	*out = n;
	return 0;
}

static void node_free(struct tree *t, struct tree_node *n)
{
	if (n->prev)
		n->prev->next = n->next;
	else if (n != t->root)
		n->parent->inode->children = n->next;
	if (n->next)
		n->next->prev = n->prev;
	table_remove(t, n);
	t->nr_nodes--;
	t->nr_bytes -= sizeof(*n) + n->name_len + 1;
	free(n);
}

/* Remove everything below dir without recursion: always take the deepest first child. */
static void remove_children(struct tree *t, struct tree_node *dir)
{
	struct tree_node *n = dir;

	for (;;) {
		while (is_dir(n) && n->inode->children)
			n = n->inode->children;
		if (n == dir)
			return;
		struct tree_node *up = n->parent;

		node_detach_inode(t, n);
		node_free(t, n);
		n = up;
	}
}

static void node_remove(struct tree *t, struct tree_node *n)
{
	if (is_dir(n))
		remove_children(t, n);
	node_detach_inode(t, n);
	node_free(t, n);
}

/*
 * Remove below dir what the current layer has not put there. Depth is bounded by TREE_DEPTH_MAX,
 * so recursion is safe. A lower directory that holds something of this layer stays.
 */
static void prune_lower(struct tree *t, struct tree_node *dir)
{
	struct tree_node *next;

	if (dir->pruned == t->layer)
		return;
	dir->pruned = t->layer;
	for (struct tree_node *n = dir->inode->children; n; n = next) {
		next = n->next;
		if (is_dir(n))
			prune_lower(t, n);
		if (n->layer != t->layer && !(is_dir(n) && n->inode->children))
			node_remove(t, n);
	}
}

int tree_path_clean(const char *path, char out[TREE_PATH_MAX])
{
	size_t len = 0;

	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && path[0] == '.' && path[1] == '.') {
			while (len && out[--len] != '/')
				;
		} else if (n && !(n == 1 && path[0] == '.')) {
			if (len + (len > 0) + n >= TREE_PATH_MAX)
				return -1;
			if (len)
				out[len++] = '/';
			memcpy(out + len, path, n);
			len += n;
		}
		path += n;
		path += strspn(path, "/");
	}
	out[len] = '\0';
	return 0;
}

static int make_parent(struct tree *t, struct tree_node *dir, const char *name, size_t len,
		       struct tree_node **out, struct err *err)
{
	struct tree_inode attr = { .mode = S_IFDIR | 0755 };
	struct tree_inode *inode;
	struct tree_node *n;
	int r;

	if (len > EROFS_NAME_MAX)
		return err_set(err, ENAMETOOLONG, "a name is longer than %d bytes", EROFS_NAME_MAX);
	r = inode_create(t, &attr, &inode, err);
	if (r < 0)
		return r;
	r = node_create(t, dir, name, len, &n, err);
	if (r < 0) {
		t->nr_bytes -= inode_bytes(inode);
		free(inode);
		return r;
	}
	node_attach_inode(t, n, inode);
	*out = n;
	return 0;
}

struct walk {
	struct tree_node *dir;
	char rest[2 * TREE_PATH_MAX]; /* what is still to be walked */
	size_t pos;
	int nr_links;
	bool want_create;
};

/* Put the link's target in front of the rest. */
static int walk_symlink(struct tree *t, struct walk *w, const struct tree_inode *link,
			struct err *err)
{
	size_t rest_len = strlen(w->rest + w->pos);

	if (++w->nr_links > TREE_LINKS_MAX)
		return err_set(err, ELOOP, "too many levels of symbolic links");
	if (link->size + 1 + rest_len >= sizeof(w->rest))
		return err_set(err, ENAMETOOLONG, "symbolic links make the path too long");
	memmove(w->rest + link->size + 1, w->rest + w->pos, rest_len + 1);
	memcpy(w->rest, link->target, link->size);
	w->rest[link->size] = '/';
	w->pos = 0;
	if (link->target[0] == '/')
		w->dir = t->root;
	return 0;
}

/* One component; *found is false when it is missing and not to be made. */
static int walk_step(struct tree *t, struct walk *w, const char *name, size_t len, bool *found,
		     struct err *err)
{
	struct tree_node *n;

	if (len == 1 && name[0] == '.')
		return 0;
	if (len == 2 && name[0] == '.' && name[1] == '.') {
		w->dir = w->dir->parent;
		return 0;
	}
	n = tree_child(t, w->dir, name, len);
	if (!n && !w->want_create) {
		*found = false;
		return 0;
	}
	if (!n) {
		int r = make_parent(t, w->dir, name, len, &n, err);

		if (r < 0)
			return r;
	}
	if (S_ISLNK(n->inode->mode))
		return walk_symlink(t, w, n->inode, err);
	if (!is_dir(n))
		return err_set(err, ENOTDIR, "the parent '%s' is not a directory", n->name);
	w->dir = n;
	return 0;
}

/*
 * Walk to the directory path (cleaned), following links. *out is NULL when a component is missing
 * and !want_create.
 */
static int walk_dir(struct tree *t, const char *path, size_t len, bool want_create,
		    struct tree_node **out, struct err *err)
{
	struct walk w = { .dir = t->root, .want_create = want_create };
	bool found = true;

	memcpy(w.rest, path, len);
	w.rest[len] = '\0';
	while (found) {
		w.pos += strspn(w.rest + w.pos, "/");
		if (!w.rest[w.pos])
			break;
		size_t n = strcspn(w.rest + w.pos, "/");
		size_t at = w.pos;

		w.pos += n;
		int r = walk_step(t, &w, w.rest + at, n, &found, err);
		if (r < 0)
			return r;
	}
	*out = found ? w.dir : NULL;
	return 0;
}

/* Where a path leads: a directory and a name in it, "" for the root itself. */
struct spot {
	struct tree_node *dir; /* NULL: missing and not made */
	const char *name;      /* inside buf */
	char buf[TREE_PATH_MAX];
};

static int walk_parent(struct tree *t, const char *path, bool want_create, struct spot *s,
		       struct err *err)
{
	const char *slash;
	int r;

	if (tree_path_clean(path, s->buf) < 0)
		return err_set(err, ENAMETOOLONG, "'%.60s...': the path is longer than %d bytes",
			       path, TREE_PATH_MAX - 1);
	slash = strrchr(s->buf, '/');
	s->name = slash ? slash + 1 : s->buf;
	if (strlen(s->name) > EROFS_NAME_MAX)
		return err_set(err, ENAMETOOLONG, "'%.60s...': a name is longer than %d bytes",
			       s->name, EROFS_NAME_MAX);
	r = walk_dir(t, s->buf, slash ? slash - s->buf : 0, want_create, &s->dir, err);
	if (r < 0)
		return err_add(err, "'%.200s'", path);
	return 0;
}

/* What is there now, or NULL. */
static struct tree_node *spot_node(const struct tree *t, const struct spot *s)
{
	if (!s->dir || !*s->name)
		return s->dir;
	return tree_child(t, s->dir, s->name, strlen(s->name));
}

/* The new inode takes the place of what n has; for directories the children stay. */
static void node_replace(struct tree *t, struct tree_node *n, struct tree_inode *inode)
{
	if (is_dir(n) && S_ISDIR(inode->mode)) {
		inode->children = n->inode->children;
		inode->nr_subdirs = n->inode->nr_subdirs;
	} else if (is_dir(n)) {
		remove_children(t, n);
	}
	node_detach_inode(t, n);
	node_attach_inode(t, n, inode);
}

int tree_put(struct tree *t, const char *path, struct tree_inode *attr, struct tree_inode **out,
	     struct err *err)
{
	struct tree_inode *inode;
	struct tree_node *n;
	struct spot s;
	int r = walk_parent(t, path, true, &s, err);

	if (r < 0)
		return r;
	if (!*s.name && !S_ISDIR(attr->mode))
		return err_set(err, EINVAL,
			       "'%.200s' replaces the root directory by something else", path);
	r = inode_create(t, attr, &inode, err);
	if (r < 0)
		return err_add(err, "'%.200s'", path);
	n = spot_node(t, &s);
	if (n) {
		node_replace(t, n, inode);
	} else {
		r = node_create(t, s.dir, s.name, strlen(s.name), &n, err);
		if (r < 0) {
			t->nr_bytes -= inode_bytes(inode);
			free(inode);
			return err_add(err, "'%.200s'", path);
		}
		node_attach_inode(t, n, inode);
	}
	attr->target = NULL;
	attr->xattrs = NULL;
	*out = inode;
	return 0;
}

static int link_target(struct tree *t, const char *path, const char *target,
		       struct tree_inode **out, struct err *err)
{
	struct tree_node *n;
	struct spot s;
	int r = walk_parent(t, target, false, &s, err);

	if (r < 0)
		return r;
	n = spot_node(t, &s);
	if (!n)
		return err_set(err, ENOENT,
			       "hard link '%.200s': its target '%.200s' does not exist", path,
			       target);
	if (is_dir(n))
		return err_set(err, EPERM, "hard link '%.200s': its target '%.200s' is a directory",
			       path, target);
	*out = n->inode;
	return 0;
}

int tree_link(struct tree *t, const char *path, const char *target, struct err *err)
{
	struct tree_inode *inode = NULL;
	struct tree_node *n;
	struct spot s;
	int r = link_target(t, path, target, &inode, err);

	if (r < 0)
		return r;
	r = walk_parent(t, path, true, &s, err);
	if (r < 0)
		return r;
	if (!*s.name)
		return err_set(err, EINVAL, "hard link '%.200s' replaces the root directory", path);
	n = spot_node(t, &s);
	if (n && n->inode == inode) {
		n->layer = t->layer;
		return 0;
	}
	inode->nr_names++; /* the target may be inside what is replaced */
	if (n) {
		node_replace(t, n, inode);
	} else {
		r = node_create(t, s.dir, s.name, strlen(s.name), &n, err);
		if (r == 0)
			node_attach_inode(t, n, inode);
		else
			err_add(err, "'%.200s'", path);
	}
	inode_unname(t, inode);
	return r;
}

int tree_whiteout(struct tree *t, const char *path, bool is_opaque, struct err *err)
{
	struct tree_node *n;
	struct spot s;
	int r = walk_parent(t, path, false, &s, err);

	if (r < 0)
		return r;
	n = spot_node(t, &s);
	if (!n)
		return 0;
	if (is_dir(n))
		prune_lower(t, n);
	if (is_opaque || n == t->root || n->layer == t->layer)
		return 0;
	if (!is_dir(n) || !n->inode->children)
		node_remove(t, n);
	return 0;
}

struct xattr_space {
	const char *prefix;
	uint8_t index;
	bool is_whole; /* the prefix is the whole name */
};

static const struct xattr_space xattr_spaces[] = {
	{"user.",		     EROFS_XATTR_USER,	     false},
	{ "security.",		       EROFS_XATTR_SECURITY,    false},
	{ "trusted.",		      EROFS_XATTR_TRUSTED,	   false},
	{ "system.posix_acl_access",  EROFS_XATTR_ACL_ACCESS,  true },
	{ "system.posix_acl_default", EROFS_XATTR_ACL_DEFAULT, true },
};

static const struct xattr_space *xattr_space_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(xattr_spaces); i++) {
		const struct xattr_space *s = &xattr_spaces[i];

		if (s->is_whole ? strcmp(name, s->prefix) == 0
				: strncmp(name, s->prefix, strlen(s->prefix)) == 0)
			return s;
	}
	return NULL;
}

int tree_xattr_add(struct tree_inode *inode, const char *name, const void *value, size_t len,
		   struct err *err)
{
	const struct xattr_space *s = xattr_space_find(name);
	struct tree_xattr *x, **p;
	size_t name_len;

	if (!s)
		return 0;
	name_len = strlen(name) - strlen(s->prefix);
	if (name_len > EROFS_NAME_MAX || len > UINT16_MAX)
		return err_set(err, E2BIG, "extended attribute '%.60s' is too large", name);
	/* Linux lists at most 64 KiB of names, and the on-disk counter holds 256 KiB. */
	size_t total = name_len + len;

	for (p = &inode->xattrs; *p; p = &(*p)->next) {
		/* some archivers write each attribute twice, in two dialects */
		if ((*p)->index == s->index && (*p)->name_len == name_len &&
		    memcmp((*p)->bytes, name + strlen(s->prefix), name_len) == 0)
			return 0;
		total += (*p)->name_len + (*p)->value_len + 8u;
	}
	if (total > 128 * 1024)
		return err_set(err, E2BIG, "more than 128 KiB of extended attributes");
	x = malloc(sizeof(*x) + name_len + len);
	if (!x)
		return err_set(err, ENOMEM, "not enough memory for extended attributes");
	x->next = NULL;
	x->index = s->index;
	x->name_len = name_len;
	x->value_len = len;
	memcpy(x->bytes, name + strlen(s->prefix), name_len);
	memcpy(x->bytes + name_len, value, len);
	*p = x;
	return 0;
}

int tree_create(const struct tree_limits *limits, struct tree **out, struct err *err)
{
	struct tree_inode attr = { .mode = S_IFDIR | 0755 };
	struct tree_inode *inode = NULL;
	struct tree *t = calloc(1, sizeof(*t));

	if (!t)
		return err_set(err, ENOMEM, "not enough memory for the image's file tree");
	t->limits = *limits;
	if (getrandom(&t->seed, sizeof(t->seed), GRND_NONBLOCK) != sizeof(t->seed))
		t->seed = (uintptr_t)t;
	if (table_grow(t) < 0 || inode_create(t, &attr, &inode, err) < 0 ||
	    node_create(t, NULL, "", 0, &t->root, err) < 0) {
		free(inode);
		free(t->buckets);
		free(t);
		return err_set(err, ENOMEM, "not enough memory for the image's file tree");
	}
	node_attach_inode(t, t->root, inode);
	*out = t;
	return 0;
}

void tree_destroy(struct tree *t)
{
	if (!t)
		return;
	t->drop = NULL;
	node_remove(t, t->root);
	free(t->buckets);
	free(t);
}

void tree_begin_layer(struct tree *t)
{
	t->layer++;
}
