#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# about: promised instruction counts, on a test host whose clock counts instructions
# timeout: 600
# packages: build image testhost
"""perf - tools/bench/count within its limits; counts repeat, so this may fail a build"""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import suite        # noqa: E402


def main():
    directory = suite.build('gcc')
    if not directory:
        return
    if not (directory / 'monitor').exists():
        suite.skip('count', 'there is no monitor yet')
        return
    text, status = suite.run([suite.ROOT / 'tools/bench/count', '--check'], timeout=500)
    promised = re.findall(r'^(\w+) +\S+ +([\d.]+) .*?(\d+)$', text, re.M)
    for name, count, limit in promised:
        suite.check(name, float(count) <= float(limit), text)
    if not promised:
        suite.fail('count', f'ended with status {status}', text)


main()
