// SPDX-License-Identifier: Apache-2.0
/*
 * manifest - which config and which layers make up the image in an archive
 *
 * Role      see manifest.h
 * Rules     an archive with both kinds of document (newer docker save) is read by manifest.json,
 *           which is already resolved to one platform
 */
#include "vmm/image/manifest.h"

#include <errno.h>
#include <string.h>

#include "vmm/image/jsonio.h"

#define INDEX_DEPTH   4
#define INDEX_ENTRIES 4096 /* in all indexes together; one document may be named many times */

#define TAGS_TEXT 200

#define TAG_ANNOTATION	"org.opencontainers.image.ref.name"
#define NAME_ANNOTATION "io.containerd.image.name"

static int load_json(const struct store *s, const char *name, const char *digest,
		     struct json_object **out, struct err *err)
{
	CLEANUP_FREE char *text = NULL;
	char sum[DIGEST_HEX];
	size_t len;
	int r = store_load(s, name, JSON_SIZE_MAX, &text, &len, err);

	if (r < 0)
		return r;
	digest_bytes(text, len, sum);
	if (digest && strcmp(sum, digest) != 0)
		return err_set(err, EBADMSG, "%s is damaged: its contents do not match its digest",
			       name);
	r = json_parse(text, len, out, err);
	return r < 0 ? err_add(err, "%s", name) : 0;
}

static int plan_layers(struct image_plan *p, size_t nr, struct err *err)
{
	if (nr > LAYERS_MAX)
		return err_set(err, E2BIG, "the image has more than %d layers", LAYERS_MAX);
	p->layers = calloc(nr + 1, sizeof(*p->layers));
	if (!p->layers)
		return err_set(err, ENOMEM, "not enough memory");
	p->nr_layers = nr;
	return 0;
}

static int plan_config(const struct store *s, const char *name, const char *digest,
		       struct image_plan *p, struct err *err)
{
	int r = store_load(s, name, JSON_SIZE_MAX, &p->config_text, &p->config_len, err);

	if (r < 0)
		return r;
	digest_bytes(p->config_text, p->config_len, p->id);
	if (digest && strcmp(p->id, digest) != 0)
		return err_set(err, EBADMSG, "%s is damaged: its contents do not match its digest",
			       name);
	return image_config_parse(p->config_text, p->config_len, &p->config, err);
}

static int check_platform(const struct image_plan *p, const char *arch, struct err *err)
{
	const char *os = p->config.os ? p->config.os : "linux";
	const char *have = p->config.arch ? p->config.arch : arch;

	if (strcmp(os, "linux") == 0 && strcmp(have, arch) == 0)
		return 0;
	return err_set(
		err, ENOEXEC,
		"the image is for %.30s/%.30s but linux/%s is needed here: get that variant, "
		"for example with 'docker pull --platform linux/%s'",
		os, have, arch, arch);
}

static int check_diff_ids(struct image_plan *p, struct err *err)
{
	size_t nr = strings_count(p->config.diff_ids);

	if (nr != p->nr_layers)
		return err_set(err, EINVAL,
			       "the image config lists %zu layers but the manifest %zu; save the "
			       "image again",
			       nr, p->nr_layers);
	for (size_t i = 0; i < nr; i++) {
		int r = digest_parse(p->config.diff_ids[i], p->layers[i].diff_id, err);

		if (r < 0)
			return err_add(err, "image config, layer %zu", i + 1);
	}
	return 0;
}

/* docker save */

static bool docker_has_tag(struct json_object *item, const char *tag)
{
	struct json_object *tags;

	if (json_get_typed(item, "RepoTags", json_type_array, &tags, NULL) < 0 || !tags)
		return false;
	for (size_t i = 0; i < json_object_array_length(tags); i++) {
		struct json_object *t = json_object_array_get_idx(tags, i);

		if (json_object_is_type(t, json_type_string) &&
		    strcmp(json_object_get_string(t), tag) == 0)
			return true;
	}
	return false;
}

/* The tags in the archive, as far as they fit into a message. */
static const char *docker_tags(struct json_object *root, char out[TAGS_TEXT])
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < json_object_array_length(root); i++) {
		struct json_object *item = json_object_array_get_idx(root, i), *list;

		if (json_get_typed(item, "RepoTags", json_type_array, &list, NULL) < 0 || !list)
			continue;
		for (size_t k = 0; k < json_object_array_length(list); k++) {
			struct json_object *t = json_object_array_get_idx(list, k);
			const char *tag = json_object_get_string(t);

			if (tag && used + strlen(tag) + 3 < TAGS_TEXT)
				used += sprintf(out + used, "%s%s", used ? ", " : "", tag);
		}
	}
	return used ? out : "none has a tag";
}

static int docker_pick(struct json_object *root, const char *tag, struct json_object **out,
		       struct err *err)
{
	char tags[TAGS_TEXT];
	size_t nr;

	if (!json_object_is_type(root, json_type_array))
		return err_set(err, EINVAL, "manifest.json is not a list");
	nr = json_object_array_length(root);
	if (nr == 0)
		return err_set(err, EINVAL, "manifest.json lists no image");
	if (nr == 1 && !tag) {
		*out = json_object_array_get_idx(root, 0);
		return 0;
	}
	if (!tag)
		return err_set(err, EINVAL,
			       "the archive holds %zu images, name one as ARCHIVE:TAG (here %s)",
			       nr, docker_tags(root, tags));
	for (size_t i = 0; i < nr; i++) {
		*out = json_object_array_get_idx(root, i);
		if (docker_has_tag(*out, tag))
			return 0;
	}
	return err_set(err, ENOENT, "the archive holds no image tagged '%.200s'", tag);
}

/* docker save and its imitators name the config after its digest; hold them to it. */
static const char *digest_in_name(const char *name, char hex[DIGEST_HEX])
{
	const char *slash = strrchr(name, '/');

	name = slash ? slash + 1 : name;
	if (strncmp(name, "sha256:", 7) == 0)
		name += 7;
	snprintf(hex, DIGEST_HEX, "%s", name);
	return digest_is_valid(hex) ? hex : NULL;
}

static int plan_docker(const struct store *s, const struct plan_choice *choice,
		       struct image_plan *p, struct err *err)
{
	CLEANUP_JSON struct json_object *root = NULL;
	struct json_object *item = NULL;
	const char *config = NULL;
	char digest[DIGEST_HEX];
	char **layers = NULL;
	int r = load_json(s, "manifest.json", NULL, &root, err);

	if (r == 0)
		r = docker_pick(root, choice->tag, &item, err);
	if (r == 0)
		r = json_get_string(item, "Config", &config, err);
	if (r == 0 && !config)
		r = err_set(err, EINVAL, "manifest.json names no config");
	if (r == 0)
		r = plan_config(s, config, digest_in_name(config, digest), p, err);
	if (r == 0)
		r = check_platform(p, choice->arch, err);
	if (r == 0)
		r = json_get_strings(item, "Layers", &layers, err);
	if (r == 0)
		r = plan_layers(p, strings_count(layers), err);
	for (size_t i = 0; r == 0 && i < p->nr_layers; i++)
		p->layers[i].name = layers[i];
	if (r < 0)
		strings_free(layers);
	else
		free(layers);
	return r < 0 ? r : check_diff_ids(p, err);
}

/* OCI layout */

struct oci_pick {
	const struct store *s;
	const struct plan_choice *choice;
	char digest[DIGEST_HEX]; /* of the manifest found */
	int nr_found;
	int nr_seen;
	char others[120]; /* platforms passed over, for the message */
};

static void blob_name(const char *digest, char out[80])
{
	snprintf(out, 80, "blobs/sha256/%s", digest);
}

static int descriptor_digest(struct json_object *d, char hex[DIGEST_HEX], struct err *err)
{
	const char *text;
	int r = json_get_string(d, "digest", &text, err);

	if (r < 0)
		return r;
	if (!text)
		return err_set(err, EINVAL, "a descriptor has no digest");
	return digest_parse(text, hex, err);
}

/* 1 when the entry is for the wanted platform or names none, 0 when for another. */
static int platform_matches(struct oci_pick *pick, struct json_object *d, struct err *err)
{
	struct json_object *platform;
	const char *os, *arch;
	size_t used = strlen(pick->others);
	int r = json_get_typed(d, "platform", json_type_object, &platform, err);

	if (r < 0 || !platform)
		return r < 0 ? r : 1;
	r = json_get_string(platform, "os", &os, err);
	if (r == 0)
		r = json_get_string(platform, "architecture", &arch, err);
	if (r < 0)
		return r;
	if (!os || !arch || (strcmp(os, "linux") == 0 && strcmp(arch, pick->choice->arch) == 0))
		return 1;
	if (strcmp(os, "unknown") != 0)
		snprintf(pick->others + used, sizeof(pick->others) - used, "%s%.20s/%.20s",
			 used ? ", " : "", os, arch);
	return 0;
}

static bool oci_tag_matches(struct json_object *d, const char *tag)
{
	static const char *const keys[] = { TAG_ANNOTATION, NAME_ANNOTATION };
	struct json_object *notes;
	const char *value;

	if (!tag)
		return true;
	if (json_get_typed(d, "annotations", json_type_object, &notes, NULL) < 0 || !notes)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (json_get_string(notes, keys[i], &value, NULL) == 0 && value &&
		    strcmp(value, tag) == 0)
			return true;
	}
	return false;
}

static int oci_walk(struct oci_pick *pick, struct json_object *index, int depth, struct err *err);

static int oci_descriptor(struct oci_pick *pick, struct json_object *d, int depth, struct err *err)
{
	CLEANUP_JSON struct json_object *doc = NULL;
	struct json_object *list;
	char digest[DIGEST_HEX], name[80];
	int r;

	if (++pick->nr_seen > INDEX_ENTRIES)
		return err_set(err, E2BIG, "the image index has more than %d entries",
			       INDEX_ENTRIES);
	r = platform_matches(pick, d, err);
	if (r <= 0)
		return r;
	if (depth == 0 && !oci_tag_matches(d, pick->choice->tag))
		return 0;
	r = descriptor_digest(d, digest, err);
	if (r < 0)
		return r;
	blob_name(digest, name);
	r = load_json(pick->s, name, digest, &doc, err);
	if (r < 0)
		return r;
	r = json_get_typed(doc, "manifests", json_type_array, &list, err);
	if (r < 0)
		return r;
	if (list)
		return oci_walk(pick, doc, depth + 1, err);
	if (pick->nr_found && strcmp(pick->digest, digest) == 0)
		return 0;
	if (!pick->nr_found++)
		memcpy(pick->digest, digest, sizeof(digest));
	return 0;
}

static int oci_walk(struct oci_pick *pick, struct json_object *index, int depth, struct err *err)
{
	struct json_object *list;
	int r;

	if (depth >= INDEX_DEPTH)
		return err_set(err, ELOOP, "image indexes are nested deeper than %d", INDEX_DEPTH);
	r = json_get_typed(index, "manifests", json_type_array, &list, err);
	if (r < 0)
		return r;
	if (!list)
		return err_set(err, EINVAL, "the image index lists no manifests");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		r = oci_descriptor(pick, json_object_array_get_idx(list, i), depth, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int oci_pick_manifest(struct oci_pick *pick, struct err *err)
{
	CLEANUP_JSON struct json_object *index = NULL;
	int r = load_json(pick->s, "index.json", NULL, &index, err);

	if (r == 0)
		r = oci_walk(pick, index, 0, err);
	if (r < 0)
		return r;
	if (pick->nr_found > 1)
		return err_set(err, EINVAL,
			       "the archive holds %d images for linux/%s, name one as ARCHIVE:TAG",
			       pick->nr_found, pick->choice->arch);
	if (pick->nr_found == 1)
		return 0;
	if (pick->others[0])
		return err_set(err, ENOEXEC,
			       "the image is for %s but linux/%s is needed here: get that variant, "
			       "for example with 'docker pull --platform linux/%s'",
			       pick->others, pick->choice->arch, pick->choice->arch);
	return err_set(err, ENOENT, "the archive holds no image%s%.200s",
		       pick->choice->tag ? " tagged " : "",
		       pick->choice->tag ? pick->choice->tag : "");
}

static int oci_layers(struct json_object *manifest, struct image_plan *p, struct err *err)
{
	struct json_object *list;
	int r = json_get_typed(manifest, "layers", json_type_array, &list, err);

	if (r == 0)
		r = plan_layers(p, list ? json_object_array_length(list) : 0, err);
	for (size_t i = 0; r == 0 && i < p->nr_layers; i++) {
		struct image_layer *l = &p->layers[i];
		char name[80];

		r = descriptor_digest(json_object_array_get_idx(list, i), l->digest, err);
		if (r < 0)
			return err_add(err, "layer %zu", i + 1);
		blob_name(l->digest, name);
		l->name = strdup(name);
		if (!l->name)
			return err_set(err, ENOMEM, "not enough memory");
	}
	return r;
}

static int plan_oci(const struct store *s, const struct plan_choice *choice, struct image_plan *p,
		    struct err *err)
{
	CLEANUP_JSON struct json_object *manifest = NULL;
	struct oci_pick pick = { .s = s, .choice = choice };
	struct json_object *config;
	char digest[DIGEST_HEX], name[80];
	int r = oci_pick_manifest(&pick, err);

	if (r < 0)
		return r;
	blob_name(pick.digest, name);
	r = load_json(s, name, pick.digest, &manifest, err);
	if (r == 0)
		r = json_get_typed(manifest, "config", json_type_object, &config, err);
	if (r == 0 && !config)
		r = err_set(err, EINVAL, "the manifest names no config");
	if (r == 0)
		r = descriptor_digest(config, digest, err);
	if (r < 0)
		return r;
	blob_name(digest, name);
	r = plan_config(s, name, digest, p, err);
	if (r == 0)
		r = check_platform(p, choice->arch, err);
	if (r == 0)
		r = oci_layers(manifest, p, err);
	return r < 0 ? r : check_diff_ids(p, err);
}

int image_plan_load(const struct store *s, const struct plan_choice *choice, struct image_plan *out,
		    struct err *err)
{
	int r;

	memset(out, 0, sizeof(*out));
	if (store_has(s, "manifest.json"))
		r = plan_docker(s, choice, out, err);
	else
		r = plan_oci(s, choice, out, err);
	if (r < 0)
		image_plan_fini(out);
	return r;
}

void image_plan_fini(struct image_plan *p)
{
	for (size_t i = 0; i < p->nr_layers; i++)
		free(p->layers[i].name);
	free(p->layers);
	free(p->config_text);
	image_config_fini(&p->config);
	memset(p, 0, sizeof(*p));
}
