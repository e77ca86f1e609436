/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcntl_locks.c - record locks of processes and of open files
 *
 * See       fcntl(2), F_SETLK, F_OFD_SETLK
 */
#include "tests/lib/t.h"

#include <pthread.h>
#include <sched.h>

static int lock(int fd, int cmd, short type, off_t start, off_t len)
{
	struct flock fl = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };

	return fcntl(fd, cmd, &fl);
}

/* What a child, which shares no process locks, meets. */
static short conflict_in_child(int fd, short type, off_t start, off_t len)
{
	struct flock fl = { .l_type = type, .l_start = start, .l_len = len };
	int status;
	pid_t pid = t_fork();

	if (pid == 0) {
		if (fcntl(fd, F_GETLK, &fl) < 0)
			_exit(100);
		if (fl.l_type != F_UNLCK && fl.l_pid != getppid())
			_exit(101);
		_exit(fl.l_type);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return (short)WEXITSTATUS(status);
}

static void write_lock_excludes_other_processes(void)
{
	int fd = t_temp_fd();
	pid_t pid;

	MUST(lock(fd, F_SETLK, F_WRLCK, 10, 10));
	CHECK_EQ(conflict_in_child(fd, F_RDLCK, 0, 10), F_UNLCK);
	CHECK_EQ(conflict_in_child(fd, F_RDLCK, 19, 1), F_WRLCK);
	CHECK_EQ(conflict_in_child(fd, F_WRLCK, 20, 0), F_UNLCK);
	pid = t_fork();
	if (pid == 0) {
		CHECK_ERRNO(lock(fd, F_SETLK, F_RDLCK, 15, 1), EAGAIN);
		_exit(0);
	}
	t_wait_exit(pid, 0);
}

static void read_locks_are_shared(void)
{
	int fd = t_temp_fd();

	MUST(lock(fd, F_SETLK, F_RDLCK, 0, 0));
	CHECK_EQ(conflict_in_child(fd, F_RDLCK, 0, 0), F_UNLCK);
	CHECK_EQ(conflict_in_child(fd, F_WRLCK, 0, 0), F_RDLCK);
}

static void unlocking_the_middle_splits(void)
{
	int fd = t_temp_fd();

	MUST(lock(fd, F_SETLK, F_WRLCK, 0, 30));
	MUST(lock(fd, F_SETLK, F_UNLCK, 10, 10));
	CHECK_EQ(conflict_in_child(fd, F_WRLCK, 5, 1), F_WRLCK);
	CHECK_EQ(conflict_in_child(fd, F_WRLCK, 15, 1), F_UNLCK);
	CHECK_EQ(conflict_in_child(fd, F_WRLCK, 25, 1), F_WRLCK);
}

static void closing_any_descriptor_drops_process_locks(void)
{
	int fd = t_temp_fd();
	int other;

	MUST(lock(fd, F_SETLK, F_WRLCK, 0, 0));
	other = MUST(open("temp-file", O_RDONLY));
	MUST(close(other));
	CHECK_EQ(conflict_in_child(fd, F_WRLCK, 0, 0), F_UNLCK);
}

static void waiting_ends_when_the_holder_exits(void)
{
	struct t_gate gate, go;
	int fd = t_temp_fd();
	pid_t pid;

	t_gate_init(&gate);
	t_gate_init(&go);
	pid = t_fork();
	if (pid == 0) {
		MUST(lock(fd, F_SETLK, F_WRLCK, 0, 0));
		t_gate_open(&gate);
		t_gate_wait(&go);
		_exit(0);
	}
	t_gate_wait(&gate);
	CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, 0, 0), EAGAIN);
	t_gate_open(&go);
	MUST(lock(fd, F_SETLKW, F_WRLCK, 0, 0));
	t_wait_exit(pid, 0);
}

static void nothing(int sig)
{
}

static void waiting_is_interrupted_by_a_signal(void)
{
	struct t_gate gate;
	int fd = t_temp_fd();
	pid_t pid;

	t_gate_init(&gate);
	pid = t_fork();
	if (pid == 0) {
		MUST(lock(fd, F_SETLK, F_WRLCK, 0, 0));
		t_gate_open(&gate);
		pause();
		_exit(0);
	}
	t_gate_wait(&gate);
	t_start_ticks(nothing, 0);
	CHECK_ERRNO(lock(fd, F_SETLKW, F_WRLCK, 0, 0), EINTR);
	MUST(kill(pid, SIGKILL));
}

static void deadlock_is_found(void)
{
	struct t_gate gate;
	int fd = t_temp_fd();
	int failed = 0;
	int status;
	pid_t pid;

	t_gate_init(&gate);
	MUST(lock(fd, F_SETLK, F_WRLCK, 0, 1));
	pid = t_fork();
	if (pid == 0) {
		MUST(lock(fd, F_SETLK, F_WRLCK, 1, 1));
		t_gate_open(&gate);
		if (lock(fd, F_SETLKW, F_WRLCK, 0, 1) < 0)
			_exit(errno == EDEADLK ? 42 : 1);
		_exit(0);
	}
	t_gate_wait(&gate);
	if (lock(fd, F_SETLKW, F_WRLCK, 1, 1) < 0) {
		CHECK(errno == EDEADLK);
		failed = 1;
		MUST(lock(fd, F_SETLK, F_UNLCK, 0, 1));
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(WEXITSTATUS(status), failed ? 0 : 42);
}

static void open_file_locks_conflict_within_a_process(void)
{
	int a = t_temp_fd();
	int b = MUST(open("temp-file", O_RDWR));
	struct flock fl = { .l_type = F_WRLCK };

	MUST(lock(a, F_OFD_SETLK, F_WRLCK, 0, 0));
	CHECK_ERRNO(lock(b, F_OFD_SETLK, F_WRLCK, 0, 0), EAGAIN);
	MUST(fcntl(b, F_OFD_GETLK, &fl));
	CHECK_EQ(fl.l_type, F_WRLCK);
	CHECK_EQ(fl.l_pid, -1);
	MUST(close(a));
	MUST(lock(b, F_OFD_SETLK, F_WRLCK, 0, 0));
}

struct waiter {
	int fd, result, error;
	pid_t tid;
};

static void *wait_for_lock(void *arg)
{
	struct waiter *w = arg;

	__atomic_store_n(&w->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	w->result = lock(w->fd, F_SETLKW, F_WRLCK, 0, 10);
	w->error = errno;
	return NULL;
}

/* Until the thread sleeps, which it does nowhere but in its one call. */
static void until_asleep(const pid_t *tid)
{
	char path[64], text[256];
	char *state = NULL;
	pid_t nr;

	while (!(nr = __atomic_load_n(tid, __ATOMIC_SEQ_CST)))
		sched_yield();
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", nr);
	do {
		sched_yield();
		t_read_file(path, text, sizeof(text));
		state = strrchr(text, ')');
	} while (!state || state[2] != 'S');
}

static void a_lock_granted_after_the_close_of_its_descriptor_is_taken_back(void)
{
	struct waiter w = { .fd = t_temp_fd() };
	struct t_gate gate, go;
	pthread_t thread;
	pid_t pid;

	t_gate_init(&gate);
	t_gate_init(&go);
	pid = t_fork();
	if (pid == 0) {
		MUST(lock(w.fd, F_SETLK, F_WRLCK, 5, 10));
		t_gate_open(&gate);
		t_gate_wait(&go);
		_exit(0);
	}
	t_gate_wait(&gate);
	CHECK_EQ(pthread_create(&thread, NULL, wait_for_lock, &w), 0);
	until_asleep(&w.tid);
	MUST(close(w.fd));
	t_gate_open(&go);
	t_wait_exit(pid, 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(w.result, -1);
	CHECK_EQ(w.error, EBADF);
	CHECK_EQ(conflict_in_child(MUST(open("temp-file", O_RDWR)), F_WRLCK, 0, 0), F_UNLCK);
	MUST(unlink("temp-file"));
}

static void the_first_conflict_is_reported(void)
{
	struct flock fl = { .l_type = F_WRLCK };
	int fd = t_temp_fd();
	pid_t pid;

	MUST(lock(fd, F_SETLK, F_WRLCK, 20, 5));
	MUST(lock(fd, F_SETLK, F_RDLCK, 0, 5));
	MUST(lock(fd, F_SETLK, F_WRLCK, 10, 5));
	pid = t_fork();
	if (pid == 0) {
		MUST(fcntl(fd, F_GETLK, &fl));
		CHECK_EQ(fl.l_start, 0);
		fl.l_start = 7;
		fl.l_type = F_WRLCK;
		fl.l_len = 0;
		MUST(fcntl(fd, F_GETLK, &fl));
		CHECK_EQ(fl.l_start, 10);
		_exit(0);
	}
	t_wait_exit(pid, 0);
}

static void errors(void)
{
	int rd;
	int fd = t_temp_fd();

	rd = MUST(open("temp-file", O_RDONLY));
	CHECK_ERRNO(lock(rd, F_SETLK, F_WRLCK, 0, 0), EBADF);
	CHECK_ERRNO(lock(fd, F_SETLK, 77, 0, 0), EINVAL);
	CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, -5, 1), EINVAL);
	CHECK_ERRNO(fcntl(fd, F_SETLK, t_bad_ptr()), EFAULT);
}

TEST_PROGRAM(fcntl_locks, CASE(write_lock_excludes_other_processes), CASE(read_locks_are_shared),
	     CASE(unlocking_the_middle_splits), CASE(closing_any_descriptor_drops_process_locks),
	     CASE(waiting_ends_when_the_holder_exits), CASE(waiting_is_interrupted_by_a_signal),
	     CASE(deadlock_is_found), CASE(open_file_locks_conflict_within_a_process),
	     CASE(a_lock_granted_after_the_close_of_its_descriptor_is_taken_back),
	     CASE(the_first_conflict_is_reported), CASE(errors));
