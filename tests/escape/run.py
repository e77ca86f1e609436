#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run - the escape programs in the sandbox, watched from outside: run.py [options] [PROGRAM[/CASE]...]

Role      One sandbox for each program; prints TAP: the cases the program reports, and `from_outside` for what only the
          host can see.
Rules     The monitor runs from a link of its own, so that each of its host processes is known by /proc/PID/exe. During
          the run: no process of it is outside its namespaces, holds a descriptor or a capability it should not,
          or has a child that is not of it. After the run: none is left, no file was made but the cached image,
          the bystander still lives. The sandbox ends with status 0 or 1, or 125 and one clear sentence.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests/lib'))
import patience     # noqa: E402
import watch        # noqa: E402 (found through the line above)


def make_image(programs, path):
    subprocess.run([ROOT / 'tools/mkimage', 'busybox', '--quiet', '--copy', f'{programs}:/bin/escape_all', path],
                   check=True)


def names(programs, wanted):
    """{program: [filter...]} of what was asked for."""
    listed = subprocess.run([programs, '--list'], capture_output=True, text=True, check=True).stdout.split()
    found = {}
    for name in listed:
        program = name.split('/')[0]
        if not wanted or program in wanted:
            found[program] = [program]
        elif name in wanted:
            found.setdefault(program, []).append(name)
    return found


class Sandbox:
    """One run of some cases in a folder of its own."""

    def __init__(self, args, image, folder):
        self.args, self.image, self.folder = args, image, folder
        self.monitor = folder / 'monitor'
        os.link(args.monitor, self.monitor) if same_device(args.monitor, folder) else copy(args.monitor, self.monitor)
        self.family = watch.Family(self.monitor)
        self.wrong = []

    def look(self, done):
        while not done.wait(0.2):
            self.wrong += self.family.check()

    def run(self, filters):
        before = set(self.folder.rglob('*')) | watch.places()
        done = threading.Event()
        watcher = threading.Thread(target=self.look, args=(done,))
        bystander = subprocess.Popen(['sleep', '1000'])
        child = subprocess.Popen([self.monitor, 'run', '--platform=process', '--privileged', '--memory', '640m',
                                  *self.args.option, self.image, '/bin/escape_all', '--patience', '3', *filters],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 env={**os.environ, 'XDG_CACHE_HOME': str(self.folder / 'cache')}, cwd=self.folder)
        watcher.start()
        try:
            out, err = child.communicate(timeout=patience.seconds(self.args.timeout))
        except subprocess.TimeoutExpired:
            child.kill()
            out, err = child.communicate()
            self.wrong.append(f'no end within {self.args.timeout} s')
        done.set()
        watcher.join()
        if bystander.poll() is not None:
            self.wrong.append('the bystander died')
        bystander.kill()
        bystander.wait()
        self.check_end(child.returncode, err.decode(errors='replace'), before)
        return out.decode(errors='replace'), err.decode(errors='replace')

    def check_end(self, status, err, before):
        sentences = [line for line in err.splitlines() if line.startswith('monitor: ')]
        if status not in (0, 1) and (status != 125 or len(sentences) != 1):
            self.wrong.append(f'status {status} with {len(sentences)} sentences of the monitor')
        if status == 125:
            self.wrong.append(sentences[0] if sentences else 'no reason')
        if not watch.soon(lambda: not self.family.pids()):
            self.wrong.append(f'processes are left: {self.family.pids()}')
        left = {p for p in (set(self.folder.rglob('*')) | watch.places()) - before
                if self.folder / 'cache' not in [p, *p.parents]}
        if left:
            self.wrong.append('files are left: ' + ' '.join(map(str, sorted(left))))


def same_device(a, b):
    return os.stat(a).st_dev == os.stat(b).st_dev


def copy(a, b):
    b.write_bytes(pathlib.Path(a).read_bytes())
    b.chmod(0o755)


def report(program, text, err, wrong):
    failed = False
    for line in text.splitlines():
        result = re.match(r'(not )?ok \d+ - \w+: (.*)', line)
        if result:
            failed |= bool(result[1])
            print(f'{result[1] or ""}ok - {program}/{result[2]}')
        elif line.startswith('#'):
            print(line)
    for line in [*dict.fromkeys(wrong)][:20]:
        print('# ' + line)
    killed = re.findall(r'^.guest. process \d+ killed: (.*)', err, re.M)
    for reason in sorted(set(killed)):
        print(f'# {killed.count(reason)} processes killed: {reason}')
    rest = [line for line in err.splitlines() if ' killed: ' not in line]
    for line in rest[-20:] if wrong or failed else []:
        print('# ' + line)
    print(f'{"not " if wrong else ""}ok - {program}/from_outside', flush=True)
    return failed or bool(wrong)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--monitor', type=pathlib.Path, default=ROOT / 'build/monitor')
    parser.add_argument('--programs', type=pathlib.Path, default=ROOT / 'build/tests/escape/escape_all')
    parser.add_argument('--option', action='append', default=[], help='passed to `monitor run`')
    parser.add_argument('--timeout', type=float, default=120, help='seconds for each program (120)')
    parser.add_argument('case', nargs='*')
    args = parser.parse_args()
    found, failed = names(args.programs, args.case), False
    with tempfile.TemporaryDirectory(prefix='escape.') as folder:
        image = pathlib.Path(folder) / 'image.tar'
        make_image(args.programs, image)
        for program, filters in found.items():
            own = pathlib.Path(folder) / program
            own.mkdir()
            start = time.monotonic()
            sandbox = Sandbox(args, image, own)
            text, err = sandbox.run(filters)
            failed |= report(program, text, err, sandbox.wrong)
            print(f'# {program}: {time.monotonic() - start:.1f} s', flush=True)
    return 1 if failed or not found else 0


if __name__ == '__main__':
    sys.exit(main())
