#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# about: real programs from Debian's arm64 packages in the sandbox on an emulated ARM64 host
# timeout: 1500
# packages: build image testhost aarch64
"""aarch64_programs - tests/programs/run.py on a sandbox of the other machine

Each script runs in a chroot of this machine's image and in the sandbox of an arm64 image of the same packages; they print
the same but for the machine's name. Name others of run.py --list: tools/dev test aarch64_programs:find_root
"""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import patience     # noqa: E402
import suite        # noqa: E402

RUNNER = suite.ROOT / 'tests/programs/run.py'
TESTHOST = suite.ROOT / 'tools/testhost'
BUILD = suite.ROOT / 'build-aarch64'
HOST = f'programs-arm-{os.getpid()}'
CASES = ['hello', 'busybox_text', 'exec_forms', 'perl', 'gcc', 'git', 'tools', 'python', 'node']


def main():
    text, status = suite.run([suite.ROOT / 'tools/dev', 'build', 'aarch64'], timeout=1200)
    suite.check('build', not status, text)
    if status:
        return
    text, status = suite.run([TESTHOST, 'start', HOST, 'aarch64', '--mem', '3072'], timeout=200)
    if status:
        suite.fail('testhost', 'starting the test host', text)
        return
    monitor = f'{TESTHOST} exec {HOST} --timeout {patience.seconds(150):g} -- {(BUILD / "monitor").relative_to(suite.ROOT)}'
    try:
        suite.relay('programs', [RUNNER, '--platform=kvm', '--monitor', monitor, '--sandbox-images', BUILD / 'images',
                                 '--sandbox-arch', 'arm64', *(suite.CASES or CASES)], 1200)
    finally:
        suite.run([TESTHOST, 'stop', HOST], timeout=60)


main()
