// SPDX-License-Identifier: Apache-2.0
/*
 * gmem - guest memory: RAM in a memfd, windows onto read-only host files
 *
 * Role      See gmem.h.
 * Rules     RAM is never touched here unless asked: a page costs the host nothing until it is used.
 * Locking   None: set up by one thread, then the geometry is immutable. Contents race with the guest by
 *           nature; callers copy once and check the copy.
 */
#include "vmm/gmem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int gmem_init(struct gmem *m, uint64_t ram_size, struct err *e)
{
	memset(m, 0, sizeof *m);
	m->host_page = (uint64_t)sysconf(_SC_PAGESIZE);
	m->fd = memfd_create("guest-ram", MFD_CLOEXEC);
	if (m->fd < 0)
		return err_set_errno(e, errno, "creating the guest memory file");
	if (ftruncate(m->fd, (off_t)ram_size))
		return err_set_errno(e, errno, "sizing guest memory to %lu MiB", ram_size >> 20);
	m->ram = mmap(NULL, ram_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, m->fd, 0);
	if (m->ram == MAP_FAILED) {
		m->ram = NULL;
		return err_set_errno(e, errno,
				     "mapping %lu MiB of guest memory; use a smaller --memory",
				     ram_size >> 20);
	}
	m->ram_size = ram_size;
	return 0;
}

void gmem_fini(struct gmem *m)
{
	uint32_t i;

	for (i = 0; i < m->nr_windows; i++)
		munmap(m->window[i].addr, m->window[i].len);
	if (m->ram)
		munmap(m->ram, m->ram_size);
	if (m->fd > 0)
		close(m->fd);
	m->ram = NULL;
	m->fd = -1;
	m->nr_windows = 0;
}

int gmem_add_window(struct gmem *m, int file_fd, uint64_t len, uint64_t *gpa_out, struct err *e)
{
	struct gmem_window *w;
	uint64_t gpa = HYP_WINDOW_BASE;

	if (m->nr_windows == GMEM_WINDOW_SLOTS)
		return err_set(e, ENOSPC, "more than %d mapped files", GMEM_WINDOW_SLOTS);
	if (m->nr_windows) {
		w = &m->window[m->nr_windows - 1];
		gpa = round_up_u64(w->gpa + w->len, 1ull << 30);
	}
	len = round_up_u64(len,
			   m->host_page); /* what KVM takes; the same or more than the guest's */
	if (len == 0 || gpa - HYP_WINDOW_BASE + len > HYP_WINDOW_MAX)
		return err_set(e, EFBIG, "a file of %lu bytes does not fit the guest's file window",
			       len);
	w = &m->window[m->nr_windows];
	w->addr = mmap(NULL, len, PROT_READ, MAP_SHARED, file_fd, 0);
	if (w->addr == MAP_FAILED)
		return err_set_errno(e, errno, "mapping an image file of %lu bytes", len);
	w->gpa = gpa;
	w->len = len;
	w->fd = file_fd;
	m->nr_windows++;
	*gpa_out = gpa;
	return 0;
}

void *gmem_range(const struct gmem *m, hyp_ptr p, uint64_t len)
{
	uint64_t off;

	if (p.gpa < HYP_RAM_BASE || len == 0)
		return NULL;
	off = p.gpa - HYP_RAM_BASE;
	if (off >= m->ram_size || len > m->ram_size - off)
		return NULL;
	return m->ram + off;
}

void *gmem_setup_ptr(struct gmem *m, uint64_t gpa, uint64_t len)
{
	return gmem_range(m, (hyp_ptr){ gpa }, len);
}

int gmem_copy_in(const struct gmem *m, void *dst, hyp_ptr src, uint64_t len)
{
	const void *p = gmem_range(m, src, len);

	if (!p)
		return -EFAULT;
	memcpy(dst, p, len);
	return 0;
}

int gmem_copy_out(struct gmem *m, hyp_ptr dst, const void *src, uint64_t len)
{
	void *p = gmem_range(m, dst, len);

	if (!p)
		return -EFAULT;
	memcpy(p, src, len);
	return 0;
}

int gmem_release(struct gmem *m, hyp_ptr start, uint64_t npages)
{
	uint64_t len, off, from, to;

	if (mul_overflow(npages, (uint64_t)HYP_PAGE_SIZE, &len) || start.gpa % HYP_PAGE_SIZE ||
	    !gmem_range(m, start, len))
		return -EFAULT;
	off = start.gpa - HYP_RAM_BASE;
	from = round_up_u64(off, m->host_page);
	to = (off + len) / m->host_page * m->host_page;
	if (from >= to) { /* within one larger page of the host */
		memset(m->ram + off, 0, len);
		return 0;
	}
	memset(m->ram + off, 0, from - off);
	memset(m->ram + to, 0, off + len - to);
	if (madvise(m->ram + from, to - from, MADV_REMOVE))
		return -errno;
	return 0;
}
