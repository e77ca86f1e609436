/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memfd_create.c - memfd_create(2) and seals
 *
 * See       memfd_create(2), fcntl(2)
 */
#include "tests/lib/t.h"

static void an_anonymous_file(void)
{
	char buf[8], link[64];
	struct stat st;
	int fd = MUST(memfd_create("name", 0));
	char path[32];

	CHECK_EQ(write(fd, "abc", 3), 3);
	CHECK_EQ(pread(fd, buf, 8, 0), 3);
	MUST(fstat(fd, &st));
	CHECK_EQ(st.st_size, 3);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	memset(link, 0, sizeof(link));
	MUST(readlink(path, link, sizeof(link) - 1));
	CHECK(!strcmp(link, "/memfd:name (deleted)"));
	CHECK_EQ(fcntl(fd, F_GETFD), 0);
	CHECK_EQ(fcntl(memfd_create("n", MFD_CLOEXEC), F_GETFD), FD_CLOEXEC);
}

static void it_maps_shared(void)
{
	int fd = MUST(memfd_create("name", 0));
	char *p;
	pid_t pid;

	MUST(ftruncate(fd, 4096));
	p = MUST(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	pid = t_fork();
	if (pid == 0) {
		p[9] = 'c';
		_exit(0);
	}
	t_wait_exit(pid, 0);
	CHECK(p[9] == 'c');
}

static void seals_stop_what_they_name(void)
{
	int fd = MUST(memfd_create("name", MFD_ALLOW_SEALING));

	CHECK_EQ(fcntl(fd, F_GET_SEALS), 0);
	MUST(ftruncate(fd, 100));
	MUST(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	CHECK_ERRNO(ftruncate(fd, 50), EPERM);
	MUST(ftruncate(fd, 200));
	MUST(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	CHECK_ERRNO(ftruncate(fd, 300), EPERM);
	CHECK_EQ(pwrite(fd, "x", 1, 0), 1);
	MUST(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	CHECK_ERRNO(pwrite(fd, "x", 1, 0), EPERM);
	CHECK_ERRNO(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EPERM);
	MUST(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
	CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), EPERM);
	CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

static void a_writable_mapping_blocks_the_write_seal(void)
{
	int fd = MUST(memfd_create("name", MFD_ALLOW_SEALING));
	char *p;

	MUST(ftruncate(fd, 4096));
	p = MUST(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	MUST(munmap(p, 4096));
	MUST(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
}

static void errors(void)
{
	int fd = MUST(memfd_create("name", 0));

	CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
	CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), EPERM);
	CHECK_ERRNO(memfd_create("name", 0x4000), EINVAL);
	CHECK_ERRNO(memfd_create(t_bad_ptr(), 0), EFAULT);
	CHECK_ERRNO(fcntl(t_temp_fd(), F_ADD_SEALS, 0x4000), EINVAL);
}

TEST_PROGRAM(memfd_create, CASE(an_anonymous_file), CASE(it_maps_shared),
	     CASE(seals_stop_what_they_name), CASE(a_writable_mapping_blocks_the_write_seal),
	     CASE(errors));
