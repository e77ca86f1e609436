#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# about: the command line under bad conditions: wrong use, poor hosts, broken pipes, signals, terminals
# timeout: 1300
# packages: build image test
"""cli - tests/cli/run.py with the busybox image"""
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import suite        # noqa: E402


def on(platform, image):
    cases = [c.split('/', 1)[1] for c in suite.CASES if c.startswith(platform + '/')]
    if not suite.wanted(platform):
        return
    if platform == 'kvm' and not os.access('/dev/kvm', os.R_OK | os.W_OK):
        suite.skip('kvm', '/dev/kvm is not usable here')
        return
    suite.relay(platform, [suite.ROOT / 'tests/cli/run.py', '--platform=' + platform, directory / 'monitor', image,
                           *cases], 600)


directory = suite.build('gcc')
if directory:
    with tempfile.TemporaryDirectory() as tmp:
        text, status = suite.run([suite.ROOT / 'tools/mkimage', 'busybox', tmp + '/busybox.tar'], timeout=300)
        if status:
            suite.fail('mkimage', details=text)
        else:
            on('process', tmp + '/busybox.tar')
            on('kvm', tmp + '/busybox.tar')
