// SPDX-License-Identifier: Apache-2.0
/*
 * image - from an image archive on the host to one read-only EROFS file and its config
 *
 * Role      see image.h
 * Rules     three ways, tried in this order: the archive file is known (cache ref); its image is
 *           cached (config digest, or digest of a root tar); it is built
 */
#include "vmm/image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "vmm/image/erofs_write.h"
#include "vmm/image/layer.h"
#include "vmm/image/manifest.h"
#include "vmm/image/progress.h"

struct open_job {
	char *path; /* owned; without the tag */
	struct image_opts opts;
	struct cache cache;
	struct stat st;
	struct store store;
	struct image_plan plan;
	struct progress progress;
	struct blob_limit limit;
	struct cache_entry entry;
};

static int job_init(struct open_job *j, const char *path, const struct image_opts *opts)
{
	memset(j, 0, sizeof(*j));
	j->path = strdup(path);
	if (!j->path)
		return -ENOMEM;
	if (opts)
		j->opts = *opts;
	if (!j->opts.arch)
		j->opts.arch = image_host_arch();
	j->limit.has_ratio = !j->opts.max_bytes;
	if (!j->opts.max_bytes)
		j->opts.max_bytes = IMAGE_MAX_BYTES;
	if (!j->opts.max_files)
		j->opts.max_files = IMAGE_MAX_FILES;
	j->limit.max_bytes = j->opts.max_bytes;
	j->entry.fd = -1;
	j->store.fd = j->store.tar_fd = -1;
	return 0;
}

/* Build. */

static int check_layer(const struct image_layer *l, const char *raw, const char *out,
		       struct err *err)
{
	if (l->digest[0] && strcmp(l->digest, raw) != 0)
		return err_set(err, EBADMSG,
			       "damaged: its contents do not match the digest in the manifest");
	if (l->diff_id[0] && strcmp(l->diff_id, out) != 0)
		return err_set(err, EBADMSG,
			       "damaged: its contents do not match the digest in the image config");
	return 0;
}

static int apply_blob(struct open_job *j, const struct blob *blob, struct layer_job *job,
		      char raw[DIGEST_HEX], char out[DIGEST_HEX], struct err *err)
{
	struct blob_stream stream;
	int r = blob_stream_open(&stream, blob, &j->limit, &j->progress, err);

	if (r < 0)
		return r;
	job->stream = &stream;
	r = layer_apply(job, err);
	if (r == 0)
		r = blob_stream_finish(&stream, raw, out, err);
	blob_stream_close(&stream);
	return r;
}

static int apply_layers(struct open_job *j, struct layer_job *job, struct err *err)
{
	char raw[DIGEST_HEX], out[DIGEST_HEX];
	struct blob blob;
	int r;

	if (j->store.kind == STORE_ROOTFS) {
		blob = (struct blob){ .fd = j->store.tar_fd, .len = j->store.tar_len };
		r = apply_blob(j, &blob, job, raw, out, err);
		if (r == 0 && j->store.tar_fd == j->store.fd && strcmp(raw, j->plan.id) != 0)
			r = err_set(err, EBUSY, "the file was changed while it was read");
		return r;
	}
	job->is_layered = true;
	for (size_t i = 0; i < j->plan.nr_layers; i++) {
		r = store_blob(&j->store, j->plan.layers[i].name, &blob, err);
		if (r == 0) {
			r = apply_blob(j, &blob, job, raw, out, err);
			store_blob_close(&j->store, &blob);
		}
		if (r == 0)
			r = check_layer(&j->plan.layers[i], raw, out, err);
		if (r < 0)
			return err_add(err, "layer %zu of %zu", i + 1, j->plan.nr_layers);
	}
	return 0;
}

/* The same contents always get the same file system UUID. */
static void make_uuid(const char *id, uint8_t uuid[16])
{
	char hex[DIGEST_HEX], text[128];

	snprintf(text, sizeof(text), "monitor rootfs %d %s", CACHE_VERSION, id);
	digest_bytes(text, strlen(text), hex);
	for (int i = 0; i < 16; i++) {
		unsigned int byte;

		sscanf(hex + 2 * i, "%2x", &byte);
		uuid[i] = byte;
	}
	uuid[6] = (uuid[6] & 0x0f) | 0x80; /* version 8: our own scheme */
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
}

static int fill_build(struct open_job *j, struct cache_build *b, struct err *err)
{
	struct tree_limits limits = { .nodes = j->opts.max_files, .bytes = IMAGE_MAX_META };
	uint64_t used_bytes = 0, used_entries = 0, size;
	struct erofs_writer writer;
	struct tree *tree;
	uint8_t uuid[16];
	int r = tree_create(&limits, &tree, err);

	if (r < 0)
		return r;
	erofs_writer_init(&writer, b->fd, b->spool_fd);
	tree->drop = erofs_writer_drop;
	tree->drop_ctx = &writer;
	struct layer_job job = {
		.tree = tree,
		.writer = &writer,
		.max_bytes = j->opts.max_bytes,
		.used_bytes = &used_bytes,
		.max_entries = j->opts.max_files,
		.used_entries = &used_entries,
	};
	r = apply_layers(j, &job, err);
	make_uuid(j->plan.id, uuid);
	if (r == 0)
		r = erofs_writer_finish(&writer, tree, uuid, &size, err);
	tree_destroy(tree);
	return r;
}

static int build(struct open_job *j, struct err *err)
{
	CLEANUP_FREE char *path = realpath(j->path, NULL);
	const char *tag = j->opts.tag;
	struct cache_build b;
	char source[PATH_MAX];
	int r = cache_build_start(&j->cache, &b, err);

	if (r < 0)
		return r;
	snprintf(source, sizeof(source), "%s%s%s", path ? path : j->path, tag ? ":" : "",
		 tag ? tag : "");
	r = fill_build(j, &b, err);
	if (r == 0)
		r = cache_build_commit(&b, j->plan.id, j->plan.config_text, source, err);
	cache_build_end(&b);
	return r;
}

/* Find or build. */

static int plan_rootfs(struct open_job *j, struct err *err)
{
	struct blob whole = { .fd = j->store.fd, .len = j->st.st_size };

	j->plan.config_text = strdup("{}");
	j->plan.config_len = 2;
	if (!j->plan.config_text)
		return err_set(err, ENOMEM, "not enough memory");
	return blob_digest(&whole, &j->progress, j->plan.id, err);
}

static int find_or_build(struct open_job *j, bool *was_cached, struct err *err)
{
	CLEANUP_FD int lock = -1;
	int r = cache_entry_open(&j->cache, j->plan.id, &j->entry, err);

	*was_cached = true;
	if (r != -ENOENT)
		return r;
	lock = cache_lock(&j->cache, j->plan.id, err);
	if (lock < 0)
		return lock;
	r = cache_entry_open(&j->cache, j->plan.id, &j->entry, err);
	if (r != -ENOENT)
		return r;
	*was_cached = false;
	r = build(j, err);
	if (r == 0)
		r = cache_entry_open(&j->cache, j->plan.id, &j->entry, err);
	if (r == -ENOENT && !err->code)
		r = err_set(err, EIO, "the image vanished from the cache while it was built");
	return r;
}

static int open_slow(struct open_job *j, int *fd, struct image *img, struct err *err)
{
	char tmp[PATH_MAX];
	struct store_options so = { .tmp_dir = tmp, .limit = &j->limit, .progress = &j->progress };
	struct plan_choice choice = { .tag = j->opts.tag, .arch = j->opts.arch };
	struct stat after;
	int r;

	cache_clean(&j->cache);
	snprintf(tmp, sizeof(tmp), "%s/tmp", j->cache.path);
	r = store_open(*fd, &so, &j->store, err);
	if (r < 0)
		return r;
	*fd = -1;
	if (j->store.kind == STORE_ROOTFS)
		r = plan_rootfs(j, err);
	else
		r = image_plan_load(&j->store, &choice, &j->plan, err);
	if (r < 0)
		return r;
	memcpy(img->id, j->plan.id, sizeof(img->id));
	r = find_or_build(j, &img->was_cached, err);
	if (r < 0)
		return r;
	if (S_ISREG(j->st.st_mode) && fstat(j->store.fd, &after) == 0 &&
	    after.st_size == j->st.st_size &&
	    memcmp(&after.st_mtim, &j->st.st_mtim, sizeof(after.st_mtim)) == 0 &&
	    memcmp(&after.st_ctim, &j->st.st_ctim, sizeof(after.st_ctim)) == 0)
		cache_ref_put(&j->cache, &after, j->opts.tag, img->id);
	return 0;
}

/* The archive file itself is known. */
static int open_known(struct open_job *j, struct image *img, struct err *err)
{
	int r;

	if (!S_ISREG(j->st.st_mode) || cache_ref_find(&j->cache, &j->st, j->opts.tag, img->id) < 0)
		return -ENOENT;
	r = cache_entry_open(&j->cache, img->id, &j->entry, err);
	img->was_cached = r == 0;
	return r;
}

static int check_arch(const struct open_job *j, const struct image *img, struct err *err)
{
	const char *arch = img->config.arch;

	if (!arch || strcmp(arch, j->opts.arch) == 0)
		return 0;
	return err_set(err, ENOEXEC, "the image is for linux/%.30s but linux/%s is needed here",
		       arch, j->opts.arch);
}

/*
 * Open the archive. A name that does not exist as a whole is tried as ARCHIVE:TAG; tags may have
 * colons and slashes in them, so the shortest name that exists is the archive.
 */
static int open_archive(struct open_job *j)
{
	int fd = open(j->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int code = errno;

	for (char *colon = strchr(j->path, ':'); fd < 0 && colon && !j->opts.tag;
	     colon = strchr(colon + 1, ':')) {
		*colon = '\0';
		fd = open(j->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd >= 0)
			j->opts.tag = colon + 1;
		else
			*colon = ':';
	}
	errno = code;
	return fd;
}

static int open_all(struct open_job *j, struct image *img, struct err *err)
{
	CLEANUP_FD int fd = open_archive(j);
	int r;

	if (fd < 0 || fstat(fd, &j->st) < 0)
		return err_set_errno(err, errno, "cannot open it");
	r = open_known(j, img, err);
	if (r == -ENOENT)
		r = open_slow(j, &fd, img, err);
	if (r == 0)
		r = image_config_parse(j->entry.config, j->entry.config_len, &img->config, err);
	return r < 0 ? r : check_arch(j, img, err);
}

int image_open(const char *ref_path, const struct image_opts *opts, struct image **out,
	       struct err *err)
{
	struct image *img = calloc(1, sizeof(*img));
	struct open_job j;
	int r;

	if (!img)
		return err_set(err, ENOMEM, "not enough memory");
	err_clear(err);
	img->fd = -1;
	r = job_init(&j, ref_path, opts);
	if (r < 0)
		err_set(err, ENOMEM, "not enough memory");
	else
		r = cache_open(j.opts.cache_dir, &j.cache, err);
	if (r < 0) {
		free(j.path);
		free(img);
		return r;
	}
	progress_start(&j.progress, ref_path, 0, j.opts.is_quiet);
	r = open_all(&j, img, err);
	progress_stop(&j.progress);
	if (r == 0) {
		img->fd = take_fd(&j.entry.fd);
		img->size = j.entry.size;
		memcpy(img->path, j.entry.path, sizeof(img->path));
	}
	cache_entry_close(&j.entry);
	image_plan_fini(&j.plan);
	store_close(&j.store);
	cache_close(&j.cache);
	free(j.path);
	if (r < 0) {
		image_close(img);
		return err_add(err, "image %.200s", ref_path);
	}
	*out = img;
	return 0;
}

void image_close(struct image *img)
{
	if (!img)
		return;
	if (img->fd >= 0)
		close(img->fd);
	image_config_fini(&img->config);
	free(img);
}
