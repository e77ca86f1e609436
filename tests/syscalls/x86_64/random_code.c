// SPDX-License-Identifier: Apache-2.0
/*
 * random_code - programs made of random bytes: whatever they do, only they suffer
 *
 * Rules     $RANDOM_CODE_ROUNDS (80) children run as nobody, each with a second of processor time; $RANDOM_CODE_SEED
 *           chooses the bytes. Half of them are instructions that touch system state, between random ones.
 */
#include "tests/lib/t.h"

#include <sys/resource.h>
#include <sys/utsname.h>

static const char *const system_bytes[] = {
	"\x0f\x05",		/* syscall */
	"\x0f\x34",		/* sysenter */
	"\xcd\x80",		/* int $0x80 */
	"\xcd\x03",		/* int $3 */
	"\xf1",			/* int1 */
	"\x48\xcf",		/* iretq */
	"\x48\xcb",		/* lretq */
	"\xfd",			/* std */
	"\x9d",			/* popfq */
	"\x8e\xd8",		/* mov %eax, %ds */
	"\x8e\xd0",		/* mov %eax, %ss */
	"\x8e\xe0",		/* mov %eax, %fs */
	"\x8e\xe8",		/* mov %eax, %gs */
	"\x0f\x01\xf8",		/* swapgs */
	"\xf3\x48\x0f\xae\xd8", /* wrgsbase %rax */
	"\xf3\x48\x0f\xae\xd0", /* wrfsbase %rax */
	"\x0f\x01\xcb",		/* stac */
	"\x0f\x22\xd8",		/* mov %rax, %cr3 */
	"\x0f\x30",		/* wrmsr */
	"\x0f\x01\xd1",		/* xsetbv */
	"\x0f\xae\x28",		/* xrstor (%rax) */
	"\x0f\xae\x08",		/* fxrstor (%rax) */
	"\x0f\xa2",		/* cpuid */
	"\x0f\x31",		/* rdtsc */
	"\xe4\x60",		/* in $0x60, %al */
	"\xef",			/* out %eax, (%dx) */
	"\xf4",			/* hlt */
	"\xfa",			/* cli */
	"\x0f\x01\xc1",		/* vmcall */
	"\x0f\x01\xd9",		/* vmmcall */
	"\x0f\x00\xd8",		/* ltr %ax */
	"\x0f\x01\x18",		/* lidt (%rax) */
	"\x0f\x23\xf8",		/* mov %rax, %dr7 */
};

static uint64_t random_word(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static void fill(unsigned char *p, size_t n, uint64_t *seed)
{
	size_t at = 0;

	while (at + 8 < n) {
		uint64_t r = random_word(seed);

		if (r & 1) {
			const char *s = system_bytes[(r >> 1) % (sizeof system_bytes /
								 sizeof system_bytes[0])];

			memcpy(p + at, s, strlen(s));
			at += strlen(s);
		} else {
			memcpy(p + at, &r, 1 + (r >> 8) % 6);
			at += 1 + (r >> 8) % 6;
		}
	}
	memset(p + at, 0xcc, n - at);
}

_Noreturn static void run_random(uint64_t seed)
{
	const struct rlimit second = { 1, 1 }, few = { 20, 20 }, none = { 0, 0 };
	unsigned char *p;
	uint64_t regs[8];

	setrlimit(RLIMIT_CPU, &second);
	setrlimit(RLIMIT_NPROC, &few);
	setrlimit(RLIMIT_FSIZE, &none);
	setrlimit(RLIMIT_CORE, &none);
	alarm(3);
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		 0);
	if (p == MAP_FAILED)
		_exit(1);
	fill(p, 4096, &seed);
	for (size_t i = 0; i < 8; i++)
		regs[i] = random_word(&seed) % 3
				  ? random_word(&seed) % 512
				  : (uint64_t)(uintptr_t)p + random_word(&seed) % 8192;
	__asm__ volatile(
		"movq (%0), %%rax\n movq 8(%0), %%rdi\n movq 16(%0), %%rsi\n movq 24(%0), %%rdx\n"
		"movq 32(%0), %%r10\n movq 40(%0), %%r8\n movq 48(%0), %%r9\n jmp *%1\n"
		:
		: "b"(regs), "c"(p)
		: "memory");
	__builtin_unreachable();
}

static unsigned long number(const char *name, unsigned long otherwise)
{
	const char *s = getenv(name);

	return s ? strtoul(s, NULL, 0) : otherwise;
}

static void random_programs_hurt_only_themselves(void)
{
	unsigned long rounds = number("RANDOM_CODE_ROUNDS", 80),
		      seed = number("RANDOM_CODE_SEED", 1);
	struct utsname before, after;
	pid_t me = getpid();

	MUST(uname(&before));
	for (unsigned long i = 0; i < rounds; i++) {
		int status;
		pid_t pid = t_fork();

		if (!pid) {
			t_become_user(65534);
			setpgid(0, 0);
			run_random(seed * 1000000 + i);
		}
		MUST(waitpid(pid, &status, WUNTRACED));
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
	MUST(uname(&after));
	CHECK(!memcmp(&before, &after, sizeof before) && getpid() == me);
}

TEST_PROGRAM(random_code, CASE(random_programs_hurt_only_themselves));
