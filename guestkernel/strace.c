// SPDX-License-Identifier: Apache-2.0
/*
 * strace - shows the system calls of the application
 *
 * Role      See guestkernel/strace.h. Arguments the call reads are printed before it (execve replaces the
 *           memory they are in), those it fills after it.
 * Rules     A line that cannot be built for lack of memory is replaced by one that says so.
 * Missing   "unfinished" lines for calls that block; signals and exits of tasks.
 * See       strace_spec.h, strace_arg.c, strace_sets.c
 */
#include "guestkernel/strace.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/strbuf.h"
#include "guestkernel/kapi/string.h"
#include "arch/regs.h"
#include "guestkernel/strace_spec.h"
#include "guestkernel/syscall.h"

#define STRACE_MAX_CALLS 512
#define WORD_MAX	 48

bool strace_on;

static u64 strace_mask[STRACE_MAX_CALLS / 64]; /* [I] after boot */

static const struct {
	const char *name;
	u32 flag;
} classes[] = {
	{"%file",	   STRACE_FILE   },
	      { "%process", STRACE_PROCESS},
	{ "%memory",  STRACE_MEMORY },
	      { "%network", STRACE_NETWORK},
	{ "%signal",  STRACE_SIGNAL },
	      { "%desc",	 STRACE_DESC   },
};

static bool is_selected(u32 nr)
{
	return nr < STRACE_MAX_CALLS && (strace_mask[nr / 64] >> (nr % 64) & 1);
}

static bool select_class(u32 flag)
{
	for (u32 nr = 0; nr < syscall_count && nr < STRACE_MAX_CALLS; nr++)
		if (strace_calls[nr].flags & flag)
			strace_mask[nr / 64] |= 1ull << (nr % 64);
	return true;
}

static bool select_word(const char *word)
{
	for (u32 i = 0; i < ARRAY_SIZE(classes); i++)
		if (strcmp(word, classes[i].name) == 0)
			return select_class(classes[i].flag);
	for (u32 nr = 0; nr < syscall_count && nr < STRACE_MAX_CALLS; nr++) {
		if (strace_calls[nr].name && strcmp(word, strace_calls[nr].name) == 0) {
			strace_mask[nr / 64] |= 1ull << (nr % 64);
			return true;
		}
	}
	return false;
}

static void invert_selection(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(strace_mask); i++)
		strace_mask[i] = ~strace_mask[i];
}

int strace_select(const char *words, const char **bad)
{
	bool all_but = words && *words == '!';
	const char *p = words, *end;
	char word[WORD_MAX];

	memset(strace_mask, 0, sizeof strace_mask);
	strace_on = true;
	if (!words || !*words) {
		invert_selection();
		return 0;
	}
	for (p += all_but; *p; p = *end ? end + 1 : end) {
		end = strchr(p, ',');
		if (!end)
			end = p + strlen(p);
		if ((size_t)(end - p) >= sizeof word)
			goto unknown;
		strlcpy(word, p, (size_t)(end - p) + 1);
		if (!select_word(word))
			goto unknown;
	}
	if (all_but)
		invert_selection();
	return 0;
unknown:
	strace_on = false;
	if (bad)
		*bad = p;
	return -EINVAL;
}

static void print_result(struct strbuf *sb, const struct strace_call *call, s64 ret)
{
	const char *name;

	if (ret <= -512 && ret >= -516) {
		name = strace_set_name(&strace_set_RESTART, (u64)-ret);
		strbuf_printf(sb, " = ? %s", name ? name : "(to be restarted)");
	} else if (ret < 0 && ret >= -4095) {
		name = strace_set_name(&strace_set_ERRNO, (u64)-ret);
		strbuf_printf(sb, " = -1 %s", name ? name : "E?");
		if (!name)
			strbuf_printf(sb, " (errno %d)", (int)-ret);
	} else if (call->flags & STRACE_HEX) {
		strbuf_printf(sb, " = 0x%llx", (unsigned long long)ret);
	} else {
		strbuf_printf(sb, " = %lld", (long long)ret);
	}
}

static void emit_line(struct strbuf *sb, const struct strace_call *call)
{
	if (sb->failed)
		strace_emit(call->name, strlen(call->name));
	else
		strace_emit(sb->data, sb->len);
}

/* The first argument that can only be printed after the call. */
static u32 first_output(const struct strace_call *call)
{
	u32 i = 0;

	while (i < call->nr_args && call->args[i].kind < SPEC_OUT)
		i++;
	return i;
}

static void print_args(struct strace_ctx *c, const struct strace_call *call, u32 from, u32 to)
{
	for (u32 i = from; i < to; i++) {
		if (i)
			strbuf_add(c->sb, ", ", 2);
		strace_print_arg(c, call, i);
	}
}

static s64 show_call(struct regs *r, u32 nr)
{
	const struct strace_call *call = &strace_calls[nr];
	u32 split = first_output(call);
	struct strace_ctx c;
	struct strbuf sb;

	strbuf_init(&sb);
	c.sb = &sb;
	c.ret = 0;
	for (u32 i = 0; i < 6; i++)
		c.args[i] = regs_syscall_arg(r, i);
	strbuf_printf(&sb, "[%d] %s(", current_tid(), call->name);
	print_args(&c, call, 0, split);
	if (call->flags & STRACE_NORET) {
		strbuf_printf(&sb, ") = ?");
		emit_line(&sb, call);
		strbuf_fini(&sb);
		return syscall_table[nr](r);
	}
	c.ret = syscall_table[nr](r);
	print_args(&c, call, split, call->nr_args);
	strbuf_addc(&sb, ')');
	print_result(&sb, call, c.ret);
	emit_line(&sb, call);
	strbuf_fini(&sb);
	return c.ret;
}

void strace_refused(struct regs *r)
{
	u32 nr = (u32)regs_syscall_nr(r);
	const struct strace_call *call = &strace_calls[nr];
	struct strace_ctx c = { .ret = regs_ret(r) };
	struct strbuf sb;

	if (nr >= syscall_count || !call->name || !is_selected(nr))
		return;
	strbuf_init(&sb);
	c.sb = &sb;
	for (u32 i = 0; i < 6; i++)
		c.args[i] = regs_syscall_arg(r, i);
	strbuf_printf(&sb, "[%d] %s(", current_tid(), call->name);
	print_args(&c, call, 0, first_output(call));
	strbuf_printf(&sb, first_output(call) < call->nr_args ? ", ...)" : ")");
	if (c.ret < 0)
		print_result(&sb, call, c.ret);
	else
		strbuf_printf(&sb, " = ?");
	strbuf_printf(&sb, " (refused by a seccomp filter)");
	emit_line(&sb, call);
	strbuf_fini(&sb);
}

static s64 show_unknown(struct regs *r, u32 nr)
{
	char line[64];
	int n = snprintf(line, sizeof line, "[%d] syscall_%u(0x%llx, ...) = -1 ENOSYS",
			 current_tid(), nr, (unsigned long long)regs_syscall_arg(r, 0));

	strace_emit(line, (size_t)n);
	return syscall_unimplemented(r);
}

s64 strace_syscall(struct regs *r)
{
	u32 nr = (u32)regs_syscall_nr(r);

	if (nr >= syscall_count || !strace_calls[nr].name)
		return show_unknown(r, nr);
	if (!is_selected(nr))
		return syscall_table[nr](r);
	return show_call(r, nr);
}
