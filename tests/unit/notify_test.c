// SPDX-License-Identifier: Apache-2.0
/* notify_test - fs/notify.c: inotify without a file system around it */
#include "fs/dentry.h"
#include "fs/inotify.h"
#include "fs/notify.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"

struct spinlock dcache_lock = SPINLOCK_INIT(RANK_DCACHE);

static struct inode dir = { .mode = S_IFDIR | 0755, .nlink = 2 };
static struct inode node = { .mode = S_IFREG | 0644, .nlink = 1 };
static struct dentry root = { .inode = &dir };
static struct dentry child = { .inode = &node, .parent = &root, .name = "child", .name_len = 5 };
static struct file *f;

static void setup(void)
{
	root.parent = &root;
	CHECK(inotify_create(IN_NONBLOCK, &f) == 0);
}

static void teardown(void)
{
	file_put(f);
	CHECK(host_blocks_in_use() == 0 && !notify_active() && !dir.marks && !node.marks);
}

/* The next event is this one. */
static void expect(s32 wd, u32 mask, const char *name)
{
	struct {
		struct inotify_event e;
		char name[272];
	} buf;
	u32 space = name ? ALIGN_UP((u32)strlen(name) + 1, 16u) : 0;

	memset(&buf, 0, sizeof buf);
	CHECK(host_read(f, &buf, sizeof buf.e + space) == (s64)(sizeof buf.e + space));
	CHECK(buf.e.wd == wd && buf.e.mask == mask && buf.e.len == space);
	if (name)
		CHECK_STR(buf.name, name);
}

static void expect_nothing(void)
{
	char buf[64];

	CHECK(!(file_poll(f, NULL) & EPOLLIN));
	CHECK(host_read(f, buf, sizeof buf) == -EAGAIN);
}

TEST(a_directory_hears_of_its_entries_by_name)
{
	s32 wd;

	setup();
	wd = inotify_add(f, &dir, IN_CREATE | IN_MODIFY);
	CHECK(wd == 1 && notify_active());
	notify_inode(&dir, IN_CREATE, "new", 0);
	notify_dentry(&child, IN_MODIFY);
	notify_dentry(&child, IN_OPEN); /* nobody asked */
	expect(wd, IN_CREATE, "new");
	expect(wd, IN_MODIFY, "child");
	expect_nothing();
	teardown();
}

TEST(parent_and_object_both_hear_the_parent_first)
{
	setup();
	CHECK(inotify_add(f, &node, IN_OPEN) == 1 && inotify_add(f, &dir, IN_OPEN) == 2);
	notify_dentry(&child, IN_OPEN);
	expect(2, IN_OPEN, "child");
	expect(1, IN_OPEN, NULL);
	expect_nothing();
	teardown();
}

TEST(equal_events_in_a_row_are_one)
{
	setup();
	CHECK(inotify_add(f, &node, IN_MODIFY) == 1);
	for (u32 i = 0; i < 5; i++)
		notify_dentry(&child, IN_MODIFY);
	expect(1, IN_MODIFY, NULL);
	expect_nothing();
	teardown();
}

TEST(a_watch_is_changed_extended_or_refused)
{
	setup();
	CHECK(inotify_add(f, &node, IN_OPEN) == 1);
	CHECK(inotify_add(f, &node, IN_MODIFY | IN_MASK_CREATE) == -EEXIST);
	CHECK(inotify_add(f, &node, IN_MODIFY | IN_MASK_ADD) == 1);
	notify_dentry(&child, IN_OPEN);
	expect(1, IN_OPEN, NULL);
	CHECK(inotify_add(f, &node, IN_MODIFY) == 1);
	notify_dentry(&child, IN_OPEN);
	expect_nothing();
	teardown();
}

TEST(watches_end_by_removal_one_shot_and_death)
{
	setup();
	CHECK(inotify_add(f, &node, IN_OPEN) == 1);
	CHECK(inotify_remove(f, 7) == -EINVAL && inotify_remove(f, 1) == 0);
	expect(1, IN_IGNORED, NULL);
	CHECK(inotify_add(f, &node, IN_OPEN | IN_ONESHOT) == 2);
	notify_dentry(&child, IN_OPEN);
	notify_dentry(&child, IN_OPEN);
	expect(2, IN_OPEN, NULL);
	expect(2, IN_IGNORED, NULL);
	expect_nothing();
	CHECK(inotify_add(f, &node, IN_DELETE_SELF) == 3);
	node.nlink = 0;
	notify_inode_gone(&node);
	expect(3, IN_DELETE_SELF, NULL);
	expect(3, IN_IGNORED, NULL);
	expect_nothing();
	teardown();
}

TEST(removed_names_are_quiet_if_asked)
{
	setup();
	CHECK(inotify_add(f, &dir, IN_MODIFY | IN_EXCL_UNLINK) == 1);
	child.flags |= DENTRY_DELETED;
	notify_dentry(&child, IN_MODIFY);
	expect_nothing();
	teardown();
}

TEST(a_full_queue_says_so_once)
{
	char buf[4096];
	u32 events = 0;
	s64 n;

	setup();
	CHECK(inotify_add(f, &dir, IN_CREATE) == 1);
	for (u32 i = 0; i < 20000; i++)
		notify_inode(&dir, IN_CREATE, i & 1 ? "a" : "b", 0);
	while ((n = host_read(f, buf, sizeof buf)) > 0)
		for (s64 at = 0; at < n; events++) {
			struct inotify_event *e = (struct inotify_event *)(buf + at);

			at += (s64)(sizeof *e + e->len);
			CHECK(e->mask == IN_CREATE || (at == n && e->wd == -1));
		}
	CHECK(events == 16384 + 1);
	notify_inode(&dir, IN_CREATE, "c", 0);
	expect(1, IN_CREATE, "c");
	teardown();
}

TEST(a_buffer_too_small_is_refused)
{
	char buf[8];

	setup();
	CHECK(inotify_add(f, &node, IN_OPEN) == 1);
	notify_dentry(&child, IN_OPEN);
	CHECK(host_read(f, buf, sizeof buf) == -EINVAL);
	expect(1, IN_OPEN, NULL);
	teardown();
}
