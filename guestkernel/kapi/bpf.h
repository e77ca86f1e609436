// SPDX-License-Identifier: Apache-2.0
/*
 * bpf - classic BPF programs over an array of 32-bit words, as seccomp(2) runs them
 *
 * Rules     A program that bpf_check() accepts ends, and touches nothing but the words and its own memory: jumps go
 *           forward only, every path ends in a return, scratch memory is written before it is read.
 * Missing   loads of bytes and half words, relative to X, and BPF_MOD: what filters of packets need.
 */
#pragma once

#include "guestkernel/kapi/types.h"
#include "guestkernel/uapi/filter.h"

/* May f[len] run over that many words? -EINVAL no, -ENOMEM. */
int must_check bpf_check(const struct sock_filter *f, u32 len, u32 words);
/* What it returns; a division by 0 ends it with 0. */
u32 bpf_run(const struct sock_filter *f, const u32 *data, u32 words);
