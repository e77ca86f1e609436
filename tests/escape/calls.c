// SPDX-License-Identifier: Apache-2.0
/*
 * calls - every host call number from every place application code can make a call at
 *
 * Rules     From the stub's own call sites the host's filter sees an instruction pointer that may call. A refused call
 *           there is a fault in the stub's code, for which the kernel kills the process; anything else means that
 *           the host did what was asked. From the program's own code each number is one of the guest's.
 */
#include "tests/escape/escape.h"

#define NR_LAST	  470
#define NR_FUTEX  202
#define MAX_SITES 64

static unsigned long sites[MAX_SITES];
static size_t nr_sites;

static void find_sites(void)
{
	const unsigned char *code = (const unsigned char *)PM_STUB_CODE;

	nr_sites = 0;
	for (unsigned long i = 0; i + 1 < STUB_CODE_USED; i++)
		if (code[i] == 0x0f && (code[i + 1] == 0x05 || code[i + 1] == 0x34) &&
		    nr_sites < MAX_SITES)
			sites[nr_sites++] = PM_STUB_CODE + i;
	CHECK(nr_sites >= 10);
}

/* Arguments that do harm in as many calls as possible: our own page, the file of memory, signals. */
static void call_from_site(unsigned long arg)
{
	static char page[8192] __attribute__((aligned(4096))) = "/escaped";
	struct jump_regs r = {
		.ax = arg & 0xffffffff,
		.di = (unsigned long)page,
		.si = 4096,
		.dx = 7,
		.r10 = 0x32,
		.r8 = 3,
		.bx = STUB_AREA(0),
		.bp = (unsigned long)page + 4096,
		.r12 = PM_STUB_COMMAND,
		.sp = (unsigned long)page + 8192,
		.flags = 2,
	};

	jump_with(&r, sites[arg >> 32]);
}

static void must_be_killed(size_t site, unsigned long nr)
{
	int status = attack(call_from_site, (unsigned long)site << 32 | nr);

	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return;
	printf("# call %lu at the stub's code + 0x%lx: status 0x%x\n", nr,
	       (unsigned long)(sites[site] - PM_STUB_CODE), (unsigned)status);
	fflush(stdout);
	CHECK(!"the host refused it");
}

static void each_number_at_one_site_of_the_stub(void)
{
	need_stub();
	find_sites();
	for (unsigned long nr = 0; nr <= NR_LAST; nr++)
		if (nr != NR_FUTEX)
			must_be_killed(nr % nr_sites, nr);
	attack_check();
}

static void harmful_numbers_at_each_site_of_the_stub(void)
{
	static const unsigned nrs[] = {
		SYS_mmap,   SYS_munmap,	     SYS_mprotect,     SYS_write,
		SYS_openat, SYS_clone,	     SYS_execve,       SYS_prctl,
		SYS_socket, SYS_tgkill,	     SYS_seccomp,      SYS_rt_sigreturn,
		SYS_ptrace, SYS_futex_waitv, SYS_rt_sigaction, 0x40000000 | SYS_futex,
		512,	    0xffffffffu
	};

	need_stub();
	find_sites();
	for (size_t s = 0; s < nr_sites; s++)
		for (size_t i = 0; i < sizeof nrs / sizeof nrs[0]; i++)
			must_be_killed(s, nrs[i]);
	attack_check();
}

static void futex_from_site(unsigned long op)
{
	static int word = 1;
	struct jump_regs r = { .ax = NR_FUTEX,
			       .di = (unsigned long)&word,
			       .si = op,
			       .dx = 1,
			       .r8 = (unsigned long)&word,
			       .sp = STUB_AREA(0) + 0x3000,
			       .flags = 2 };

	jump_with(&r, sites[0]);
}

static void other_futex_operations_at_a_site_of_the_stub(void)
{
	need_stub();
	find_sites();
	for (unsigned long op = 2; op < 32; op++)
		for (unsigned long flags = 0; flags < 4; flags++) {
			int status = attack(futex_from_site, op | flags << 7);

			CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		}
	attack_check();
}

static void call_anywhere(unsigned long nr)
{
	static long zero[512];

	raw_call((long)nr, 0, (unsigned long)zero, 0, 0, 0, 0);
	raw_call((long)nr, (unsigned long)zero, 4096, 7, 0x32, (unsigned long)-1, 0);
	_exit(0); /* a child of vfork(2) must not return */
}

static void each_number_from_the_programs_own_code_is_the_guests(void)
{
	for (unsigned long nr = 0; nr < 600; nr++)
		attack(call_anywhere, nr);
	for (unsigned bit = 10; bit < 64; bit++)
		attack(call_anywhere, 1ul << bit | SYS_getpid);
	attack_check();
}

/* The instruction behind the call is the first of the stub's code: the host's idea of where the call was. */
static void call_at_the_border(unsigned long nr)
{
	unsigned char *p =
		mmap((void *)(PM_STUB_BASE - 4096), 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	struct jump_regs r = {
		.ax = nr, .di = 0, .si = 4096, .dx = 7, .sp = STUB_AREA(0) + 0x3000, .flags = 2
	};

	if (p == MAP_FAILED)
		_exit(9);
	p[4094] = 0x0f;
	p[4095] = 0x05;
	jump_with(&r, PM_STUB_BASE - 2);
}

static void a_call_in_the_last_bytes_before_the_stub(void)
{
	need_stub();
	for (unsigned long nr = 0; nr <= NR_LAST; nr++) {
		int status = attack(call_at_the_border, nr);

		if (nr != NR_FUTEX && nr != SYS_exit && nr != SYS_exit_group)
			CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 9);
	}
	attack_check();
}

TEST_PROGRAM(calls, CASE(each_number_at_one_site_of_the_stub),
	     CASE(harmful_numbers_at_each_site_of_the_stub),
	     CASE(other_futex_operations_at_a_site_of_the_stub),
	     CASE(each_number_from_the_programs_own_code_is_the_guests),
	     CASE(a_call_in_the_last_bytes_before_the_stub));
