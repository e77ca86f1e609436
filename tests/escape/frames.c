// SPDX-License-Identifier: Apache-2.0
/*
 * frames - forged signal frames for rt_sigreturn(2)
 *
 * Rules     A frame is made from a true one, so that most fields are right and the wrong ones get far. What a program
 *           cannot give itself by instructions (segments, privileged flags) a frame must not give it either.
 */
#include "tests/escape/escape.h"

#include <ucontext.h>

#define FRAME_BYTES 16384
#define SP_OFF	    4096

/* A true frame, from the return address to behind the vector state. */
static struct {
	unsigned char bytes[FRAME_BYTES];
	size_t len, uc_off, fp_off;
} model;

static void keep_frame(int sig, siginfo_t *info, void *ctx)
{
	ucontext_t *uc = ctx;
	unsigned char *start = (unsigned char *)uc - 8; /* the return address */
	unsigned char *fp = (unsigned char *)uc->uc_mcontext.fpregs;
	unsigned char *end = fp ? fp + 2700 : start + 1024;

	model.uc_off = 8;
	model.fp_off = fp ? (size_t)(fp - start) : 0;
	model.len = (size_t)(end - start) < FRAME_BYTES ? (size_t)(end - start) : FRAME_BYTES;
	memcpy(model.bytes, start, model.len);
}

static void make_model(void)
{
	static unsigned char stack[65536] __attribute__((aligned(64)));
	struct sigaction sa = { .sa_sigaction = keep_frame, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof stack };

	MUST(sigaltstack(&ss, NULL));
	MUST(sigaction(SIGUSR1, &sa, NULL));
	MUST(raise(SIGUSR1));
	CHECK(model.len);
}

static unsigned char arena[65536] __attribute__((aligned(4096)));

static void landed(void)
{
	_exit(0);
}

/* Puts a copy of the model into the arena; its context. */
static ucontext_t *forge(void)
{
	unsigned char *at = arena + SP_OFF + 64 - 8 - model.fp_off % 64 + (model.fp_off ? 8 : 0);
	ucontext_t *uc;

	memcpy(at, model.bytes, model.len);
	uc = (ucontext_t *)(at + model.uc_off);
	if (model.fp_off)
		uc->uc_mcontext.fpregs = (void *)(at + model.fp_off);
	uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)landed;
	uc->uc_mcontext.gregs[REG_RSP] = (greg_t)(uintptr_t)(arena + sizeof arena - 8);
	return uc;
}

extern const char frames_call[];
__asm__(".text\n"
	"frames_call: syscall\n"
	"ud2\n");

_Noreturn static void go(ucontext_t *uc)
{
	struct jump_regs r = { .ax = SYS_rt_sigreturn, .sp = (unsigned long)uc, .flags = 2 };

	jump_with(&r, (unsigned long)frames_call);
}

static void as_it_was(unsigned long arg)
{
	go(forge());
}

static void a_true_frame_copied_elsewhere_is_taken(void)
{
	int status;

	make_model();
	status = attack(as_it_was, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static const unsigned long odd_addresses[] = {
	0,
	1,
	0x1000,
	PM_STUB_BASE - 1,
	PM_STUB_BASE,
	PM_STUB_CODE + 0x440,
	PM_STUB_CODE + 0x1000,
	PM_STUB_COMMAND,
	STUB_AREA(0),
	STUB_AREA(0) + AREA_ALTSTACK_TOP,
	STUB_AREA(1) + 0x2000,
	0x7ffffffff000ul,
	0x800000000000ul,
	0xffff800000000000ul,
	0xffffffff80000000ul,
	0xffffffffff600000ul,
	0xdeadbeefcafebabeul,
	~0ul,
};

#define NR_ODD (sizeof odd_addresses / sizeof odd_addresses[0])

static void odd_register(unsigned long arg)
{
	static const int regs[] = { REG_RIP, REG_RSP, REG_RBP };
	ucontext_t *uc = forge();

	uc->uc_mcontext.gregs[regs[arg % 3]] = (greg_t)odd_addresses[arg / 3];
	if (arg % 3 == 1) /* a fault there too, with that stack pointer */
		uc->uc_mcontext.gregs[REG_RIP] = 0;
	go(uc);
}

static void instruction_and_stack_pointers_of_all_kinds(void)
{
	make_model();
	for (unsigned long i = 0; i < 3 * NR_ODD; i++)
		attack(odd_register, i);
	attack_check();
}

static void segments(unsigned long arg)
{
	ucontext_t *uc = forge();
	uint64_t seed = arg;

	uc->uc_mcontext.gregs[REG_CSGSFS] =
		arg < 256 ? (greg_t)(arg * 0x0001000100010001ul | 3 * (arg & 1))
			  : (greg_t)random_word(&seed);
	uc->uc_flags = arg & 2 ? 7 : arg & 4 ? ~0ul : 0;
	go(uc);
}

static void segment_registers_of_all_kinds(void)
{
	make_model();
	for (unsigned long i = 0; i < 400; i++)
		attack(segments, i);
	attack_check();
}

static volatile unsigned long seen_flags;

static void look_at_flags(void)
{
	__asm__ volatile("pushfq\n\t popq %0\n\t cld" : "=r"(seen_flags));
	/* interrupts stay on; no privilege level, nested task, virtual mode, virtual interrupts */
	_exit((seen_flags & 0x200) && !(seen_flags & 0x1b7000) ? 0 : 1);
}

static void flags(unsigned long arg)
{
	ucontext_t *uc = forge();
	uint64_t seed = arg;

	uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)look_at_flags;
	uc->uc_mcontext.gregs[REG_EFL] = arg < 64    ? (greg_t)(1ul << arg)
					 : arg == 64 ? -1
						     : (greg_t)random_word(&seed);
	uc->uc_mcontext.gregs[REG_EFL] &= ~0x40000ul; /* unaligned accesses are not the subject */
	go(uc);
}

static void privileged_flags_are_not_to_be_had(void)
{
	make_model();
	for (unsigned long i = 0; i < 200; i++) {
		int status = attack(flags, i);

		CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	}
	attack_check();
}

static void vector_pointer(unsigned long arg)
{
	ucontext_t *uc = forge();
	unsigned long p =
		arg < NR_ODD ? odd_addresses[arg] : (unsigned long)uc->uc_mcontext.fpregs + arg;

	uc->uc_mcontext.fpregs = (void *)p;
	go(uc);
}

static void vector_state_from_anywhere(void)
{
	make_model();
	for (unsigned long i = 0; i < 200; i++)
		attack(vector_pointer, i);
	attack_check();
}

static void vector_bytes(unsigned long arg)
{
	ucontext_t *uc = forge();
	unsigned char *fp = (void *)uc->uc_mcontext.fpregs;
	uint64_t seed = arg;

	if (!fp)
		_exit(0);
	if (arg < 120) { /* one word of the header, the control words or the software bytes */
		static const unsigned short offs[] = { 0,   4,	 24,  28,  464, 468,
						       472, 480, 512, 520, 528, 536 };
		uint64_t v = random_word(&seed);

		memcpy(fp + offs[arg % 12], &v, arg & 1 ? 8 : 4);
	} else {
		for (int i = 0; i < 700; i++)
			fp[random_word(&seed) % 2600] = (unsigned char)random_word(&seed);
	}
	uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)landed;
	go(uc);
}

static void vector_state_of_garbage(void)
{
	make_model();
	for (unsigned long i = 0; i < 400; i++)
		attack(vector_bytes, i);
	attack_check();
}

static void garbage_frame(unsigned long arg)
{
	uint64_t seed = arg;
	ucontext_t *uc = forge();
	unsigned char *p = (unsigned char *)uc;

	if (arg % 4 == 0)
		for (size_t i = 0; i < sizeof arena - SP_OFF - 256; i += 8)
			*(uint64_t *)(p + i) = random_word(&seed);
	for (int i = 0; i < 20; i++) {
		uint64_t v = random_word(&seed);

		memcpy(p + (random_word(&seed) % 500 & ~7ul), &v, 8);
	}
	if (arg % 3 == 0)
		uc = (ucontext_t *)odd_addresses[arg / 3 % NR_ODD];
	go(uc);
}

static void whole_frames_of_garbage(void)
{
	make_model();
	for (unsigned long i = 0; i < 500; i++)
		attack(garbage_frame, i);
	attack_check();
}

/* The host's own frames lie in the areas; the stub has no sigreturn, so they are just memory. */
static void frame_in_area(unsigned long arg)
{
	ucontext_t *uc = forge(), *there = (ucontext_t *)(STUB_AREA(arg & 1) + 0x2000);

	memcpy((char *)there - 8, (char *)uc - 8, 2048);
	if (arg & 2)
		go(there);
	for (unsigned long a = STUB_AREA(arg & 1) + AREA_ALTSTACK;
	     a < STUB_AREA(arg & 1) + AREA_ALTSTACK_TOP; a += 8)
		*(unsigned long *)a = odd_addresses[a / 8 % NR_ODD];
	raw_call(SYS_getppid, 0, 0, 0, 0, 0, 0);
}

static void frames_in_the_handlers_stack(void)
{
	need_stub();
	make_model();
	for (unsigned long i = 0; i < 40; i++)
		attack(frame_in_area, i);
	attack_check();
}

TEST_PROGRAM(frames, CASE(a_true_frame_copied_elsewhere_is_taken),
	     CASE(instruction_and_stack_pointers_of_all_kinds),
	     CASE(segment_registers_of_all_kinds), CASE(privileged_flags_are_not_to_be_had),
	     CASE(vector_state_from_anywhere), CASE(vector_state_of_garbage),
	     CASE(whole_frames_of_garbage), CASE(frames_in_the_handlers_stack));
