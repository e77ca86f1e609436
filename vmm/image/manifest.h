// SPDX-License-Identifier: Apache-2.0
/*
 * manifest - which config and which layers make up the image in an archive
 *
 * Role      reads manifest.json (docker save) or index.json (OCI) of a store and picks one image
 * Rules     the image's identity is the digest of its config; the config lists the digests of the
 *           uncompressed layers, so verifying those while unpacking ties contents to identity
 *           OCI documents and blobs are verified against the digests that name them
 *           nested indexes up to 4 deep; entries of other platforms are passed over
 * Missing   picking a variant (arm/v6 against v7); schema 1 manifests
 * See       OCI image spec, image-index.md, manifest.md
 */
#pragma once

#include "vmm/image/config.h"
#include "vmm/image/store.h"

#define LAYERS_MAX 512

struct image_layer {
	char *name;		 /* in the store */
	char digest[DIGEST_HEX]; /* of the blob, "" when the archive does not say */
	char diff_id[DIGEST_HEX];
};

struct image_plan {
	char id[DIGEST_HEX];
	char *config_text;
	size_t config_len;
	struct image_config config;
	struct image_layer *layers; /* lowest first */
	size_t nr_layers;
};

struct plan_choice {
	const char *tag;  /* NULL: the only image */
	const char *arch; /* as configs name it */
};

MUST_CHECK int image_plan_load(const struct store *s, const struct plan_choice *choice,
			       struct image_plan *out, struct err *err);
void image_plan_fini(struct image_plan *p);
