#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# about: every fuzzer for ten seconds, over its corpus and beyond; random system calls in a sandbox for twenty
# timeout: 900
# packages: build test
"""fuzz - a short run of each libFuzzer program that meson lists in the suite `fuzz`, and of tests/fuzz/calls in a sandbox

Longer: tests/fuzz/calls/run.py --platform=kvm --seconds=3600
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import suite        # noqa: E402

directory = suite.build('fuzz') if not suite.CASES or suite.CASES != ['calls'] else None
# A crash must not end with 77, libFuzzer's choice: that is a skip here.
if directory and suite.meson_tests(directory, 'fuzz', ['-runs=-1', '-max_total_time=10', '-error_exitcode=1',
                                                       f'-artifact_prefix={suite.ROOT}/build-logs/']) == 0:
    suite.skip('fuzz', 'there are no fuzzers yet')

if suite.wanted('calls'):
    directory = suite.build('gcc')
    if directory:
        suite.relay('calls', [suite.ROOT / 'tests/fuzz/calls/run.py', '--monitor', directory / 'monitor',
                              '--program', directory / 'tests/fuzz/calls', '--seconds', '20'], 200)
