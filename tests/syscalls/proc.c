/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc.c - what programs read in /proc
 *
 * See       proc(5)
 */
#include "tests/lib/t.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

static char buf[65536];

static char *slurp(const char *path)
{
	t_read_file(path, buf, sizeof(buf));
	return buf;
}

static char *link_of(const char *path)
{
	ssize_t n = MUST(readlink(path, buf, sizeof(buf) - 1));

	buf[n] = '\0';
	return buf;
}

static void status_tells_ids_and_signals(void)
{
	char line[64];

	slurp("/proc/self/status");
	snprintf(line, sizeof(line), "\nPid:\t%d\n", getpid());
	CHECK(strstr(buf, line));
	snprintf(line, sizeof(line), "\nPPid:\t%d\n", getppid());
	CHECK(strstr(buf, line));
	CHECK(!strncmp(buf, "Name:\t", 6));
	CHECK(strstr(buf, "\nUid:\t0\t0\t0\t0\n"));
	CHECK(strstr(buf, "\nThreads:\t1\n"));
	CHECK(strstr(buf, "\nVmRSS:\t"));
	CHECK(strstr(buf, "\nSigBlk:\t"));
	CHECK(strstr(buf, "\nCapEff:\t"));
	CHECK(strstr(buf, "\nState:\tR (running)\n"));
}

static void stat_has_its_fields(void)
{
	int pid, ppid, pgrp, session;
	char state, *close_paren;

	MUST(prctl(PR_SET_NAME, "a) b", 0, 0, 0));
	slurp("/proc/self/stat");
	CHECK_EQ(atoi(buf), getpid());
	CHECK(strstr(buf, "(a) b)"));
	close_paren = strrchr(buf, ')');
	CHECK_EQ(sscanf(close_paren + 2, "%c %d %d %d", &state, &ppid, &pgrp, &session), 4);
	pid = getpid();
	CHECK(state == 'R' && ppid == getppid() && pgrp == getpgid(pid) && session == getsid(0));
	slurp("/proc/self/comm");
	CHECK(!strcmp(buf, "a) b\n"));
	slurp("/proc/self/statm");
	CHECK(atoi(buf) > 0);
}

static void maps_name_the_regions(void)
{
	char *p = MUST(mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	char line[64];

	snprintf(line, sizeof(line), "%lx", (unsigned long)(uintptr_t)p);
	slurp("/proc/self/maps");
	CHECK(strstr(buf, line));
	CHECK(strstr(buf, "[stack]"));
	CHECK(strstr(buf, "[vdso]"));
	CHECK(strstr(buf, " r-xp "));
	CHECK(strstr(buf, "syscalls_all"));
}

static void links_lead_to_places(void)
{
	char cwd[4096];

	CHECK(!strcmp(link_of("/proc/self/exe"), t_self()));
	CHECK(getcwd(cwd, sizeof(cwd)));
	CHECK(!strcmp(link_of("/proc/self/cwd"), cwd));
	CHECK(!strcmp(link_of("/proc/self/root"), "/"));
	CHECK_EQ(atoi(link_of("/proc/self")), getpid());
	CHECK(strstr(link_of("/proc/thread-self"), "/task/"));
}

static void command_line_and_environment(void)
{
	size_t n = t_read_file("/proc/self/cmdline", buf, sizeof(buf));

	CHECK(n > 1 && buf[n - 1] == '\0');
	CHECK(strstr(buf, "syscalls_all"));
	MUST(open("/proc/self/environ", O_RDONLY));
	n = t_read_file("/proc/self/auxv", buf, sizeof(buf));
	CHECK(n > 64 && n % 16 == 0);
}

static void descriptors_are_links(void)
{
	char path[64], cwd[4096];
	struct dirent *e;
	int fds[2], seen = 0, fd = t_temp_fd();
	struct stat st;
	DIR *dir;

	MUST(pipe(fds));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	CHECK(!strncmp(link_of(path), "pipe:[", 6));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK(getcwd(cwd, sizeof(cwd)));
	strcat(cwd, "/temp-file");
	CHECK(!strcmp(link_of(path), cwd));
	MUST(unlink("temp-file"));
	strcat(cwd, " (deleted)");
	CHECK(!strcmp(link_of(path), cwd));
	CHECK_EQ(write(fd, "deleted", 7), 7);
	CHECK_EQ(t_read_file(path, buf, sizeof(buf)), 7);
	dir = opendir("/proc/self/fd");
	while ((e = readdir(dir)) != NULL)
		seen += atoi(e->d_name) == fds[1] || atoi(e->d_name) == fd ||
			atoi(e->d_name) == dirfd(dir);
	CHECK_EQ(seen, 3);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	MUST(lstat(path, &st));
	CHECK_EQ(st.st_size, 64);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	CHECK(strstr(slurp(path), "pos:\t7\n"));
}

static void processes_appear_and_vanish(void)
{
	struct t_gate stop;
	siginfo_t info;
	char path[64];
	pid_t pid;

	t_gate_init(&stop);
	pid = t_fork();
	if (pid == 0) {
		t_gate_wait(&stop);
		_exit(0);
	}
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	CHECK_EQ(atoi(slurp(path)), pid);
	t_gate_open(&stop);
	MUST(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	CHECK(strstr(slurp(path), ") Z "));
	t_wait_exit(pid, 0);
	CHECK_ERRNO(open(path, O_RDONLY), ENOENT);
}

static void the_list_holds_this_process(void)
{
	struct dirent *e;
	int seen = 0;
	DIR *dir = opendir("/proc");

	CHECK(dir != NULL);
	while ((e = readdir(dir)) != NULL)
		seen += atoi(e->d_name) == getpid();
	CHECK_EQ(seen, 1);
	snprintf(buf, sizeof(buf), "/proc/%d/task/%d/stat", getpid(), getpid());
	MUST(open(buf, O_RDONLY));
}

static void system_files(void)
{
	CHECK(strstr(slurp("/proc/cpuinfo"), "processor"));
	CHECK(strstr(slurp("/proc/meminfo"), "MemTotal:"));
	CHECK(strstr(buf, "MemAvailable:"));
	CHECK(strchr(slurp("/proc/uptime"), '.'));
	CHECK(!strncmp(slurp("/proc/stat"), "cpu ", 4));
	CHECK(strstr(buf, "\nbtime "));
	CHECK(strchr(slurp("/proc/loadavg"), '/'));
	CHECK(!strncmp(slurp("/proc/version"), "Linux version ", 14));
	CHECK(strstr(slurp("/proc/filesystems"), "tmpfs"));
	CHECK(strstr(slurp("/proc/mounts"), " /proc proc "));
	CHECK(strstr(slurp("/proc/self/mountinfo"), " - proc "));
}

static void sysctl_files(void)
{
	CHECK(atoi(slurp("/proc/sys/kernel/pid_max")) > 300);
	CHECK(strlen(slurp("/proc/sys/kernel/osrelease")) > 3);
	CHECK(strlen(slurp("/proc/sys/kernel/hostname")) > 0);
	CHECK(strlen(slurp("/proc/sys/kernel/random/uuid")) == 37);
	CHECK(atoi(slurp("/proc/sys/vm/overcommit_memory")) >= 0);
	CHECK(atol(slurp("/proc/sys/fs/file-max")) > 0);
}

static void files_are_read_only_and_without_size(void)
{
	struct stat st;

	MUST(stat("/proc/self/status", &st));
	CHECK(S_ISREG(st.st_mode));
	CHECK_EQ(st.st_size, 0);
	CHECK_ERRNO(open("/proc/newfile", O_CREAT | O_WRONLY, 0600), ENOENT);
	CHECK_ERRNO(mkdir("/proc/newdir", 0700), ENOENT);
}

static void reading_in_pieces_gives_the_same(void)
{
	char whole[8192], pieces[8192];
	size_t n, done = 0;
	ssize_t got;
	int fd = MUST(open("/proc/filesystems", O_RDONLY));

	n = t_read_file("/proc/filesystems", whole, sizeof(whole));
	while ((got = MUST(read(fd, pieces + done, 7))) > 0)
		done += (size_t)got;
	CHECK_EQ(done, n);
	CHECK(!memcmp(whole, pieces, n));
	CHECK_EQ(lseek(fd, 3, SEEK_SET), 3);
	CHECK_EQ(read(fd, pieces, 4), 4);
	CHECK(!memcmp(pieces, whole + 3, 4));
}

static void memory_can_be_read_through_mem(void)
{
	static char text[] = "to be found";
	char copy[12];
	int fd = MUST(open("/proc/self/mem", O_RDWR));

	CHECK_EQ(pread(fd, copy, 12, (off_t)(uintptr_t)text), 12);
	CHECK(!strcmp(copy, text));
	CHECK_EQ(pwrite(fd, "T", 1, (off_t)(uintptr_t)text), 1);
	CHECK(text[0] == 'T');
	CHECK_ERRNO(pread(fd, copy, 1, 16), EIO);
}

static int thread_id;

static void *stay(void *arg)
{
	__atomic_store_n(&thread_id, (int)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	pause();
	return arg;
}

static void threads_can_be_entered_but_are_not_listed(void)
{
	char path[64], want[32];
	struct dirent *e;
	struct stat st;
	pthread_t t;
	int seen = 0;
	DIR *d;

	CHECK_EQ(pthread_create(&t, NULL, stay, NULL), 0);
	while (!__atomic_load_n(&thread_id, __ATOMIC_SEQ_CST))
		sched_yield();
	snprintf(path, sizeof path, "/proc/%d/status", thread_id);
	t_read_file(path, buf, sizeof buf);
	snprintf(want, sizeof want, "\nTgid:\t%d\n", getpid());
	CHECK(strstr(buf, want) != NULL);
	snprintf(want, sizeof want, "\nPid:\t%d\n", thread_id);
	CHECK(strstr(buf, want) != NULL);
	snprintf(path, sizeof path, "/proc/%d/task/%d", thread_id, getpid());
	MUST(stat(path, &st));
	d = opendir("/proc");
	while ((e = readdir(d)) != NULL)
		seen += atoi(e->d_name) == thread_id;
	CHECK_EQ(seen, 0);
}

TEST_PROGRAM(proc, CASE(status_tells_ids_and_signals), CASE(stat_has_its_fields),
	     CASE(maps_name_the_regions), CASE(links_lead_to_places),
	     CASE(command_line_and_environment), CASE(descriptors_are_links),
	     CASE(processes_appear_and_vanish), CASE(the_list_holds_this_process),
	     CASE(system_files), CASE(sysctl_files), CASE(files_are_read_only_and_without_size),
	     CASE(reading_in_pieces_gives_the_same), CASE(memory_can_be_read_through_mem),
	     CASE(threads_can_be_entered_but_are_not_listed));
