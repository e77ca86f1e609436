#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# about: real programs from Debian in the sandbox, their output compared with a chroot
# timeout: 3000
# packages: build image test
"""programs - tests/programs/run.py: shells, compilers, interpreters, busybox, as users run them"""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import suite        # noqa: E402

RUNNER = suite.ROOT / 'tests/programs/run.py'
cases = [c.split('/', 1)[1] for c in suite.CASES if c.startswith('kvm/')]
if not RUNNER.exists():
    suite.skip('kvm', 'there are no program tests yet')
elif not os.access('/dev/kvm', os.R_OK | os.W_OK):
    suite.skip('kvm', '/dev/kvm is not usable here')
elif suite.build('gcc'):
    suite.relay('kvm', [RUNNER, *cases], 2900)
