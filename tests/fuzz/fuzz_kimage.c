// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_kimage - arbitrary bytes as the guest kernel's ELF file: loading and symbol names
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arch/layout.h"
#include "tests/lib/fake_vm.h"
#include "vmm/kslide.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vm vm;
	struct err e = { 0 };
	struct kimage k;
	char name[32];
	uint32_t i;
	void *copy;

	if (!vm.nr_cpus)
		fake_vm_init(&vm, 1);
	if (!size)
		return 0;
	copy = malloc(size); /* exact, so that ASan sees the first byte behind it */
	memcpy(copy, data, size);
	if (kimage_load(&k, copy, size, KERNEL_VA_BASE, &vm.mem, HYP_RAM_BASE, &e) == 0) {
		for (i = 0; i < k.nr_segs; i++)
			if (k.seg[i].gpa < HYP_RAM_BASE ||
			    k.seg[i].gpa + k.seg[i].len > HYP_RAM_BASE + FAKE_RAM ||
			    (k.seg[i].writable && k.seg[i].executable))
				abort();
		if (kslide_by(&k, &vm.mem, 0x5000, &e) && !e.msg[0])
			abort();
	} else if (!e.msg[0]) {
		abort();
	}
	kimage_symbol(&k, 0xffffffff80000010ull, name, sizeof name);
	free(copy);
	return 0;
}
