// SPDX-License-Identifier: Apache-2.0
/*
 * bpf - see bpf.h
 */
#include "guestkernel/kapi/bpf.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/bug.h"
#include "guestkernel/kapi/errno.h"

#define DIV_K (BPF_ALU | BPF_DIV | BPF_K)
#define LSH_K (BPF_ALU | BPF_LSH | BPF_K)
#define RSH_K (BPF_ALU | BPF_RSH | BPF_K)

static bool is_alu(u16 code)
{
	u32 op = BPF_OP(code);

	return op <= BPF_RSH || op == BPF_XOR || code == (BPF_ALU | BPF_NEG);
}

static bool is_known(u16 code)
{
	if (code > 0xff)
		return false;
	switch (BPF_CLASS(code)) {
	case BPF_LD:
	case BPF_LDX:
		switch (code & ~BPF_LDX) {
		case BPF_LD | BPF_W | BPF_IMM:
		case BPF_LD | BPF_W | BPF_MEM:
		case BPF_LD | BPF_W | BPF_LEN:
			return true;
		}
		return code == (BPF_LD | BPF_W | BPF_ABS);
	case BPF_ST:
	case BPF_STX:
		return code == BPF_CLASS(code);
	case BPF_ALU:
		return is_alu(code);
	case BPF_JMP:
		return BPF_OP(code) <= BPF_JSET && code != (BPF_JMP | BPF_JA | BPF_X);
	case BPF_RET:
		return code == (BPF_RET | BPF_K) || code == (BPF_RET | BPF_A);
	}
	return code == (BPF_MISC | BPF_TAX) || code == (BPF_MISC | BPF_TXA);
}

static bool is_memory(u16 code)
{
	u32 class = BPF_CLASS(code);

	return class == BPF_ST || class == BPF_STX ||
	       (class <= BPF_LDX && BPF_MODE(code) == BPF_MEM);
}

/* left: instructions behind this one. */
static bool is_valid(const struct sock_filter *f, u32 left, u32 words)
{
	if (!is_known(f->code))
		return false;
	if (is_memory(f->code))
		return f->k < BPF_MEMWORDS;
	if (f->code == (BPF_LD | BPF_W | BPF_ABS))
		return f->k % 4 == 0 && f->k / 4 < words;
	if (f->code == DIV_K)
		return f->k != 0;
	if (f->code == LSH_K || f->code == RSH_K)
		return f->k < 32;
	if (f->code == (BPF_JMP | BPF_JA))
		return f->k < left;
	if (BPF_CLASS(f->code) == BPF_JMP)
		return f->jt < left && f->jf < left;
	return true;
}

/* written[i]: scratch words that every path to instruction i has written, those it is not reached by having all. */
static bool reads_what_was_written(const struct sock_filter *f, u32 len, u16 *written)
{
	u16 now = 0;
	u32 i;

	for (i = 0; i < len; i++)
		written[i] = 0xffff;
	for (i = 0; i < len; i++, f++) {
		u32 class = BPF_CLASS(f->code);

		now &= written[i];
		if (class == BPF_ST || class == BPF_STX) {
			now |= (u16)(1u << f->k);
		} else if (is_memory(f->code)) {
			if (!(now & 1u << f->k))
				return false;
		} else if (f->code == (BPF_JMP | BPF_JA)) {
			written[i + 1 + f->k] &= now;
			now = 0xffff;
		} else if (class == BPF_JMP) {
			written[i + 1 + f->jt] &= now;
			written[i + 1 + f->jf] &= now;
			now = 0xffff;
		}
	}
	return true;
}

int bpf_check(const struct sock_filter *f, u32 len, u32 words)
{
	u16 *written;
	bool ok;
	u32 i;

	if (!len || len > BPF_MAXINSNS)
		return -EINVAL;
	for (i = 0; i < len; i++)
		if (!is_valid(&f[i], len - 1 - i, words))
			return -EINVAL;
	if (BPF_CLASS(f[len - 1].code) != BPF_RET)
		return -EINVAL;
	written = kcalloc(len, sizeof *written);
	if (!written)
		return -ENOMEM;
	ok = reads_what_was_written(f, len, written);
	kfree(written);
	return ok ? 0 : -EINVAL;
}

static u32 load(const struct sock_filter *f, const u32 *data, u32 words, const u32 *memory)
{
	switch (BPF_MODE(f->code)) {
	case BPF_IMM:
		return f->k;
	case BPF_ABS:
		return data[f->k / 4];
	case BPF_MEM:
		return memory[f->k];
	}
	return words * 4;
}

/* b is not 0 where a is divided by it. */
static u32 compute(u16 code, u32 a, u32 b)
{
	switch (BPF_OP(code)) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		return a / b;
	case BPF_OR:
		return a | b;
	case BPF_AND:
		return a & b;
	case BPF_LSH:
		return a << (b & 31);
	case BPF_RSH:
		return a >> (b & 31);
	case BPF_NEG:
		return -a;
	}
	return a ^ b;
}

static bool is_true(u16 code, u32 a, u32 b)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	}
	return (a & b) != 0;
}

u32 bpf_run(const struct sock_filter *f, const u32 *data, u32 words)
{
	u32 a = 0, x = 0, memory[BPF_MEMWORDS] = { 0 };

	for (;; f++) {
		u32 b = BPF_SRC(f->code) ? x : f->k;

		switch (BPF_CLASS(f->code)) {
		case BPF_LD:
			a = load(f, data, words, memory);
			break;
		case BPF_LDX:
			x = load(f, data, words, memory);
			break;
		case BPF_ST:
			memory[f->k] = a;
			break;
		case BPF_STX:
			memory[f->k] = x;
			break;
		case BPF_ALU:
			if (BPF_OP(f->code) == BPF_DIV && !b)
				return 0;
			a = compute(f->code, a, b);
			break;
		case BPF_JMP:
			if (f->code == (BPF_JMP | BPF_JA))
				f += f->k;
			else
				f += is_true(f->code, a, b) ? f->jt : f->jf;
			break;
		case BPF_RET:
			return BPF_RVAL(f->code) == BPF_A ? a : f->k;
		case BPF_MISC:
			if (BPF_MISCOP(f->code) == BPF_TAX)
				x = a;
			else
				a = x;
		}
	}
}
