// SPDX-License-Identifier: Apache-2.0
/* binfmt_test - what the program loaders accept and refuse before anything is changed */
#include "arch/param.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/exec.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/task/binfmt.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"

u32 arch_prot_extra;

static u8 content[4096], interp_content[4096];
static int interp_error;

static s64 fake_read(struct file *f, struct iov_cursor *dst, s64 *pos)
{
	const u8 *data = f->priv;
	s64 n;

	if (*pos < 0 || *pos >= (s64)sizeof content)
		return 0;
	n = iov_put_some(dst, data + *pos, MIN(sizeof content - (u64)*pos, iov_left(dst)));
	if (n > 0)
		*pos += n;
	return n;
}

static int fake_mmap(struct file *f, struct mmap_req *req)
{
	return -ENODEV;
}

static const struct file_ops fake_ops = { .read = fake_read, .mmap = fake_mmap };

int exec_open(s32 dirfd, const char *name, u32 flags, struct file **out)
{
	if (interp_error)
		return interp_error;
	return file_create_anon(name, 0755, 0, &fake_ops, interp_content, out);
}

int aspace_map(struct aspace *as, const struct map_req *req, u64 *va_out)
{
	return -ENOMEM;
}

int aspace_unmap(struct aspace *as, u64 va, u64 len)
{
	return 0;
}

static Elf64_Phdr *make_elf(u8 *at, u16 type, u16 nr)
{
	Elf64_Ehdr *h = (Elf64_Ehdr *)at;

	memset(at, 0, sizeof content);
	memcpy(h->e_ident, ELFMAG, SELFMAG);
	h->e_ident[EI_CLASS] = ELFCLASS64;
	h->e_ident[EI_DATA] = ELFDATA2LSB;
	h->e_type = type;
	h->e_machine = ARCH_ELF_MACHINE;
	h->e_phoff = sizeof *h;
	h->e_phentsize = sizeof(Elf64_Phdr);
	h->e_phnum = nr;
	h->e_entry = 0x400000;
	return (Elf64_Phdr *)(at + sizeof *h);
}

static void load_segment(Elf64_Phdr *p, u64 va, u64 off, u64 filesz, u64 memsz)
{
	*p = (Elf64_Phdr){ .p_type = PT_LOAD,
			   .p_flags = PF_R,
			   .p_vaddr = va,
			   .p_offset = off,
			   .p_filesz = filesz,
			   .p_memsz = memsz,
			   .p_align = PAGE_SIZE };
}

static int check(struct elf_program *p)
{
	struct file *f;
	int r;

	CHECK(file_create_anon("program", 0755, 0, &fake_ops, content, &f) == 0);
	r = binfmt_elf_check(f, content, p);
	if (r == 0)
		binfmt_elf_fini(p);
	file_put(f);
	return r;
}

TEST(a_static_program_is_accepted)
{
	Elf64_Phdr *ph = make_elf(content, ET_EXEC, 2);
	struct elf_program p;

	load_segment(&ph[0], 0x400000, 0, 0x800, 0x800);
	load_segment(&ph[1], 0x401800, 0x800, 0x100, 0x2100);
	CHECK(check(&p) == 0);
	CHECK(p.main.lo == 0x400000 && p.main.hi == 0x404000);
	CHECK(!p.has_interp && !p.exec_stack);
}

TEST(hostile_segments_are_not_loaded)
{
	static const struct {
		u64 va, off, filesz, memsz;
	} bad[] = {
		{0x400000,		    0,	       0x2000, 0x1000}, /* more file than memory */
		{ 0x400000,		    0x800,	   0x100,  0x100 }, /* offset does not fit the address */
		{ 0xffffffff80000000ull,	 0,	    0x1000, 0x1000}, /* the kernel's half */
		{ USER_VA_END - PAGE_SIZE, 0,	      0x1000, 0x2000}, /* over the end */
		{ 0x400000,		    0,	       0x1000, ~0ull }, /* wraps */
		{ 0x400000,		    1ull << 63, 0x1000, 0x1000}, /* offset is negative */
	};
	struct elf_program p;

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		Elf64_Phdr *ph = make_elf(content, ET_EXEC, 1);

		load_segment(&ph[0], bad[i].va, bad[i].off, bad[i].filesz, bad[i].memsz);
		CHECK(check(&p) == 0 && p.main.broken == -EINVAL);
	}
}

TEST(overlapping_unordered_and_empty_segments_are_accepted)
{
	Elf64_Phdr *ph = make_elf(content, ET_DYN, 3);
	struct elf_program p;

	load_segment(&ph[0], 0x10000, 0, 0x1000, 0x3000);
	load_segment(&ph[1], 0x11000, 0, 0x1000, 0x1000);
	load_segment(&ph[2], 0x5001, 0x800, 0, 0);
	CHECK(check(&p) == 0 && !p.main.broken);
	CHECK(p.main.lo == 0x10000 && p.main.hi == 0x13000);
	load_segment(&ph[1], 0x1000, 0, 0x1000, 0x1000);
	CHECK(check(&p) == 0 && !p.main.broken);
	CHECK(p.main.lo == 0x1000 && p.main.hi == 0x13000);
}

TEST(other_machines_and_broken_headers_are_refused)
{
	Elf64_Ehdr *h = (Elf64_Ehdr *)content;
	struct elf_program p;

	make_elf(content, ET_EXEC, 1);
	CHECK(check(&p) == 0 && p.main.broken == -EINVAL); /* no segment */
	load_segment(make_elf(content, ET_EXEC, 1), 0x400000, 0, 16, 16);
	h->e_machine = 3;
	CHECK(check(&p) == -ENOEXEC);
	load_segment(make_elf(content, ET_REL, 1), 0x400000, 0, 16, 16);
	CHECK(check(&p) == -ENOEXEC);
	load_segment(make_elf(content, ET_EXEC, 1), 0x400000, 0, 16, 16);
	h->e_phnum = ELF_PHDRS_MAX + 1;
	CHECK(check(&p) == -ENOEXEC);
	load_segment(make_elf(content, ET_EXEC, 1), 0x400000, 0, 16, 16);
	h->e_phoff = 4090;
	CHECK(check(&p) == -ENOEXEC);
	load_segment(make_elf(content, ET_EXEC, 1), 0x1000, 0, 16, 16);
	CHECK(check(&p) == 0 && p.main.broken == -EPERM); /* below mmap_min_addr */
}

static void make_dynamic(const char *interp, u64 len)
{
	Elf64_Phdr *ph = make_elf(content, ET_DYN, 3);

	load_segment(&ph[0], 0, 0, 0x1000, 0x1000);
	ph[1] = (Elf64_Phdr){
		.p_type = PT_INTERP, .p_offset = 0x800, .p_filesz = len, .p_memsz = len
	};
	ph[2] = (Elf64_Phdr){ .p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W | PF_X };
	memcpy(content + 0x800, interp, strlen(interp) + 1);
}

TEST(the_interpreter_is_opened_and_checked)
{
	struct elf_program p;

	load_segment(make_elf(interp_content, ET_DYN, 1), 0, 0, 0x1000, 0x1000);
	make_dynamic("/lib/ld.so", 11);
	interp_error = 0;
	CHECK(check(&p) == 0);
	CHECK(p.has_interp && p.exec_stack);
	make_dynamic("/lib/ld.so", 10); /* NUL cut off */
	CHECK(check(&p) == -ENOEXEC);
	make_dynamic("/lib/ld.so", 11);
	interp_error = -ENOENT;
	CHECK(check(&p) == -ENOENT);
	interp_error = 0;
	interp_content[0] = 0;
	CHECK(check(&p) == -ELIBBAD);
}

TEST(checking_survives_every_failed_allocation)
{
	struct elf_program p;
	u64 blocks = host_blocks_in_use();
	int r;

	load_segment(make_elf(interp_content, ET_DYN, 1), 0, 0, 0x1000, 0x1000);
	make_dynamic("/lib/ld.so", 11);
	interp_error = 0;
	for (u32 n = 2;; n++) { /* the first allocation is the file itself */
		fail_at(n);
		r = check(&p);
		if (!fail_happened())
			break;
		CHECK(r == -ENOMEM);
		CHECK(host_blocks_in_use() == blocks);
	}
	fail_at(0);
	CHECK(r == 0);
	CHECK(host_blocks_in_use() == blocks);
}

static int script(const char *line, struct script_head *s)
{
	u8 head[BINFMT_HEAD] = { 0 };

	memcpy(head, line, MIN(strlen(line), sizeof head));
	return binfmt_script_parse(head, s);
}

TEST(the_first_line_of_a_script_is_read_as_linux_does)
{
	struct script_head s;
	char longer[300];

	CHECK(script("#!/bin/sh\necho", &s) == 0);
	CHECK(strcmp(s.interp, "/bin/sh") == 0 && !s.has_arg);
	CHECK(script("#! \t/usr/bin/env  python3 -u \t\nx", &s) == 0);
	CHECK(strcmp(s.interp, "/usr/bin/env") == 0 && strcmp(s.arg, "python3 -u") == 0);
	CHECK(script("#!/bin/sh", &s) == 0);
	CHECK(script("#!\n", &s) == -ENOEXEC);
	CHECK(script("#!   ", &s) == -ENOEXEC);
	CHECK(script("# /bin/sh\n", &s) == -ENOEXEC);
	memset(longer, 'a', sizeof longer);
	memcpy(longer, "#!/", 3);
	longer[299] = 0;
	CHECK(script(longer, &s) == -ENOEXEC); /* the path itself is cut */
	longer[100] = ' ';
	CHECK(script(longer, &s) == 0); /* only the argument is */
	CHECK(strlen(s.interp) == 98);
}
