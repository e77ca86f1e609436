// SPDX-License-Identifier: Apache-2.0
/*
 * parking - programs that do not stop when they are to, run when they are not to, and what is left of ended ones
 *
 * Role      Attacks on what the kernel knows of an application thread: its area says that it is parked, by which
 *           instruction it came, which word it waits for. Nothing of it is to be believed.
 * Rules     The places in the stub's code are found by their bytes, so that the attack stays one when the code moves.
 *           The last case is the other side: programs that do nothing wrong live, however busy the machine is.
 */
#include "tests/escape/escape.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/utsname.h>

#define ENDS_WITHIN_MS 8000
#define PATTERN	       0x1122334455667788ul
#define MASK	       0x5a5a5a5a5a5a5a5aul /* the pattern itself is in no register of the scanner */

/* mov $3, %eax; xchg %eax, (%rbx) */
static const unsigned char park_code[] = { 0xb8, 3, 0, 0, 0, 0x87, 0x03 };
/* lea (%rbx), %rdi; xor %esi, %esi; mov $4, %edx */
static const unsigned char wait_code[] = { 0x48, 0x8d, 0x3b, 0x31, 0xf6, 0xba, 4, 0, 0, 0 };
/* mov (%rbx), %eax; cmp $3, %eax */
static const unsigned char spin_code[] = { 0x8b, 0x03, 0x83, 0xf8, 0x03 };

#define STUB_PLACE(code) stub_place(code, sizeof code)

static unsigned long stub_place(const unsigned char *code, size_t n)
{
	for (unsigned long a = PM_STUB_CODE; a < PM_STUB_CODE + STUB_CODE_USED; a++)
		if (!memcmp((const void *)a, code, n))
			return a;
	t_fail(__FILE__, __LINE__, "the code is there");
}

/* An area of our own making, from which the stub's code would go on to landed(). */
static struct {
	volatile uint32_t state, spin, sig;
	int32_t code;
	uint64_t addr, err, trapno, cr2;
	uint32_t arch, pad;
	uint64_t fp, regs[AREA_REGS_WORDS], fs, gs;
} * fake;

static char landing[4096] __attribute__((aligned(16)));

static void landed(void)
{
	_exit(42);
}

static uint64_t fs_base(void)
{
	uint64_t base;

	__asm__ volatile("movq %%fs:0, %0" : "=r"(base));
	return base;
}

static void make_fake(uint32_t state)
{
	fake = MUST(mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	fake->regs[15] = (uint64_t)landing + sizeof landing - 8;
	fake->regs[16] = (uint64_t)landed;
	fake->regs[17] = 0x202;
	fake->fs = fs_base();
	fake->state = state;
}

static void pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	MUST(sched_setaffinity(0, sizeof set, &set));
}

/* Its wait status, or -1 when it has not ended by then. */
static int ends_within(pid_t pid, int ms)
{
	long long end = t_now_ms() + ms;
	int status;

	while (t_now_ms() < end) {
		if (MUST(waitpid(pid, &status, WNOHANG)) == pid)
			return status;
		usleep(10000);
	}
	kill(pid, SIGKILL);
	return -1;
}

/* On CPU 0, where the attack runs: it must get there again and again while that lives. */
static void must_be_ended(pid_t pid)
{
	int status = ends_within(pid, ENDS_WITHIN_MS);

	CHECK(status != -1);
	CHECK(WIFSIGNALED(status));
}

static void need_two_cpus(void)
{
	need_stub();
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP("a second CPU is needed");
}

/* A word of the area where a kernel could be tempted to count. */
static void *writes_everywhere(void *arg)
{
	volatile uint32_t *word = (void *)STUB_AREA(0);

	pin_to(1);
	for (;;)
		for (unsigned i = 228; i < 256; i += 4)
			word[i / 4] = 5;
	return arg;
}

static void *unparks(void *arg)
{
	volatile uint32_t *state = (void *)STUB_AREA(0);

	pin_to(1);
	for (;;)
		*state = STATE_RUN;
	return arg;
}

static pid_t hog(void *(*helper)(void *), void (*then)(void))
{
	pid_t pid = t_fork();
	pthread_t t;

	if (pid)
		return pid;
	CHECK(!pthread_create(&t, NULL, helper, NULL));
	usleep(100000);
	pin_to(0);
	then();
	_exit(1);
}

static void spin_in_the_stub(void)
{
	struct jump_regs r = { .cx = 0xfffffffful, .flags = 2 };

	make_fake(STATE_PARKED);
	r.bx = (unsigned long)fake;
	r.sp = (unsigned long)landing + sizeof landing;
	jump_with(&r, STUB_PLACE(spin_code));
}

static void compute(void)
{
	for (;;)
		__asm__ volatile("");
}

static void who_spins_in_the_stubs_code_is_ended(void)
{
	need_two_cpus();
	pin_to(0);
	must_be_ended(hog(writes_everywhere, spin_in_the_stub));
	attack_check();
}

static void who_is_unparked_by_a_thread_of_its_own_is_ended(void)
{
	pid_t pid;

	need_two_cpus();
	pin_to(0);
	pid = hog(unparks, compute);
	usleep(500000);
	kill(pid, SIGTERM); /* which stops it or not, but a stubborn one must not keep the CPU */
	must_be_ended(pid);
	attack_check();
}

static volatile uint64_t *counter;

/* Says that it waits in pause(), and counts. */
static void count_while_parked(void)
{
	volatile uint32_t *word = (void *)STUB_AREA(0);
	volatile uint64_t *regs = (void *)(STUB_AREA(0) + AREA_REGS);

	pin_to(0);
	*counter = 1;
	for (int i = 0; i < AREA_REGS_WORDS; i++)
		regs[i] = 0;
	regs[13] = SYS_pause;
	regs[15] = (uint64_t)landing + sizeof landing - 8;
	regs[16] = (uint64_t)landed;
	regs[17] = 0x202;
	*(volatile uint64_t *)(STUB_AREA(0) + AREA_FS) = 0;
	*(volatile uint64_t *)(STUB_AREA(0) + AREA_GS) = STUB_AREA(0);
	*(volatile uint64_t *)(STUB_AREA(0) + AREA_FP) = 0;
	word[AREA_SIG / 4] = ENTRY_FAST;
	__atomic_exchange_n(&word[0], STATE_PARKED, __ATOMIC_SEQ_CST);
	for (;;)
		++*counter;
}

static char state_of(pid_t pid)
{
	char path[64], text[512], *p;

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	t_read_file(path, text, sizeof text);
	p = strrchr(text, ')');
	return p ? p[2] : '?';
}

/* A child that computes while the kernel believes it asleep. */
static pid_t sleepwalker(void)
{
	for (int i = 0; i < 50; i++) {
		pid_t pid;
		uint64_t n;

		*counter = 0;
		pid = t_fork();
		if (!pid)
			count_while_parked();
		usleep(300000);
		n = *counter;
		usleep(20000);
		if (state_of(pid) == 'S' && *counter != n)
			return pid;
		kill(pid,
		     SIGKILL); /* the kernel stopped it before it saw the forgery, or ended it already */
		MUST(waitpid(pid, NULL, 0));
	}
	return 0;
}

static void who_computes_while_it_is_said_to_sleep_is_ended(void)
{
	pid_t pid;

	need_stub();
	counter = MUST(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	pid = sleepwalker();
	if (pid)
		must_be_ended(pid);
	attack_check();
}

static void who_computes_while_it_is_stopped_is_ended(void)
{
	pid_t pid;

	need_stub();
	counter = MUST(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	pid = sleepwalker();
	if (pid) {
		kill(pid, SIGSTOP);
		must_be_ended(pid);
	}
	attack_check();
}

static void leave_pattern(void)
{
	for (int cpu = 0; cpu < sysconf(_SC_NPROCESSORS_ONLN); cpu++)
		for (unsigned long a = AREA_XSAVE; a < AREA_BYTES - 64; a += 8)
			*(volatile uint64_t *)(STUB_AREA(cpu) + a) = PATTERN ^ MASK;
	_exit(0);
}

static unsigned find_pattern(void)
{
	volatile uint64_t mask = MASK;
	unsigned n = 0;

	for (int cpu = 0; cpu < sysconf(_SC_NPROCESSORS_ONLN); cpu++)
		for (unsigned long a = 0; a < AREA_BYTES; a += 8)
			n += (*(volatile uint64_t *)(STUB_AREA(cpu) + a) ^ mask) == PATTERN;
	for (unsigned long a = 0; a < 4096; a += 8)
		n += (*(volatile uint64_t *)(PM_STUB_COMMAND + a) ^ mask) == PATTERN;
	return n;
}

static void nothing_of_an_ended_program_is_seen_by_the_next(void)
{
	need_stub();
	for (int i = 0; i < 40; i++) {
		pid_t pid = t_fork();

		if (!pid)
			leave_pattern();
		t_wait_exit(pid, 0);
		pid = t_fork();
		if (!pid)
			_exit(find_pattern() != 0);
		t_wait_exit(pid, 0);
	}
}

/* The stub's wait, for a word that others share: from an image's file it would be shared with other sandboxes. */
static void a_word_of_shared_memory_cannot_be_waited_for(void)
{
	struct jump_regs r = { .flags = 2 };
	pid_t pid;
	int status;

	need_stub();
	make_fake(STATE_RUN); /* a call that is permitted returns at once, and lands */
	pid = t_fork();
	if (!pid) {
		r.bx = (unsigned long)fake;
		r.sp = (unsigned long)landing + sizeof landing - 256;
		/* faults would end it too */
		memset(landing, 1, sizeof landing);
		fake->state = STATE_RUN;
		jump_with(&r, STUB_PLACE(wait_code));
	}
	status = ends_within(pid, ENDS_WITHIN_MS);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	attack_check();
}

#define OWN_PAGE 0x60000000ul

/* uname(2) from that page only. */
static void allow_uname_from_own_page(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_uname, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, instruction_pointer)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, OWN_PAGE, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, OWN_PAGE + 4096, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	};
	struct sock_fprog p = { sizeof f / sizeof f[0], f };

	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p));
}

static unsigned char *map_own_page(void)
{
	return MUST(mmap((void *)OWN_PAGE, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
}

static void a_filter_sees_where_a_call_came_from(void)
{
	static const unsigned char code[] = { 0xb8, SYS_uname, 0, 0, 0, 0x0f, 0x05, 0xc3 };
	unsigned char *page = map_own_page();
	struct utsname u;
	long (*call)(struct utsname *) = (long (*)(struct utsname *))page;

	memcpy(page, code, sizeof code);
	allow_uname_from_own_page();
	CHECK_ERRNO(uname(&u), EPERM);
	for (int i = 0; i < 100; i++)
		CHECK_EQ(call(&u), 0);
}

static struct utsname forged_result;

static void was_allowed(void)
{
	_exit(forged_result.sysname[0] ? 42 : 1);
}

/* Says that the call came from the page, where there is only a jump back to us. */
static void forge_address(unsigned long arg)
{
	volatile uint32_t *word = (void *)STUB_AREA(0);
	volatile uint64_t *regs = (void *)(STUB_AREA(0) + AREA_REGS);
	struct jump_regs r = { .bx = STUB_AREA(0), .flags = 2 };
	unsigned char *page = map_own_page();
	unsigned long place = STUB_PLACE(park_code);

	memset(page, 0xcc, 4096);
	page[0x100] = 0xff; /* jmp *%rbx */
	page[0x101] = 0xe3;
	if (arg) /* the bytes are there, but not as code */
		memcpy(page + 0xfe, "\x0f\x05", 2);
	pin_to(0);
	allow_uname_from_own_page();
	if (arg && mprotect(page, 4096, PROT_READ))
		_exit(2);
	r.sp = (unsigned long)landing + sizeof landing - 256;
	memset(landing, 1, sizeof landing); /* no fault may write to the area any more */
	memset(&forged_result, 0, sizeof forged_result);
	jump_target = place;
	regs[8] = (uint64_t)&forged_result;
	regs[11] = (uint64_t)was_allowed;
	regs[13] = SYS_uname;
	regs[15] = (uint64_t)landing + sizeof landing - 8;
	regs[16] = OWN_PAGE + 0x100;
	regs[17] = 0x202;
	*(volatile uint64_t *)(STUB_AREA(0) + AREA_FS) = fs_base();
	*(volatile uint64_t *)(STUB_AREA(0) + AREA_GS) = STUB_AREA(0);
	*(volatile uint64_t *)(STUB_AREA(0) + AREA_FP) = 0;
	word[AREA_SIG / 4] = ENTRY_FAST;
	jump_with(&r, place);
}

static void nobody_forges_where_a_call_came_from(void)
{
	need_stub();
	for (unsigned long how = 0; how < 2; how++) {
		int status = attack(forge_address, how);

		CHECK(WIFSIGNALED(status));
	}
	attack_check();
}

/* A bit of everything that starts, stops, waits and is interrupted. */
static void be_honest(void)
{
	long long end = t_now_ms() + 4000;
	int fds[2], status;
	char c = 0;

	MUST(pipe(fds));
	t_start_ticks(SIG_IGN, 0);
	for (unsigned i = 0; t_now_ms() < end; i++) {
		volatile unsigned char *page = MUST(mmap(NULL, 65536, PROT_READ | PROT_WRITE,
							 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		pid_t pid;

		for (unsigned k = 0; k < 65536; k += 512)
			page[k] = (unsigned char)i;
		MUST(munmap((void *)page, 65536));
		usleep(i % 16 * 200);
		MUST(write(fds[1], &c, 1));
		MUST(read(fds[0], &c, 1));
		if (i % 32)
			continue;
		pid = t_fork();
		if (!pid)
			_exit(0);
		while (waitpid(pid, &status, 0) < 0)
			CHECK(errno == EINTR);
		CHECK_EQ(status, 0);
	}
	_exit(0);
}

static void nobody_is_ended_because_the_machine_is_busy(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pid_t busy[64], honest[8];

	for (long i = 0; i < 2 * cpus; i++)
		if (!(busy[i] = t_fork()))
			compute();
	for (int i = 0; i < 8; i++)
		if (!(honest[i] = t_fork()))
			be_honest();
	for (int i = 0; i < 8; i++)
		t_wait_exit(honest[i], 0);
	for (long i = 0; i < 2 * cpus; i++) {
		CHECK(!waitpid(busy[i], NULL, WNOHANG));
		kill(busy[i], SIGKILL);
		t_wait_signal(busy[i], SIGKILL);
	}
}

TEST_PROGRAM(parking, CASE(who_spins_in_the_stubs_code_is_ended),
	     CASE(who_is_unparked_by_a_thread_of_its_own_is_ended),
	     CASE(who_computes_while_it_is_said_to_sleep_is_ended),
	     CASE(who_computes_while_it_is_stopped_is_ended),
	     CASE(nothing_of_an_ended_program_is_seen_by_the_next),
	     CASE(a_word_of_shared_memory_cannot_be_waited_for),
	     CASE(a_filter_sees_where_a_call_came_from), CASE(nobody_forges_where_a_call_came_from),
	     CASE(nobody_is_ended_because_the_machine_is_busy));
