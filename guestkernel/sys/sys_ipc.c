// SPDX-License-Identifier: Apache-2.0
/*
 * sys_ipc - shmget, shmat, shmdt, shmctl
 *
 * Role      Copies arguments; ipc/ does it.
 * Missing   System V semaphores and message queues; IPC namespaces.
 * See       sysvipc(7)
 */
#include "guestkernel/ipc/shm.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/syscalls_gen.h"
#include "guestkernel/task/task.h"

s64 sys_shmget(s32 key, u64 size, u32 flags)
{
	return shm_get(key, size, flags);
}

s64 sys_shmat(s32 id, uaddr_t addr, u32 flags)
{
	u64 va;
	int ret = shm_attach(current()->mm, id, addr.va, flags, &va);

	return ret ? ret : (s64)va;
}

s64 sys_shmdt(uaddr_t addr)
{
	return shm_detach(current()->mm, addr.va);
}

static s64 shmctl_stat(s32 id, u32 cmd, uaddr_t buf)
{
	struct shmid64_ds ds;
	s64 ret = shm_stat(id, cmd, &ds);

	return ret >= 0 && put_user(buf, ds) ? -EFAULT : ret;
}

static s64 shmctl_set(s32 id, uaddr_t buf)
{
	struct shmid64_ds ds;

	return get_user(&ds, buf) ? -EFAULT : shm_set(id, &ds);
}

static s64 shmctl_limits(uaddr_t buf)
{
	struct shminfo64 info;
	s32 last = shm_limits(&info);

	return put_user(buf, info) ? -EFAULT : last;
}

static s64 shmctl_usage(uaddr_t buf)
{
	struct shm_info info;
	s32 last = shm_usage(&info);

	return put_user(buf, info) ? -EFAULT : last;
}

s64 sys_shmctl(s32 id, u32 cmd, uaddr_t buf)
{
	if (id < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY:
		return shmctl_stat(id, cmd, buf);
	case IPC_SET:
		return shmctl_set(id, buf);
	case IPC_RMID:
		return shm_remove(id);
	case IPC_INFO:
		return shmctl_limits(buf);
	case SHM_INFO:
		return shmctl_usage(buf);
	case SHM_LOCK:
	case SHM_UNLOCK:
		return shm_lock(id, cmd == SHM_LOCK);
	default:
		return -EINVAL;
	}
}
