/* SPDX-License-Identifier: Apache-2.0 */
/*
 * t.c - runs test cases each in a process of its own and prints TAP
 *
 * Role      main() of the multi-call binary `syscalls_all` and the helpers of t.h.
 *           `syscalls_all [PROGRAM[/CASE]]...`, `--list`, `--here PROGRAM/CASE`,
 *           `--helper PROGRAM ARGS`.
 * Rules     Output is deterministic: one plan, one line per case in table order.
 *           A case has CASE_SECONDS; then its whole process group is killed.
 *           In debug kernels: `--fail-nth SEED` runs each case with allocations failing, `--perturb SEED` shakes
 *           the schedules (guestkernel/kapi/disturb.h).
 *           Works as process 1: orphans left by a case are reaped after it.
 * See       tests/lib/t.h
 */
#include "tests/lib/t.h"

#include <dirent.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>

#define CASE_SECONDS 20 /* times --patience */
#define FAIL_SECONDS 2
#define FAIL_MOST    256 /* allocations of a case among which one is chosen to fail */
#define EXIT_SKIP    77

extern const struct t_program *const t_programs[];

static char self_path[4096];
static char work_dir[4096];
static char *skip_reason;		     /* one page shared with the child */
static const char *here_program, *here_case; /* what --here runs */
static unsigned long long fail_seed;	     /* 0: nothing is made to fail */
static unsigned fail_nth, patience = 1;
static volatile sig_atomic_t timed_out;
static volatile pid_t current_child;

_Noreturn void t_fail(const char *file, int line, const char *what)
{
	int err = errno;
	char text[512];
	const char *base = strrchr(file, '/');
	int n;

	n = snprintf(text, sizeof(text), "# %s:%d: failed: %s (errno %d, %s)\n",
		     base ? base + 1 : file, line, what, err, strerror(err));
	if (n > (int)sizeof(text))
		n = sizeof(text);
	if (write(STDOUT_FILENO, text, (size_t)n) < 0)
		_exit(2);
	_exit(1);
}

_Noreturn void t_skip(const char *reason)
{
	if (skip_reason)
		snprintf(skip_reason, 256, "%s", reason);
	else
		dprintf(STDOUT_FILENO, "ok 1 - %s: %s # SKIP %s\n", here_program, here_case,
			reason);
	_exit(EXIT_SKIP);
}

void t_check_eq(long long left, long long right, const char *file, int line, const char *what)
{
	char text[320];

	if (left == right)
		return;
	snprintf(text, sizeof(text), "%s (%lld, not %lld)", what, left, right);
	t_fail(file, line, text);
}

void t_check_errno(long result, int err, const char *file, int line, const char *what)
{
	char text[320];

	if (result == -1 && errno == err)
		return;
	snprintf(text, sizeof(text), "%s (returned %ld)", what, result);
	t_fail(file, line, text);
}

void t_write_file(const char *path, const char *text)
{
	int fd = MUST(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));

	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	MUST(close(fd));
}

size_t t_read_file(const char *path, char *buf, size_t size)
{
	int fd = MUST(open(path, O_RDONLY));
	size_t done = 0;
	ssize_t n;

	while (done < size - 1) {
		n = MUST(read(fd, buf + done, size - 1 - done));
		if (n == 0)
			break;
		done += (size_t)n;
	}
	buf[done] = '\0';
	MUST(close(fd));
	return done;
}

int t_temp_fd(void)
{
	return MUST(open("temp-file", O_RDWR | O_CREAT | O_TRUNC, 0644));
}

pid_t t_fork(void)
{
	return MUST(fork());
}

void t_wait_exit(pid_t pid, int code)
{
	int status = 0;

	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), code);
}

void t_wait_signal(pid_t pid, int sig)
{
	int status = 0;

	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), sig);
}

void t_handle(int sig, void (*handler)(int), int flags)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };

	MUST(sigaction(sig, &sa, NULL));
}

void t_start_ticks(void (*handler)(int), int flags)
{
	struct itimerval it = {
		{0,  20000},
		      { 0, 20000}
	};

	t_handle(SIGALRM, handler, flags);
	MUST(setitimer(ITIMER_REAL, &it, NULL));
}

void t_become_user(uid_t uid)
{
	MUST(setgroups(0, NULL));
	MUST(setresgid(uid, uid, uid));
	MUST(setresuid(uid, uid, uid));
}

void t_need_cap(int cap)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };

	MUST(syscall(SYS_capget, &head, data));
	if (!(data[cap / 32].effective & (1u << (cap % 32))))
		SKIP("a capability is missing");
}

void *t_bad_ptr(void)
{
	return (void *)(uintptr_t)0x10;
}

void *t_kernel_ptr(void)
{
	return (void *)(uintptr_t)0xffff888000001000ull;
}

void *t_edge_buffer(size_t size)
{
	char *base =
		MUST(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	MUST(munmap(base + 4096, 4096));
	return base + 4096 - size;
}

const char *t_self(void)
{
	return self_path;
}

long long t_now_ms(void)
{
	struct timespec ts;

	MUST(clock_gettime(CLOCK_MONOTONIC, &ts));
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

void t_gate_init(struct t_gate *gate)
{
	MUST(pipe(gate->fds));
}

void t_gate_open(struct t_gate *gate)
{
	CHECK_EQ(write(gate->fds[1], "g", 1), 1);
}

void t_gate_wait(struct t_gate *gate)
{
	char byte;
	ssize_t n;

	do
		n = read(gate->fds[0], &byte, 1);
	while (n < 0 && errno == EINTR);
	CHECK_EQ(n, 1);
}

static void remove_tree(int parent, const char *name)
{
	struct dirent *entry;
	DIR *dir;
	int fd;

	if (unlinkat(parent, name, 0) == 0)
		return;
	if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
		return;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	dir = fdopendir(fd);
	while (dir && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			remove_tree(fd, entry->d_name);
	}
	if (dir)
		closedir(dir);
	else
		close(fd);
	unlinkat(parent, name, AT_REMOVEDIR);
}

static void on_time_limit(int sig)
{
	timed_out = 1;
	if (current_child > 0) {
		kill(-current_child, SIGKILL);
		kill(current_child, SIGKILL);
	}
}

/* Of the debug kernel: the n-th allocation of this process from now on fails. */
static void fail_allocation(unsigned n)
{
	char text[16];
	int fd = open("/proc/self/fail-nth", O_WRONLY);

	if (fd < 0 || write(fd, text, (size_t)snprintf(text, sizeof text, "%u", n)) < 0) {
		printf("Bail out! no /proc/self/fail-nth: not a debug kernel\n");
		fflush(stdout);
		_exit(1);
	}
}

static void child_of_case(const struct t_case *c)
{
	setpgid(0, 0);
	for (int sig = 1; sig <= SIGSYS; sig++) /* whoever started us may ignore some */
		signal(sig, SIG_DFL);
	alarm(0);
	umask(022);
	(void)!setpriority(PRIO_PROCESS, 0, 0); /* the same for its niceness */
	if (fail_nth)
		fail_allocation(fail_nth);
	c->fn();
	fflush(stdout);
	_exit(0);
}

/* Returns the wait status of the case. */
static int run_in_child(const struct t_case *c)
{
	struct sigaction sa = { .sa_handler = on_time_limit };
	int status = -1;
	pid_t pid;

	timed_out = 0;
	skip_reason[0] = '\0';
	sigaction(SIGALRM, &sa, NULL);
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return -1;
	if (pid == 0)
		child_of_case(c);
	setpgid(pid, pid);
	current_child = pid;
	alarm(fail_nth ? FAIL_SECONDS : CASE_SECONDS * patience);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	alarm(0);
	kill(-pid, SIGKILL);
	current_child = 0;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return status;
}

/*
 * The case again and again, with another of its allocations failing. It may fail as it likes: what is judged is whether
 * the kernel outlives it, and finds nothing missing in the end.
 */
static void run_with_failures(const struct t_case *c, int number)
{
	unsigned long long rnd = fail_seed * 0x9e3779b97f4a7c15ull + (unsigned)number;
	char dir[24];
	FILE *out = stdout;

	for (unsigned most = 2; most <= FAIL_MOST; most *= 2) {
		rnd = rnd * 6364136223846793005ull + 1442695040888963407ull;
		fail_nth = 1 + (unsigned)(rnd >> 33) % most;
		snprintf(dir, sizeof(dir), "case%d-%u", number, most);
		if (mkdir(dir, 0755) < 0 || chdir(dir) < 0)
			break;
		run_in_child(c);
		fflush(out);
		if (chdir(work_dir) < 0)
			break;
		remove_tree(AT_FDCWD, dir);
	}
}

/* Returns true when the case did not fail. */
static int run_case(const struct t_program *p, const struct t_case *c, int number)
{
	char label[128], dir[16];
	int status;

	snprintf(label, sizeof(label), "%s: %s", p->name, c->name);
	/* A name of its own: a case that fails half-way may leave a mount in its directory. */
	snprintf(dir, sizeof(dir), "case%d", number);
	if (mkdir(dir, 0755) < 0 || chdir(dir) < 0) {
		printf("not ok %d - %s\n# cannot make a directory: %s\n", number, label,
		       strerror(errno));
		return 0;
	}
	status = run_in_child(c);
	if (chdir(work_dir) < 0)
		printf("# cannot return to %s\n", work_dir);
	remove_tree(AT_FDCWD, dir);
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIP) {
		printf("ok %d - %s # SKIP %s\n", number, label, skip_reason);
		return 1;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && !timed_out) {
		printf("ok %d - %s\n", number, label);
		return 1;
	}
	printf("not ok %d - %s\n", number, label);
	if (timed_out)
		printf("# time limit of %u s\n", CASE_SECONDS * patience);
	else if (WIFSIGNALED(status))
		printf("# killed by signal %d\n", WTERMSIG(status));
	printf("# again: syscalls_all %s/%s\n", p->name, c->name);
	return 0;
}

static int selected(const struct t_program *p, const struct t_case *c, char **filters)
{
	size_t n = strlen(p->name);

	if (!*filters)
		return 1;
	for (; *filters; filters++) {
		const char *f = *filters;

		if (strncmp(f, p->name, n))
			continue;
		if (f[n] == '\0' || (f[n] == '/' && !strcmp(f + n + 1, c->name)))
			return 1;
	}
	return 0;
}

static int run_selected(char **filters, int count_only, int *failed)
{
	const struct t_program *const *p;
	const struct t_case *c;
	int n = 0;

	for (p = t_programs; *p; p++) {
		for (c = (*p)->cases; c->name; c++) {
			if (!selected(*p, c, filters))
				continue;
			n++;
			if (count_only)
				continue;
			if (fail_seed) {
				run_with_failures(c, n);
				printf("\nok %d - %s: %s\n", n, (*p)->name,
				       c->name); /* it may have left half a line */
			} else if (!run_case(*p, c, n)) {
				++*failed;
			}
		}
	}
	return n;
}

static int list_programs(void)
{
	const struct t_program *const *p;
	const struct t_case *c;

	for (p = t_programs; *p; p++) {
		for (c = (*p)->cases; c->name; c++)
			printf("%s/%s\n", (*p)->name, c->name);
	}
	return 0;
}

static int run_helper(int argc, char **argv)
{
	const struct t_program *const *p;

	for (p = t_programs; argc > 0 && *p; p++) {
		if (!strcmp((*p)->name, argv[0]) && (*p)->helper)
			return (*p)->helper(argc, argv);
	}
	return 125;
}

/*
 * One case in this very process, for kernels that cannot fork yet: the exit status is the result.
 * Its directory is left behind.
 */
static int run_here(char **filters)
{
	const struct t_program *const *p;
	const struct t_case *c;

	for (p = t_programs; *p; p++) {
		for (c = (*p)->cases; c->name; c++) {
			if (!selected(*p, c, filters))
				continue;
			here_program = (*p)->name;
			here_case = c->name;
			umask(022);
			c->fn();
			printf("ok 1 - %s: %s\n", (*p)->name, c->name);
			return 0;
		}
	}
	return 125;
}

static void find_self(const char *argv0)
{
	ssize_t n = readlink("/proc/self/exe", self_path, sizeof(self_path) - 1);

	if (n > 0)
		self_path[n] = '\0';
	else if (!realpath(argv0, self_path))
		snprintf(self_path, sizeof(self_path), "%s", argv0);
}

static int enter_work_dir(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(work_dir, sizeof(work_dir), "%s/syscalls-XXXXXX", base && *base ? base : "/tmp");
	if (!mkdtemp(work_dir) || chmod(work_dir, 0755) < 0 || chdir(work_dir) < 0) {
		printf("Bail out! cannot make %s: %s\n", work_dir, strerror(errno));
		return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0;
	int total;

	if (argc > 1 && !strcmp(argv[1], "--list"))
		return list_programs();
	if (argc > 2 && !strcmp(argv[1], "--helper"))
		return run_helper(argc - 2, argv + 2);
	find_self(argv[0]);
	if (argc > 2 && !strcmp(argv[1], "--here"))
		return enter_work_dir() < 0 ? 1 : run_here(argv + 2);
	for (; argc > 2 && argv[1][0] == '-'; argc -= 2, argv += 2) {
		if (!strcmp(argv[1], "--fail-nth"))
			fail_seed = strtoull(argv[2], NULL, 10);
		else if (!strcmp(argv[1], "--patience"))
			patience = (unsigned)atoi(argv[2]);
		else if (!strcmp(argv[1], "--perturb"))
			t_write_file("/proc/monitor/perturb", argv[2]);
	}
	total = run_selected(argv + 1, 1, NULL);
	if (!total) {
		printf("Bail out! no such program or case\n");
		return 1;
	}
	skip_reason = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (skip_reason == MAP_FAILED || enter_work_dir() < 0)
		return 1;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	printf("1..%d\n", total);
	run_selected(argv + 1, 0, &failed);
	if (failed)
		printf("# %d of %d failed\n", failed, total);
	if (chdir("/") == 0)
		remove_tree(AT_FDCWD, work_dir);
	return failed != 0;
}
