/* SPDX-License-Identifier: Apache-2.0 */
/*
 * procfs.c - every file of /proc/PID, of every kind of process
 */
#include "tests/probes/probe.h"

static const char *const files[] = {
	"auxv",
	"cgroup",
	"clear_refs",
	"cmdline",
	"comm",
	"coredump_filter",
	"environ",
	"gid_map",
	"io",
	"limits",
	"loginuid",
	"maps",
	"mem",
	"mountinfo",
	"mounts",
	"mountstats",
	"numa_maps",
	"oom_adj",
	"oom_score",
	"oom_score_adj",
	"pagemap",
	"personality",
	"sched",
	"schedstat",
	"sessionid",
	"setgroups",
	"smaps",
	"smaps_rollup",
	"stack",
	"stat",
	"statm",
	"status",
	"syscall",
	"timers",
	"timerslack_ns",
	"uid_map",
	"wchan",
	"fdinfo/0",
	"task/self/status",
	"task/self/mem",
	"task/self/environ",
	"net/unix",
};

static const char *const links[] = { "cwd",    "exe",	  "root",   "fd/0",  "ns/mnt",
				     "ns/pid", "ns/user", "ns/net", "ns/uts" };
static const char *const dirs[] = { "", "fd", "fdinfo", "map_files", "ns", "task", "net", "attr" };

static void path_of(char *path, size_t size, const struct target *t, const char *name)
{
	const char *rest = strncmp(name, "task/self/", 10) ? NULL : name + 10;

	if (rest)
		snprintf(path, size, "/proc/%d/task/%d/%s", t->pid, t->pid, rest);
	else
		snprintf(path, size, "/proc/%d/%s", t->pid, name);
}

static void look(const struct target *t, const char *name)
{
	char path[96], text[64], c;
	struct stat st;
	int fd;

	path_of(path, sizeof path, t, name);
	if (stat(path, &st) == 0) {
		snprintf(text, sizeof text, "%o of %s", st.st_mode & 07777,
			 st.st_uid == USER    ? "user"
			 : st.st_uid == OTHER ? "other"
			 : st.st_uid	      ? "?"
					      : "root");
		answer(text, "proc/%s/%s mode", t->name, name);
	} else {
		answer(strerrorname_np(errno), "proc/%s/%s mode", t->name, name);
	}
	fd = open(path, O_RDONLY);
	answer(result_text(fd), "proc/%s/%s open", t->name, name);
	if (fd >= 0 && strcmp(name, "mem") && strcmp(name, "task/self/mem"))
		ASK(read(fd, &c, 1), "proc/%s/%s read", t->name, name);
	if (fd >= 0)
		close(fd);
	fd = open(path, O_WRONLY);
	answer(result_text(fd), "proc/%s/%s write", t->name, name);
	if (fd >= 0)
		close(fd);
}

void probe_procfs(void)
{
	char path[96], buf[256];
	int fd;

	for (int i = 0; i < nr_targets; i++) {
		for (size_t k = 0; k < sizeof files / sizeof *files; k++)
			look(&targets[i], files[k]);
		for (size_t k = 0; k < sizeof links / sizeof *links; k++) {
			path_of(path, sizeof path, &targets[i], links[k]);
			ASK(readlink(path, buf, sizeof buf), "proc/%s/%s readlink", targets[i].name,
			    links[k]);
			fd = open(path, O_RDONLY | O_NONBLOCK);
			answer(result_text(fd), "proc/%s/%s follow", targets[i].name, links[k]);
			if (fd >= 0)
				close(fd);
		}
		for (size_t k = 0; k < sizeof dirs / sizeof *dirs; k++) {
			path_of(path, sizeof path, &targets[i], dirs[k]);
			fd = open(path, O_RDONLY | O_DIRECTORY);
			answer(result_text(fd), "proc/%s/%s list", targets[i].name,
			       *dirs[k] ? dirs[k] : "(itself)");
			if (fd >= 0)
				close(fd);
		}
	}
}
