// SPDX-License-Identifier: Apache-2.0
/*
 * fpu - what signal frames need beyond arch/fpu.h
 */
#pragma once

#include "arch/fpu.h"

/* Makes an image an application wrote loadable: no reserved bits, no unknown components. */
void fpu_sanitize(struct fpu_state *s);
