// SPDX-License-Identifier: Apache-2.0
/*
 * handler_state - what a handler finds in its registers and its frame on x86-64
 *
 * Rules     What a handler is to find is looked at by its first instructions, in assembly, before compiled code may use them.
 */
#include "tests/lib/t.h"

#include <cpuid.h>
#include <setjmp.h>
#include <ucontext.h>

struct found {
	unsigned mxcsr;
	unsigned short cw, sw, tw_env[14];
	unsigned char xmm[16][16], ymm[32];
};
struct found found __attribute__((aligned(64)));

void look_and_return(int sig);
__asm__(".text\n"
	"look_and_return:\n"
	"	stmxcsr found(%rip)\n"
	"	fnstcw found+4(%rip)\n"
	"	fnstsw found+6(%rip)\n"
	"	movdqu %xmm0, found+36(%rip)\n"
	"	movdqu %xmm7, found+148(%rip)\n"
	"	movdqu %xmm15, found+276(%rip)\n"
	"	cmpl $0, has_avx(%rip)\n"
	"	je 1f\n"
	"	vmovdqu %ymm3, found+292(%rip)\n"
	"1:	ret\n");

int has_avx;
_Static_assert(offsetof(struct found, xmm) == 36 && offsetof(struct found, ymm) == 292,
	       "offsets in the assembly");

static void set_state(void)
{
	static const unsigned char ones[32] = {
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
	};
	unsigned mxcsr = 0x7fc0; /* rounds toward zero, denormals are zero */
	unsigned short cw = 0xc7f;

	__asm__ volatile(
		"ldmxcsr %0; fldcw %1; fld1; movdqu %2, %%xmm0; movdqu %2, %%xmm7; movdqu %2, %%xmm15"
		:
		: "m"(mxcsr), "m"(cw), "m"(ones)
		: "xmm0", "xmm7", "xmm15");
	if (has_avx)
		__asm__ volatile("vmovdqu %0, %%ymm3" : : "m"(ones) : "xmm3");
}

static void find_avx(void)
{
	unsigned a, b, c, d;

	has_avx = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_AVX) && (c & bit_OSXSAVE);
}

static void a_handler_starts_with_initial_vector_registers(void)
{
	static const unsigned char zeros[32];
	struct sigaction sa = { .sa_handler = look_and_return };
	unsigned mxcsr;
	unsigned short cw;

	find_avx();
	MUST(sigaction(SIGUSR1, &sa, NULL));
	memset(&found, 0xee, sizeof found);
	set_state();
	__asm__ volatile("syscall" /* kill(getpid(), SIGUSR1) */
			 :
			 : "a"(SYS_kill), "D"(getpid()), "S"(SIGUSR1)
			 : "rcx", "r11", "memory");
	__asm__ volatile("stmxcsr %0; fnstcw %1; fninit" : "=m"(mxcsr), "=m"(cw));
	CHECK_EQ(found.mxcsr, 0x1f80);
	CHECK_EQ(found.cw, 0x37f);
	CHECK_EQ(found.sw, 0);
	CHECK(!memcmp(found.xmm[0], zeros, 16));
	CHECK(!memcmp(found.xmm[7], zeros, 16));
	CHECK(!memcmp(found.xmm[15], zeros, 16));
	if (has_avx)
		CHECK(!memcmp(found.ymm, zeros, 32));
	CHECK_EQ(mxcsr & 0xffc0, 0x7fc0); /* the return brings back what was */
	CHECK_EQ(cw, 0xc7f);
}

static sigjmp_buf back;
static volatile long seen_trap, seen_err, seen_cr2;

static void note(int sig, siginfo_t *info, void *v)
{
	ucontext_t *uc = v;

	seen_trap = uc->uc_mcontext.gregs[REG_TRAPNO];
	seen_err = uc->uc_mcontext.gregs[REG_ERR];
	seen_cr2 = uc->uc_mcontext.gregs[REG_CR2];
	if (sig != SIGUSR1)
		siglongjmp(back, 1);
	(void)info;
}

static void a_frame_shows_faults_that_were_signals_only(void)
{
	struct sigaction sa = { .sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_NODEFER };
	volatile char *p;
	int i;

	MUST(sigaction(SIGUSR1, &sa, NULL));
	MUST(sigaction(SIGSEGV, &sa, NULL));
	MUST(sigaction(SIGILL, &sa, NULL));
	p = MUST(mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	for (i = 0; i < 1 << 20; i += 4096)
		p[i] = 1;
	raise(SIGUSR1);
	CHECK_EQ(seen_trap, 0);
	CHECK_EQ(seen_err, 0);
	CHECK_EQ(seen_cr2, 0);
	if (!sigsetjmp(back, 1))
		*(volatile int *)0x18 = 1;
	CHECK_EQ(seen_trap, 14);
	CHECK_EQ(seen_err, 6);
	CHECK_EQ(seen_cr2, 0x18);
	if (!sigsetjmp(back, 1))
		__asm__ volatile("ud2");
	CHECK_EQ(seen_trap, 6);
	CHECK_EQ(seen_err, 0);
	CHECK_EQ(seen_cr2, 0x18);
}

static volatile long fpe_code;

static void on_fpe(int sig, siginfo_t *info, void *v)
{
	fpe_code = info->si_code;
	note(sig, info, v);
}

/* An emulated CPU may set the flags of exceptions that nobody masked, and raise nothing. */
static int divisions_raise(void)
{
	unsigned mxcsr = 0x1f80 & ~0x200u, zero = 0, one = 0x3f800000, after = 0;

	fpe_code = 0;
	if (!sigsetjmp(back, 1))
		__asm__ volatile("ldmxcsr %1; movss %2, %%xmm0; divss %3, %%xmm0; stmxcsr %0"
				 : "=m"(after)
				 : "m"(mxcsr), "m"(one), "m"(zero)
				 : "xmm0");
	return after != (mxcsr | 4);
}

static void unmasked_vector_exceptions_are_signals(void)
{
	static const struct {
		unsigned mxcsr;
		unsigned a, b; /* divided, as floats */
		int code;
	} sse[] = {
		{0x1f80 & ~0x1e80u,  0x3f800000, 0,	    FPE_FLTDIV},
		{ 0x1f80 & ~0x80u,   0,	      0,		 FPE_FLTINV},
		{ 0x1f80 & ~0x400u,  0x7f000000, 0x00800000, FPE_FLTOVF},
		{ 0x1f80 & ~0x800u,  0x00800000, 0x7f000000, FPE_FLTUND},
		{ 0x1f80 & ~0x1000u, 0x3f800000, 0x40400000, FPE_FLTRES},
	};
	struct sigaction sa = { .sa_sigaction = on_fpe, .sa_flags = SA_SIGINFO | SA_NODEFER };
	unsigned fine = 0x1f80;
	volatile size_t i;

	MUST(sigaction(SIGFPE, &sa, NULL));
	if (!divisions_raise())
		SKIP("this CPU sets flags only");
	for (i = 0; i < sizeof sse / sizeof sse[0]; i++) {
		fpe_code = 0;
		if (!sigsetjmp(back, 1))
			__asm__ volatile("ldmxcsr %0; movss %1, %%xmm0; divss %2, %%xmm0"
					 :
					 : "m"(sse[i].mxcsr), "m"(sse[i].a), "m"(sse[i].b)
					 : "xmm0");
		__asm__ volatile("ldmxcsr %0" : : "m"(fine));
		CHECK_EQ(fpe_code, sse[i].code);
		CHECK_EQ(seen_trap, 19);
	}
}

static void unmasked_x87_exceptions_are_signals(void)
{
	struct sigaction sa = { .sa_sigaction = on_fpe, .sa_flags = SA_SIGINFO | SA_NODEFER };
	volatile unsigned short cw = 0x340;

	MUST(sigaction(SIGFPE, &sa, NULL));
	fpe_code = 0;
	if (!sigsetjmp(back, 1))
		__asm__ volatile("fldcw %0; fld1; fldz; fdivrp; fwait" : : "m"(cw));
	__asm__ volatile("fninit");
	CHECK_EQ(fpe_code, FPE_FLTDIV);
	CHECK_EQ(seen_trap, 16);
}

TEST_PROGRAM(handler_state, CASE(a_handler_starts_with_initial_vector_registers),
	     CASE(a_frame_shows_faults_that_were_signals_only),
	     CASE(unmasked_vector_exceptions_are_signals),
	     CASE(unmasked_x87_exceptions_are_signals));
