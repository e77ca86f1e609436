// SPDX-License-Identifier: Apache-2.0
/*
 * admit - see admit.h
 */
#include "arch/x86_64/guest/admit.h"

#include "arch/thread.h"
#include "guestkernel/trap.h"
#include "guestkernel/uapi/signal.h"

#define VEC_GP	   13u
#define VEC_PF	   14u
#define PF_PRESENT 1u
#define PF_USER	   4u
#define PF_FETCH   16u

void admit_bad_ip(struct arch_thread *t, struct regs *r)
{
	t->last = (struct exception){ .nr = VEC_GP };
	if (is_canonical(r->ip)) {
		t->last = (struct exception){ VEC_PF, PF_FETCH | PF_USER | PF_PRESENT, r->ip };
		trap_user_exception(r, SIGSEGV, SEGV_MAPERR, r->ip, VEC_PF, t->last.error);
	} else {
		trap_user_exception(r, SIGSEGV, SI_KERNEL, 0, VEC_GP, 0);
	}
}
