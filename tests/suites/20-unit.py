#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# about: host-side unit, model and ABI tests under ASan and UBSan
# timeout: 600
# fast: yes
# packages: build test
"""unit - what runs on the host: unit, failure-loop and model tests, the ABI comparison"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import suite        # noqa: E402

directory = suite.build('asan')
if directory:
    for kind in ('unit', 'model', 'abi', 'race'):
        if suite.meson_tests(directory, kind) == 0 and not suite.CASES:
            suite.skip(kind, 'there are no tests of this kind yet')
