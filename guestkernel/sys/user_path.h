// SPDX-License-Identifier: Apache-2.0
/*
 * user_path - a path argument, copied in
 *
 * Rules     user_path_get() then user_path_put() on every way out. Short paths use no heap.
 */
#pragma once

#include "guestkernel/kapi/types.h"

#define USER_PATH_FAST 200

struct user_path {
	char *s; /* terminated, at most PATH_MAX bytes */
	char fast[USER_PATH_FAST];
};

/* -EFAULT, -ENAMETOOLONG, -ENOMEM. */
int must_check user_path_get(struct user_path *up, uaddr_t ua);
void user_path_put(struct user_path *up);
