// SPDX-License-Identifier: Apache-2.0
/* charge_test - task/charge.c: accounts of users, what is refused, who pays after setuid */
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/errno.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"

extern struct cred host_cred;

TEST(a_charge_up_to_the_limit_works_and_one_more_is_refused)
{
	struct user_account *a = account_lookup(1000);

	CHECK(a != NULL);
	CHECK(charge(a, CHARGE_EPOLL_WATCHES, 3, 3) == 0);
	CHECK(charge(a, CHARGE_EPOLL_WATCHES, 1, 3) == -ENOSPC);
	CHECK(charge(a, CHARGE_EPOLL_WATCHES, 0, 3) == 0);
	uncharge(a, CHARGE_EPOLL_WATCHES, 1);
	CHECK(charge(a, CHARGE_EPOLL_WATCHES, 1, 3) == 0);
	CHECK(charge_read(a, CHARGE_EPOLL_WATCHES) == 3);
	uncharge(a, CHARGE_EPOLL_WATCHES, 3);
	account_put(a);
}

TEST(huge_amounts_do_not_wrap_around)
{
	struct user_account *a = account_lookup(1000);

	CHECK(charge(a, CHARGE_KMEM, 10, CHARGE_UNLIMITED) == 0);
	CHECK(charge(a, CHARGE_KMEM, U64_MAX, 100) == -ENOMEM);
	CHECK(charge(a, CHARGE_KMEM, U64_MAX - 5, CHARGE_UNLIMITED) == -ENOMEM);
	CHECK(charge_read(a, CHARGE_KMEM) == 10);
	uncharge(a, CHARGE_KMEM, 10);
	account_put(a);
}

TEST(one_uid_has_one_account_while_anybody_holds_it)
{
	struct user_account *a = account_lookup(7), *b = account_lookup(7), *c = account_lookup(8);

	CHECK(a == b && a != c && a->uid == 7);
	account_put(a);
	CHECK(account_lookup(7) == b);
	account_put(b);
	account_put(b);
	account_put(c);
}

TEST(the_payer_stays_when_the_user_changes)
{
	struct user_account *first = account_lookup(1000), *second = account_lookup(1001),
			    *payer = NULL;

	host_cred.account = first;
	CHECK(charge_current(CHARGE_LOCKS, 1, 10, &payer) == 0);
	CHECK(payer == first);
	host_cred.account = second;
	charge_release(payer, CHARGE_LOCKS, 1);
	CHECK(charge_read(first, CHARGE_LOCKS) == 0 && charge_read(second, CHARGE_LOCKS) == 0);
	host_cred.account = NULL;
	account_put(first);
	account_put(second);
}

TEST(without_an_account_nobody_pays)
{
	struct user_account *payer = account_lookup(1);

	account_put(payer);
	CHECK(charge_current(CHARGE_LOCKS, 100, 10, &payer) == 0);
	CHECK(payer == NULL);
	charge_release(payer, CHARGE_LOCKS, 100);
}

TEST(without_memory_there_is_no_new_account_but_the_known_ones)
{
	struct user_account *a = account_lookup(5), *b;

	fail_at(1);
	CHECK(account_lookup(6) == NULL);
	fail_at(1);
	b = account_lookup(5);
	fail_at(0);
	CHECK(b == a);
	CHECK(account_lookup(0) != NULL);
	account_put(a);
	account_put(b);
}

static void come_and_go(void *arg)
{
	u32 i;

	(void)arg;
	for (i = 0; i < 20000; i++) {
		struct user_account *a = account_lookup(1 + i % 3);

		if (!charge(a, CHARGE_PROCESSES, 1, 2))
			uncharge(a, CHARGE_PROCESSES, 1);
		account_put(a);
	}
}

TEST(accounts_come_and_go_from_many_threads)
{
	struct test_thread *t[4];
	u32 i;

	for (i = 0; i < 4; i++)
		t[i] = test_thread_start(come_and_go, NULL);
	for (i = 0; i < 4; i++)
		test_thread_join(t[i]);
	for (i = 1; i <= 3; i++) {
		struct user_account *a = account_lookup(i);

		CHECK(refs_read(&a->refs) == 1 && charge_read(a, CHARGE_PROCESSES) == 0);
		account_put(a);
	}
}
