/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process_vm_readv.c - process_vm_readv, process_vm_writev, kcmp
 *
 * See       process_vm_readv(2), kcmp(2)
 */
#include "tests/lib/t.h"

#include <linux/kcmp.h>
#include <sys/uio.h>

static char target[16] = "original";

static pid_t waiting_child(struct t_gate *stop)
{
	pid_t pid;

	t_gate_init(stop);
	pid = t_fork();
	if (pid == 0) {
		t_gate_wait(stop);
		_exit(strcmp(target, "changed!") ? 1 : 0);
	}
	return pid;
}

static void memory_of_a_child_is_read_and_written(void)
{
	struct t_gate stop;
	char buf[16] = "";
	struct iovec local = { buf, 9 }, remote = { target, 9 };
	pid_t pid = waiting_child(&stop);

	strcpy(target, "mine");
	CHECK_EQ(process_vm_readv(pid, &local, 1, &remote, 1, 0), 9);
	CHECK(!strcmp(buf, "original"));
	strcpy(buf, "changed!");
	CHECK_EQ(process_vm_writev(pid, &local, 1, &remote, 1, 0), 9);
	CHECK(!strcmp(target, "mine"));
	t_gate_open(&stop);
	t_wait_exit(pid, 0);
}

static void errors(void)
{
	char buf[8];
	struct iovec local = { buf, 8 }, remote = { t_bad_ptr(), 8 };

	CHECK_ERRNO(process_vm_readv(getpid(), &local, 1, &remote, 1, 0), EFAULT);
	CHECK_ERRNO(process_vm_readv(getpid(), &local, 1, &remote, 1, 1), EINVAL);
	CHECK_ERRNO(process_vm_readv(0x3fffffff, &local, 1, &remote, 1, 0), ESRCH);
}

static void other_users_are_protected(void)
{
	struct t_gate stop;
	char buf[16];
	struct iovec local = { buf, 9 }, remote = { target, 9 };
	pid_t pid = waiting_child(&stop);
	pid_t thief = t_fork();

	if (thief == 0) {
		t_become_user(1000);
		CHECK_ERRNO(process_vm_readv(pid, &local, 1, &remote, 1, 0), EPERM);
		_exit(0);
	}
	t_wait_exit(thief, 0);
	MUST(kill(pid, SIGKILL));
}

static void descriptors_can_be_compared(void)
{
	int a = t_temp_fd();
	int b = MUST(dup(a));
	int c = MUST(open("temp-file", O_RDONLY));
	pid_t me = getpid();
	long r = syscall(SYS_kcmp, me, me, KCMP_FILE, a, b);

	if (r == -1 && errno == ENOSYS)
		SKIP("this kernel was built without kcmp");
	CHECK_EQ(r, 0);
	CHECK(syscall(SYS_kcmp, me, me, KCMP_FILE, a, c) > 0);
	CHECK_EQ(syscall(SYS_kcmp, me, me, KCMP_VM, 0, 0), 0);
	CHECK_ERRNO(syscall(SYS_kcmp, me, me, 99, 0, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_kcmp, me, me, KCMP_FILE, a, 999), EBADF);
}

TEST_PROGRAM(process_vm_readv, CASE(memory_of_a_child_is_read_and_written), CASE(errors),
	     CASE(other_users_are_protected), CASE(descriptors_can_be_compared));
