/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf_start.c - what a program finds on its stack: argv, envp, auxv, vDSO
 *
 * See       getauxval(3), vdso(7), elf(5)
 */
#include "tests/lib/t.h"

#include <elf.h>
#include <sys/auxv.h>

extern char **environ;

static void the_auxiliary_vector_is_complete(void)
{
	CHECK_EQ(getauxval(AT_PAGESZ), 4096);
	CHECK_EQ(getauxval(AT_PHENT), sizeof(Elf64_Phdr));
	CHECK(getauxval(AT_PHNUM) > 2);
	CHECK(getauxval(AT_PHDR) != 0);
	CHECK(getauxval(AT_ENTRY) != 0);
	CHECK_EQ(getauxval(AT_UID), 0);
	CHECK_EQ(getauxval(AT_EUID), 0);
	CHECK_EQ(getauxval(AT_GID), 0);
	CHECK_EQ(getauxval(AT_EGID), 0);
	CHECK_EQ(getauxval(AT_SECURE), 0);
	CHECK_EQ(getauxval(AT_CLKTCK), 100);
	CHECK(getauxval(AT_HWCAP) != 0);
	CHECK(getauxval(AT_MINSIGSTKSZ) >= 1024);
}

static void program_headers_are_mapped(void)
{
	const Elf64_Phdr *ph = (const Elf64_Phdr *)getauxval(AT_PHDR);
	int loads = 0;

	for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++)
		loads += ph[i].p_type == PT_LOAD;
	CHECK(loads >= 2);
}

static void random_bytes_are_given(void)
{
	const unsigned char *bytes = (const unsigned char *)getauxval(AT_RANDOM);
	int any = 0;

	CHECK(bytes != NULL);
	for (int i = 0; i < 16; i++)
		any |= bytes[i];
	CHECK(any);
}

static void names_are_given(void)
{
	const char *fn = (const char *)getauxval(AT_EXECFN);
	const char *platform = (const char *)getauxval(AT_PLATFORM);

	CHECK(fn && strstr(fn, "syscalls_all"));
	CHECK(platform && (!strcmp(platform, "x86_64") || !strcmp(platform, "aarch64")));
}

static void the_vdso_is_an_elf_image_with_the_clock(void)
{
	const unsigned char *base = (const unsigned char *)getauxval(AT_SYSINFO_EHDR);
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)base;
	const Elf64_Phdr *ph;
	int found = 0;

	CHECK(base != NULL);
	CHECK(!memcmp(eh->e_ident, ELFMAG, SELFMAG));
	CHECK_EQ(eh->e_type, ET_DYN);
	ph = (const Elf64_Phdr *)(base + eh->e_phoff);
	for (int i = 0; i < eh->e_phnum; i++)
		found += ph[i].p_type == PT_DYNAMIC;
	CHECK_EQ(found, 1);
	CHECK(memmem(base, 4096, "clock_gettime", 13) != NULL);
}

static int start_state(int argc, char **argv)
{
	/* argv, its terminator, envp, its terminator and auxv lie one after the other. */
	char **p = argv + argc;
	unsigned long sum = 0;

	if (*p != NULL || p + 1 != environ)
		return 1;
	for (p = environ; *p; p++)
		sum += strlen(*p);
	for (p++; ((unsigned long *)p)[0] != AT_NULL; p += 2)
		sum++;
	/* argv lacks the two words before the helper's name; argc lies before those. */
	if ((uintptr_t)(argv - 3) % 16)
		return 2;
	return sum ? 50 : 3;
}

static void vectors_lie_in_order_and_the_stack_is_aligned(void)
{
	char *args[] = { "x", "--helper", "elf_start", NULL };
	pid_t pid = t_fork();

	if (pid == 0) {
		execv(t_self(), args);
		_exit(100);
	}
	t_wait_exit(pid, 50);
}

static void read_only_data_is_protected(void)
{
	const char *volatile text = "a text constant";
	pid_t pid = t_fork();

	if (pid == 0) {
		*(volatile char *)(uintptr_t)text = 'A';
		_exit(0);
	}
	t_wait_signal(pid, SIGSEGV);
}

static void the_stack_is_not_executable(void)
{
	unsigned char code[16] = { 0xc3 };
	void (*volatile fn)(void) = (void (*)(void))(uintptr_t)code;
	pid_t pid = t_fork();

	if (pid == 0) {
		fn();
		_exit(0);
	}
	t_wait_signal(pid, SIGSEGV);
}

TEST_PROGRAM_WITH_HELPER(elf_start, start_state, CASE(the_auxiliary_vector_is_complete),
			 CASE(program_headers_are_mapped), CASE(random_bytes_are_given),
			 CASE(names_are_given), CASE(the_vdso_is_an_elf_image_with_the_clock),
			 CASE(vectors_lie_in_order_and_the_stack_is_aligned),
			 CASE(read_only_data_is_protected), CASE(the_stack_is_not_executable));
