# SPDX-License-Identifier: Apache-2.0
"""peers - the runtimes we are measured beside, behind one interface

Role      Used by the programs of this folder. A Runtime runs a command in a container made from a
          tools/mkimage image; the first use unpacks the image for those that want a directory.
Rules     Every runtime gets the same root, no network, no terminal, no resource limits. A runtime
          that is missing or does not work is reported with its own words and left out.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


class NotUsable(Exception):
    """The runtime is missing or does not work here."""


def unpack(image, target):
    """The layers of a docker archive, one over the other (ours have no whiteouts)."""
    with tarfile.open(image) as outer:
        layers = json.load(outer.extractfile('manifest.json'))[0]['Layers']
        for layer in layers:
            with tarfile.open(fileobj=outer.extractfile(layer)) as inner:
                inner.extractall(target, numeric_owner=True)


def bundle_config(root, args, mounts=()):
    """An OCI runtime configuration with the usual namespaces, and nothing beyond."""
    spaces = ['pid', 'ipc', 'uts', 'mount', 'network']
    return {'ociVersion': '1.0.2', 'hostname': 'peer', 'root': {'path': str(root)},
            'process': {'terminal': False, 'user': {'uid': 0, 'gid': 0}, 'cwd': '/', 'args': args,
                        'env': ['PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin'],
                        'noNewPrivileges': True},
            'mounts': [{'destination': '/proc', 'type': 'proc', 'source': 'proc'},
                       {'destination': '/dev', 'type': 'tmpfs', 'source': 'tmpfs',
                        'options': ['nosuid', 'mode=755']},
                       {'destination': '/tmp', 'type': 'tmpfs', 'source': 'tmpfs'}, *mounts],
            'linux': {'namespaces': [{'type': s} for s in spaces]}}


class Runtime:
    name = ''

    def command(self, args):
        """The command line that runs ARGS in a fresh container."""
        raise NotImplementedError

    def run(self, args, timeout=60):
        return subprocess.run(self.command(args), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=timeout)

    def probe(self):
        """Raise NotUsable unless a container runs at all; also warms caches."""
        try:
            done = self.run(['true'])
        except FileNotFoundError as problem:
            raise NotUsable(f'{problem.filename} is not installed') from None
        except subprocess.TimeoutExpired:
            raise NotUsable('does not end within a minute') from None
        if done.returncode:
            words = (done.stderr.strip().splitlines() or ['no message'])[-1]
            raise NotUsable(f'status {done.returncode}: {words[:200]}')


class Native(Runtime):
    """A chroot: no isolation, the floor."""
    name = 'chroot'

    def __init__(self, root):
        self.root = root

    def command(self, args):
        return ['chroot', self.root, *args]


class Monitor(Runtime):
    """Our own, on one of its machines."""

    def __init__(self, image, platform):
        self.name, self.image, self.platform = f'monitor {platform}', image, platform

    def command(self, args):
        return [str(ROOT / 'build/monitor'), 'run', f'--platform={self.platform}', self.image, *args]


class Bundle(Runtime):
    """runc and those with the same command line."""

    def __init__(self, name, words, root, folder, mounts=()):
        self.name, self.words, self.mounts = name, words, mounts
        self.folder = pathlib.Path(folder, name.replace(' ', '-'))
        self.folder.mkdir()
        self.root = root
        self.count = 0

    def command(self, args):
        config = json.dumps(bundle_config(self.root, args, self.mounts))
        (self.folder / 'config.json').write_text(config)
        self.count += 1
        return [*self.words, 'run', '--bundle', str(self.folder), f'peer-{os.getpid()}-{self.count}']


class Setup:
    """A temporary directory with the unpacked image, and the runtimes that work."""

    def __init__(self, image, quiet=False):
        self.image, self.quiet = image, quiet
        self.folder = tempfile.mkdtemp(prefix='peers.')
        self.root = pathlib.Path(self.folder, 'root')
        unpack(image, self.root)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def runtimes(self):
        runsc = ['runsc', '--root', f'{self.folder}/runsc', '--platform=ptrace', '--network=none',
                 '--ignore-cgroups']
        wanted = [Monitor(self.image, 'process'), Monitor(self.image, 'kvm'), Bundle('runc', ['runc', '--root', f'{self.folder}/runc'],
                                              self.root, self.folder),
                  Bundle('runsc ptrace', runsc, self.root, self.folder), Native(self.root)]
        usable = []
        for runtime in wanted:
            try:
                runtime.probe()
                usable.append(runtime)
            except NotUsable as problem:
                print(f'{runtime.name}: left out: {problem}', file=sys.stderr)
        return usable


def image(name):
    """A tools/mkimage image, made once and kept in its cache."""
    cache = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
    folder = pathlib.Path(cache, 'monitor-mkimage/images')
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (name + '.tar')
    if not path.exists():
        subprocess.run([ROOT / 'tools/mkimage', name, path], check=True)
    return str(path)
