// SPDX-License-Identifier: Apache-2.0
/* bpf_test - lib/bpf.c */
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/bpf.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"

#define WORDS 4

#define S(code, k)                \
	{                         \
		(code), 0, 0, (k) \
	}
#define J(code, k, jt, jf)              \
	{                               \
		(code), (jt), (jf), (k) \
	}
#define RET_A	  S(BPF_RET | BPF_A, 0)
#define LOAD(off) S(BPF_LD | BPF_W | BPF_ABS, off)

static const u32 data[WORDS] = { 100, 7, 0xffffffff, 0 };

#define RUN(...)                                                                \
	({                                                                      \
		const struct sock_filter code[] = { __VA_ARGS__ };              \
		CHECK(bpf_check(code, sizeof code / sizeof *code, WORDS) == 0); \
		bpf_run(code, data, WORDS);                                     \
	})
#define IS_REFUSED(...)                                                        \
	({                                                                     \
		const struct sock_filter code[] = { __VA_ARGS__ };             \
		bpf_check(code, sizeof code / sizeof *code, WORDS) == -EINVAL; \
	})
/* 100 op 7: once with a constant, once with X. */
#define ALU(op, want)                                                                     \
	do {                                                                              \
		CHECK(RUN(LOAD(0), S(BPF_ALU | (op) | BPF_K, 7), RET_A) == (want));       \
		CHECK(RUN(LOAD(0), S(BPF_LDX | BPF_IMM, 7), S(BPF_ALU | (op) | BPF_X, 0), \
			  RET_A) == (want));                                              \
	} while (0)

TEST(arithmetic)
{
	ALU(BPF_ADD, 107);
	ALU(BPF_SUB, 93);
	ALU(BPF_MUL, 700);
	ALU(BPF_DIV, 14);
	ALU(BPF_AND, 4);
	ALU(BPF_OR, 103);
	ALU(BPF_XOR, 99);
	ALU(BPF_LSH, 12800);
	ALU(BPF_RSH, 0);
	CHECK(RUN(LOAD(0), S(BPF_ALU | BPF_NEG, 0), RET_A) == (u32)-100);
	CHECK(RUN(LOAD(8), S(BPF_ALU | BPF_MUL, 0xffffffff), RET_A) == 1);
}

TEST(what_depends_on_x_is_defined_for_every_x)
{
	CHECK(RUN(LOAD(0), S(BPF_LDX | BPF_IMM, 0), S(BPF_ALU | BPF_DIV | BPF_X, 0),
		  S(BPF_RET, 5)) == 0);
	CHECK(RUN(LOAD(0), S(BPF_LDX | BPF_IMM, 33), S(BPF_ALU | BPF_LSH | BPF_X, 0), RET_A) ==
	      200);
	CHECK(RUN(LOAD(0), S(BPF_LDX | BPF_IMM, 0xffffffe2), S(BPF_ALU | BPF_RSH | BPF_X, 0),
		  RET_A) == 25);
}

/* The result is 1 when the jump is taken. */
#define JUMPS(op, value)                                                                       \
	(RUN(LOAD(0), J(BPF_JMP | (op) | BPF_K, value, 0, 1), S(BPF_RET, 1), S(BPF_RET, 2)) == \
		 1 &&                                                                          \
	 RUN(LOAD(0), S(BPF_LDX | BPF_IMM, value), J(BPF_JMP | (op) | BPF_X, 0, 0, 1),         \
	     S(BPF_RET, 1), S(BPF_RET, 2)) == 1)

TEST(jumps)
{
	CHECK(JUMPS(BPF_JEQ, 100) && !JUMPS(BPF_JEQ, 101));
	CHECK(JUMPS(BPF_JGT, 99) && !JUMPS(BPF_JGT, 100) && !JUMPS(BPF_JGT, 0xffffffff));
	CHECK(JUMPS(BPF_JGE, 100) && !JUMPS(BPF_JGE, 101));
	CHECK(JUMPS(BPF_JSET, 0x24) && !JUMPS(BPF_JSET, 0x18));
	CHECK(RUN(S(BPF_JMP | BPF_JA, 1), S(BPF_RET, 1), S(BPF_RET, 2)) == 2);
}

TEST(loads_and_memory)
{
	CHECK(RUN(S(BPF_LD | BPF_LEN, 0), RET_A) == WORDS * 4);
	CHECK(RUN(LOAD(4), S(BPF_MISC | BPF_TAX, 0), S(BPF_LD | BPF_IMM, 1),
		  S(BPF_MISC | BPF_TXA, 0), RET_A) == 7);
	CHECK(RUN(LOAD(4), S(BPF_ST, 15), LOAD(0), S(BPF_LD | BPF_MEM, 15), RET_A) == 7);
	CHECK(RUN(S(BPF_LDX | BPF_IMM, 9), S(BPF_STX, 0), S(BPF_LDX | BPF_MEM, 0),
		  S(BPF_MISC | BPF_TXA, 0), RET_A) == 9);
	CHECK(RUN(RET_A) == 0);
}

TEST(programs_that_could_leave_their_place_are_refused)
{
	static struct sock_filter longest[BPF_MAXINSNS + 1];

	CHECK(IS_REFUSED(LOAD(0)));
	CHECK(IS_REFUSED(LOAD(WORDS * 4), RET_A));
	CHECK(IS_REFUSED(LOAD(1), RET_A));
	CHECK(IS_REFUSED(S(BPF_JMP | BPF_JA, 1), RET_A));
	CHECK(IS_REFUSED(S(BPF_JMP | BPF_JA, 0xffffffff), RET_A));
	CHECK(IS_REFUSED(J(BPF_JMP | BPF_JEQ, 0, 0, 1), RET_A));
	CHECK(IS_REFUSED(J(BPF_JMP | BPF_JEQ, 0, 255, 0), RET_A));
	CHECK(IS_REFUSED(S(BPF_ST, BPF_MEMWORDS), RET_A));
	CHECK(IS_REFUSED(S(BPF_LD | BPF_MEM, 0), RET_A));
	CHECK(IS_REFUSED(S(BPF_ALU | BPF_DIV, 0), RET_A));
	CHECK(IS_REFUSED(S(BPF_ALU | BPF_RSH, 32), RET_A));
	for (u32 i = 0; i <= BPF_MAXINSNS; i++)
		longest[i] = (struct sock_filter)RET_A;
	CHECK(bpf_check(longest, BPF_MAXINSNS, WORDS) == 0);
	CHECK(bpf_check(longest, BPF_MAXINSNS + 1, WORDS) == -EINVAL);
	CHECK(bpf_check(longest, 0, WORDS) == -EINVAL);
}

/* Every path has to have written what is read where paths meet. */
TEST(memory_is_followed_along_every_path)
{
	CHECK(IS_REFUSED(J(BPF_JMP | BPF_JEQ, 0, 0, 1), S(BPF_ST, 3), S(BPF_LD | BPF_MEM, 3),
			 RET_A));
	CHECK(IS_REFUSED(J(BPF_JMP | BPF_JEQ, 0, 1, 0), S(BPF_ST, 3), S(BPF_LD | BPF_MEM, 3),
			 RET_A));
	CHECK(RUN(J(BPF_JMP | BPF_JEQ, 1, 0, 2), S(BPF_ST, 3), S(BPF_JMP | BPF_JA, 1),
		  S(BPF_STX, 3), S(BPF_LD | BPF_MEM, 3), RET_A) == 0);
	CHECK(RUN(S(BPF_ST, 3), J(BPF_JMP | BPF_JEQ, 1, 0, 0), S(BPF_LD | BPF_MEM, 3), RET_A) == 0);
}

TEST(the_256_codes_are_known_as_on_linux)
{
	u32 known = 0;

	for (u32 code = 0; code < 0x200; code++) {
		const struct sock_filter f[] = { S(BPF_LD | BPF_IMM, 1), S(BPF_ST, 1),
						 S((u16)code, 1), S(BPF_RET, 0) };
		const struct sock_filter g[] = { S(BPF_LD | BPF_IMM, 1), S(BPF_ST, 0),
						 S((u16)code, 0), S(BPF_RET, 0) };

		known += bpf_check(f, 4, WORDS) == 0 || bpf_check(g, 4, WORDS) == 0;
	}
	/* LD 4, LDX 3, ST and STX 2, ALU 9 * 2 + 1, JMP 4 * 2 + 1, RET 2, MISC 2 */
	CHECK(known == 4 + 3 + 2 + 19 + 9 + 2 + 2);
}

TEST(no_memory_for_the_check_is_said)
{
	const struct sock_filter f[] = { RET_A };

	FAIL_LOOP(n)
	if (bpf_check(f, 1, WORDS) != -ENOMEM)
		break;
	CHECK(host_blocks_in_use() == 0);
}
