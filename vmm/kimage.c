// SPDX-License-Identifier: Apache-2.0
/*
 * kimage - ELF loader for the guest kernel, over libelf
 *
 * Role      See kimage.h.
 * Rules     Accepts one shape only: 64-bit little-endian ET_EXEC for this machine, page-aligned segments in
 *           the top 2 GiB, never writable and executable at once, ABI note of our version.
 *           Where it runs is decided later: kslide.c.
 */
#include "vmm/kimage.h"

#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>

#include "arch/vcpu.h"

#define NOTE_NAME	 "monitor"
#define NOTE_ABI_VERSION 1

static int check_header(const GElf_Ehdr *h, struct err *e)
{
	if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB)
		return err_set(e, ENOEXEC, "guest kernel: not a 64-bit little-endian ELF file");
	if (h->e_type != ET_EXEC || h->e_machine != ARCH_KERNEL_MACHINE)
		return err_set(e, ENOEXEC, "guest kernel: built for another machine");
	return 0;
}

static int load_segment(struct kimage *k, const GElf_Phdr *p, struct gmem *m, uint64_t gpa,
			struct err *e)
{
	struct kimage_segment *s;
	uint64_t off, end;
	uint8_t *dst;

	if (p->p_memsz == 0)
		return 0;
	if (p->p_vaddr < k->va || p->p_vaddr % HYP_PAGE_SIZE || p->p_filesz > p->p_memsz ||
	    add_overflow(p->p_vaddr, p->p_memsz, &end) || p->p_offset > k->elf_len ||
	    p->p_filesz > k->elf_len - p->p_offset)
		return err_set(e, ENOEXEC, "guest kernel: a segment at 0x%lx is out of bounds",
			       p->p_vaddr);
	if ((p->p_flags & PF_W) && (p->p_flags & PF_X))
		return err_set(e, ENOEXEC, "guest kernel: a segment is writable and executable");
	if (k->nr_segs == KIMAGE_SEGMENTS_MAX)
		return err_set(e, ENOEXEC, "guest kernel: too many segments");
	off = p->p_vaddr - k->va;
	dst = gmem_setup_ptr(m, gpa + off, p->p_memsz);
	if (!dst)
		return err_set(
			e, ENOMEM,
			"guest memory is too small for the guest kernel; use a larger --memory");
	memcpy(dst, (const uint8_t *)k->elf + p->p_offset, p->p_filesz);
	s = &k->seg[k->nr_segs++];
	s->va = p->p_vaddr;
	s->gpa = gpa + off;
	s->len = round_up_u64(p->p_memsz, HYP_PAGE_SIZE);
	s->writable = p->p_flags & PF_W;
	s->executable = p->p_flags & PF_X;
	if (s->gpa + s->len > k->gpa_end)
		k->gpa_end = s->gpa + s->len;
	return 0;
}

/* The version word of our note, or 0. */
static uint32_t note_version(const void *elf, const GElf_Phdr *p, size_t elf_len)
{
	struct {
		Elf64_Nhdr h;
		char name[8];
		uint32_t version;
	} n;

	if (p->p_filesz < sizeof n || p->p_offset > elf_len || p->p_filesz > elf_len - p->p_offset)
		return 0;
	memcpy(&n, (const uint8_t *)elf + p->p_offset, sizeof n); /* at any alignment */
	if (n.h.n_namesz != sizeof NOTE_NAME || n.h.n_descsz != 4 ||
	    n.h.n_type != NOTE_ABI_VERSION || memcmp(n.name, NOTE_NAME, sizeof NOTE_NAME))
		return 0;
	return n.version;
}

static int load_all(struct kimage *k, Elf *elf, struct gmem *m, uint64_t gpa, struct err *e)
{
	uint32_t version = 0;
	GElf_Ehdr h;
	GElf_Phdr p;
	size_t n, i;
	int ret;

	if (!gelf_getehdr(elf, &h) || elf_getphdrnum(elf, &n))
		return err_set(e, ENOEXEC, "guest kernel: %s", elf_errmsg(-1));
	ret = check_header(&h, e);
	if (ret)
		return ret;
	for (i = 0; i < n; i++) {
		if (!gelf_getphdr(elf, (int)i, &p))
			return err_set(e, ENOEXEC, "guest kernel: %s", elf_errmsg(-1));
		if (p.p_type == PT_NOTE && !version)
			version = note_version(k->elf, &p, k->elf_len);
		if (p.p_type != PT_LOAD)
			continue;
		ret = load_segment(k, &p, m, gpa, e);
		if (ret)
			return ret;
	}
	if (version != HYP_ABI_VERSION)
		return err_set(e, ENOEXEC,
			       "guest kernel speaks ABI version %u, this monitor %u; rebuild both",
			       version, HYP_ABI_VERSION);
	k->entry = h.e_entry;
	return 0;
}

int kimage_load(struct kimage *k, const void *elf, size_t len, uint64_t va, struct gmem *m,
		uint64_t gpa, struct err *e)
{
	Elf *handle;
	int ret;

	memset(k, 0, sizeof *k);
	k->elf = elf;
	k->elf_len = len;
	k->va = va;
	elf_version(EV_CURRENT);
	/* libelf does not write through this pointer: the descriptor is opened for reading. */
	handle = elf_memory((char *)(uintptr_t)elf, len);
	if (!handle || elf_kind(handle) != ELF_K_ELF) {
		elf_end(handle);
		return err_set(e, ENOEXEC, "guest kernel: not an ELF file");
	}
	ret = load_all(k, handle, m, gpa, e);
	elf_end(handle);
	return ret;
}

static bool symbol_in(Elf_Scn *scn, const GElf_Shdr *sh, Elf *elf, uint64_t va, char *buf, size_t n)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t i, count = sh->sh_entsize ? sh->sh_size / sh->sh_entsize : 0;
	const char *name = NULL;
	uint64_t best = 0;
	GElf_Sym s;

	for (i = 0; data && i < count; i++) {
		if (!gelf_getsym(data, (int)i, &s) || GELF_ST_TYPE(s.st_info) == STT_SECTION ||
		    GELF_ST_TYPE(s.st_info) == STT_FILE)
			continue;
		if (s.st_value <= va && s.st_value >= best && s.st_value != 0) {
			const char *got = elf_strptr(elf, sh->sh_link, s.st_name);

			if (got && *got) {
				best = s.st_value;
				name = got;
			}
		}
	}
	if (!name || va - best > 1u << 20)
		return false;
	snprintf(buf, n, "%s+0x%lx", name, va - best);
	return true;
}

void kimage_symbol(const struct kimage *k, uint64_t va, char *buf, size_t n)
{
	Elf *elf = elf_memory((char *)(uintptr_t)k->elf, k->elf_len);
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	if (va >= k->va + k->slide)
		va -= k->slide;
	snprintf(buf, n, "?");
	while (elf && (scn = elf_nextscn(elf, scn)) != NULL)
		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_SYMTAB &&
		    symbol_in(scn, &sh, elf, va, buf, n))
			break;
	elf_end(elf);
}
