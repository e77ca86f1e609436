#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run - runs the system call programs inside a sandbox and judges their TAP

Role   tests/syscalls/run.py --monitor build/monitor --programs build/tests/syscalls/syscalls_all [filter...]
       packs the static multi-call binary into a root file system tar, starts one sandbox per program
       (or one for all with --once) and prints the TAP lines it produced.
Rules  a case in differences.txt marked `sandbox` is expected to fail and only reported; every other
       failed or missing case fails the run, and so does a sandbox that did not end cleanly (the debug kernel
       panics at the end when something leaked). A sandbox has --timeout seconds.
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
sys.path.insert(0, str(FOLDER.parent / "lib"))
import patience     # noqa: E402 (found through the line above)


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


def expected_differences(options):
    """{case: reason} of what is known to fail in the sandbox, or on the one machine that the options choose."""
    places = {"sandbox"} | {o.removeprefix("--platform=") for o in options if o.startswith("--platform=")}
    reasons = {}
    for line in (FOLDER / "differences.txt").read_text().splitlines():
        fields = line.split("#")[0].split(None, 2)
        if len(fields) == 3 and fields[1] in places:
            reasons[fields[0]] = fields[2]
    return reasons


def cases_of(programs, filters):
    names = subprocess.run([programs, "--list"], capture_output=True, text=True, check=True)
    for name in names.stdout.split():
        program = name.split("/")[0]
        if not filters or program in filters or name in filters:
            yield name


def run_sandbox(args, image, filters):
    command = args.monitor.split() + ["run", "--privileged"] + args.option + [str(image), "/bin/syscalls_all"]
    command += args.disturb
    try:
        done = subprocess.run(command + filters, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=patience.seconds(args.timeout), check=False)
        return done.stdout.decode(errors="replace"), done.returncode
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode(errors="replace"), "time limit"


def relay(output, status, wanted, differences, quiet):
    """Prints the results of one sandbox; returns how often each verdict came."""
    missing, counts = list(wanted), {"ok": 0, "skip": 0, "known": 0, "failed": 0}

    def report(verdict, name, text=""):
        counts[verdict] += 1
        if verdict == "ok" and quiet:
            return
        program, case = name.split("/", 1)
        start = "not ok" if verdict == "failed" else "ok"
        end = f" # SKIP known difference: {text}" if verdict == "known" else text
        print(f"{start} - {program}: {case}{end}", flush=True)

    for line in output.splitlines():
        found = re.match(r"(not )?ok \d+ - (\w+): (\w+)( # SKIP.*)?$", line)
        name = found and f"{found[2]}/{found[3]}"
        if name not in missing:
            if not line.startswith("1.."):
                print(line if line.startswith("#") else "# " + line)
            continue
        missing.remove(name)
        if not found[1]:
            report("skip" if found[4] else "ok", name, found[4] or "")
        elif name in differences:
            report("known", name, differences[name])
        else:
            report("failed", name)
    if not missing and status not in (0, 1):
        print(f"# the sandbox ended with {status}")
        report("failed", wanted[0].split("/")[0] + "/end_of_the_sandbox")
    for name in missing:
        if name in differences:
            report("known", name, differences[name])
        else:
            print(f"# no result; the sandbox ended with {status}")
            report("failed", name)
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    build = FOLDER.parents[1] / "build"
    parser.add_argument("--monitor", default=str(build / "monitor"))
    parser.add_argument("--programs", type=pathlib.Path, default=build / "tests/syscalls/syscalls_all")
    parser.add_argument("--option", action="append", default=[], help="passed to `monitor run`")
    parser.add_argument("--timeout", type=float, default=300, help="seconds per sandbox")
    parser.add_argument("--each", action="store_true",
                        help="one sandbox for every case, which must not fork for that")
    parser.add_argument("--once", action="store_true", help="one sandbox for all programs")
    parser.add_argument("--quiet", action="store_true", help="print only what went wrong")
    parser.add_argument("--fail-nth", type=int, help="debug kernel: run each case with allocations failing")
    parser.add_argument("--perturb", type=int, help="debug kernel: shake the schedules as this seed says")
    parser.add_argument("--patience", type=int, default=1, help="times the time a case has")
    parser.add_argument("filter", nargs="*", help="PROGRAM or PROGRAM/CASE")
    args = parser.parse_args()
    args.disturb = ["--fail-nth", str(args.fail_nth)] if args.fail_nth else []
    args.disturb += ["--perturb", str(args.perturb)] if args.perturb else []
    args.disturb += ["--patience", str(args.patience)] if args.patience > 1 else []
    groups, total = {}, {}
    for name in cases_of(args.programs.resolve(), args.filter):
        group = "all" if args.once else name if args.each else name.split("/")[0]
        groups.setdefault(group, []).append(name)
    differences = expected_differences(args.option)
    with tempfile.TemporaryDirectory() as tmp:
        image = pathlib.Path(tmp) / "syscalls.tar"
        make_image(args.programs, image)
        for group, names in groups.items():
            start = time.monotonic()
            filters = args.filter if args.once else names if args.filter else [group]
            if args.each:
                filters = ["--here", group]
            output, status = run_sandbox(args, image, filters)
            counts = relay(output, status, names, differences, args.quiet)
            for verdict, n in counts.items():
                total[verdict] = total.get(verdict, 0) + n
            if not args.quiet:
                print(f"# {group}: {time.monotonic() - start:.1f} s", flush=True)
    print("#", ", ".join(f"{n} {verdict}" for verdict, n in total.items()))
    return 1 if total.get("failed") or not total else 0


sys.exit(main())
