#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# about: the two commands of the README in a freshly made minimal Debian with nothing but git and a clone
# timeout: 1500
# packages: image test
"""fresh - what somebody meets who has just cloned the project

The root is made by debootstrap, its home is empty, and nothing of this machine is seen in it but the devices, apt's
sources and what apt has loaded before. What is cloned is the last commit.
"""
import os
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[2] / 'tools'))
import debs         # noqa: E402
import suite        # noqa: E402

# The commands run as process 1 of a PID namespace, in a root of their own (chroot would forbid user namespaces).
ENTER = '''
set -e
mount --make-rprivate /
mount --bind "$0" "$0"
mount --rbind /dev "$0/dev"
mount --bind "$1" "$0/var/cache/apt/archives"
mount -t sysfs sysfs "$0/sys"
mount -t proc proc "$0/proc"
cd "$0"
mkdir -p old
pivot_root . old
umount -l /old
cd /clone
exec env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin bash -c "$2"
'''


def inside(root, downloads, command, timeout):
    return suite.run(['unshare', '--mount', '--pid', '--fork', '--kill-child', 'bash', '-c', ENTER, root, downloads,
                      command], timeout)


def make_root(root, downloads):
    apt = debs.Apt(str(downloads.parent))
    text, status = suite.run(['debootstrap', '--variant=minbase', '--include=git,ca-certificates',
                              f'--cache-dir={downloads}', f'--keyring={debs.KEYRING}', apt.codename, root,
                              apt.mirror()], timeout=600, env={'DPKG_FORCE': 'unsafe-io', 'LC_ALL': 'C'})
    if status:
        suite.fail('root', 'debootstrap failed', text)
        return False
    (root / 'etc/apt/sources.list').write_text(apt.list_lines())
    (root / 'etc/apt/apt.conf.d/99fresh').write_text(
        apt.settings() + 'APT::Sandbox::User "root";\nAPT::Keep-Downloaded-Packages "true";\n')
    for name in ('etc/resolv.conf', 'etc/hosts'):
        if os.path.exists('/' + name):
            (root / name).write_text(pathlib.Path('/' + name).read_text())
    for path in (root / 'root').iterdir():
        path.unlink()
    text, status = suite.run(['git', 'clone', '--quiet', '--no-hardlinks', suite.ROOT, root / 'clone'])
    if status:
        suite.fail('root', 'the project cannot be cloned', text)
    return not status


def test_commands(root, downloads):
    text, status = inside(root, downloads, 'tools/dev test --list', 300)
    names = set(re.findall(r'^(\w+) ', text, re.M))
    suite.check('test-list', not status and {'lint', 'unit', 'syscalls', 'fresh'} <= names, text)
    text, status = inside(root, downloads, 'tools/dev run', 900)
    suite.check('run', not status and re.search(r'^Linux ', text, re.M), text)
    text, status = inside(root, downloads, 'tools/dev run busybox echo once more', 120)
    suite.check('run-again', not status and text.endswith('once more\n'), text)
    text, status = inside(root, downloads, 'tools/dev test lint', 900)
    suite.check('test-lint', not status and re.search(r'^\d+ passed, 0 failed', text, re.M), text)


def main():
    downloads = pathlib.Path(os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache') / 'monitor-mkimage/debs'
    (downloads / 'partial').mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as tmp:
        root = pathlib.Path(tmp) / 'root'
        if make_root(root, downloads):
            test_commands(root, downloads)


if os.geteuid():
    suite.skip('run', 'making a root file system needs root')
else:
    main()
