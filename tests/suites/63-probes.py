#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# about: the security model by some thousand questions of an ordinary user, answered by this Linux and by the sandbox
# timeout: 600
# fast: yes
# packages: build test
"""probes - tests/probes natively and in the sandbox; what differs must be named in tests/probes/differences.txt

Cases: one for each topic, root/mount, user/proc ... Natively the program runs in mount and PID namespaces of its own with the
capabilities a container has. The table's rows are NAME, ANSWER HERE, ANSWER INSIDE, REASON, separated by tabs; the first three
may have wildcards.
"""
import collections
import fnmatch
import io
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import suite        # noqa: E402

CAPS = ('chown dac_override fsetid fowner mknod net_raw setgid setuid setfcap setpcap net_bind_service sys_chroot kill '
        'audit_write')
PLATFORM = 'process' if os.uname().machine == 'x86_64' else 'kvm'


def differences():
    rows = []
    for line in (suite.ROOT / 'tests/probes/differences.txt').read_text().splitlines():
        if line and not line.startswith('#'):
            rows.append(line.split('\t'))
    return rows


def answers(text):
    return dict(line.split('\t', 1) for line in text.splitlines() if '\t' in line)


def ask_here(program):
    script = ('mount -t tmpfs -o mode=1777 tmpfs /tmp && mkdir /tmp/case && cat <&9 >/tmp/case/probes && cd /tmp/case && '
              'chmod 755 probes && exec 9<&- && exec setpriv --bounding-set=-all' +
              ''.join(f',+{c}' for c in CAPS.split()) + ' -- ./probes')
    with open(program, 'rb') as file:
        done = subprocess.run(['unshare', '-m', '-p', '-f', '--mount-proc', '--kill-child', '--propagation', 'private',
                               'sh', '-c', f'exec 9<&0 </dev/null; {script}'], stdin=file, capture_output=True,
                              text=True, timeout=200, check=False)
    return answers(done.stdout), done.stderr


def ask_inside(program, directory):
    image = pathlib.Path(directory, 'probes.tar')
    with tarfile.open(image, 'w') as tar:
        for name in ('bin', 'dev', 'etc', 'proc', 'root', 'sys', 'tmp', 'usr'):
            info = tarfile.TarInfo(name)
            info.type, info.mode = tarfile.DIRTYPE, 0o1777 if name == 'tmp' else 0o755
            tar.addfile(info)
        info = tarfile.TarInfo('bin/probes')
        data = pathlib.Path(program).read_bytes()
        info.mode, info.size = 0o755, len(data)
        tar.addfile(info, io.BytesIO(data))
    done = subprocess.run([suite.ROOT / 'build/monitor', 'run', f'--platform={PLATFORM}', '--tmpfs',
                           '/tmp:exec,suid,mode=1777', '-w', '/tmp', image, '/bin/probes'], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=400, check=False)
    return answers(done.stdout), done.stderr


def judge(here, inside):
    """{topic: (how many were asked, [what differs without a reason])}"""
    rows, topics = differences(), collections.defaultdict(lambda: [0, []])
    for name in sorted(here.keys() | inside.keys()):
        topic = topics['/'.join(name.split('/')[:2])]
        one, other = here.get(name, '-'), inside.get(name, '-')
        topic[0] += 1
        if one != other and not any(fnmatch.fnmatch(name, r[0]) and fnmatch.fnmatch(one, r[1]) and
                                    fnmatch.fnmatch(other, r[2]) for r in rows):
            topic[1].append(f'{name}: here {one}, inside {other}')
    return topics


def main():
    if os.geteuid() != 0:
        suite.skip('all', 'this Linux can only be asked by root')
        return
    directory = suite.build('gcc')
    if not directory:
        return
    text, status = suite.run(['ninja', '-C', directory, 'tests/probes/probes'], timeout=300)
    if status:
        suite.fail('building', 'the probes do not build', text)
        return
    program = f'{directory}/tests/probes/probes'
    here, errors = ask_here(program)
    if 'end/reached' not in here:
        suite.skip('all', f'this Linux does not answer: {errors.strip()[:100]}')
        return
    with tempfile.TemporaryDirectory() as folder:
        inside, errors = ask_inside(program, folder)
    if 'end/reached' not in inside:
        suite.fail('end', 'the sandbox ended before all was asked', errors)
    for topic, (asked, unnamed) in sorted(judge(here, inside).items()):
        if not suite.wanted(topic):
            continue
        if unnamed:
            suite.fail(topic, f'{len(unnamed)} of {asked} answers differ', '\n'.join(unnamed[:60]))
        else:
            suite.ok(topic)


main()
