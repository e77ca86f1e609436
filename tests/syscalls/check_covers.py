#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_covers - every full or partial row of the call table must name a test program

Role   reads guestkernel/syscalls.tbl and tests/syscalls/covers.txt (`program: call call`); a call is
       covered by a program of its own name or by the line of another.
Rules  prints TAP; a program that does not exist or a call listed twice is an error too.
"""
import pathlib
import sys


def read_covers(folder, problems):
    covered = {p.stem for p in folder.glob("*.c")}
    programs = set((folder / "programs.txt").read_text().split())
    problems += [f"{name}.c is not in programs.txt" for name in sorted(covered - programs)]
    for line in (folder / "covers.txt").read_text().splitlines():
        line = line.split("#")[0].strip()
        if not line:
            continue
        program, calls = line.split(":")
        if program not in programs:
            problems.append(f"covers.txt names {program}.c, which does not exist")
        covered.update(calls.split())
    return covered


def rows(table):
    for line in table.read_text().splitlines():
        fields = line.split("#")[0].split()
        if len(fields) >= 4 and fields[3] in ("full", "partial"):
            yield fields[2]


def main():
    root = pathlib.Path(sys.argv[1])
    table = root / "guestkernel" / "syscalls.tbl"
    problems = []
    covered = read_covers(root / "tests" / "syscalls", problems)
    if table.exists():
        problems += [f"{name} has no test program" for name in rows(table) if name not in covered]
    print("1..1")
    print("not ok 1 - covers" if problems else "ok 1 - covers")
    for problem in problems:
        print("#", problem)
    return bool(problems)


sys.exit(main())
