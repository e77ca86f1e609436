// SPDX-License-Identifier: Apache-2.0
/*
 * features - filling struct cpu_features, and what depends on it
 */
#pragma once

/* From CPUID. */
void features_detect(void);
/* fpu_image.c: size of the vector state; after the features are decided. */
void fpu_setup(void);
