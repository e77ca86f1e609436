#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run - runs the system call programs inside a sandbox and judges their TAP

Role   tests/syscalls/run.py --monitor build/monitor --programs build/tests/syscalls/syscalls_all [filter...]
       packs the static multi-call binary into a root file system tar, starts one sandbox per program
       (or one for all with --once) and prints the TAP lines it produced.
Rules  a case in differences.txt marked `sandbox` is expected to fail and only reported; every other
       failed or missing case fails the run. A sandbox has --timeout seconds.
"""
import argparse
import io
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import time

FOLDER = pathlib.Path(__file__).resolve().parent


def make_image(programs, path):
    def add(tar, name, kind=tarfile.DIRTYPE, mode=0o755, data=b""):
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.size = kind, mode, len(data)
        tar.addfile(info, io.BytesIO(data))

    with tarfile.open(path, "w") as tar:
        for name in ("dev", "proc", "sys", "etc", "root", "bin", "usr"):
            add(tar, name)
        add(tar, "tmp", mode=0o1777)
        add(tar, "etc/passwd", tarfile.REGTYPE, 0o644, b"root:x:0:0:root:/root:/bin/sh\n")
        add(tar, "etc/group", tarfile.REGTYPE, 0o644, b"root:x:0:\n")
        add(tar, "bin/syscalls_all", tarfile.REGTYPE, 0o755, programs.read_bytes())


def expected_differences():
    names = set()
    for line in (FOLDER / "differences.txt").read_text().splitlines():
        fields = line.split("#")[0].split(None, 2)
        if len(fields) >= 2 and fields[1] == "sandbox":
            names.add(fields[0])
    return names


def cases_of(programs, filters):
    names = subprocess.run([programs, "--list"], capture_output=True, text=True, check=True)
    for name in names.stdout.split():
        program = name.split("/")[0]
        if not filters or program in filters or name in filters:
            yield name


def run_sandbox(args, image, filters):
    command = args.monitor.split() + ["run"] + args.option + [str(image), "/bin/syscalls_all"]
    try:
        done = subprocess.run(command + filters, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=args.timeout, check=False)
        return done.stdout.decode(errors="replace"), done.returncode
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode(errors="replace"), "time limit"


def judge(output, wanted):
    """Returns {case: 'ok' | 'not ok' | 'skip' | 'missing'}."""
    result = dict.fromkeys(wanted, "missing")
    for line in output.splitlines():
        m = re.match(r"(not )?ok \d+ - (\w+): ([^#]*?)\s*(# SKIP.*)?$", line)
        if not m:
            continue
        name = m[2] + "/" + m[3].replace(" ", "_")
        result[name] = "not ok" if m[1] else "skip" if m[4] else "ok"
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--monitor", default="build/monitor")
    parser.add_argument("--programs", type=pathlib.Path, default="build/tests/syscalls/syscalls_all")
    parser.add_argument("--option", action="append", default=[], help="passed to `monitor run`")
    parser.add_argument("--timeout", type=float, default=120)
    parser.add_argument("--once", action="store_true", help="one sandbox for all programs")
    parser.add_argument("--quiet", action="store_true", help="print only what went wrong")
    parser.add_argument("filter", nargs="*", help="PROGRAM or PROGRAM/CASE")
    args = parser.parse_args()
    wanted = list(cases_of(args.programs.resolve(), args.filter))
    groups = {}
    for name in wanted:
        groups.setdefault("all" if args.once else name.split("/")[0], []).append(name)
    differences, bad, counts = expected_differences(), [], {}
    with tempfile.TemporaryDirectory() as tmp:
        image = pathlib.Path(tmp) / "syscalls.tar"
        make_image(args.programs, image)
        for group, names in groups.items():
            start = time.monotonic()
            filters = args.filter if args.once else names if args.filter else [group]
            output, status = run_sandbox(args, image, filters)
            result = judge(output, names)
            for name, verdict in result.items():
                if verdict in ("not ok", "missing") and name in differences:
                    result[name] = "expected difference"
                counts[result[name]] = counts.get(result[name], 0) + 1
            wrong = [n for n, v in result.items() if v in ("not ok", "missing")]
            bad += wrong
            if wrong or not args.quiet:
                print(f"## {group}: status {status}, {time.monotonic() - start:.1f} s")
                print(output if not args.quiet else
                      "\n".join(l for l in output.splitlines() if not l.startswith("ok ")), flush=True)
    print("##", ", ".join(f"{n} {k}" for k, n in sorted(counts.items())))
    for name in bad:
        print("## FAILED", name)
    return bool(bad)


sys.exit(main())
