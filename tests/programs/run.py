#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run - runs real programs natively and in the sandbox and compares what they print

Role      tests/programs/run.py [options] [CASE...]; a case is a script scripts/CASE.sh or a function of
          interactive.py. Prints TAP.
Rules     A script's first lines say `# image:`, `# about:`, `# timeout:` (seconds) and `# options:` (for
          `monitor run`). It must print the same bytes on standard output and standard error and end with the
          same status in both places. An interactive case must pass in both places. Nothing is compared
          that may differ by nature: scripts print no process ids, times or sizes of memory.
"""
import argparse
import difflib
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import interactive  # noqa: E402 (found through the line above)
import patience     # noqa: E402
import place        # noqa: E402

FOLDER = pathlib.Path(__file__).resolve().parent
# A sandbox of another machine says so.
OWN_NAMES = [("/lib/ld-linux-aarch64.so.1", "/lib64/ld-linux-x86-64.so.2"), ("ARM aarch64", "x86-64"), ("aarch64", "x86_64"),
             ("armv8l", "i686"), ("arm64", "x64")]


class Script:
    """A shell script and what its first lines say about it."""

    def __init__(self, path):
        self.name, self.text = path.stem, path.read_text()
        head = dict(re.findall(r"^# (\w+): *(.+)$", self.text[:1000], re.M))
        self.image, self.about = head.get("image", "full"), head.get("about", "")
        self.timeout = int(head.get("timeout", "120"))
        self.options = head.get("options", "").split()

    def run_in(self, where):
        """(standard output, standard error, status) in that place."""
        command = where.command(self.image, ["sh", "-c", self.text], options=self.options)
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, start_new_session=True)
        try:
            out, err = child.communicate(timeout=patience.seconds(self.timeout))
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            out, err = child.communicate()
            err += f"\nno end within {self.timeout} seconds\n".encode()
        texts = [text.decode(errors="replace") for text in (out, err)]
        for theirs, ours in OWN_NAMES if where.is_foreign else []:
            texts = [text.replace(theirs, ours) for text in texts]
        return *texts, child.returncode

    def check(self, places):
        """Runs in every place; returns what differs, or an empty list."""
        results = []
        for where in places:
            start = time.monotonic()
            results.append(self.run_in(where))
            print(f"# {self.name}: {where.name}, {time.monotonic() - start:.1f} s, "
                  f"status {results[-1][2]}", flush=True)
        first, wrong = results[0], []
        if places[0].name == "native" and first[2] != 0:
            wrong += [f"fails natively with status {first[2]}", *first[1].splitlines()[-10:]]
        for where, result in zip(places[1:], results[1:]):
            for stream, a, b in (("output", first[0], result[0]), ("errors", first[1], result[1])):
                wrong += difflib.unified_diff(a.splitlines(), b.splitlines(), f"native {stream}",
                                              f"{where.name} {stream}", lineterm="", n=1)
            if first[2] != result[2]:
                wrong.append(f"status {first[2]} natively, {result[2]} in the {where.name}")
        return wrong


def report(name, wrong):
    for line in wrong[:60]:
        print("# " + line)
    print(("not ok - " if wrong else "ok - ") + name, flush=True)
    return bool(wrong)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    images = os.environ.get("MONITOR_TEST_IMAGES", place.BUILD / "images")
    parser.add_argument("--monitor", default=str(place.BUILD / "monitor"))
    parser.add_argument("--images", type=pathlib.Path, default=images, help="folder of IMAGE.tar")
    parser.add_argument("--sandbox-images", type=pathlib.Path, help="of another machine's, for the sandbox alone")
    parser.add_argument("--sandbox-arch", help="Debian's name of that machine")
    parser.add_argument("--platform", default="auto", help="what runs the sandbox")
    parser.add_argument("--native-only", action="store_true")
    parser.add_argument("--sandbox-only", action="store_true", help="show its output, compare nothing")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("case", nargs="*")
    args = parser.parse_args()
    scripts = [Script(p) for p in sorted((FOLDER / "scripts").glob("*.sh"))]
    sessions = interactive.CASES
    if args.list:
        for case in [*scripts, *sessions]:
            print(f"{case.name:24} {case.image:8} {case.about}")
        return 0
    wanted = [c for c in [*scripts, *sessions] if not args.case or c.name in args.case]
    if not wanted:
        print("no such case", file=sys.stderr)
        return 1
    place.need_images(args.images, {c.image for c in wanted})
    if args.sandbox_images:
        place.need_images(args.sandbox_images, {c.image for c in wanted}, ["--arch", args.sandbox_arch])
    places = [place.Native(args.images), place.Sandbox(args.sandbox_images or args.images, args.monitor, args.platform)]
    places[1].is_foreign = args.sandbox_images is not None
    places = places[:1] if args.native_only else places[1:] if args.sandbox_only else places
    failed = 0
    for case in wanted:
        if args.sandbox_only and isinstance(case, Script):
            out, err, status = case.run_in(places[0])
            print(out, err, f"status {status}", sep="\n")
        else:
            failed += report(case.name, case.check(places))
    for where in places:
        where.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
