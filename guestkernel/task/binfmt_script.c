// SPDX-License-Identifier: Apache-2.0
/*
 * binfmt_script - the "#!" line
 *
 * Rules     As Linux: blanks around the path and the argument are dropped, everything between is one
 *           argument, a line that does not end within the head is only good when the path itself does.
 * See       execve(2), "Interpreter scripts"
 */
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/task/binfmt.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

int binfmt_script_parse(const u8 *head, struct script_head *s)
{
	const char *p = (const char *)head + 2, *limit = (const char *)head + BINFMT_HEAD, *end, *e;

	if (head[0] != '#' || head[1] != '!')
		return -ENOEXEC;
	for (end = p; end < limit && *end != '\n' && *end; end++)
		;
	while (p < end && is_blank(*p))
		p++;
	for (e = p; e < end && !is_blank(*e); e++)
		;
	if (e == p || (e == limit && end == limit))
		return -ENOEXEC;
	memcpy(s->interp, p, (size_t)(e - p));
	s->interp[e - p] = 0;
	while (e < end && is_blank(*e))
		e++;
	while (end > e && is_blank(end[-1]))
		end--;
	s->has_arg = end > e;
	memcpy(s->arg, e, (size_t)(end - e));
	s->arg[end - e] = 0;
	return 0;
}
