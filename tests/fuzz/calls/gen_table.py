#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gen_table - the calls and their arguments' kinds as C, for calls.c: gen_table.py SYSCALLS.JSON ARCH OUT.C"""
import json
import pathlib
import sys

# The kinds calls.c has values for; every other one is memory with anything in it.
KINDS = ('fd dirfd pid sig path strv in out iov iovout addr addrout msg msgout timespec timeval itimerspec size uid gid '
         'flags enum off num ptr').split()
AS = {'flags64': 'flags', 'senum': 'enum', 's32': 'num', 'u32': 'num', 's64': 'num', 'u64': 'num', 'hex32': 'num',
      'hex64': 'num', 'mode': 'num', 'dev': 'num', 'str': 'path'}


def main():
    table, arch, out = sys.argv[1:]
    rows = json.loads(pathlib.Path(table).read_text())
    lines = ['#include "tests/fuzz/calls/calls.h"', '', 'const struct call calls[] = {']
    for row in rows['calls'] if isinstance(rows, dict) else rows:
        number = row['numbers'][arch]
        if number is None or row['support'] == 'none' and number % 8:
            continue            # some that are not there too
        kinds = [AS.get(a['kind'], a['kind']) for a in row['args']]
        kinds = ['K_' + (k if k in KINDS else 'ptr').upper() for k in kinds]
        lines.append(f'\t{{ {number}, {len(kinds)}, "{row["name"]}", {{ {", ".join(kinds) or 0} }} }},')
    lines += ['};', 'const unsigned nr_calls = sizeof calls / sizeof calls[0];']
    pathlib.Path(out).write_text('\n'.join(lines) + '\n')


main()
