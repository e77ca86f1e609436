#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# about: what each process of a sandbox still has of the host; programs that try to leave the process machine
# timeout: 900
# packages: build image test
"""escape - tests/escape/lock_in.py, run.py and outside.py; MONITOR_TEST_LONG=1 for the long soak

Cases: lock_in/CASE, attack/PROGRAM/CASE, outside/CASE.
"""
import os
import sys
import pathlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import suite        # noqa: E402

FOLDER = suite.ROOT / 'tests/escape'


def asked(place):
    return [c.split('/', 1)[1] for c in suite.CASES if c.startswith(place + '/')]


def main():
    directory = suite.build('gcc')
    if not directory:
        return
    if suite.wanted('lock_in'):
        suite.relay('lock_in', [FOLDER / 'lock_in.py', '--monitor', directory / 'monitor', *asked('lock_in')], 300)
    if os.uname().machine != 'x86_64':
        suite.skip('attack', 'the process machine is for x86-64')
        return
    text, status = suite.run(['ninja', '-C', directory, 'tests/escape/escape_all',
                              'guestkernel/kernel_process_debug.elf'], timeout=900)
    if status:
        suite.fail('building', 'the programs do not build', text)
        return
    if suite.wanted('attack'):
        suite.relay('attack', [FOLDER / 'run.py', *asked('attack')], 400)
    if suite.wanted('outside'):
        long = ['--long'] if os.environ.get('MONITOR_TEST_LONG') == '1' else []
        suite.relay('outside', [FOLDER / 'outside.py', *long, *asked('outside')], 600)


main()
