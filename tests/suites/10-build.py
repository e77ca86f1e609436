#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# about: gcc and clang build everything without a warning
# timeout: 900
# fast: yes
# packages: build test
"""build - every compiler builds the tree (in the fast run: gcc alone)"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import suite        # noqa: E402

for variant in ('gcc',) if suite.FAST else ('gcc', 'clang'):
    if suite.wanted(variant) and suite.build(variant):
        suite.ok(variant)
