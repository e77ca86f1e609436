#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# about: bare guest programs that misuse every hostcall; the monitor must stay clean
# timeout: 1200
# packages: build test
"""guest - hostile guests from tests/guest, against the sanitized monitor, on this /dev/kvm and as kernel processes"""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import suite        # noqa: E402

if not os.access('/dev/kvm', os.R_OK | os.W_OK):
    suite.skip('hostile', '/dev/kvm is not usable here')
    suite.CASES = suite.CASES or ['hostile_process']
directory = suite.build('asan')
if directory and suite.meson_tests(directory, 'guest', jobs=1) == 0:
    suite.skip('guest', 'there are no guest programs yet')
