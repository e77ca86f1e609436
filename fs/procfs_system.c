// SPDX-License-Identifier: Apache-2.0
/*
 * procfs_system - rows of /proc that belong to fs/, and its fixed links
 *
 * Role      Tables of other owners (memory, tasks, kernel name) come with procfs_setup().
 * Missing   Interrupts are not counted.
 * See       proc(5)
 */
#include "arch/thread.h"
#include "fs/procfs_impl.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/rand.h"
#include "guestkernel/kapi/string.h"

static int show_filesystems(struct strbuf *sb, void *ctx)
{
	fs_types_show(sb);
	return 0;
}

static int show_cpuinfo(struct strbuf *sb, void *ctx)
{
	for (u32 i = 0; i < nr_cpus; i++)
		arch_cpuinfo_show(sb, i);
	return 0;
}

static void put_text(struct strbuf *sb, const char *s)
{
	strbuf_add(sb, s, strlen(s));
}

static int show_interrupts(struct strbuf *sb, void *ctx)
{
	put_text(sb, "    ");
	for (u32 i = 0; i < nr_cpus; i++)
		strbuf_printf(sb, "       CPU%u", i);
	put_text(sb, "\n");
	return 0;
}

static void show_uuid_bytes(struct strbuf *sb, u8 id[16])
{
	id[6] = (id[6] & 0x0f) | 0x40; /* version 4, variant 1 */
	id[8] = (id[8] & 0x3f) | 0x80;
	for (u32 i = 0; i < 16; i++)
		strbuf_printf(sb, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			      id[i]);
	put_text(sb, "\n");
}

static int show_uuid(struct strbuf *sb, void *ctx)
{
	u8 id[16];

	rand_bytes(id, sizeof id);
	show_uuid_bytes(sb, id);
	return 0;
}

static int show_boot_id(struct strbuf *sb, void *ctx)
{
	static struct spinlock lock = SPINLOCK_INIT(RANK_OBJECT);
	static u8 boot_id[16];
	static bool known;
	u8 id[16];

	spin_lock(&lock);
	if (!known)
		rand_bytes(boot_id, sizeof boot_id);
	known = true;
	memcpy(id, boot_id, sizeof id);
	spin_unlock(&lock);
	show_uuid_bytes(sb, id);
	return 0;
}

static int show_softirqs(struct strbuf *sb, void *ctx)
{
	static const char *const names[] = { "HI",	 "TIMER",   "NET_TX", "NET_RX",	 "BLOCK",
					     "IRQ_POLL", "TASKLET", "SCHED",  "HRTIMER", "RCU" };

	put_text(sb, "                    ");
	for (u32 i = 0; i < nr_cpus; i++)
		strbuf_printf(sb, "CPU%-8u", i);
	strbuf_addc(sb, '\n');
	for (u32 n = 0; n < ARRAY_SIZE(names); n++) {
		strbuf_printf(sb, "%12s:", names[n]);
		for (u32 i = 0; i < nr_cpus; i++)
			strbuf_printf(sb, " %10u", 0u);
		strbuf_addc(sb, '\n');
	}
	return 0;
}

static const struct proc_row own_rows[] = {
	{"filesystems",		 0444, show_filesystems, NULL},
	{ "cpuinfo",		     0444, show_cpuinfo,	 NULL},
	{ "interrupts",		0444, show_interrupts,  NULL},
	{ "softirqs",		      0444, show_softirqs,	   NULL},
	{ "sys/kernel/random/boot_id", 0444, show_boot_id,	   NULL},
	{ "sys/kernel/random/uuid",    0444, show_uuid,	     NULL},
};

const struct proc_table procfs_own_table = { own_rows, ARRAY_SIZE(own_rows), NULL };

/* self, thread-self */

static s64 link_text(char *buf, u32 size, const char *text, s32 len)
{
	u32 n = MIN((u32)len, size);

	memcpy(buf, text, n);
	return n;
}

static s64 self_readlink(struct inode *inode, char *buf, u32 size)
{
	char text[16];

	return link_text(buf, size, text, snprintf(text, sizeof text, "%d", current_tgid()));
}

static s64 thread_self_readlink(struct inode *inode, char *buf, u32 size)
{
	char text[40];

	return link_text(buf, size, text,
			 snprintf(text, sizeof text, "%d/task/%d", current_tgid(), current_tid()));
}

static const struct inode_ops self_iops = {
	.readlink = self_readlink,
	.setattr = synth_setattr,
	.evict = synth_evict,
};

static const struct inode_ops thread_self_iops = {
	.readlink = thread_self_readlink,
	.setattr = synth_setattr,
	.evict = synth_evict,
};

int procfs_add_links(struct synth_node *root)
{
	int ret = synth_add_special(root, "self", S_IFLNK | 0777, &self_iops, NULL, NULL);

	if (!ret)
		ret = synth_add_special(root, "thread-self", S_IFLNK | 0777, &thread_self_iops,
					NULL, NULL);
	return ret;
}
