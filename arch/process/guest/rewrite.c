// SPDX-License-Identifier: Apache-2.0
/*
 * rewrite - hot system call sites become jumps, so that a call costs no signal
 *
 * Role      user.c counts the system calls that come by SIGSYS; a site that comes often is rewritten here.
 * Rules     `mov $nr, %eax; syscall` (b8 imm32 0f 05) becomes `jmp *slot` (ff 24 25 disp32) with the slot at 0x050fxxxx:
 *           the last two bytes stay 0f 05, so whoever jumps to the syscall, or is about to execute it, still makes
 *           a system call. The slot points to a few instructions of its own that load number and return
 *           address and go to fast_entry of the stub. Slots and these instructions are anonymous memory of
 *           the program, which fork copies; the changed code page is a private copy, put in place by one
 *           mapping, so running code sees the old page or the new one. Only code of private, unwritable file
 *           mappings is changed. A program that uses the addresses itself, or that writes to them, is not
 *           rewritten or harms itself alone. --no-rewrite turns it off.
 * Locking   rewrite->busy: one CPU at a time takes slots; as->lock inside the mm functions. The counts belong to one
 *           CPU's glance and may be off.
 *           A space that is traced gets its own bytes back and keeps them.
 * Missing   The program sees the changed bytes when it reads them; calls whose number is not loaded by the
 *           instruction before (`xor %eax, %eax; syscall`).
 */
#include "arch/cpu.h"
#include "arch/param.h"
#include "arch/process/guest/local.h"
#include "arch/x86_64/guest/x86.h"
#include "guestkernel/kapi/atomic.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/task/sched.h"
#include "guestkernel/uapi/mman.h"

#define SLOTS	   0x050f0000ull
#define NR_SLOTS   512u
#define CODE	   0x05100000ull
#define CODE_BYTES 32u
#define HOT	   32u
#define NEVER	   0xffffu
#define SITE_BYTES 7

static int map_at(struct aspace *as, u64 va, u64 len, u32 prot, u32 max_prot)
{
	const struct map_req req = {
		.addr = va,
		.len = len,
		.prot = prot,
		.max_prot = max_prot,
		.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		.label = "[calls]",
	};
	u64 out;

	return aspace_map(as, &req, &out);
}

/* The first slot that is free, making the mappings when they are missing. A forked program finds its parent's. */
static bool find_slot(struct aspace *as, struct rewrite *w)
{
	u64 slot;

	if (w->next_slot)
		return w->next_slot < NR_SLOTS;
	if (map_at(as, SLOTS, NR_SLOTS * 8, PROT_READ, PROT_READ)) {
		/* slot 0 holds how many are used */
		if (aspace_access(as, SLOTS, &slot, 8, false, true) != 8 || !slot ||
		    slot >= NR_SLOTS)
			return false;
		w->next_slot = (u32)slot;
		return true;
	}
	if (map_at(as, CODE, NR_SLOTS * CODE_BYTES, PROT_READ | PROT_EXEC, PROT_READ | PROT_EXEC))
		return false;
	w->next_slot = 1;
	return true;
}

static bool write_slot(struct aspace *as, u32 slot, u32 nr, u64 ret)
{
	const u64 target = PM_STUB_CODE + STUB_FAST_OFF, at = CODE + slot * CODE_BYTES;
	const u64 used = slot + 1;
	u8 code[CODE_BYTES];

	memset(code, 0xcc, sizeof code);
	code[0] = 0xb8; /* mov $nr, %eax */
	memcpy(code + 1, &nr, 4);
	code[5] = 0x48; /* movabs $ret, %rcx */
	code[6] = 0xb9;
	memcpy(code + 7, &ret, 8);
	code[15] = 0x49; /* movabs $target, %r11 */
	code[16] = 0xbb;
	memcpy(code + 17, &target, 8);
	code[25] = 0x41; /* jmp *%r11 */
	code[26] = 0xff;
	code[27] = 0xe3;
	return aspace_access(as, at, code, sizeof code, true, true) == sizeof code &&
	       aspace_access(as, SLOTS + 8 * slot, (void *)&at, 8, true, true) == 8 &&
	       aspace_access(as, SLOTS, (void *)&used, 8, true, true) == 8;
}

static bool rewrite_site(struct aspace *as, struct rewrite *w, u64 site, u32 nr)
{
	u8 code[SITE_BYTES];
	u32 slot, imm;

	if ((site & (PAGE_SIZE - 1)) > PAGE_SIZE - SITE_BYTES ||
	    aspace_access(as, site, code, sizeof code, false, false) != sizeof code)
		return false;
	memcpy(&imm, code + 1, 4);
	if (code[0] != 0xb8 || code[5] != 0x0f || code[6] != 0x05 || imm != nr)
		return false;
	if (!find_slot(as, w) || !write_slot(as, w->next_slot, nr, site + SITE_BYTES))
		return false;
	slot = (u32)SLOTS + 8 * w->next_slot++;
	code[0] = 0xff; /* jmp *slot */
	code[1] = 0x24;
	code[2] = 0x25;
	memcpy(code + 3, &slot, 4);
	return aspace_patch_code(as, site, code, sizeof code) == 0;
}

/* The site that jumps to a slot, as it was. */
static void restore_site(struct aspace *as, u32 slot)
{
	const u32 at = (u32)SLOTS + 8 * slot;
	u8 code[CODE_BYTES], site[SITE_BYTES], jump[SITE_BYTES] = { 0xff, 0x24, 0x25 };
	u64 ret;

	memcpy(jump + 3, &at, 4);
	if (aspace_access(as, CODE + slot * CODE_BYTES, code, sizeof code, false, true) !=
	    sizeof code)
		return;
	memcpy(&ret, code + 7, 8);
	if (aspace_access(as, ret - SITE_BYTES, site, sizeof site, false, true) != sizeof site ||
	    memcmp(site, jump, sizeof site) != 0)
		return;
	memcpy(site, code, 5); /* mov $nr, %eax */
	(void)!aspace_patch_code(as, ret - SITE_BYTES, site, sizeof site);
}

void rewrite_undo(struct aspace *as, struct rewrite *w)
{
	u64 used;

	if (w) {
		while (xchg(&w->busy, 1))
			sched_yield_current();
		w->off = true;
	}
	if (aspace_access(as, SLOTS, &used, 8, false, true) == 8 && used <= NR_SLOTS)
		for (u32 slot = 1; slot < used; slot++)
			restore_site(as, slot);
	if (w)
		store_release(&w->busy, 0);
}

void rewrite_count(struct rewrite *w, const struct regs *r)
{
	u64 site = r->ip - SITE_BYTES;
	u32 i = (u32)(site ^ site >> 6) % REWRITE_COUNTS;

	if (pm_boot->flags & PM_NO_REWRITE || !features.xsaveopt)
		return;
	if (w->site[i].ip != site) {
		if (w->site[i].count == NEVER && w->site[i].grace++ < 255)
			return;
		w->site[i].ip = site;
		w->site[i].count = 0;
		w->site[i].grace = 0;
	}
	if (w->site[i].count == NEVER || ++w->site[i].count < HOT)
		return;
	if (xchg(&w->busy, 1)) { /* next time */
		w->site[i].count = HOT - 1;
		return;
	}
	w->site[i].count = NEVER;
	if (!w->off && !READ_ONCE(current()->group->nr_traced))
		rewrite_site(current()->mm, w, site, (u32)r->ax);
	store_release(&w->busy, 0);
}
