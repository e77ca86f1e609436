// SPDX-License-Identifier: Apache-2.0
/*
 * sys_ipc - System V shared memory, semaphores and message queues
 *
 * Role      Copies arguments; ipc/ does it.
 * See       sysvipc(7)
 */
#include "guestkernel/ipc/ids.h"
#include "guestkernel/ipc/msg.h"
#include "guestkernel/ipc/sem.h"
#include "guestkernel/ipc/shm.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/kapi/wait.h"
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

/* Semaphores */

s64 sys_semget(s32 key, s32 n, u32 flags)
{
	return sem_get(key, n, flags);
}

static s64 semop_until(s32 id, uaddr_t ua, u32 n, u64 deadline)
{
	struct sembuf few[16], *op = few;
	s64 ret;

	if (n == 0 || id < 0)
		return -EINVAL;
	if (n > IPC_SEM_OPM)
		return -E2BIG;
	if (n > ARRAY_SIZE(few)) {
		op = kcalloc(n, sizeof *op);
		if (!op)
			return -ENOMEM;
	}
	ret = copy_from_user(op, ua, n * sizeof *op);
	if (!ret)
		ret = sem_operate(id, op, n, deadline, &current()->sem_undo);
	if (op != few)
		kfree(op);
	return ret;
}

s64 sys_semop(s32 id, uaddr_t op, u32 n)
{
	return semop_until(id, op, n, NO_DEADLINE);
}

s64 sys_semtimedop(s32 id, uaddr_t op, u32 n, uaddr_t timeout)
{
	u64 deadline = NO_DEADLINE, now = clock_monotonic_ns(), ns;
	struct timespec ts;

	if (!uaddr_is_null(timeout)) {
		if (get_user(&ts, timeout))
			return -EFAULT;
		if (!timespec_to_ns(&ts, &ns))
			return -EINVAL;
		deadline = now + ns < now ? NO_DEADLINE : now + ns;
	}
	return semop_until(id, op, n, deadline);
}

static s64 semctl_stat(s32 id, u32 cmd, uaddr_t buf)
{
	struct semid64_ds ds;
	s64 ret = sem_stat(id, cmd, &ds);

	return ret >= 0 && put_user(buf, ds) ? -EFAULT : ret;
}

static s64 semctl_set(s32 id, uaddr_t buf)
{
	struct semid64_ds ds;

	return get_user(&ds, buf) ? -EFAULT : sem_set(id, &ds);
}

static s64 semctl_info(u32 cmd, uaddr_t buf)
{
	struct seminfo info;
	s32 last = sem_info(&info, cmd == SEM_INFO);

	return put_user(buf, info) ? -EFAULT : last;
}

static s64 semctl_all(s32 id, u32 cmd, uaddr_t buf)
{
	s64 n = sem_count(id, cmd == GETALL ? 0444 : 0222), ret;
	u16 *values;

	if (n < 0)
		return n;
	values = kcalloc((size_t)n, sizeof *values);
	if (!values)
		return -ENOMEM;
	if (cmd == GETALL) {
		ret = sem_get_all(id, values, (u32)n);
		if (!ret)
			ret = copy_to_user(buf, values, (size_t)n * sizeof *values);
	} else {
		ret = copy_from_user(values, buf, (size_t)n * sizeof *values);
		if (!ret)
			ret = sem_set_all(id, values, (u32)n);
	}
	kfree(values);
	return ret;
}

s64 sys_semctl(s32 id, s32 index, u32 cmd, u64 arg)
{
	if (id < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_STAT:
	case SEM_STAT:
	case SEM_STAT_ANY:
		return semctl_stat(id, cmd, UADDR(arg));
	case IPC_SET:
		return semctl_set(id, UADDR(arg));
	case IPC_RMID:
		return sem_remove(id);
	case IPC_INFO:
	case SEM_INFO:
		return semctl_info(cmd, UADDR(arg));
	case GETALL:
	case SETALL:
		return semctl_all(id, cmd, UADDR(arg));
	case SETVAL:
		return sem_set_value(id, index, (s32)arg);
	case GETVAL:
	case GETPID:
	case GETNCNT:
	case GETZCNT:
		return sem_read(id, (u32)index, cmd);
	default:
		return -EINVAL;
	}
}

/* Message queues */

s64 sys_msgget(s32 key, u32 flags)
{
	return msg_get(key, flags);
}

s64 sys_msgsnd(s32 id, uaddr_t buf, u64 n, u32 flags)
{
	struct msg_text *m;
	s64 ret;

	if (id < 0 || n > (u64)READ_ONCE(ipc_limits.msg_max))
		return -EINVAL;
	ret = msg_alloc(n, &m);
	if (ret)
		return ret;
	if (get_user(&m->type, buf) || copy_from_user(m->text, uaddr_add(buf, sizeof m->type), n))
		ret = -EFAULT;
	else
		ret = msg_send(id, m, n, flags);
	if (ret)
		msg_free(m);
	return ret;
}

s64 sys_msgrcv(s32 id, uaddr_t buf, u64 max, s64 type, u32 flags)
{
	struct msg_text *m;
	size_t n;
	s64 ret;

	if (id < 0 || (s64)max < 0)
		return -EINVAL;
	ret = msg_receive(id, max, type, flags, &m, &n);
	if (ret)
		return ret;
	if (put_user(buf, m->type) || copy_to_user(uaddr_add(buf, sizeof m->type), m->text, n))
		ret = -EFAULT;
	msg_free(m);
	return ret ? ret : (s64)n;
}

static s64 msgctl_stat(s32 id, u32 cmd, uaddr_t buf)
{
	struct msqid64_ds ds;
	s64 ret = msg_stat(id, cmd, &ds);

	return ret >= 0 && put_user(buf, ds) ? -EFAULT : ret;
}

static s64 msgctl_set(s32 id, uaddr_t buf)
{
	struct msqid64_ds ds;

	return get_user(&ds, buf) ? -EFAULT : msg_set(id, &ds);
}

s64 sys_msgctl(s32 id, u32 cmd, uaddr_t buf)
{
	struct msginfo info;
	s32 last;

	if (id < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_STAT:
	case MSG_STAT:
	case MSG_STAT_ANY:
		return msgctl_stat(id, cmd, buf);
	case IPC_SET:
		return msgctl_set(id, buf);
	case IPC_RMID:
		return msg_remove(id);
	case IPC_INFO:
	case MSG_INFO:
		last = msg_info(&info, cmd == MSG_INFO);
		return put_user(buf, info) ? -EFAULT : last;
	default:
		return -EINVAL;
	}
}
