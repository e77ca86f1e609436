/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf_load.c - unusual program files: segments in any order, over each other, empty, or nonsense
 *
 * See       elf(5), execve(2)
 */
#include "tests/lib/t.h"

#include <elf.h>

#define PAGE 4096
#define BASE 0x10000000ull

/* A file of three pages: headers, a program that exits with 42, one that exits with 43. */
struct image {
	Elf64_Ehdr h;
	Elf64_Phdr ph[8];
	char fill[PAGE - sizeof(Elf64_Ehdr) - 8 * sizeof(Elf64_Phdr)];
	unsigned char with_42[PAGE], with_43[PAGE];
};

static struct image *image_new(void)
{
	static const unsigned char exit_42[] = T_EXIT(42), exit_43[] = T_EXIT(43);
	struct image *im = calloc(1, sizeof *im);

	CHECK(im != NULL);
	memcpy(im->h.e_ident, ELFMAG, SELFMAG);
	im->h.e_ident[EI_CLASS] = ELFCLASS64;
	im->h.e_ident[EI_DATA] = ELFDATA2LSB;
	im->h.e_ident[EI_VERSION] = EV_CURRENT;
	im->h.e_type = ET_EXEC;
	im->h.e_machine = T_MACHINE;
	im->h.e_version = EV_CURRENT;
	im->h.e_entry = BASE;
	im->h.e_phoff = offsetof(struct image, ph);
	im->h.e_ehsize = sizeof im->h;
	im->h.e_phentsize = sizeof im->ph[0];
	memcpy(im->with_42, exit_42, sizeof exit_42);
	memcpy(im->with_43, exit_43, sizeof exit_43);
	return im;
}

static Elf64_Phdr *load(struct image *im, uint64_t va, uint64_t off, uint64_t filesz,
			uint64_t memsz)
{
	Elf64_Phdr *p = &im->ph[im->h.e_phnum++];

	p->p_type = PT_LOAD;
	p->p_flags = PF_R | PF_X;
	p->p_vaddr = va;
	p->p_offset = off;
	p->p_filesz = filesz;
	p->p_memsz = memsz;
	p->p_align = PAGE;
	return p;
}

static pid_t start(const struct image *im)
{
	char *args[] = { "program", NULL }, *env[] = { NULL };
	int fd = MUST(open("program", O_WRONLY | O_CREAT | O_TRUNC, 0755));
	pid_t pid;

	CHECK_EQ(write(fd, im, sizeof *im), sizeof *im);
	MUST(close(fd));
	pid = t_fork();
	if (pid == 0) {
		execve("program", args, env);
		_exit(errno == ENOEXEC ? 120 : 121);
	}
	return pid;
}

static void the_later_of_two_segments_over_each_other_wins(void)
{
	struct image *im = image_new();

	load(im, BASE, offsetof(struct image, with_43), PAGE, 3 * PAGE);
	load(im, BASE, offsetof(struct image, with_42), PAGE, PAGE);
	t_wait_exit(start(im), 42);
}

static void segments_may_come_in_any_order(void)
{
	struct image *im = image_new();

	load(im, BASE + 5 * PAGE, offsetof(struct image, with_43), PAGE, PAGE);
	load(im, BASE, offsetof(struct image, with_42), PAGE, PAGE);
	load(im, BASE + 2 * PAGE, offsetof(struct image, with_43), PAGE, PAGE);
	t_wait_exit(start(im), 42);
}

static void empty_segments_are_nothing(void)
{
	struct image *im = image_new();

	load(im, BASE, offsetof(struct image, with_42), PAGE, PAGE);
	load(im, BASE + 0x123, 0, 0, 0);
	load(im, BASE + PAGE, 0, 0, PAGE)->p_flags = PF_R | PF_W;
	t_wait_exit(start(im), 42);
}

static void there_may_be_more_headers_than_anybody_needs(void)
{
	struct image *im = image_new();

	load(im, BASE, offsetof(struct image, with_42), PAGE, PAGE);
	im->h.e_phnum = 100; /* the rest is zero: PT_NULL */
	t_wait_exit(start(im), 42);
}

static void nonsense_is_found_out_too_late_to_go_back(void)
{
	static const struct {
		uint64_t va, off, filesz, memsz;
	} bad[] = {
		{BASE,			PAGE, 2 * PAGE, PAGE    }, /* more file than memory */
		{ BASE + 0x123,		PAGE, PAGE,	    PAGE	 }, /* the offset does not fit the address */
		{ 0xffffffff80000000ull, PAGE, PAGE,     PAGE	  },
		{ T_USER_END - PAGE,     PAGE, PAGE,	 2 * PAGE},
		{ BASE,			PAGE, PAGE,	    ~0ull	  },
	};
	struct image *im;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		im = image_new();
		load(im, bad[i].va, bad[i].off, bad[i].filesz, bad[i].memsz);
		t_wait_signal(start(im), SIGSEGV);
	}
	im = image_new();
	im->h.e_phnum = 1; /* nothing to load */
	t_wait_signal(start(im), SIGSEGV);
}

static void files_that_are_no_programs_are_refused_in_time(void)
{
	struct image *im = image_new();

	t_wait_exit(start(im), 120); /* no headers at all */
	load(im, BASE, PAGE, PAGE, PAGE);
	im->h.e_phentsize++;
	t_wait_exit(start(im), 120);
	im->h.e_phentsize--;
	im->h.e_type = ET_REL;
	t_wait_exit(start(im), 120);
	im->h.e_type = ET_EXEC;
	im->h.e_machine = EM_SPARC;
	t_wait_exit(start(im), 120);
}

TEST_PROGRAM(elf_load, CASE(the_later_of_two_segments_over_each_other_wins),
	     CASE(segments_may_come_in_any_order), CASE(empty_segments_are_nothing),
	     CASE(there_may_be_more_headers_than_anybody_needs),
	     CASE(nonsense_is_found_out_too_late_to_go_back),
	     CASE(files_that_are_no_programs_are_refused_in_time));
