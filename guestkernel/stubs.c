#include "guestkernel/kapi/types.h"
#define S(n) __attribute__((weak)) long n(void); __attribute__((weak)) long n(void) { return -12; }
S(current_tid) S(strncpy_from_user)
S(trap_syscall) S(trap_page_fault) S(trap_user_exception) S(trap_timer) S(trap_resched) S(trap_work_pending) S(trap_user_exit)
S(kzalloc) S(kmem_cache_create) S(kmem_cache_alloc) S(kmem_cache_free) S(page_alloc) S(page_put) S(page_kaddr) S(copy_to_user) S(copy_from_user) S(wake_events) S(secondary_main) S(kmalloc) S(krealloc) S(kfree)
__attribute__((weak)) void *page_map; __attribute__((weak)) u64 page_first_pfn, page_end_pfn;
