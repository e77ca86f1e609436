# SPDX-License-Identifier: Apache-2.0
"""filters - which system calls the filters of a thread let pass, read from the host kernel

Role      calls_of(TID): what is really installed, not what a table says. Needs root and a host with
          CONFIG_CHECKPOINT_RESTORE.
Rules     The program is followed for each call number with every argument unknown: a call counts when any argument
          passes. The thread is stopped for a moment, as a debugger would.
"""
import ctypes
import errno
import os
import struct

PTRACE_CONT, PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_SECCOMP_GET_FILTER = 7, 17, 0x4206, 0x4207, 0x420c
WALL = 0x40000000
LD, JMP, RET = 0x20, 0x05, 0x06     # classes and the one load: a word at an absolute offset
ALLOW = 0x7fff0000
NR_MAX = 600
NR, ARCH = 0, 4                     # offsets in struct seccomp_data
ARCHITECTURE = {'x86_64': 0xc000003e, 'aarch64': 0xc00000b7}[os.uname().machine]
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
LIBC.ptrace.restype = ctypes.c_long


def ptrace(request, tid, addr=0, data=0):
    ret = LIBC.ptrace(request, tid, addr, data)
    if ret < 0:
        number = ctypes.get_errno()
        raise OSError(number, f'ptrace: {os.strerror(number)}')
    return ret


def programs(tid):
    """The filters of a thread, the newest first: lists of (code, jt, jf, k)."""
    ptrace(PTRACE_SEIZE, tid)
    try:
        ptrace(PTRACE_INTERRUPT, tid)
        os.waitpid(tid, WALL)
        found = []
        while True:
            try:
                n = ptrace(PTRACE_SECCOMP_GET_FILTER, tid, len(found))
            except OSError as e:
                if e.errno == errno.ENOENT:
                    return found
                raise
            buffer = ctypes.create_string_buffer(8 * n)
            ptrace(PTRACE_SECCOMP_GET_FILTER, tid, len(found), ctypes.addressof(buffer))
            found.append(list(struct.iter_unpack('HBBI', buffer.raw)))
    finally:
        ptrace(PTRACE_DETACH, tid)


def branch(code, a, k):
    """Which ways a jump may go: [True], [False] or both when the word is unknown."""
    if a is None:
        return [True, False]
    return [{0x10: a == k, 0x20: a > k, 0x30: a >= k, 0x40: bool(a & k)}[code & 0xf0]]


def may_pass(program, nr):
    seen, todo = set(), [(0, None)]
    while todo:
        at, a = todo.pop()
        if (at, a) in seen:
            continue
        seen.add((at, a))
        code, jt, jf, k = program[at]
        if code == LD:
            todo.append((at + 1, {NR: nr, ARCH: ARCHITECTURE}.get(k)))
        elif code & 7 == RET:
            if k == ALLOW:
                return True
        elif code & 7 == JMP and code & 0xf0:
            todo += [(at + 1 + (jt if yes else jf), a) for yes in branch(code, a, k)]
        elif code & 7 == JMP:
            todo.append((at + 1 + k, a))
        else:
            raise ValueError(f'instruction {code:#x}')
    return False


def calls_of(tid):
    """Numbers of the system calls all filters of a thread let pass; None when it has no filter."""
    found = programs(tid)
    return {nr for nr in range(NR_MAX) if all(may_pass(p, nr) for p in found)} if found else None
