// SPDX-License-Identifier: Apache-2.0
/*
 * ipc_proc - /proc/sysvipc and the limits under /proc/sys/kernel
 *
 * Rules     Everybody sees every object of his namespace here, as on Linux: that is what SHM_STAT_ANY and its like are for.
 * Missing   Limits per namespace; shm_rmid_forced, *_next_id, auto_msgmni.
 * See       proc(5), sysvipc(7)
 */
#include "guestkernel/ipc/ipc_proc.h"

#include "guestkernel/ipc/ids.h"
#include "guestkernel/ipc/msg.h"
#include "guestkernel/ipc/sem.h"
#include "guestkernel/ipc/shm.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/sysctl.h"

#define UNBOUNDED (U64_MAX - (1ull << 24)) /* what Linux has for no limit of shared memory */

typedef unsigned long long ull;

struct ipc_limits ipc_limits = {
	.shm_max = UNBOUNDED,
	.shm_all = UNBOUNDED,
	.shm_mni = SHMMNI,
	.msg_max = MSGMAX,
	.msg_mnb = MSGMNB,
	.msg_mni = MSGMNI,
	.sem = {SEMMSL, SEMMNI *SEMMSL, SEMOPM, SEMMNI},
};

static const struct sysctl k_shm_max = { &ipc_limits.shm_max, 1, 8, 0, -1 };
static const struct sysctl k_shm_all = { &ipc_limits.shm_all, 1, 8, 0, -1 };
static const struct sysctl k_shm_mni = { &ipc_limits.shm_mni, 1, 4, 0, IPC_SLOTS };
static const struct sysctl k_msg_max = { &ipc_limits.msg_max, 1, 4, 0, S32_MAX };
static const struct sysctl k_msg_mnb = { &ipc_limits.msg_mnb, 1, 4, 0, S32_MAX };
static const struct sysctl k_msg_mni = { &ipc_limits.msg_mni, 1, 4, 0, IPC_SLOTS };
static const struct sysctl k_sem = { ipc_limits.sem, 4, 4, 0, S32_MAX };

static int show_shm(struct strbuf *sb, void *ctx)
{
	struct shminfo64 info;
	s32 last = shm_limits(&info);
	struct shmid64_ds d;

	strbuf_printf(
		sb,
		"       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid"
		"      atime      dtime      ctime                   rss                  swap\n");
	for (s32 i = 0; i <= last; i++) {
		s64 id = shm_stat(i, SHM_STAT_ANY, &d);
		const struct ipc64_perm *p = &d.shm_perm;

		if (id < 0)
			continue;
		strbuf_printf(sb, "%10d %10lld  %4o %21llu %5u %5u  %5llu", p->key, (long long)id,
			      p->mode, (ull)d.shm_segsz, d.shm_cpid, d.shm_lpid, (ull)d.shm_nattch);
		strbuf_printf(sb, " %5u %5u %5u %5u %10llu %10llu %10llu %21d %21d\n", p->uid,
			      p->gid, p->cuid, p->cgid, (ull)d.shm_atime, (ull)d.shm_dtime,
			      (ull)d.shm_ctime, 0, 0);
	}
	return sb->failed ? -ENOMEM : 0;
}

static int show_sem(struct strbuf *sb, void *ctx)
{
	struct seminfo info;
	s32 last = sem_info(&info, false);
	struct semid64_ds d;

	strbuf_printf(
		sb,
		"       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n");
	for (s32 i = 0; i <= last; i++) {
		s64 id = sem_stat(i, SEM_STAT_ANY, &d);
		const struct ipc64_perm *p = &d.sem_perm;

		if (id < 0)
			continue;
		strbuf_printf(sb, "%10d %10lld  %4o %10llu %5u %5u %5u %5u %10llu %10llu\n", p->key,
			      (long long)id, p->mode, (ull)d.sem_nsems, p->uid, p->gid, p->cuid,
			      p->cgid, (ull)d.sem_otime, (ull)d.sem_ctime);
	}
	return sb->failed ? -ENOMEM : 0;
}

static int show_msg(struct strbuf *sb, void *ctx)
{
	struct msginfo info;
	s32 last = msg_info(&info, false);
	struct msqid64_ds d;

	strbuf_printf(
		sb,
		"       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid"
		"      stime      rtime      ctime\n");
	for (s32 i = 0; i <= last; i++) {
		s64 id = msg_stat(i, MSG_STAT_ANY, &d);
		const struct ipc64_perm *p = &d.msg_perm;

		if (id < 0)
			continue;
		strbuf_printf(sb, "%10d %10lld  %4o  %10llu %10llu %5u %5u", p->key, (long long)id,
			      p->mode, (ull)d.msg_cbytes, (ull)d.msg_qnum, d.msg_lspid,
			      d.msg_lrpid);
		strbuf_printf(sb, " %5u %5u %5u %5u %10llu %10llu %10llu\n", p->uid, p->gid,
			      p->cuid, p->cgid, (ull)d.msg_stime, (ull)d.msg_rtime,
			      (ull)d.msg_ctime);
	}
	return sb->failed ? -ENOMEM : 0;
}

static const struct proc_row rows[] = {
	{"sysvipc/shm",	 0444, show_shm, NULL},
	{ "sysvipc/sem", 0444, show_sem, NULL},
	{ "sysvipc/msg", 0444, show_msg, NULL},
	SYSCTL_ROW("sys/kernel/shmmax", 0644, k_shm_max),
	SYSCTL_ROW("sys/kernel/shmall", 0644, k_shm_all),
	SYSCTL_ROW("sys/kernel/shmmni", 0644, k_shm_mni),
	SYSCTL_ROW("sys/kernel/msgmax", 0644, k_msg_max),
	SYSCTL_ROW("sys/kernel/msgmnb", 0644, k_msg_mnb),
	SYSCTL_ROW("sys/kernel/msgmni", 0644, k_msg_mni),
	SYSCTL_ROW("sys/kernel/sem", 0644, k_sem),
	SYSCTL_TEXT("kernel/shm_rmid_forced", "0"),
};
const struct proc_table ipc_proc = { rows, ARRAY_SIZE(rows), NULL };
