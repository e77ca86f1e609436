# SPDX-License-Identifier: Apache-2.0
"""patience - how long a test waits before it takes something for hung

Rules     Limits are guards against what never ends, not promises of speed: on a machine that is busy on purpose
          (tests/run.py --loaded) all of them are longer by one factor.
"""
import os

VARIABLE = 'MONITOR_TEST_PATIENCE'


def seconds(limit):
    return limit * float(os.environ.get(VARIABLE) or 1)
