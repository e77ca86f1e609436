// SPDX-License-Identifier: Apache-2.0
/*
 * tty_ioctl - terminal ioctls, the same for both sides
 *
 * Role      The master's own requests are in tty_pty.c, which hands the rest to tty_ioctl_common().
 * Rules     On the master they act on the slave's settings. Changing the terminal from a background group raises
 *           SIGTTOU first (slave side only). User memory is touched with no lock held.
 * Missing   TIOCSTI is refused (-EIO, as Linux with legacy_tiocsti off); TIOCCONS, modem lines and
 *           other line disciplines than N_TTY.
 * See       ioctl_tty(2)
 */
#include "fs/tty_impl.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/signal.h"

static int get_termios(struct tty *t, u64 arg, size_t size)
{
	struct termios2 tio;

	spin_lock(&t->lock);
	tio = t->tio;
	spin_unlock(&t->lock);
	return copy_to_user(UADDR(arg), &tio, size);
}

static int get_termio(struct tty *t, u64 arg)
{
	struct termio old = { 0 };

	spin_lock(&t->lock);
	old.c_iflag = (u16)t->tio.c_iflag;
	old.c_oflag = (u16)t->tio.c_oflag;
	old.c_cflag = (u16)t->tio.c_cflag;
	old.c_lflag = (u16)t->tio.c_lflag;
	memcpy(old.c_cc, t->tio.c_cc, sizeof old.c_cc);
	spin_unlock(&t->lock);
	return put_user(UADDR(arg), old);
}

static int check_change(struct tty *t, bool master)
{
	if (master || !job_is_ctty(&t->js) || READ_ONCE(t->js.pgrp) == job_current_pgrp())
		return 0;
	return job_check_background(&t->js, SIGTTOU);
}

enum set_when { SET_NOW, SET_DRAIN, SET_FLUSH };

static int apply_termios(struct tty *t, const struct termios2 *tio, enum set_when when, bool master)
{
	struct tty_fx fx = { 0 };
	int ret = check_change(t, master);

	if (ret)
		return ret;
	spin_lock(&t->lock);
	if (when == SET_FLUSH)
		ldisc_flush_in_locked(t, &fx);
	ldisc_set_termios_locked(t, tio, &fx);
	spin_unlock(&t->lock);
	tty_fx_run(t, &fx);
	return 0;
}

static int set_termios(struct tty *t, u64 arg, size_t size, enum set_when when, bool master)
{
	struct termios2 tio;
	int ret;

	spin_lock(&t->lock);
	tio = t->tio;
	spin_unlock(&t->lock);
	ret = copy_from_user(&tio, UADDR(arg), size);
	return ret ? ret : apply_termios(t, &tio, when, master);
}

static int set_termio(struct tty *t, u64 arg, enum set_when when, bool master)
{
	struct termios2 tio;
	struct termio in;

	if (get_user(&in, UADDR(arg)))
		return -EFAULT;
	spin_lock(&t->lock);
	tio = t->tio;
	spin_unlock(&t->lock);
	tio.c_iflag = (tio.c_iflag & 0xffff0000u) | in.c_iflag;
	tio.c_oflag = (tio.c_oflag & 0xffff0000u) | in.c_oflag;
	tio.c_cflag = (tio.c_cflag & 0xffff0000u) | in.c_cflag;
	tio.c_lflag = (tio.c_lflag & 0xffff0000u) | in.c_lflag;
	memcpy(tio.c_cc, in.c_cc, sizeof in.c_cc);
	return apply_termios(t, &tio, when, master);
}

static s64 termios_ioctl(struct tty *t, u32 cmd, u64 arg, bool master)
{
	switch (cmd) {
	case TCGETS:
		return get_termios(t, arg, sizeof(struct termios));
	case TCGETS2:
		return get_termios(t, arg, sizeof(struct termios2));
	case TCGETA:
		return get_termio(t, arg);
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return set_termios(t, arg, sizeof(struct termios), cmd - TCSETS, master);
	case TCSETS2:
	case TCSETSW2:
	case TCSETSF2:
		return set_termios(t, arg, sizeof(struct termios2), cmd - TCSETS2, master);
	case TCSETA:
	case TCSETAW:
	case TCSETAF:
		return set_termio(t, arg, cmd - TCSETA, master);
	default:
		return -ENOTTY;
	}
}

static int flush(struct tty *t, u64 which, bool master)
{
	struct tty_fx fx = { 0 };
	int ret = check_change(t, master);

	if (ret)
		return ret;
	if (which > TCIOFLUSH)
		return -EINVAL;
	spin_lock(&t->lock);
	if (which != TCOFLUSH)
		ldisc_flush_in_locked(t, &fx);
	if (which != TCIFLUSH)
		ldisc_flush_out_locked(t, &fx);
	spin_unlock(&t->lock);
	tty_fx_run(t, &fx);
	return 0;
}

static int flow(struct tty *t, u64 what, bool master)
{
	struct tty_fx fx = { 0 };
	int ret = check_change(t, master);
	u8 c;

	if (ret)
		return ret;
	if (what > TCION)
		return -EINVAL;
	spin_lock(&t->lock);
	if (what == TCOOFF || what == TCOON) {
		ldisc_stop_locked(t, what == TCOOFF, &fx);
	} else {
		c = t->tio.c_cc[what == TCIOFF ? VSTOP : VSTART];
		if (c && tty_out_used(t) < TTY_OUT_SIZE)
			t->out[t->out_head++ % TTY_OUT_SIZE] = c;
		fx.master = true;
	}
	spin_unlock(&t->lock);
	tty_fx_run(t, &fx);
	return 0;
}

static int set_winsize(struct tty *t, u64 arg)
{
	struct winsize ws;
	bool changed;
	s32 pgrp;

	if (get_user(&ws, UADDR(arg)))
		return -EFAULT;
	spin_lock(&t->lock);
	changed = memcmp(&ws, &t->ws, sizeof ws) != 0;
	t->ws = ws;
	spin_unlock(&t->lock);
	pgrp = READ_ONCE(t->js.pgrp);
	if (changed && pgrp > 0)
		(void)job_signal_pgrp(pgrp, SIGWINCH);
	return 0;
}

static int get_winsize(struct tty *t, u64 arg)
{
	struct winsize ws;

	spin_lock(&t->lock);
	ws = t->ws;
	spin_unlock(&t->lock);
	return put_user(UADDR(arg), ws);
}

static int set_pgrp(struct tty *t, u64 arg, bool master)
{
	s32 pgrp;
	int ret = check_change(t, master);

	if (ret == -EIO)
		return -ENOTTY;
	if (ret)
		return ret;
	if (get_user(&pgrp, UADDR(arg)))
		return -EFAULT;
	if (pgrp < 0)
		return -EINVAL;
	return job_set_foreground(&t->js, pgrp);
}

static s64 job_ioctl(struct tty *t, u32 cmd, u64 arg, bool master)
{
	s32 value;

	switch (cmd) {
	case TIOCGPGRP:
	case TIOCGSID:
		if (!master && !job_is_ctty(&t->js))
			return -ENOTTY;
		if (cmd == TIOCGSID && !READ_ONCE(t->js.session))
			return -ENOTTY;
		value = cmd == TIOCGSID ? READ_ONCE(t->js.session) : READ_ONCE(t->js.pgrp);
		return put_user(UADDR(arg), value);
	case TIOCSPGRP:
		return set_pgrp(t, arg, master);
	case TIOCSCTTY:
		return job_set_ctty(&t->js, arg == 1);
	case TIOCNOTTY:
		return job_detach_ctty(&t->js);
	default:
		return termios_ioctl(t, cmd, arg, master);
	}
}

static s64 queue_size(struct tty *t, u32 cmd, u64 arg)
{
	s32 n;

	spin_lock(&t->lock);
	/* What a pseudo-terminal puts out is at the other side at once, read or not. */
	n = cmd == TIOCOUTQ ? 0 : (s32)ldisc_available_locked(t);
	spin_unlock(&t->lock);
	return put_user(UADDR(arg), n);
}

static int set_exclusive(struct tty *t, bool on)
{
	spin_lock(&t->lock);
	t->exclusive = on;
	spin_unlock(&t->lock);
	return 0;
}

static s64 set_ldisc(u64 arg)
{
	s32 n;

	if (get_user(&n, UADDR(arg)))
		return -EFAULT;
	return n == N_TTY ? 0 : -EINVAL;
}

static int vhangup(struct tty *t)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	job_tty_hangup(&t->js);
	tty_hang_up(t);
	return 0;
}

s64 tty_ioctl_common(struct tty *t, struct file *f, u32 cmd, u64 arg, bool master)
{
	switch (cmd) {
	case TIOCGWINSZ:
		return get_winsize(t, arg);
	case TIOCSWINSZ:
		return set_winsize(t, arg);
	case TIOCINQ: /* FIONREAD */
	case TIOCOUTQ:
		return queue_size(t, cmd, arg);
	case TIOCEXCL:
	case TIOCNXCL:
		return set_exclusive(t, cmd == TIOCEXCL);
	case TIOCGEXCL:
		return put_user(UADDR(arg), (s32)READ_ONCE(t->exclusive));
	case TCFLSH:
		return flush(t, arg, master);
	case TCXONC:
		return flow(t, arg, master);
	case TCSBRK:
	case TCSBRKP: /* no line to break, and no output that is not out: neither waits */
		return check_change(t, master);
	case TIOCSBRK:
	case TIOCCBRK:
		return 0;
	case TIOCSTI:
		return -EIO;
	case TIOCGETD:
		return put_user(UADDR(arg), (s32)N_TTY);
	case TIOCVHANGUP:
		return vhangup(t);
	case TIOCSETD:
		return set_ldisc(arg);
	case TIOCGDEV:
		return put_user(UADDR(arg), makedev(TTY_PTS_MAJOR, t->index));
	default:
		return job_ioctl(t, cmd, arg, master);
	}
}
