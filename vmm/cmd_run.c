// SPDX-License-Identifier: Apache-2.0
/* cmd_run - placeholder while the pieces come together: monitor run EROFS-FILE CMD... */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "vmm/cmd_run.h"
#include "vmm/log.h"
#include "vmm/vm.h"

int cmd_run(int argc, char **argv)
{
	static char *env[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", NULL };
	struct vm_start start = { .argv = argv + 2, .envp = env, .cwd = "/", .hostname = "sandbox",
				  .log_level = getenv("KLOG") ? (uint32_t)atoi(getenv("KLOG")) : 0,
				  .strace = getenv("STRACE") };
	struct vm_config cfg = { .mem_bytes = 1ull << 30, .nr_cpus = getenv("CPUS") ? (uint32_t)atoi(getenv("CPUS")) : 1, .start = &start };
	static struct vm vm;
	struct err e = { 0 };
	struct stat st;

	if (argc < 3)
		return 125;
	log_setup(LOG_INFO, start.log_level);
	cfg.image_fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (cfg.image_fd < 0 || fstat(cfg.image_fd, &st))
		return 125;
	cfg.image_len = (uint64_t)st.st_size;
	if (vm_create(&vm, &cfg, &e) || vm_run(&vm, &e)) {
		fprintf(stderr, "monitor: %s\n", e.msg);
		return 125;
	}
	if (vm.result.kind != VM_EXITED) {
		fprintf(stderr, "monitor: %s\n", vm.result.reason);
		return 125;
	}
	return WIFSIGNALED(vm.result.status) ? 128 + WTERMSIG(vm.result.status) : WEXITSTATUS(vm.result.status);
}
