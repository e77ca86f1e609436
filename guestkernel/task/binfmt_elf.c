// SPDX-License-Identifier: Apache-2.0
/*
 * binfmt_elf - ELF programs: static, static-pie, dynamic
 *
 * Role      See binfmt.h. exec.c is the only caller.
 * Rules     The file is hostile. What Linux refuses before the old program is gone is refused here in
 *           binfmt_elf_check(); what it finds out later (a segment outside the user range, an offset that does not fit
 *           its address, nothing to load) is found at once too, but kept in elf_image.broken, and kills.
 *           Segments may come in any order, overlap (the later one wins) and be empty.
 *           Loading maps each PT_LOAD with MAP_FIXED into a space that is empty but for itself, so
 *           the worst a file can do is kill its own process.
 *           A file marked for branch target identification gets PROT_BTI where the CPU has it, unless its
 *           interpreter does that.
 * Missing   32-bit programs.
 * See       elf(5)
 */
#include "arch/mmu.h"
#include "arch/param.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/exec.h"
#include "guestkernel/kapi/pager.h"
#include "guestkernel/kapi/rand.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/task/binfmt.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/limits.h"
#include "guestkernel/uapi/mman.h"

/* Of a note with properties; there is one of 16 bytes, rarely a second. */
#define PROPERTY_MAX  256
#define FEATURE_1_BTI 1u /* of GNU_PROPERTY_AARCH64_FEATURE_1_AND */

static int read_exact(struct file *f, void *buf, size_t n, u64 off)
{
	struct iov_cursor c;
	s64 pos = (s64)off, r;

	iov_init_kernel(&c, buf, n);
	r = file_read(f, &c, &pos);
	if (r < 0)
		return (int)r;
	return (size_t)r == n ? 0 : -ENOEXEC;
}

static bool header_ok(const Elf64_Ehdr *h)
{
	return memcmp(h->e_ident, ELFMAG, SELFMAG) == 0 && h->e_ident[EI_CLASS] == ELFCLASS64 &&
	       h->e_ident[EI_DATA] == ELFDATA2LSB && h->e_machine == ARCH_ELF_MACHINE &&
	       (h->e_type == ET_EXEC || h->e_type == ET_DYN) &&
	       h->e_phentsize == sizeof(Elf64_Phdr) && h->e_phnum >= 1 &&
	       h->e_phnum <= ELF_PHDRS_MAX && h->e_phoff < 1ull << 62;
}

static bool segment_ok(const Elf64_Phdr *p)
{
	u64 end;

	if (p->p_filesz > p->p_memsz || p->p_memsz > USER_VA_END || p->p_vaddr > USER_VA_END)
		return false;
	if (__builtin_add_overflow(p->p_vaddr, p->p_memsz, &end) || end > USER_VA_END)
		return false;
	if (p->p_offset >= 1ull << 62 || p->p_filesz >= 1ull << 47)
		return false;
	return !p->p_filesz || ((p->p_vaddr ^ p->p_offset) & (PAGE_SIZE - 1)) == 0;
}

static void check_segments(struct elf_image *im)
{
	bool any = false;

	im->lo = U64_MAX;
	im->align = PAGE_SIZE;
	for (u32 i = 0; i < im->nr_phdrs; i++) {
		const Elf64_Phdr *p = &im->phdrs[i];

		if (p->p_type != PT_LOAD || p->p_memsz == 0)
			continue;
		if (!segment_ok(p)) {
			im->broken = -EINVAL;
			return;
		}
		any = true;
		im->lo = MIN(im->lo, ALIGN_DOWN(p->p_vaddr, PAGE_SIZE));
		im->hi = MAX(im->hi, ALIGN_UP(p->p_vaddr + p->p_memsz, PAGE_SIZE));
		if (IS_POWER_OF_2(p->p_align) && p->p_align > im->align && p->p_align <= 1ull << 30)
			im->align = p->p_align;
	}
	if (!any || (im->type == ET_EXEC && im->lo < USER_VA_MIN))
		im->broken = any ? -EPERM : -EINVAL;
}

static int image_read(struct elf_image *im, const Elf64_Ehdr *h)
{
	size_t n = (size_t)h->e_phnum * sizeof(Elf64_Phdr);
	int r;

	if (!header_ok(h))
		return -ENOEXEC;
	if (!im->file->ops->mmap)
		return -ENOEXEC;
	im->type = h->e_type;
	im->entry = h->e_entry;
	im->phoff = h->e_phoff;
	im->nr_phdrs = h->e_phnum;
	im->phdrs = kmalloc(n);
	if (!im->phdrs)
		return -ENOMEM;
	r = read_exact(im->file, im->phdrs, n, h->e_phoff);
	if (r == 0)
		check_segments(im);
	return r;
}

static int open_interp(struct elf_program *p, const Elf64_Phdr *ph)
{
	Elf64_Ehdr h;
	char *name;
	int r;

	if (ph->p_filesz < 2 || ph->p_filesz > PATH_MAX)
		return -ENOEXEC;
	name = kmalloc(ph->p_filesz);
	if (!name)
		return -ENOMEM;
	r = read_exact(p->main.file, name, ph->p_filesz, ph->p_offset);
	if (r == 0 && name[ph->p_filesz - 1] != 0)
		r = -ENOEXEC;
	if (r == 0)
		r = exec_open(AT_FDCWD, name, 0, &p->interp.file);
	kfree(name);
	if (r < 0)
		return r;
	p->has_interp = true;
	r = read_exact(p->interp.file, &h, sizeof h, 0);
	if (r == 0)
		r = image_read(&p->interp, &h);
	return r == -ENOEXEC ? -ELIBBAD : r;
}

int binfmt_elf_check(struct file *f, const u8 *head, struct elf_program *p)
{
	Elf64_Ehdr h;
	int r;

	memset(p, 0, sizeof *p);
	memcpy(&h, head, sizeof h);
	file_get(f);
	p->main.file = f;
	r = image_read(&p->main, &h);
	for (u32 i = 0; r == 0 && i < p->main.nr_phdrs; i++) {
		const Elf64_Phdr *ph = &p->main.phdrs[i];

		if (ph->p_type == PT_GNU_STACK)
			p->exec_stack = ph->p_flags & PF_X;
		if (ph->p_type == PT_INTERP && !p->has_interp)
			r = open_interp(p, ph);
	}
	if (r < 0)
		binfmt_elf_fini(p);
	return r;
}

void binfmt_elf_fini(struct elf_program *p)
{
	kfree(p->main.phdrs);
	kfree(p->interp.phdrs);
	if (p->main.file)
		file_put(p->main.file);
	if (p->interp.file)
		file_put(p->interp.file);
	p->main.phdrs = p->interp.phdrs = NULL;
	p->main.file = p->interp.file = NULL;
}

/* The property array of a PT_GNU_PROPERTY note of n bytes: is it marked for BTI? */
static bool property_has_bti(const u8 *at, size_t n)
{
	while (n >= 8) {
		u32 type = ((const u32 *)at)[0], size = ((const u32 *)at)[1];
		size_t step = 8 + (size_t)ALIGN_UP(size, 8);

		if (type == GNU_PROPERTY_AARCH64_FEATURE_1_AND && size == 4 && n >= 12)
			return ((const u32 *)at)[2] & FEATURE_1_BTI;
		if (step > n)
			break;
		at += step;
		n -= step;
	}
	return false;
}

/* Rights that the file's own marks ask for. A broken note asks for none. */
static u32 extra_prot(struct elf_image *im)
{
	u64 note[PROPERTY_MAX / 8];
	const Elf64_Nhdr *h = (const void *)note;
	u32 i;

	for (i = 0; arch_prot_extra && i < im->nr_phdrs; i++) {
		const Elf64_Phdr *p = &im->phdrs[i];

		if (p->p_type != PT_GNU_PROPERTY)
			continue;
		if (p->p_filesz < 16 || p->p_filesz > sizeof note ||
		    read_exact(im->file, note, p->p_filesz, p->p_offset))
			return 0;
		if (h->n_type != NT_GNU_PROPERTY_TYPE_0 || h->n_namesz != 4 ||
		    memcmp(h + 1, "GNU", 4) || h->n_descsz > p->p_filesz - 16)
			return 0;
		return property_has_bti((const u8 *)note + 16, h->n_descsz) ? arch_prot_extra : 0;
	}
	return 0;
}

static u32 segment_prot(const struct elf_image *im, u32 flags)
{
	return (flags & PF_X ? im->prot_extra : 0) | (flags & PF_R ? PROT_READ : 0) |
	       (flags & PF_W ? PROT_WRITE : 0) | (flags & PF_X ? PROT_EXEC : 0);
}

static int map_anon(struct aspace *mm, u64 start, u64 end, u32 prot)
{
	struct map_req req = {
		.addr = start,
		.len = end - start,
		.prot = prot,
		.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
	};
	u64 va;

	return start < end ? aspace_map(mm, &req, &va) : 0;
}

/* The file part of a segment: whole pages around it. */
static int map_file_part(struct elf_image *im, struct aspace *mm, const Elf64_Phdr *p, u64 va)
{
	u64 skew = va & (PAGE_SIZE - 1);
	struct mmap_req mr = {
		.off_bytes = p->p_offset - skew,
		.len_bytes = ALIGN_UP(p->p_filesz + skew, PAGE_SIZE),
		.prot = segment_prot(im, p->p_flags),
		.flags = MAP_PRIVATE | MAP_FIXED,
		.may_write = true,
	};
	struct map_req req = { .addr = va - skew, .prot = mr.prot, .flags = mr.flags };
	u64 out;
	int r = im->file->ops->mmap(im->file, &mr);

	if (r < 0)
		return r;
	req.len = mr.len_bytes;
	req.pgoff = mr.off_bytes >> PAGE_SHIFT;
	req.pager = mr.pager;
	req.file = im->file;
	r = aspace_map(mm, &req, &out);
	if (mr.pager)
		mr.pager->ops->put(mr.pager);
	return r;
}

static int map_segment(struct elf_image *im, struct aspace *mm, const Elf64_Phdr *p, u64 bias)
{
	u64 va = p->p_vaddr + bias, file_end = va + p->p_filesz, end = va + p->p_memsz;
	u64 anon_start = ALIGN_DOWN(va, PAGE_SIZE);
	int r;

	if (p->p_filesz) {
		r = map_file_part(im, mm, p, va);
		if (r < 0)
			return r;
		anon_start = ALIGN_UP(file_end, PAGE_SIZE);
		/* The rest of the last page is bss too, all of it: allocators use what lies behind. Read-only
		 * segments keep what the file has there. */
		if (end > file_end && file_end < anon_start && (p->p_flags & PF_W) &&
		    clear_user(UADDR(file_end), anon_start - file_end))
			return -EFAULT;
	}
	return map_anon(mm, anon_start, ALIGN_UP(end, PAGE_SIZE),
			segment_prot(im, p->p_flags) | PROT_READ | PROT_WRITE);
}

/* Finds room for a position-independent image below the mmap base. */
static int place(struct elf_image *im, struct aspace *mm, u64 hint, u64 *bias)
{
	struct map_req req = {
		.addr = hint,
		.len = im->hi - im->lo + (im->align - PAGE_SIZE),
		.prot = PROT_NONE,
		.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (hint ? MAP_FIXED : 0),
	};
	u64 va;
	int r = aspace_map(mm, &req, &va);

	if (r < 0)
		return r;
	r = aspace_unmap(mm, va, req.len);
	*bias = ALIGN_UP(va, im->align) - im->lo;
	return r;
}

static int load_image(struct elf_image *im, struct aspace *mm, u64 bias)
{
	for (u32 i = 0; i < im->nr_phdrs; i++) {
		int r;

		if (im->phdrs[i].p_type != PT_LOAD || im->phdrs[i].p_memsz == 0)
			continue;
		r = map_segment(im, mm, &im->phdrs[i], bias);
		if (r < 0)
			return r;
	}
	return 0;
}

static void note_layout(struct elf_program *p)
{
	struct elf_image *im = &p->main;

	p->start_code = U64_MAX;
	for (u32 i = 0; i < im->nr_phdrs; i++) {
		const Elf64_Phdr *ph = &im->phdrs[i];
		u64 va = ph->p_vaddr + p->main_bias;

		if (ph->p_type == PT_PHDR)
			p->phdr_va = va;
		if (ph->p_type != PT_LOAD || ph->p_memsz == 0)
			continue;
		if (!p->phdr_va && im->phoff >= ph->p_offset &&
		    im->phoff < ph->p_offset + ph->p_filesz)
			p->phdr_va = im->phoff - ph->p_offset + va;
		if (ph->p_flags & PF_X) {
			p->start_code = MIN(p->start_code, va);
			p->end_code = MAX(p->end_code, va + ph->p_filesz);
		}
		if (va > p->start_data)
			p->start_data = va;
		p->end_data = MAX(p->end_data, va + ph->p_filesz);
		p->brk = MAX(p->brk, va + ph->p_memsz);
	}
	p->brk = ALIGN_UP(p->brk, PAGE_SIZE);
	if (p->start_code == U64_MAX)
		p->start_code = 0;
}

int binfmt_elf_load(struct elf_program *p, struct aspace *mm, bool randomise)
{
	struct elf_image *first = p->has_interp ? &p->interp : &p->main;
	int r = 0;

	if (p->main.broken || p->interp.broken)
		return p->main.broken ? p->main.broken : p->interp.broken;
	first->prot_extra = extra_prot(first);
	if (p->main.type == ET_DYN) {
		u64 hint = 0;

		if (p->has_interp) {
			hint = ALIGN_DOWN(ELF_PIE_BASE, PAGE_SIZE);
			if (randomise)
				hint += rand_below(1u << 28) << PAGE_SHIFT;
		}
		r = place(&p->main, mm, hint, &p->main_bias);
	}
	if (r == 0)
		r = load_image(&p->main, mm, p->main_bias);
	if (r < 0)
		return r;
	note_layout(p);
	p->entry = p->main.entry + p->main_bias;
	if (p->has_interp) {
		if (p->interp.type == ET_DYN)
			r = place(&p->interp, mm, 0, &p->interp_bias);
		if (r == 0)
			r = load_image(&p->interp, mm, p->interp_bias);
		p->entry = p->interp.entry + p->interp_bias;
	}
	if (r == 0 && p->entry >= USER_VA_END)
		r = -ENOEXEC;
	return r;
}
