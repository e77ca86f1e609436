// SPDX-License-Identifier: Apache-2.0
/*
 * cmd_image - "monitor image": look at and clean the image cache
 *
 * Role      called by main() with argv[0] "image"
 */
#pragma once

/* Exit status: 0, 1 when something failed, 125 for wrong usage. */
int cmd_image(int argc, char **argv);
