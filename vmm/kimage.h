// SPDX-License-Identifier: Apache-2.0
/*
 * kimage - the guest kernel's ELF file: checking, loading, symbol names
 *
 * Role      Loads each PT_LOAD segment at its place behind the start of RAM and reports the mappings the page
 *           tables need. Also turns addresses of a dying kernel into names.
 */
#pragma once

#include "vmm/gmem.h"

#define KIMAGE_SEGMENTS_MAX 16

struct kimage_segment {
	uint64_t va, gpa, len; /* page aligned */
	bool writable, executable;
};

struct kimage {
	const void *elf;
	size_t elf_len;
	uint64_t va;	  /* where the image begins */
	uint64_t slide;	  /* how far above that it runs: kslide.c */
	uint64_t entry;	  /* virtual */
	uint64_t gpa_end; /* first page after the image */
	struct kimage_segment seg[KIMAGE_SEGMENTS_MAX];
	uint32_t nr_segs;
};

/* The embedded kernels: for KVM and for the process machine. */
extern const unsigned char kernel_elf[], kernel_elf_end[];
extern const unsigned char kernel_process_elf[], kernel_process_elf_end[];

/* Loads what is linked to va and above at gpa. The ELF may be hostile (debug option): every range is checked. */
int kimage_load(struct kimage *k, const void *elf, size_t len, uint64_t va, struct gmem *m,
		uint64_t gpa, struct err *e) MUST_CHECK;
/* "name+0x12", or "?" */
void kimage_symbol(const struct kimage *k, uint64_t va, char *buf, size_t n);
