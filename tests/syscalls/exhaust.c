/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exhaust.c - an ordinary user makes as much as he can of each kind of object
 *
 * Rules     Meanwhile a process of another user goes on: forks, opens, allocates, each round within seconds (a
 *           fraction of one on an idle machine). Afterwards, when the user's processes are gone and what
 *           stays by design is removed, the memory is back. Inside the sandbox "as much as he can" is until
 *           the kernel refuses or TRY_MS are over; on other hosts a few hundred, which only shows that the
 *           program is right.
 * See       guestkernel/README.md, "Who pays"; user_limits.c
 */
#include "tests/lib/t.h"

#include <dirent.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/xattr.h>
#include <time.h>

#define GREEDY	  54361
#define BYSTANDER 54362
#define TRY_MS	  1500
#define GAP_MS	  4000 /* hosts are busy; a CPU that is lost is lost for longer */
#define FEW	  200
#define BACK_KB	  6144 /* caches keep some */
#define AREA	  "/tmp/exhaust"

static struct shared {
	volatile long rounds;
	volatile long long worst_ms;
	volatile int made; /* the greedy one has all it can get */
	volatile int over;
} * shared;

static long long until;

static int inside(void)
{
	return access("/proc/monitor/missing_syscalls", F_OK) == 0;
}

/* May the greedy one go on with object n? */
static int more(long n)
{
	return inside() ? t_now_ms() < until : n < FEW;
}

static long free_kb(void)
{
	char text[4096], *line;

	t_read_file("/proc/meminfo", text, sizeof text);
	line = strstr(text, "MemFree:");
	return line ? atol(line + 8) : 0;
}

static void bystander(void)
{
	long long start, took;

	t_become_user(BYSTANDER);
	while (!shared->over) {
		char *mem;
		pid_t pid;
		int fd;

		start = t_now_ms();
		fd = open("/dev/null", O_WRONLY);
		CHECK(fd >= 0 && write(fd, "x", 1) == 1);
		close(fd);
		mem = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(mem != MAP_FAILED);
		memset(mem, 1, 65536);
		munmap(mem, 65536);
		pid = fork();
		if (pid == 0)
			_exit(0);
		CHECK(pid > 0 || errno == EAGAIN || errno == ENOMEM);
		if (pid > 0)
			t_wait_exit(pid, 0);
		took = t_now_ms() - start;
		if (took > shared->worst_ms)
			shared->worst_ms = took;
		shared->rounds++;
		usleep(5000);
	}
	_exit(0);
}

static void kill_user(void)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		t_become_user(GREEDY);
		kill(-1, SIGKILL);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void remove_ipc(void)
{
	struct shmid_ds ds;
	struct shm_info si;
	int last = shmctl(0, SHM_INFO, (struct shmid_ds *)&si);

	for (int i = 0; i <= last; i++) {
		int id = shmctl(i, SHM_STAT, &ds);

		if (id >= 0 && ds.shm_perm.uid == GREEDY)
			shmctl(id, IPC_RMID, NULL);
	}
	last = semctl(0, 0, SEM_INFO, &(struct seminfo){ 0 });
	for (int i = 0; i <= last; i++) {
		struct semid_ds sd;
		int id = semctl(i, 0, SEM_STAT, &sd);

		if (id >= 0 && sd.sem_perm.uid == GREEDY)
			semctl(id, 0, IPC_RMID);
	}
	last = msgctl(0, MSG_INFO, (struct msqid_ds *)&(struct msginfo){ 0 });
	for (int i = 0; i <= last; i++) {
		struct msqid_ds md;
		int id = msgctl(i, MSG_STAT, &md);

		if (id >= 0 && md.msg_perm.uid == GREEDY)
			msgctl(id, IPC_RMID, NULL);
	}
}

static void remove_tree(void)
{
	char path[512];
	DIR *dir = opendir(AREA);
	struct dirent *e;

	while (dir && (e = readdir(dir)) != NULL) {
		snprintf(path, sizeof path, AREA "/%s", e->d_name);
		remove(path);
	}
	if (dir)
		closedir(dir);
	rmdir(AREA);
}

static void settle(long want_kb)
{
	for (int i = 0; i < 100 && free_kb() < want_kb; i++)
		usleep(50000);
}

static void try_all_of(void (*make)(void))
{
	long before, rounds;
	pid_t other, greedy;

	t_need_cap(6); /* CAP_SETUID: root */
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(mkdir(AREA, 0777) && errno != EEXIST ? -1 : 0);
	MUST(chmod(AREA, 0777));
	MUST(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	before = free_kb();
	other = t_fork();
	if (other == 0)
		bystander();
	greedy = t_fork();
	if (greedy == 0) {
		struct rlimit all;

		setsid();
		MUST(getrlimit(RLIMIT_NOFILE, &all));
		all.rlim_cur = all.rlim_max;
		MUST(setrlimit(RLIMIT_NOFILE, &all));
		MUST(chdir(AREA));
		t_become_user(GREEDY);
		until = t_now_ms() + TRY_MS;
		make();
		shared->made = 1;
		pause();
	}
	for (int i = 0; i < 200 && !shared->made && waitpid(greedy, NULL, WNOHANG) == 0; i++)
		usleep(50000);
	rounds = shared->rounds;
	for (int i = 0; i < GAP_MS / 50 && shared->rounds < rounds + 2; i++)
		usleep(50000);
	CHECK(shared->rounds >= rounds + 2);
	kill_user();
	shared->over = 1;
	t_wait_exit(other, 0);
	while (wait(NULL) > 0)
		;
	CHECK(shared->worst_ms < GAP_MS);
	remove_ipc();
	remove_tree();
	if (inside()) {
		settle(before - BACK_KB);
		CHECK_EQ(free_kb() < before - BACK_KB ? before - free_kb() : 0, 0);
	}
}

static void *sleep_for_ever(void *arg)
{
	pause();
	return arg;
}

static void make_threads(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 16384);
	for (long n = 0; more(n) && pthread_create(&thread, &attr, sleep_for_ever, NULL) == 0; n++)
		;
}

static void make_processes(void)
{
	for (long n = 0; more(n); n++) {
		pid_t pid = fork();

		if (pid == 0) {
			pause();
			_exit(0);
		}
		if (pid < 0)
			return;
	}
}

static void make_full_pipes(void)
{
	static char data[65536];
	int fds[2];

	for (long n = 0; more(n) && pipe2(fds, O_NONBLOCK) == 0; n++) {
		fcntl(fds[1], F_SETPIPE_SZ, 1 << 20);
		while (write(fds[1], data, sizeof data) > 0)
			;
	}
}

static void make_full_sockets(void)
{
	static char data[65536];
	int fds[2];

	for (long n = 0; more(n) && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0;
	     n++)
		while (write(fds[1], data, sizeof data) > 0)
			;
}

static void send_descriptors(void)
{
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(100 * sizeof(int))];
	} c;
	struct iovec iov = { "x", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c };
	int fds[2];

	m.msg_controllen = sizeof c;
	c.h = (struct cmsghdr){ CMSG_LEN(100 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	for (long n = 0; more(n); n++) {
		if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds))
			return;
		for (int i = 0; i < 100; i++)
			memcpy(CMSG_DATA(&c.h) + i * sizeof(int), &fds[i & 1], sizeof(int));
		while (sendmsg(fds[0], &m, 0) > 0)
			;
		close(fds[0]);
		close(fds[1]);
	}
}

static void watch_with_epoll(void)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int file = eventfd(0, 0), e, f;

	for (long n = 0; more(n); n++) {
		e = epoll_create1(0);
		f = dup(file);
		if (e < 0 || f < 0)
			return;
		for (int fd = file; fd <= f && more(0); fd += 7)
			epoll_ctl(e, EPOLL_CTL_ADD, fd, &ev);
	}
}

static void watch_with_inotify(void)
{
	char name[32];

	for (long n = 0; more(n); n++) {
		int fd = inotify_init1(IN_NONBLOCK);

		if (fd < 0)
			return;
		for (int i = 0; i < 2000 && more(i); i++) {
			snprintf(name, sizeof name, "d%d", i);
			if (n == 0)
				mkdir(name, 0777);
			if (inotify_add_watch(fd, name, IN_ALL_EVENTS) < 0)
				return;
		}
	}
}

static void lock_bytes(void)
{
	int fd = open("lock", O_RDWR | O_CREAT, 0600);

	for (long n = 0; more(n); n++) {
		struct flock l = { .l_type = F_WRLCK, .l_start = 2 * n, .l_len = 1 };

		if (fcntl(fd, F_SETLK, &l))
			return;
	}
}

static void make_timers_and_signals(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_NONE };
	union sigval v = { 0 };
	sigset_t all;
	int id;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (long n = 0; more(n) && !syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &id); n++)
		;
	for (long n = 0; more(n) && !sigqueue(getpid(), SIGRTMIN, v); n++)
		;
}

static void set_attributes(void)
{
	static char value[32768];
	char name[32];
	int fd = open("file", O_RDWR | O_CREAT, 0600);

	for (long n = 0; more(n); n++) {
		snprintf(name, sizeof name, "user.%ld", n);
		if (fsetxattr(fd, name, value, sizeof value, 0))
			return;
	}
}

static void make_ipc_objects(void)
{
	static struct {
		long type;
		char text[8192];
	} m = { .type = 1 };
	int id;

	for (long n = 0; more(n) && semget(IPC_PRIVATE, inside() ? 32000 : 10, 0600) >= 0; n++)
		;
	until += TRY_MS;
	for (long n = 0; more(n) && (id = msgget(IPC_PRIVATE, 0600)) >= 0; n++)
		while (!msgsnd(id, &m, sizeof m.text, IPC_NOWAIT))
			;
	until += TRY_MS;
	for (long n = 0; more(n) && (id = shmget(IPC_PRIVATE, 1 << 20, 0600)) >= 0; n++) {
		char *p = shmat(id, NULL, 0);

		if (p == (void *)-1)
			return;
		memset(p, 1, inside() ? 1 << 20 : 1);
		shmdt(p);
	}
}

static void make_files(void)
{
	static char target[4000];
	char name[32];

	memset(target, 'a', sizeof target - 1);
	for (long n = 0; more(n); n++) {
		snprintf(name, sizeof name, "s%ld", n);
		if (symlink(target, name))
			return;
	}
}

static void make_regions_and_tables(void)
{
	for (long n = 0; more(n); n++) {
		char *p = mmap((void *)(0x100000000 + (n << 21)), 4096, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			return;
		*(volatile char *)p = 1;
	}
}

static void map_and_unmap_everywhere(void)
{
	for (long n = 0; more(n); n++) {
		char *p = mmap((void *)(0x100000000 + (n << 30)), 4096, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			return;
		*(volatile char *)p = 1;
		munmap(p, 4096);
	}
}

static void fill_memory(void)
{
	for (long n = 0; inside() && more(n); n++) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);

		if (p == MAP_FAILED)
			return;
		memset(p, 1, 1 << 20);
	}
}

static void install_filters(void)
{
	static struct sock_filter code[4000];
	struct sock_fprog prog = { .len = 4000, .filter = code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	for (int i = 0; i < 4000; i++)
		code[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	for (long n = 0; more(n); n++) {
		pid_t pid = fork();

		if (pid == 0) {
			while (more(0) && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0)
				;
			pause();
			_exit(0);
		}
		if (pid < 0)
			return;
	}
}

static void names_looked_up_often_take_memory_once(void)
{
	static const char *const paths[] = {
		"/proc/sys/kernel/hostname", "/proc/tty/drivers",   "/proc/self/status",
		"/proc/self/net/dev",	     "/proc/self/ns/pid",   "/proc/self/fdinfo/0",
		"/proc/self/task",	     "/proc/self/limits/x", "/dev/pts/no-terminal",
	};
	long before = free_kb();

	for (int i = 0; i < 40000; i++)
		access(paths[i % (int)(sizeof paths / sizeof paths[0])], F_OK);
	if (inside())
		CHECK(free_kb() > before - BACK_KB / 4);
}

#define KIND(name, make)                          \
	static void name##_hurt_nobody_else(void) \
	{                                         \
		try_all_of(make);                 \
	}
KIND(threads, make_threads)
KIND(processes, make_processes)
KIND(full_pipes, make_full_pipes)
KIND(full_sockets, make_full_sockets)
KIND(descriptors_in_flight, send_descriptors)
KIND(epoll_watches, watch_with_epoll)
KIND(inotify_watches, watch_with_inotify)
KIND(record_locks, lock_bytes)
KIND(timers_and_signals, make_timers_and_signals)
KIND(extended_attributes, set_attributes)
KIND(ipc_objects, make_ipc_objects)
KIND(names_in_directories, make_files)
KIND(regions_and_tables, make_regions_and_tables)
KIND(tables_of_unmapped_ranges, map_and_unmap_everywhere)
KIND(anonymous_pages, fill_memory)
KIND(seccomp_filters, install_filters)

TEST_PROGRAM(exhaust, CASE(threads_hurt_nobody_else), CASE(processes_hurt_nobody_else),
	     CASE(full_pipes_hurt_nobody_else), CASE(full_sockets_hurt_nobody_else),
	     CASE(descriptors_in_flight_hurt_nobody_else), CASE(epoll_watches_hurt_nobody_else),
	     CASE(inotify_watches_hurt_nobody_else), CASE(record_locks_hurt_nobody_else),
	     CASE(timers_and_signals_hurt_nobody_else), CASE(extended_attributes_hurt_nobody_else),
	     CASE(ipc_objects_hurt_nobody_else), CASE(names_in_directories_hurt_nobody_else),
	     CASE(regions_and_tables_hurt_nobody_else),
	     CASE(tables_of_unmapped_ranges_hurt_nobody_else),
	     CASE(anonymous_pages_hurt_nobody_else), CASE(seccomp_filters_hurt_nobody_else),
	     CASE(names_looked_up_often_take_memory_once));
