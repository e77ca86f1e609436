/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msgget.c - System V message queues: msgget, msgsnd, msgrcv, msgctl
 *
 * See       msgget(2), msgop(2), msgctl(2)
 */
#include "tests/lib/t.h"

#include <sys/ipc.h>
#include <sys/msg.h>

struct text {
	long type;
	char s[64];
};

static void put(int id, long type, const char *s)
{
	struct text t = { .type = type };

	strcpy(t.s, s);
	MUST(msgsnd(id, &t, strlen(s), 0));
}

static void expect(int id, long type, int flags, const char *s)
{
	struct text t = { 0 };
	ssize_t n = MUST(msgrcv(id, &t, sizeof(t.s), type, flags | IPC_NOWAIT));

	CHECK_EQ(n, (ssize_t)strlen(s));
	CHECK(!strncmp(t.s, s, (size_t)n));
}

static void messages_come_in_order_or_by_type(void)
{
	int id = MUST(msgget(IPC_PRIVATE, 0600));
	struct msqid_ds ds;
	struct text t;

	put(id, 3, "three");
	put(id, 1, "one");
	put(id, 2, "two");
	put(id, 3, "drei");
	MUST(msgctl(id, IPC_STAT, &ds));
	CHECK(ds.msg_qnum == 4 && ds.msg_lspid == getpid() && ds.msg_stime);
	expect(id, 2, 0, "two");
	expect(id, 3, MSG_EXCEPT, "one");
	put(id, 1, "eins");
	expect(id, -2, 0, "eins");
	expect(id, 0, 0, "three");
	expect(id, -9, 0, "drei");
	CHECK_ERRNO(msgrcv(id, &t, sizeof(t.s), 0, IPC_NOWAIT), ENOMSG);
	MUST(msgctl(id, IPC_RMID, NULL));
}

static void long_messages_are_cut_only_when_wanted(void)
{
	int id = MUST(msgget(IPC_PRIVATE, 0600));
	struct text t;

	put(id, 1, "abcdef");
	CHECK_ERRNO(msgrcv(id, &t, 3, 0, 0), E2BIG);
	CHECK_EQ(msgrcv(id, &t, 3, 0, MSG_NOERROR), 3);
	CHECK(!memcmp(t.s, "abc", 3));
	put(id, 1, "");
	CHECK_EQ(msgrcv(id, &t, 0, 0, 0), 0);
	MUST(msgctl(id, IPC_RMID, NULL));
}

static void a_reader_waits_for_its_type(void)
{
	int id = MUST(msgget(IPC_PRIVATE, 0600));
	struct text t;
	pid_t pid = t_fork();

	if (pid == 0) {
		CHECK_EQ(msgrcv(id, &t, sizeof(t.s), 7, 0), 2);
		put(id, 9, "back");
		_exit(0);
	}
	put(id, 1, "other");
	put(id, 7, "go");
	CHECK_EQ(msgrcv(id, &t, sizeof(t.s), 9, 0), 4);
	t_wait_exit(pid, 0);
	MUST(msgctl(id, IPC_RMID, NULL));
}

static void a_full_queue_makes_writers_wait(void)
{
	int id = MUST(msgget(IPC_PRIVATE, 0600)), n;
	static struct {
		long type;
		char s[8192];
	} big = { .type = 1 };
	pid_t pid;

	for (n = 0; msgsnd(id, &big, sizeof(big.s), IPC_NOWAIT) == 0; n++)
		;
	CHECK(n == 2 && errno == EAGAIN);
	pid = t_fork();
	if (pid == 0) {
		big.type = 5;
		MUST(msgsnd(id, &big, sizeof(big.s), 0));
		_exit(0);
	}
	CHECK_EQ(msgrcv(id, &big, sizeof(big.s), 0, 0), 8192);
	CHECK_EQ(msgrcv(id, &big, sizeof(big.s), 5, 0), 8192);
	t_wait_exit(pid, 0);
	pid = t_fork();
	if (pid == 0) {
		CHECK_ERRNO(msgrcv(id, &big, sizeof(big.s), 77, 0), EIDRM);
		_exit(0);
	}
	usleep(50000);
	MUST(msgctl(id, IPC_RMID, NULL));
	t_wait_exit(pid, 0);
}

static void errors(void)
{
	int id = MUST(msgget(IPC_PRIVATE, 0600));
	struct text t = { .type = 0 };

	CHECK_ERRNO(msgsnd(id, &t, 1, 0), EINVAL);
	t.type = 1;
	CHECK_ERRNO(msgsnd(id, &t, 8193, 0), EINVAL);
	CHECK_ERRNO(msgsnd(id, t_bad_ptr(), 1, 0), EFAULT);
	CHECK_ERRNO(msgrcv(id, &t, (size_t)-1, 0, 0), EINVAL);
	CHECK_ERRNO(msgget(0x6e5f0000 + (getpid() & 0xffff), 0600), ENOENT);
	MUST(msgctl(id, IPC_RMID, NULL));
	CHECK_ERRNO(msgsnd(id, &t, 1, 0), EINVAL);
	CHECK_ERRNO(msgctl(-1, IPC_RMID, NULL), EINVAL);
}

TEST_PROGRAM(msgget, CASE(messages_come_in_order_or_by_type),
	     CASE(long_messages_are_cut_only_when_wanted), CASE(a_reader_waits_for_its_type),
	     CASE(a_full_queue_makes_writers_wait), CASE(errors));
