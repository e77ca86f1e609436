// SPDX-License-Identifier: Apache-2.0
/*
 * aspace - address spaces: the regions an application has mapped
 *
 * Role      One per process (shared by CLONE_VM). mmap family in sys/sys_mm.c, faults in fault.c, fork and exec in
 *           task/ are the callers.
 * Locking   as->lock (RANK_ASPACE, rwsem) covers regions: shared by faults, exclusive by changes.
 *           as->pt_lock (RANK_PGTABLE) covers the page table. User memory is never touched under as->lock.
 */
#pragma once

#include "arch/mmu.h"
#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/rbtree.h"
#include "guestkernel/kapi/refs.h"

struct file;
struct pager;
struct strbuf;

struct region {
	struct rb_node node;  /* [as->lock] by start */
	struct list map_link; /* [pager->map_lock] */
	struct aspace *as;    /* [I] */
	u64 start, end;	      /* page aligned */
	u64 pgoff;	      /* in pages: of start in the pager */
	u32 prot;	      /* PROT_* */
	u32 max_prot;	      /* what mprotect may give */
	u32 flags;	      /* enum region_flags */
	struct pager *pager;  /* NULL: private anonymous */
	struct file *file;    /* for /proc/<pid>/maps and map_files; may be NULL; referenced */
	const char *label;    /* "[stack]", "[heap]", "[vdso]" or NULL */
	bool has_anon; /* [a] a private page was made since the region exists (pager regions) */
};

enum region_flags {
	REGION_SHARED = 1u << 0,
	REGION_GROWSDOWN = 1u << 1,
	REGION_LOCKED = 1u << 2,
	REGION_DONTFORK = 1u << 3,
	REGION_WIPEONFORK = 1u << 4,
	REGION_NORESERVE = 1u << 5,
	REGION_SPECIAL = 1u << 6, /* vDSO: no mremap growth, not counted */
	REGION_SEQ_READ = 1u << 7,
	REGION_RANDOM_READ = 1u << 8,
};

/*
 * INVARIANTS  refs counts users: tasks, and whoever works on the memory this moment. With the last one every region and
 *             page goes. holds counts who remembers the structure: all users together once, and each open file whose
 *             rights were decided for this memory (/proc/<pid>/mem, maps ...). Such a file must ask aspace_get_live()
 *             before each use: it keeps no memory alive, and after exec or exit finds none.
 */
struct aspace {
	struct refs refs;  /* users */
	struct refs holds; /* of the structure */
	struct rwsem lock;
	struct rb_root regions; /* [lock] */
	u32 nr_regions;		/* [lock] */
	struct spinlock pt_lock;
	struct arch_aspace arch; /* [pt_lock] */
	u64 mmap_base;		 /* [lock] top-down area starts below this */
	u64 gap_top,
		gap_widest; /* [lock] no gap between gap_top and mmap_base is wider than gap_widest */
	u64 brk_start, brk_end;			    /* [lock] */
	u64 stack_start;			    /* [lock] initial stack pointer */
	u64 arg_start, arg_end, env_start, env_end; /* [lock] for /proc/<pid>/cmdline, environ */
	u64 total_pages, locked_pages, data_pages, stack_pages, exec_pages; /* [lock] */
	u32 default_flags; /* [lock] region flags of new mappings: REGION_LOCKED after mlockall(MCL_FUTURE) */
	struct list dead; /* [lock] regions out of the tree, freed by aspace_write_unlock() */
	u64 next_anon; /* [pt_lock] after the last anonymous page written first: a row of them? */
	u64 prev_anon; /* [pt_lock] before the last chunk of them: a row downwards? */
	struct region *last_found; /* [a] region of the last fault, cleared when regions go */
	atomic64_t rss_anon, rss_file, rss_shmem;
	u64 hiwater_rss, hiwater_vm; /* pages */
	u64 start_code, end_code, start_data, end_data;
	struct file *exe_file; /* [lock] */
	u64 auxv[48];	       /* [I after exec] */
	u32 nr_auxv;
	u64 vdso_base;
	bool dumpable;
	u32 membarrier_state; /* registered commands */
};

int must_check aspace_create(struct aspace **out);
/* fork: copy-on-write copy of everything, batched. */
int must_check aspace_clone(struct aspace *src, struct aspace **out);
struct aspace *aspace_get(struct aspace *as);
/* Remembers the structure; its memory may go. */
struct aspace *aspace_hold(struct aspace *as);
void aspace_unhold(struct aspace *as);
/* A user's reference, unless the last user has gone. */
bool must_check aspace_get_live(struct aspace *as);
/* Last reference unmaps everything. May sleep. */
void aspace_put(struct aspace *as);
/* The running CPU uses this address space from now on; NULL for kernel threads (keeps the last one lazily). */
void aspace_activate(struct aspace *as);

struct map_req {
	u64 addr; /* hint, or fixed address */
	u64 len;
	u32 prot, flags; /* PROT_*, MAP_* */
	u64 pgoff;
	struct pager *pager; /* reference is taken by the region */
	struct file *file;   /* likewise; may be NULL */
	u32 region_flags;
	u32 max_prot; /* 0: all */
	const char *label;
};
int must_check aspace_map(struct aspace *as, const struct map_req *req, u64 *va_out);
int must_check aspace_unmap(struct aspace *as, u64 va, u64 len);
int must_check aspace_protect(struct aspace *as, u64 va, u64 len, u32 prot);
int must_check aspace_set_brk(struct aspace *as, u64 new_brk, u64 *result);
/* mremap(2), lengths and addresses rounded and checked. */
struct remap_req {
	u64 old, old_len, new_len;
	u32 flags;    /* MREMAP_* */
	u64 new_addr; /* with MREMAP_FIXED; a hint with MREMAP_DONTUNMAP */
};
int must_check aspace_remap(struct aspace *as, const struct remap_req *req, u64 *out);
int must_check aspace_madvise(struct aspace *as, u64 va, u64 len, s32 advice);
/* Region that contains va, or NULL; caller holds as->lock. */
struct region *aspace_find(struct aspace *as, u64 va);
struct region *aspace_find_first(struct aspace *as, u64 va); /* first with end > va */

/* Resolve one fault in as; 0, or -EFAULT (SIGSEGV/SEGV_MAPERR), -EACCES (SEGV_ACCERR), -EIO (SIGBUS), -ENOMEM. */
int must_check aspace_fault(struct aspace *as, u64 va, u32 access);
/* Read or write another address space (ptrace, process_vm_readv, /proc/<pid>/mem, exec's argument pages). Bytes done or
 * -EFAULT. force: ignore page rights as ptrace does. */
s64 must_check aspace_access(struct aspace *as, u64 va, void *buf, size_t n, bool write,
			     bool force);
/* Changes bytes of code: a private copy of the page, changed before anybody can see it, takes the page's place. Only within
 * one page of a private file mapping that is executable and not writable. -EFAULT, -EACCES, -ENOMEM. */
int must_check aspace_patch_code(struct aspace *as, u64 va, const void *bytes, size_t n);
/* Pins the frame of va (faulting it in), for futex keys on shared memory and the like. *pager NULL: private. */
int must_check aspace_futex_key(struct aspace *as, u64 va, bool write, struct pager **pager,
				u64 *pgoff);
