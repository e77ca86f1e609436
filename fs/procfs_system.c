// SPDX-License-Identifier: Apache-2.0
/*
 * procfs_system - rows of /proc that belong to fs/, and its fixed links
 *
 * Role      Tables of other owners (memory, tasks, kernel name) come with procfs_setup().
 * Rules     Limits shown under sys/ are the ones this kernel enforces; files that only say "nothing here" exist
 *           where programs fail without them.
 * Missing   Writing the limits.
 * See       proc(5)
 */
#include "arch/thread.h"
#include "fs/pipe.h"
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

/* ctx of a row cannot carry a text (it belongs to the table), so each fixed file has its function. */
#define FIXED_TEXT(fn, text)                        \
	static int fn(struct strbuf *sb, void *ctx) \
	{                                           \
		put_text(sb, text);                 \
		return 0;                           \
	}

FIXED_TEXT(show_devices,
	   "Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n"
	   "136 pts\n\nBlock devices:\n")
FIXED_TEXT(show_partitions, "major minor  #blocks  name\n\n")
FIXED_TEXT(show_swaps, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n")
FIXED_TEXT(show_empty, "")
FIXED_TEXT(show_cmdline, "\n")
FIXED_TEXT(show_0, "0\n")
FIXED_TEXT(show_1, "1\n")
FIXED_TEXT(show_nr_open, "1048576\n")
FIXED_TEXT(show_file_max, "9223372036854775807\n")
FIXED_TEXT(show_pipe_max, "1048576\n")
FIXED_TEXT(show_inotify_events, "16384\n")
FIXED_TEXT(show_inotify_instances, "128\n")
FIXED_TEXT(show_inotify_watches, "1048576\n")
FIXED_TEXT(show_somaxconn, "4096\n")
FIXED_TEXT(show_dgram_qlen, "10\n")
FIXED_TEXT(show_mem_buf, "212992\n")
FIXED_TEXT(show_entropy, "256\n")

/* Who may write the file is the super-user; a program of his that is told another text decides nothing. */
static int store_level(const char *text, size_t n, u32 max, u32 *level)
{
	char buf[8];
	u64 v;

	if (!n || n >= sizeof buf)
		return -EINVAL;
	memcpy(buf, text, n);
	buf[n] = 0;
	if (buf[n - 1] == '\n')
		buf[n - 1] = 0;
	if (!parse_u64(buf, 10, &v) || v > max)
		return -EINVAL;
	WRITE_ONCE(*level, (u32)v);
	return 0;
}

#define PROTECT_ROW(name, max)                                         \
	static int show_##name(struct strbuf *sb, void *ctx)           \
	{                                                              \
		strbuf_printf(sb, "%u\n", READ_ONCE(protect.name));    \
		return 0;                                              \
	}                                                              \
	static int store_##name(const char *text, size_t n, void *ctx) \
	{                                                              \
		return store_level(text, n, max, &protect.name);       \
	}

PROTECT_ROW(symlinks, 1)
PROTECT_ROW(hardlinks, 1)
PROTECT_ROW(fifos, 2)
PROTECT_ROW(regular, 2)

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

static const struct proc_row own_rows[] = {
	{"filesystems",			 0444, show_filesystems,	 NULL	      },
	{ "cpuinfo",			   0444, show_cpuinfo,		 NULL	      },
	{ "devices",			   0444, show_devices,		 NULL	      },
	{ "partitions",			0444, show_partitions,	       NULL	    },
	{ "diskstats",			 0444, show_empty,		 NULL	      },
	{ "swaps",			     0444, show_swaps,	     NULL		  },
	{ "modules",			   0444, show_empty,	       NULL	    },
	{ "locks",			     0444, show_empty,	     NULL		  },
	{ "cmdline",			   0444, show_cmdline,		 NULL	      },
	{ "interrupts",			0444, show_interrupts,	       NULL	    },
	{ "sys/fs/nr_open",		    0444, show_nr_open,		NULL	     },
	{ "sys/fs/file-max",		     0444, show_file_max,	  NULL	       },
	{ "sys/fs/pipe-max-size",		  0444, show_pipe_max,	       NULL	    },
	{ "sys/fs/pipe-user-pages-hard",	 0444, show_0,		       NULL	    },
	{ "sys/fs/pipe-user-pages-soft",	 0444, show_0,		       NULL	    },
	{ "sys/fs/protected_symlinks",	       0600, show_symlinks,	    store_symlinks },
	{ "sys/fs/protected_hardlinks",	0600, show_hardlinks,	      store_hardlinks},
	{ "sys/fs/protected_fifos",	    0600, show_fifos,	      store_fifos	  },
	{ "sys/fs/protected_regular",	      0600, show_regular,		  store_regular	},
	{ "sys/fs/suid_dumpable",		  0444, show_0,			NULL	     },
	{ "sys/kernel/dmesg_restrict",	       0444, show_1,		     NULL		  },
	{ "sys/fs/inotify/max_queued_events",  0444, show_inotify_events,	 NULL	      },
	{ "sys/fs/inotify/max_user_instances", 0444, show_inotify_instances, NULL		  },
	{ "sys/fs/inotify/max_user_watches",   0444, show_inotify_watches,	 NULL	      },
	{ "sys/kernel/random/boot_id",	       0444, show_boot_id,	   NULL		},
	{ "sys/kernel/random/uuid",	    0444, show_uuid,		     NULL		  },
	{ "sys/kernel/random/entropy_avail",   0444, show_entropy,		 NULL	      },
	{ "sys/kernel/random/poolsize",	0444, show_entropy,	    NULL		 },
	{ "sys/net/core/somaxconn",	    0444, show_somaxconn,	  NULL	       },
	{ "sys/net/core/wmem_default",	       0444, show_mem_buf,	   NULL		},
	{ "sys/net/core/wmem_max",		   0444, show_mem_buf,	       NULL	    },
	{ "sys/net/core/rmem_default",	       0444, show_mem_buf,	   NULL		},
	{ "sys/net/core/rmem_max",		   0444, show_mem_buf,	       NULL	    },
	{ "sys/net/unix/max_dgram_qlen",	 0444, show_dgram_qlen,	NULL	     },
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
