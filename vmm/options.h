// SPDX-License-Identifier: Apache-2.0
/*
 * options - the command line of "monitor run", as docker spells it
 *
 * Role      options_parse() turns argv into struct run_options; nothing is opened or resolved here.
 * Rules     Strings point into argv or are owned by the lists. A wrong option is one sentence that names it.
 */
#pragma once

#include "vmm/err.h"
#include "vmm/log.h"

struct string_list {
	char **item; /* NULL-terminated, owned */
	size_t n;
};

enum platform { PLATFORM_AUTO, PLATFORM_KVM, PLATFORM_PROCESS };

struct run_options {
	const char *image;
	char **cmd; /* NULL-terminated tail of argv; may be empty */
	bool is_interactive, has_tty, is_read_only, is_dry_run, is_privileged, want_help;
	bool has_entrypoint, no_namespaces;
	const char *entrypoint, *workdir, *user, *hostname, *name, *strace, *kernel;
	struct string_list env, tmpfs, ulimits;
	uint64_t memory_bytes; /* 0: default */
	uint64_t image_bytes;  /* 0: default */
	uint32_t cpus;	       /* 0: default */
	uint32_t pids_limit;   /* 0: default */
	bool has_stop_timeout;
	uint32_t stop_timeout_s;
	enum platform platform;
	uint32_t pm_flags; /* enum pm_boot_flag */
	enum log_level log_level;
	uint32_t kernel_log; /* highest level of kernel messages shown */
};

int options_parse(struct run_options *o, int argc, char **argv, struct err *e) MUST_CHECK;
void options_fini(struct run_options *o);
void options_usage(FILE *out);

int string_list_add(struct string_list *l, const char *s, struct err *e) MUST_CHECK;
void string_list_fini(struct string_list *l);
/* "512m", "2g", "100000": bytes. */
int parse_size(const char *what, const char *s, uint64_t *out, struct err *e) MUST_CHECK;
