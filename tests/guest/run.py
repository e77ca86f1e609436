#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run - hostile guests against the monitor: run.py [--platform=NAME] MONITOR HOSTILE.ELF [CASE...]

Role      Boots each case of hostile.c and compares exit status and last words with the table below.
Rules     A sanitizer's report, a signal death, a silent 125 or a run out of time fails any case.
"""
import io
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import patience     # noqa: E402 (found through the line above)

BROKE = r'monitor: the guest broke the hostcall contract: '
RING = r'monitor: the guest broke the ring contract: '
KERNEL = r'monitor: the guest kernel '

# case: (exit status or a set of them, regular expression the error output must match)
EXPECT = {
    'nothing': (0, r'^$'),
    'exit_odd': (255, r'^$'),
    'exit_signal': (137, r'^$'),
    'exit_exec_errno': (125, BROKE + 'exec error -5'),
    'exit_exec_huge': (125, BROKE + 'exec error 2147483647'),
    'call_zero': (125, BROKE + 'no hostcall 0'),
    'call_past_end': (125, BROKE + 'no hostcall 9'),
    'call_huge': (125, BROKE + 'no hostcall 4294967295'),
    'len_huge': (125, BROKE + 'log with 4294967295 bytes'),
    'len_over': (125, BROKE + 'log with 4065 bytes'),
    'len_short': (125, BROKE + 'log with 15 bytes'),
    'len_exit': (125, BROKE + 'exit with 95 bytes'),
    'len_release': (125, BROKE + 'mem_release with 8 bytes'),
    'len_panic': (125, BROKE + 'panic with 0 bytes'),
    'log_level': (125, BROKE + 'log line of 0 bytes at level 5'),
    'log_len': (125, BROKE + 'log line of 1 bytes'),
    'log_len_wrap': (125, BROKE + 'log line of 4294967280 bytes'),
    'log_control': (0, r'^\[guest\] clear \?\[2J\?\]0;title\? \?second line\?\? end\n$'),
    'log_flood': (0, r'^(\[guest\] flood\n)+(monitor: .*(dropped|left out).*\n)?'),
    'random_len': (125, BROKE + '257 random bytes'),
    'start_self': (125, BROKE + 'start of CPU 0 of 2'),
    'start_far': (125, BROKE + 'start of CPU 2 of 2'),
    'start_wrap': (125, BROKE + 'start of CPU 4294967295 of 2'),
    'start_twice': (125, BROKE + 'CPU 1 started twice'),
    'start_nowhere': (125, KERNEL),
    'kick_bad': (125, BROKE + 'kick of streams 0x8'),
    'kick_all_bits': (125, BROKE + 'kick of streams 0xffffffff'),
    'release_good': (0, r'^$'),
    'release_count': (125, BROKE + 'release of 129 ranges'),
    'release_reserved': (125, BROKE + 'release of reserved memory'),
    'release_kernel': (125, BROKE + 'release of reserved memory at 0x100000000'),
    'release_below': (125, BROKE + 'release of reserved memory at 0x0'),
    'release_unaligned': (125, BROKE + 'release of 1 pages'),
    'release_none': (125, BROKE + 'release of 0 pages'),
    'release_over_top': (125, BROKE + 'release of 2 pages'),
    'release_outside': (125, BROKE + 'release of 1 pages'),
    'release_window': (125, BROKE + 'release of 1 pages at 0x4000000000'),
    'release_wrap_len': (125, BROKE + 'release of 4503599627370497 pages'),
    'release_wrap_end': (125, BROKE + 'release of 4503599627370495 pages'),
    'release_last_bad': (125, BROKE + 'release of 18446744073709551615 pages'),
    'panic_nonsense': (125, KERNEL + r'panicked: %s\?x+\n  #0 '),
    'panic_frames': (125, BROKE + 'panic with 33 frames'),
    'ring_head': (125, RING + '65537 bytes in a ring of 65536'),
    'ring_back': (125, RING + '4294967295 bytes'),
    'ring_stdin': (125, RING),
    'ring_tail': (0, r'^$'),
    'race_requests': ({0, 125}, r''),
    'race_release_fields': ({0, 125}, r''),
    'race_ring': (125, RING),
    'hang': (125, KERNEL + r'hangs on CPU 0 with interrupts off\n(.*\n)*.* hang_inner\+(.*\n)*.*guest_start'),
}
# and those of <cpu>/machine.c
MACHINE = {
    'x86_64': {
        'touch_unmapped': (125, KERNEL + 'crashed with a triple fault'),
        'touch_nothing': (125, KERNEL + 'touched guest-physical 0x21'),
        'write_window': (125, KERNEL),
        'port_other': (125, KERNEL + r'used an I/O port that does not exist on CPU 0 at 0x[0-9a-f]+\n  #0 .* port_other\+'),
        'port_byte': (125, KERNEL + 'used an I/O port that does not exist'),
        'port_in': (125, KERNEL + 'used an I/O port that does not exist'),
        # some hosts hand a string over word by word: then each word is a ring of the doorbell
        'port_string': (125, f'({KERNEL}used an I/O port that does not exist|{BROKE}no hostcall 0)'),
        'triple_fault': (125, KERNEL + 'crashed with a triple fault'),
        'halt': (125, KERNEL + r'halted CPU 0 with interrupts off\n(.*\n)*.* halt\+'),
    },
    'aarch64': {
        'touch_nothing': (125, KERNEL + 'touched guest-physical 0x21.*where nothing is'),
        'fetch_nothing': (125, KERNEL),
        'touch_nothing_by_pair': (125, KERNEL + 'touched guest-physical 0x21'),
        'walk_through_nothing': (125, KERNEL),
        'write_window': (125, KERNEL + 'touched guest-physical 0x40.*which is read-only'),
        'doorbell_byte': (125, KERNEL + 'misused the doorbell'),
        'doorbell_wide': (125, KERNEL + 'misused the doorbell'),
        'doorbell_beside': (125, KERNEL + 'misused the doorbell'),
        'doorbell_read': (125, KERNEL + 'misused the doorbell'),
        'doorbell_pair': (125, KERNEL + 'touched guest-physical 0xd0b0000'),
        'gic_nonsense': ({0, 125}, r''),
        'gic_byte_of_everything': ({0, 125}, r''),
        'psci_off': ({0, 125}, r''),
        'psci_reset': ({0, 125}, r''),
        'psci_start': ({0, 125}, r''),
        'hvc_numbers': ({0, 125}, r''),
        'psci_start_many': (0, r'^$'),
        'psci_last_off': (125, KERNEL + r'halted CPU 0 with interrupts off\n.* guest_hvc\+'),
        'psci_on_off': (0, r'^$'),
        'psci_suspend': (0, r'^$'),
        'start_by_hostcall': (125, BROKE + 'start of CPU 1, which is not by hostcall here'),
        # PSCI refuses these without an end of the guest
        'start_self': (0, r'^$'),
        'start_far': (0, r'^$'),
        'start_wrap': (0, r'^$'),
        'start_twice': (0, r'^$'),
        'lost': (125, KERNEL + 'hangs on CPU 0'),
    },
}
# What differs in a kernel process; None: there is nothing like it.
DIED = r'monitor: the kernel process was killed by signal 11'
PROCESS = {
    **dict.fromkeys(('start_nowhere', 'touch_nothing', 'halt')),
    **dict.fromkeys(('touch_unmapped', 'write_window', 'port_other', 'port_byte', 'port_in', 'port_string'), (125, DIED)),
    'triple_fault': (125, r'monitor: the kernel process was killed by signal 4'),
    'hang': (125, KERNEL + 'hangs on CPU 0 with interrupts off'),
}
NEEDS_STDIN = {'ring_stdin'}


def make_image(path):
    with tarfile.open(path, 'w') as tar:
        info = tarfile.TarInfo('bin/true')
        info.size, info.mode = 4, 0o755
        tar.addfile(info, io.BytesIO(b'true'))


def run(monitor, platform, elf, image, case, env):
    args = [monitor, 'run', '--platform=' + platform, '--cpus', '2', '--memory', '64m', '--debug-kernel', elf]
    args += (['-i'] if case in NEEDS_STDIN else []) + [image, case]
    try:
        with open('/dev/null' if case not in NEEDS_STDIN else '/dev/zero', 'rb') as stdin:
            p = subprocess.run(args, stdin=stdin, capture_output=True, env=env,
                               timeout=patience.seconds(240 if case == 'hang' else 60))
    except subprocess.TimeoutExpired as e:
        return None, (e.stderr or b'').decode(errors='replace')
    return p.returncode, p.stderr.decode(errors='replace')


def judge(case, status, text, cpu=os.uname().machine):
    want, pattern = {**EXPECT, **MACHINE[cpu]}[case]
    if status is None:
        return 'no end in time'
    if 'Sanitizer' in text or 'runtime error' in text:
        return 'a sanitizer complained'
    if status not in (want if isinstance(want, set) else {want}):
        return f'exit status {status}, not {want}'
    if status == 125 and 'monitor: ' not in text:
        return 'no reason given'
    if not re.search(pattern, text):
        return f'the error output does not match {pattern}'
    return ''


def main():
    platform = sys.argv.pop(1).split('=')[1] if sys.argv[1].startswith('--platform=') else 'kvm'
    monitor, elf, *cases = sys.argv[1:]
    expected = MACHINE[os.uname().machine]
    if platform == 'process':
        expected.update(PROCESS)
    failed, every = False, [case for case, want in {**EXPECT, **expected}.items() if want]
    with tempfile.TemporaryDirectory() as tmp:
        image = pathlib.Path(tmp) / 'image.tar'
        make_image(image)
        env = {**os.environ, 'XDG_CACHE_HOME': tmp,
               'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '') + ':detect_leaks=0'}
        for number, case in enumerate(cases or every, 1):
            status, text = run(monitor, platform, elf, image, case, env)
            wrong = judge(case, status, text)
            for line in text.splitlines()[:30] if wrong else []:
                print('# ' + line)
            failed |= bool(wrong)
            print(f'{"not " if wrong else ""}ok {number} - {case}' + (f': {wrong}' if wrong else ''), flush=True)
        print(f'1..{len(cases or every)}')
    sys.exit(failed)


if __name__ == '__main__':
    main()
