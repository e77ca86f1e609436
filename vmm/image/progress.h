// SPDX-License-Identifier: Apache-2.0
/*
 * progress - one line on the terminal while a long image is unpacked
 *
 * Role      image_build.c starts it, the streams add bytes
 * Rules     nothing is written unless stderr is a terminal and half a second has passed; the line
 *           is erased at the end, so errors stand on a clean line
 *           all functions accept NULL
 */
#pragma once

#include "vmm/util.h"

struct progress {
	const char *what;
	uint64_t total;
	uint64_t done;
	uint64_t start_ns;
	uint64_t shown_ns;
	bool is_on;
	bool has_line;
};

void progress_start(struct progress *p, const char *what, uint64_t total, bool is_quiet);
void progress_add(struct progress *p, uint64_t bytes);
void progress_stop(struct progress *p);
