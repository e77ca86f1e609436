// SPDX-License-Identifier: Apache-2.0
/*
 * traps - each software interrupt, instructions that ask for the machine, prefetches of every kind of address
 *
 * Rules     An instruction ends in a signal of the program or does nothing that is seen elsewhere.
 */
#include "tests/escape/escape.h"

static unsigned char *code_page(void)
{
	return MUST(mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0));
}

static void run_bytes(const unsigned char *bytes, size_t n, const struct jump_regs *regs)
{
	struct jump_regs r = *regs;
	unsigned char *p = code_page();

	memcpy(p, bytes, n);
	memcpy(p + n, "\xb8\x3c\x00\x00\x00\x31\xff\x0f\x05", 9); /* exit(0) */
	r.sp = (unsigned long)p + 8192 - 64;
	jump_with(&r, (unsigned long)p);
}

static void software_interrupt(unsigned long arg)
{
	const unsigned char bytes[] = { 0xcd, (unsigned char)arg };
	struct jump_regs r = { .ax = arg >> 8, .bx = 1, .cx = 2, .dx = 3, .flags = 2 };

	run_bytes(bytes, sizeof bytes, &r);
}

static void each_software_interrupt(void)
{
	static const unsigned nrs[] = { 0, 1, 11, 20, 39, 120, 252 };

	for (unsigned long n = 0; n < 256; n++)
		for (size_t i = 0; i < (n == 0x80 ? sizeof nrs / sizeof nrs[0] : 2); i++) {
			int status = attack(software_interrupt, n | nrs[i] << 8);

			/* int3 and into may be traps, 0x80 may be refused by a signal or ENOSYS */
			CHECK(n == 0x80 || WIFSIGNALED(status));
		}
	attack_check();
}

static const struct {
	const char *bytes;
	unsigned char n;
} instructions[] = {
	{"\x0f\x34",		      2},
	{ "\x0f\x35",		      2},
	{ "\x0f\x07",		      2},
	{ "\xf4",		     1},
	{ "\xfa",		     1},
	{ "\xfb",		     1},
	{ "\xe4\x80",		      2},
	{ "\xee",		     1},
	{ "\x6c",		     1},
	{ "\x0f\x06",		      2},
	{ "\x0f\x08",		      2},
	{ "\x0f\x09",		      2},
	{ "\x0f\x20\xc0",		  3},
	{ "\x0f\x22\xc0",		  3},
	{ "\x0f\x22\xd8",		  3},
	{ "\x0f\x21\xf8",		  3},
	{ "\x0f\x23\xf8",		  3},
	{ "\x0f\x30",		      2},
	{ "\x0f\x32",		      2},
	{ "\x0f\x33",		      2},
	{ "\x0f\x01\xc1",		  3},
	{ "\x0f\x01\xc2",		  3},
	{ "\x0f\x01\xd9",		  3},
	{ "\x0f\x01\xd8",		  3},
	{ "\x0f\x01\xf8",		  3},
	{ "\x0f\x01\xd1",		  3},
	{ "\x0f\x01\xca",		  3},
	{ "\x0f\x01\xcb",		  3},
	{ "\x0f\x01\xee",		  3},
	{ "\x0f\x01\xef",		  3},
	{ "\x0f\x01\x10",		  3},
	{ "\x0f\x01\x18",		  3},
	{ "\x0f\x01\x00",		  3},
	{ "\x0f\x01\x08",		  3},
	{ "\x0f\x01\x38",		  3},
	{ "\x0f\x01\xf0",		  3},
	{ "\x0f\x00\xd0",		  3},
	{ "\x0f\x00\xd8",		  3},
	{ "\x0f\x00\xc8",		  3},
	{ "\x0f\x00\xc0",		  3},
	{ "\xf3\x48\x0f\xae\xd0",	  5},
	{ "\xf3\x48\x0f\xae\xd8",	  5},
	{ "\x8e\xd0",		      2},
	{ "\x8e\xd8",		      2},
	{ "\x8e\xe0",		      2},
	{ "\x8e\xe8",		      2},
	{ "\x0f\xb2\x20",		  3},
	{ "\x48\xcf",		      2},
	{ "\x48\xcb",		      2},
	{ "\xcf",		     1},
	{ "\xcb",		     1},
	{ "\x9d",		     1},
	{ "\xf1",		     1},
	{ "\xcc",		     1},
	{ "\x0f\x0b",		      2},
	{ "\x0f\xff",		      2},
	{ "\x0f\xae\x28",		  3},
	{ "\x0f\xae\x08",		  3},
	{ "\x0f\xae\x10",		  3},
	{ "\xd9\x20",		      2},
	{ "\xdd\x20",		      2},
	{ "\x0f\xc7\x18",		  3},
	{ "\x0f\xae\x38",		  3},
	{ "\x0f\x18\x00",		  3},
	{ "\x0f\x0d\x00",		  3},
	{ "\x0f\x1c\x00",		  3},
	{ "\x66\x0f\xae\xf0",	      4},
	{ "\xf3\x0f\xae\xf0",	      4},
	{ "\xf2\x0f\xae\xf0",	      4},
	{ "\x66\x0f\xae\x38",	      4},
	{ "\xc7\xf8\x00\x00\x00\x00", 6},
	{ "\x0f\x01\xd5",		  3},
	{ "\x0f\x01\xcf",		  3},
	{ "\x0f\xc7\x30",		  3},
	{ "\x66\x0f\xc7\x30",	      4},
	{ "\xf3\x0f\xc7\x30",	      4},
	{ "\xf3\x0f\x01\x28",	      4},
	{ "\xf3\x0f\x1e\xc8",	      4},
	{ "\x0f\xaa",		      2},
	{ "\xff\x2c\x24",		  3},
	{ "\xff\x28",		      2},
	{ "\xff\x18",		      2},
};

static void instruction(unsigned long arg)
{
	static const unsigned long values[] = { 0,
						0x23,
						0x2b,
						0x33,
						0xffffffffffffffff,
						PM_STUB_CODE,
						STUB_AREA(0),
						0x800000000000,
						0xffffffff80000000,
						0x3 };
	size_t i = arg & 0xff;
	unsigned long v = values[arg >> 8];
	struct jump_regs r = { .ax = v, .cx = v, .dx = v, .bx = v, .bp = v, .flags = 2 };

	run_bytes((const unsigned char *)instructions[i].bytes, instructions[i].n, &r);
}

static void each_instruction_that_asks_for_the_machine(void)
{
	for (unsigned long i = 0; i < sizeof instructions / sizeof instructions[0]; i++)
		for (unsigned long v = 0; v < 10; v++)
			attack(instruction, v << 8 | i);
	attack_check();
}

static void touch_classes(unsigned long arg)
{
	for (int bit = 12; bit < 64; bit++) {
		for (int neg = 0; neg < 2; neg++) {
			char *a = (char *)(neg ? -(1ul << bit) : 1ul << bit) + (arg & 4095);

			__asm__ volatile(
				"prefetcht0 (%0)\n\t prefetcht1 (%0)\n\t prefetcht2 (%0)\n\t"
				"prefetchnta (%0)\n\t prefetchw (%0)"
				:
				: "r"(a));
		}
	}
	_exit(0);
}

static void prefetches_of_every_class_of_address_do_nothing(void)
{
	for (unsigned long i = 0; i < 20; i++)
		CHECK_EQ(attack(touch_classes, i * 199), 0);
	attack_check();
}

/* In the middle of anything, also of the stub's code: a trap after each instruction. */
static void step_through_calls(unsigned long arg)
{
	signal(SIGTRAP, SIG_IGN);
	__asm__ volatile("pushfq\n\t orq $0x100, (%%rsp)\n\t popfq\n\t" : : : "memory", "cc");
	for (int i = 0; i < 20; i++)
		raw_call(SYS_getppid, 0, 0, 0, 0, 0, 0);
	_exit(0);
}

static void step_into_stub(unsigned long off)
{
	struct jump_regs r = { .ax = 39,
			       .bx = STUB_AREA(0),
			       .r11 = STUB_AREA(0),
			       .sp = STUB_AREA(0) + 0x3000,
			       .flags = 0x102 };

	jump_with(&r, PM_STUB_CODE + off);
}

static void single_steps_into_the_stub(void)
{
	need_stub();
	attack(step_through_calls, 0);
	for (unsigned long off = 0; off < 0x520; off += 3)
		attack(step_into_stub, off);
	for (unsigned long off = 0x1000; off < STUB_CODE_USED; off += 3)
		attack(step_into_stub, off);
	attack_check();
}

TEST_PROGRAM(traps, CASE(each_software_interrupt), CASE(each_instruction_that_asks_for_the_machine),
	     CASE(prefetches_of_every_class_of_address_do_nothing),
	     CASE(single_steps_into_the_stub));
