// SPDX-License-Identifier: Apache-2.0
/*
 * user - who the User of an image or of the command line is
 *
 * Role      implements image_resolve_user() of image.h
 * Rules     reads /etc/passwd and /etc/group out of the EROFS file, never the host's
 *           an explicit group replaces the primary one and drops supplementary groups, as container
 *           engines do; without it, groups that list the user's name are supplementary
 * Missing   NSS, LDAP and shadow groups
 * See       passwd(5), group(5)
 */
#include "vmm/image/image.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "vmm/image/erofs_read.h"

#define DB_MAX	   (16u << 20)
#define GROUPS_MAX 65536

struct user_db {
	char *passwd; /* NULL when the image has none */
	char *group;
};

/* The next line of *text, cut off; NULL at the end. */
static char *next_line(char **text)
{
	char *line = *text;

	if (!line || !*line)
		return NULL;
	*text = line + strcspn(line, "\n");
	if (**text)
		*(*text)++ = '\0';
	return line;
}

/* Split at colons into at most nr fields; missing ones are "". */
static void split_fields(char *line, char **fields, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		fields[i] = strsep(&line, ":") ?: (char *)"";
}

static bool parse_id(const char *s, uint32_t *out)
{
	uint64_t v = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		v = v * 10 + (*s - '0');
		if (v >= UINT32_MAX)
			return false;
	}
	*out = v;
	return true;
}

static bool is_number(const char *s)
{
	return *s && strspn(s, "0123456789") == strlen(s);
}

static int find_user(char *db, const char *want, struct image_user *u, struct err *err)
{
	uint32_t want_uid = 0;
	bool has_uid = parse_id(want, &want_uid);
	char *line, *f[7];
	uint32_t uid, gid;

	while ((line = next_line(&db))) {
		split_fields(line, f, ARRAY_SIZE(f));
		if (!f[0][0] || f[0][0] == '#' || !parse_id(f[2], &uid) || !parse_id(f[3], &gid))
			continue;
		if (strcmp(f[0], want) != 0 && !(has_uid && uid == want_uid))
			continue;
		u->uid = uid;
		u->gid = gid;
		u->name = strdup(f[0]);
		u->home = strdup(f[5][0] == '/' ? f[5] : "/");
		return u->name && u->home ? 0 : err_set(err, ENOMEM, "not enough memory");
	}
	if (has_uid) {
		u->uid = want_uid;
		u->gid = 0;
		u->home = strdup("/");
		return u->home ? 0 : err_set(err, ENOMEM, "not enough memory");
	}
	if (is_number(want))
		return err_set(err, ERANGE, "user id '%.80s' is out of range", want);
	return err_set(err, ENOENT, "user '%.80s' is not in the image's /etc/passwd", want);
}

static int find_group(char *db, const char *want, uint32_t *gid, struct err *err)
{
	char *line, *f[4];

	if (parse_id(want, gid))
		return 0;
	if (is_number(want))
		return err_set(err, ERANGE, "group id '%.80s' is out of range", want);
	while ((line = next_line(&db))) {
		split_fields(line, f, ARRAY_SIZE(f));
		if (strcmp(f[0], want) == 0 && parse_id(f[2], gid))
			return 0;
	}
	return err_set(err, ENOENT, "group '%.80s' is not in the image's /etc/group", want);
}

static bool list_has(char *members, const char *name)
{
	char *m;

	while ((m = strsep(&members, ","))) {
		if (strcmp(m, name) == 0)
			return true;
	}
	return false;
}

static int find_memberships(char *db, struct image_user *u, struct err *err)
{
	char *line, *f[4];
	uint32_t gid;

	while (u->name && (line = next_line(&db))) {
		split_fields(line, f, ARRAY_SIZE(f));
		if (!parse_id(f[2], &gid) || !list_has(f[3], u->name))
			continue;
		if (u->nr_groups == GROUPS_MAX)
			return err_set(err, E2BIG, "user '%.80s' is in more than %d groups",
				       u->name, GROUPS_MAX);
		void *p = reallocarray(u->groups, u->nr_groups + 1, sizeof(gid));

		if (!p)
			return err_set(err, ENOMEM, "not enough memory");
		u->groups = p;
		u->groups[u->nr_groups++] = gid;
	}
	return 0;
}

static int read_db(const struct erofs_image *fs, const char *path, char **out, struct err *err)
{
	size_t len;
	int r = erofs_read_file(fs, path, DB_MAX, out, &len, err);

	if (r == -ENOENT || r == -ENOTDIR) {
		err_clear(err);
		return 0;
	}
	return r;
}

static int load_dbs(const struct image *img, struct user_db *db, struct err *err)
{
	struct erofs_image fs;
	void *map = mmap(NULL, img->size, PROT_READ, MAP_PRIVATE, img->fd, 0);
	int r;

	if (map == MAP_FAILED)
		return err_set_errno(err, errno, "mapping the image's file system");
	r = erofs_image_init(&fs, map, img->size, err);
	if (r == 0)
		r = read_db(&fs, "/etc/passwd", &db->passwd, err);
	if (r == 0)
		r = read_db(&fs, "/etc/group", &db->group, err);
	munmap(map, img->size);
	return r;
}

static int resolve(struct user_db *db, char *user, const char *group, struct image_user *out,
		   struct err *err)
{
	int r = find_user(db->passwd, *user ? user : "0", out, err);

	if (r < 0)
		return r;
	if (group && *group)
		return find_group(db->group, group, &out->gid, err);
	return find_memberships(db->group, out, err);
}

int image_resolve_user(const struct image *img, const char *spec, struct image_user *out,
		       struct err *err)
{
	CLEANUP_FREE char *user = strdup(spec ? spec : "");
	struct user_db db = { 0 };
	char *group;
	int r;

	memset(out, 0, sizeof(*out));
	if (!user)
		return err_set(err, ENOMEM, "not enough memory");
	group = strchr(user, ':');
	if (group)
		*group++ = '\0';
	r = load_dbs(img, &db, err);
	if (r == 0)
		r = resolve(&db, user, group, out, err);
	free(db.passwd);
	free(db.group);
	if (r < 0)
		image_user_fini(out);
	return r;
}

void image_user_fini(struct image_user *u)
{
	free(u->groups);
	free(u->name);
	free(u->home);
	memset(u, 0, sizeof(*u));
}
