#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# about: the aarch64 build on an emulated ARM64 host with KVM: system calls, two CPUs, GICv2, BTI, busybox, hostile guests
# timeout: 1500
# packages: build image testhost aarch64
"""aarch64 - what the x86-64 suites show, by fewer cases: the emulated host is slow

Cases: native, sandbox, smp, gicv2, features-native, features (each /PROGRAM/CASE), busybox, image, hostile (/CASE),
count. gicv2 is a host with no more than a GICv2, features one whose CPU has BTI and pointer authentication.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'guest'))
import run as hostile       # noqa: E402 (tests/guest/run.py)
import suite        # noqa: E402

BUILD = suite.ROOT / 'build-aarch64'
PROGRAMS = BUILD / 'tests/syscalls/syscalls_all'
DIFFERENCES = suite.ROOT / 'tests/syscalls/differences.txt'
SMP = ['threads', 'futex', 'sched', 'signals_deep', 'membarrier', 'mmap', 'fork', 'cache']
GICV2 = ['threads', 'futex', 'timer', 'sched']
FEATURES = ['branch_targets', 'pointer_auth', 'threads', 'rt_sigaction']
FEATURES_CPU = ('--cpu', 'max,pauth-impdef=on')
# what the test host's older Linux lacks or does otherwise; on an x86-64 host with the same Linux, too
NOT_NATIVE = {'adjtimex/fchmodat2_takes_flags', 'elf_load/there_may_be_more_headers_than_anybody_needs',
              'inflight/long_chains_of_sockets_in_sockets_can_be_closed',
              'inotify_rules/opening_with_truncation_opens_then_modifies',
              'inotify_rules/many_watches_of_one_directory_end_quickly',
              'sendfile/what_a_target_refuses_stays_in_the_pipe_while_others_write',
              'sendfile/positions_that_do_not_add_up_are_refused',
              'unix_rules/an_urgent_byte_is_read_beside_the_stream'}
# in the sandbox: the host is emulated
PATIENCE = ['--patience', '3']
# an exception there is an endless loop, which the watchdog ends after 30 s of CPU time: one such case is enough
SLOW = {'hang', 'start_nowhere'}
BUSYBOX = [
    ('uname -m', 'aarch64'),
    ('seq 1 20000 | md5sum', 'e071f707df7bbeee2a6a1eb48011ddd0  -'),
    ('for i in 1 2 3; do (echo $i) & done; wait; echo end', None),
    ('echo "2^100" | bc', '1267650600228229401496703205376'),
    ('dd if=/dev/zero bs=1M count=8 2>/dev/null | wc -c', '8388608'),
    ('tar cf - /bin/busybox 2>/dev/null | tar tf -', 'bin/busybox'),
    ('grep -c ^processor /proc/cpuinfo', '2'),
    ('ls -l /proc/self/exe | sed "s/.* //"', '/bin/busybox'),
]


def host(command, timeout, smp=1, options=()):
    """Run a command on the emulated host; returns (output, status)."""
    return suite.run([*suite.testhost('aarch64', timeout, '--smp', smp, *options), *command], timeout=timeout + 250)


def known_differences():
    fields = [line.split('#')[0].split() for line in DIFFERENCES.read_text().splitlines()]
    return {f[0] for f in fields if len(f) > 2 and f[1] == 'sandbox'}


def system_calls(place, command, timeout, known, smp=1, options=()):
    text, status = host(command, timeout, smp, options)
    notes, seen = [], 0
    for line in text.splitlines():
        found = re.match(r'(not )?ok \d+ - (\w+): (\w+)( # SKIP.*)?$', line)
        if not found:
            notes.append(line)
            continue
        case, seen = f'{found[2]}/{found[3]}', seen + 1
        if found[1] and case in known:
            suite.skip(f'{place}/{case}', 'a known difference')
        elif found[1]:
            suite.fail(f'{place}/{case}', details='\n'.join(notes[-6:]))
        elif found[4]:
            suite.skip(f'{place}/{case}', found[4].removeprefix(' # SKIP').strip())
        else:
            suite.ok(f'{place}/{case}')
        notes = []
    if not seen or status not in (0, 1):
        suite.fail(place, f'ended with status {status}', text[-3000:])


def programs(place):
    return [c.split('/', 1)[1] for c in suite.CASES if c.startswith(place + '/')]


def run_busybox(monitor, image):
    script = '; echo ====; '.join(command for command, _ in BUSYBOX)
    text, status = host([monitor, 'run', '--cpus', '2', image, 'sh', '-c', script], 120, smp=2)
    parts = text.split('====\n')
    if status or len(parts) != len(BUSYBOX):
        suite.fail('busybox', f'ended with status {status}', text)
        return
    for (command, want), got in zip(BUSYBOX, parts):
        name = 'busybox/' + re.sub(r'\W+', '_', command)[:30].strip('_')
        suite.check(name, want is None or got.strip() == want, f'{command}\n{got}')


def foreign_images(monitor, folder):
    """Two ways to bring the wrong machine's programs, one sentence each."""
    image = folder / 'amd64.tar'
    subprocess.run([suite.ROOT / 'tools/mkimage', '--quiet', '--arch', 'amd64', 'busybox', image], check=True)
    text, status = host([monitor, 'run', image.relative_to(suite.ROOT), 'true'], 60)
    suite.check('image/wrong_architecture', status == 125 and text.count('\n') == 1
                and 'linux/amd64' in text and 'linux/arm64' in text, text)


def run_hostile(monitor, folder):
    """All cases in one boot of the host, each with its output in files; judged here."""
    chosen = [c for c in [*hostile.EXPECT, *hostile.MACHINE['aarch64']] if c not in SLOW]
    chosen = [c for c in programs('hostile') or chosen]
    hostile.make_image(folder / 'true.tar')
    there = folder.relative_to(suite.ROOT)
    script = (f'for c in {" ".join(chosen)}; do i=/dev/null; o=; [ $c = ring_stdin ] && i=/dev/zero o=-i; '
              f'timeout 100 {monitor} run --cpus 2 --memory 64m --debug-kernel build-aarch64/tests/guest/hostile.elf '
              f'$o {there}/true.tar $c <$i >/dev/null 2>{there}/$c.err; echo $? >{there}/$c.status; done; sync')
    text, status = host(['sh', '-c', script], 500, smp=2)
    if status:
        suite.fail('hostile', f'ended with status {status}', text)
    for case in chosen:
        try:
            status = int((folder / f'{case}.status').read_text())
            text = (folder / f'{case}.err').read_text(errors='replace')
        except (FileNotFoundError, ValueError):
            status, text = None, ''
        wrong = hostile.judge(case, None if status in (124, 143) else status, text, 'aarch64')
        suite.check(f'hostile/{case}', not wrong, f'{text[-2000:]}\n{wrong}')


def make_image(folder):
    image = folder / 'arm64.tar'
    subprocess.run([suite.ROOT / 'tools/mkimage', '--quiet', '--arch', 'arm64', 'busybox', image, '--copy',
                    f'{PROGRAMS}:/bin/syscalls_all'], check=True)
    return image.relative_to(suite.ROOT)


def main():
    text, status = suite.run([suite.ROOT / 'tools/dev', 'build', 'aarch64'], timeout=1200)
    suite.check('build', not status, text)
    if status:
        return
    text, status = suite.run(['ninja', '-C', BUILD, 'tests/syscalls/syscalls_all', 'tests/guest/hostile.elf'],
                             timeout=600)
    if status:
        suite.fail('building-tests', details=text)
        return
    monitor = (BUILD / 'monitor').relative_to(suite.ROOT)
    with tempfile.TemporaryDirectory(prefix='aarch64.', dir=BUILD) as name:
        folder = pathlib.Path(name)
        image = make_image(folder)
        sandbox = [monitor, 'run', '--privileged']
        if suite.wanted('native'):
            system_calls('native', [PROGRAMS.relative_to(suite.ROOT), *programs('native')], 300, NOT_NATIVE)
        if suite.wanted('sandbox'):
            system_calls('sandbox', [*sandbox, image, 'syscalls_all', *PATIENCE, *programs('sandbox')], 400,
                         known_differences())
        if suite.wanted('smp'):
            system_calls('smp', [*sandbox, '--cpus', '2', image, 'syscalls_all', *PATIENCE, *(programs('smp') or SMP)], 300,
                         known_differences(), smp=2)
        both = [*sandbox, '--cpus', '2', image, 'syscalls_all', *PATIENCE]
        if suite.wanted('gicv2'):
            system_calls('gicv2', [*both, *(programs('gicv2') or GICV2)], 200, known_differences(), 2, ('--gic', '2'))
        if suite.wanted('features-native'):
            system_calls('features-native', [PROGRAMS.relative_to(suite.ROOT), *(programs('features-native') or FEATURES)],
                         100, NOT_NATIVE, 2, FEATURES_CPU)
        if suite.wanted('features'):
            system_calls('features', [*both, *(programs('features') or FEATURES)], 200, known_differences(), 2,
                         FEATURES_CPU)
        if suite.wanted('busybox'):
            run_busybox(monitor, image)
        if suite.wanted('image'):
            foreign_images(monitor, folder)
        if suite.wanted('hostile'):
            run_hostile(monitor, folder)
    if suite.wanted('count'):
        text, status = suite.run([suite.ROOT / 'tools/bench/count', '--arch', 'aarch64', '--check'], timeout=300)
        for name, count, limit in re.findall(r'^(\w+) +\S+ +([\d.]+) +[\d.]+ +(\d+)$', text, re.M):
            suite.check(f'count/{name}', float(count) <= float(limit), text)
        if status:
            suite.fail('count', f'ended with status {status}', text)


main()
