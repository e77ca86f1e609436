// SPDX-License-Identifier: Apache-2.0
/*
 * memfd - files in memory without a name
 */
#pragma once

#include "guestkernel/kapi/file.h"

#define MEMFD_NAME_MAX 249

/* name is shown as "/memfd:name (deleted)". flags: MFD_*, checked by the caller. */
int must_check memfd_create(const char *name, u32 flags, struct file **out);
