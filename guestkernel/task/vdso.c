// SPDX-License-Identifier: Apache-2.0
/*
 * vdso - the page of code that tells the time without a system call, as a mapping
 *
 * Role      The architecture supplies image and data (arch_vdso_pages()); exec.c maps them.
 * Rules     Pages belong to the kernel image and are never written through the mapping. The data page(s) lie
 *           immediately below the code.
 */
#include "arch/mmu.h"
#include "arch/thread.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/pager.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/task/exec.h"
#include "guestkernel/uapi/mman.h"

static const void *image, *data;
static size_t image_len, data_len;

static int vdso_get_page(struct pager *p, u64 pgoff, bool for_write, struct pager_page *out)
{
	u64 off = pgoff << PAGE_SHIFT;

	out->page = NULL;
	if (off < data_len)
		out->pa = arch_virt_to_phys((const u8 *)data + off);
	else if (off - data_len < image_len)
		out->pa = arch_virt_to_phys((const u8 *)image + (off - data_len));
	else
		return -EINVAL;
	return 0;
}

static bool vdso_is_resident(struct pager *p, u64 pgoff)
{
	return true;
}

static void vdso_ref(struct pager *p)
{
}

static const struct pager_ops vdso_ops = {
	.get_page = vdso_get_page,
	.is_resident = vdso_is_resident,
	.get = vdso_ref,
	.put = vdso_ref,
};
static struct pager vdso_pager;

static int map_part(struct aspace *mm, u64 va, u64 len, u64 pgoff, u32 prot, const char *label)
{
	struct map_req req = {
		.addr = va,
		.len = len,
		.prot = prot,
		.flags = MAP_PRIVATE | MAP_FIXED,
		.pgoff = pgoff,
		.pager = &vdso_pager,
		.region_flags = REGION_SPECIAL,
		.max_prot = PROT_READ | PROT_EXEC,
		.label = label,
	};
	u64 out;

	return aspace_map(mm, &req, &out);
}

int vdso_map(struct aspace *mm, u64 *base)
{
	struct map_req req = { .prot = PROT_NONE, .flags = MAP_PRIVATE | MAP_ANONYMOUS };
	u64 va;
	int r;

	*base = 0;
	if (!vdso_pager.ops) {
		arch_vdso_pages(&image, &image_len, &data, &data_len);
		image_len = ALIGN_UP(image_len, PAGE_SIZE);
		data_len = ALIGN_UP(data_len, PAGE_SIZE);
		pager_init(&vdso_pager, &vdso_ops);
	}
	if (!image_len)
		return 0;
	req.len = data_len + image_len;
	r = aspace_map(mm, &req, &va);
	if (r == 0)
		r = aspace_unmap(mm, va, req.len);
	if (r == 0)
		r = map_part(mm, va, data_len, 0, PROT_READ, "[vvar]");
	if (r == 0)
		r = map_part(mm, va + data_len, image_len, data_len >> PAGE_SHIFT,
			     PROT_READ | PROT_EXEC, "[vdso]");
	if (r == 0)
		*base = va + data_len;
	mm->vdso_base = *base;
	return r;
}
