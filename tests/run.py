#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run - runs the suites of tests/suites and counts

Role      What `tools/dev test` calls. Finds the suites, runs them one after the other, reads their
          result lines (tests/lib/tap.py), says at the end what failed and how to run it again.
Rules     A suite is an executable file tests/suites/NN-NAME.EXT; NN is the order. Its first lines
          hold `# about:`, `# timeout:` (seconds), `# fast: yes` (part of the fast run) and
          `# packages:` (groups of tools/packages.txt). Its arguments are the cases wanted, none
          meaning all. A suite that ends with an error, reports nothing or runs out of time is a
          failure of its own. The last line is always `N passed, N failed, N skipped`.
See       tests/README.md
"""
import argparse
import os
import pathlib
import re
import selectors
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'tests/lib'))
import tap      # noqa: E402 (found through the line above)

LOGS = ROOT / 'build-logs'
SHOWN_FAILURES = 30         # of one suite
TTY = sys.stdout.isatty()


class Suite:
    """A file of tests/suites and what its first lines say about it."""

    def __init__(self, path):
        self.path = path
        self.name = re.sub(r'^\d+-', '', path.stem)
        head = dict(re.findall(r'^# (\w+): *(.+)$', path.read_text()[:3000], re.M))
        self.about = head.get('about', '')
        self.timeout = int(head.get('timeout', '300'))
        self.fast = head.get('fast') == 'yes'
        self.packages = head.get('packages', '').split()
        self.counts = {'ok': 0, 'fail': 0, 'skip': 0}
        self.skips = {}             # reason -> [names]

    def take(self, result):
        self.counts[result.status] += 1
        if result.status == 'skip':
            self.skips.setdefault(result.text or 'no reason given', []).append(result.name)


def find_suites():
    folder = ROOT / 'tests/suites'
    return [Suite(p) for p in sorted(folder.iterdir())
            if re.match(r'\d\d-', p.name) and os.access(p, os.X_OK)]


def show(text='', end='\n'):
    print(('\r\033[K' if TTY else '') + text, end=end, flush=True)


def tell_failure(suite, result, notes):
    label = f'{suite.name}:{result.name}' if result.name else suite.name
    show(f'  FAILED {label}' + (f': {result.text}' if result.text else ''))
    for line in notes[-25:]:
        show('    ' + line)


class Reader:
    """Turns the output lines of a suite into results, printing failures as they come."""

    def __init__(self, suite, log, verbose):
        self.suite, self.log, self.verbose = suite, log, verbose
        self.notes = []
        self.rerun = None           # command to print for the last failure

    def flush(self):
        if self.rerun:
            show('    run it again: ' + self.rerun)
        self.rerun = None

    def line(self, line):
        self.log.write(line + '\n')
        if self.verbose:
            show('  | ' + line)
        result = tap.parse(line)
        if result is None:
            if self.rerun and line.startswith('# rerun: '):
                self.rerun = line[len('# rerun: '):]
            elif self.rerun and line.startswith(' '):
                show('    ' + line)
            elif line.strip() and not re.match(r'(TAP version|1\.\.)', line):
                self.notes.append(line)
            return
        self.flush()
        self.suite.take(result)
        if result.status == 'fail' and self.suite.counts['fail'] == SHOWN_FAILURES + 1:
            show(f'  more failures of {self.suite.name}: build-logs/{self.suite.name}.log')
        elif result.status == 'fail' and self.suite.counts['fail'] <= SHOWN_FAILURES:
            tell_failure(self.suite, result, self.notes)
            case = ':' + result.name.split('/')[0] if result.name else ''
            self.rerun = f'tools/dev test {self.suite.name}{case}'
        self.notes = []

    def own_failure(self, text):
        """The suite as a whole went wrong."""
        self.flush()
        result = tap.Result('fail', '', text)
        self.suite.take(result)
        tell_failure(self.suite, result, self.notes)
        self.rerun = f'tools/dev test {self.suite.name}'
        self.flush()


def kill_group(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run_suite(suite, cases, position, options):
    env = dict(os.environ, PYTHONDONTWRITEBYTECODE='1')
    if options.fast:
        env['MONITOR_TEST_FAST'] = '1'
    started, tick = time.monotonic(), 0.0
    with open(LOGS / f'{suite.name}.log', 'w', errors='replace') as log:
        reader = Reader(suite, log, options.verbose)
        if suite.packages and subprocess.call([ROOT / 'tools/dev', 'packages', *suite.packages]):
            reader.own_failure('its packages cannot be installed')
            return
        child = subprocess.Popen([suite.path, *cases], cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 start_new_session=True)
        try:
            rest, late = b'', False
            watch = selectors.DefaultSelector()
            watch.register(child.stdout, selectors.EVENT_READ)
            while True:
                now = time.monotonic()
                if now - started > suite.timeout and not late:
                    late = True
                    kill_group(child)
                if late and now - started > suite.timeout + 5:
                    break           # something outside the process group holds the pipe
                if TTY and now - tick > 0.2:
                    tick = now
                    show(heading(suite, position, now - started), end='')
                if not watch.select(0.5):
                    continue
                block = os.read(child.stdout.fileno(), 65536)
                if not block:
                    break
                *lines, rest = (rest + block).split(b'\n')
                for line in lines:
                    reader.line(line.decode(errors='replace'))
            if rest:
                reader.line(rest.decode(errors='replace'))
            status = child.wait(timeout=10) if not late else None
        except (KeyboardInterrupt, subprocess.TimeoutExpired):
            kill_group(child)
            raise
        if late:
            reader.own_failure(f'no end within its {suite.timeout} seconds')
        elif status and not suite.counts['fail']:
            reader.own_failure(f'ended with status {status}')
        elif not sum(suite.counts.values()):
            reader.own_failure('reported no result')
        reader.flush()
    show(heading(suite, position, time.monotonic() - started))
    for reason, names in suite.skips.items():
        shown = ', '.join(n for n in names[:6] if n) + (', ...' if len(names) > 6 else '')
        show(f'    {len(names)} skipped: {reason}' + (f' ({shown})' if shown else ''))


def heading(suite, position, seconds):
    parts = [f'{suite.counts[key]} {word}' for key, word in
             (('ok', 'passed'), ('fail', 'failed'), ('skip', 'skipped')) if suite.counts[key]]
    return f'[{position}] {suite.name:<12} {seconds:6.1f} s  {", ".join(parts)}'


def choose(suites, options):
    """The suites to run, each with its cases."""
    if not options.names:
        return [(s, []) for s in suites if s.fast or not options.fast]
    cases = {}
    for word in options.names:
        name, _, case = word.partition(':')
        cases.setdefault(name, []).extend([case] if case else [])
    unknown = set(cases) - {s.name for s in suites}
    if unknown:
        sys.exit(f'no suite {", ".join(sorted(unknown))}; there are: '
                 + ', '.join(s.name for s in suites))
    return [(s, cases[s.name]) for s in suites if s.name in cases]


def main():
    p = argparse.ArgumentParser(prog='tools/dev test', description='Run the test suites.')
    p.add_argument('--fast', action='store_true', help='the fast suites only, on one machine')
    p.add_argument('--list', action='store_true', help='list the suites')
    p.add_argument('-v', '--verbose', action='store_true', help='show everything the suites print')
    p.add_argument('names', metavar='SUITE[:CASE]', nargs='*', help='run these only')
    options = p.parse_args()
    suites = find_suites()
    if options.list:
        for s in suites:
            print(f'{s.name:<12} {"fast" if s.fast else "    "}  {s.about}')
        return 0
    LOGS.mkdir(parents=True, exist_ok=True)
    chosen = choose(suites, options)
    for index, (suite, cases) in enumerate(chosen, 1):
        try:
            run_suite(suite, cases, f'{index}/{len(chosen)}', options)
        except KeyboardInterrupt:
            show('stopped')
            return 130
    total = {key: sum(s.counts[key] for s, _ in chosen) for key in ('ok', 'fail', 'skip')}
    failed = [s.name for s, _ in chosen if s.counts['fail']]
    if failed:
        show(f'failed: {" ".join(failed)} (whole output: build-logs/)')
    show(f'{total["ok"]} passed, {total["fail"]} failed, {total["skip"]} skipped')
    return 1 if total['fail'] else 0


if __name__ == '__main__':
    sys.exit(main())
