// SPDX-License-Identifier: Apache-2.0
/*
 * kslide - see kslide.h
 *
 * Rules     A word is moved when a relocation says that it is an absolute address and its value lies in the image: constants
 *           the linker script made stay. Whatever the file says, only bytes of loaded segments are written.
 */
#include "vmm/kslide.h"

#include <errno.h>
#include <gelf.h>
#include <string.h>
#include <sys/random.h>

/* The image and what is addressed relative to its end stay below the top of the address space. */
#define SLIDE_END   (0xffffffffffffffffull - (64ull << 20))
#define LINK_BASE   0xffffffff80000000ull
#define BEYOND_PAGE HYP_PAGE_SIZE /* the end of the image may be named too */

struct slider {
	const struct kimage *k;
	struct gmem *mem;
	uint64_t slide, end; /* of the image as linked */
};

static uint8_t *bytes_at(const struct slider *s, uint64_t va, uint64_t n)
{
	for (uint32_t i = 0; i < s->k->nr_segs; i++) {
		const struct kimage_segment *seg = &s->k->seg[i];

		if (va >= seg->va && n <= seg->len && va - seg->va <= seg->len - n)
			return gmem_setup_ptr(s->mem, seg->gpa + (va - seg->va), n);
	}
	return NULL;
}

static bool is_in_image(const struct slider *s, uint64_t v)
{
	return v >= s->k->va && v <= s->end + BEYOND_PAGE;
}

static int move_word(const struct slider *s, const GElf_Rela *r, struct err *e)
{
	bool is_short = GELF_R_TYPE(r->r_info) != R_X86_64_64;
	uint8_t *p = bytes_at(s, r->r_offset, is_short ? 4 : 8);
	int32_t low;
	uint64_t v;

	if (!p)
		return err_set(e, ENOEXEC, "guest kernel: a relocation at 0x%lx is out of bounds",
			       r->r_offset);
	memcpy(&low, p, sizeof low);
	v = (uint64_t)(int64_t)low;
	if (!is_short)
		memcpy(&v, p, sizeof v);
	if (!is_in_image(s, v))
		return 0;
	v += s->slide;
	memcpy(p, &v, is_short ? 4 : 8);
	return 0;
}

static int move_section(const struct slider *s, Elf_Data *data, size_t n, struct err *e)
{
	GElf_Rela r;
	int ret = 0;

	for (size_t i = 0; !ret && i < n; i++) {
		if (!gelf_getrela(data, (int)i, &r))
			return err_set(e, ENOEXEC, "guest kernel: %s", elf_errmsg(-1));
		switch (GELF_R_TYPE(r.r_info)) {
		case R_X86_64_NONE:
		case R_X86_64_PC32:
		case R_X86_64_PLT32:
		case R_X86_64_PC64:
			break;
		case R_X86_64_64:
		case R_X86_64_32:
		case R_X86_64_32S:
			ret = move_word(s, &r, e);
			break;
		default:
			ret = err_set(e, ENOEXEC, "guest kernel: relocation of unknown type %lu",
				      GELF_R_TYPE(r.r_info));
		}
	}
	return ret;
}

/* Does it relocate something that is loaded? */
static bool is_wanted(Elf *elf, const GElf_Shdr *sh)
{
	Elf_Scn *target = sh->sh_type == SHT_RELA ? elf_getscn(elf, sh->sh_info) : NULL;
	GElf_Shdr t;

	return target && gelf_getshdr(target, &t) && (t.sh_flags & SHF_ALLOC) && sh->sh_entsize;
}

/* Number of sections that were moved, or -errno. */
static int move_all(const struct slider *s, Elf *elf, struct err *e)
{
	Elf_Scn *scn = NULL;
	int ret, found = 0;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(elf, scn)) != NULL) {
		Elf_Data *data;

		if (!gelf_getshdr(scn, &sh) || !is_wanted(elf, &sh))
			continue;
		data = elf_getdata(scn, NULL);
		ret = data ? move_section(s, data, sh.sh_size / sh.sh_entsize, e)
			   : err_set(e, ENOEXEC, "guest kernel: %s", elf_errmsg(-1));
		if (ret)
			return ret;
		found++;
	}
	return found;
}

int kslide_by(struct kimage *k, struct gmem *m, uint64_t slide, struct err *e)
{
	struct slider s = { k, m, slide, k->va };
	GElf_Ehdr h;
	Elf *elf;
	int ret = 0;

	for (uint32_t i = 0; i < k->nr_segs; i++)
		if (k->seg[i].va + k->seg[i].len > s.end)
			s.end = k->seg[i].va + k->seg[i].len;
	elf_version(EV_CURRENT);
	elf = elf_memory((char *)(uintptr_t)k->elf, k->elf_len);
	if (elf && gelf_getehdr(elf, &h) && h.e_machine == EM_X86_64)
		ret = move_all(&s, elf, e);
	elf_end(elf);
	if (ret <= 0)
		return ret;
	k->slide = slide;
	k->entry += slide;
	for (uint32_t i = 0; i < k->nr_segs; i++)
		k->seg[i].va += slide;
	return 0;
}

int kslide_apply(struct kimage *k, struct gmem *m, struct err *e)
{
	uint64_t image = k->nr_segs ? k->gpa_end - k->seg[0].gpa : 0, pages, any;

	if (k->va != LINK_BASE || image >= SLIDE_END - LINK_BASE)
		return 0;
	if (getrandom(&any, sizeof any, 0) != sizeof any)
		return err_set(e, EIO,
			       "the host gives no random numbers to place the guest kernel by");
	pages = (SLIDE_END - LINK_BASE - image) / HYP_PAGE_SIZE;
	return kslide_by(k, m, any % pages * HYP_PAGE_SIZE, e);
}
