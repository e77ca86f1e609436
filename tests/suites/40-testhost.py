#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# about: tools/testhost itself: status, streams, sharing, time limit, hosts that stay, KVM within
# timeout: 400
# packages: build testhost
"""testhost - the emulated host keeps its promises, for each machine"""
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import suite        # noqa: E402

TOOL = str(suite.ROOT / 'tools/testhost')


def host(arch, folder, *command, options=(), data=None):
    """(status, standard output, standard error) of a command on a fresh host."""
    done = subprocess.run([TOOL, arch, *options, '--', *command], cwd=folder, timeout=200, text=True,
                          input=data, capture_output=True)
    return done.returncode, done.stdout, done.stderr


def test_machine(arch, folder):
    def expect(case, want, *command, **more):
        if suite.wanted(f'{arch}/{case}'):
            got = host(arch, folder, *command, **more)
            suite.check(f'{arch}/{case}', got[:2] == want, f'expected {want}, got {got}')
    expect('status', (7, 'out\n'), 'sh', '-c', 'echo out; echo err >&2; exit 7')
    expect('signal', (137, ''), 'sh', '-c', 'kill -9 $$')
    expect('missing', (127, ''), '/no/such/program')
    expect('stdin', (0, '100000\n'), 'sh', '-c', 'wc -c | tr -d " "', data='x' * 100000)
    expect('time-limit', (124, ''), 'sleep', '1000', options=['--timeout', '2'])
    expect('environment', (0, 'a b\n'), 'sh', '-c', 'echo "$V"', options=['--env', 'V=a b'])
    expect('directory', (0, f'{folder}\n'), 'sh', '-c', 'pwd; echo there >made')
    expect('kvm', (0, ''), 'test', '-c', '/dev/kvm')
    if suite.wanted(f'{arch}/directory'):
        made = pathlib.Path(folder, 'made')
        suite.check(f'{arch}/written-through', made.exists() and made.read_text() == 'there\n')


def test_staying_host(folder):
    name = f'test-{os.getpid()}'
    text, status = suite.run([TOOL, 'start', name, 'x86_64'], cwd=folder, timeout=200)
    suite.check('named/start', status == 0, text)
    for case, want, command in (('exec', ('1\n', 0), ['sh', '-c', 'echo 1 | tee /run/left']),
                                ('stray-is-killed', ('', 0), ['sh', '-c', 'sleep 500 &']),
                                ('again', ('0\n', 0), ['sh', '-c', 'pgrep -c sleep; true'])):
        got = suite.run([TOOL, 'exec', name, '--', *command], cwd=folder)
        suite.check('named/' + case, got == want, f'expected {want}, got {got}')
    text, status = suite.run([TOOL, 'stop', name])
    suite.check('named/stop', status == 0, text)


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = os.path.realpath(folder)
        if os.uname().machine != 'x86_64':
            suite.skip('x86_64', 'only tried on x86-64 machines')
            return
        if suite.wanted('x86_64'):
            test_machine('x86_64', folder)
        if suite.wanted('named'):
            test_staying_host(folder)


main()
