// SPDX-License-Identifier: Apache-2.0
/*
 * jumps - into the stub's code and the code of rewritten calls, at each byte, with registers of all kinds
 *
 * Rules     Most jumps end in a fault of the stub's code, for which the process is killed, or in a handover that the
 *           kernel takes for a system call or fault of this process; some hang in the stub's waits.
 */
#include "tests/escape/escape.h"

#define HOT 3000

static uint64_t base_seed = 1;

static void jump_random(unsigned long off)
{
	uint64_t seed = base_seed * 100000 + off;
	struct jump_regs r;

	random_regs(&r, &seed);
	jump_with(&r, PM_STUB_CODE + off);
}

/* As the stub's own code would have them, of one area or another. */
static void jump_prepared(unsigned long arg)
{
	static unsigned long fake[1024] __attribute__((aligned(4096)));
	unsigned long off = arg & 0xffff, area = STUB_AREA(arg >> 16 & 1);
	struct jump_regs r = {
		.ax = arg & 0x20000 ? 202 : 1,
		.bx = area,
		.cx = off,
		.dx = (unsigned long)fake,
		.si = (unsigned long)fake,
		.di = (unsigned long)fake,
		.bp = (unsigned long)fake,
		.sp = area + AREA_ALTSTACK_TOP - 64,
		.r8 = (unsigned long)fake,
		.r11 = area,
		.r12 = PM_STUB_COMMAND,
		.r13 = 0,
		.r14 = (unsigned long)fake,
		.r15 = PM_STUB_CODE + STUB_DATA_OFF,
		.flags = arg & 0x40000 ? 0x402 : 2,
	};

	fake[0] = 202; /* an operation of the service thread's list */
	fake[1] = (unsigned long)fake;
	jump_with(&r, PM_STUB_CODE + off);
}

static int is_code(unsigned long off)
{
	const unsigned char *p = (const unsigned char *)PM_STUB_CODE + off;

	for (int i = 0; i < 16; i++) /* padding is not worth the time */
		if (p[i])
			return 1;
	return 0;
}

static void sweep_by(void (*fn)(unsigned long), unsigned long bits, unsigned long from,
		     unsigned long to, unsigned step)
{
	for (unsigned long off = from; off < to; off += step)
		if (is_code(off))
			attack(fn, bits | off);
	attack_check();
}

static void sweep(void (*fn)(unsigned long), unsigned long bits, unsigned long from,
		  unsigned long to)
{
	sweep_by(fn, bits, from, to, 1);
}

static void each_byte_of_the_handlers_with_random_registers(void)
{
	need_stub();
	sweep(jump_random, 0, 0, 0x1000);
}

static void each_byte_of_the_fast_entry_with_random_registers(void)
{
	need_stub();
	sweep(jump_random, 0, 0x1000, STUB_CODE_USED);
	base_seed = 2;
	need_stub();
	sweep(jump_random, 0, 0x1000, STUB_CODE_USED);
}

static void the_handlers_with_the_first_area(void)
{
	need_stub();
	sweep_by(jump_prepared, 0, 0, 0x1000, 3);
}

static void the_handlers_with_the_second_area(void)
{
	need_stub();
	sweep_by(jump_prepared, 0x30000, 1, 0x1000, 3);
}

static void the_fast_entry_with_each_area(void)
{
	need_stub();
	for (unsigned long bits = 0; bits < 0x80000; bits += 0x20000)
		sweep_by(jump_prepared, bits, 0x1000 + (bits >> 17), STUB_CODE_USED, 2);
	/* in another's area: most of these wait for ever */
	for (unsigned long from = 0x1000; from < STUB_CODE_USED; from += 7)
		sweep(jump_prepared, 0x30000, from, from + 1);
}

/* The site becomes hot in the parent: the child finds its slot. */
extern char escape_hot_site[];
long escape_hot(void);
__asm__(".text\n"
	"escape_hot: movl $39, %eax\n"
	"escape_hot_site: syscall\n"
	"ret\n");

static void jump_to_slot(unsigned long arg)
{
	uint64_t seed = arg;
	struct jump_regs r;

	random_regs(&r, &seed);
	jump_with(&r, (arg & 1 ? SLOTS : SLOT_CODE) + (arg >> 1));
}

static void each_byte_of_the_rewritten_calls(void)
{
	need_stub();
	for (int i = 0; i < HOT; i++)
		CHECK_EQ(escape_hot(), getpid());
	for (unsigned long off = 0; off < 128; off++) {
		attack(jump_to_slot, off << 1);
		attack(jump_to_slot, off << 1 | 1);
	}
	attack_check();
}

static void change_slots(unsigned long how)
{
	void *slots = (void *)SLOTS, *code = (void *)SLOT_CODE;

	if (how == 0)
		munmap(slots, 4096);
	else if (how == 1)
		munmap(code, 4096);
	else if (how == 2)
		mprotect(slots, 4096, PROT_READ | PROT_WRITE);
	else if (how == 3)
		mmap(code, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	else if (how == 4)
		mremap(code, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, slots);
	else
		mmap(slots, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		     -1, 0);
	for (int i = 0; i < 200; i++)
		escape_hot();
	_exit(escape_hot() == getpid() ? 0 : 1);
}

static void the_rewritten_calls_own_pages_may_be_changed(void)
{
	need_stub();
	for (int i = 0; i < HOT; i++)
		CHECK_EQ(escape_hot(), getpid());
	for (unsigned long how = 0; how < 6; how++) {
		attack(change_slots, how);
		CHECK_EQ(escape_hot(), getpid());
	}
	attack_check();
}

TEST_PROGRAM(jumps, CASE(each_byte_of_the_handlers_with_random_registers),
	     CASE(each_byte_of_the_fast_entry_with_random_registers),
	     CASE(the_handlers_with_the_first_area), CASE(the_handlers_with_the_second_area),
	     CASE(the_fast_entry_with_each_area), CASE(each_byte_of_the_rewritten_calls),
	     CASE(the_rewritten_calls_own_pages_may_be_changed));
