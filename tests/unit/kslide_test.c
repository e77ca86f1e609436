// SPDX-License-Identifier: Apache-2.0
/*
 * kslide_test - vmm/kslide.c over the kernel that is shipped: argv[1]
 *
 * Rules     Loaded twice, moved once. Bytes that differ must belong to words that grew by the slide, and no pointer to the
 *           place the kernel was linked to may be left in its data.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch/layout.h"
#include "tests/lib/fake_vm.h"
#include "vmm/kslide.h"

#define SLIDE 0x1234567000ull % (1ull << 30) / 4096 * 4096

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "kslide: %s\n", what);
	exit(1);
}

static uint8_t *load(struct kimage *k, const void *elf, size_t len, uint64_t slide)
{
	static struct vm vm;
	struct err e = { 0 };
	uint8_t *copy;
	uint64_t n;

	fake_vm_init(&vm, 1);
	check(kimage_load(k, elf, len, KERNEL_VA_BASE, &vm.mem, HYP_RAM_BASE, &e) == 0, e.msg);
	check(kslide_by(k, &vm.mem, slide, &e) == 0, e.msg);
	n = k->gpa_end - HYP_RAM_BASE;
	copy = malloc(n);
	memcpy(copy, gmem_setup_ptr(&vm.mem, HYP_RAM_BASE, n), n);
	return copy;
}

/* Of the two words that can cover a changed byte, one at least must have grown by the slide. */
static bool grew(const uint8_t *before, const uint8_t *after, uint64_t at, uint64_t n)
{
	for (uint64_t back = 0; back < 8 && back <= at; back++) {
		uint32_t a, b;

		if (at - back + 4 > n)
			continue;
		memcpy(&a, before + at - back, 4);
		memcpy(&b, after + at - back, 4);
		if (b - a == (uint32_t)(SLIDE))
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	struct kimage fixed, moved;
	uint8_t *before, *after;
	struct stat st;
	uint64_t n, at, changed = 0;
	const void *elf;
	int fd = open(argv[argc - 1], O_RDONLY | O_CLOEXEC);

	check(fd >= 0 && !fstat(fd, &st), "no kernel to load");
	elf = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	check(elf != MAP_FAILED, "mmap");
	before = load(&fixed, elf, (size_t)st.st_size, 0);
	after = load(&moved, elf, (size_t)st.st_size, SLIDE);
	check(moved.slide == SLIDE && moved.entry == fixed.entry + SLIDE, "the entry did not move");
	for (uint32_t i = 0; i < fixed.nr_segs; i++)
		check(moved.seg[i].va == fixed.seg[i].va + SLIDE &&
			      moved.seg[i].gpa == fixed.seg[i].gpa,
		      "a segment did not move");
	n = fixed.gpa_end - HYP_RAM_BASE;
	for (at = 0; at < n; at++) {
		if (before[at] == after[at])
			continue;
		check(grew(before, after, at, n), "a byte changed that is no address");
		changed++;
	}
	check(changed > 1000, "hardly anything moved: has the kernel its relocations?");
	for (at = 0; at + 8 <= n; at += 8) {
		uint64_t v;

		memcpy(&v, after + at, 8);
		/* the base itself is the smallest int, too, as limits of numbers have it */
		check(v <= KERNEL_VA_BASE || v >= KERNEL_VA_BASE + n,
		      "a pointer to the old place is left");
	}
	free(before);
	free(after);
	return 0;
}
