/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pairs.c - two threads on one object: every pair of operations, for every type of object
 *
 * Rules     A type has a way to make an object, operations, and a way to let go of it. Each pair of operations meets on
 *           a fresh object ROUNDS times, both started by one counter, one of them a little late, another bit each
 *           round. No operation waits for anything, and none has a result that could be wrong: what is asked is
 *           that the kernel lives, that both come back, and that no descriptor is left over.
 * See       run it with --cpus=2
 */
#include "tests/lib/t.h"

#include <dirent.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <termios.h>

#define ROUNDS	4
#define OPS_MAX 14
#define BYTES	4096

struct object {
	int fd[4]; /* -1: none */
	char *map;
	pid_t pid;
	unsigned word;
};

typedef void op_fn(struct object *o);

struct type {
	void (*make)(struct object *o);
	op_fn *ops[OPS_MAX];
};

static char bytes[BYTES];

/* Results are nobody's business here. */
static void ignore(long result)
{
	(void)result;
}

/* Any descriptor */

static void close_0(struct object *o)
{
	close(o->fd[0]);
}

static void close_1(struct object *o)
{
	close(o->fd[1]);
}

static void close_2(struct object *o)
{
	close(o->fd[2]);
}

static void read_0(struct object *o)
{
	char buf[64];

	ignore(read(o->fd[0], buf, sizeof(buf)));
}

static void read_1(struct object *o)
{
	char buf[64];

	ignore(read(o->fd[1], buf, sizeof(buf)));
}

static void write_0(struct object *o)
{
	ignore(write(o->fd[0], bytes, 8));
}

static void write_1(struct object *o)
{
	ignore(write(o->fd[1], bytes, 8));
}

static void poll_0(struct object *o)
{
	struct pollfd p = { o->fd[0], POLLIN | POLLOUT, 0 };

	ignore(poll(&p, 1, 0));
}

static void watch_0(struct object *o)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET }, got[2];
	int ep = epoll_create1(0);

	ignore(epoll_ctl(ep, EPOLL_CTL_ADD, o->fd[0], &ev));
	ignore(epoll_wait(ep, got, 2, 0));
	close(ep);
}

static void dup_0(struct object *o)
{
	int fd = dup(o->fd[0]);

	if (fd >= 0)
		close(fd);
}

/* Pipes */

static void make_pipe(struct object *o)
{
	MUST(pipe2(o->fd, O_NONBLOCK));
	CHECK_EQ(write(o->fd[1], bytes, 10), 10);
	o->fd[2] = MUST(open("/dev/null", O_WRONLY));
}

static void splice_out(struct object *o)
{
	ignore(splice(o->fd[0], NULL, o->fd[2], NULL, 100, SPLICE_F_NONBLOCK));
}

static void vmsplice_in(struct object *o)
{
	struct iovec iov = { bytes, 100 };

	ignore(vmsplice(o->fd[1], &iov, 1, SPLICE_F_NONBLOCK));
}

static void resize(struct object *o)
{
	ignore(fcntl(o->fd[1], F_SETPIPE_SZ, 8192));
	ignore(fcntl(o->fd[1], F_SETPIPE_SZ, 4096));
}

static void tee_elsewhere(struct object *o)
{
	int other[2];

	if (pipe2(other, O_NONBLOCK) < 0)
		return;
	ignore(tee(o->fd[0], other[1], 100, SPLICE_F_NONBLOCK));
	ignore(splice(o->fd[0], NULL, other[1], NULL, 5, SPLICE_F_NONBLOCK));
	close(other[0]);
	close(other[1]);
}

static void reopen(struct object *o)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", o->fd[0]);
	fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0)
		close(fd);
}

static const struct type pipe_type = {
	make_pipe,
	{read_0, write_1, poll_0, watch_0, close_0, close_1, splice_out, vmsplice_in, resize,
	  tee_elsewhere, reopen}
};

/* eventfd, timerfd */

static void make_eventfd(struct object *o)
{
	o->fd[0] = MUST(eventfd(1, EFD_NONBLOCK));
}

static const struct type eventfd_type = {
	make_eventfd, {read_0, write_0, poll_0, watch_0, close_0, dup_0}
};

static void make_timerfd(struct object *o)
{
	o->fd[0] = MUST(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
}

static void set_timer(struct object *o)
{
	struct itimerspec its = {
		{0,  1000},
		     { 0, 1   }
	};

	ignore(timerfd_settime(o->fd[0], 0, &its, NULL));
}

static void get_timer(struct object *o)
{
	struct itimerspec its;

	ignore(timerfd_gettime(o->fd[0], &its));
}

static const struct type timerfd_type = {
	make_timerfd, {read_0, set_timer, get_timer, poll_0, watch_0, close_0, dup_0}
};

/* epoll: 0 watches 1, the reading end of a pipe; 2 writes it; 3 is another instance. */

static void ctl(int ep, int op, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events };

	ignore(epoll_ctl(ep, op, fd, &ev));
}

static void make_epoll(struct object *o)
{
	MUST(pipe2(o->fd + 1, O_NONBLOCK));
	o->fd[0] = MUST(epoll_create1(0));
	o->fd[3] = MUST(epoll_create1(0));
	ctl(o->fd[0], EPOLL_CTL_ADD, o->fd[1], EPOLLIN);
}

static void epoll_add(struct object *o)
{
	ctl(o->fd[0], EPOLL_CTL_ADD, o->fd[1], EPOLLIN);
	ctl(o->fd[0], EPOLL_CTL_ADD, o->fd[2], EPOLLOUT | EPOLLET);
}

static void epoll_del(struct object *o)
{
	ctl(o->fd[0], EPOLL_CTL_DEL, o->fd[1], 0);
}

static void epoll_mod(struct object *o)
{
	ctl(o->fd[0], EPOLL_CTL_MOD, o->fd[1], EPOLLIN | EPOLLONESHOT);
}

static void epoll_look(struct object *o)
{
	struct epoll_event got[4];

	ignore(epoll_wait(o->fd[0], got, 4, 0));
}

static void epoll_above(struct object *o)
{
	ctl(o->fd[3], EPOLL_CTL_ADD, o->fd[0], EPOLLIN);
}

static void epoll_below(struct object *o)
{
	ctl(o->fd[0], EPOLL_CTL_ADD, o->fd[3], EPOLLIN);
}

static void write_2(struct object *o)
{
	ignore(write(o->fd[2], bytes, 8));
}

static void close_3(struct object *o)
{
	close(o->fd[3]);
}

static const struct type epoll_type = {
	make_epoll,
	{epoll_add, epoll_del, epoll_mod, epoll_look, epoll_above, epoll_below, write_2, poll_0,
	  close_0, close_1, close_2, close_3}
};

/* Sockets */

static void make_sockets(struct object *o)
{
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, o->fd));
}

static void send_itself(struct object *o)
{
	union {
		char buf[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = { .buf = { 0 } };
	struct iovec iov = { bytes, 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(c), o->fd, 2 * sizeof(int));
	ignore(sendmsg(o->fd[0], &msg, MSG_NOSIGNAL));
}

/* Descriptors that come are closed at once. */
static void receive_all(struct object *o)
{
	char control[CMSG_SPACE(8 * sizeof(int))];
	struct iovec iov = { &(char[64]){ 0 }, 64 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	int fds[8];

	if (recvmsg(o->fd[1], &msg, MSG_DONTWAIT) < 0)
		return;
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		memcpy(fds, CMSG_DATA(c), n * sizeof(int));
		while (n)
			close(fds[--n]);
	}
}

static void shut(struct object *o)
{
	ignore(shutdown(o->fd[0], SHUT_RDWR));
}

static void set_buffer(struct object *o)
{
	int size = 4096;

	ignore(setsockopt(o->fd[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
}

static const struct type socket_type = {
	make_sockets,
	{write_0, read_1, write_1, read_0, send_itself, receive_all, shut, set_buffer, poll_0,
	  watch_0, close_0, close_1}
};

/* Files */

static void make_file(struct object *o)
{
	o->fd[0] = MUST(open("file", O_RDWR | O_CREAT | O_TRUNC, 0644));
	CHECK_EQ(write(o->fd[0], bytes, BYTES), BYTES);
	o->fd[1] = MUST(open("other", O_RDWR | O_CREAT | O_TRUNC, 0644));
}

static void cut(struct object *o)
{
	ignore(ftruncate(o->fd[0], 10));
	ignore(ftruncate(o->fd[0], 3 * BYTES));
}

static void allocate(struct object *o)
{
	ignore(fallocate(o->fd[0], 0, 0, 2 * BYTES));
	ignore(fallocate(o->fd[0], FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, BYTES));
}

static void send_over(struct object *o)
{
	off_t at = 0;

	ignore(sendfile(o->fd[1], o->fd[0], &at, BYTES));
	ignore(copy_file_range(o->fd[0], NULL, o->fd[1], NULL, 100, 0));
}

static void seek(struct object *o)
{
	ignore(lseek(o->fd[0], 0, SEEK_SET));
	ignore(read(o->fd[0], &(char[10]){ 0 }, 10));
}

static void map_and_unmap(struct object *o)
{
	void *p = mmap(NULL, BYTES, PROT_READ, MAP_SHARED, o->fd[0], 0);

	if (p == MAP_FAILED)
		return;
	/* The file may be shorter by now: the kernel looks, and says so. */
	ignore(write(o->fd[1], p, 100));
	munmap(p, BYTES);
}

static void rename_over(struct object *o)
{
	ignore(rename("file", "moved"));
	ignore(rename("other", "file"));
}

static void unlink_both(struct object *o)
{
	ignore(unlink("file"));
	ignore(unlink("moved"));
}

static void open_again(struct object *o)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600);

	if (fd >= 0)
		close(fd);
}

static const struct type file_type = {
	make_file,
	{read_0, write_0, cut, allocate, send_over, seek, map_and_unmap, rename_over, unlink_both,
	  open_again, close_0}
};

static void make_memfd(struct object *o)
{
	o->fd[0] = MUST(memfd_create("pairs", MFD_ALLOW_SEALING));
	CHECK_EQ(write(o->fd[0], bytes, BYTES), BYTES);
	o->fd[1] = MUST(open("/dev/null", O_WRONLY));
}

static void seal(struct object *o)
{
	ignore(fcntl(o->fd[0], F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK));
}

static const struct type memfd_type = {
	make_memfd,
	{read_0, write_0, cut, allocate, seal, map_and_unmap, reopen, send_over, close_0, dup_0}
};

/* Locks */

static void set_lock(struct object *o, int cmd, short type, off_t start, off_t len)
{
	struct flock fl = { .l_type = type, .l_start = start, .l_len = len };

	ignore(fcntl(o->fd[0], cmd, &fl));
}

static void lock_some(struct object *o)
{
	set_lock(o, F_SETLK, F_WRLCK, 10, 10);
	set_lock(o, F_SETLKW, F_RDLCK, 0, 0);
}

static void unlock_some(struct object *o)
{
	set_lock(o, F_SETLK, F_UNLCK, 5, 10);
}

static void ask_lock(struct object *o)
{
	set_lock(o, F_GETLK, F_WRLCK, 0, 0);
}

static void lock_open_file(struct object *o)
{
	set_lock(o, F_OFD_SETLK, F_WRLCK, 0, 5);
	set_lock(o, F_OFD_SETLK, F_UNLCK, 0, 0);
}

static void flock_both_ways(struct object *o)
{
	ignore(flock(o->fd[0], LOCK_EX | LOCK_NB));
	ignore(flock(o->fd[1], LOCK_SH | LOCK_NB));
}

static void make_locked(struct object *o)
{
	o->fd[0] = MUST(open("locked", O_RDWR | O_CREAT, 0644));
	o->fd[1] = MUST(open("locked", O_RDWR));
}

static void unlink_locked(struct object *o)
{
	ignore(unlink("locked"));
}

static const struct type lock_type = {
	make_locked,
	{lock_some, unlock_some, ask_lock, lock_open_file, flock_both_ways, close_0, close_1,
	  dup_0, unlink_locked}
};

/* Directories */

static void make_directory(struct object *o)
{
	ignore(mkdir("dir", 0755));
	o->fd[0] = MUST(open("dir", O_RDONLY | O_DIRECTORY));
}

static void list(struct object *o)
{
	char buf[512];

	ignore(syscall(SYS_getdents64, o->fd[0], buf, sizeof(buf)));
}

static void create_in(struct object *o)
{
	int fd = openat(o->fd[0], "a", O_CREAT | O_RDWR, 0644);

	if (fd >= 0)
		close(fd);
}

static void unlink_in(struct object *o)
{
	ignore(unlinkat(o->fd[0], "a", 0));
	ignore(unlinkat(o->fd[0], "b", 0));
	ignore(unlinkat(o->fd[0], "sub", AT_REMOVEDIR));
}

static void rename_in(struct object *o)
{
	ignore(renameat(o->fd[0], "a", o->fd[0], "b"));
}

static void sub_in(struct object *o)
{
	ignore(mkdirat(o->fd[0], "sub", 0755));
}

static void link_in(struct object *o)
{
	ignore(linkat(o->fd[0], "a", o->fd[0], "b", 0));
	ignore(symlinkat("b", o->fd[0], "a"));
}

static void remove_it(struct object *o)
{
	ignore(rmdir("dir"));
}

static void move_it(struct object *o)
{
	ignore(rename("dir", "dir2"));
	ignore(rename("dir2", "dir"));
}

static const struct type directory_type = {
	make_directory,
	{list, create_in, unlink_in, rename_in, sub_in, link_in, remove_it, move_it, close_0}
};

/* The table of descriptors: 0 is a number both fight for. */

static void make_table(struct object *o)
{
	o->fd[0] = MUST(open("/dev/null", O_RDWR));
	o->fd[1] = 200;
	MUST(dup2(o->fd[0], o->fd[1]));
}

static void dup_over(struct object *o)
{
	ignore(dup2(o->fd[0], o->fd[1]));
}

static void close_many(struct object *o)
{
	ignore(syscall(SYS_close_range, (unsigned)o->fd[1], ~0u, 0));
}

static void mark_many(struct object *o)
{
	ignore(syscall(SYS_close_range, (unsigned)o->fd[0], ~0u, 4)); /* CLOSE_RANGE_CLOEXEC */
}

static void grow_table(struct object *o)
{
	int fd = fcntl(o->fd[0], F_DUPFD, 300 + o->fd[0]);

	if (fd >= 0)
		close(fd);
}

static void list_table(struct object *o)
{
	DIR *d = opendir("/proc/self/fd");

	while (d && readdir(d))
		;
	if (d)
		closedir(d);
}

static void fork_table(struct object *o)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
}

static const struct type table_type = {
	make_table,
	{dup_over, close_1, close_many, mark_many, grow_table, list_table, fork_table, write_1,
	  dup_0, close_0}
};

/* Terminals: 0 the master, 1 the slave */

static void make_pty(struct object *o)
{
	char name[64];
	int nr, unlock = 0;

	o->fd[0] = MUST(open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK));
	MUST(ioctl(o->fd[0], TIOCSPTLCK, &unlock));
	MUST(ioctl(o->fd[0], TIOCGPTN, &nr));
	snprintf(name, sizeof(name), "/dev/pts/%d", nr);
	o->fd[1] = MUST(open(name, O_RDWR | O_NOCTTY | O_NONBLOCK));
}

static void set_raw(struct object *o)
{
	struct termios tio;

	if (ioctl(o->fd[1], TCGETS, &tio) < 0)
		return;
	tio.c_lflag ^= ICANON | ECHO;
	ignore(ioctl(o->fd[1], TCSETS, &tio));
}

static void set_size(struct object *o)
{
	struct winsize ws = { 10, 20, 0, 0 };

	ignore(ioctl(o->fd[0], TIOCSWINSZ, &ws));
}

static void flush(struct object *o)
{
	ignore(ioctl(o->fd[1], TCFLSH, TCIOFLUSH));
}

static const struct type pty_type = {
	make_pty,
	{write_0, read_1, write_1, read_0, set_raw, set_size, flush, poll_0, watch_0, close_0,
	  close_1}
};

/* inotify */

static void make_inotify(struct object *o)
{
	ignore(mkdir("watched", 0755));
	o->fd[0] = MUST(inotify_init1(IN_NONBLOCK));
	o->word = (unsigned)MUST(inotify_add_watch(o->fd[0], "watched", IN_ALL_EVENTS));
}

static void add_watch(struct object *o)
{
	ignore(inotify_add_watch(o->fd[0], "watched", IN_ALL_EVENTS));
}

static void remove_watch(struct object *o)
{
	ignore(inotify_rm_watch(o->fd[0], (int)o->word));
}

static void touch_watched(struct object *o)
{
	int fd = open("watched/a", O_CREAT | O_RDWR, 0644);

	if (fd >= 0)
		close(fd);
	ignore(unlink("watched/a"));
}

static void remove_watched(struct object *o)
{
	ignore(rmdir("watched"));
}

static const struct type inotify_type = {
	make_inotify,
	{add_watch, remove_watch, touch_watched, remove_watched, read_0, poll_0, watch_0, close_0}
};

/* Futexes */

static void make_futex(struct object *o)
{
	o->word = 0;
}

static void futex(struct object *o, int op, unsigned val)
{
	struct timespec none = { 0, 1 };

	ignore(syscall(SYS_futex, &o->word, op, val, &none, &o->word, 0));
}

static void futex_wait(struct object *o)
{
	futex(o, FUTEX_WAIT, 0);
}

static void futex_wake(struct object *o)
{
	futex(o, FUTEX_WAKE, 1);
}

static void futex_requeue(struct object *o)
{
	ignore(syscall(SYS_futex, &o->word, FUTEX_REQUEUE, 1, 1, &o->fd[0], 0));
}

static void futex_lock(struct object *o)
{
	futex(o, FUTEX_TRYLOCK_PI, 0);
	futex(o, FUTEX_UNLOCK_PI, 0);
}

static const struct type futex_type = {
	make_futex, {futex_wait, futex_wake, futex_requeue, futex_lock}
};

/* Mappings: touched by the kernel only, which says EFAULT. */

static void make_mapping(struct object *o)
{
	o->map = MUST(
		mmap(NULL, 4 * BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	MUST(pipe2(o->fd, O_NONBLOCK));
}

static void unmap_half(struct object *o)
{
	ignore(munmap(o->map, 2 * BYTES));
}

static void map_over(struct object *o)
{
	ignore((long)mmap(o->map, 4 * BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
}

static void protect(struct object *o)
{
	ignore(mprotect(o->map + BYTES, BYTES, PROT_NONE));
	ignore(mprotect(o->map + BYTES, BYTES, PROT_READ | PROT_WRITE));
}

static void discard(struct object *o)
{
	ignore(madvise(o->map, 4 * BYTES, MADV_DONTNEED));
}

static void move_mapping(struct object *o)
{
	void *p = mremap(o->map, BYTES, 2 * BYTES, MREMAP_MAYMOVE);

	if (p != MAP_FAILED)
		munmap(p, 2 * BYTES);
}

static void kernel_reads(struct object *o)
{
	ignore(write(o->fd[1], o->map, 3 * BYTES));
}

static void kernel_writes(struct object *o)
{
	ignore(read(o->fd[0], o->map, 3 * BYTES));
}

static void vm_reads(struct object *o)
{
	struct iovec local = { o->map, BYTES }, remote = { o->map + 2 * BYTES, BYTES };

	ignore(process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
}

static const struct type mapping_type = {
	make_mapping,
	{unmap_half, map_over, protect, discard, move_mapping, kernel_reads, kernel_writes,
	  vm_reads, fork_table}
};

/* Processes */

static void make_process(struct object *o)
{
	o->pid = t_fork();
	if (!o->pid) {
		for (;;)
			pause();
	}
	o->fd[0] = (int)MUST(syscall(SYS_pidfd_open, o->pid, 0));
}

static void stop_it(struct object *o)
{
	ignore(kill(o->pid, SIGSTOP));
	ignore(kill(o->pid, SIGCONT));
}

static void kill_it(struct object *o)
{
	ignore(kill(o->pid, SIGKILL));
}

static void wait_for_it(struct object *o)
{
	ignore(waitpid(o->pid, NULL, WNOHANG | WUNTRACED));
}

static void group_it(struct object *o)
{
	ignore(setpgid(o->pid, o->pid));
	ignore(getpgid(o->pid));
}

static void limit_it(struct object *o)
{
	struct rlimit old;

	ignore(prlimit(o->pid, RLIMIT_NOFILE, NULL, &old));
}

static void show_it(struct object *o)
{
	char path[64], buf[256];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", o->pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return;
	ignore(read(fd, buf, sizeof(buf)));
	close(fd);
}

static void take_descriptor(struct object *o)
{
	int fd = (int)syscall(SYS_pidfd_getfd, o->fd[0], 0, 0);

	if (fd >= 0)
		close(fd);
}

static const struct type process_type = {
	make_process,
	{stop_it, kill_it, wait_for_it, group_it, limit_it, show_it, take_descriptor, poll_0,
	  watch_0, close_0}
};

/* Two threads */

static struct {
	struct object *object;
	op_fn *op;
	unsigned late;
	unsigned round, done; /* atomic */
	int end;
} meeting;

static void a_little_later(unsigned n)
{
	for (volatile unsigned i = 0; i < n; i++)
		;
}

static unsigned load(unsigned *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

static void *partner(void *arg)
{
	for (unsigned round = 1;; round++) {
		while (load(&meeting.round) != round)
			sched_yield();
		if (meeting.end)
			return NULL;
		a_little_later(meeting.late);
		meeting.op(meeting.object);
		__atomic_store_n(&meeting.done, round, __ATOMIC_SEQ_CST);
	}
}

static void meet(const struct type *type, op_fn *mine, op_fn *other, unsigned bit)
{
	struct object o = {
		.fd = {-1, -1, -1, -1}
	};
	unsigned round = meeting.round + 1;

	type->make(&o);
	meeting.object = &o;
	meeting.op = other;
	meeting.late = bit % 2 ? bit * 40 : 0;
	__atomic_store_n(&meeting.round, round, __ATOMIC_SEQ_CST);
	a_little_later(bit % 2 ? 0 : bit * 40);
	mine(&o);
	while (load(&meeting.done) != round)
		sched_yield();
	if (o.pid) {
		kill(o.pid, SIGKILL);
		waitpid(o.pid, NULL, 0);
	}
	if (o.map)
		munmap(o.map, 4 * BYTES);
	for (int i = 0; i < 4; i++)
		if (o.fd[i] >= 0)
			close(o.fd[i]);
}

static int lowest_free(void)
{
	int fd = MUST(open("/dev/null", O_RDONLY));

	MUST(close(fd));
	return fd;
}

static void all_pairs(const struct type *type)
{
	int free_before = lowest_free();
	pthread_t thread;

	signal(SIGPIPE, SIG_IGN);
	CHECK_EQ(pthread_create(&thread, NULL, partner, NULL), 0);
	for (op_fn *const *a = type->ops; *a; a++)
		for (op_fn *const *b = type->ops; *b; b++)
			for (unsigned bit = 0; bit < ROUNDS; bit++)
				meet(type, *a, *b, bit);
	meeting.end = 1;
	__atomic_store_n(&meeting.round, meeting.round + 1, __ATOMIC_SEQ_CST);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(lowest_free(), free_before);
}

#define PAIRS(type)                       \
	static void pairs_of_##type(void) \
	{                                 \
		all_pairs(&type##_type);  \
	}

PAIRS(pipe)
PAIRS(eventfd)
PAIRS(timerfd)
PAIRS(epoll)
PAIRS(socket)
PAIRS(file)
PAIRS(memfd)
PAIRS(lock)
PAIRS(directory)
PAIRS(table)
PAIRS(pty)
PAIRS(inotify)
PAIRS(futex)
PAIRS(mapping)
PAIRS(process)

TEST_PROGRAM(pairs, CASE(pairs_of_pipe), CASE(pairs_of_eventfd), CASE(pairs_of_timerfd),
	     CASE(pairs_of_epoll), CASE(pairs_of_socket), CASE(pairs_of_file), CASE(pairs_of_memfd),
	     CASE(pairs_of_lock), CASE(pairs_of_directory), CASE(pairs_of_table),
	     CASE(pairs_of_pty), CASE(pairs_of_inotify), CASE(pairs_of_futex),
	     CASE(pairs_of_mapping), CASE(pairs_of_process));
