// SPDX-License-Identifier: Apache-2.0
/*
 * procfs_limits - /proc/sys/fs, and the random generator's numbers
 *
 * Rules     See kapi/sysctl.h. A limit that somebody enforces and lets be changed has its row beside it; a table of that
 *           owner, which comes first, wins over the row here.
 * See       proc(5), docs/proc.md
 */
#include "fs/procfs_impl.h"

#include "fs/notify.h"
#include "guestkernel/kapi/sysctl.h"

/* perm.c obeys these. */
static const struct sysctl k_symlinks = { &protect.symlinks, 1, 4, 0, 1 };
static const struct sysctl k_hardlinks = { &protect.hardlinks, 1, 4, 0, 1 };
static const struct sysctl k_fifos = { &protect.fifos, 1, 4, 0, 2 };
static const struct sysctl k_regular = { &protect.regular, 1, 4, 0, 2 };

/* notify.c obeys these. */
static const struct sysctl k_inotify_events = { &inotify_max_queued_events, 1, 4, 0, S32_MAX };
static const struct sysctl k_inotify_instances = { &inotify_max_user_instances, 1, 4, 0, S32_MAX };
static const struct sysctl k_inotify_watches = { &inotify_max_user_watches, 1, 4, 0, S32_MAX };

static const struct proc_row rows[] = {
	SYSCTL_TEXT("fs/file-max", "9223372036854775807"),
	SYSCTL_TEXT("fs/pipe-max-size", "1048576"),
	SYSCTL_TEXT("fs/pipe-user-pages-hard", "0"),
	SYSCTL_TEXT("fs/pipe-user-pages-soft", "0"),
	SYSCTL_ROW("sys/fs/protected_symlinks", 0644, k_symlinks),
	SYSCTL_ROW("sys/fs/protected_hardlinks", 0644, k_hardlinks),
	SYSCTL_ROW("sys/fs/protected_fifos", 0644, k_fifos),
	SYSCTL_ROW("sys/fs/protected_regular", 0644, k_regular),
	SYSCTL_TEXT("fs/suid_dumpable", "0"),
	SYSCTL_TEXT("fs/leases-enable", "0"),
	SYSCTL_TEXT("fs/dir-notify-enable", "0"),
	SYSCTL_TEXT("fs/overflowuid", "65534"),
	SYSCTL_TEXT("fs/overflowgid", "65534"),
	SYSCTL_TEXT("fs/mount-max", "100000"),
	SYSCTL_ROW("sys/fs/inotify/max_queued_events", 0644, k_inotify_events),
	SYSCTL_ROW("sys/fs/inotify/max_user_instances", 0644, k_inotify_instances),
	SYSCTL_ROW("sys/fs/inotify/max_user_watches", 0644, k_inotify_watches),
	SYSCTL_TEXT("kernel/random/entropy_avail", "256"),
	SYSCTL_TEXT("kernel/random/poolsize", "256"),
	SYSCTL_TEXT("kernel/random/write_wakeup_threshold", "256"),
	SYSCTL_TEXT("kernel/random/urandom_min_reseed_secs", "60"),
	SYSCTL_TEXT("user/max_inotify_instances", "128"),
	SYSCTL_TEXT("user/max_inotify_watches", "1048576"),
};
const struct proc_table procfs_limits_table = { rows, ARRAY_SIZE(rows), NULL };
