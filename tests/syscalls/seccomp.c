// SPDX-License-Identifier: Apache-2.0
/*
 * seccomp.c - filters and strict mode: what loads, what each action does, who gets them
 *
 * See       seccomp(2)
 */
#include "tests/lib/t_seccomp.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <ucontext.h>

static void loading_wants_no_new_privs_or_rights(void)
{
	char status[4096];

	t_become_user(1000);
	CHECK_ERRNO(ADD(0, ALLOW), EACCES);
	CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
	no_new_privs();
	MUST(ADD(0, ALLOW));
	MUST(ADD(0, ALLOW));
	CHECK_EQ(prctl(PR_GET_SECCOMP), 2);
	t_read_file("/proc/self/status", status, sizeof(status));
	CHECK(strstr(status, "\nNoNewPrivs:\t1\n"));
	CHECK(strstr(status, "\nSeccomp:\t2\n"));
	CHECK(strstr(status, "\nSeccomp_filters:\t2\n"));
}

static void prctl_loads_them_too(void)
{
	struct sock_filter code[] = { ON_CALL(__NR_getsid, SECCOMP_RET_ERRNO | 77) };
	struct sock_fprog prog = { 4, code };

	no_new_privs();
	CHECK_ERRNO(prctl(PR_SET_SECCOMP, 5, &prog), EINVAL);
	CHECK_ERRNO(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, t_bad_ptr()), EFAULT);
	MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog));
	CHECK_ERRNO(getsid(0), 77);
}

static void bad_requests_are_refused(void)
{
	struct sock_fprog prog = { 1, t_bad_ptr() };

	no_new_privs();
	CHECK_ERRNO(syscall(SYS_seccomp, 17, 0, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, &prog), EINVAL);
	CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, t_bad_ptr()), EFAULT);
	CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog), EFAULT);
	CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0x10000, &prog), EINVAL);
	prog.len = 0;
	CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog), EINVAL);
	prog.len = BPF_MAXINSNS + 1;
	CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog), EINVAL);
	CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
}

static void bad_programs_are_refused(void)
{
	no_new_privs();
	CHECK_ERRNO(ADD(0, LOAD(0)), EINVAL);	      /* runs out */
	CHECK_ERRNO(ADD(0, LOAD(64), ALLOW), EINVAL); /* behind the data */
	CHECK_ERRNO(ADD(0, LOAD(2), ALLOW), EINVAL);  /* across words */
	CHECK_ERRNO(ADD(0, LOAD(-4u), ALLOW), EINVAL);
	CHECK_ERRNO(ADD(0, BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), ALLOW), EINVAL);
	CHECK_ERRNO(ADD(0, BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0), ALLOW), EINVAL);
	CHECK_ERRNO(ADD(0, BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), ALLOW), EINVAL);
	CHECK_ERRNO(ADD(0, BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), ALLOW), EINVAL);
	CHECK_ERRNO(ADD(0, BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), ALLOW), EINVAL);
	CHECK_ERRNO(ADD(0, BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), ALLOW), EINVAL);
	CHECK_ERRNO(ADD(0, BPF_STMT(BPF_LD | BPF_MEM, 3), ALLOW), EINVAL); /* never written */
	CHECK_ERRNO(ADD(0, BPF_STMT(BPF_ST, 16), ALLOW), EINVAL);
	CHECK_ERRNO(ADD(0, BPF_STMT(BPF_RET | BPF_X, 0)), EINVAL);
	CHECK_ERRNO(ADD(0, BPF_STMT(BPF_JMP | BPF_JA, 1), ALLOW), EINVAL);
	CHECK_ERRNO(ADD(0, BPF_STMT(BPF_JMP | BPF_JA, -1u), ALLOW), EINVAL);
	CHECK_ERRNO(ADD(0, UNLESS(0, 1), ALLOW), EINVAL);
	CHECK_ERRNO(ADD(0, BPF_JUMP(BPF_JMP | BPF_JEQ, 0, 1, 0), ALLOW), EINVAL);
	CHECK_ERRNO(ADD(0, BPF_STMT(0x100, 0), ALLOW), EINVAL);
	/* written on one way only */
	CHECK_ERRNO(ADD(0, LOAD(0), UNLESS(0, 1), BPF_STMT(BPF_ST, 2),
			BPF_STMT(BPF_LD | BPF_MEM, 2), ALLOW),
		    EINVAL);
	MUST(ADD(0, LOAD(0), UNLESS(0, 1), BPF_STMT(BPF_ST, 2), BPF_STMT(BPF_ST, 2),
		 BPF_STMT(BPF_LD | BPF_MEM, 2), ALLOW));
}

static void results_are_chosen(void)
{
	no_new_privs();
	MUST(ADD(0, ON_CALL(__NR_getppid, SECCOMP_RET_ERRNO | EDOM)));
	MUST(ADD(0, ON_CALL(__NR_getpgid, SECCOMP_RET_ERRNO | 0)));
	MUST(ADD(0, ON_CALL(__NR_getsid, SECCOMP_RET_ERRNO | 0xffff)));
	for (int i = 0; i < 200; i++)
		CHECK_ERRNO(my_parent(), EDOM);
	CHECK_EQ(syscall(SYS_getpgid, 0), 0);
	CHECK_ERRNO(getsid(0), 4095);
	CHECK(getpid() > 0);
}

static void arguments_and_machine_are_seen(void)
{
	no_new_privs();
	/* kill(x, 0x1234 << 32 | 5) by both halves */
	MUST(ADD(0, LOAD(NR), UNLESS(__NR_kill, 6), LOAD(ARG0 + 8), UNLESS(5, 4), LOAD(ARG0 + 12),
		 UNLESS(0x1234, 2), LOAD(ARCH), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 99),
		 ALLOW));
	CHECK_ERRNO(syscall(SYS_kill, getpid(), 0x123400000005ul), 99);
	MUST(syscall(SYS_kill, getpid(), 0));
	CHECK_ERRNO(syscall(SYS_kill, 1 << 28, 5), ESRCH);
	MUST(ADD(0, LOAD(ARCH), UNLESS(T_AUDIT_ARCH, 1), ALLOW, RETURN(SECCOMP_RET_KILL_PROCESS)));
	CHECK(getpid() > 0);
}

static void programs_compute(void)
{
	no_new_privs();
	/* errno = ((signal * 5 + 14) / 2 ^ 3) & 0xff, by way of X and memory */
	MUST(ADD(0, LOAD(NR), UNLESS(__NR_kill, 13), LOAD(ARG0 + 8), BPF_STMT(BPF_ALU | BPF_MUL, 5),
		 BPF_STMT(BPF_ST, 15), BPF_STMT(BPF_LDX | BPF_IMM, 14),
		 BPF_STMT(BPF_LD | BPF_MEM, 15), BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
		 BPF_STMT(BPF_ALU | BPF_DIV, 2), BPF_STMT(BPF_ALU | BPF_XOR, 3),
		 BPF_STMT(BPF_MISC | BPF_TAX, 0), BPF_STMT(BPF_MISC | BPF_TXA, 0),
		 BPF_STMT(BPF_ALU | BPF_AND, 0xff), BPF_STMT(BPF_ALU | BPF_OR, SECCOMP_RET_ERRNO),
		 BPF_STMT(BPF_RET | BPF_A, 0), ALLOW));
	CHECK_ERRNO(syscall(SYS_kill, 0, 10), ((10 * 5 + 14) / 2) ^ 3);
	CHECK_ERRNO(syscall(SYS_kill, 0, 30), ((30 * 5 + 14) / 2) ^ 3);
}

static void the_strictest_filter_wins_and_then_the_newest(void)
{
	no_new_privs();
	MUST(ADD(0, ON_CALL(__NR_getppid, SECCOMP_RET_ERRNO | 1)));
	MUST(ADD(0, ON_CALL(__NR_getppid, SECCOMP_RET_LOG)));
	CHECK_ERRNO(my_parent(), 1);
	MUST(ADD(SECCOMP_FILTER_FLAG_LOG, ON_CALL(__NR_getppid, SECCOMP_RET_ERRNO | 2)));
	CHECK_ERRNO(my_parent(), 2);
	MUST(ADD(SECCOMP_FILTER_FLAG_SPEC_ALLOW, ON_CALL(__NR_getppid, SECCOMP_RET_ALLOW)));
	CHECK_ERRNO(my_parent(), 2);
	if (t_fork() == 0) {
		MUST(ADD(0, ON_CALL(__NR_getppid, SECCOMP_RET_KILL_PROCESS)));
		my_parent();
	}
	MUST(wait(NULL));
}

static siginfo_t trapped;
static volatile int nr_trapped;

static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	trapped = *info;
	nr_trapped++;
	T_UC_RET(uc) = 4711;
}

static void a_trap_can_be_answered(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

	no_new_privs();
	MUST(sigaction(SIGSYS, &sa, NULL));
	MUST(ADD(0, ON_CALL(__NR_getpgid, SECCOMP_RET_TRAP | 33)));
	CHECK_EQ(syscall(SYS_getpgid, 5, 6, 7), 4711);
	CHECK_EQ(nr_trapped, 1);
	CHECK_EQ(trapped.si_code, 1); /* SYS_SECCOMP */
	CHECK_EQ(trapped.si_errno, 33);
	CHECK_EQ(trapped.si_syscall, __NR_getpgid);
	CHECK_EQ(trapped.si_arch, T_AUDIT_ARCH);
	CHECK(trapped.si_call_addr);
}

static void call_getppid(void)
{
	my_parent();
	_exit(1);
}

static void ends_by_sigsys(unsigned action, void (*prepare)(void))
{
	pid_t pid = t_fork();

	if (pid == 0) {
		if (prepare)
			prepare();
		MUST(ADD(0, ON_CALL(__NR_getppid, action)));
		call_getppid();
	}
	t_wait_signal(pid, SIGSYS);
}

static void handled(int sig)
{
	_exit(sig);
}

static void block_sigsys(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	t_handle(SIGSYS, handled, 0);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
}

static void ignore_sigsys(void)
{
	signal(SIGSYS, SIG_IGN);
}

static void processes_are_ended(void)
{
	no_new_privs();
	ends_by_sigsys(SECCOMP_RET_KILL_PROCESS, NULL);
	ends_by_sigsys(SECCOMP_RET_KILL_PROCESS, block_sigsys);
	ends_by_sigsys(SECCOMP_RET_KILL_THREAD, ignore_sigsys);
	ends_by_sigsys(SECCOMP_RET_TRAP, NULL);
	ends_by_sigsys(SECCOMP_RET_TRAP, block_sigsys);
	ends_by_sigsys(0x12340000, NULL); /* no such action */
}

static void *filtered_thread(void *arg)
{
	MUST(ADD(0, ON_CALL(__NR_getppid, *(unsigned *)arg)));
	my_parent();
	*(unsigned *)arg = 0;
	return NULL;
}

static void a_thread_is_ended_alone(void)
{
	unsigned action = SECCOMP_RET_KILL_THREAD;
	pthread_t t;

	no_new_privs();
	CHECK_EQ(pthread_create(&t, NULL, filtered_thread, &action), 0);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_EQ(action, SECCOMP_RET_KILL_THREAD);
	CHECK_EQ(my_parent() > 0, 1); /* its filter was its own */
	CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
}

static void *getppid_errno(void *arg)
{
	(void)arg;
	return (void *)(long)(my_parent() < 0 ? errno : 0);
}

static int helper(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return my_parent() < 0 ? errno : 0;
}

static void filters_are_inherited(void)
{
	void *ret;
	pthread_t t;
	pid_t pid;

	no_new_privs();
	MUST(ADD(0, ON_CALL(__NR_getppid, SECCOMP_RET_ERRNO | 44)));
	CHECK_EQ(pthread_create(&t, NULL, getppid_errno, NULL), 0);
	CHECK_EQ(pthread_join(t, &ret), 0);
	CHECK_EQ((long)ret, 44);
	pid = t_fork();
	if (pid == 0)
		_exit(my_parent() < 0 ? errno : 0);
	t_wait_exit(pid, 44);
	pid = t_fork();
	if (pid == 0) {
		execl(t_self(), t_self(), "--helper", "seccomp", NULL);
		_exit(1);
	}
	t_wait_exit(pid, 44);
}

static void no_new_privs_is_inherited(void)
{
	pid_t pid;

	CHECK_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
	CHECK_ERRNO(prctl(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0), EINVAL);
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	no_new_privs();
	pid = t_fork();
	if (pid == 0)
		_exit(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	t_wait_exit(pid, 1);
}

static void strict_mode_knows_four_calls(void)
{
	pid_t pid = t_fork();
	char c = 0;

	if (pid == 0) {
		int fds[2];

		MUST(pipe(fds));
		MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
		if (write(fds[1], &c, 1) == 1 && read(fds[0], &c, 1) == 1)
			syscall(SYS_exit, 9);
		for (;;)
			;
	}
	t_wait_exit(pid, 9);
	pid = t_fork();
	if (pid == 0) {
		MUST(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL));
		my_parent();
		syscall(SYS_exit, 1);
	}
	t_wait_signal(pid, SIGKILL);
	no_new_privs();
	MUST(ADD(0, ALLOW));
	CHECK_ERRNO(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT), EINVAL);
}

static void actions_can_be_asked_for(void)
{
	static const unsigned known[] = { SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD,
					  SECCOMP_RET_TRAP,	    SECCOMP_RET_ERRNO,
					  SECCOMP_RET_TRACE,	    SECCOMP_RET_LOG,
					  SECCOMP_RET_ALLOW };
	unsigned bad = 0x12340000;

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		MUST(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &known[i]));
	CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &bad), EOPNOTSUPP);
	CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 1, known), EINVAL);
	CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, t_bad_ptr()), EFAULT);
}

static volatile int ready, go, calls_that_passed;

/* Calls without end until one is refused; those made after `go` must not pass. */
static void *call_on(void *arg)
{
	int late;

	(void)arg;
	do {
		late = go;
		ready = 1;
		if (my_parent() < 0)
			return (void *)(long)errno;
		calls_that_passed += late;
	} while (!calls_that_passed);
	return NULL;
}

static void busy_threads_get_the_filter_at_once(void)
{
	pthread_t t;
	void *ret;

	no_new_privs();
	for (int round = 0; round < 20; round++) {
		pid_t pid = t_fork();

		if (pid == 0) {
			CHECK_EQ(pthread_create(&t, NULL, call_on, NULL), 0);
			while (!ready)
				sched_yield();
			MUST(ADD(SECCOMP_FILTER_FLAG_TSYNC,
				 ON_CALL(__NR_getppid, SECCOMP_RET_ERRNO | 55)));
			go = 1;
			CHECK_EQ(pthread_join(t, &ret), 0);
			CHECK_EQ((long)ret, 55);
			CHECK_EQ(calls_that_passed, 0);
			_exit(0);
		}
		t_wait_exit(pid, 0);
	}
}

static volatile pid_t stranger;
static struct t_gate stranger_up, stranger_ends;

static void *strange_thread(void *arg)
{
	(void)arg;
	stranger = (pid_t)syscall(SYS_gettid);
	MUST(ADD(0, ALLOW));
	t_gate_open(&stranger_up);
	t_gate_wait(&stranger_ends);
	return (void *)(long)prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
}

static void threads_with_other_filters_are_named(void)
{
	const unsigned both = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
	pthread_t t;

	no_new_privs();
	t_gate_init(&stranger_up);
	t_gate_init(&stranger_ends);
	CHECK_EQ(pthread_create(&t, NULL, strange_thread, NULL), 0);
	t_gate_wait(&stranger_up);
	CHECK_EQ(ADD(SECCOMP_FILTER_FLAG_TSYNC, ALLOW), stranger);
	CHECK_ERRNO(ADD(both, ALLOW), ESRCH);
	CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
	t_gate_open(&stranger_ends);
	CHECK_EQ(pthread_join(t, NULL), 0);
	while (ADD(both, ALLOW) < 0) { /* it has ended, but may be on its way out */
		CHECK_EQ(errno, ESRCH);
		sched_yield();
	}
}

static struct t_gate plain_go;

static void *plain_thread(void *arg)
{
	(void)arg;
	t_gate_wait(&plain_go);
	return (void *)(long)(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) << 4 | prctl(PR_GET_SECCOMP));
}

static void threads_get_no_new_privs_with_it(void)
{
	pthread_t t;
	void *ret;

	t_gate_init(&plain_go);
	CHECK_EQ(pthread_create(&t, NULL, plain_thread, NULL), 0);
	no_new_privs();
	MUST(ADD(SECCOMP_FILTER_FLAG_TSYNC, ALLOW));
	t_gate_open(&plain_go);
	CHECK_EQ(pthread_join(t, &ret), 0);
	CHECK_EQ((long)ret, 0x12);
}

static void long_chains_have_an_end(void)
{
	static struct sock_filter code[BPF_MAXINSNS];
	int n = 0;

	for (int i = 0; i < BPF_MAXINSNS; i++)
		code[i] = (struct sock_filter)ALLOW;
	no_new_privs();
	while (n < 10 && add_filter(code, BPF_MAXINSNS, 0) == 0)
		n++;
	CHECK_EQ(errno, ENOMEM);
	/* 32768 instructions; Linux may count those of the filter it makes of it */
	CHECK(n >= 2 && n <= 8);
	MUST(add_filter(code, 100, 0));
}

/* A chain of many small filters is given back when its last user is gone. */
static void many_filters_come_and_go(void)
{
	no_new_privs();
	for (int i = 0; i < 30; i++) {
		pid_t pid = t_fork();

		if (pid == 0) {
			for (int k = 0; k < 100; k++)
				MUST(ADD(0, ALLOW));
			t_wait_exit(({
					    pid_t child = t_fork();

					    if (child == 0)
						    _exit(3);
					    child;
				    }),
				    3);
			_exit(0);
		}
		t_wait_exit(pid, 0);
	}
}

TEST_PROGRAM_WITH_HELPER(seccomp, helper, CASE(loading_wants_no_new_privs_or_rights),
			 CASE(prctl_loads_them_too), CASE(bad_requests_are_refused),
			 CASE(bad_programs_are_refused), CASE(results_are_chosen),
			 CASE(arguments_and_machine_are_seen), CASE(programs_compute),
			 CASE(the_strictest_filter_wins_and_then_the_newest),
			 CASE(a_trap_can_be_answered), CASE(processes_are_ended),
			 CASE(a_thread_is_ended_alone), CASE(filters_are_inherited),
			 CASE(no_new_privs_is_inherited), CASE(strict_mode_knows_four_calls),
			 CASE(actions_can_be_asked_for), CASE(busy_threads_get_the_filter_at_once),
			 CASE(threads_with_other_filters_are_named),
			 CASE(threads_get_no_new_privs_with_it), CASE(long_chains_have_an_end),
			 CASE(many_filters_come_and_go));
