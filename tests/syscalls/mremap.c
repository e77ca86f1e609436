/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mremap.c - mremap(2): grow, shrink, move
 *
 * See       mremap(2)
 */
#include "tests/lib/t.h"

#define PAGE 4096

static char *pages(int n)
{
	return MUST(
		mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static void growing_keeps_the_content(void)
{
	char *p = pages(2), *q;

	strcpy(p + PAGE, "kept");
	q = MUST(mremap(p, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE));
	CHECK(!strcmp(q + PAGE, "kept"));
	CHECK(q[63 * PAGE] == 0);
	q[63 * PAGE] = 1;
}

static void growing_in_place_needs_room(void)
{
	char *p = pages(3);

	MUST(munmap(p + PAGE, PAGE));
	CHECK(mremap(p, PAGE, 2 * PAGE, 0) == p);
	CHECK_ERRNO(mremap(p, 2 * PAGE, 3 * PAGE, 0), ENOMEM);
}

static void shrinking_unmaps_the_tail(void)
{
	char *p = pages(4);
	unsigned char vec[1];

	CHECK(mremap(p, 4 * PAGE, PAGE, 0) == p);
	p[0] = 1;
	CHECK_ERRNO(mincore(p + PAGE, PAGE, vec), ENOMEM);
}

static void fixed_moves_over_what_is_there(void)
{
	char *p = pages(1), *target = pages(3), *q;

	p[0] = 'm';
	target[PAGE] = 't';
	q = MUST(mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + PAGE));
	CHECK(q == target + PAGE);
	CHECK(q[0] == 'm');
	CHECK_ERRNO(msync(p, PAGE, MS_ASYNC), ENOMEM);
}

static void shared_file_mappings_move_with_their_offset(void)
{
	int fd = t_temp_fd();
	char *p, *q;

	MUST(ftruncate(fd, 4 * PAGE));
	CHECK_EQ(pwrite(fd, "three", 5, 3 * PAGE), 5);
	p = MUST(mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE));
	q = MUST(mremap(p, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE));
	CHECK(!memcmp(q + 2 * PAGE, "three", 5));
}

static void errors(void)
{
	char *p = pages(2);

	CHECK_ERRNO(mremap(p + 1, PAGE, PAGE, 0), EINVAL);
	CHECK_ERRNO(mremap(p, PAGE, 0, 0), EINVAL);
	CHECK_ERRNO(mremap(p, PAGE, PAGE, 0x100), EINVAL);
	CHECK_ERRNO(mremap(p, PAGE, PAGE, MREMAP_FIXED, p), EINVAL);
	MUST(munmap(p, PAGE));
	CHECK_ERRNO(mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
}

TEST_PROGRAM(mremap, CASE(growing_keeps_the_content), CASE(growing_in_place_needs_room),
	     CASE(shrinking_unmaps_the_tail), CASE(fixed_moves_over_what_is_there),
	     CASE(shared_file_mappings_move_with_their_offset), CASE(errors));
