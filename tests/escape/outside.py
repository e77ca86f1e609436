#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""outside - what the process machine takes from the host, holds, and gives back: outside.py [options] [CASE...]

Role      Each test_* function is a case. Prints TAP.
Rules     Counts are taken when the sandbox itself says that it is at rest. Between `settled` (the first wave of processes
          came and went, the pool of stubs is full) and `end` nothing may grow.
"""
import argparse
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests/lib'))
import watch        # noqa: E402 (found through the line above)

ARGS = None
FOLDER = None
CPUS = 2
KERNEL_CALLS_MAX = 12
POOL_MAX = 32           # arch/process/guest/stub.c
SLACK_KIB = 4096


class Sandbox:
    """A sandbox with a monitor of its own name, and its processes."""

    def __init__(self, *command, options=()):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=FOLDER))
        self.monitor = self.folder / 'monitor'
        shutil.copy(ARGS.monitor, self.monitor)
        self.family = watch.Family(self.monitor)
        self.child = subprocess.Popen(
            [self.monitor, 'run', '--platform=process', '--privileged', '-i', '--cpus', str(CPUS), '--memory', '768m',
             *ARGS.option, *options, FOLDER / 'image.tar', *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, errors='replace',
            env={**os.environ, 'XDG_CACHE_HOME': str(FOLDER / 'cache')})

    def phase(self, name):
        """Waits until the sandbox says that it has come that far."""
        for line in self.child.stdout:
            if line == f'phase {name}\n':
                return
            print('# ' + line.rstrip())
        raise AssertionError(f'no phase {name}: {self.child.stderr.read()}')

    def go_on(self):
        self.child.stdin.write('\n')
        self.child.stdin.flush()

    def end(self):
        out, err = self.child.communicate(timeout=60)
        assert self.child.returncode == 0, f'status {self.child.returncode}: {out}{err}'
        self.must_be_gone()

    def must_be_gone(self):
        assert watch.soon(lambda: not self.family.pids()), f'processes are left: {self.family.pids()}'
        shutil.rmtree(self.folder)


def show(name, totals):
    print(f'# {name:8} ' + ', '.join(f'{totals[k]} {k}' for k in ('processes', 'threads', 'fds', 'stub maps', 'kernel maps', 'kernel pages', 'kib')), flush=True)


def soak(waves, alive, options=()):
    sandbox, start = Sandbox('/bin/escape_all', '--helper', 'soak', str(waves), str(alive), options=options), time.monotonic()
    totals = {}
    for name in ('start', 'alive', 'settled', 'end'):
        sandbox.phase(name)
        totals[name] = sandbox.family.totals()
        show(name, totals[name])
        wrong = sandbox.family.check()
        assert not wrong, wrong
        sandbox.go_on()
    sandbox.end()
    print(f'# {waves * alive} processes in {time.monotonic() - start:.1f} s')
    settled, end = totals['settled'], totals['end']
    assert totals['alive']['processes'] >= alive, 'where are the processes?'
    assert end['processes'] <= POOL_MAX + 6, 'the pool of stubs keeps too many'
    # a stub that is kept gets a thread for each CPU it ever runs on
    assert end['threads'] <= end['processes'] * (1 + CPUS) + 20, f'{end["threads"]} threads'
    for what in ('processes', 'fds', 'stub maps'):
        assert end[what] <= settled[what] + (2 * POOL_MAX if 'maps' in what else 0), f'{what} grew from {settled[what]} to {end[what]}'
    assert end['kernel pages'] <= settled['kernel pages'] + 400, 'kernel mappings leak'   # stacks are kept for later
    assert end['kib'] <= settled['kib'] * 3 // 2 + SLACK_KIB, f'{settled["kib"]} KiB became {end["kib"]}'


HANDOVERS = ('spin', 'sleep', 'auto')


def test_soak():
    for name in HANDOVERS if ARGS.long else HANDOVERS[:2]:
        print(f'# handover: {name}')
        soak(1000 // 200 if ARGS.long else 2, 200 if ARGS.long else 70, [f'--handover={name}'])


def test_soak_without_rewriting():
    soak(2, 200 if ARGS.long else 40, ['--no-rewrite'])


def test_soak_under_the_debug_kernel():
    kernel = pathlib.Path(ARGS.monitor).parent / 'guestkernel/kernel_process_debug.elf'
    if not kernel.exists():
        raise LookupError('guestkernel/kernel_process_debug.elf is not built')
    soak(2, 100 if ARGS.long else 30, ['--debug-kernel', str(kernel)])     # panics when something leaked


def test_what_each_process_holds():
    sandbox = Sandbox('/bin/escape_all', '--helper', 'soak', '1', '6')
    sandbox.phase('start')
    sandbox.go_on()
    sandbox.phase('alive')
    try:
        held(sandbox.family)
    finally:
        sandbox.child.kill()
        sandbox.child.communicate()
    sandbox.must_be_gone()


def held(family):
    kinds = family.kinds()
    assert [len(kinds[k]) for k in ('caller', 'monitor', 'kernel', 'spawner')] == [1, 1, 1, 1] and len(kinds['stub']) >= 6, kinds
    assert not family.check(), family.check()
    for kind in ('kernel', 'spawner', 'stub'):
        for pid in kinds[kind]:
            fds = sorted(re.sub(r'^/.*', 'image', t.split(':')[0]) for t in watch.descriptors(pid))
            want = sorted(['image'] * 2 + ['anon_inode'] * (CPUS + 1))
            assert fds == want, f'{kind} {pid} holds {watch.descriptors(pid)}'
            status = watch.status_of(pid)
            assert status['NSpid'].split()[-1] == ('1' if kind == 'kernel' else status['NSpid'].split()[-1])
            assert status['TracerPid'] == '0' and status['Seccomp'] == watch.FILTERED
    print(f'# each of {sum(map(len, kinds.values()))} processes: memory file, image, {CPUS + 1} eventfds; no capability')
    for kind, filters in (('stub', '2'), ('app', '3')):
        for pid in kinds[kind]:
            assert len(os.listdir(f'/proc/{pid}/task')) == 1, f'{kind} {pid} has threads'
            assert watch.status_of(pid).get('Seccomp_filters', filters) == filters, f'{kind} {pid}: {watch.status_of(pid)}'
    for pid in kinds['app']:        # application threads have a table of descriptors of their own, which is empty
        assert not watch.descriptors(pid), f'{pid} holds {watch.descriptors(pid)}'
    assert len(kinds['app']) <= CPUS * len(kinds['stub']), kinds
    assert os.listdir(f'/proc/{kinds["kernel"][0]}/root') == [], 'its root directory is not empty'


def test_the_kernel_process_may_make_few_calls():
    rows = (ROOT / 'vmm/seccomp_process.tbl').read_text()
    for kind, most in (('kernel', KERNEL_CALLS_MAX), ('service', 11), ('app', 3)):
        calls = re.findall(rf'^{kind} +(\w+)', rows, re.M)
        print(f'# {kind}: {len(calls)} rows: {" ".join(sorted(set(calls)))}')
        assert 0 < len(calls) <= most, f'{len(calls)} calls'


def test_a_process_takes_as_many_host_threads_as_cpus_that_ran_it():
    sandbox = Sandbox('sh', '-c', 'for i in $(seq 200); do sleep 100 & done; echo phase alive; read x', options=['--cpus=4'])
    sandbox.phase('alive')
    totals = sandbox.family.totals()
    print(f'# 200 processes: {totals["threads"]} host threads')
    assert totals['processes'] >= 190 and totals['threads'] < 200 * 4, totals
    sandbox.child.kill()
    sandbox.child.communicate()
    sandbox.must_be_gone()


def test_the_limit_of_tasks_is_one_of_host_processes():
    sandbox = Sandbox('sh', '-c', 'for i in $(seq 100); do (sleep 100 &) 2>/dev/null; done; echo phase alive; read x',
                      options=['--pids-limit=40'])
    sandbox.phase('alive')
    totals = sandbox.family.totals()
    print(f'# a limit of 40: {totals["processes"]} processes, {totals["threads"]} threads of the host')
    assert 30 < totals['processes'] <= 40 + POOL_MAX + 6, totals
    sandbox.child.kill()
    sandbox.child.communicate()
    sandbox.must_be_gone()


def kill_monitor(sandbox, when):
    when()
    before = watch.places()
    os.kill(sandbox.child.pid, signal.SIGKILL)
    sandbox.child.communicate()
    sandbox.must_be_gone()
    return watch.places() - before


def cached():
    return sorted(p.name for p in (FOLDER / 'cache').rglob('*') if p.is_file())


def test_kill_9_of_the_monitor_leaves_nothing():
    warm = Sandbox('true')
    warm.end()
    clean = cached()
    for turn in range(30 if ARGS.long else 10):
        sandbox = Sandbox('/bin/escape_all', '--helper', 'soak', '3', '40')

        def when():
            if turn % 2:
                time.sleep(random.random() * 0.08)     # anywhere in the start
                return
            sandbox.phase('start')
            sandbox.go_on()
            if turn % 4 == 0:
                sandbox.phase('alive')
            else:
                time.sleep(random.random() * 0.2)
        left = kill_monitor(sandbox, when)
        assert not left, f'left: {left}'
    left = [name for name in cached() if name not in clean]
    assert not left, f'the cache has {left}'


def test_kill_9_of_the_kernel_process_is_said():
    sandbox = Sandbox('/bin/escape_all', '--helper', 'soak', '1', '20')
    sandbox.phase('start')
    sandbox.go_on()
    sandbox.phase('alive')
    os.kill(sandbox.family.kinds()['kernel'][0], signal.SIGKILL)
    err = sandbox.child.communicate()[1]
    assert sandbox.child.returncode == 125 and len(err.splitlines()) == 1, f'{sandbox.child.returncode}: {err}'
    assert 'kernel process was killed by signal 9' in err, err
    sandbox.must_be_gone()


def test_kill_9_of_a_stub_ends_its_process_alone():
    sandbox = Sandbox('sh', '-c', 'echo phase start; read x; (while :; do :; done) & (while :; do :; done) & echo phase alive; read x; wait')
    sandbox.phase('start')      # stubs of what is there now stay
    before = set(sandbox.family.kinds()['stub'])
    sandbox.go_on()
    sandbox.phase('alive')
    time.sleep(0.2)
    for pid in set(sandbox.family.kinds()['stub']) - before:
        os.kill(pid, signal.SIGKILL)
    sandbox.go_on()
    err = sandbox.child.communicate(timeout=30)[1]
    assert sandbox.child.returncode == 0 and err.count(' killed: ') == 2, f'{sandbox.child.returncode}: {err}'
    sandbox.must_be_gone()


def run_cases(wanted):
    failed = 0
    for name, case in [(n[5:], f) for n, f in globals().items() if n.startswith('test_')]:
        if wanted and name not in wanted:
            continue
        start = time.monotonic()
        try:
            case()
            print(f'ok - {name}')
        except LookupError as reason:
            print(f'ok - {name} # SKIP {reason}')
        except (AssertionError, subprocess.TimeoutExpired) as problem:
            failed += 1
            print('# ' + str(problem).replace('\n', '\n# '))
            print(f'not ok - {name}')
        print(f'# {name}: {time.monotonic() - start:.1f} s', flush=True)
    return 1 if failed else 0


def main():
    global ARGS, FOLDER
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--monitor', type=pathlib.Path, default=ROOT / 'build/monitor')
    parser.add_argument('--programs', type=pathlib.Path, default=ROOT / 'build/tests/escape/escape_all')
    parser.add_argument('--option', action='append', default=[], help='passed to `monitor run`')
    parser.add_argument('--long', action='store_true', help='1,000 processes, 200 alive; minutes')
    parser.add_argument('case', nargs='*')
    ARGS = parser.parse_args()
    if os.geteuid():
        print('ok - outside # SKIP looking into other processes needs root')
        return 0
    with tempfile.TemporaryDirectory(prefix='outside.') as folder:
        FOLDER = pathlib.Path(folder)
        subprocess.run([ROOT / 'tools/mkimage', 'busybox', '--quiet', '--copy', f'{ARGS.programs}:/bin/escape_all',
                        FOLDER / 'image.tar'], check=True)
        return run_cases(ARGS.case)


if __name__ == '__main__':
    sys.exit(main())
