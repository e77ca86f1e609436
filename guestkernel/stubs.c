#include "guestkernel/kapi/types.h"
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#define S(n) __attribute__((weak)) long n(void) { return -38; }
S(lock_posix_close) S(synth_root) S(synth_super_create) S(synth_special_inode) S(synth_set_dir_ops) S(synth_is_stale) S(synth_evict) S(synth_add_dev) S(lock_inode_gone) S(lock_flock) S(lock_file_gone) S(lock_fcntl) S(current_set_fds)
#include "arch/thread.h"
#include "arch/cpu.h"
__attribute__((weak)) s64 sys_arch_prctl(u32 code, u64 addr) { return arch_thread_prctl(current(), (s32)code, addr); }
