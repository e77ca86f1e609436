// SPDX-License-Identifier: Apache-2.0
/* tty_test - fs/tty_ldisc.c: what is typed, what is echoed, what a program reads */
#include "fs/tty_impl.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/signal.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"

static struct tty tty;
static struct tty_fx fx;

static void setup(void)
{
	ldisc_init(&tty);
}

static void set_lflag(u32 clear, u32 set)
{
	struct termios2 tio = tty.tio;

	tio.c_lflag = (tio.c_lflag & ~clear) | set;
	ldisc_set_termios_locked(&tty, &tio, &fx);
}

static void type(const char *s)
{
	u32 n = (u32)strlen(s);

	CHECK(ldisc_receive_locked(&tty, (const u8 *)s, n, &fx) == n);
}

static void screen_shows(const char *want)
{
	char buf[TTY_OUT_SIZE + 1];
	u32 n = ldisc_drain_locked(&tty, (u8 *)buf, TTY_OUT_SIZE, &fx);

	buf[n] = 0;
	CHECK_STR(buf, want);
}

/* The next line a program gets; eof: the read ended with an end of file. */
static void program_reads(const char *want)
{
	char buf[TTY_IN_SIZE + 1];
	bool eol;
	u32 n = ldisc_take_locked(&tty, (u8 *)buf, TTY_IN_SIZE, &eol, &fx);

	buf[n] = 0;
	CHECK_STR(buf, want);
}

TEST(a_line_comes_when_it_is_complete)
{
	setup();
	type("one");
	CHECK(!ldisc_has_input_locked(&tty, true));
	type("\rtwo\n");
	CHECK(ldisc_has_input_locked(&tty, true) && fx.readers);
	program_reads("one\n");
	program_reads("two\n");
	CHECK(!ldisc_has_input_locked(&tty, true));
	screen_shows("one\r\ntwo\r\n");
}

TEST(a_short_read_leaves_the_rest_of_its_line)
{
	u8 buf[4];
	bool eol;

	setup();
	type("abcdef\n");
	CHECK(ldisc_take_locked(&tty, buf, 4, &eol, &fx) == 4 && !eol);
	program_reads("ef\n");
}

TEST(editing_characters_edit_and_clean_the_screen)
{
	setup();
	type("ab\177c\n");
	program_reads("ac\n");
	screen_shows("ab\b \bc\r\n");
	type("one two\027x\n");
	program_reads("one x\n");
	screen_shows("one two\b \b\b \b\b \bx\r\n");
	type("gone\025new\n");
	program_reads("new\n");
	screen_shows("gone\b \b\b \b\b \b\b \bnew\r\n");
	type("\177\177x\n"); /* nothing to erase: no bell, no move */
	program_reads("x\n");
	screen_shows("x\r\n");
}

TEST(control_characters_take_two_columns_and_tabs_what_they_took)
{
	setup();
	type("\001\177z\n");
	program_reads("z\n");
	screen_shows("^A\b \b\b \bz\r\n");
	type("ab\tc\177\177d\n");
	program_reads("abd\n");
	screen_shows("ab\tc\b \b\b\b\b\b\b\bd\r\n");
}

TEST(utf8_characters_are_erased_whole)
{
	setup();
	tty.tio.c_iflag |= IUTF8;
	type("a\xc3\xa4\177b\n");
	program_reads("ab\n");
	screen_shows("a\xc3\xa4\b \bb\r\n");
}

TEST(the_next_character_is_literal_after_lnext)
{
	setup();
	type("a\026\003\n");
	CHECK(fx.signals == 0);
	program_reads("a\003\n");
	screen_shows("a^\b^C\r\n");
}

TEST(end_of_file_delivers_what_is_there)
{
	bool eol;
	u8 buf[8];

	setup();
	type("part\004");
	program_reads("part");
	type("\004");
	CHECK(ldisc_has_input_locked(&tty, true));
	CHECK(ldisc_take_locked(&tty, buf, sizeof buf, &eol, &fx) == 0 && eol);
	type("full\004");
	CHECK(ldisc_take_locked(&tty, buf, 4, &eol, &fx) == 4 &&
	      eol); /* the end belongs to this read */
	CHECK(!ldisc_has_input_locked(&tty, true));
}

TEST(signals_are_told_and_flush)
{
	setup();
	type("abc\003");
	CHECK(fx.signals == 1ull << SIGINT);
	screen_shows("^C");
	type("x\n");
	program_reads("x\n");
	fx = (struct tty_fx){ 0 };
	type("\034\032");
	CHECK(fx.signals == (1ull << SIGQUIT | 1ull << SIGTSTP));
	fx = (struct tty_fx){ 0 };
	set_lflag(ISIG, 0);
	type("\003\n");
	CHECK(fx.signals == 0);
	program_reads("\003\n");
}

TEST(stop_and_start_hold_the_output)
{
	setup();
	type("\023");
	CHECK(ldisc_output_locked(&tty, (const u8 *)"x", 1, &fx) == 0);
	type("\021");
	CHECK(ldisc_output_locked(&tty, (const u8 *)"x", 1, &fx) == 1);
	screen_shows("x");
}

TEST(output_processing)
{
	setup();
	CHECK(ldisc_output_locked(&tty, (const u8 *)"a\nb\r", 4, &fx) == 4);
	screen_shows("a\r\nb\r");
	tty.tio.c_oflag |= XTABS;
	CHECK(ldisc_output_locked(&tty, (const u8 *)"ab\tc", 4, &fx) == 4);
	screen_shows("ab      c");
	tty.tio.c_oflag = 0;
	CHECK(ldisc_output_locked(&tty, (const u8 *)"a\nb\t", 4, &fx) == 4);
	screen_shows("a\nb\t");
}

TEST(raw_input_comes_byte_by_byte)
{
	setup();
	set_lflag(ICANON | ECHO | ISIG | IEXTEN, 0);
	tty.tio.c_iflag &= ~(u32)(ICRNL | IXON);
	type("a\r\003\177");
	program_reads("a\r\003\177");
	screen_shows("");
	tty.tio.c_cc[VMIN] = 3;
	type("xy");
	CHECK(!ldisc_has_input_locked(&tty, true) && ldisc_has_input_locked(&tty, false));
	type("z");
	CHECK(ldisc_has_input_locked(&tty, true));
}

TEST(switching_canonical_mode_keeps_what_was_typed)
{
	setup();
	type("abc");
	set_lflag(ICANON, 0);
	program_reads("abc");
	type("de");
	set_lflag(0, ICANON);
	program_reads("de");
	type("f\n");
	program_reads("f\n");
}

TEST(a_line_that_is_too_long_can_still_be_ended)
{
	char line[TTY_IN_SIZE + 1];
	bool eol;
	u8 buf[TTY_IN_SIZE];

	setup();
	set_lflag(ECHO, 0);
	memset(line, 'x', TTY_IN_SIZE);
	line[TTY_IN_SIZE] = 0;
	type(line);
	CHECK(ldisc_room_locked(&tty) == 1);
	type("\n");
	CHECK(ldisc_room_locked(&tty) == 0); /* a line waits: the sender has to, too */
	CHECK(ldisc_receive_locked(&tty, (const u8 *)"y", 1, &fx) == 0);
	CHECK(ldisc_take_locked(&tty, buf, sizeof buf, &eol, &fx) == TTY_IN_SIZE && eol);
	CHECK(buf[TTY_IN_SIZE - 1] == '\n');
	CHECK(ldisc_room_locked(&tty) == TTY_IN_SIZE - 1);
}

TEST(packet_mode_tells_flushes_and_stops)
{
	setup();
	tty.packet = true;
	type("\023");
	CHECK(tty.pkt_status == PKT_STOP);
	type("\021");
	CHECK(tty.pkt_status == PKT_START);
	tty.pkt_status = 0;
	type("\003");
	CHECK(tty.pkt_status == (PKT_FLUSHREAD | PKT_FLUSHWRITE));
}

/* Random keys against a plain model of a line editor without echo. */
TEST(random_editing_agrees_with_a_model)
{
	static const char keys[] = "abc _\177\025\027\n";
	u64 seed = test_seed();
	char model[64], got[80];
	u32 n = 0;

	setup();
	set_lflag(ECHO, 0);
	for (u32 i = 0; i < 20000; i++) {
		u8 key = (u8)keys[test_rand(&seed) % (sizeof keys - 1)];
		bool eol;

		if (n == sizeof model - 1 && key != 0177 && key != 025 && key != 027)
			key = '\n';
		CHECK(ldisc_receive_locked(&tty, &key, 1, &fx) == 1);
		if (key == 0177) {
			n -= n > 0;
		} else if (key == 025) {
			n = 0;
		} else if (key == 027) {
			while (n && model[n - 1] == ' ')
				n--;
			while (n && model[n - 1] != ' ')
				n--;
		} else {
			model[n++] = (char)key;
		}
		if (key != '\n')
			continue;
		CHECK(ldisc_take_locked(&tty, (u8 *)got, sizeof got, &eol, &fx) == n && eol);
		CHECK(memcmp(got, model, n) == 0);
		n = 0;
	}
}
