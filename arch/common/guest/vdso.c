// SPDX-License-Identifier: Apache-2.0
/*
 * vdso - where the vDSO's image and data page lie
 */
#include "arch/common/guest/vdso.h"

#include "arch/layout.h"
#include "arch/mmu.h"
#include "arch/param.h"
#include "arch/thread.h"
#include "vmm/abi/hyp.h"

extern const u8 vdso_image[], vdso_image_end[];
extern struct vdso_data vdso_data;
extern const u8 kernel_start[]; /* wherever the monitor moved it (vmm/kslide.h) */

/* The kernel image's address in the direct map. */
static const void *direct(const void *p)
{
	return arch_phys_to_virt(PADDR(HYP_RAM_BASE + ((u64)p - (u64)kernel_start)));
}

void arch_vdso_pages(const void **image, size_t *image_len, const void **data, size_t *data_len)
{
	*image = direct(vdso_image);
	*image_len = ALIGN_UP((size_t)(vdso_image_end - vdso_image), PAGE_SIZE);
	*data = direct(&vdso_data);
	*data_len = sizeof vdso_data;
}
