#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run - runs the suites of tests/suites and counts

Role      What `tools/dev test` calls. Finds the suites, runs them one after the other, reads their
          result lines (tests/lib/tap.py), says at the end what failed and how to run it again.
Rules     A suite is an executable file tests/suites/NN-NAME.EXT; NN is the order. Its first lines
          hold `# about:`, `# timeout:` (seconds), `# fast: yes` (part of the fast run) and
          `# packages:` (groups of tools/packages.txt). Its arguments are the cases wanted, none
          meaning all. A suite that ends with an error, reports nothing or runs out of time is a
          failure of its own; nothing it started outlives it. A case that failed is run once more, alone, at the
          end: when it passes then, it is told as flaky and counted as passed, or as failed with --strict;
          more than FLAKY_ALLOWED of them fail the run. The last line is always `N passed, N failed, N skipped`.
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
import family   # noqa: E402 (found through the line above)
import load     # noqa: E402
import patience     # noqa: E402
import tap      # noqa: E402

LOGS = ROOT / 'build-logs'
SHOWN_FAILURES = 30         # of one suite
LOOKED_AT_AGAIN = 10        # more failures than these are no accident
FLAKY_ALLOWED = 3
LOADED_PATIENCE = 4         # how much longer everything may take beside the load
TTY = sys.stdout.isatty()


class Suite:
    """A file of tests/suites and what its first lines say about it."""

    def __init__(self, path):
        self.path = path
        self.name = re.sub(r'^\d+-', '', path.stem)
        head = dict(re.findall(r'^# (\w+): *(.+)$', path.read_text()[:3000], re.M))
        self.about = head.get('about', '')
        self.timeout = patience.seconds(int(head.get('timeout', '300')))
        self.fast = head.get('fast') == 'yes'
        self.packages = head.get('packages', '').split()
        self.counts = {'ok': 0, 'fail': 0, 'skip': 0}
        self.skips = {}             # reason -> [names]
        self.failures = []          # (result, what was printed about it)
        self.passed = set()         # names

    def take(self, result, notes):
        self.counts[result.status] += 1
        if result.status == 'skip':
            self.skips.setdefault(result.text or 'no reason given', []).append(result.name)
        elif result.status == 'fail':
            self.failures.append((result, notes))
        else:
            self.passed.add(result.name)


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

    def __init__(self, suite, log, verbose, quiet):
        self.suite, self.log, self.verbose, self.quiet = suite, log, verbose, quiet
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
                self.suite.failures[-1][1].append(line)
                show('    ' + line)
            elif line.strip() and not re.match(r'(TAP version|1\.\.)', line):
                self.notes.append(line)
            return
        self.flush()
        self.suite.take(result, self.notes)
        if self.quiet:
            pass
        elif result.status == 'fail' and self.suite.counts['fail'] == SHOWN_FAILURES + 1:
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
        self.suite.take(result, self.notes)
        if self.quiet:
            return
        tell_failure(self.suite, result, self.notes)
        self.rerun = f'tools/dev test {self.suite.name}'
        self.flush()


def end_suite(child):
    """A suite has run out of time: it says what it was waiting for (tests/lib/suite.py), then ends."""
    try:
        os.killpg(child.pid, signal.SIGTERM)
    except ProcessLookupError:
        pass


def read_suite(child, reader, suite, position):
    """Reads what a suite prints to its end; returns whether it ended in time."""
    started, tick = time.monotonic(), 0.0
    rest, late = b'', False
    watch = selectors.DefaultSelector()
    watch.register(child.stdout, selectors.EVENT_READ)
    while True:
        now = time.monotonic()
        if now - started > suite.timeout and not late:
            late = True
            end_suite(child)
        if late and now - started > suite.timeout + 5:
            break           # it does not listen, or something it started holds the pipe
        if TTY and position and now - tick > 0.2:
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
    return not late


def run_suite(suite, cases, options, position='', log_name=None):
    """Runs a suite; without a POSITION (1/9) it is a second run, of which nothing is shown."""
    env = dict(os.environ, PYTHONDONTWRITEBYTECODE='1')
    if options.fast:
        env['MONITOR_TEST_FAST'] = '1'
    with open(LOGS / f'{log_name or suite.name}.log', 'w', buffering=1, errors='replace') as log:
        reader = Reader(suite, log, options.verbose, not position)
        if suite.packages and subprocess.call([ROOT / 'tools/dev', 'packages', *suite.packages]):
            reader.own_failure('its packages cannot be installed')
            return
        child = subprocess.Popen([suite.path, *cases], cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 start_new_session=True)
        try:
            in_time = read_suite(child, reader, suite, position)
            status = child.wait(timeout=10) if in_time else None
        finally:
            left = family.end(but=options.load)
        for line in left:
            reader.line(f'# left running: {line}')
        if not in_time:
            reader.own_failure(f'no end within its {suite.timeout:g} seconds')
        elif status and not suite.counts['fail']:
            reader.own_failure(f'ended with status {status}')
        elif not sum(suite.counts.values()):
            reader.own_failure('reported no result')
        reader.flush()


def show_suite(suite, position, seconds):
    show(heading(suite, position, seconds))
    for reason, names in suite.skips.items():
        shown = ', '.join(n for n in names[:6] if n) + (', ...' if len(names) > 6 else '')
        show(f'    {len(names)} skipped: {reason}' + (f' ({shown})' if shown else ''))


def passes_alone(suite, name, options):
    """Whether the failed case NAME passes when nothing else runs; and what it printed this time."""
    for case in dict.fromkeys((name, name.split('/')[0])):
        again = Suite(suite.path)
        run_suite(again, [case], options, log_name=f'{suite.name}.again')
        if name in again.passed:
            return True, []
        for result, notes in again.failures:
            if result.name in (name, ''):
                return False, notes
    return False, ['it did not run']


def look_again(chosen, options):
    """Runs each failed case once more. One that passes now is flaky: told with both outputs, and a pass."""
    failures = [(suite, result, notes) for suite, _ in chosen for result, notes in suite.failures if result.name]
    if len(failures) > LOOKED_AT_AGAIN:
        return []
    flaky = []
    for suite, result, notes in failures:
        show(f'once more, alone: {suite.name}:{result.name}')
        passed, second = passes_alone(suite, result.name, options)
        if passed:
            flaky.append((suite, result, notes))
        for line in [] if passed else ['fails again'] + second[-10:]:
            show('    ' + line)
    return flaky


def tell_flaky(flaky, options):
    if not flaky:
        return
    show('flaky:')
    for suite, result, notes in flaky:
        show(f'  {suite.name}:{result.name}: failed, then passed alone; the first time:')
        for line in ([result.text] if result.text else []) + notes[-25:]:
            show('    ' + line)
        if not options.strict:
            suite.counts['fail'] -= 1
            suite.counts['ok'] += 1


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
    p.add_argument('--loaded', action='store_true', help='beside two busy loops and a memory hog, with longer limits')
    p.add_argument('--strict', action='store_true', help='a case that fails once has failed, whatever it does alone')
    p.add_argument('-v', '--verbose', action='store_true', help='show everything the suites print')
    p.add_argument('names', metavar='SUITE[:CASE]', nargs='*', help='run these only')
    options = p.parse_args()
    if options.loaded:
        os.environ[patience.VARIABLE] = str(LOADED_PATIENCE)
    suites = find_suites()
    if options.list:
        for s in suites:
            print(f'{s.name:<12} {"fast" if s.fast else "    "}  {s.about}')
        return 0
    LOGS.mkdir(parents=True, exist_ok=True)
    family.adopt()
    with load.Load(options.loaded) as options.load:
        try:
            return run_all(choose(suites, options), options)
        except KeyboardInterrupt:
            show('stopped')
            return 130


def run_all(chosen, options):
    for index, (suite, cases) in enumerate(chosen, 1):
        started, position = time.monotonic(), f'{index}/{len(chosen)}'
        run_suite(suite, cases, options, position)
        show_suite(suite, position, time.monotonic() - started)
    flaky = look_again(chosen, options)
    tell_flaky(flaky, options)
    total = {key: sum(s.counts[key] for s, _ in chosen) for key in ('ok', 'fail', 'skip')}
    failed = [s.name for s, _ in chosen if s.counts['fail']]
    if failed:
        show(f'failed: {" ".join(failed)} (whole output: build-logs/)')
    if len(flaky) > FLAKY_ALLOWED:
        show(f'failed: {len(flaky)} flaky cases are more than {FLAKY_ALLOWED}')
    show(f'{total["ok"]} passed, {total["fail"]} failed, {total["skip"]} skipped')
    return 1 if total['fail'] or len(flaky) > FLAKY_ALLOWED else 0


if __name__ == '__main__':
    sys.exit(main())
