#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# about: the system call programs in the debug kernel: with allocations that fail, and with shaken schedules
# timeout: 1800
# packages: build test
"""disturb - guestkernel/kapi/disturb.h at work: no panic, no leak, nobody hangs

Cases: fail_nth/PROGRAM, perturb/PROGRAM; the seed is that of the day, or MONITOR_TEST_SEED.
"""
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests' / 'lib'))
import suite        # noqa: E402

# Where schedules matter, and those that last long by themselves do not
PERTURBED = ['epoll', 'exit', 'fork', 'futex', 'kill', 'msgget', 'pipe', 'poll', 'rename', 'semget', 'sendmsg', 'shmget',
             'threads', 'timer', 'unix_socket', 'wait4']
SLOW = {'exhaust'}

directory = suite.build('gcc')
seed = os.environ.get('MONITOR_TEST_SEED') or str(int(time.time() // 86400))


def run(case, program, option):
    command = [ROOT / 'tests/syscalls/run.py', '--monitor', directory / 'monitor', '--programs',
               directory / 'tests/syscalls/syscalls_all', '--option=--platform=process', '--option=--debug-kernel',
               f'--option={directory}/guestkernel/kernel_process_debug.elf', '--timeout=200', '--quiet', option, seed,
               program]
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    if done.returncode == 0:
        suite.ok(case)
        return
    print(done.stdout)
    suite.fail(case, f'seed {seed}', rerun=f'MONITOR_TEST_SEED={seed} tools/dev test disturb:{case}')


if directory:
    subprocess.run(['ninja', '-C', str(directory), 'guestkernel/kernel_process_debug.elf',
                    'tests/syscalls/syscalls_all'], check=True, stdout=subprocess.DEVNULL)
    programs = (ROOT / 'tests/syscalls/programs.txt').read_text().split()
    for name in programs:
        if name not in SLOW and suite.wanted(f'fail_nth/{name}'):
            run(f'fail_nth/{name}', name, '--fail-nth')
    for name in PERTURBED:
        if suite.wanted(f'perturb/{name}'):
            run(f'perturb/{name}', name, '--perturb')
