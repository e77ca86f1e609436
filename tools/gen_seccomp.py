#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gen_seccomp - vmm/seccomp*.tbl to a C table: gen_seccomp.py TABLE... OUT.h"""
import sys

*sources, out = sys.argv[1:]
rows = []
lines = [(s, number, line) for s in sources for number, line in enumerate(open(s), 1)]
for source, number, line in lines:
    line = line.split("#")[0].strip()
    if not line:
        continue
    words = line.split(None, 2)
    if len(words) < 3:
        sys.exit(f"{source}:{number}: write: thread call why")
    call, _, argument = words[1].partition(":")
    rows.append((words[0], call, argument, words[2]))

with open(out, "w") as f:
    f.write("/* generated from vmm/seccomp*.tbl */\n")
    for thread, call, argument, why in rows:
        has = "true" if argument else "false"
        f.write(f"{{ SANDBOX_{thread.upper()}, SYS_{call}, {has}, (uint32_t)({argument or 0}) }}, /* {why} */\n")
