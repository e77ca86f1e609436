#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gen_seccomp - vmm/seccomp*.tbl to rows of struct filter_row: gen_seccomp.py TABLE... OUT.h"""
import re
import sys

CONDITIONS_MAX = 7
OPS = {'=': 'FILTER_EQ', '<': 'FILTER_BELOW', '>': 'FILTER_FROM', '!': 'FILTER_NONE_OF'}
# known when the filter is built
OWN = {'@tgid': 'FILTER_OWN_TGID', '@vcpu': 'FILTER_OWN_VCPU', '@machine': 'FILTER_OWN_MACHINE'}
MACHINES = ('any', 'kvm', 'process')


def condition(text, where):
    """VALUE (of argument 1), or N=VALUE, N<VALUE, N>VALUE, N!MASK, each also of the upper half: Nh=VALUE; N=@NAME."""
    m = re.fullmatch(r'([0-5])(h?)([=<>!])(\S+)', text)
    if not m and not re.fullmatch(r'\w+', text):
        sys.exit(f"{where}: a condition is VALUE, or N or Nh with =, <, > or ! and VALUE, not {text}")
    arg, half, op, value = m.groups() if m else ('1', '', '=', text)
    if value.startswith('@'):
        if op != '=' or value not in OWN:
            sys.exit(f"{where}: a thread's own values are {' '.join(OWN)}, after =")
        return f"{{ {arg}, 0, {OWN[value]}, 0 }}"
    shift = ' >> 32' if half else ''
    return f"{{ {arg}, {4 if half else 0}, {OPS[op]}, (uint32_t)((uint64_t)({value}){shift}) }}"


*sources, out = sys.argv[1:]
rows, machine = [], 'any'
lines = [(f"{s}:{number}", line) for s in sources for number, line in enumerate(open(s), 1)]
for where, line in lines:
    line = line.split("#")[0].strip()
    if not line:
        continue
    words = line.split(None, 2)
    if words[0] == "machine":
        if len(words) != 2 or words[1] not in MACHINES:
            sys.exit(f"{where}: write: machine {'|'.join(MACHINES)}")
        machine = words[1]
        continue
    if len(words) < 3:
        sys.exit(f"{where}: write: thread call why")
    call, _, text = words[1].partition(":")
    conditions = [condition(c, where) for c in text.split(",")] if text else []
    if len(conditions) > CONDITIONS_MAX:
        sys.exit(f"{where}: more than {CONDITIONS_MAX} conditions")
    rows.append((machine.upper(), words[0].upper(), call, conditions, words[2]))

with open(out, "w") as f:
    f.write("/* generated from vmm/seccomp*.tbl */\n")
    for machine, thread, call, conditions, why in rows:
        inner = "{ " + ", ".join(conditions) + " }" if conditions else "{ { 0, 0, 0, 0 } }"
        f.write(f"{{ SANDBOX_{machine}, SANDBOX_{thread}, SYS_{call}, {len(conditions)}, {inner} }}, /* {why} */\n")
