// SPDX-License-Identifier: Apache-2.0
/*
 * sys_memfd - memfd_create
 *
 * See       memfd_create(2), fs/memfd.h
 */
#include "fs/memfd.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/uapi/mman.h"
#include "syscalls_gen.h"

s64 sys_memfd_create(uaddr_t uname, u32 flags)
{
	char name[MEMFD_NAME_MAX + 1];
	struct file *f;
	s64 ret;

	if (flags & ~(u32)(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC))
		return -EINVAL;
	if ((flags & (MFD_NOEXEC_SEAL | MFD_EXEC)) == (MFD_NOEXEC_SEAL | MFD_EXEC))
		return -EINVAL;
	ret = strncpy_from_user(name, uname, sizeof name);
	if (ret < 0)
		return ret;
	if (ret == sizeof name)
		return -EINVAL;
	ret = memfd_create(name, flags, &f);
	if (ret)
		return ret;
	ret = fd_install(f, flags & MFD_CLOEXEC);
	if (ret < 0)
		file_put(f);
	return ret;
}
