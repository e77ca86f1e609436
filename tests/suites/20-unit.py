#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# about: host-side tests under ASan and UBSan (without in the fast run): unit, model, ABI, image and what else meson lists
# timeout: 600
# fast: yes
# packages: build test
"""unit - every meson suite that runs on the host and has no suite of its own here"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import suite        # noqa: E402

ELSEWHERE = {'syscalls', 'fuzz', 'guest', 'lint', 'programs', 'perf', 'stress'}

directory = suite.build('gcc' if suite.FAST else 'asan')
if directory:
    kinds = [kind for kind in suite.meson_suites(directory) if kind not in ELSEWHERE]
    for kind in kinds:
        suite.meson_tests(directory, kind)
    if not kinds:
        suite.skip('unit', 'there are no host-side tests yet')
