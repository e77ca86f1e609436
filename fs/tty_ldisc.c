// SPDX-License-Identifier: Apache-2.0
/*
 * tty_ldisc - the line discipline: input editing, echo, signals, output processing
 *
 * Role      Runs under the terminal's lock; no files, no sleeping, no user memory.
 * Rules     See tty_impl.h for the input ring. Echo is processed like output and goes to the same ring, part
 *           of which is kept for it; echo that still does not fit is lost.
 *           A full input ring without a complete line drops characters (and rings the bell), so that a line
 *           can always be ended; with a line to read, the sender waits.
 * Missing   Delays (NLDLY and friends), parity marking; break conditions do not exist here. Characters wider than
 *           one column are erased as one column.
 * See       termios(3); tests/unit/tty_test.c
 */
#include "fs/tty_impl.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/signal.h"

static bool iflag(const struct tty *t, u32 f)
{
	return t->tio.c_iflag & f;
}
static bool oflag(const struct tty *t, u32 f)
{
	return t->tio.c_oflag & f;
}
static bool lflag(const struct tty *t, u32 f)
{
	return t->tio.c_lflag & f;
}
/* Input in lines, edited here. With EXTPROC somebody else has edited it. */
static bool is_canon(const struct tty *t)
{
	return (t->tio.c_lflag & (ICANON | EXTPROC)) == ICANON;
}
static bool is_cc(const struct tty *t, u32 which, u8 c)
{
	return t->tio.c_cc[which] == c && c != 0;
}
static bool is_cntrl(u8 c)
{
	return c < 0x20 || c == 0x7f;
}
static bool is_continuation(const struct tty *t, u8 c)
{
	return iflag(t, IUTF8) && (c & 0xc0) == 0x80;
}
static u8 in_at(const struct tty *t, u32 i)
{
	return t->in[i % TTY_IN_SIZE];
}
static bool mark_at(const struct tty *t, u32 i)
{
	return t->in_mark[i % TTY_IN_SIZE / 64] >> i % 64 & 1;
}
static void mark_set(struct tty *t, u32 i, bool on)
{
	u64 *word = &t->in_mark[i % TTY_IN_SIZE / 64];

	*word = on ? *word | 1ull << i % 64 : *word & ~(1ull << i % 64);
}

/* Output */

static u32 out_left(const struct tty *t)
{
	return TTY_OUT_SIZE - (t->out_head - t->out_tail);
}

static void out_raw(struct tty *t, u8 c)
{
	t->out[t->out_head++ % TTY_OUT_SIZE] = c;
}

static bool out_tab(struct tty *t)
{
	u32 spaces = 8 - t->column % 8;

	if (!oflag(t, OPOST) || (t->tio.c_oflag & TABDLY) != XTABS) {
		out_raw(t, '\t');
		t->column += spaces;
		return true;
	}
	if (out_left(t) < spaces)
		return false;
	t->column += spaces;
	while (spaces--)
		out_raw(t, ' ');
	return true;
}

static bool out_newline(struct tty *t)
{
	if (oflag(t, ONLRET))
		t->column = 0;
	if (oflag(t, ONLCR)) {
		if (out_left(t) < 2)
			return false;
		out_raw(t, '\r');
		t->column = 0;
	}
	out_raw(t, '\n');
	return true;
}

static void out_return(struct tty *t)
{
	if (oflag(t, ONOCR) && t->column == 0)
		return;
	t->column = 0;
	if (oflag(t, OCRNL)) {
		out_raw(t, '\n');
		if (!oflag(t, ONLRET))
			return;
	} else {
		out_raw(t, '\r');
	}
}

/* One character through output processing; false: no room, nothing done. */
static bool out_char(struct tty *t, u8 c)
{
	if (!out_left(t))
		return false;
	if (!oflag(t, OPOST)) {
		out_raw(t, c);
		return true;
	}
	switch (c) {
	case '\n':
		return out_newline(t);
	case '\r':
		out_return(t);
		return true;
	case '\t':
		return out_tab(t);
	case '\b':
		if (t->column)
			t->column--;
		break;
	default:
		if (oflag(t, OLCUC) && c >= 'a' && c <= 'z')
			c -= 'a' - 'A';
		if (!is_cntrl(c) && !is_continuation(t, c))
			t->column++;
	}
	out_raw(t, c);
	return true;
}

u32 ldisc_out_room_locked(const struct tty *t)
{
	u32 left = out_left(t);

	if (t->stopped || left <= TTY_ECHO_SPACE)
		return 0;
	return left - TTY_ECHO_SPACE;
}

u32 ldisc_output_locked(struct tty *t, const u8 *buf, u32 n, struct tty_fx *fx)
{
	u32 i = 0;

	/* ONLCR and tabs may grow a character to eight. */
	while (i < n && ldisc_out_room_locked(t) >= 8 && out_char(t, buf[i]))
		i++;
	fx->master |= i > 0;
	return i;
}

u32 ldisc_drain_locked(struct tty *t, u8 *buf, u32 n, struct tty_fx *fx)
{
	u32 i = 0;

	while (i < n && t->out_tail != t->out_head)
		buf[i++] = t->out[t->out_tail++ % TTY_OUT_SIZE];
	fx->writers |= i > 0;
	return i;
}

void ldisc_flush_out_locked(struct tty *t, struct tty_fx *fx)
{
	t->out_tail = t->out_head;
	if (t->packet)
		t->pkt_status |= PKT_FLUSHWRITE;
	fx->writers = true;
	fx->master = true;
}

void ldisc_stop_locked(struct tty *t, bool stop, struct tty_fx *fx)
{
	if (t->stopped == stop)
		return;
	t->stopped = stop;
	if (t->packet) {
		t->pkt_status &= ~(stop ? PKT_START : PKT_STOP);
		t->pkt_status |= stop ? PKT_STOP : PKT_START;
		fx->master = true;
	}
	fx->writers |= !stop;
}

/* Echo */

static void echo_raw(struct tty *t, u8 c, struct tty_fx *fx)
{
	if (out_char(t, c))
		fx->master = true;
}

static void echo_str(struct tty *t, const char *s, struct tty_fx *fx)
{
	while (*s)
		echo_raw(t, (u8)*s++, fx);
}

/* Control characters as ^X if ECHOCTL; tab and newline as they are. */
static void echo_char(struct tty *t, u8 c, struct tty_fx *fx)
{
	if (lflag(t, ECHOCTL) && is_cntrl(c) && c != '\t' && c != '\n') {
		echo_raw(t, '^', fx);
		c ^= 0100;
	}
	echo_raw(t, c, fx);
}

static void finish_erasing(struct tty *t, struct tty_fx *fx)
{
	if (!t->erasing)
		return;
	echo_raw(t, '/', fx);
	t->erasing = false;
}

/* Columns a character of the edited line takes on the screen, at column col. */
static u32 char_width(const struct tty *t, u8 c, u32 col)
{
	if (c == '\t')
		return 8 - col % 8;
	if (is_cntrl(c))
		return lflag(t, ECHOCTL) ? 2 : 0;
	return is_continuation(t, c) ? 0 : 1;
}

static void erase_tab(struct tty *t, struct tty_fx *fx)
{
	u32 col = t->canon_column, back;

	/* head has been moved before the tab */
	for (u32 i = t->canon_head; i != t->head; i++)
		col += char_width(t, in_at(t, i), col);
	for (back = 8 - col % 8; back; back--)
		echo_raw(t, '\b', fx);
}

static void echo_erase(struct tty *t, u8 c, u32 bytes, bool one, struct tty_fx *fx)
{
	if (!lflag(t, ECHO))
		return;
	if (lflag(t, ECHOPRT)) {
		if (!t->erasing)
			echo_raw(t, '\\', fx);
		t->erasing = true;
		echo_char(t, c, fx);
		for (u32 i = 1; i < bytes; i++)
			echo_raw(t, in_at(t, t->head + i), fx);
	} else if (one && !lflag(t, ECHOE)) {
		echo_char(t, t->tio.c_cc[VERASE], fx);
	} else if (c == '\t') {
		erase_tab(t, fx);
	} else {
		for (u32 w = char_width(t, c, 0); w; w--)
			echo_str(t, "\b \b", fx);
	}
}

enum erase_kind { ERASE_CHAR, ERASE_WORD, ERASE_LINE };

/* Moves head back over one character; *c is its first byte. */
static u32 step_back(struct tty *t, u8 *c)
{
	u32 bytes = 0;

	do {
		*c = in_at(t, --t->head);
		bytes++;
	} while (is_continuation(t, *c) && t->head != t->canon_head);
	return bytes;
}

static bool is_word(u8 c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_' || c >= 0x80;
}

static void erase(struct tty *t, enum erase_kind kind, struct tty_fx *fx)
{
	bool in_word = false;
	u32 bytes;
	u8 c;

	if (t->head == t->canon_head)
		return;
	if (kind == ERASE_LINE &&
	    (!lflag(t, ECHO) || !lflag(t, ECHOK) || !lflag(t, ECHOKE) || !lflag(t, ECHOE))) {
		t->head = t->canon_head;
		if (!lflag(t, ECHO))
			return;
		finish_erasing(t, fx);
		echo_char(t, t->tio.c_cc[VKILL], fx);
		if (lflag(t, ECHOK))
			echo_raw(t, '\n', fx);
		return;
	}
	while (t->head != t->canon_head) {
		bytes = step_back(t, &c);
		if (kind == ERASE_WORD && in_word && !is_word(c)) {
			t->head += bytes;
			break;
		}
		in_word |= is_word(c);
		echo_erase(t, c, bytes, kind == ERASE_CHAR, fx);
		if (kind == ERASE_CHAR)
			break;
	}
	if (t->head == t->canon_head && lflag(t, ECHO))
		finish_erasing(t, fx);
}

static void reprint(struct tty *t, u8 c, struct tty_fx *fx)
{
	finish_erasing(t, fx);
	echo_char(t, c, fx);
	echo_raw(t, '\n', fx);
	t->canon_column = t->column;
	for (u32 i = t->canon_head; i != t->head; i++)
		echo_char(t, in_at(t, i), fx);
}

/* Input */

static u32 in_used(const struct tty *t)
{
	return t->head - t->tail;
}

static void in_put(struct tty *t, u8 c, bool mark)
{
	mark_set(t, t->head, mark);
	t->in[t->head++ % TTY_IN_SIZE] = c;
}

/* One byte stays free for the end of the line. */
static bool in_put_char(struct tty *t, u8 c, struct tty_fx *fx)
{
	if (in_used(t) >= TTY_IN_SIZE - 1) {
		if (iflag(t, IMAXBEL))
			echo_raw(t, '\a', fx);
		return false;
	}
	in_put(t, c, false);
	return true;
}

static void end_line(struct tty *t, u8 c, struct tty_fx *fx)
{
	if (in_used(t) >=
	    TTY_IN_SIZE) /* only when an EOF follows a full line: the newline goes first */
		return;
	in_put(t, c, true);
	t->canon_head = t->head;
	fx->readers = true;
}

static void receive_literal(struct tty *t, u8 c, struct tty_fx *fx)
{
	bool at_start = t->head == t->canon_head;

	if (lflag(t, ICANON) && in_used(t) >= TTY_IN_SIZE - 1) {
		in_put_char(t, c, fx); /* rings the bell, echoes nothing */
		return;
	}
	if (lflag(t, ECHO)) {
		finish_erasing(t, fx);
		if (at_start)
			t->canon_column = t->column;
		echo_char(t, c, fx);
	}
	if (iflag(t, PARMRK) && c == 0xff)
		in_put_char(t, c, fx);
	in_put_char(t, c, fx);
	fx->readers |= !lflag(t, ICANON);
}

static bool receive_signal(struct tty *t, u8 c, struct tty_fx *fx)
{
	s32 sig;

	if (is_cc(t, VINTR, c))
		sig = SIGINT;
	else if (is_cc(t, VQUIT, c))
		sig = SIGQUIT;
	else if (is_cc(t, VSUSP, c))
		sig = SIGTSTP;
	else
		return false;
	if (!lflag(t, NOFLSH)) {
		ldisc_flush_in_locked(t, fx);
		ldisc_flush_out_locked(t, fx);
	}
	if (iflag(t, IXON))
		ldisc_stop_locked(t, false, fx);
	if (lflag(t, ECHO))
		echo_char(t, c, fx);
	fx->signals |= 1ull << sig;
	return true;
}

static bool receive_flow(struct tty *t, u8 c, struct tty_fx *fx)
{
	if (is_cc(t, VSTART, c)) {
		ldisc_stop_locked(t, false, fx);
		return true;
	}
	if (is_cc(t, VSTOP, c)) {
		ldisc_stop_locked(t, true, fx);
		return true;
	}
	return false;
}

/* True when c was an editing character or ended a line. */
static bool receive_edit(struct tty *t, u8 c, struct tty_fx *fx)
{
	bool ext = lflag(t, IEXTEN);

	if (is_cc(t, VERASE, c)) {
		erase(t, ERASE_CHAR, fx);
	} else if (is_cc(t, VKILL, c)) {
		erase(t, ERASE_LINE, fx);
	} else if (ext && is_cc(t, VWERASE, c)) {
		erase(t, ERASE_WORD, fx);
	} else if (ext && is_cc(t, VLNEXT, c)) {
		t->lnext = true;
		finish_erasing(t, fx);
		if (lflag(t, ECHO) && lflag(t, ECHOCTL))
			echo_str(t, "^\b", fx);
	} else if (ext && lflag(t, ECHO) && is_cc(t, VREPRINT, c)) {
		reprint(t, c, fx);
	} else if (c == '\n') {
		if (lflag(t, ECHO) || lflag(t, ECHONL)) {
			finish_erasing(t, fx);
			echo_raw(t, '\n', fx);
		}
		end_line(t, '\n', fx);
	} else if (is_cc(t, VEOF, c)) {
		end_line(t, 0, fx);
	} else if (is_cc(t, VEOL, c) || (ext && is_cc(t, VEOL2, c))) {
		if (lflag(t, ECHO)) {
			finish_erasing(t, fx);
			echo_char(t, c, fx);
		}
		end_line(t, c, fx);
	} else {
		return false;
	}
	return true;
}

static void receive_char(struct tty *t, u8 c, struct tty_fx *fx)
{
	if (iflag(t, ISTRIP))
		c &= 0x7f;
	if (iflag(t, IUCLC) && lflag(t, IEXTEN) && c >= 'A' && c <= 'Z')
		c += 'a' - 'A';
	if (lflag(t, EXTPROC)) {
		in_put_char(t, c, fx);
		fx->readers = true;
		return;
	}
	if (t->lnext) {
		t->lnext = false;
		receive_literal(t, c, fx);
		return;
	}
	if (iflag(t, IXON) && receive_flow(t, c, fx))
		return;
	if (t->stopped && iflag(t, IXON) && iflag(t, IXANY))
		ldisc_stop_locked(t, false, fx);
	if (lflag(t, ISIG) && receive_signal(t, c, fx))
		return;
	if (c == '\r') {
		if (iflag(t, IGNCR))
			return;
		if (iflag(t, ICRNL))
			c = '\n';
	} else if (c == '\n' && iflag(t, INLCR)) {
		c = '\r';
	}
	if (lflag(t, ICANON) && receive_edit(t, c, fx))
		return;
	receive_literal(t, c, fx);
}

u32 ldisc_room_locked(const struct tty *t)
{
	u32 used = in_used(t);

	if (used < TTY_IN_SIZE - 1)
		return TTY_IN_SIZE - 1 - used;
	/* No line to read: characters are taken to find its end (or a signal), and dropped. */
	return is_canon(t) && t->canon_head == t->tail ? 1 : 0;
}

static void throttle(struct tty *t, struct tty_fx *fx)
{
	bool full = in_used(t) > TTY_IN_SIZE - TTY_IN_SIZE / 4;

	if (!iflag(t, IXOFF) || full == t->throttled)
		return;
	if (!full && in_used(t) > TTY_IN_SIZE / 4)
		return;
	t->throttled = full;
	if (out_left(t)) {
		out_raw(t, t->tio.c_cc[full ? VSTOP : VSTART]);
		fx->master = true;
	}
}

u32 ldisc_receive_locked(struct tty *t, const u8 *buf, u32 n, struct tty_fx *fx)
{
	u32 i;

	for (i = 0; i < n && ldisc_room_locked(t); i++)
		receive_char(t, buf[i], fx);
	throttle(t, fx);
	return i;
}

u32 ldisc_available_locked(const struct tty *t)
{
	return (is_canon(t) ? t->canon_head : t->head) - t->tail;
}

bool ldisc_has_input_locked(const struct tty *t, bool for_poll)
{
	u32 n = ldisc_available_locked(t), min = t->tio.c_cc[VMIN];

	if (!for_poll || is_canon(t) || t->tio.c_cc[VTIME] || min <= 1)
		return n > 0;
	return n >= min;
}

u32 ldisc_take_locked(struct tty *t, u8 *buf, u32 n, bool *eol, struct tty_fx *fx)
{
	u32 left = ldisc_available_locked(t), done = 0;
	bool canon = is_canon(t);

	*eol = false;
	/* With EXTPROC an end of file comes as its character, alone. */
	if (left == 1 && lflag(t, EXTPROC) && lflag(t, ICANON) &&
	    is_cc(t, VEOF, in_at(t, t->tail))) {
		t->tail++;
		*eol = true;
		left = 0;
	}
	while (left-- && !*eol) {
		u8 c = in_at(t, t->tail);
		bool mark = canon && mark_at(t, t->tail);

		/* An end of file right behind a full buffer belongs to this read. */
		if (done == n && !(mark && c == 0))
			break;
		t->tail++;
		*eol = mark;
		if (!mark || c != 0)
			buf[done++] = c;
	}
	throttle(t, fx);
	fx->master = true; /* room for more input */
	return done;
}

void ldisc_flush_in_locked(struct tty *t, struct tty_fx *fx)
{
	t->tail = t->head;
	t->canon_head = t->head;
	t->lnext = false;
	t->erasing = false;
	if (t->packet)
		t->pkt_status |= PKT_FLUSHREAD;
	throttle(t, fx);
	fx->master = true;
}

/* Canonical mode was switched: what is in the ring becomes one line, or just characters. */
static void canon_changed(struct tty *t)
{
	memset(t->in_mark, 0, sizeof t->in_mark);
	if (!is_canon(t) || t->head == t->tail) {
		t->canon_head = t->tail;
	} else {
		mark_set(t, t->head - 1, true);
		t->canon_head = t->head;
	}
	t->lnext = false;
	t->erasing = false;
}

void ldisc_set_termios_locked(struct tty *t, const struct termios2 *tio, struct tty_fx *fx)
{
	struct termios2 old = t->tio;
	bool ixon_was = iflag(t, IXON) && old.c_cc[VSTART] == 021 && old.c_cc[VSTOP] == 023,
	     ixon_is;

	t->tio = *tio;
	t->tio.c_cflag = (t->tio.c_cflag & ~(u32)(CSIZE | PARENB)) | CS8 | CREAD;
	if ((old.c_lflag ^ tio->c_lflag) & (ICANON | EXTPROC))
		canon_changed(t);
	if (t->stopped && !iflag(t, IXON) && (old.c_iflag & IXON))
		ldisc_stop_locked(t, false, fx);
	ixon_is = iflag(t, IXON) && tio->c_cc[VSTART] == 021 && tio->c_cc[VSTOP] == 023;
	if (t->packet && ixon_was != ixon_is) {
		t->pkt_status &= ~(PKT_DOSTOP | PKT_NOSTOP);
		t->pkt_status |= ixon_is ? PKT_DOSTOP : PKT_NOSTOP;
		fx->master = true;
	}
	fx->readers = true;
}

void ldisc_init(struct tty *t)
{
	static const u8 cc[NCCS] = {
		[VINTR] = 003,	  [VQUIT] = 034,   [VERASE] = 0177, [VKILL] = 025, [VEOF] = 004,
		[VMIN] = 1,	  [VSTART] = 021,  [VSTOP] = 023,   [VSUSP] = 032, [VREPRINT] = 022,
		[VDISCARD] = 017, [VWERASE] = 027, [VLNEXT] = 026,
	};

	t->tio.c_iflag = ICRNL | IXON;
	t->tio.c_oflag = OPOST | ONLCR;
	t->tio.c_cflag = B38400 | CS8 | CREAD;
	t->tio.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN;
	t->tio.c_ispeed = 38400;
	t->tio.c_ospeed = 38400;
	memcpy(t->tio.c_cc, cc, sizeof cc);
}
