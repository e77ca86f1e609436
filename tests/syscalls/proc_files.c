/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc_files.c - files of /proc and /sys: that they are there, with Linux' permissions, and take what Linux takes
 *
 * Rules     Written values are put back, or are those that were there: natively these are the machine's own. Files of
 *           kernel options that a host may lack are marked, and looked for in the sandbox only.
 * See       proc(5), sysfs(5), docs/proc.md
 */
#include "tests/lib/t.h"

#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/utsname.h>

static bool in_sandbox(void)
{
	struct utsname u;

	return !uname(&u) && strstr(u.release, "-monitor");
}

/* mode 0: whatever Linux has; it is not the same everywhere. */
struct expected {
	const char *path;
	unsigned mode;
};

/* Here or not natively, as the kernel was configured. */
static const struct expected files[] = {
	{"/proc/stat",						  0444},
	{ "/proc/meminfo",					      0444},
	{ "/proc/vmstat",					       0444},
	{ "/proc/zoneinfo",					     0444},
	{ "/proc/buddyinfo",					    0444},
	{ "/proc/diskstats",					    0444},
	{ "/proc/partitions",					   0444},
	{ "/proc/devices",					      0444},
	{ "/proc/misc",						 0444},
	{ "/proc/kallsyms",					     0444},
	{ "/proc/crypto",					       0444},
	{ "/proc/interrupts",					   0444},
	{ "/proc/softirqs",					     0444},
	{ "/proc/locks",						0   },
	{ "/proc/cgroups",					      0444},
	{ "/proc/consoles",					     0444},
	{ "/proc/execdomains",					  0444},
	{ "/proc/filesystems",					  0444},
	{ "/proc/iomem",						0444},
	{ "/proc/ioports",					      0444},
	{ "/proc/loadavg",					      0444},
	{ "/proc/swaps",						0444},
	{ "/proc/tty/drivers",					  0444},
	{ "/proc/tty/ldiscs",					   0444},
	{ "/proc/sysvipc/msg",					  0	 },
	{ "/proc/sysvipc/sem",					  0	 },
	{ "/proc/sysvipc/shm",					  0	 },
	{ "/proc/net/dev",					      0444},
	{ "/proc/self/loginuid",					0644},
	{ "/proc/self/sessionid",				       0444},
	{ "/proc/self/coredump_filter",					0644},
	{ "/proc/self/timerslack_ns",				      0666},
	{ "/proc/self/oom_score",				       0444},
	{ "/proc/self/oom_adj",					 0644},
	{ "/proc/self/oom_score_adj",				      0644},
	{ "/proc/self/autogroup",				       0644},
	{ "/proc/self/wchan",					   0444},
	{ "/proc/self/stack",					   0400},
	{ "/proc/self/personality",				     0400},
	{ "/proc/self/smaps_rollup",				     0444},
	{ "/proc/self/numa_maps",				       0444},
	{ "/proc/self/pagemap",					 0400},
	{ "/proc/self/clear_refs",				      0200},
	{ "/proc/self/io",					      0400},
	{ "/proc/self/schedstat",				       0444},
	{ "/proc/self/cpuset",					  0444},
	{ "/proc/self/cgroup",					  0444},
	{ "/proc/self/attr/current",				     0666},
	{ "/proc/self/attr/exec",				       0666},
	{ "/proc/self/attr/prev",				       0444},
	{ "/proc/self/timers",					  0444},
	{ "/proc/self/projid_map",				      0644},
	{ "/proc/self/timens_offsets",				       0644},
	{ "/proc/thread-self/children",					0444},
	{ "/proc/sys/kernel/pid_max",				      0644},
	{ "/proc/sys/kernel/threads-max",				  0644},
	{ "/proc/sys/kernel/sem",				       0644},
	{ "/proc/sys/kernel/shmmax",				     0644},
	{ "/proc/sys/kernel/shmall",				     0644},
	{ "/proc/sys/kernel/shmmni",				     0644},
	{ "/proc/sys/kernel/msgmax",				     0644},
	{ "/proc/sys/kernel/msgmnb",				     0644},
	{ "/proc/sys/kernel/msgmni",				     0644},
	{ "/proc/sys/kernel/core_pattern",				   0644},
	{ "/proc/sys/kernel/core_uses_pid",				    0644},
	{ "/proc/sys/kernel/randomize_va_space",			 0644},
	{ "/proc/sys/kernel/printk",				     0644},
	{ "/proc/sys/kernel/hostname",				       0644},
	{ "/proc/sys/kernel/domainname",				 0644},
	{ "/proc/sys/kernel/random/uuid",				  0444},
	{ "/proc/sys/kernel/random/boot_id",			     0444},
	{ "/proc/sys/kernel/random/entropy_avail",			   0444},
	{ "/proc/sys/kernel/seccomp/actions_avail",			    0444},
	{ "/proc/sys/kernel/overflowuid",				  0   },
	{ "/proc/sys/fs/nr_open",				       0644},
	{ "/proc/sys/fs/file-max",				      0   },
	{ "/proc/sys/fs/overflowuid",				      0	},
	{ "/proc/sys/fs/mount-max",				     0   },
	{ "/proc/sys/fs/inotify/max_user_watches",			   0   },
	{ "/proc/sys/vm/max_map_count",					0644},
	{ "/proc/sys/vm/swappiness",				     0644},
	{ "/proc/sys/vm/overcommit_memory",				    0   },
	{ "/proc/sys/vm/mmap_min_addr",					0	  },
	{ "/proc/sys/vm/dirty_ratio",				      0644},
	{ "/proc/sys/user/max_user_namespaces",				0	  },
	{ "/proc/sys/net/core/somaxconn",				  0644},
	{ "/proc/sys/net/core/rmem_max",				 0644},
	{ "/sys/devices/system/cpu/online",				    0444},
	{ "/sys/devices/system/cpu/possible",			      0444},
	{ "/sys/devices/system/cpu/kernel_max",				0444},
	{ "/sys/devices/system/cpu/smt/active",				0444},
	{ "/sys/devices/system/cpu/cpu0/topology/core_siblings",	 0444},
	{ "/sys/devices/system/cpu/cpu0/topology/core_id",		   0444},
	{ "/sys/devices/system/cpu/cpu0/topology/physical_package_id",  0444},
	{ "/sys/devices/system/cpu/cpu0/topology/thread_siblings_list", 0444},
	{ "/sys/devices/system/node/node0/cpulist",			    0444},
	{ "/sys/devices/system/node/node0/meminfo",			    0444},
	{ "/sys/kernel/mm/transparent_hugepage/enabled",		 0   },
	{ "/sys/kernel/uevent_seqnum",				       0444},
};

static void fail_text(const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	t_fail(__FILE__, __LINE__, text);
}

static void files_that_programs_read_are_there_with_their_modes(void)
{
	struct stat st;
	unsigned i;

	for (i = 0; i < sizeof files / sizeof *files; i++) {
		if (stat(files[i].path, &st)) {
			if (in_sandbox())
				fail_text("%s is missing", files[i].path);
			continue;
		}
		if (files[i].mode && (st.st_mode & 07777) != files[i].mode)
			fail_text("%s has mode %o, not %o", files[i].path, st.st_mode & 07777,
				  files[i].mode);
	}
}

static ssize_t read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	buf[n > 0 ? n : 0] = 0;
	close(fd);
	return n;
}

/* 0 or -errno. */
static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static void numbers_take_what_is_there_and_refuse_nonsense(void)
{
	static const char *const paths[] = {
		"/proc/sys/kernel/pid_max",	"/proc/sys/kernel/threads-max",
		"/proc/sys/vm/max_map_count",	"/proc/sys/vm/swappiness",
		"/proc/sys/net/core/somaxconn", "/proc/sys/fs/nr_open"
	};
	char before[64], after[64];
	unsigned i;

	for (i = 0; i < sizeof paths / sizeof *paths; i++) {
		if (read_text(paths[i], before, sizeof before) < 0)
			continue;
		if (write_text(paths[i], before) == -EROFS)
			t_skip("/proc/sys is read-only here");
		CHECK_EQ(write_text(paths[i], "x"), -EINVAL);
		CHECK_EQ(write_text(paths[i], "12x"), -EINVAL);
		CHECK_EQ(write_text(paths[i], "99999999999999999999999"), -EINVAL);
		CHECK_EQ(write_text(paths[i], "-1"), -EINVAL);
		CHECK_EQ(write_text(paths[i], " \n"), -EINVAL);
		CHECK(read_text(paths[i], after, sizeof after) > 0);
		CHECK_EQ(strcmp(before, after), 0);
	}
	CHECK_EQ(write_text("/proc/sys/kernel/pid_max", "300"), -EINVAL);
}

static void an_ordinary_user_cannot_write(void)
{
	if (geteuid())
		t_skip("needs root");
	CHECK_EQ(setresuid(1000, 1000, 1000), 0);
	CHECK_EQ(write_text("/proc/sys/kernel/pid_max", "40000"), -EACCES);
	CHECK_EQ(write_text("/proc/sys/kernel/sem", "1"), -EACCES);
	CHECK_EQ(write_text("/proc/sys/kernel/random/uuid", "1"), -EACCES);
}

static void limits_of_system_v_objects_are_obeyed(void)
{
	char before[64];
	struct msgbuf {
		long type;
		char text[64];
	} m = { 1, "" };
	int id;

	if (unshare(CLONE_NEWIPC) || write_text("/proc/sys/kernel/shmmni", "4096"))
		t_skip("needs a namespace of its own, and /proc/sys to write");
	CHECK(read_text("/proc/sys/kernel/sem", before, sizeof before) > 0);
	CHECK_EQ(write_text("/proc/sys/kernel/shmmni", "1"), 0);
	id = MUST(shmget(IPC_PRIVATE, 4096, 0600));
	CHECK_ERRNO(shmget(IPC_PRIVATE, 4096, 0600), ENOSPC);
	shmctl(id, IPC_RMID, NULL);
	CHECK_EQ(write_text("/proc/sys/kernel/shmmni", "4096"), 0);
	CHECK_EQ(write_text("/proc/sys/kernel/sem", "4 100 2 10"), 0);
	CHECK_ERRNO(semget(IPC_PRIVATE, 5, 0600), EINVAL);
	id = MUST(semget(IPC_PRIVATE, 4, 0600));
	CHECK_ERRNO(semop(id, (struct sembuf[3]){ { 0 } }, 3), E2BIG);
	semctl(id, 0, IPC_RMID);
	CHECK_EQ(write_text("/proc/sys/kernel/sem", before), 0);
	CHECK_EQ(write_text("/proc/sys/kernel/msgmax", "16"), 0);
	id = MUST(msgget(IPC_PRIVATE, 0600));
	CHECK_ERRNO(msgsnd(id, &m, 17, IPC_NOWAIT), EINVAL);
	CHECK_EQ(msgsnd(id, &m, 16, IPC_NOWAIT), 0);
	msgctl(id, IPC_RMID, NULL);
	CHECK_EQ(write_text("/proc/sys/kernel/msgmax", "8192"), 0);
}

static void system_v_objects_are_listed(void)
{
	int id = MUST(shmget(IPC_PRIVATE, 12345, 0640));
	char text[8192], line[40];

	snprintf(line, sizeof line, " %10d   640 %21d", id, 12345);
	CHECK(read_text("/proc/sysvipc/shm", text, sizeof text) > 0);
	shmctl(id, IPC_RMID, NULL);
	CHECK(strstr(text, line) != NULL);
}

static void the_login_user_is_set_once_and_inherited(void)
{
	char text[32];
	pid_t pid;

	if (read_text("/proc/self/loginuid", text, sizeof text) < 0 || strcmp(text, "4294967295"))
		t_skip("somebody is logged in, or there is no audit");
	CHECK_EQ(write_text("/proc/self/loginuid", "x"), -EINVAL);
	CHECK_EQ(write_text("/proc/1/loginuid", "7"), -EPERM);
	if (write_text("/proc/self/loginuid", "1000"))
		t_skip("not permitted here");
	CHECK(read_text("/proc/self/loginuid", text, sizeof text) > 0);
	CHECK_EQ(strcmp(text, "1000"), 0);
	CHECK(read_text("/proc/self/sessionid", text, sizeof text) > 0);
	CHECK(strcmp(text, "4294967295") != 0);
	pid = t_fork();
	if (!pid) {
		CHECK(read_text("/proc/self/loginuid", text, sizeof text) > 0);
		_exit(strcmp(text, "1000") != 0);
	}
	t_wait_exit(pid, 0);
}

static void the_core_filter_takes_its_bits(void)
{
	char text[32];

	CHECK_EQ(write_text("/proc/self/coredump_filter", "0x7f"), 0);
	CHECK_EQ(read_text("/proc/self/coredump_filter", text, sizeof text), 9);
	CHECK_EQ(strcmp(text, "0000007f\n"), 0);
	CHECK_EQ(write_text("/proc/self/coredump_filter", "junk"), -EINVAL);
	CHECK_EQ(write_text("/proc/self/coredump_filter", "51\n"), 0);
	CHECK(read_text("/proc/self/coredump_filter", text, sizeof text) > 0);
	CHECK_EQ(strcmp(text, "00000033\n"), 0);
}

static void timer_slack_is_what_prctl_says(void)
{
	char text[32];

	CHECK_EQ(write_text("/proc/self/timerslack_ns", "70000"), 0);
	CHECK_EQ(prctl(PR_GET_TIMERSLACK), 70000);
	CHECK_EQ(write_text("/proc/self/timerslack_ns", "0"), 0);
	CHECK(read_text("/proc/self/timerslack_ns", text, sizeof text) > 0);
	CHECK_EQ(strcmp(text, "50000\n"), 0);
	CHECK_EQ(write_text("/proc/self/timerslack_ns", "x"), -EINVAL);
}

static void pagemap_knows_what_is_there(void)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t v[2];

	CHECK(fd >= 0);
	*(volatile char *)p = 1;
	CHECK_EQ(pread(fd, v, 16, (off_t)((uintptr_t)p / 4096 * 8)), 16);
	CHECK_EQ(v[0] >> 63, 1);
	CHECK_EQ(v[1] >> 63, 0);
	CHECK_ERRNO(pread(fd, v, 16, 4), EINVAL);
	CHECK_ERRNO(pread(fd, v, 7, 0), EINVAL);
}

static void map_files_lead_to_the_mapped_file(void)
{
	int fd = open("mapped", O_RDWR | O_CREAT, 0600);
	char path[80], target[200];
	struct stat a, b;
	ssize_t n;
	char *p;

	CHECK_EQ(ftruncate(fd, 4096), 0);
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	snprintf(path, sizeof path, "/proc/self/map_files/%lx-%lx", (unsigned long)p,
		 (unsigned long)p + 4096);
	n = readlink(path, target, sizeof target - 1);
	CHECK(n > 0);
	target[n] = 0;
	CHECK(strstr(target, "/mapped") != NULL);
	munmap(p, 4096);
	CHECK_ERRNO(readlink(path, target, sizeof target), ENOENT);
	CHECK_EQ(fstat(fd, &a), 0);
	CHECK_EQ(stat("mapped", &b), 0);
	CHECK_EQ(a.st_ino, b.st_ino);
}

static void children_are_listed(void)
{
	char text[64], want[16];
	pid_t pid = t_fork();

	if (!pid) {
		pause();
		_exit(0);
	}
	snprintf(want, sizeof want, "%d ", pid);
	CHECK(read_text("/proc/thread-self/children", text, sizeof text) > 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK_EQ(strcmp(text, want), 0);
}

TEST_PROGRAM(proc_files, CASE(files_that_programs_read_are_there_with_their_modes),
	     CASE(numbers_take_what_is_there_and_refuse_nonsense),
	     CASE(an_ordinary_user_cannot_write), CASE(limits_of_system_v_objects_are_obeyed),
	     CASE(system_v_objects_are_listed), CASE(the_login_user_is_set_once_and_inherited),
	     CASE(the_core_filter_takes_its_bits), CASE(timer_slack_is_what_prctl_says),
	     CASE(pagemap_knows_what_is_there), CASE(map_files_lead_to_the_mapped_file),
	     CASE(children_are_listed));
