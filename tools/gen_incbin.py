#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gen_incbin - an assembly file that embeds a binary between two symbols: gen_incbin.py SYMBOL BINARY OUT.S"""
import sys

symbol, binary, out = sys.argv[1:]
with open(out, "w") as f:
    f.write(f"""\t.section .rodata
\t.globl {symbol}, {symbol}_end
\t.balign 4096
{symbol}:
\t.incbin "{binary}"
{symbol}_end:
\t.balign 4096
\t.section .note.GNU-stack,"",@progbits
""")
