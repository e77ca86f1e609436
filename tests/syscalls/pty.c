/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pty.c - pseudo-terminals: line discipline, sizes, signals
 *
 * See       pty(7), termios(3), tty_ioctl(4)
 */
#include "tests/lib/t.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;
static struct termios tio;

static void open_pair(void)
{
	char path[32];
	int number = -1, unlock = 0;

	master = MUST(open("/dev/ptmx", O_RDWR | O_NOCTTY));
	MUST(ioctl(master, TIOCSPTLCK, &unlock));
	MUST(ioctl(master, TIOCGPTN, &number));
	snprintf(path, sizeof(path), "/dev/pts/%d", number);
	slave = MUST(open(path, O_RDWR | O_NOCTTY));
	MUST(tcgetattr(slave, &tio));
}

static void set_flags(tcflag_t clear, tcflag_t set)
{
	tio.c_lflag = (tio.c_lflag & ~clear) | set;
	MUST(tcsetattr(slave, TCSANOW, &tio));
}

static void type(const char *text)
{
	CHECK_EQ(write(master, text, strlen(text)), strlen(text));
}

/* The given side must deliver exactly this text, in however many pieces. */
static void expect(int fd, const char *text)
{
	char buf[512];
	size_t done = 0, want = strlen(text);

	while (done < want) {
		ssize_t n = MUST(read(fd, buf + done, want - done));

		CHECK(n > 0);
		done += (size_t)n;
	}
	CHECK(!memcmp(buf, text, want));
}

static int waiting(int fd)
{
	int n = -1;

	MUST(ioctl(fd, FIONREAD, &n));
	return n;
}

static void lines_come_when_complete(void)
{
	struct pollfd p;

	open_pair();
	set_flags(ECHO, 0);
	type("hel");
	p = (struct pollfd){ slave, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 0), 0);
	type("lo\rmore\n");
	CHECK_EQ(poll(&p, 1, -1), 1);
	expect(slave, "hello\n");
	expect(slave, "more\n");
}

static void a_short_read_leaves_the_rest_of_the_line(void)
{
	char buf[3];

	open_pair();
	set_flags(ECHO, 0);
	type("abcdef\n");
	CHECK_EQ(read(slave, buf, 3), 3);
	expect(slave, "def\n");
}

static void input_is_echoed(void)
{
	open_pair();
	type("ab\n");
	expect(master, "ab\r\n");
	expect(slave, "ab\n");
	type("\x01");
	expect(master, "^A");
}

static void output_newlines_become_cr_nl(void)
{
	open_pair();
	CHECK_EQ(write(slave, "a\nb", 3), 3);
	expect(master, "a\r\nb");
	tio.c_oflag &= ~(tcflag_t)OPOST;
	MUST(tcsetattr(slave, TCSANOW, &tio));
	CHECK_EQ(write(slave, "a\nb", 3), 3);
	expect(master, "a\nb");
}

static void editing_characters_edit(void)
{
	open_pair();
	set_flags(ECHO, 0);
	type("abx\x7f"
	     "c\n");
	expect(slave, "abc\n");
	type("wrong\x15right\n");
	expect(slave, "right\n");
	type("one two\x17three\n");
	expect(slave, "one three\n");
	type("\x16\x03\n");
	expect(slave, "\x03\n");
}

static void erasing_echoes_backspaces(void)
{
	open_pair();
	type("ab\x7f");
	expect(master, "ab\b \b");
}

static void end_of_file_character(void)
{
	char buf[8];

	open_pair();
	set_flags(ECHO, 0);
	type("\x04");
	CHECK_EQ(read(slave, buf, 8), 0);
	type("ab\x04");
	CHECK_EQ(read(slave, buf, 8), 2);
}

static void raw_mode_delivers_bytes(void)
{
	char buf[8];

	open_pair();
	cfmakeraw(&tio);
	MUST(tcsetattr(slave, TCSANOW, &tio));
	type("a\r\x03");
	expect(slave, "a\r\x03");
	tio.c_cc[VMIN] = 0;
	tio.c_cc[VTIME] = 0;
	MUST(tcsetattr(slave, TCSANOW, &tio));
	CHECK_EQ(read(slave, buf, 8), 0);
	tio.c_cc[VTIME] = 1;
	MUST(tcsetattr(slave, TCSANOW, &tio));
	CHECK_EQ(read(slave, buf, 8), 0);
	tio.c_cc[VMIN] = 3;
	tio.c_cc[VTIME] = 0;
	MUST(tcsetattr(slave, TCSANOW, &tio));
	type("12");
	type("3");
	CHECK_EQ(read(slave, buf, 8), 3);
}

static void window_size_is_shared_by_both_sides(void)
{
	struct winsize ws = { 24, 80, 0, 0 }, got;

	open_pair();
	MUST(ioctl(master, TIOCSWINSZ, &ws));
	MUST(ioctl(slave, TIOCGWINSZ, &got));
	CHECK(got.ws_row == 24 && got.ws_col == 80);
}

static void hang_up_of_the_master(void)
{
	char byte;
	struct pollfd p;

	open_pair();
	MUST(close(master));
	CHECK_EQ(read(slave, &byte, 1), 0);
	CHECK_ERRNO(write(slave, "x", 1), EIO);
	p = (struct pollfd){ slave, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK(p.revents & POLLHUP);
}

static void last_close_of_the_slave_is_eio(void)
{
	char byte;

	open_pair();
	CHECK_EQ(write(slave, "z", 1), 1);
	MUST(close(slave));
	expect(master, "z");
	CHECK_ERRNO(read(master, &byte, 1), EIO);
}

static void flushing_and_counting(void)
{
	struct pollfd p;

	open_pair();
	set_flags(ECHO, 0);
	type("abc\n");
	p = (struct pollfd){ slave, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, -1), 1);
	CHECK_EQ(waiting(slave), 4);
	MUST(tcflush(slave, TCIFLUSH));
	CHECK_EQ(waiting(slave), 0);
	MUST(tcdrain(slave));
}

static void settings_are_kept_as_given(void)
{
	struct termios got;

	open_pair();
	CHECK(tio.c_lflag & ICANON && tio.c_lflag & ECHO && tio.c_lflag & ISIG);
	CHECK(tio.c_iflag & ICRNL && tio.c_oflag & OPOST);
	CHECK_EQ(tio.c_cc[VINTR], 3);
	CHECK_EQ(tio.c_cc[VEOF], 4);
	tio.c_cc[VINTR] = 'q';
	set_flags(ECHO, 0);
	MUST(tcgetattr(slave, &got));
	CHECK_EQ(got.c_cc[VINTR], 'q');
	CHECK(!(got.c_lflag & ECHO));
	CHECK(isatty(slave) && isatty(master));
}

static void a_locked_pair_cannot_be_opened(void)
{
	char path[32];
	int number;

	master = MUST(open("/dev/ptmx", O_RDWR | O_NOCTTY));
	MUST(ioctl(master, TIOCGPTN, &number));
	snprintf(path, sizeof(path), "/dev/pts/%d", number);
	CHECK_ERRNO(open(path, O_RDWR | O_NOCTTY), EIO);
	CHECK_EQ(unlockpt(master), 0);
	MUST(open(path, O_RDWR | O_NOCTTY));
}

static void not_a_terminal_is_enotty(void)
{
	int fds[2];

	MUST(pipe(fds));
	CHECK_ERRNO(tcgetattr(t_temp_fd(), &tio), ENOTTY);
	CHECK_ERRNO(tcgetattr(fds[0], &tio), ENOTTY);
	CHECK(!isatty(fds[0]));
}

TEST_PROGRAM(pty, CASE(lines_come_when_complete), CASE(a_short_read_leaves_the_rest_of_the_line),
	     CASE(input_is_echoed), CASE(output_newlines_become_cr_nl),
	     CASE(editing_characters_edit), CASE(erasing_echoes_backspaces),
	     CASE(end_of_file_character), CASE(raw_mode_delivers_bytes),
	     CASE(window_size_is_shared_by_both_sides), CASE(hang_up_of_the_master),
	     CASE(last_close_of_the_slave_is_eio), CASE(flushing_and_counting),
	     CASE(settings_are_kept_as_given), CASE(a_locked_pair_cannot_be_opened),
	     CASE(not_a_terminal_is_enotty));
