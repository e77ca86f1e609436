#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# about: every fuzzer for ten seconds, over its corpus and beyond
# timeout: 900
# packages: build test
"""fuzz - a short run of each libFuzzer program that meson lists in the suite `fuzz`"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import suite        # noqa: E402

directory = suite.build('fuzz')
# A crash must not end with 77, libFuzzer's choice: that is a skip here.
if directory and suite.meson_tests(directory, 'fuzz', ['-runs=-1', '-max_total_time=10', '-error_exitcode=1',
                                                       f'-artifact_prefix={suite.ROOT}/build-logs/']) == 0:
    suite.skip('fuzz', 'there are no fuzzers yet')
