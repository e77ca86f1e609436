// SPDX-License-Identifier: Apache-2.0
/* strace_test - guestkernel/strace*.c and syscall.c over the generated table, with handlers of our own */
#include "guestkernel/call_filter.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/strbuf.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/kapi/string.h"
#include "arch/regs.h"
#include "guestkernel/strace.h"
#include "guestkernel/syscall.h"
#include "guestkernel/task/ptrace.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/mman.h"
#include "guestkernel/uapi/poll.h"
#include "guestkernel/uapi/signal.h"
#include "guestkernel/uapi/socket.h"
#include "guestkernel/uapi/stat.h"
#include "guestkernel/uapi/time.h"
#include "guestkernel/uapi/uio.h"
#include "syscalls_gen.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"

/* Nobody traces or filters here. */
bool ptrace_syscall_begin(struct regs *r)
{
	return true;
}

void ptrace_syscall_end(struct regs *r)
{
}

bool call_filter_allows(struct regs *r)
{
	return true;
}

static char last_line[1024];
static u32 nr_lines;
static u64 handled_fd, handled_len;

void strace_emit(const char *line, size_t n)
{
	const char *rest;

	n = MIN(n, sizeof last_line - 1);
	memcpy(last_line, line, n);
	last_line[n] = '\0';
	/* Without the thread's number. */
	rest = strchr(last_line, ']');
	if (last_line[0] == '[' && rest)
		memmove(last_line, rest + 2, strlen(rest + 2) + 1);
	nr_lines++;
}

s64 sys_read(s32 fd, uaddr_t buf, u64 n)
{
	handled_fd = (u64)(s64)fd;
	handled_len = n;
	if (fd < 0)
		return -EBADF;
	CHECK(copy_to_user(buf,
			   "hello\n\x01"
			   "2",
			   8) == 0);
	return 8;
}

s64 sys_write(s32 fd, uaddr_t buf, u64 n)
{
	return (s64)n;
}

s64 sys_openat(s32 dirfd, uaddr_t path, u32 flags, u32 mode)
{
	return 3;
}

s64 sys_mmap(uaddr_t addr, u64 len, u32 prot, u32 flags, s32 fd, u64 off)
{
	return 0x7f0000001000;
}

s64 sys_wait4(s32 pid, uaddr_t status, u32 options, uaddr_t ru)
{
	s32 w = 3 << 8;

	CHECK(copy_to_user(status, &w, sizeof w) == 0);
	return 17;
}

s64 sys_pause(void)
{
	return -ERESTARTNOHAND;
}

s64 sys_clone(struct regs *r, u64 flags, uaddr_t sp, uaddr_t ptid, uaddr_t ctid, u64 tls)
{
	CHECK(r && flags == 0x11 && tls == 5);
	return 99;
}

s64 sys_exit_group(s32 code)
{
	CHECK(nr_lines == 1); /* shown before */
	return 0;
}

s64 sys_connect(s32 fd, uaddr_t addr, u32 len)
{
	return 0;
}

s64 sys_rt_sigprocmask(u32 how, uaddr_t set, uaddr_t old, u64 size)
{
	return 0;
}

s64 sys_fstat(s32 fd, uaddr_t out)
{
	struct stat st = { .st_mode = S_IFREG | 0644, .st_size = 1234 };

	return copy_to_user(out, &st, sizeof st);
}

s64 sys_poll(uaddr_t fds, u32 nr, s32 timeout)
{
	struct pollfd p = { 4, POLLIN, POLLIN | POLLHUP };

	CHECK(copy_to_user(fds, &p, sizeof p) == 0);
	return 1;
}

s64 sys_execve(struct regs *r, uaddr_t path, uaddr_t argv, uaddr_t envp)
{
	return -ENOENT;
}

static s64 call(s64 nr, u64 a, u64 b, u64 c, u64 d, u64 e)
{
	struct regs r = { .orig_ax = (u64)nr, .di = a, .si = b, .dx = c, .r10 = d, .r8 = e };

	nr_lines = 0;
	last_line[0] = '\0';
	return syscall_dispatch(&r);
}

static u64 va(const void *p)
{
	return (uintptr_t)p;
}

static void trace(const char *words)
{
	CHECK(strace_select(words, NULL) == 0);
}

TEST(arguments_are_narrowed_to_their_types)
{
	char buf[8];

	CHECK(call(0, 0xdead00000007, va(buf), 1ull << 40, 0, 0) == 8);
	CHECK(handled_fd == 7 && handled_len == 1ull << 40);
	CHECK(call(0, 0xffffffff, va(buf), 0, 0, 0) == -EBADF);
	CHECK(nr_lines == 0);
}

TEST(calls_that_do_not_exist_are_enosys_and_counted)
{
	struct strbuf sb;

	CHECK(call(335, 0, 0, 0, 0, 0) == -ENOSYS);
	CHECK(call(400, 0, 0, 0, 0, 0) == -ENOSYS);
	CHECK(call(99999, 0, 0, 0, 0, 0) == -ENOSYS);
	CHECK(call(-1, 0, 0, 0, 0, 0) == -ENOSYS);
	CHECK(call(0x40000000, 0, 0, 0, 0, 0) == -ENOSYS);
	CHECK(call(425, 0, 0, 0, 0, 0) == -ENOSYS);
	CHECK(call(425, 0, 0, 0, 0, 0) == -ENOSYS);
	CHECK(call(39, 0, 0, 0, 0, 0) == -ENOSYS); /* getpid: no handler in this program */
	CHECK(call(175, 0, 0, 0, 0, 0) == -EPERM); /* init_module: denied */
	strbuf_init(&sb);
	CHECK(syscall_show_missing(&sb, NULL) == 0);
	CHECK_STR(sb.data, "getpid 1\nuretprobe 1\nsyscall_400 1\nio_uring_setup 2\n");
	strbuf_fini(&sb);
}

TEST(registers_are_handed_to_calls_that_want_them)
{
	CHECK(call(56, 0x11, 0, 0, 0, 5) == 99);
}

TEST(strings_flags_and_results)
{
	char buf[16];

	trace("");
	call(257, (u64)AT_FDCWD, va("/etc/a\"b\n"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644, 0);
	CHECK_STR(last_line,
		  "openat(AT_FDCWD, \"/etc/a\\\"b\\n\", O_WRONLY|O_CREAT|O_CLOEXEC, 0644) = 3");
	call(257, 5, va("x"), 0, 0, 0);
	CHECK_STR(last_line, "openat(5, \"x\", O_RDONLY, 0) = 3");
	call(0, 3, va(buf), 16, 0, 0);
	CHECK_STR(last_line, "read(3, \"hello\\n\\0012\", 16) = 8");
	call(0, (u64)-1, 0x1000, 16, 0, 0);
	CHECK_STR(last_line, "read(-1, 0x1000, 16) = -1 EBADF");
	call(1, 1, va("0123456789012345678901234567890123456789"), 40, 0, 0);
	CHECK_STR(last_line, "write(1, \"01234567890123456789012345678901\"..., 40) = 40");
	call(9, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (u64)-1);
	CHECK_STR(last_line,
		  "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) "
		  "= 0x7f0000001000");
	CHECK(host_blocks_in_use() == 0);
}

TEST(structures)
{
	struct sockaddr_un un = { AF_UNIX, "/run/x" };
	sigset_t set = 1ull << (SIGCHLD - 1) | 1ull << (SIGINT - 1);
	struct stat st;
	struct pollfd p = { 4, POLLIN, 0 };
	s32 status;
	const char *argv[] = { "ls", "-l", NULL };

	trace(NULL);
	call(61, (u64)-1, va(&status), 0, 0, 0);
	CHECK_STR(last_line, "wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 17");
	call(42, 3, va(&un), 2 + 7, 0, 0);
	CHECK_STR(last_line, "connect(3, {sa_family=AF_UNIX, sun_path=\"/run/x\"}, 9) = 0");
	un.sun_path[0] = 0;
	call(42, 3, va(&un), 2 + 6, 0, 0);
	CHECK_STR(last_line, "connect(3, {sa_family=AF_UNIX, sun_path=@\"run/x\"}, 8) = 0");
	call(14, SIG_BLOCK, va(&set), 0, 8, 0);
	CHECK_STR(last_line, "rt_sigprocmask(SIG_BLOCK, [INT CHLD], NULL, 8) = 0");
	set = ~0ull;
	call(14, SIG_SETMASK, va(&set), 0, 8, 0);
	CHECK_STR(last_line, "rt_sigprocmask(SIG_SETMASK, ~[], NULL, 8) = 0");
	call(5, 3, va(&st), 0, 0, 0);
	CHECK_STR(last_line, "fstat(3, {st_mode=S_IFREG|0644, st_size=1234, ...}) = 0");
	call(7, va(&p), 1, (u64)-1, 0, 0);
	CHECK_STR(last_line, "poll([{fd=4, events=POLLIN, revents=POLLIN|POLLHUP}], 1, -1) = 1");
	call(59, va("/bin/ls"), va(argv), 0, 0, 0);
	CHECK_STR(last_line, "execve(\"/bin/ls\", [\"ls\", \"-l\"], NULL) = -1 ENOENT");
	call(34, 0, 0, 0, 0, 0);
	CHECK_STR(last_line, "pause() = ? ERESTARTNOHAND");
	call(231, 7, 0, 0, 0, 0);
	CHECK_STR(last_line, "exit_group(7) = ?");
	call(56, 0x11, 0, 0, 0, 5);
	CHECK_STR(last_line, "clone(SIGCHLD, NULL, NULL, NULL, 0x5) = 99");
	call(400, 1, 0, 0, 0, 0);
	CHECK_STR(last_line, "syscall_400(0x1, ...) = -1 ENOSYS");
}

TEST(addresses_that_cannot_be_read_are_shown_as_numbers)
{
	trace("");
	call(257, 5, 0x10, 0, 0, 0);
	CHECK_STR(last_line, "openat(5, 0x10, O_RDONLY, 0) = 3");
	call(42, 3, 0x20, 16, 0, 0);
	CHECK_STR(last_line, "connect(3, 0x20, 16) = 0");
	call(59, 0x30, 0x40, 0x50, 0, 0);
	CHECK_STR(last_line, "execve(0x30, 0x40, 0x50) = -1 ENOENT");
}

TEST(words_select_calls_and_classes)
{
	const char *bad;

	trace("openat,pause");
	call(1, 1, va("x"), 1, 0, 0);
	CHECK(nr_lines == 0);
	call(34, 0, 0, 0, 0, 0);
	CHECK(nr_lines == 1);
	trace("%file");
	call(257, 5, va("x"), 0, 0, 0);
	CHECK(nr_lines == 1);
	call(1, 1, va("x"), 1, 0, 0);
	CHECK(nr_lines == 0);
	trace("!write,%file");
	call(1, 1, va("x"), 1, 0, 0);
	CHECK(nr_lines == 0);
	call(34, 0, 0, 0, 0, 0);
	CHECK(nr_lines == 1);
	CHECK(strace_select("read,nonsense,x", &bad) == -EINVAL);
	CHECK_STR(bad, "nonsense,x");
	CHECK(!strace_on);
}

TEST(lack_of_memory_costs_the_line_not_the_call)
{
	trace("");
	FAIL_LOOP(n)
	{
		CHECK(call(257, 5, va("a path"), O_RDWR, 0, 0) == 3);
		CHECK(nr_lines == 1);
		if (!fail_happened())
			break;
		CHECK_STR(last_line, "openat");
		CHECK(host_blocks_in_use() == 0);
	}
}
