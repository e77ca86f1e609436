// SPDX-License-Identifier: Apache-2.0
/*
 * job - sessions, process groups and the controlling terminal
 *
 * Role      The terminal driver (fs/tty) asks these; task/job.c implements them. The driver embeds a struct
 *           tty_session in its terminal and keeps it alive while it is attached to a session.
 * Locking   job_* take the task list lock (RANK_TASKLIST) unless said otherwise: call them with no spinlock
 *           held, the terminal's mutex (RANK_TTY) is allowed.
 */
#pragma once

#include "guestkernel/kapi/types.h"

struct tty_session {
	s32 session; /* session this terminal controls, 0 none */
	s32 pgrp;    /* foreground process group, 0 none */
	u32 dev;     /* [I] device number, for /proc/<pid>/stat; 0 unknown */
	/* The session leader has exited or gave the terminal up: called without locks after the detach. */
	void (*hangup)(struct tty_session *ts);
	/* A reference the session holds on the terminal. */
	void (*get)(struct tty_session *ts);
	void (*put)(struct tty_session *ts);
};

s32 job_current_pgrp(void);
bool job_current_is_session_leader(void);
/* The controlling terminal of the current session, referenced with ->get(), or NULL. */
struct tty_session *job_ctty_get(void);
/* True when ts is the controlling terminal of the current session. */
bool job_is_ctty(const struct tty_session *ts);
/* Attaches ts to the current session (which must be led by the caller and have no terminal yet). steal: may
 * take it from another session (CAP_SYS_ADMIN checked here). -EPERM. */
int must_check job_set_ctty(struct tty_session *ts, bool steal);
/* open(2) of a terminal without O_NOCTTY: attaches when possible, silently not otherwise. */
void job_open_tty(struct tty_session *ts);
/* TIOCNOTTY. -ENOTTY when ts is not ours. */
int must_check job_detach_ctty(struct tty_session *ts);
/* Terminal goes away (pty master closed): SIGHUP and SIGCONT to the session leader and foreground group. */
void job_tty_hangup(struct tty_session *ts);
/* tcsetpgrp(3): checks that pgrp is in the caller's session. -ENOTTY, -EPERM, -ESRCH. */
int must_check job_set_foreground(struct tty_session *ts, s32 pgrp);

/* As the kernel (SI_KERNEL). -ESRCH when the group does not exist. */
int job_signal_pgrp(s32 pgrp, s32 sig);
/* Does the current task ignore or block sig? (background reads and writes) */
bool job_signal_is_blocked(s32 sig);
/* A background process is about to read (SIGTTIN) or change (SIGTTOU) terminal ts: 0 when it may, -EIO when
 * it may not and no signal is due, -ERESTARTSYS after the group was signalled. */
int must_check job_check_background(struct tty_session *ts, s32 sig);
