/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unshare.c - unshare(2), setns(2): UTS, mount and IPC name spaces
 *
 * See       unshare(2)
 */
#include "tests/lib/t.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>

static void sharing_ends_for_descriptors_and_directory(void)
{
	MUST(unshare(0));
	MUST(unshare(CLONE_FILES | CLONE_FS));
	CHECK_ERRNO(unshare(0x1), EINVAL);
}

static void mount_name_spaces_need_privilege(void)
{
	t_become_user(1000);
	CHECK_ERRNO(unshare(CLONE_NEWNS), EPERM);
	CHECK_ERRNO(unshare(CLONE_NEWUTS), EPERM);
}

static void host_names_become_private(void)
{
	char before[65], after[65];
	pid_t pid;

	t_need_cap(CAP_SYS_ADMIN);
	MUST(gethostname(before, sizeof(before)));
	pid = t_fork();
	if (pid == 0) {
		MUST(unshare(CLONE_NEWUTS));
		MUST(sethostname("other", 5));
		_exit(0);
	}
	t_wait_exit(pid, 0);
	MUST(gethostname(after, sizeof(after)));
	CHECK(!strcmp(before, after));
}

static void setns_wants_a_name_space(void)
{
	CHECK_ERRNO(setns(-1, 0), EBADF);
	CHECK_ERRNO(setns(t_temp_fd(), 0), EINVAL);
}

static void name_spaces_are_files_to_return_to(void)
{
	struct stat old, new;
	char name[65], link[64], text[64];
	ssize_t n;
	pid_t pid;
	int fd;

	t_need_cap(CAP_SYS_ADMIN);
	fd = MUST(open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC));
	MUST(fstat(fd, &old));
	n = MUST(readlink("/proc/self/ns/uts", link, sizeof(link) - 1));
	link[n] = 0;
	snprintf(text, sizeof(text), "uts:[%lu]", (unsigned long)old.st_ino);
	CHECK(!strcmp(link, text));
	pid = t_fork();
	if (pid == 0) {
		MUST(unshare(CLONE_NEWUTS));
		MUST(stat("/proc/self/ns/uts", &new));
		CHECK(new.st_dev == old.st_dev &&new.st_ino != old.st_ino);
		MUST(sethostname("inner", 5));
		CHECK_ERRNO(setns(fd, CLONE_NEWIPC), EINVAL);
		MUST(setns(fd, CLONE_NEWUTS));
		MUST(gethostname(name, sizeof(name)));
		CHECK(strcmp(name, "inner"));
		MUST(stat("/proc/self/ns/uts", &new));
		CHECK(new.st_ino == old.st_ino);
		t_become_user(1000);
		CHECK_ERRNO(setns(fd, 0), EPERM);
		_exit(0);
	}
	t_wait_exit(pid, 0);
	close(fd);
}

static int tell_name(void *arg)
{
	char name[65];

	if (sethostname("cloned", 6) || gethostname(name, sizeof(name)) || strcmp(name, "cloned"))
		return 1;
	return 0;
}

static void clone_makes_name_spaces(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	char name[65];
	pid_t pid;

	t_need_cap(CAP_SYS_ADMIN);
	pid = MUST(clone(tell_name, stack + sizeof(stack), CLONE_NEWUTS | SIGCHLD, NULL));
	t_wait_exit(pid, 0);
	MUST(gethostname(name, sizeof(name)));
	CHECK(strcmp(name, "cloned"));
	CHECK_ERRNO(clone(tell_name, stack + sizeof(stack), CLONE_NEWNS | CLONE_FS | SIGCHLD, NULL),
		    EINVAL);
}

/* A mount namespace whose changes stay inside. */
static void private_mounts(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		SKIP("no mount name space of its own");
}

static void mounts_become_private(void)
{
	char text[65536], where[256];
	struct stat st;
	pid_t pid;

	t_need_cap(CAP_SYS_ADMIN);
	MUST(mkdir("m", 0755));
	CHECK(getcwd(where, sizeof(where)) != NULL);
	strcat(where, "/m ");
	pid = t_fork();
	if (pid == 0) {
		private_mounts();
		MUST(mount("none", "m", "tmpfs", 0, NULL));
		t_write_file("m/inside", "x");
		t_read_file("/proc/self/mounts", text, sizeof(text));
		CHECK(strstr(text, where) != NULL);
		_exit(7);
	}
	t_wait_exit(pid, 7);
	CHECK_ERRNO(stat("m/inside", &st), ENOENT);
	t_read_file("/proc/self/mounts", text, sizeof(text));
	CHECK(strstr(text, where) == NULL);
}

static void a_program_keeps_its_name(void)
{
	char before[256] = "", after[256] = "";

	MUST(readlink("/proc/self/exe", before, sizeof before - 1));
	private_mounts();
	MUST(readlink("/proc/self/exe", after, sizeof after - 1));
	CHECK(before[0] == '/' && !strcmp(before, after));
}

static void directory_and_root_move_along(void)
{
	char before[256], after[256];
	struct stat a, b;

	t_need_cap(CAP_SYS_ADMIN);
	MUST(mkdir("m", 0755));
	private_mounts();
	MUST(mount("none", "m", "tmpfs", 0, NULL));
	MUST(chdir("m"));
	t_write_file("file", "x");
	CHECK(getcwd(before, sizeof(before)) != NULL);
	MUST(unshare(CLONE_NEWNS));
	CHECK(getcwd(after, sizeof(after)) != NULL);
	CHECK(!strcmp(before, after));
	MUST(stat("file", &a));
	strcat(after, "/file");
	MUST(stat(after, &b));
	CHECK_EQ(a.st_ino, b.st_ino);
	/* the mount here is a copy, and busy because of us alone */
	MUST(chdir(".."));
	MUST(umount2("m", 0));
	CHECK_ERRNO(stat("m/file", &b), ENOENT);
}

static void a_mount_name_space_can_be_entered(void)
{
	struct stat st;
	int fd, old, ready[2], go[2];
	char path[64], here[256], c;
	pid_t pid;

	t_need_cap(CAP_SYS_ADMIN);
	MUST(mkdir("m", 0755));
	MUST(pipe(ready));
	MUST(pipe(go));
	pid = t_fork();
	if (pid == 0) {
		private_mounts();
		MUST(mount("none", "m", "tmpfs", 0, NULL));
		t_write_file("m/inside", "x");
		CHECK_EQ(write(ready[1], "r", 1), 1);
		CHECK_EQ(read(go[0], &c, 1), 1);
		_exit(0);
	}
	CHECK_EQ(read(ready[0], &c, 1), 1);
	old = MUST(open("/proc/self/ns/mnt", O_RDONLY));
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	fd = MUST(open(path, O_RDONLY));
	CHECK_EQ(write(go[1], "g", 1), 1);
	t_wait_exit(pid, 0);
	/* the descriptor alone keeps it alive */
	CHECK(getcwd(here, sizeof(here)) != NULL);
	CHECK_ERRNO(setns(fd, CLONE_NEWUTS), EINVAL);
	MUST(setns(fd, CLONE_NEWNS));
	MUST(chdir(here));
	MUST(stat("m/inside", &st));
	MUST(setns(old, 0));
	MUST(chdir(here));
	CHECK_ERRNO(stat("m/inside", &st), ENOENT);
}

static void a_tree_can_be_bound_into_itself(void)
{
	struct stat a, b;

	t_need_cap(CAP_SYS_ADMIN);
	MUST(mkdir("top", 0755));
	private_mounts();
	MUST(mount("none", "top", "tmpfs", 0, NULL));
	MUST(mkdir("top/inner", 0755));
	MUST(mkdir("top/copy", 0755));
	MUST(mount("none", "top/inner", "tmpfs", 0, NULL));
	t_write_file("top/inner/file", "x");
	MUST(mount("top", "top/copy", NULL, MS_BIND | MS_REC, NULL));
	MUST(stat("top/inner/file", &a));
	MUST(stat("top/copy/inner/file", &b));
	CHECK_EQ(a.st_ino, b.st_ino);
	/* the copy holds no copy of itself */
	CHECK_ERRNO(stat("top/copy/copy/inner", &b), ENOENT);
	MUST(umount2("top", MNT_DETACH));
	CHECK_ERRNO(stat("top/inner", &b), ENOENT);
}

static void ipc_objects_become_private(void)
{
	struct shmid_ds ds;
	int shm, msg, sem, fd;
	pid_t pid;
	char *p;

	t_need_cap(CAP_SYS_ADMIN);
	fd = MUST(open("/proc/self/ns/ipc", O_RDONLY));
	MUST(unshare(CLONE_NEWIPC));
	shm = MUST(shmget(0x5151, 4096, IPC_CREAT | 0600));
	msg = MUST(msgget(0x5151, IPC_CREAT | 0600));
	sem = MUST(semget(0x5151, 1, IPC_CREAT | 0600));
	p = shmat(shm, NULL, 0);
	CHECK(p != (void *)-1);
	strcpy(p, "mine");
	pid = t_fork();
	if (pid == 0) {
		MUST(unshare(CLONE_NEWIPC));
		CHECK_ERRNO(shmget(0x5151, 4096, 0600), ENOENT);
		CHECK_ERRNO(msgget(0x5151, 0600), ENOENT);
		CHECK_ERRNO(semget(0x5151, 1, 0600), ENOENT);
		CHECK(!strcmp(p, "mine"));
		MUST(semget(0x5151, 1, IPC_CREAT | IPC_EXCL | 0600));
		MUST(msgget(0x5151, IPC_CREAT | IPC_EXCL | 0600));
		_exit(7);
	}
	t_wait_exit(pid, 7);
	CHECK_EQ(shmget(0x5151, 4096, 0600), shm);
	CHECK_EQ(msgget(0x5151, 0600), msg);
	CHECK_EQ(semget(0x5151, 1, 0600), sem);
	MUST(shmctl(shm, IPC_STAT, &ds));
	CHECK_EQ(ds.shm_nattch, 1);
	/* the name space ends, the attached segment stays */
	MUST(setns(fd, CLONE_NEWIPC));
	CHECK_ERRNO(shmget(0x5151, 4096, 0600), ENOENT);
	CHECK_ERRNO(shmctl(shm, IPC_STAT, &ds), EINVAL);
	CHECK(!strcmp(p, "mine"));
	strcpy(p, "still");
	MUST(shmdt(p));
}

TEST_PROGRAM(unshare, CASE(sharing_ends_for_descriptors_and_directory),
	     CASE(mount_name_spaces_need_privilege), CASE(host_names_become_private),
	     CASE(setns_wants_a_name_space), CASE(name_spaces_are_files_to_return_to),
	     CASE(clone_makes_name_spaces), CASE(mounts_become_private),
	     CASE(a_program_keeps_its_name), CASE(directory_and_root_move_along),
	     CASE(a_mount_name_space_can_be_entered), CASE(a_tree_can_be_bound_into_itself),
	     CASE(ipc_objects_become_private));
