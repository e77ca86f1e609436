// SPDX-License-Identifier: Apache-2.0
/*
 * rseq - restartable sequences
 *
 * Rules     After every switch of a registered task, and before each of its signal frames, the kernel writes the CPU
 *           number into the application's area and, when the instruction pointer lies in a critical section,
 *           moves it to the section's abort address, after checking the signature in front of it.
 *           An area that cannot be accessed or is nonsense costs the process a SIGSEGV.
 * See       rseq(2)
 */
#include "guestkernel/task/rseq.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/uapi/rseq.h"
#include "arch/param.h"

static bool write_cpu(struct task *t)
{
	u32 id[2] = { this_cpu()->id, this_cpu()->id }, node[2] = { 0, this_cpu()->id };

	if (copy_to_user(UADDR(t->rseq.ua), id, sizeof id))
		return false;
	if (t->rseq.len < offsetof(struct rseq, mm_cid) + sizeof(u32))
		return true;
	return copy_to_user(UADDR(t->rseq.ua + offsetof(struct rseq, node_id)), node,
			    sizeof node) == 0;
}

/* False: the process has to die. */
static bool leave_section(struct task *t, struct regs *r)
{
	uaddr_t field = UADDR(t->rseq.ua + offsetof(struct rseq, rseq_cs));
	u64 ptr, zero = 0, ip = regs_ip(r);
	struct rseq_cs cs;
	u32 sig;

	if (get_user(&ptr, field))
		return false;
	if (!ptr)
		return true;
	if (copy_from_user(&cs, UADDR(ptr), sizeof cs))
		return false;
	if (cs.version != 0 || cs.start_ip >= USER_VA_END || cs.abort_ip >= USER_VA_END ||
	    cs.abort_ip < sizeof sig || cs.abort_ip - cs.start_ip < cs.post_commit_offset)
		return false;
	if (ip - cs.start_ip >= cs.post_commit_offset)
		return put_user(field, zero) == 0;
	if (get_user(&sig, UADDR(cs.abort_ip - sizeof sig)) || sig != t->rseq.sig)
		return false;
	if (put_user(field, zero))
		return false;
	regs_set_ip(r, cs.abort_ip);
	return true;
}

void rseq_update(struct regs *r)
{
	struct task *t = current();

	fetch_and(&t->work, ~(u32)WORK_RSEQ);
	if (!t->rseq.ua)
		return;
	if (!leave_section(t, r) || !write_cpu(t)) {
		t->rseq.ua = 0;
		signal_force_simple(SIGSEGV);
	}
}

void rseq_before_signal(struct regs *r)
{
	struct task *t = current();

	if (t->rseq.ua && !leave_section(t, r)) {
		t->rseq.ua = 0;
		signal_force_simple(SIGSEGV);
	}
}
