// SPDX-License-Identifier: Apache-2.0
/*
 * user_path - see user_path.h
 */
#include "guestkernel/sys/user_path.h"

#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/uapi/limits.h"

int user_path_get(struct user_path *up, uaddr_t ua)
{
	s64 n = strncpy_from_user(up->fast, ua, USER_PATH_FAST);

	up->s = up->fast;
	if (likely(n >= 0 && n < USER_PATH_FAST))
		return 0;
	if (n < 0)
		return (int)n;
	up->s = kmalloc(PATH_MAX);
	if (!up->s)
		return -ENOMEM;
	n = strncpy_from_user(up->s, ua, PATH_MAX);
	if (n >= 0 && n < PATH_MAX)
		return 0;
	user_path_put(up);
	return n < 0 ? (int)n : -ENAMETOOLONG;
}

void user_path_put(struct user_path *up)
{
	if (up->s != up->fast)
		kfree(up->s);
}
