// SPDX-License-Identifier: Apache-2.0
/*
 * gmem - guest memory, the only file that touches it
 *
 * Role      Owns the memory file (RAM) and the read-only window of mapped host files. Everything else goes
 *           through gmem_copy_in(), gmem_copy_out() or, before the guest runs, gmem_setup_ptr().
 * Rules     A guest address is never dereferenced without gmem_range(): no overflow, wholly inside RAM, a
 *           range may end exactly at the top, a zero length is refused.
 */
#pragma once

#include "vmm/abi/hyp.h"
#include "vmm/err.h"

#define GMEM_WINDOW_SLOTS 8

struct gmem_window {
	uint64_t gpa, len; /* len: page multiple */
	void *addr;
	int fd; /* borrowed */
};

struct gmem {
	int fd;		    /* memfd of RAM */
	uint8_t *ram;	    /* mapping of RAM */
	uint64_t ram_size;  /* bytes from HYP_RAM_BASE */
	uint64_t host_page; /* size of the host's pages, the guest's or a multiple */
	struct gmem_window window[GMEM_WINDOW_SLOTS];
	uint32_t nr_windows;
};

int gmem_init(struct gmem *m, uint64_t ram_size, struct err *e) MUST_CHECK;
void gmem_fini(struct gmem *m);
/* Maps a host file read-only at the next free window address; *gpa_out says where. */
int gmem_add_window(struct gmem *m, int file_fd, uint64_t len, uint64_t *gpa_out,
		    struct err *e) MUST_CHECK;
/* Host address of [gpa, gpa+len) in RAM, or NULL. */
void *gmem_range(const struct gmem *m, hyp_ptr p, uint64_t len);
/* The same for set-up code that placed the range itself. */
void *gmem_setup_ptr(struct gmem *m, uint64_t gpa, uint64_t len);
/* 0, or -EFAULT when the range is not guest RAM. */
int gmem_copy_in(const struct gmem *m, void *dst, hyp_ptr src, uint64_t len) MUST_CHECK;
int gmem_copy_out(struct gmem *m, hyp_ptr dst, const void *src, uint64_t len) MUST_CHECK;
/* Gives whole pages back to the host; they read as zero afterwards. */
int gmem_release(struct gmem *m, hyp_ptr start, uint64_t npages) MUST_CHECK;
