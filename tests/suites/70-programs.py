#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# about: real programs from Debian in the sandbox, their output compared with a chroot
# timeout: 2700
# packages: build image test testhost
"""programs - tests/programs/run.py: shells, compilers, interpreters, busybox, as users run them

Three places: host processes, this machine's /dev/kvm (terminals, busybox) and a test host with faithful KVM (what
makes hundreds of thousands of system calls, which take minutes where ring 0 is emulated). The other cases of run.py --list are for
people: name them, as in `tools/dev test programs:kvm/python`.
"""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import suite        # noqa: E402

RUNNER = suite.ROOT / 'tests/programs/run.py'
PROCESS = ['hello', 'busybox_text', 'job_control', 'interrupt', 'window_size', 'vi', 'exec_forms', 'perl', 'gcc',
           'git', 'make', 'trace']
HERE = ['hello', 'busybox_text', 'job_control', 'interrupt', 'window_size', 'vi']
THERE = ['exec_forms', 'perl', 'gcc', 'git', 'make']
TESTHOST = suite.ROOT / 'tools/testhost'
HOST = f'programs-{os.getpid()}'


def asked(place, default):
    return [c.split('/', 1)[1] for c in suite.CASES if c.startswith(place + '/')] or default


def on_testhost(monitor):
    text, status = suite.run([TESTHOST, 'start', HOST, 'x86_64', '--mem', '2048'], timeout=200)
    if status:
        suite.fail('testhost', 'starting the test host', text)
        return
    try:
        suite.relay('testhost', [RUNNER, '--platform=kvm', '--monitor', f'{TESTHOST} exec {HOST} -- {monitor}',
                                 *asked('testhost', THERE)], 1200)
    finally:
        suite.run([TESTHOST, 'stop', HOST], timeout=60)


def main():
    directory = suite.build('gcc')
    if not directory:
        return
    if suite.wanted('process'):
        suite.relay('process', [RUNNER, '--platform=process', *asked('process', PROCESS)], 900)
    if suite.wanted('kvm'):
        if os.access('/dev/kvm', os.R_OK | os.W_OK):
            suite.relay('kvm', [RUNNER, '--platform=kvm', *asked('kvm', HERE)], 900)
        else:
            suite.skip('kvm', '/dev/kvm is not usable here')
    if suite.wanted('testhost'):
        on_testhost(directory / 'monitor')


main()
