# SPDX-License-Identifier: Apache-2.0
"""prepare - what a test host boots: Debian's kernel, and an initramfs of our own

Role      Called by tools/testhost the first time on a machine, and again when the agent changed.
          Loads the kernel and busybox packages, unpacks the compressed kernel so that the emulator
          need not, builds the agent and packs it with the kernel modules a host needs.
Rules     Everything lies under the cache directory; each product is renamed into place whole.
See       agent.c
"""
import hashlib
import lzma
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import zlib

from debs import Apt, Failed, run, say

HERE = pathlib.Path(__file__).resolve().parent
MODULES = ['virtio_pci', 'virtio_console', '9pnet_virtio', '9p', 'virtio_blk', 'overlay', 'tun',
           'veth', 'bridge', 'loop', 'erofs', 'squashfs', 'ext4', 'fuse', 'vhost_net']


class Machine:
    """What differs between the emulated machines."""

    def __init__(self, name, deb, compiler, strip, packages, modules):
        self.name, self.deb, self.compiler, self.strip = name, deb, compiler, strip
        self.packages, self.modules = packages, modules


MACHINES = {
    'x86_64': Machine('x86_64', 'amd64', 'x86_64-linux-gnu-gcc', 'x86_64-linux-gnu-strip',
                      ['testhost'], ['irqbypass', 'kvm', 'kvm-amd']),
    'aarch64': Machine('aarch64', 'arm64', 'aarch64-linux-gnu-gcc', 'aarch64-linux-gnu-strip',
                       ['testhost', 'aarch64'], []),
}


def install_packages(machine):
    if subprocess.call([HERE.parent / 'dev', 'packages', *machine.packages], stdout=sys.stderr):
        raise Failed('the packages a test host needs cannot be installed')


def unpacked(apt, cache, package, machine):
    """The directory a package is unpacked in, and its name."""
    deb = apt.download(package, machine.deb)
    target = cache / 'unpacked' / pathlib.Path(deb).stem
    if not target.exists():
        partial = pathlib.Path(f'{target}.partial')
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        run(['dpkg-deb', '-x', deb, partial], f'unpacking {package}')
        partial.rename(target)
    return target


def decompress(data):
    """Kernel payloads, by their first bytes; the tail that is no part of it is ignored."""
    if data[:6] == b'\xfd7zXZ\0':
        return lzma.LZMADecompressor().decompress(data)
    if data[:2] == b'\x1f\x8b':
        return zlib.decompressobj(31).decompress(data)
    for magic, program in ((b'\x28\xb5\x2f\xfd', 'zstd'), (b'\x02\x21\x4c\x18', 'lz4')):
        if data[:4] == magic:
            return subprocess.run([program, '-dc'], input=data[:-4], check=True,
                                  stdout=subprocess.PIPE).stdout
    return None


def plain_kernel(image):
    """The ELF file within a bzImage (x86 boot protocol 2.08), or the Image within a gzip file."""
    data = image.read_bytes()
    if data[0x202:0x206] == b'HdrS':
        start = (data[0x1f1] + 1) * 512 + int.from_bytes(data[0x248:0x24c], 'little')
        data = data[start:start + int.from_bytes(data[0x24c:0x250], 'little')]
    plain = decompress(data)
    if plain is None and data[:2] != b'MZ':
        raise Failed(f'{image}: a kernel compressed in a way this does not know')
    return plain or data


def module_files(tree, release, names):
    """The module files for NAMES, each after what it depends on."""
    run(['depmod', '-b', tree, release], 'depmod')
    files = []
    for name in names:
        shown = subprocess.run(['modprobe', '-d', tree, '-S', release, '--show-depends', name],
                               capture_output=True, text=True)
        for path in re.findall(r'^insmod (\S+)', shown.stdout, re.M):
            if path not in files:
                files.append(path)
    return files


class Initramfs:
    """A cpio archive ("newc") in memory."""

    def __init__(self):
        self.parts, self.number = [], 0

    def _entry(self, name, mode, data=b''):
        self.number += 1
        fields = [self.number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        head = b'070701' + b''.join(b'%08X' % f for f in fields) + name.encode() + b'\0'
        self.parts.append(head + b'\0' * (-len(head) % 4) + data + b'\0' * (-len(data) % 4))

    def folder(self, name):
        self._entry(name, stat.S_IFDIR | 0o755)

    def file(self, name, data, mode=0o644):
        self._entry(name, stat.S_IFREG | mode, data)

    def link(self, name, target):
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def bytes(self):
        self._entry('TRAILER!!!', 0)
        return b''.join(self.parts)


def build_agent(machine, folder):
    program = folder / 'agent'
    run([machine.compiler, '-std=gnu11', '-D_GNU_SOURCE', '-O2', '-static', '-o', program,
         HERE / 'agent.c'], 'building the agent')
    return program


def make_initramfs(machine, folder, kernel_tree, busybox, applets):
    release = next((kernel_tree / 'lib/modules').iterdir()).name
    rd = Initramfs()
    for name in ('bin', 'dev', 'proc', 'sys', 'tmp', 'run', 'etc', 'root', 'lib', 'lib64', 'sbin',
                 'usr', 'usr/bin', 'usr/sbin', 'usr/lib', 'var', 'modules', 'new'):
        rd.folder(name)
    rd.file('init', (folder / 'agent').read_bytes(), 0o755)
    rd.file('bin/busybox', (busybox / 'bin/busybox').read_bytes(), 0o755)
    for applet in applets:
        if applet != 'busybox':
            rd.link('bin/' + applet, 'busybox')
    rd.file('etc/passwd', b'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n')
    rd.file('etc/group', b'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n')
    rd.file('etc/hosts', b'127.0.0.1 localhost testhost\n::1 localhost\n')
    listed = []
    for path in module_files(kernel_tree, release, [*MODULES, *machine.modules]):
        data = pathlib.Path(path).read_bytes()
        data = decompress(data) or data
        listed.append('/modules/' + re.sub(r'\.ko.*', '.ko', os.path.basename(path)))
        stripped = folder / 'module.ko'
        stripped.write_bytes(data)
        subprocess.run([machine.strip, '--strip-debug', stripped], check=True)
        rd.file(listed[-1][1:], stripped.read_bytes())
    rd.file('modules/list', ''.join(name + '\n' for name in listed).encode())
    (folder / 'initramfs').write_bytes(rd.bytes())


def prepare(name, cache):
    """Return the directory with `kernel`, `initramfs` and, for x86_64, `tsc-khz`."""
    machine = MACHINES[name]
    source = b''.join((HERE / f).read_bytes() for f in ('agent.c', 'prepare.py'))
    ready = cache / f'{name}-{hashlib.sha256(source).hexdigest()[:12]}'
    if ready.exists():
        return ready
    say(f'preparing the {name} test host (once)')
    install_packages(machine)
    apt = Apt(str(cache))
    kernel = unpacked(apt, cache, apt.real_package(f'linux-image-{machine.deb}', machine.deb), machine)
    busybox = unpacked(apt, cache, 'busybox-static', machine)
    native = unpacked(apt, cache, 'busybox-static', MACHINES[os.uname().machine])
    applets = subprocess.run([native / 'bin/busybox', '--list'], check=True, capture_output=True,
                             text=True).stdout.split()
    folder = cache / f'new.{os.getpid()}'
    folder.mkdir()
    try:
        image = next((kernel / 'boot').glob('vmlinuz-*'))
        (folder / 'kernel').write_bytes(plain_kernel(image))
        agent = build_agent(machine, folder)
        make_initramfs(machine, folder, kernel, busybox, applets)
        if name == os.uname().machine == 'x86_64':
            (folder / 'tsc-khz').write_bytes(subprocess.run([agent, '--tsc-khz'], check=True,
                                                            stdout=subprocess.PIPE).stdout)
        folder.rename(ready)
    except OSError as problem:
        if not ready.exists():      # else another run was first
            raise Failed(f'preparing the test host: {problem}') from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return ready
