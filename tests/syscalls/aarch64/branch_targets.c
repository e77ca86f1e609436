/* SPDX-License-Identifier: Apache-2.0 */
/*
 * branch_targets - PROT_BTI, and ELF files that are marked for it
 *
 * Rules     Without branch target identification PROT_BTI is no right mprotect(2) knows, and a mark changes nothing.
 */
#include "tests/lib/t.h"

#include <elf.h>
#include <sys/auxv.h>
#include <ucontext.h>

#define BTI_BIT	     (1u << 17) /* of AT_HWCAP2 */
#define PROT_GUARDED 0x10
#define BTI_C	     0xd503245fu
#define RET	     0xd65f03c0u
#define NOP	     0xd503201fu

static int has_bti(void)
{
	return getauxval(AT_HWCAP2) & BTI_BIT;
}

/* A function that begins with this instruction and returns. */
static void (*function_of(unsigned first, int prot))(void)
{
	unsigned *code =
		MUST(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	code[0] = first;
	code[1] = RET;
	MUST(mprotect(code, 4096, prot));
	return (void (*)(void))(uintptr_t)code;
}

/* How a child ends that calls fn: a signal, or 0. */
static int fate_of(void (*fn)(void))
{
	pid_t pid = t_fork();
	int status;

	if (!pid) {
		fn();
		_exit(0);
	}
	MUST(waitpid(pid, &status, 0));
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void unguarded_code_may_be_called_anywhere(void)
{
	CHECK_EQ(fate_of(function_of(NOP, PROT_READ | PROT_EXEC)), 0);
	CHECK_EQ(fate_of(function_of(BTI_C, PROT_READ | PROT_EXEC)), 0);
}

static void guarded_code_needs_landing_pads(void)
{
	if (!has_bti())
		SKIP("this CPU has no branch target identification");
	CHECK_EQ(fate_of(function_of(BTI_C, PROT_READ | PROT_EXEC | PROT_GUARDED)), 0);
	CHECK_EQ(fate_of(function_of(NOP, PROT_READ | PROT_EXEC | PROT_GUARDED)), SIGILL);
}

/* Before the code first runs: the emulator keeps what it knows of code it has seen. */
static void the_right_can_be_taken_away(void)
{
	void (*fn)(void);

	if (!has_bti())
		SKIP("this CPU has no branch target identification");
	fn = function_of(NOP, PROT_READ | PROT_EXEC | PROT_GUARDED);
	MUST(mprotect((void *)(uintptr_t)fn, 4096, PROT_READ | PROT_EXEC));
	CHECK_EQ(fate_of(fn), 0);
}

static void without_it_mprotect_refuses_the_right(void)
{
	void *p = MUST(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	if (has_bti())
		CHECK_EQ(mprotect(p, 4096, PROT_READ | PROT_GUARDED), 0);
	else
		CHECK_ERRNO(mprotect(p, 4096, PROT_READ | PROT_GUARDED), EINVAL);
}

static void a_handler_in_guarded_code_needs_a_landing_pad(void)
{
	struct sigaction sa = { 0 };
	unsigned i;

	if (!has_bti())
		SKIP("this CPU has no branch target identification");
	for (i = 0; i < 2; i++) {
		pid_t pid = t_fork();
		int status;

		if (!pid) {
			sa.sa_handler = (void (*)(int))(uintptr_t)function_of(
				i ? NOP : BTI_C, PROT_READ | PROT_EXEC | PROT_GUARDED);
			sigaction(SIGUSR1, &sa, NULL);
			raise(SIGUSR1);
			_exit(0);
		}
		MUST(waitpid(pid, &status, 0));
		CHECK_EQ(WIFSIGNALED(status) ? WTERMSIG(status) : 0, i ? SIGILL : 0);
	}
}

struct note {
	Elf64_Nhdr head;
	char name[4];
	unsigned type, size, bits, pad;
};

struct program {
	Elf64_Ehdr head;
	Elf64_Phdr phdr[2];
	struct note note;
	unsigned code[8];
};

/* A program that calls a place without landing pad by a register and exits with status 7 from there. */
static void write_program(const char *path, unsigned bits)
{
	static const unsigned code[] = {
		0x10000060, /* adr x0, . + 12 */
		0xd63f0000, /* blr x0 */
		0xd4200000, /* brk #0 */
		0xd28000e0, /* mov x0, #7 */
		0xd2800ba8, /* mov x8, #93 */
		0xd4000001, /* svc #0 */
	};
	struct program p = {
		.head = {.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				       EV_CURRENT },
			  .e_type = ET_EXEC,
			  .e_machine = EM_AARCH64,
			  .e_version = EV_CURRENT,
			  .e_entry = 0x400000 + offsetof(struct program, code),
			  .e_phoff = offsetof(struct program, phdr),
			  .e_ehsize = sizeof(Elf64_Ehdr),
			  .e_phentsize = sizeof(Elf64_Phdr),
			  .e_phnum = 2 },
		.phdr = { { .p_type = PT_LOAD,
			    .p_flags = PF_R | PF_X,
			    .p_vaddr = 0x400000,
			    .p_filesz = sizeof p,
			    .p_memsz = sizeof p,
			    .p_align = 4096 },
			  { .p_type = PT_GNU_PROPERTY,
			    .p_flags = PF_R,
			    .p_offset = offsetof(struct program, note),
			    .p_vaddr = 0x400000 + offsetof(struct program, note),
			    .p_filesz = sizeof(struct note),
			    .p_memsz = sizeof(struct note),
			    .p_align = 8 }},
		.note = { .head = { 4, 16, NT_GNU_PROPERTY_TYPE_0 },
			  .name = "GNU",
			  .type = GNU_PROPERTY_AARCH64_FEATURE_1_AND,
			  .size = 4,
			  .bits = bits				       },
	};
	int fd = MUST(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755));

	memcpy(p.code, code, sizeof code);
	CHECK_EQ(write(fd, &p, sizeof p), sizeof p);
	MUST(close(fd));
}

static int status_of(const char *path)
{
	pid_t pid = t_fork();
	int status;

	if (!pid) {
		execl(path, path, NULL);
		_exit(99);
	}
	MUST(waitpid(pid, &status, 0));
	return status;
}

static void a_marked_program_is_guarded(void)
{
	int status;

	write_program("plain", 0);
	CHECK_EQ(status_of("./plain"), 7 << 8);
	write_program("marked", GNU_PROPERTY_AARCH64_FEATURE_1_BTI);
	status = status_of("./marked");
	if (has_bti())
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGILL);
	else
		CHECK_EQ(status, 7 << 8);
}

TEST_PROGRAM(branch_targets, CASE(unguarded_code_may_be_called_anywhere),
	     CASE(guarded_code_needs_landing_pads), CASE(the_right_can_be_taken_away),
	     CASE(without_it_mprotect_refuses_the_right),
	     CASE(a_handler_in_guarded_code_needs_a_landing_pad),
	     CASE(a_marked_program_is_guarded));
