// SPDX-License-Identifier: Apache-2.0
/*
 * values - arguments for random system calls: likely ones mostly, edges often, nonsense now and then
 *
 * Rules     Everything comes from the thread's random sequence. Processes are this worker and its children alone, so that
 *           no call can end its supervisor.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/calls/calls.h"

#define POOL_BYTES  (1u << 20)
#define PAGE	    4096u
#define DESCRIPTORS 64
#define CHILDREN    16

static char *pool, *common;
static int child[CHILDREN];
static unsigned nr_children;
static __thread uint64_t state;

void random_seed(uint64_t seed)
{
	state = seed * 0x9e3779b97f4a7c15ull + 0x2545f4914f6cdd1dull;
}

/* splitmix64 */
uint64_t random64(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

uint32_t below(uint32_t n)
{
	return (uint32_t)((random64() >> 32) * n >> 32);
}

static const char *const paths[] = {
	"a",
	"b",
	"dir",
	"dir/x",
	"link",
	"fifo",
	"sock",
	"dir/../a",
	"new",
	"dir/new",
	".",
	"..",
	"",
	"/",
	"/tmp",
	"/dev/null",
	"/dev/zero",
	"/dev/full",
	"/dev/urandom",
	"/dev/ptmx",
	"/dev/tty",
	"/dev/pts/0",
	"/dev/shm/q",
	"/dev/fd/5",
	"/proc",
	"/proc/self",
	"/proc/self/maps",
	"/proc/self/smaps",
	"/proc/self/mem",
	"/proc/self/fd/5",
	"/proc/self/fdinfo/7",
	"/proc/self/fd",
	"/proc/self/task",
	"/proc/self/ns/mnt",
	"/proc/self/exe",
	"/proc/self/cwd",
	"/proc/self/root",
	"/proc/self/environ",
	"/proc/self/stat",
	"/proc/self/status",
	"/proc/self/comm",
	"/proc/self/oom_score_adj",
	"/proc/self/clear_refs",
	"/proc/self/pagemap",
	"/proc/self/map_files",
	"/proc/self/attr/current",
	"/proc/self/loginuid",
	"/proc/self/coredump_filter",
	"/proc/self/timerslack_ns",
	"/proc/self/autogroup",
	"/proc/self/sched",
	"/proc/self/mountinfo",
	"/proc/thread-self/children",
	"/proc/1/status",
	"/proc/meminfo",
	"/proc/stat",
	"/proc/locks",
	"/proc/net/unix",
	"/proc/sysvipc/shm",
	"/proc/sysvipc/msg",
	"/proc/sysvipc/sem",
	"/proc/sys/kernel/hostname",
	"/proc/sys/kernel/random/uuid",
	"/proc/sys/fs/file-nr",
	"/sys",
	"/sys/devices/system/cpu/online",
	"/proc/self/fd/999",
	"/etc/passwd",
	"/bin/calls",
	"/proc/self/task/1/mem",
};

static void fill(char *p)
{
	unsigned n = below(5);

	while (n--) {
		uint64_t v = value_of(below(3) ? K_NUM : K_PTR);

		memcpy(p + 8 * below(32), &v, below(2) ? 8 : 4);
	}
}

void *some_memory(void)
{
	switch (below(16)) {
	case 0:
		return NULL;
	case 1:
		return (void *)random64();
	case 2: /* ends at a hole */
		return pool + POOL_BYTES - below(80);
	case 3:
		return (void *)(0xffff800000000000ull + (random64() & 0xffffffffff));
	case 4:
		return (void *)(0x7fffffffffffull - below(8192));
	case 5:
	case 6:
		return common + below(65536);
	default:
		return pool + (below(POOL_BYTES - 2 * PAGE) & ~(below(2) ? 7u : 0u));
	}
}

static bool is_ours(const char *p)
{
	return (p >= pool && p < pool + POOL_BYTES - PAGE) || (p >= common && p < common + 65536);
}

uint64_t some_pages(uint64_t *bytes)
{
	*bytes = PAGE * (uint64_t)below(24);
	return (uintptr_t)pool + PAGE * (uint64_t)below(POOL_BYTES / PAGE - 24);
}

static uint64_t number(void)
{
	switch (below(12)) {
	case 0:
		return below(3);
	case 1:
		return ~0ull - below(8);
	case 2:
		return 1ull << below(64);
	case 3:
		return (1ull << below(64)) - 1;
	case 4:
		return random64();
	case 5:
		return 0x7fffffffu + below(3);
	case 6:
		return PAGE * (uint64_t)below(512);
	case 7:
		return random64() & random64() & random64() & 0xffffffff;
	case 8:
		return below(4096);
	default:
		return below(64);
	}
}

static uint64_t flags(void)
{
	uint64_t v = 0;
	unsigned n = below(5);

	if (!below(20))
		return random64();
	while (n--)
		v |= 1ull << below(below(8) ? 20 : 33);
	return v;
}

static void *a_path(void)
{
	char *p = pool + PAGE * (uint64_t)(1 + below(200));

	if (!below(60)) { /* long and without an end */
		memset(p, below(2) ? 'x' : '/', PAGE);
		return p + below(16);
	}
	strcpy(p, paths[below(sizeof paths / sizeof *paths)]);
	if (!below(8))
		strcat(p, "/x");
	return below(30) ? p : some_memory();
}

static void *a_vector(void)
{
	struct iovec *v = (void *)(pool + 64 * (uint64_t)below(4096));
	unsigned i;

	for (i = 0; i < 8; i++)
		v[i] = (struct iovec){ some_memory(), below(4) ? below(5000) : number() };
	return below(20) ? (void *)v : some_memory();
}

static void *strings(void)
{
	char **v = (void *)(pool + 64 * (uint64_t)below(4096));
	unsigned i, n = below(4);

	for (i = 0; i < n; i++)
		v[i] = a_path();
	v[n] = NULL;
	return below(20) ? (void *)v : some_memory();
}

static void *an_address(void)
{
	struct sockaddr_un *a = (void *)(pool + 128 * (uint64_t)below(4096));

	a->sun_family = below(20) ? AF_UNIX : (sa_family_t)random64();
	memset(a->sun_path, 0, sizeof a->sun_path);
	snprintf(a->sun_path + !below(3), 20, "sock%u", below(4));
	return below(20) ? (void *)a : some_memory();
}

/* Now and then with descriptors, credentials, or nonsense as control data. */
static void *a_message(void)
{
	struct msghdr *m = (void *)(pool + 1024 * (uint64_t)below(512));
	struct cmsghdr *c = (void *)(m + 2);
	unsigned i, n = below(6);

	*m = (struct msghdr){ .msg_iov = a_vector(), .msg_iovlen = below(9) };
	if (below(3)) {
		m->msg_name = an_address();
		m->msg_namelen = below(4) ? 110 : (socklen_t)number();
	}
	if (below(2)) {
		c->cmsg_len = below(8) ? CMSG_LEN(n * sizeof(int)) : number();
		c->cmsg_level = below(10) ? SOL_SOCKET : (int)number();
		c->cmsg_type = below(10) ? 1 + (int)below(2) : (int)number();
		for (i = 0; i < n; i++)
			((int *)CMSG_DATA(c))[i] = (int)below(DESCRIPTORS);
		m->msg_control = c;
		m->msg_controllen = below(8) ? CMSG_SPACE(n * sizeof(int)) : below(512);
	}
	return m;
}

/* Short: a worker has seconds to live. */
static void *a_time(void)
{
	struct timespec *t = (void *)(pool + 64 * (uint64_t)below(4096));
	unsigned i;

	for (i = 0; i < 2; i++)
		t[i] = (struct timespec){ below(10) ? 0 : (time_t)number(),
					  below(10) ? (long)below(20000000) : (long)number() };
	return below(12) ? t : some_memory();
}

void children_add(int pid)
{
	child[nr_children++ % CHILDREN] = pid;
}

static int a_process(void)
{
	switch (below(6)) {
	case 0:
		return 0;
	case 1:
		return 99999;
	case 2:
	case 3:
		return nr_children ? child[below(nr_children < CHILDREN ? nr_children : CHILDREN)]
				   : getpid();
	default:
		return below(2) ? getpid() : (int)syscall(SYS_gettid);
	}
}

static uint64_t memory_with_something(void)
{
	char *p = some_memory();

	if (is_ours(p))
		fill(p);
	return (uintptr_t)p;
}

static uint64_t a_user(void)
{
	static const uint32_t ids[] = { 0, 1000, 65534, 0xffffffff, 1 };

	return ids[below(5)];
}

uint64_t value_of(enum kind kind)
{
	if (!below(100))
		return number();
	switch (kind) {
	case K_DIRFD:
		if (below(2))
			return (uint64_t)AT_FDCWD;
		__attribute__((fallthrough));
	case K_FD:
		return below(30) ? below(DESCRIPTORS) : number();
	case K_PID:
		return (uint64_t)a_process();
	case K_SIG:
		return below(66);
	case K_PATH:
		return (uintptr_t)a_path();
	case K_STRV:
		return (uintptr_t)strings();
	case K_IOV:
	case K_IOVOUT:
		return (uintptr_t)a_vector();
	case K_ADDR:
	case K_ADDROUT:
		return (uintptr_t)an_address();
	case K_MSG:
	case K_MSGOUT:
		return (uintptr_t)a_message();
	case K_TIMESPEC:
	case K_TIMEVAL:
	case K_ITIMERSPEC:
		return (uintptr_t)a_time();
	case K_SIZE:
		return below(4) ? below(9000) : number();
	case K_UID:
	case K_GID:
		return a_user();
	case K_FLAGS:
		return flags();
	case K_ENUM:
		return below(8) ? below(24) : number();
	case K_OFF:
		return below(4) ? below(20000) : number();
	case K_NUM:
		return number();
	default:
		return memory_with_something();
	}
}

static void open_files(void)
{
	static const char *const more[] = { "/proc/self/mem",	 "/proc/self/maps", "/dev/zero",
					    "/dev/urandom",	 "/proc/self/task", "/etc/passwd",
					    "/proc/self/ns/mnt", "/proc",	    "/proc/locks",
					    "/bin/calls" };
	unsigned i;

	mkdir("dir", 0777);
	mkfifo("fifo", 0666);
	(void)!symlink("a", "link");
	i = (unsigned)open("a", O_RDWR | O_CREAT, 0666);
	(void)!write((int)i, pool, 5000);
	open("b", O_RDWR | O_CREAT | O_APPEND, 0666);
	open("dir", O_RDONLY | O_DIRECTORY);
	open("dir/x", O_RDWR | O_CREAT, 0666);
	open("fifo", O_RDWR | O_NONBLOCK);
	open("dir", O_PATH);
	open("/dev/ptmx", O_RDWR | O_NONBLOCK | O_NOCTTY);
	for (i = 0; i < sizeof more / sizeof *more; i++)
		if (open(more[i], O_RDWR) < 0)
			open(more[i], O_RDONLY);
}

static void open_objects(void)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT };
	sigset_t some;
	int p[2], ep, i;

	for (i = 0; i < 3; i++) {
		socketpair(AF_UNIX, types[i] | SOCK_NONBLOCK, 0, p);
		socket(AF_UNIX, types[i] | SOCK_NONBLOCK, 0);
		(void)!pipe2(p, below(2) ? O_NONBLOCK : 0);
	}
	ep = epoll_create1(0);
	epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev);
	epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, ep, &ev);
	eventfd(3, EFD_NONBLOCK);
	timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	inotify_add_watch(inotify_init1(IN_NONBLOCK), ".", IN_ALL_EVENTS);
	sigemptyset(&some);
	sigaddset(&some, SIGUSR2);
	signalfd(-1, &some, SFD_NONBLOCK);
	memfd_create("m", MFD_ALLOW_SEALING);
	syscall(SYS_pidfd_open, getpid(), 0);
}

void values_start(void)
{
	unsigned i;

	pool = mmap(NULL, POOL_BYTES + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	common = mmap(NULL, 1 << 17, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	munmap(pool + POOL_BYTES, PAGE);
	for (i = 0; i < 2000; i++)
		fill(pool + below(POOL_BYTES - PAGE));
	open_files();
	open_objects();
}
