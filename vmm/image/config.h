// SPDX-License-Identifier: Apache-2.0
/*
 * config - what an image says about how to run it
 *
 * Role      manifest.c and image.c parse the config document, cmd_run merges it with the options
 * Rules     absent members are NULL; vectors are NULL-terminated and the struct owns everything
 * Missing   ExposedPorts, Healthcheck, OnBuild, ArgsEscaped are ignored
 * See       OCI image spec, config.md
 */
#pragma once

#include "vmm/err.h"

struct image_config {
	char **entrypoint;
	char **cmd;
	char **env; /* NAME=value */
	char **volumes;
	char **labels;	 /* name=value */
	char **diff_ids; /* "sha256:..." of the uncompressed layers */
	char *working_dir;
	char *user;
	char *stop_signal;
	char *os;
	char *arch; /* as Go names it: amd64, arm64 */
	char *created;
};

MUST_CHECK int image_config_parse(const char *text, size_t len, struct image_config *out,
				  struct err *err);
void image_config_fini(struct image_config *c);

/* This machine's architecture as image configs name it. */
const char *image_host_arch(void);
