// SPDX-License-Identifier: Apache-2.0
/*
 * sys_ptrace - ptrace(2)
 *
 * Role      Decodes requests and moves data; task/ptrace.c and the machine (arch/trace.h) do the work.
 * Rules     Registers are touched under the tracee's group->lock, which keeps it stopped; what goes to or comes from the
 *           tracer's memory is copied before or after.
 * Missing   PTRACE_SINGLEBLOCK, PTRACE_GET_THREAD_AREA, PTRACE_SECCOMP_GET_METADATA and what belongs
 *           to syscall user dispatch: EIO, as for requests Linux does not know.
 * See       ptrace(2)
 */
#include "arch/param.h"
#include "arch/trace.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/task/ptrace.h"
#include "guestkernel/task/seccomp.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/filter.h"
#include "guestkernel/uapi/ptrace.h"
#include "guestkernel/uapi/rseq.h"
#include "guestkernel/uapi/uio.h"
#include "syscalls_gen.h"

#define OPTIONS (0xffu | PTRACE_O_EXITKILL)

static int check_options(u64 options)
{
	return options & ~(u64)OPTIONS ? -EINVAL : 0;
}

static s64 set_options(struct task *t, u64 options)
{
	int r = check_options(options);

	if (r)
		return r;
	r = ptrace_lock_stopped(t);
	if (r)
		return r;
	t->trace.options = (u32)options;
	spin_unlock(&t->group->lock);
	return 0;
}

static s64 attach(struct task *t, bool seize, u64 addr, u64 options)
{
	if (seize && addr)
		return -EIO;
	if (seize && check_options(options))
		return -EIO;
	return ptrace_attach(t, seize, seize ? (u32)options : 0);
}

static s64 go_on(struct task *t, u8 how, u64 sig)
{
	int r;

	if (sig > _NSIG)
		return -EIO;
	r = ptrace_lock_stopped(t);
	if (r)
		return r;
	ptrace_resume_locked(t, how, (s32)sig);
	spin_unlock(&t->group->lock);
	return 0;
}

static s64 kill_it(struct task *t)
{
	siginfo_t info;

	siginfo_kernel(&info, SIGKILL);
	(void)!signal_send(t, &info, SIGNAL_TO_THREAD);
	return 0;
}

static s64 listen(struct task *t)
{
	int r = ptrace_lock_stopped(t);

	if (r)
		return r;
	r = ptrace_listen_locked(t);
	spin_unlock(&t->group->lock);
	return r;
}

/* A word of its memory, with the rights a debugger has. */
static s64 access_word(struct task *t, u64 va, u64 *word, bool write)
{
	struct aspace *mm;
	int r = ptrace_lock_stopped(t);

	if (r)
		return r;
	spin_unlock(&t->group->lock);
	mm = task_mm_get(t);
	if (!mm)
		return -EIO;
	r = aspace_access(mm, va, word, sizeof *word, write, true) == sizeof *word ? 0 : -EIO;
	aspace_put(mm);
	return r;
}

static s64 peek(struct task *t, u64 va, uaddr_t out)
{
	u64 word;
	s64 r = access_word(t, va, &word, false);

	if (r < 0)
		return r;
	return put_user(out, word);
}

static s64 peek_user(struct task *t, u64 off, uaddr_t out)
{
	u64 word;
	int r = ptrace_lock_stopped(t);

	if (r)
		return r;
	r = arch_user_word_get(&t->thread, off, &word);
	spin_unlock(&t->group->lock);
	if (r < 0)
		return r;
	return put_user(out, word);
}

static s64 poke_user(struct task *t, u64 off, u64 word)
{
	int r = ptrace_lock_stopped(t);

	if (r)
		return r;
	r = arch_user_word_set(&t->thread, off, word);
	spin_unlock(&t->group->lock);
	return r;
}

/* The first n bytes of a set to or from ua. */
static s64 move_regset(struct task *t, u32 note, uaddr_t ua, u64 n, bool write)
{
	u32 size = arch_regset_size(note);
	void *given = kmalloc(n + 1), *set = kmalloc(size);
	s64 r = given && set ? 0 : -ENOMEM;

	if (r == 0 && write && copy_from_user(given, ua, n))
		r = -EFAULT;
	if (r)
		goto out;
	r = ptrace_lock_stopped(t);
	if (r)
		goto out;
	arch_regset_get(&t->thread, note, set);
	if (write) {
		memcpy(set, given, n);
		r = arch_regset_set(&t->thread, note, set);
	}
	spin_unlock(&t->group->lock);
	if (!write && copy_to_user(ua, set, n))
		r = -EFAULT;
out:
	kfree(given);
	kfree(set);
	return r;
}

static s64 regset(struct task *t, u64 note, uaddr_t ua, bool write)
{
	u32 size = note <= ~0u ? arch_regset_size((u32)note) : 0;
	struct iovec v;
	s64 r;

	if (copy_from_user(&v, ua, sizeof v))
		return -EFAULT;
	if (!size || v.iov_len % MIN(size, (u32)sizeof(u64)))
		return -EINVAL;
	v.iov_len = MIN(v.iov_len, (u64)size);
	r = move_regset(t, (u32)note, UADDR(v.iov_base), v.iov_len, write);
	if (r < 0)
		return r;
	return copy_to_user(ua, &v, sizeof v);
}

static s64 get_siginfo(struct task *t, uaddr_t out)
{
	siginfo_t info;
	int r = ptrace_lock_stopped(t);

	if (r)
		return r;
	if (t->trace.has_info)
		info = *t->trace.info;
	else
		r = -EINVAL;
	spin_unlock(&t->group->lock);
	if (r < 0)
		return r;
	return copy_to_user(out, &info, sizeof info);
}

static s64 set_siginfo(struct task *t, uaddr_t in)
{
	siginfo_t info;
	int r;

	if (copy_from_user(&info, in, sizeof info))
		return -EFAULT;
	r = ptrace_lock_stopped(t);
	if (r)
		return r;
	if (t->trace.has_info)
		*t->trace.info = info;
	else
		r = -EINVAL;
	spin_unlock(&t->group->lock);
	return r;
}

/* Queued signal number off of those in the queue; false: there are not so many. */
static bool queued_signal(struct task *t, bool shared, u64 off, siginfo_t *out)
{
	struct sigqueue_head *h = shared ? &t->group->shared : &t->pending;
	struct sigqueue *q;

	list_for_each_entry (q, &h->list, link) {
		if (off-- == 0) {
			*out = q->info;
			return true;
		}
	}
	return false;
}

static s64 peek_siginfo(struct task *t, uaddr_t ua_args, uaddr_t out)
{
	struct ptrace_peeksiginfo_args a;
	siginfo_t info;
	s32 i;
	int r;

	if (copy_from_user(&a, ua_args, sizeof a))
		return -EFAULT;
	if ((a.flags & ~PTRACE_PEEKSIGINFO_SHARED) || a.nr < 0)
		return -EINVAL;
	for (i = 0; i < a.nr; i++) {
		bool found;

		r = ptrace_lock_stopped(t);
		if (r)
			return i ? i : r;
		found = a.off + (u64)i >= a.off &&
			queued_signal(t, a.flags & PTRACE_PEEKSIGINFO_SHARED, a.off + (u64)i,
				      &info);
		spin_unlock(&t->group->lock);
		if (!found)
			break;
		if (copy_to_user(UADDR(out.va + (u64)i * sizeof info), &info, sizeof info))
			return i ? i : -EFAULT;
	}
	return i;
}

static s64 sigmask(struct task *t, u64 size, uaddr_t ua, bool write)
{
	sigset_t set = 0;
	int r;

	if (size != sizeof set)
		return -EINVAL;
	if (write && get_user(&set, ua))
		return -EFAULT;
	r = ptrace_lock_stopped(t);
	if (r)
		return r;
	if (write) {
		t->blocked = set & ~SIGSET_UNBLOCKABLE;
		signal_recalc_locked(t);
	} else {
		set = t->work & WORK_RESTORE_MASK ? t->saved_blocked : t->blocked;
	}
	spin_unlock(&t->group->lock);
	return write ? 0 : put_user(ua, set);
}

static s64 event_message(struct task *t, uaddr_t out)
{
	u64 message;
	int r = ptrace_lock_stopped(t);

	if (r)
		return r;
	message = t->trace.message;
	spin_unlock(&t->group->lock);
	return put_user(out, message);
}

static void fill_call(const struct regs *r, u64 *nr, u64 args[6])
{
	u32 i;

	*nr = (u64)regs_syscall_nr(r);
	for (i = 0; i < 6; i++)
		args[i] = regs_syscall_arg(r, i);
}

/* Bytes of *info that say something. */
static u64 fill_syscall_info(struct task *t, struct ptrace_syscall_info *info)
{
	const struct regs *r = arch_thread_regs(&t->thread);

	memset(info, 0, sizeof *info);
	info->arch = AUDIT_ARCH_HERE;
	info->instruction_pointer = regs_ip(r);
	info->stack_pointer = regs_sp(r);
	if (t->trace.code == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8)) {
		info->op = PTRACE_SYSCALL_INFO_SECCOMP;
		fill_call(r, &info->seccomp.nr, info->seccomp.args);
		info->seccomp.ret_data = (u32)t->trace.message;
		return offsetof(struct ptrace_syscall_info, seccomp.ret_data) + sizeof(u32);
	}
	if (t->trace.code != (SIGTRAP | 0x80))
		return offsetof(struct ptrace_syscall_info, entry);
	if (t->trace.message == PTRACE_EVENTMSG_SYSCALL_ENTRY) {
		info->op = PTRACE_SYSCALL_INFO_ENTRY;
		fill_call(r, &info->entry.nr, info->entry.args);
		return offsetof(struct ptrace_syscall_info, entry) + sizeof info->entry;
	}
	info->op = PTRACE_SYSCALL_INFO_EXIT;
	info->exit.rval = regs_ret(r);
	info->exit.is_error = info->exit.rval < 0 && info->exit.rval >= -4095;
	return offsetof(struct ptrace_syscall_info, exit.is_error) + 1;
}

static s64 syscall_info(struct task *t, u64 room, uaddr_t out)
{
	struct ptrace_syscall_info info;
	u64 n;
	int r = ptrace_lock_stopped(t);

	if (r)
		return r;
	n = fill_syscall_info(t, &info);
	spin_unlock(&t->group->lock);
	return copy_to_user(out, &info, MIN(n, room)) ? -EFAULT : (s64)n;
}

static s64 rseq_configuration(struct task *t, u64 room, uaddr_t out)
{
	struct ptrace_rseq_configuration c = { 0 };
	int r = ptrace_lock_stopped(t);

	if (r)
		return r;
	c.rseq_abi_pointer = t->rseq.ua;
	c.rseq_abi_size = t->rseq.len;
	c.signature = t->rseq.sig;
	spin_unlock(&t->group->lock);
	return copy_to_user(out, &c, MIN(room, (u64)sizeof c)) ? -EFAULT : (s64)sizeof c;
}

/* Its number of instructions; they are stored at out unless that is NULL. */
static s64 seccomp_filter_of(struct task *t, u64 index, uaddr_t out)
{
	struct seccomp_filter *f;
	s64 r;

	if (!capable(CAP_SYS_ADMIN) || seccomp_is_on(current()))
		return -EACCES;
	r = ptrace_lock_stopped(t);
	if (r)
		return r;
	f = seccomp_filter_get_locked(t, index);
	r = f ? 0 : t->seccomp.mode == SECCOMP_MODE_FILTER ? -ENOENT : -EINVAL;
	spin_unlock(&t->group->lock);
	if (!f)
		return r;
	r = seccomp_filter_len(f);
	if (!uaddr_is_null(out) &&
	    copy_to_user(out, seccomp_filter_code(f), (u64)r * sizeof(struct sock_filter)))
		r = -EFAULT;
	seccomp_filter_put(f);
	return r;
}

/* arch_prctl(2) of the tracee: what it asks for is stored in the tracer's memory. */
static s64 thread_base(struct task *t, u64 addr, u64 code)
{
	u64 value = addr;
	int r = ptrace_lock_stopped(t);

	if (r)
		return r;
	r = arch_trace_prctl(&t->thread, code, &value);
	spin_unlock(&t->group->lock);
	return r > 0 ? put_user(UADDR(addr), value) : r;
}

static s64 old_regset(struct task *t, u64 request, uaddr_t ua)
{
	bool is_write;
	u32 note = arch_ptrace_regset(request, &is_write);

	if (!note)
		return -EIO;
	return move_regset(t, note, ua, arch_regset_size(note), is_write);
}

static s64 request_of_mine(struct task *t, u64 request, u64 addr, u64 data)
{
	switch (request) {
	case PTRACE_PEEKTEXT:
	case PTRACE_PEEKDATA:
		return peek(t, addr, UADDR(data));
	case PTRACE_POKETEXT:
	case PTRACE_POKEDATA:
		return access_word(t, addr, &data, true);
	case PTRACE_PEEKUSR:
		return peek_user(t, addr, UADDR(data));
	case PTRACE_POKEUSR:
		return poke_user(t, addr, data);
	case PTRACE_CONT:
		return go_on(t, TRACE_CONT, data);
	case PTRACE_SYSCALL:
		return go_on(t, TRACE_SYSCALL, data);
	case PTRACE_SINGLESTEP:
		return go_on(t, TRACE_STEP, data);
	case PTRACE_SYSEMU:
		return go_on(t, TRACE_SYSEMU, data);
	case PTRACE_SYSEMU_SINGLESTEP:
		return go_on(t, TRACE_SYSEMU_STEP, data);
	case PTRACE_DETACH:
		return data > _NSIG ? -EIO : ptrace_detach(t, (s32)data);
	case PTRACE_KILL:
		return kill_it(t);
	case PTRACE_SETOPTIONS:
		return set_options(t, data);
	case PTRACE_OLDSETOPTIONS:
		return ARCH_HAS_OLD_PTRACE ? set_options(t, data) : -EIO;
	case PTRACE_GETEVENTMSG:
		return event_message(t, UADDR(data));
	case PTRACE_GETSIGINFO:
		return get_siginfo(t, UADDR(data));
	case PTRACE_SETSIGINFO:
		return set_siginfo(t, UADDR(data));
	case PTRACE_PEEKSIGINFO:
		return peek_siginfo(t, UADDR(addr), UADDR(data));
	case PTRACE_GETSIGMASK:
	case PTRACE_SETSIGMASK:
		return sigmask(t, addr, UADDR(data), request == PTRACE_SETSIGMASK);
	case PTRACE_GETREGSET:
	case PTRACE_SETREGSET:
		return regset(t, addr, UADDR(data), request == PTRACE_SETREGSET);
	case PTRACE_INTERRUPT:
		return ptrace_interrupt(t);
	case PTRACE_LISTEN:
		return listen(t);
	case PTRACE_SECCOMP_GET_FILTER:
		return seccomp_filter_of(t, addr, UADDR(data));
	case PTRACE_GET_SYSCALL_INFO:
		return syscall_info(t, addr, UADDR(data));
	case PTRACE_ARCH_PRCTL:
		return thread_base(t, addr, data);
	case PTRACE_GET_RSEQ_CONFIGURATION:
		return rseq_configuration(t, addr, UADDR(data));
	}
	return old_regset(t, request, UADDR(data));
}

/* The C library's peeks return the word; the call itself stores it at data. */
s64 sys_ptrace(u32 request, s32 pid, u64 addr, u64 data)
{
	struct task *t;
	s64 r;

	if (request == PTRACE_TRACEME)
		return ptrace_traceme();
	t = task_find_get(pid);
	if (!t)
		return -ESRCH;
	if (request == PTRACE_ATTACH || request == PTRACE_SEIZE)
		r = attach(t, request == PTRACE_SEIZE, addr, data);
	else if (!ptrace_is_mine(t))
		r = -ESRCH;
	else
		r = request_of_mine(t, request, addr, data);
	task_put(t);
	return r;
}
