#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# about: the system call programs: on this Linux, in the sandbox on each machine here, in the sandbox on a test host
# timeout: 3600
# fast: yes
# packages: build test
"""syscalls - tests/syscalls natively (the specification), then in the sandbox on each machine

Where /dev/kvm emulates the guest kernel an instruction at a time, kvm leaves out HEAVY programs, which process, testhost
and debug run.

Cases: native, process, kvm, testhost, smp, debug/process, debug/kvm, each followed by /PROGRAM for one program. smp is a test host with two
CPUs, which take turns on one thread of this machine: a few programs only. debug is the process machine and the test
host with guest kernels that check the order of their locks and panic when something leaked
(guestkernel/task/lockcheck.c, guestkernel/leakcheck.c).
"""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import suite        # noqa: E402

RUNNER = suite.ROOT / 'tests/syscalls/run.py'
SMP = ['pairs', 'nested', 'threads', 'futex', 'sched', 'signals_deep', 'membarrier', 'cache/an_unmapped_page_is_gone_for_every_thread']
# Fill memory, copy programs or race for seconds: not where each instruction of ring 0 is emulated, a microsecond each.
HEAVY = {'acl', 'exec_rights', 'exhaust', 'file_rights', 'inflight', 'inotify_rules', 'mount_rules', 'nested', 'pairs',
         'proc_files', 'unix_rules', 'user_limits'}


def light_programs(directory):
    text, _ = suite.run([directory / 'tests/syscalls/syscalls_all', '--list'])
    return sorted({line.split('/')[0] for line in text.split()} - HEAVY)


def on_kvm(directory, options):
    """Here; with HEAVY ones only where the hardware runs the guest."""
    wanted = programs('kvm')
    text, _ = suite.run([directory / 'monitor', 'platform'])
    if 'emulated' in text and not wanted:
        wanted = light_programs(directory)
    if os.access('/dev/kvm', os.R_OK | os.W_OK):
        suite.relay('kvm', [RUNNER, *options, '--timeout', '180', '--patience', '3', *wanted], 1200)
    else:
        suite.skip('kvm', '/dev/kvm is not usable here')


def programs(machine):
    """The programs of MACHINE that were asked for by name."""
    return [c.split('/', 1)[1] for c in suite.CASES if c.startswith(machine + '/')]


def main():
    directory = suite.build('gcc')
    if not directory:
        return
    if suite.wanted('native') and not suite.meson_tests(directory, 'syscalls', prefix='native/'):
        suite.skip('native', 'there are no system call programs yet')
    if not any(suite.wanted(machine) for machine in ('process', 'kvm', 'testhost', 'smp', 'debug/process', 'debug/kvm')):
        return
    monitor = directory / 'monitor'
    if not RUNNER.exists() or not monitor.exists():
        suite.skip('process', 'there is no ' + ('monitor' if RUNNER.exists() else str(RUNNER)) + ' yet')
        return
    # one sandbox for each program; in the fast run one for all, in host processes: where ring 0 is emulated
    # instruction by instruction, as on many machines without hardware for it, kvm takes minutes
    fast = suite.FAST and not suite.CASES
    options = ['--timeout', '300', '--once'] if fast else ['--timeout', '60']
    if suite.wanted('process'):
        suite.relay('process', [RUNNER, '--option=--platform=process', *options, *programs('process')], 900)
    options.append('--option=--platform=kvm')
    if suite.wanted('kvm') and not fast:
        on_kvm(directory, options)
    if suite.wanted('testhost') and not fast:
        suite.relay('testhost', [*suite.testhost('x86_64', 1500), RUNNER, *options, *programs('testhost')], 1600)
    if suite.wanted('smp') and not fast:
        suite.relay('smp', [*suite.testhost('x86_64', 700, '--smp', '2'), RUNNER, *options,
                            '--option=--cpus=2', '--timeout', '400', '--once', '--patience', '3',
                            *(programs('smp') or SMP)], 700)
    if suite.wanted('debug/process') and not fast:
        run_debug(directory, 'kernel_process_debug.elf', 'process', [])
    if suite.wanted('debug/kvm') and not fast:
        run_debug(directory, 'kernel_debug.elf', 'kvm', suite.testhost('x86_64', 1500))


def run_debug(directory, kernel, platform, place):
    """All programs in one sandbox with a kernel that checks itself; results are debug/PLATFORM/..."""
    target = f'guestkernel/{kernel}'
    text, status = suite.run(['ninja', '-C', directory, target], timeout=900)
    if status:
        suite.fail(f'debug/{platform}', 'the debug kernel does not build', text, f'ninja -C {directory} {target}')
        return
    suite.relay(f'debug/{platform}', [*place, RUNNER, f'--option=--platform={platform}', '--option=--debug-kernel',
                                      f'--option={directory / target}', '--timeout', '600', '--once',
                                      *programs(f'debug/{platform}')], 1600)


main()
