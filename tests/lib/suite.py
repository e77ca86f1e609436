# SPDX-License-Identifier: Apache-2.0
"""suite - what a Python suite in tests/suites needs

Role      Prints results as tests/run.py wants them, and runs the tests that meson knows of.
Rules     Results appear on standard output as they are known. A test program gets its time limit
          from meson.build and its own process group, which is killed with it.
See       tests/README.md
"""
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import patience     # noqa: E402 (a sibling, found through the line above)
import tap      # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
FAST = os.environ.get('MONITOR_TEST_FAST') == '1'
NAME = pathlib.Path(sys.argv[0]).stem.partition('-')[2]
SANITIZERS = {'ASAN_OPTIONS': 'abort_on_error=1:print_summary=1',
              'UBSAN_OPTIONS': 'halt_on_error=1:abort_on_error=1:print_stacktrace=1'}
# of a compiler or a linker, not of a package being installed
COMPILER_WARNING = re.compile(r'^(?:\S+:\d+(?::\d+)?|\S*(?:cc|gcc|clang|ld)(?:-\d+)?): warning: .*', re.M)
CASES = sys.argv[1:]        # what to run; empty: everything


def wanted(name):
    """Whether the case NAME, or NAME's parent, was asked for."""
    return not CASES or any(name == c or name.startswith(c + '/') or c.startswith(name + '/')
                            for c in CASES)


def emit(status, name, text='', details='', rerun=''):
    lines = details.splitlines() if isinstance(details, str) else details
    for line in lines[-40:]:
        print(line if line.startswith('#') else '# ' + line)
    print(tap.Result(status, name, text).line())
    if rerun and status == 'fail':
        print('# rerun: ' + rerun)
    sys.stdout.flush()


def ok(name, text=''):
    emit('ok', name, text)


def fail(name, text='', details='', rerun=''):
    emit('fail', name, text, details, rerun)


def skip(name, reason):
    emit('skip', name, reason)


def check(name, condition, details=''):
    emit('ok' if condition else 'fail', name, details='' if condition else details)


class Child:
    """A program in its own process group, its output through a pipe, killed when its time is over."""

    running = set()

    def __init__(self, args, timeout, cwd=ROOT, env=None, **more):
        self.args, self.limit, self.text, self.is_late = [str(a) for a in args], patience.seconds(timeout), b'', False
        self.process = subprocess.Popen(self.args, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        start_new_session=True, env={**os.environ, **(env or {})}, **more)
        self.timer = threading.Timer(self.limit, self.late)
        self.timer.start()
        Child.running.add(self)

    def kill(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def late(self):
        self.is_late = True
        self.kill()

    def blocks(self):
        """What it prints, as it comes, to its end."""
        try:
            while block := os.read(self.process.stdout.fileno(), 65536):
                self.text += block
                yield block
            self.process.wait()
        finally:
            self.timer.cancel()
            Child.running.discard(self)

    def say_and_end(self):
        print(f'# still running: {" ".join(self.args)}')
        for line in self.text.decode(errors='replace').splitlines()[-25:]:
            print('# ' + line)
        self.kill()


def out_of_time(signum, frame):
    """The suite's own time is over (tests/run.py says so with SIGTERM): tells what it was waiting for."""
    for child in list(Child.running):
        child.say_and_end()
    sys.stdout.flush()
    os._exit(1)


signal.signal(signal.SIGTERM, out_of_time)


def run(args, timeout=60, env=None, cwd=ROOT, **more):
    """Run a program in its own process group; returns (output, status), status 124 when out of time."""
    if not shutil.which(str(args[0]), path=f'{os.environ["PATH"]}:{cwd}') \
            and not (pathlib.Path(cwd) / str(args[0])).exists():
        return f'{args[0]}: no such program', 127
    child = Child(args, timeout, cwd, env, **more)
    for _ in child.blocks():
        pass
    text = child.text.decode(errors='replace')
    if child.is_late:
        return f'{text}\nno end within {child.limit:g} seconds\n', 124
    return text, child.process.returncode


def testhost(arch, timeout, *options):
    """The words before a command that is to run on a fresh test host and to end within TIMEOUT seconds."""
    return [ROOT / 'tools/testhost', arch, *options, '--env', patience.VARIABLE, '--timeout',
            patience.seconds(timeout), '--']


def build(variant):
    """tools/dev build --tests VARIANT; returns the directory, or None after reporting the failure."""
    text, status = run([ROOT / 'tools/dev', 'build', '--tests', variant], timeout=1200)
    if status:
        fail('build-' + variant, details=text, rerun=f'tools/dev build --tests {variant}')
        return None
    warnings = COMPILER_WARNING.findall(text)
    if warnings:
        fail('build-' + variant, 'there are warnings', '\n'.join(warnings), f'tools/dev build --tests {variant}')
        return None
    return ROOT / ('build' if variant == 'gcc' else 'build-' + variant)


def run_test(test, extra, prefix):
    """One meson test; returns its results, each with the commentary that led to it."""
    limit = test['timeout'] or 3600
    text, status = run(test['cmd'] + extra, timeout=limit, env={**SANITIZERS, **test['env']},
                       cwd=test['workdir'] or ROOT)
    name = prefix + test['name'].replace(' ', '-')
    results, notes = [], text.splitlines()
    if test['protocol'] == 'tap':
        *results, (_, notes) = tap.results(notes)
    elif status == 77:
        return [(tap.Result('skip', name, (notes or ['no reason given'])[-1]), [])]
    for result, _ in results:
        case = result.name.removeprefix(test['name']).lstrip('/')
        result.name = f'{name}/{case}' if case else name
    if status and not any(r.status == 'fail' for r, _ in results):
        results.append((tap.Result('fail', name, f'exit status {status}'), notes))
    elif not results:
        results.append((tap.Result('ok', name), []))
    return results


def introspect(directory):
    """What meson knows of the tests of a build directory."""
    text, status = run(['meson', 'introspect', '--tests', directory])
    if status:
        fail('introspect', details=text)
        return []
    return json.loads(text)


def meson_suites(directory):
    """The names of meson's suites, sorted."""
    return sorted({s.split(':')[-1] for t in introspect(directory) for s in t['suite']})


def meson_tests(directory, suite, extra=(), prefix='', jobs=None):
    """Run the tests of a meson suite that are wanted; returns how many there were.

    PREFIX stands before their names, for suites that run the same tests in several places.
    """
    tests = [t for t in introspect(directory)
             if any(s.split(':')[-1] == suite for s in t['suite'])
             and wanted(prefix + t['name'].replace(' ', '-'))]
    if tests:       # test programs need not be part of the default build
        text, status = run(['ninja', '-C', directory, 'meson-test-prereq'], timeout=900)
        if status:
            fail('building-tests', details=text)
            return len(tests)
    with concurrent.futures.ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        for test, results in zip(tests, pool.map(lambda t: run_test(t, list(extra), prefix), tests)):
            again = f'tools/dev test {NAME}:{prefix}{test["name"].replace(" ", "-")}'
            for result, notes in results:
                emit(result.status, result.name, result.text,
                     notes if result.status == 'fail' else [], again)
    return len(tests)


def stream(args, timeout):
    """The output lines of a program as they come, then its status as an integer."""
    child, rest = Child(args, timeout), b''
    for block in child.blocks():
        *lines, rest = (rest + block).split(b'\n')
        for line in lines:
            yield line.decode(errors='replace')
    if rest:
        yield rest.decode(errors='replace')
    if child.is_late:
        yield f'# no end within {child.limit:g} seconds'
    yield child.process.returncode


def relay(place, command, timeout):
    """Run a program that prints TAP and pass its results on as PLACE/name."""
    status, seen = 0, set()

    def lines():
        nonlocal status
        for line in stream(command, timeout):
            if isinstance(line, str):
                yield line
            else:
                status = line
    for result, comments in tap.results(lines()):
        if result is None:
            break
        seen.add(result.status)
        again = f'tools/dev test {NAME}:{place}/' + result.name.split('/')[0]
        emit(result.status, f'{place}/{result.name}' if result.name else place, result.text,
             comments if result.status == 'fail' else [], again.rstrip('/'))
    if not seen or status not in (0, 1) or (status and 'fail' not in seen):
        fail(place, f'ended with status {status}', comments)
