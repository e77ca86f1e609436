/* SPDX-License-Identifier: Apache-2.0 */
/*
 * execve.c - execve, execveat: arguments, scripts, what survives and what does not
 *
 * See       execve(2)
 */
#include "tests/lib/t.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>

extern char **environ;

/* The program that is started: argv[1] says what it looks at, its exit status answers. */
static int after_exec(int argc, char **argv)
{
	struct sigaction sa;
	sigset_t set;

	if (argc < 2)
		return 99;
	if (!strcmp(argv[1], "args"))
		return argc == 5 && !strcmp(argv[2], "") && !strcmp(argv[3], "a b") &&
				       !strcmp(argv[4], "\xff")
			       ? 40
			       : 1;
	if (!strcmp(argv[1], "env"))
		return environ[0] && !strcmp(environ[0], "ONLY=this") && !environ[1] ? 41 : 1;
	if (!strcmp(argv[1], "fds"))
		return fcntl(50, F_GETFD) == 0 && fcntl(51, F_GETFD) < 0 ? 42 : 1;
	if (!strcmp(argv[1], "signals")) {
		sigaction(SIGUSR1, NULL, &sa);
		if (sa.sa_handler != SIG_DFL)
			return 1;
		sigaction(SIGUSR2, NULL, &sa);
		if (sa.sa_handler != SIG_IGN)
			return 2;
		sigprocmask(SIG_BLOCK, NULL, &set);
		if (!sigismember(&set, SIGTERM))
			return 4;
		sigpending(&set);
		return sigismember(&set, SIGTERM) ? 43 : 3;
	}
	if (!strcmp(argv[1], "name")) {
		char name[16] = "";

		prctl(PR_GET_NAME, name);
		return strcmp(name, argv[2]) ? 1 : 47;
	}
	if (!strcmp(argv[1], "pid"))
		return getppid() == atoi(argv[2]) ? 44 : 1;
	if (!strcmp(argv[1], "count"))
		return argc == atoi(argv[2]) && (int)strlen(argv[argc - 1]) == atoi(argv[3]) ? 45
											     : 1;
	if (!strcmp(argv[1], "ids"))
		return geteuid() == 1000 && getuid() == 0 ? 46 : 1;
	return 98;
}

#define HELPER "syscalls_all", "--helper", "execve"

static void run(char **argv, char **envp, int expected)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		execve(t_self(), argv, envp);
		_exit(100);
	}
	t_wait_exit(pid, expected);
}

static void arguments_and_environment_arrive(void)
{
	char *args[] = { HELPER, "args", "", "a b", "\xff", NULL };
	char *env_args[] = { HELPER, "env", NULL };
	char *env[] = { "ONLY=this", NULL };

	run(args, environ, 40);
	run(env_args, env, 41);
}

static void close_on_exec_descriptors_close(void)
{
	char *args[] = { HELPER, "fds", NULL };

	MUST(dup2(1, 50));
	MUST(dup3(1, 51, O_CLOEXEC));
	run(args, environ, 42);
}

static void ignore(int sig)
{
}

static void handlers_reset_ignored_and_pending_stay(void)
{
	char *args[] = { HELPER, "signals", NULL };
	sigset_t set;
	pid_t pid;

	t_handle(SIGUSR1, ignore, 0);
	signal(SIGUSR2, SIG_IGN);
	pid = t_fork();
	if (pid == 0) {
		sigemptyset(&set);
		sigaddset(&set, SIGTERM);
		MUST(sigprocmask(SIG_BLOCK, &set, NULL));
		MUST(raise(SIGTERM));
		execve(t_self(), args, environ);
		_exit(100);
	}
	t_wait_exit(pid, 43);
}

static void the_process_id_stays(void)
{
	char number[16];
	char *args[] = { HELPER, "pid", number, NULL };

	snprintf(number, sizeof(number), "%d", getpid());
	run(args, environ, 44);
}

static void many_and_long_arguments_fit(void)
{
	static char long_arg[100001];
	static char *args[2100];
	int n = 0;

	memset(long_arg, 'x', sizeof(long_arg) - 1);
	args[n++] = "syscalls_all";
	args[n++] = "--helper";
	args[n++] = "execve";
	args[n++] = "count";
	args[n++] = "2003";
	args[n++] = "100000";
	while (n < 2004)
		args[n++] = "argument";
	args[n++] = long_arg;
	run(args, environ, 45);
}

static void too_long_arguments_are_e2big(void)
{
	size_t size = 32 * 4096 + 1;
	char *long_arg = malloc(size);
	char *args[] = { "x", long_arg, NULL };

	memset(long_arg, 'x', size);
	long_arg[size - 1] = '\0';
	CHECK_ERRNO(execve(t_self(), args, environ), E2BIG);
}

static void make_script(const char *path, const char *first_line)
{
	t_write_file(path, first_line);
	MUST(chmod(path, 0755));
}

static void scripts_start_their_interpreter(void)
{
	char line[5000];
	char *args[] = { "zero", "tail", NULL };
	pid_t pid;

	/* #! takes one argument only: the helper's name cannot fit, so the script asks --list. */
	snprintf(line, sizeof(line), "#! %s --list\n", t_self());
	if (strlen(line) > 200)
		SKIP("the path of the test program is too long for #!");
	make_script("script", line);
	pid = t_fork();
	if (pid == 0) {
		CHECK_EQ(dup2(open("out", O_CREAT | O_WRONLY, 0600), 1), 1);
		execve("./script", args, environ);
		_exit(100);
	}
	t_wait_exit(pid, 0);
	CHECK(t_read_file("out", line, sizeof(line)) > 100);
	make_script("nested", "#!./script\n");
	pid = t_fork();
	if (pid == 0) {
		CHECK_EQ(dup2(open("out", O_WRONLY | O_TRUNC), 1), 1);
		execve("./nested", args, environ);
		_exit(100);
	}
	t_wait_exit(pid, 0);
}

static void endless_scripts_are_eloop(void)
{
	char *args[] = { "x", NULL };

	make_script("loop", "#!./loop\n");
	CHECK_ERRNO(execve("./loop", args, environ), ELOOP);
}

static void what_cannot_be_executed(void)
{
	char *args[] = { "x", NULL };

	t_write_file("data", "just text");
	CHECK_ERRNO(execve("data", args, environ), EACCES);
	MUST(chmod("data", 0755));
	CHECK_ERRNO(execve("data", args, environ), ENOEXEC);
	CHECK_ERRNO(execve("none", args, environ), ENOENT);
	CHECK_ERRNO(execve(".", args, environ), EACCES);
	CHECK_ERRNO(execve("data/x", args, environ), ENOTDIR);
	make_script("lost", "#!/no/such/interpreter\n");
	CHECK_ERRNO(execve("lost", args, environ), ENOENT);
	t_write_file("empty", "");
	MUST(chmod("empty", 0755));
	CHECK_ERRNO(execve("empty", args, environ), ENOEXEC);
	t_write_file("elf", "\x7f"
			    "ELF garbage that is no program at all, but long enough......");
	MUST(chmod("elf", 0755));
	CHECK_ERRNO(execve("elf", args, environ), ENOEXEC);
	CHECK_ERRNO(execve(t_bad_ptr(), args, environ), EFAULT);
	CHECK_ERRNO(execve(t_self(), t_bad_ptr(), environ), EFAULT);
}

static void execveat_takes_descriptors(void)
{
	char *args[] = { HELPER, "args", "", "a b", "\xff", NULL };
	int fd = MUST(open(t_self(), O_PATH | O_CLOEXEC));
	pid_t pid = t_fork();

	if (pid == 0) {
		syscall(SYS_execveat, fd, "", args, environ, AT_EMPTY_PATH);
		_exit(100);
	}
	t_wait_exit(pid, 40);
	MUST(symlink(t_self(), "l"));
	CHECK_ERRNO(syscall(SYS_execveat, AT_FDCWD, "l", args, environ, AT_SYMLINK_NOFOLLOW),
		    ELOOP);
	CHECK_ERRNO(syscall(SYS_execveat, AT_FDCWD, "l", args, environ, 0x8000), EINVAL);
}

/* Copies the test program to ./copy, for cases that change its mode. */
static void copy_self(void)
{
	int in = MUST(open(t_self(), O_RDONLY));
	int out = MUST(open("copy", O_WRONLY | O_CREAT, 0755));
	char *block = malloc(1 << 20);
	ssize_t n;

	while ((n = MUST(read(in, block, 1 << 20))) > 0)
		CHECK_EQ(write(out, block, n), n);
	MUST(close(out));
}

static void set_uid_programs_change_the_effective_id(void)
{
	char *args[] = { HELPER, "ids", NULL };
	pid_t pid;

	copy_self();
	MUST(chown("copy", 1000, 1000));
	MUST(chmod("copy", 04755));
	pid = t_fork();
	if (pid == 0) {
		execve("./copy", args, environ);
		_exit(100);
	}
	t_wait_exit(pid, 46);
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	pid = t_fork();
	if (pid == 0) {
		execve("./copy", args, environ);
		_exit(100);
	}
	t_wait_exit(pid, 1);
}

static void a_running_program_is_etxtbsy(void)
{
	char *args[] = { "copy", "--helper", NULL };
	int fd;

	copy_self();
	fd = MUST(open("copy", O_RDWR));
	CHECK_ERRNO(execve("./copy", args, environ), ETXTBSY);
	MUST(close(fd));
}

static int copy_into(int out)
{
	int in = MUST(open(t_self(), O_RDONLY));

	while (MUST(sendfile(out, in, NULL, 1 << 20)) > 0)
		;
	MUST(close(in));
	return out;
}

static void run_fd(int fd, char **argv, int expected)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
		_exit(errno == ETXTBSY ? 101 : errno == ENOENT ? 102 : 100);
	}
	t_wait_exit(pid, expected);
}

static void a_memfd_is_executed_while_its_maker_can_write_it(void)
{
	char *args[] = { HELPER, "name", "memfd:prog", NULL };
	int fd = copy_into(MUST(memfd_create("prog", MFD_ALLOW_SEALING))), other;
	char path[32];

	run_fd(fd, args, 47);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	other = MUST(open(path, O_RDWR));
	run_fd(fd, args, 101);
	MUST(close(other));
	MUST(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	run_fd(fd, args, 47);
	fd = copy_into(MUST(open(".", O_TMPFILE | O_RDWR, 0755)));
	run_fd(fd, args, 101);
}

static void a_script_behind_a_descriptor_that_closes_is_not_found(void)
{
	char *args[] = { "script", NULL };
	char text[256];
	int fd;

	snprintf(text, sizeof text, "#!%s --helper execve name dev\n", t_self());
	fd = MUST(memfd_create("script", 0));
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	MUST(fcntl(fd, F_SETFD, FD_CLOEXEC));
	run_fd(fd, args, 102); /* its interpreter could not open it */
}

static void vfork_and_exec(void)
{
	char *args[] = { HELPER, "args", "", "a b", "\xff", NULL };
	pid_t pid = vfork();

	if (pid == 0) {
		execve(t_self(), args, environ);
		_exit(100);
	}
	t_wait_exit(pid, 40);
}

static void exec_of_a_child_that_shares_descriptors_keeps_the_parents(void)
{
	char *argv[] = { HELPER, "args", "", "a b", "\xff", NULL };
	int kept = MUST(open(".", O_RDONLY | O_CLOEXEC));
	pid_t pid = (pid_t)MUST(syscall(SYS_clone, 0x400 | SIGCHLD, 0, 0, 0, 0)); /* CLONE_FILES */

	if (pid == 0) {
		execv(t_self(), argv);
		_exit(1);
	}
	t_wait_exit(pid, 40);
	CHECK_EQ(fcntl(kept, F_GETFD), FD_CLOEXEC);
}

TEST_PROGRAM_WITH_HELPER(execve, after_exec, CASE(arguments_and_environment_arrive),
			 CASE(close_on_exec_descriptors_close),
			 CASE(handlers_reset_ignored_and_pending_stay), CASE(the_process_id_stays),
			 CASE(many_and_long_arguments_fit), CASE(too_long_arguments_are_e2big),
			 CASE(scripts_start_their_interpreter), CASE(endless_scripts_are_eloop),
			 CASE(what_cannot_be_executed), CASE(execveat_takes_descriptors),
			 CASE(set_uid_programs_change_the_effective_id),
			 CASE(a_running_program_is_etxtbsy),
			 CASE(a_memfd_is_executed_while_its_maker_can_write_it),
			 CASE(a_script_behind_a_descriptor_that_closes_is_not_found),
			 CASE(vfork_and_exec),
			 CASE(exec_of_a_child_that_shares_descriptors_keeps_the_parents));
