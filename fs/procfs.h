// SPDX-License-Identifier: Apache-2.0
/*
 * procfs - /proc; what goes into it is handed over with procfs_setup() (kapi/proc.h)
 */
#pragma once

#include "fs/synth.h"

extern const struct fs_type procfs_type;
