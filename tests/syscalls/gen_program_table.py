#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gen_program_table - writes the C table of all test programs: gen_program_table OUT NAME..."""
import sys

out, names = sys.argv[1], sys.argv[2:]
with open(out, "w", encoding="ascii") as f:
    f.write('#include "tests/lib/t.h"\n\n')
    for name in names:
        f.write(f"extern const struct t_program t_program_{name};\n")
    f.write("extern const struct t_program *const t_programs[];\n")
    f.write("const struct t_program *const t_programs[] = {\n")
    for name in names:
        f.write(f"\t&t_program_{name},\n")
    f.write("\tNULL,\n};\n")
