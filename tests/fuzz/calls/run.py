#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run - random system calls in a sandbox: run.py [--platform=NAME] [--seconds=N] [--seed=N] [--option=OPTION...]

Role   Packs the program `calls` into an image, runs it, and judges: the sandbox ends with status 0, says something every
       --hang seconds, and nothing bad. Prints one TAP line, and before it, when it failed, what the last workers were.
       A finding is replayed with the same --seed, or one worker of it with --worker=SEED (--trace shows its calls).
Rules  Never on a host: as root it changes devices, owners and the host's name.
"""
import argparse
import os
import pathlib
import random
import select
import subprocess
import sys
import tarfile
import tempfile
import time
import io

ROOT = pathlib.Path(__file__).resolve().parents[3]


def make_image(program, path):
    with tarfile.open(path, 'w') as tar:
        for name, mode in (('dev', 0o755), ('proc', 0o755), ('sys', 0o755), ('etc', 0o755), ('bin', 0o755), ('tmp', 0o1777)):
            info = tarfile.TarInfo(name)
            info.type, info.mode = tarfile.DIRTYPE, mode
            tar.addfile(info)
        for name, mode, data in (('etc/passwd', 0o644, b'root:x:0:0:root:/:/bin/sh\n'), ('bin/calls', 0o755, program.read_bytes())):
            info = tarfile.TarInfo(name)
            info.mode, info.size = mode, len(data)
            tar.addfile(info, io.BytesIO(data))


def watch(child, hang):
    """The lines it says until its end; why it is bad, or ''."""
    lines, rest, last = [], b'', time.monotonic()
    while True:
        if not select.select([child.stdout], [], [], 1)[0]:
            if time.monotonic() - last > hang:
                child.kill()
                child.wait()
                return lines, f'nothing was heard for {hang} s'
            continue
        data = os.read(child.stdout.fileno(), 65536)
        if not data:
            break
        last = time.monotonic()
        *more, rest = (rest + data).split(b'\n')
        lines += [line.decode(errors='replace') for line in more]
    status = child.wait()
    said = [line for line in lines if line.startswith(('bad:', 'monitor:'))]
    return lines, '; '.join(said[:4]) or (f'exit status {status}' if status else '')


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('--monitor', default=str(ROOT / 'build/monitor'))
    p.add_argument('--program', type=pathlib.Path, default=ROOT / 'build/tests/fuzz/calls')
    p.add_argument('--platform', default='process')
    p.add_argument('--option', action='append', default=[], help='passed to `monitor run`')
    p.add_argument('--seconds', type=int, default=20)
    p.add_argument('--hang', type=int, default=60)
    p.add_argument('--seed', type=int, default=random.randrange(1 << 32))
    p.add_argument('--procs', type=int, default=4)
    p.add_argument('--threads', type=int, default=3)
    p.add_argument('--worker', type=int)
    p.add_argument('--trace', action='store_true')
    a = p.parse_args()
    args = [f'--seconds={a.seconds}', f'--seed={a.seed}', f'--procs={a.procs}', f'--threads={a.threads}']
    args += [f'--worker={a.worker}'] * (a.worker is not None) + ['--trace'] * a.trace
    with tempfile.TemporaryDirectory() as tmp:
        make_image(a.program, tmp + '/image.tar')
        command = [a.monitor, 'run', f'--platform={a.platform}', '--memory=512m', *a.option, tmp + '/image.tar', '/bin/calls']
        print(f'# seed {a.seed}', flush=True)
        child = subprocess.Popen(command + args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        lines, why = watch(child, a.hang)
    shown = lines[-40:] if why else lines[-1:]
    print(*('# ' + line for line in shown), sep='\n')
    print(f'not ok 1 - {a.platform}: seed {a.seed}: {why}' if why else f'ok 1 - {a.platform}')
    print('1..1')
    sys.exit(bool(why))


main()
