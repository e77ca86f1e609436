// SPDX-License-Identifier: Apache-2.0
/*
 * sighand - dispositions: what a process does with each signal
 *
 * Rules     SIGKILL and SIGSTOP are always default. A disposition set to ignore forgets what is pending.
 * Locking   sighand->lock inside group->lock.
 * See       sigaction(2)
 */
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/task/signal.h"

#define SA_KNOWN_FLAGS                                                                     \
	(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER | \
	 SA_RESETHAND | SA_EXPOSE_TAGBITS | SA_RESTORER)

struct sighand *sighand_alloc(void)
{
	struct sighand *s = knew(struct sighand);

	if (!s)
		return NULL;
	refs_init(&s->refs, 1);
	spin_init(&s->lock, RANK_LEAF);
	return s;
}

struct sighand *sighand_copy(struct sighand *from, bool clear)
{
	struct sighand *s = kmalloc(sizeof *s);

	if (!s)
		return NULL;
	refs_init(&s->refs, 1);
	spin_init(&s->lock, RANK_LEAF);
	spin_lock(&from->lock);
	memcpy(s->action, from->action, sizeof s->action);
	spin_unlock(&from->lock);
	if (clear)
		sighand_flush(s);
	return s;
}

void sighand_put(struct sighand *s)
{
	if (refs_put(&s->refs))
		kfree(s);
}

void sighand_get_action(struct tgroup *g, s32 sig, struct sigaction *out)
{
	struct sighand *s = g->sighand;

	spin_lock(&s->lock);
	*out = s->action[sig - 1];
	spin_unlock(&s->lock);
}

void sighand_flush(struct sighand *s)
{
	spin_lock(&s->lock);
	for (u32 i = 0; i < _NSIG; i++) {
		struct sigaction *sa = &s->action[i];
		u64 handler = sa->sa_handler == SIG_IGN ? SIG_IGN : SIG_DFL;

		*sa = (struct sigaction){ .sa_handler = handler };
	}
	spin_unlock(&s->lock);
}

static bool is_ignored_action(s32 sig, const struct sigaction *sa)
{
	return sa->sa_handler == SIG_IGN ||
	       (sa->sa_handler == SIG_DFL && (SIGSET_IGNORED_BY_DEFAULT & sig_bit(sig)));
}

s64 signal_action(s32 sig, const struct sigaction *new, struct sigaction *old)
{
	struct tgroup *g = current_group();

	if (sig < 1 || sig > _NSIG || (new && (sig_bit(sig) & SIGSET_UNBLOCKABLE)))
		return -EINVAL;
	spin_lock(&g->lock);
	spin_lock(&g->sighand->lock);
	*old = g->sighand->action[sig - 1];
	if (new) {
		struct sigaction *sa = &g->sighand->action[sig - 1];

		*sa = *new;
		sa->sa_mask &= ~SIGSET_UNBLOCKABLE;
		sa->sa_flags &= SA_KNOWN_FLAGS;
	}
	spin_unlock(&g->sighand->lock);
	if (new &&is_ignored_action(sig, new))
		signal_discard_locked(g, sig_bit(sig));
	spin_unlock(&g->lock);
	return 0;
}
