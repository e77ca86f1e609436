// SPDX-License-Identifier: Apache-2.0
/*
 * signal_frames - frames that do not fit where they should go, and what comes back from them
 *
 * See       sigaltstack(2), sigreturn(2); what is in a frame: x86_64/handler_state.c
 */
#include "tests/lib/t.h"

#include <sys/auxv.h>
#include <ucontext.h>

#define SS_AUTODISARM_ (1u << 31)
#define STACK_BYTES    (64 * 1024)

static char *stack; /* between two pages that cannot be touched */

/* The handlers that ran last are below: what an overflow would hit first. */
static void make_stack(int flags)
{
	size_t guard = 1024 * 1024;
	char *p = MUST(mmap(NULL, STACK_BYTES + 2 * guard, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	stack_t ss = { .ss_sp = p + guard, .ss_size = STACK_BYTES, .ss_flags = flags };

	stack = p + guard;
	MUST(sigaltstack(&ss, NULL));
}

static int *depth; /* shared */

static void nest(int sig)
{
	++*depth;
	if (*depth < 10000)
		raise(sig);
	_exit(1);
}

/* Frames inside frames until the stack is full; how the process ended. */
static int nest_until_full(int first_flags, int second_flags)
{
	int status;
	pid_t pid;

	depth = MUST(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	pid = t_fork();
	if (!pid) {
		make_stack(0);
		t_handle(SIGUSR1, nest, first_flags | SA_NODEFER);
		t_handle(SIGSEGV, nest, second_flags | SA_NODEFER);
		raise(SIGUSR1);
		_exit(2);
	}
	MUST(waitpid(pid, &status, 0));
	return status;
}

static void an_alternate_stack_that_is_full_ends_the_program(void)
{
	int status;

	if (!T_FRAMES_FIT)
		SKIP("this architecture does not look");
	status = nest_until_full(SA_ONSTACK, SA_ONSTACK);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	CHECK(*depth > 2 && *depth <= STACK_BYTES / 500);
}

static void handle_overflow(int sig)
{
	_exit(*depth > 2 && *depth <= STACK_BYTES / 500 ? 42 : 43);
	(void)sig;
}

/* SIGSEGV's handler does not use the alternate stack, but the program is on it: its frame would be the next there. */
static void a_handler_that_happens_to_run_there_does_not_fit_either(void)
{
	int status;
	pid_t pid;

	if (!T_FRAMES_FIT)
		SKIP("this architecture does not look");
	depth = MUST(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	pid = t_fork();
	if (!pid) {
		make_stack(0);
		t_handle(SIGUSR1, nest, SA_ONSTACK | SA_NODEFER);
		t_handle(SIGSEGV, handle_overflow, 0);
		raise(SIGUSR1);
		_exit(2);
	}
	MUST(waitpid(pid, &status, 0));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void returns(int sig)
{
	++*depth;
	(void)sig;
}

static void a_stack_that_disarms_itself_is_armed_again_by_the_return(void)
{
	stack_t now;
	int i;

	depth = MUST(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	make_stack((int)SS_AUTODISARM_);
	t_handle(SIGUSR1, returns, SA_ONSTACK);
	for (i = 0; i < 3; i++)
		raise(SIGUSR1);
	CHECK_EQ(*depth, 3);
	MUST(sigaltstack(NULL, &now));
	CHECK(now.ss_sp == stack && now.ss_size == STACK_BYTES);
	CHECK_EQ(now.ss_flags, (int)SS_AUTODISARM_);
}

static void a_frame_that_ends_at_an_unmapped_page_ends_the_program(void)
{
	pid_t pid = t_fork();

	if (!pid) {
		char *p = MUST(mmap(NULL, 65536, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		stack_t ss = { .ss_sp = p, .ss_size = 65536 };

		MUST(sigaltstack(&ss, NULL));
		MUST(munmap(p, 65536));
		t_handle(SIGUSR1, returns, SA_ONSTACK);
		t_handle(SIGSEGV, returns, SA_ONSTACK);
		raise(SIGUSR1);
		_exit(1);
	}
	t_wait_signal(pid, SIGSEGV);
}

static stack_t in_frame;

static void change_stack(int sig, siginfo_t *info, void *v)
{
	ucontext_t *uc = v;

	uc->uc_stack = in_frame;
	(void)sig;
	(void)info;
}

static void stack_after(void *sp, size_t size, int flags, stack_t *now)
{
	struct sigaction sa = { .sa_sigaction = change_stack, .sa_flags = SA_SIGINFO };

	in_frame = (stack_t){ .ss_sp = sp, .ss_size = size, .ss_flags = flags };
	MUST(sigaction(SIGUSR1, &sa, NULL));
	raise(SIGUSR1);
	MUST(sigaltstack(NULL, now));
}

static void a_frame_cannot_set_a_stack_sigaltstack_would_refuse(void)
{
	stack_t now;

	make_stack(0);
	stack_after(stack, 100, 0, &now);
	CHECK(now.ss_sp == stack && now.ss_size == STACK_BYTES && now.ss_flags == 0);
	stack_after(stack, STACK_BYTES, 0x1234, &now);
	CHECK(now.ss_sp == stack && now.ss_size == STACK_BYTES && now.ss_flags == 0);
	stack_after(stack + 4096, STACK_BYTES - 4096, 0, &now);
	CHECK(now.ss_sp == stack + 4096 && now.ss_size == STACK_BYTES - 4096);
	stack_after(NULL, 0, SS_DISABLE, &now);
	CHECK_EQ(now.ss_flags, SS_DISABLE);
}

TEST_PROGRAM(signal_frames, CASE(an_alternate_stack_that_is_full_ends_the_program),
	     CASE(a_handler_that_happens_to_run_there_does_not_fit_either),
	     CASE(a_stack_that_disarms_itself_is_armed_again_by_the_return),
	     CASE(a_frame_that_ends_at_an_unmapped_page_ends_the_program),
	     CASE(a_frame_cannot_set_a_stack_sigaltstack_would_refuse));
