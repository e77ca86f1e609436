#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lock_in - what every process of a running sandbox still has of the host: lock_in.py [--monitor FILE] [CASE...]

Role      Each test_* function is a case. Prints TAP, and for each process its user, namespaces, descriptors and the
          system calls its filters let pass, as the host sees them.
Rules     Run as root, which starts sandboxes as itself and as an ordinary user: what is looked at is the same.
          The budget is that of vmm/seccomp.tbl.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests/lib'))
import filters      # noqa: E402 (found through the line above)
import watch        # noqa: E402

ORDINARY = 1000
VCPU_MAX, MONITOR_MAX, KERNEL_MAX, CALLER_MAX = 8, 25, 12, 25
THREADS = {'monitor', 'vcpu', 'stream', 'forward', 'watchdog'}
ARGS = None
FOLDER = None


class Skip(Exception):
    pass


def names():
    """{number: name} of system calls, from the host's header."""
    text = subprocess.run(['gcc', '-E', '-dM', '-x', 'c', '-'], input='#include <sys/syscall.h>\n', capture_output=True,
                          text=True).stdout
    return {int(n): name for name, n in re.findall(r'^#define __NR_(\w+) (\d+)$', text, re.M)}


def as_user(uid):
    return ['setpriv', f'--reuid={uid}', f'--regid={uid}', '--clear-groups'] if uid else []


def start(platform, uid, *options):
    """A sandbox that has said "ready", of a monitor with a name of its own."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=FOLDER))
    shutil.copy(ARGS.monitor, folder / 'monitor')
    (folder / 'cache').mkdir()
    os.chown(folder / 'cache', uid, uid)
    folder.chmod(0o755)
    program = [*as_user(uid), folder / 'monitor', 'run', f'--platform={platform}', '--cpus=2', '--memory=256m', '-i', *options,
               FOLDER / 'image.tar', 'sh', '-c', 'echo ready; read x']
    if platform == 'kvm' and uid:     # everybody may use /dev/kvm, in a mount namespace of this test
        program = ['unshare', '-m', 'sh', '-c', 'mknod -m 666 "$0" c 10 232 && mount --bind "$0" /dev/kvm && exec "$@"',
                   folder / 'kvm', *program]
    inherited = os.open('/etc/passwd', os.O_RDONLY)
    child = subprocess.Popen([str(w) for w in program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True, env={**os.environ, 'XDG_CACHE_HOME': str(folder / 'cache')}, pass_fds=[inherited],
                             cwd='/')
    os.close(inherited)
    line = child.stdout.readline()
    assert line == 'ready\n', f'{line}{child.stderr.read()}'
    return child, watch.Family(folder / 'monitor')


def tasks(pid):
    return sorted(map(int, os.listdir(f'/proc/{pid}/task')))


def calls(pid, call_names):
    """{thread name: set of calls} of a process."""
    found = {}
    for tid in tasks(pid):
        name = watch.read(f'{pid}/task/{tid}', 'comm').strip()
        got = filters.calls_of(tid)
        assert got is not None, f'thread {name} of {pid} has no filter'
        found.setdefault(name, set()).update(call_names.get(n, str(n)) for n in got)
    return found


def show(kind, pid):
    status = watch.status_of(pid)
    print(f'# {kind} {pid}: uid {status["Uid"].split()[0]} gid {status["Gid"].split()[0]} groups [{status["Groups"].strip()}] '
          f'pids {status["NSpid"].split()} caps {status["CapPrm"]} {status["CapBnd"]} nnp {status["NoNewPrivs"]}')
    own = [ns for ns in watch.NAMESPACES if watch.link(f'/proc/{pid}/ns/{ns}') != watch.link(f'/proc/self/ns/{ns}')]
    print(f'#   own namespaces: {" ".join(own)}; root: {os.listdir(f"/proc/{pid}/root") if kind != "caller" else "the host"}; '
          f'descriptors: {" ".join(sorted(watch.descriptors(pid)))}')
    limits = dict(re.findall(r'^Max (core file size|open files|locked memory) +(\w+)', watch.read(pid, 'limits'), re.M))
    print(f'#   limits: {limits}')


def look(platform, uid):
    call_names = names()
    child, family = start(platform, uid)
    try:
        kinds = family.kinds()
        wanted = {'caller': 1, 'monitor': 1} if platform == 'kvm' else {'caller': 1, 'monitor': 1, 'kernel': 1, 'spawner': 1}
        assert {k: len(kinds[k]) for k in wanted} == wanted, kinds
        for kind, pids in sorted(kinds.items()):
            for pid in pids[:1]:
                show(kind, pid)
            for pid in pids if kind != 'caller' else []:
                wrong = family.check_one(pid, kind)
                assert not wrong, f'{kind} {pid}: {wrong}'
        in_all = calls(kinds['monitor'][0], call_names)
        for name, got in sorted(in_all.items()):
            print(f'#   {name}: {len(got)} calls: {" ".join(sorted(got))}')
        together = set().union(*in_all.values())
        print(f'# monitor, all threads: {len(together)} calls of {MONITOR_MAX}')
        assert THREADS <= set(in_all), f'threads: {sorted(in_all)}'
        assert len(in_all['vcpu']) <= VCPU_MAX and len(together) <= MONITOR_MAX, 'over the budget'
        assert not together & {'openat', 'socket', 'execve', 'clone', 'mmap', 'mprotect', 'ptrace'}, together
        for pid in kinds['kernel']:
            got = set().union(*calls(pid, call_names).values())
            print(f'# kernel process: {len(got)} calls of {KERNEL_MAX}: {" ".join(sorted(got))}')
            assert len(got) <= KERNEL_MAX, 'over the budget'
        child.stdin.close()
        assert child.wait(timeout=30) == 1, child.stderr.read()     # `read` met the end of the input
        assert watch.soon(lambda: not family.pids()), f'processes are left: {family.pids()}'
    finally:
        child.kill()
        child.wait()


def test_process_as_root():
    look('process', 0)


def test_process_as_an_ordinary_user():
    look('process', ORDINARY)


def test_kvm_as_root():
    look('kvm', 0)


def test_kvm_as_an_ordinary_user():
    look('kvm', ORDINARY)


def test_two_sandboxes_of_root_have_different_users():
    pair = [start('process', 0) for _ in range(2)]
    try:
        uids = [watch.status_of(family.kinds()['monitor'][0])['Uid'].split()[0] for _, family in pair]
    finally:
        for child, _ in pair:
            child.kill()
            child.wait()
    assert len(set(uids)) == 2 and all(int(u) >= 0x70000000 for u in uids), uids


STAGES = {'user': 'user namespace', 'pid': 'PID namespace', 'mnt': 'mount namespace', 'net': 'network namespace',
          'ipc': 'IPC namespace', 'uts': 'UTS namespace', 'cgroup': 'cgroup namespace'}


def without(ns, *options):
    """A run on a host that gives no namespace of this kind."""
    cache = FOLDER / 'poor'
    cache.mkdir(exist_ok=True)
    os.chown(cache, ORDINARY, ORDINARY)
    monitor = FOLDER / 'monitor'
    if not monitor.exists():
        shutil.copy(ARGS.monitor, monitor)
    return subprocess.run([*as_user(ORDINARY), 'unshare', '-Ur', 'sh', '-c',
                           f'echo 0 >/proc/sys/user/max_{ns}_namespaces && exec "$0" "$@"', monitor, *options],
                          capture_output=True, text=True, env={**os.environ, 'XDG_CACHE_HOME': str(cache)}, timeout=60)


def test_a_stage_the_host_refuses_is_named_and_nothing_runs():
    for ns, stage in STAGES.items():
        p = without(ns, 'run', '--platform=process', FOLDER / 'image.tar', 'echo', 'ran')
        assert p.returncode == 125 and 'ran' not in p.stdout, f'{ns}: {p}'
        assert len(p.stderr.splitlines()) == 1 and f'locking in: {stage}: ' in p.stderr and \
            '--insecure-no-namespaces' in p.stderr, f'{ns}: {p.stderr}'
        p = without(ns, 'platform')
        assert p.returncode == 1 and f'lock-in  locking in: {stage}: ' in p.stdout, f'{ns}: {p}'


def test_the_way_round_is_loud_and_keeps_all_else():
    p = without('user', 'run', '--platform=process', '--insecure-no-namespaces', FOLDER / 'image.tar', 'echo', 'ran')
    assert p.returncode == 0 and p.stdout == 'ran\n' and 'warning' in p.stderr, p
    child, family = start('process', 0, '--insecure-no-namespaces')
    try:
        for kind in ('monitor', 'kernel'):
            status = watch.status_of(family.kinds()[kind][0])
            assert int(status['Uid'].split()[0]) >= 0x70000000 and status['Seccomp'] == watch.FILTERED and \
                not int(status['CapPrm'], 16) and status['NoNewPrivs'] == '1', f'{kind}: {status}'
    finally:
        child.kill()
        child.wait()
    assert watch.soon(lambda: not family.pids(), 5), f'processes are left: {family.pids()}'


def run_cases(wanted):
    failed = 0
    for name, case in [(n[5:], f) for n, f in globals().items() if n.startswith('test_')]:
        if wanted and name not in wanted:
            continue
        begin = time.monotonic()
        try:
            if 'kvm' in name and not os.access('/dev/kvm', os.R_OK | os.W_OK):
                raise Skip('/dev/kvm is not usable here')
            if 'process' in name and os.uname().machine != 'x86_64':
                raise Skip('the process machine is for x86-64')
            case()
            print(f'ok - {name}')
        except Skip as reason:
            print(f'ok - {name} # SKIP {reason}')
        except (AssertionError, OSError, subprocess.TimeoutExpired) as problem:
            failed += 1
            print('# ' + str(problem).replace('\n', '\n# '))
            print(f'not ok - {name}: {str(problem).splitlines()[0][:200]}')
        print(f'# {name}: {time.monotonic() - begin:.1f} s', flush=True)
    return 1 if failed else 0


def main():
    global ARGS, FOLDER
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--monitor', type=pathlib.Path, default=ROOT / 'build/monitor')
    parser.add_argument('case', nargs='*')
    ARGS = parser.parse_args()
    if os.geteuid():
        print('ok - lock_in # SKIP looking into other processes needs root')
        return 0
    with tempfile.TemporaryDirectory(prefix='lock_in.') as folder:
        FOLDER = pathlib.Path(folder)
        FOLDER.chmod(0o755)
        subprocess.run([ROOT / 'tools/mkimage', 'busybox', '--quiet', FOLDER / 'image.tar'], check=True)
        return run_cases(ARGS.case)


if __name__ == '__main__':
    sys.exit(main())
