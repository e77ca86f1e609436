// SPDX-License-Identifier: Apache-2.0
/*
 * escape - see escape.h
 *
 * Rules     Attacks that hang are the usual case, so their limit is short and a real-time timer, not processor time.
 */
#include "tests/escape/escape.h"

#include <sys/resource.h>
#include <sys/time.h>
#include <sys/utsname.h>

#define NOBODY	  65534
#define ATTACK_US 100000

__thread unsigned long jump_target; /* found by name from assembly */

static struct utsname first_uname;
static pid_t first_pid, first_parent;

static void note_first(void)
{
	if (first_pid == getpid())
		return;
	MUST(uname(&first_uname));
	first_pid = getpid();
	first_parent = getppid();
}

static void limit_attack(void)
{
	const struct rlimit few = { 20, 20 }, none = { 0, 0 };
	const struct itimerval soon = {
		.it_value = {0, ATTACK_US}
	};

	setrlimit(RLIMIT_NPROC, &few);
	setrlimit(RLIMIT_FSIZE, &none);
	setrlimit(RLIMIT_CORE, &none);
	t_become_user(NOBODY);
	setpgid(0, 0);
	setitimer(ITIMER_REAL, &soon, NULL);
}

int attack(void (*fn)(unsigned long arg), unsigned long arg)
{
	int status = 0;
	pid_t pid;

	note_first();
	fflush(stdout);
	pid = t_fork();
	if (!pid) {
		limit_attack();
		fn(arg);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0)
		CHECK(errno == EINTR);
	kill(-pid, SIGKILL);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return status;
}

void attack_check(void)
{
	struct utsname u;

	note_first();
	MUST(uname(&u));
	CHECK(!memcmp(&u, &first_uname, sizeof u));
	CHECK_EQ(getpid(), first_pid);
	CHECK_EQ(getppid(), first_parent);
	t_wait_exit(({
			    pid_t pid = t_fork();

			    if (!pid)
				    _exit(7);
			    pid;
		    }),
		    7);
}

static void look_at(unsigned long a)
{
	(void)*(volatile char *)a;
}

/* /proc/self/maps does not show them: only a look tells. */
void need_stub(void)
{
	if (WIFSIGNALED(attack(look_at, PM_STUB_CODE)))
		SKIP("there are no stubs on this machine");
}

uint64_t random_word(uint64_t *seed)
{
	uint64_t z = (*seed += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

void random_regs(struct jump_regs *r, uint64_t *seed)
{
	unsigned long *w = (unsigned long *)r;

	for (size_t i = 0; i < sizeof *r / sizeof *w; i++)
		w[i] = random_word(seed) % 4 ? random_word(seed)
					     : PM_STUB_BASE + random_word(seed) % 0x300000;
	r->flags &= 0xcd5; /* neither the trap flag nor what user mode may not set */
}

_Noreturn void jump_with(const struct jump_regs *r, unsigned long to)
{
	jump_target = to;
	__asm__ volatile(
		"pushq 128(%%rax)\n\t popfq\n\t"
		"movq 8(%%rax), %%rbx\n\t movq 16(%%rax), %%rcx\n\t movq 24(%%rax), %%rdx\n\t"
		"movq 32(%%rax), %%rsi\n\t movq 40(%%rax), %%rdi\n\t movq 48(%%rax), %%rbp\n\t"
		"movq 56(%%rax), %%rsp\n\t movq 64(%%rax), %%r8\n\t movq 72(%%rax), %%r9\n\t"
		"movq 80(%%rax), %%r10\n\t movq 88(%%rax), %%r11\n\t movq 96(%%rax), %%r12\n\t"
		"movq 104(%%rax), %%r13\n\t movq 112(%%rax), %%r14\n\t"
		"movq 120(%%rax), %%r15\n\t movq (%%rax), %%rax\n\t"
		"jmp *%%fs:jump_target@tpoff\n"
		:
		: "a"(r)
		: "memory");
	__builtin_unreachable();
}
