// SPDX-License-Identifier: Apache-2.0
/*
 * sysfs - /sys: the few files programs look for
 */
#pragma once

#include "fs/synth.h"

extern const struct fs_type sysfs_type;
