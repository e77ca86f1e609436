#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""list_programs - names of the test programs of a folder: every .c file in it"""
import pathlib
import sys

print("\n".join(sorted(p.stem for p in pathlib.Path(sys.argv[1]).glob("*.c"))))
