// SPDX-License-Identifier: Apache-2.0
/*
 * entry_paths - every way an x86-64 program can enter the kernel, and what it keeps on the way back
 *
 * Rules     Which kernel answered shows in what uname(2) says: the same by every path. Where Linux may or may not
 *           offer a path (32-bit calls, the vsyscall page), a signal or ENOSYS is as good as the right answer.
 */
#include "tests/lib/t.h"

#include <asm/prctl.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/utsname.h>

#define HOT 3000 /* rounds after which a call site counts as hot anywhere */

static struct utsname expected;

static long raw(long nr, long a, long b, long c)
{
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return ret;
}

static int is_our_kernel(const struct utsname *u)
{
	return !strcmp(u->release, expected.release) && !strcmp(u->nodename, expected.nodename);
}

/* Runs fn in a child: it must end by exit code 0, SIGSEGV, SIGILL or SIGSYS. */
static void may_be_refused(void (*fn)(void))
{
	int status;
	pid_t pid;

	MUST(uname(&expected));
	pid = t_fork();
	if (!pid) {
		fn();
		_exit(0);
	}
	MUST(waitpid(pid, &status, 0));
	if (WIFEXITED(status))
		CHECK_EQ(WEXITSTATUS(status), 0);
	else
		CHECK(WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGILL ||
		      WTERMSIG(status) == SIGSYS);
}

static void *code_page(const void *code, size_t n, int flags)
{
	void *p = MUST(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0));

	memcpy(p, code, n);
	return p;
}

static void a_call_hidden_in_the_middle_of_an_instruction(void)
{
	/* movabs $..., %rax; two bytes on: syscall; ret */
	static const unsigned char code[] = { 0x48, 0xb8, 0x0f, 0x05, 0xc3, 0x90,
					      0x90, 0x90, 0x90, 0x90, 0xc3 };
	char *p = code_page(code, sizeof code, 0);
	struct utsname u;
	long ret;

	MUST(uname(&expected));
	for (int i = 0; i < HOT; i++) {
		__asm__ volatile("call *%1"
				 : "=a"(ret)
				 : "r"(p + 2), "a"((long)SYS_uname), "D"(&u)
				 : "rcx", "r11", "memory");
		CHECK(ret == 0 && is_our_kernel(&u));
	}
}

static void generated_code_may_be_rewritten_at_any_time(void)
{
	/* mov $nr, %eax; syscall; ret */
	unsigned char code[] = { 0xb8, SYS_getpid, 0, 0, 0, 0x0f, 0x05, 0xc3 };
	unsigned char *p = code_page(code, sizeof code, 0);
	long (*fn)(void) = (long (*)(void))(uintptr_t)p;

	for (int round = 0; round < 4; round++) {
		p[1] = SYS_getpid;
		for (int i = 0; i < HOT; i++)
			CHECK(fn() == getpid());
		CHECK(p[1] == SYS_getpid && p[0] == 0xb8 && p[5] == 0x0f);
		p[1] = SYS_getppid;
		CHECK_EQ(fn(), getppid());
	}
}

/* Two ways into one site: hot_site() and, with its own number, hot_site_inner(). */
extern char hot_site_inner[];
long hot_site(void);
__asm__(".text\n"
	"hot_site: movl $39, %eax\n" /* getpid */
	"hot_site_inner: syscall\n"
	"ret\n");

static void a_hot_site_can_still_be_entered_behind_its_first_instruction(void)
{
	struct utsname u;
	long ret;

	MUST(uname(&expected));
	for (int i = 0; i < HOT; i++) {
		CHECK(hot_site() == getpid());
		__asm__ volatile("call *%1"
				 : "=a"(ret)
				 : "r"(hot_site_inner), "a"((long)SYS_uname), "D"(&u)
				 : "rcx", "r11", "memory");
		CHECK(ret == 0 && is_our_kernel(&u));
	}
}

static void the_kernel_reads_hot_code_as_it_was_written(void)
{
	static const unsigned char bytes[] = { 0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3 };
	const unsigned char *site = (const unsigned char *)(uintptr_t)hot_site;
	unsigned char seen[sizeof bytes];
	int fds[2], mem;

	for (int i = 0; i < HOT; i++)
		CHECK(hot_site() == getpid());
	MUST(pipe(fds));
	CHECK_EQ(write(fds[1], site, sizeof bytes), sizeof bytes);
	CHECK_EQ(read(fds[0], seen, sizeof seen), sizeof seen);
	CHECK(!memcmp(seen, bytes, sizeof bytes));
	mem = MUST(open("/proc/self/mem", O_RDONLY));
	CHECK_EQ(pread(mem, seen, sizeof seen, (off_t)(uintptr_t)site), sizeof seen);
	CHECK(!memcmp(seen, bytes, sizeof bytes));
}

static void call_by_int_0x80(void)
{
	struct utsname *u = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long ret;

	if (u == MAP_FAILED)
		_exit(1);
	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(122L), "b"(u)
			 : "memory", "r8", "r9", "r10", "r11");
	_exit(ret && ret != -ENOSYS && (int)ret != -ENOSYS ? 2 : ret || is_our_kernel(u) ? 0 : 3);
}

static void int_0x80_reaches_no_other_kernel(void)
{
	may_be_refused(call_by_int_0x80);
}

/* Far return to the 32-bit code segment, a call there, and back. */
static void call_in_compat_mode(void)
{
	/* int $0x80 ; ljmp $0x33, $back (patched) */
	unsigned char code[] = { 0xcd, 0x80, 0xea, 0, 0, 0, 0, 0x33, 0x00 };
	unsigned char back[] = { 0xcb }; /* 64-bit: lret */
	unsigned char *p = code_page(code, sizeof code, MAP_32BIT);
	uint32_t at = (uint32_t)(uintptr_t)p + 64;
	long ret;

	memcpy(p + 3, &at, 4);
	memcpy(p + 64, back, sizeof back);
	__asm__ volatile("movq %%rsp, %%r12\n"
			 "leaq 2048(%1), %%rsp\n" /* a stack that 32-bit code can reach */
			 "pushq $0x33\n"
			 "leaq 1f(%%rip), %%rcx\n"
			 "pushq %%rcx\n"
			 "pushq $0x23\n"
			 "pushq %1\n"
			 "lretq\n"
			 "1: movq %%r12, %%rsp\n"
			 : "=a"(ret)
			 : "r"(p), "a"(20L)
			 : "rcx", "r8", "r9", "r10", "r11", "r12", "memory");
	/* lret with a 32-bit operand popped half of what was pushed unless it was refused before */
	_exit((int)ret == getpid() || (int)ret == -ENOSYS ? 0 : 2);
}

static void calls_in_32_bit_code_reach_no_other_kernel(void)
{
	may_be_refused(call_in_compat_mode);
}

static void call_by_vsyscall(void)
{
	long (*vtime)(long *) = (long (*)(long *))0xffffffffff600400ul;
	long t = vtime(NULL);

	_exit(t > 1000000000 || t == -ENOSYS ? 0 : 2);
}

static void the_vsyscall_page_gives_the_time_or_a_signal(void)
{
	may_be_refused(call_by_vsyscall);
}

static void x32_numbers_are_refused_or_answered_right(void)
{
	struct utsname u;
	long ret;

	MUST(uname(&expected));
	ret = raw(SYS_uname | 0x40000000, (long)&u, 0, 0);
	CHECK(ret == -ENOSYS || (ret == 0 && is_our_kernel(&u)));
	ret = raw(SYS_getpid | 0x40000000, 0, 0, 0);
	CHECK(ret == -ENOSYS || ret == getpid());
	CHECK_EQ(raw(0x7fffffff, 0, 0, 0), -ENOSYS);
	CHECK_EQ(raw(-1, 0, 0, 0), -ENOSYS);
	/* only the low half of the register is the number */
	CHECK_EQ(raw(SYS_getpid | 1l << 32, 0, 0, 0), getpid());
}

static long call_on_stack(unsigned long sp)
{
	long ret;

	__asm__ volatile("movq %%rsp, %%r12\n"
			 "movq %2, %%rsp\n"
			 "syscall\n"
			 "movq %%r12, %%rsp\n"
			 : "=a"(ret)
			 : "a"((long)SYS_getpid), "r"(sp)
			 : "rcx", "r11", "r12", "memory");
	return ret;
}

static void the_stack_pointer_may_be_anything_during_a_call(void)
{
	static const unsigned long sps[] = { 0,
					     8,
					     0xfff,
					     0x7ffffffff000,
					     0x800000000000,
					     0x8000000000000000,
					     0xffffffff80000000,
					     0xffffffffffffffff };

	for (int round = 0; round < 2000; round++)
		for (size_t i = 0; i < sizeof sps / sizeof sps[0]; i++)
			CHECK(call_on_stack(sps[i]) == getpid());
}

static void a_call_keeps_the_red_zone_and_all_other_registers(void)
{
	for (int i = 0; i < HOT; i++) {
		unsigned long bad;

		__asm__ volatile(
			"movq $0x1234567, -8(%%rsp)\n movq $0x7654321, -128(%%rsp)\n"
			"movq $1, %%rbx\n movq $2, %%r8\n movq $3, %%r9\n movq $4, %%r10\n"
			"movq $5, %%r12\n movq $6, %%r13\n movq $7, %%r14\n movq $8, %%r15\n"
			"movq $9, %%rsi\n movq $10, %%rdi\n movq $11, %%rdx\n"
			"movl $39, %%eax\n syscall\n"
			"1: leaq 1b(%%rip), %%rax\n subq %%rcx, %%rax\n" /* rcx: return address */
			"xorq $0x1234567, -8(%%rsp)\n orq -8(%%rsp), %%rax\n"
			"xorq $0x7654321, -128(%%rsp)\n orq -128(%%rsp), %%rax\n"
			"subq $1, %%rbx\n orq %%rbx, %%rax\n subq $2, %%r8\n orq %%r8, %%rax\n"
			"subq $3, %%r9\n orq %%r9, %%rax\n subq $4, %%r10\n orq %%r10, %%rax\n"
			"subq $5, %%r12\n orq %%r12, %%rax\n subq $6, %%r13\n orq %%r13, %%rax\n"
			"subq $7, %%r14\n orq %%r14, %%rax\n subq $8, %%r15\n orq %%r15, %%rax\n"
			"subq $9, %%rsi\n orq %%rsi, %%rax\n subq $10, %%rdi\n orq %%rdi, %%rax\n"
			"subq $11, %%rdx\n orq %%rdx, %%rax\n"
			: "=a"(bad)
			:
			: "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
			  "r14", "r15", "memory", "cc");
		CHECK(!bad);
	}
}

static void a_call_keeps_vector_registers_and_flags(void)
{
	static const unsigned long in[2] = { 0x0123456789abcdef, 0xfedcba9876543210 };
	unsigned long out[2], flags;
	unsigned int csr = 0x1f80 | 0x6000, seen;

	for (int i = 0; i < HOT; i++) {
		__asm__ volatile(
			"ldmxcsr %3\n movdqu %4, %%xmm0\n movdqu %4, %%xmm15\n"
			"std\n movl $39, %%eax\n syscall\n"
			"pushfq\n popq %2\n cld\n stmxcsr %1\n pand %%xmm15, %%xmm0\n movdqu %%xmm0, %0\n"
			: "=m"(out), "=m"(seen), "=r"(flags)
			: "m"(csr), "m"(in)
			: "rax", "rcx", "r11", "xmm0", "xmm15", "memory", "cc");
		CHECK(!memcmp(in, out, sizeof in));
		CHECK(seen == csr && (flags & 0x400));
	}
	csr = 0x1f80;
	__asm__ volatile("ldmxcsr %0" : : "m"(csr));
}

/* Exceptions, unlike calls, leave the flag as it is: the kernel must clear it for itself. */
static void faults_with_the_direction_flag_set_do_no_harm(void)
{
	enum { PAGES = 512 };
	char *p = MUST(mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0));
	int fd = t_temp_fd();
	char *shared;

	MUST(ftruncate(fd, PAGES * 4096));
	shared = MUST(mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	for (int i = 0; i < PAGES; i++) {
		__asm__ volatile("std\n movb $1, (%0)\n movb $2, (%1)\n cld"
				 :
				 : "r"(p + i * 4096), "r"(shared + i * 4096)
				 : "memory", "cc");
		CHECK(p[i * 4096] == 1 && p[i * 4096 + 1] == 0 && shared[i * 4096] == 2);
	}
	t_wait_signal(
		({
			pid_t pid = t_fork();

			if (!pid)
				__asm__ volatile("std\n movq (0), %%rax" : : : "rax", "memory");
			pid;
		}),
		SIGSEGV);
}

static volatile int nr_traps;

static void on_trap(int sig)
{
	nr_traps++;
}

static void single_steps_go_through_calls(void)
{
	long ret;

	t_handle(SIGTRAP, on_trap, 0);
	for (int i = 0; i < 200; i++) {
		__asm__ volatile("subq $128, %%rsp\n pushfq\n orq $0x100, (%%rsp)\n popfq\n"
				 "movl $39, %%eax\n syscall\n"
				 "nop\n"
				 "pushfq\n andq $~0x100, (%%rsp)\n popfq\n addq $128, %%rsp\n"
				 : "=a"(ret)
				 :
				 : "rcx", "r11", "memory", "cc");
		CHECK(ret == getpid());
	}
	CHECK(nr_traps >=
	      200 * 4); /* mov, syscall, nop, pushfq, and; the first two may be one in a sandbox */
}

static void a_program_may_use_gs_for_itself(void)
{
	static unsigned long mine[2] = { 0x600d, 0xbad };
	unsigned long v, base;

	MUST(syscall(SYS_arch_prctl, ARCH_SET_GS, mine));
	for (int i = 0; i < HOT; i++) {
		CHECK(raw(SYS_getpid, 0, 0, 0) == getpid());
		__asm__ volatile("movq %%gs:0, %0" : "=r"(v));
		CHECK(v == 0x600d);
	}
	MUST(syscall(SYS_arch_prctl, ARCH_GET_GS, &base));
	CHECK_EQ(base, (unsigned long)mine);
	t_wait_exit(({
			    pid_t pid = t_fork();

			    if (!pid) {
				    __asm__ volatile("movq %%gs:0, %0" : "=r"(v));
				    _exit(v == 0x600d ? 0 : 1);
			    }
			    pid;
		    }),
		    0);
}

static void base_registers_written_directly_are_kept_where_allowed(void)
{
	static unsigned long mine[2] = { 0x600d, 0 };
	unsigned long v, base;

	if (!(getauxval(AT_HWCAP2) & 2))
		SKIP("wrgsbase is not offered to programs");
	__asm__ volatile("wrgsbase %0" : : "r"(mine));
	for (int i = 0; i < HOT; i++) {
		CHECK(raw(SYS_getpid, 0, 0, 0) == getpid());
		__asm__ volatile("movq %%gs:0, %0" : "=r"(v));
		CHECK(v == 0x600d);
	}
	MUST(sched_yield());
	__asm__ volatile("rdgsbase %0" : "=r"(base));
	CHECK_EQ(base, (unsigned long)mine);
}

static void null_data_segments_do_no_harm(void)
{
	for (int i = 0; i < 2000; i++) {
		__asm__ volatile("movw %%ax, %%ds\n movw %%ax, %%es" : : "a"(0));
		CHECK(raw(SYS_getpid, 0, 0, 0) == getpid());
	}
}

TEST_PROGRAM(entry_paths, CASE(a_call_hidden_in_the_middle_of_an_instruction),
	     CASE(generated_code_may_be_rewritten_at_any_time),
	     CASE(a_hot_site_can_still_be_entered_behind_its_first_instruction),
	     CASE(the_kernel_reads_hot_code_as_it_was_written),
	     CASE(int_0x80_reaches_no_other_kernel),
	     CASE(calls_in_32_bit_code_reach_no_other_kernel),
	     CASE(the_vsyscall_page_gives_the_time_or_a_signal),
	     CASE(x32_numbers_are_refused_or_answered_right),
	     CASE(the_stack_pointer_may_be_anything_during_a_call),
	     CASE(a_call_keeps_the_red_zone_and_all_other_registers),
	     CASE(a_call_keeps_vector_registers_and_flags),
	     CASE(faults_with_the_direction_flag_set_do_no_harm),
	     CASE(single_steps_go_through_calls), CASE(a_program_may_use_gs_for_itself),
	     CASE(base_registers_written_directly_are_kept_where_allowed),
	     CASE(null_data_segments_do_no_harm));
