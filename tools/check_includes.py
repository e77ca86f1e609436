#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_includes - holds the layers of the tree apart

Role      Lint. Reads every #include of the C files and compares it with LAYERS below: which folder
          may use which, and which folders may use the C library. The layers are the trust
          boundary and what makes fs/, net/ and most of the kernel testable as host code.
Rules     Includes are written from the repository root, "arch/x.h" stands for the header of the
          architecture being built. The first layer whose pattern matches a file rules it.
          Exceptions stand in EXCEPTIONS, each with its reason.
See       README.md of guestkernel/ and vmm/
"""
import fnmatch
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
KERNEL = ['guestkernel/kapi/*', 'guestkernel/uapi/*']
HOOKS = 'guestkernel/trap.h'     # what the architecture calls; mm, task and host implement it
FREE = {'stdint.h', 'stddef.h', 'stdbool.h', 'stdarg.h', 'limits.h', 'stdalign.h', 'stdnoreturn.h'}

# pattern of files, what they may include, whether the C library and Linux headers are theirs to use
LAYERS = [
    ('vmm/abi/*', ['vmm/abi/*'], False),
    ('vmm/*', ['vmm/*', 'arch/*'], True),
    ('arch/*/vmm/*', ['vmm/*', 'arch/*'], True),
    ('arch/*/include/arch/vcpu.h', ['vmm/*', 'arch/*'], True),
    ('arch/process/include/*', [*KERNEL, 'arch/*', 'vmm/abi/*'], False),
    ('arch/*/stub/*', ['arch/*/stub/*', 'vmm/abi/*'], False),
    ('arch/*/include/*', [*KERNEL, 'arch/*', 'vmm/abi/hyp.h'], False),
    ('arch/*/vdso/*', ['arch/common/*/*.h', 'arch/vdso_cpu.h'], False),
    ('arch/*/guest/*', [*KERNEL, 'arch/*', 'vmm/abi/*', 'guestkernel/*.h'], False),
    ('guestkernel/uapi/*', ['guestkernel/uapi/*', 'arch/uapi_*'], False),
    ('guestkernel/kapi/*', [*KERNEL, 'arch/*'], False),
    ('guestkernel/lib/*', [*KERNEL, 'guestkernel/lib/*'], False),
    ('fs/*', [*KERNEL, 'fs/*'], False),
    ('net/*', [*KERNEL, 'net/*'], False),
    ('guestkernel/mm/*', [*KERNEL, 'arch/*', 'guestkernel/mm/*', 'guestkernel/task/*.h',
                          HOOKS], False),
    ('guestkernel/ipc/*', [*KERNEL, 'arch/*', 'guestkernel/ipc/*', 'guestkernel/mm/*.h'], False),
    ('guestkernel/task/*', [*KERNEL, 'arch/*', 'guestkernel/task/*', 'guestkernel/mm/*.h',
                            HOOKS], False),
    ('guestkernel/host/*', [*KERNEL, 'arch/*', 'guestkernel/host/*', 'vmm/abi/*', 'net/netif.h',
                            HOOKS], False),
    ('guestkernel/*', ['guestkernel/*', 'fs/*', 'net/*', 'arch/*', 'vmm/abi/*'], False),
    ('tests/*', ['*'], True),
    ('tools/*', ['*'], True),
]

# (file, include): why. A missing layer is better mended than listed here.
EXCEPTIONS = {
    ('fs/procfs_system.c', 'arch/thread.h'): '/proc/cpuinfo is the architecture\'s text',
    ('fs/sysfs_cpu.c', 'arch/thread.h'): 'the processor describes its caches',
    ('guestkernel/task/task_proc.c', 'fs/mount.h'): 'the mount tables of /proc/<pid>, for want of an owner below',
}


def layer_of(name):
    for pattern, may, libc in LAYERS:
        if fnmatch.fnmatch(name, pattern):
            return may, libc
    return None


def problems_of(name):
    layer = layer_of(name)
    if layer is None:
        yield f'{name}: no layer for this folder; add one to LAYERS in tools/check_includes.py'
        return
    may, libc = layer
    text = (ROOT / name).read_text(errors='replace')
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*(["<])([^">]+)', line)
        if not found or (name, found.group(2)) in EXCEPTIONS:
            continue
        kind, target = found.groups()
        if kind == '<' and not libc and target not in FREE:
            yield f'{name}:{number}: <{target}>: only freestanding headers here'
        elif kind == '"' and '/' not in target and not target.startswith('generated_') \
                and (ROOT / name).with_name(target).exists():
            yield f'{name}:{number}: "{target}": write includes from the repository root'
        elif kind == '"' and '/' in target and not any(fnmatch.fnmatch(target, p) for p in may):
            yield f'{name}:{number}: "{target}": {name.rsplit("/", 1)[0]} may not use it'


def main():
    listed = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard', '*.c', '*.h', '*.S'],
                            cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    found = [p for name in listed if (ROOT / name).exists() for p in problems_of(name)]
    print('\n'.join(found), end='\n' if found else '')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
