// SPDX-License-Identifier: Apache-2.0
/*
 * binfmt - program formats: what exec.c and the loaders share
 *
 * Rules     Loaders first look (binfmt_*_check: nothing changed yet, any error goes back to the caller), then act
 *           (binfmt_elf_load: the old program is gone, an error kills).
 */
#pragma once

#include "guestkernel/kapi/file.h"
#include "guestkernel/uapi/elf.h"

struct aspace;

#define BINFMT_HEAD	 256
#define BINFMT_DEPTH_MAX 5
#define ELF_PHDRS_MAX	 (65536 / sizeof(Elf64_Phdr))

/* One ELF file that has been looked at. */
struct elf_image {
	struct file *file;
	u16 type, nr_phdrs;
	u64 entry, phoff;
	Elf64_Phdr *phdrs;
	u64 lo, hi;	/* lowest and highest address of PT_LOAD segments, page aligned */
	u64 align;	/* greatest alignment asked for */
	int broken;	/* 0, or why loading it kills */
	u32 prot_extra; /* right for its code beyond what segments say: PROT_BTI where the CPU has it */
};

struct elf_program {
	struct elf_image main, interp;
	bool has_interp, exec_stack;
	/* after loading */
	u64 main_bias, interp_bias, phdr_va, entry;
	u64 start_code, end_code, start_data, end_data, brk;
};

/* -ENOEXEC when it is not an ELF file for this machine, -ELIBBAD for a broken interpreter, ... head: the first
 * BINFMT_HEAD bytes. The interpreter is opened here. */
int must_check binfmt_elf_check(struct file *f, const u8 *head, struct elf_program *p);
void binfmt_elf_fini(struct elf_program *p);
/* Into mm, which is the running address space. randomise: ASLR. */
int must_check binfmt_elf_load(struct elf_program *p, struct aspace *mm, bool randomise);

struct script_head {
	char interp[BINFMT_HEAD], arg[BINFMT_HEAD];
	bool has_arg;
};
/* -ENOEXEC: not a script, or no interpreter named in the first line. */
int must_check binfmt_script_parse(const u8 *head, struct script_head *s);
