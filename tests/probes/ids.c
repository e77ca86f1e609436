/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ids.c - changes of ids, groups and capabilities, by an ordinary user
 */
#include "tests/probes/probe.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdint.h>
#include <sys/fsuid.h>

static const uid_t ids[] = { (uid_t)-1, 0, USER, OTHER };

static void show_ids(const char *name, long a, long b, long c, long result)
{
	uid_t u[3];
	gid_t g[3];
	char text[96];

	if (result < 0) {
		answer(result_text(result), "ids/%s %ld %ld %ld", name, a, b, c);
		return;
	}
	getresuid(&u[0], &u[1], &u[2]);
	getresgid(&g[0], &g[1], &g[2]);
	snprintf(text, sizeof text, "ok %d %d %d, %d %d %d, dumpable %d", u[0], u[1], u[2], g[0],
		 g[1], g[2], prctl(PR_GET_DUMPABLE));
	answer(text, "ids/%s %ld %ld %ld", name, a, b, c);
}

static void change(const char *name, long nr, long a, long b, long c)
{
	fflush(stdout);
	pid_t pid = fork();

	if (pid == 0) {
		show_ids(name, a, b, c, syscall(nr, a, b, c));
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static long caps_set(uint32_t effective, uint32_t permitted, uint32_t inheritable)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = {
		{effective, permitted, inheritable}
	};

	return syscall(SYS_capset, &h, d);
}

void probe_ids(void)
{
	static const uint32_t masks[] = { 0, 1u << CAP_CHOWN, 1u << CAP_NET_RAW, ~0u };
	gid_t group = 0;

	for (size_t i = 0; i < 4; i++) {
		change("setuid", SYS_setuid, (int)ids[i], 0, 0);
		change("setgid", SYS_setgid, (int)ids[i], 0, 0);
		change("setfsuid", SYS_setfsuid, (int)ids[i], 0, 0);
		change("setfsgid", SYS_setfsgid, (int)ids[i], 0, 0);
		for (size_t k = 0; k < 4; k++) {
			change("setreuid", SYS_setreuid, (int)ids[i], (int)ids[k], 0);
			change("setregid", SYS_setregid, (int)ids[i], (int)ids[k], 0);
			for (size_t m = 0; m < 4; m++) {
				change("setresuid", SYS_setresuid, (int)ids[i], (int)ids[k],
				       (int)ids[m]);
				change("setresgid", SYS_setresgid, (int)ids[i], (int)ids[k],
				       (int)ids[m]);
			}
		}
	}
	ASK_APART(setgroups(0, NULL), "ids/setgroups none");
	ASK_APART(setgroups(1, &group), "ids/setgroups root");
	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < 4; k++)
			ASK_APART(caps_set(masks[i], masks[k], 0), "caps/set %zu %zu", i, k);
	for (size_t i = 0; i < 4; i++)
		ASK_APART(caps_set(0, 0, masks[i]), "caps/set inheritable %zu", i);
	for (int cap = 0; cap <= 41; cap += 5) {
		ASK_APART(prctl(PR_CAPBSET_DROP, cap, 0, 0, 0), "caps/bounding drop %d", cap);
		ASK_APART(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0),
			  "caps/ambient raise %d", cap);
		ASK_APART(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, cap, 0, 0),
			  "caps/ambient lower %d", cap);
	}
	ASK_APART(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "caps/ambient clear");
	ASK_APART(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT, 0, 0, 0), "caps/securebits");
	ASK_APART(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "caps/keepcaps");
	ASK_APART(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl/no_new_privs");
	ASK_APART(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), "prctl/no_new_privs off");
	ASK_APART(prctl(PR_SET_DUMPABLE, 2, 0, 0, 0), "prctl/dumpable 2");
	ASK_APART(prctl(PR_SET_PTRACER, 1, 0, 0, 0), "prctl/ptracer");
	ASK_APART(prctl(PR_SET_PTRACER, 0x3fffffff, 0, 0, 0), "prctl/ptracer of nobody");
	ASK_APART(prctl(PR_SET_MM, PR_SET_MM_BRK, 0, 0, 0), "prctl/set_mm");
	ASK_APART(prctl(PR_SET_SECCOMP, 2, NULL, 0, 0), "prctl/seccomp");
}
