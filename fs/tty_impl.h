// SPDX-License-Identifier: Apache-2.0
/*
 * tty_impl - the terminal object, shared by tty*.c and hoststream.c only
 *
 * Role      tty_ldisc.c: input, echo, output processing. tty.c: slave files. tty_ioctl.c: ioctls of both sides.
 *           tty_pty.c: master files and the table of terminals.
 * Rules     The line discipline runs under `lock` and never sleeps, because input may come from the event
 *           interrupt. Signals, wake-ups and the relay's kick are collected in a tty_fx and carried
 *           out by tty_fx_run() after the lock was dropped.
 *           in: a ring of characters, [tail, canon_head) complete lines (canonical mode) or everything
 *           (raw: canon_head is not used), [canon_head, head) the line that is being edited. A set bit in
 *           in_mark ends a line; a marked NUL is an end of file and is not given to the reader.
 * Locking   lock (RANK_OBJECT): everything without another remark. read_lock (RANK_TTY): one reader takes
 *           characters at a time. table_lock (tty_pty.c, RANK_OBJECT_OUTER): the table.
 */
#pragma once

#include "fs/tty.h"
#include "guestkernel/kapi/async.h"
#include "guestkernel/kapi/job.h"

#define TTY_IN_SIZE	4096u /* powers of two */
#define TTY_OUT_SIZE	8192u
#define TTY_ECHO_SPACE	1024u /* of the output ring, kept for echo */
#define TTY_OPOST_CHUNK 256u

#define PKT_DATA       0
#define PKT_FLUSHREAD  1
#define PKT_FLUSHWRITE 2
#define PKT_STOP       4
#define PKT_START      8
#define PKT_NOSTOP     16
#define PKT_DOSTOP     32

/*
 * INVARIANTS
 * - refs: one of the master file (or relay), one a slave file, one of the session that has it as its terminal. The table
 *   holds none: tty_find() takes one only while the master is open. With the last the index is free again.
 * - nr_slaves counts slave files from open to release, hung up or not: the master sees the end (EIO, EPOLLHUP) when the
 *   last of them closes, not when the terminal hangs up.
 * - A slave file belongs to the terminal as long as its hangups equals the terminal's. A hang-up (the master closes,
 *   TIOCVHANGUP) counts one up, and is final for every file opened before: they read the
 *   end, everything else is EIO. Unless the master has gone, later opens are served as if nothing had been.
 * - Nobody waits for the master's reader except a writer for room: not tcdrain(3), not TCSADRAIN, as on Linux.
 * - Sleepers on read_wq and write_wq look at hangups each time they wake: tty_hang_up() wakes both.
 */
struct tty {
	struct tty_session js; /* [task list lock] session and foreground group */
	struct refs refs;      /* master or relay, slave files, session */
	u32 index;	       /* [I] */
	struct spinlock lock;
	struct mutex read_lock;
	struct termios2 tio;
	struct winsize ws;
	struct tty_owner owner;
	u32 head, tail, canon_head; /* running indexes into in */
	u32 column, canon_column;   /* of the output; where the edited line began */
	bool lnext;		    /* the next character is literal */
	bool erasing;		    /* inside ECHOPRT's \.../ */
	bool stopped;		    /* ^S or TCOOFF: no output */
	bool throttled;		    /* IXOFF: STOP was sent to the other side */
	bool exclusive;
	bool pt_locked; /* TIOCSPTLCK */
	bool master_open;
	bool slave_seen; /* a slave was opened once */
	bool packet;	 /* TIOCPKT */
	u8 pkt_status;
	u32 nr_slaves; /* open slave files */
	u32 hangups;   /* how often the terminal was hung up: older slave files are dead */
	struct user_account *payer;
	u32 out_head, out_tail;
	struct waitq read_wq, write_wq; /* slave side */
	struct waitq master_wq;
	struct async_list async, master_async;
	void (*kick)(
		struct
		tty *t); /* [I] relay: output waits, or input room; no locks held, must not sleep */
	u8 in[TTY_IN_SIZE];
	u64 in_mark[TTY_IN_SIZE / 64];
	u8 out[TTY_OUT_SIZE];
};

/* Behind a slave file. */
struct tty_file {
	struct tty *tty; /* [I] referenced */
	u32 hangups;	 /* [I] the terminal's when it was opened */
};

/* What to do after the lock was dropped. */
struct tty_fx {
	u64 signals; /* bit n: signal n to the foreground group */
	bool readers, writers, master;
};

/* Takes n bytes, sleeping for room; as many as it took, or -errno when none. side: the file's priv. */
typedef s64 (*tty_push_fn)(void *side, const u8 *buf, u32 n, bool nonblock);
/* write(2) of either side: everything of src through a buffer on the stack. */
s64 tty_write_pieces(void *side, bool nonblock, struct iov_cursor *src, tty_push_fn push);
void tty_fx_run(struct tty *t, const struct tty_fx *fx);

/* tty_ldisc.c; functions named _locked want t->lock held. */
void ldisc_init(struct tty *t);
/* Characters from the terminal's keyboard side. Takes as many as there is room for; returns how many. */
u32 ldisc_receive_locked(struct tty *t, const u8 *buf, u32 n, struct tty_fx *fx);
u32 ldisc_room_locked(const struct tty *t);
/* Characters a program writes; as many as there is room for. */
u32 ldisc_output_locked(struct tty *t, const u8 *buf, u32 n, struct tty_fx *fx);
u32 ldisc_out_room_locked(const struct tty *t);
/* Takes up to n characters: the rest of a line at most in canonical mode. *eol: a line or an end of file was
 * finished. */
u32 ldisc_take_locked(struct tty *t, u8 *buf, u32 n, bool *eol, struct tty_fx *fx);
/* Characters a read could get now; a pending end of file counts as one. */
u32 ldisc_available_locked(const struct tty *t);
bool ldisc_has_input_locked(const struct tty *t, bool for_poll);
void ldisc_set_termios_locked(struct tty *t, const struct termios2 *tio, struct tty_fx *fx);
void ldisc_flush_in_locked(struct tty *t, struct tty_fx *fx);
void ldisc_flush_out_locked(struct tty *t, struct tty_fx *fx);
void ldisc_stop_locked(struct tty *t, bool stop, struct tty_fx *fx);
static inline u32 tty_out_used(const struct tty *t)
{
	return READ_ONCE(t->out_head) - READ_ONCE(t->out_tail);
}
/* Bytes of processed output for the master or relay. */
u32 ldisc_drain_locked(struct tty *t, u8 *buf, u32 n, struct tty_fx *fx);

/* tty.c */
extern const struct file_ops tty_slave_ops;
/* Makes f a file of t's slave side; takes over the reference. Without the checks that open(2) makes. */
int must_check tty_slave_attach(struct tty *t, struct file *f);
/* All slave files opened so far are hung up. No spinlock is held. */
void tty_hang_up(struct tty *t);

/* tty_ioctl.c; master: the call came through the master. */
s64 tty_ioctl_common(struct tty *t, struct file *f, u32 cmd, u64 arg, bool master);

/* tty_pty.c */
int must_check tty_create(struct tty **out);
void tty_table_remove(struct tty *t);
