# SPDX-License-Identifier: Apache-2.0
"""debs - Debian packages for the tools: this machine's sources, a cache of downloads, running programs

Role      Used by tools/mkimage and tools/testhost. Asks apt where packages come from, so that no
          mirror is named in this tree, and keeps what it loads under the caller's cache directory.
Rules     Downloads are checked against the SHA-256 apt knows. Another architecture gets an apt state
          of its own; the machine's is not touched. Problems are raised as Failed, one sentence each.
"""
import hashlib
import os
import re
import shutil
import subprocess
import sys

KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
program = 'tools'       # whose messages these are; set by the program
quiet = False


class Failed(Exception):
    """A problem to tell the user in one sentence."""


def say(text):
    if not quiet:
        clear_line()
        print(f'{program}: {text}', file=sys.stderr, flush=True)


def clear_line():
    if sys.stderr.isatty():
        sys.stderr.write('\r\033[K')


def progress(text):
    if sys.stderr.isatty() and not quiet:
        sys.stderr.write('\r\033[K  ' + text[:shutil.get_terminal_size().columns - 4])
        sys.stderr.flush()


def run(args, what, env=None, cwd=None):
    """Run a program; its last line is shown as progress, its output only when it fails."""
    full = dict(os.environ, LC_ALL='C', DEBIAN_FRONTEND='noninteractive', **(env or {}))
    tail = []
    try:
        child = subprocess.Popen(args, env=full, cwd=cwd, stdin=subprocess.DEVNULL, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors='replace')
    except FileNotFoundError:
        raise Failed(f'{what}: {args[0]} is not installed') from None
    for line in child.stdout:
        line = line.rstrip()
        if line:
            tail = tail[-19:] + [line]
            progress(line)
    if child.wait():
        clear_line()
        raise Failed(f'{what} failed (status {child.returncode}); its last lines:\n    '
                     + '\n    '.join(tail))
    clear_line()
    return tail


def output(*args):
    done = subprocess.run(args, capture_output=True, text=True, env=dict(os.environ, LC_ALL='C'))
    if done.returncode:
        raise Failed(f'{" ".join(args)}: {done.stderr.strip() or done.returncode}')
    return done.stdout


def need_packages(*names):
    missing = [n for n in names if subprocess.run(
        ['dpkg-query', '-W', '-f=${db:Status-Status}', n],
        capture_output=True, text=True).stdout != 'installed']
    if missing:
        say('installing ' + ' '.join(missing))
        run(['apt-get', 'update', '-qq'], 'apt-get update')
        run(['apt-get', 'install', '-y', '-qq', '--no-install-recommends', *missing],
            'installing ' + ' '.join(missing))


def file_sha256(path):
    sha = hashlib.sha256()
    with open(path, 'rb') as f:
        while block := f.read(1 << 20):
            sha.update(block)
    return sha.hexdigest()


class Apt:
    """Where this machine gets its Debian packages from, asked of apt itself."""

    def __init__(self, cache):
        self.cache = cache
        release = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', open('/etc/os-release').read(), re.M))
        self.codename = release.get('VERSION_CODENAME', '')
        if release.get('ID') != 'debian' or not self.codename:
            raise Failed('this needs a Debian machine: its packages are what images are made of')
        self.sources = []           # (uri, suite, [components])
        self._read()
        if not self.sources:
            run(['apt-get', 'update', '-qq'], 'apt-get update')
            self._read()
        if not self.mirror():
            raise Failed(f'apt has no source for Debian {self.codename}: see sources.list(5)')

    def _read(self):
        text = output('apt-get', 'indextargets', '--format',
                      '$(SITE)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)', 'Created-By: Packages')
        found = {}
        for line in sorted(set(text.splitlines())):
            uri, suite, component, origin = line.split('|')
            if origin.startswith('Debian') and suite.startswith(self.codename):
                found.setdefault((uri, suite), []).append(component)
        self.sources = [(uri, suite, parts) for (uri, suite), parts in sorted(found.items())]

    def mirror(self):
        for uri, suite, _ in self.sources:
            if suite == self.codename:
                return uri
        return None

    def list_lines(self):
        return ''.join(f'deb {uri} {suite} {" ".join(parts)}\n' for uri, suite, parts in self.sources)

    def settings(self):
        """How this machine loads packages, as an apt.conf(5) for another root."""
        return ''.join(line + '\n' for line in output('apt-config', 'dump').splitlines()
                       if line.startswith(('Acquire::', 'APT::Get::')))

    def download(self, package, arch):
        """Return the path of PACKAGE's .deb, fetched into the cache unless it is there."""
        deb_dir = os.path.join(self.cache, 'debs')
        os.makedirs(deb_dir, exist_ok=True)
        options = self._foreign_options(arch)
        for again in (False, True):
            text = subprocess.run(['apt-get', *options, '--print-uris', 'download',
                                   f'{package}:{arch}'], capture_output=True, text=True).stdout
            found = re.search(r"^'[^']*' (\S+) \d+ SHA256:(\w+)", text, re.M)
            if found:
                break
            if again:
                raise Failed(f'apt knows no package {package} for {arch}')
            run(['apt-get', *options, 'update', '-qq'], 'apt-get update')
        path = os.path.join(deb_dir, found.group(1))
        if not (os.path.exists(path) and file_sha256(path) == found.group(2)):
            say(f'downloading {found.group(1)}')
            run(['apt-get', *options, '-o', 'APT::Sandbox::User=root', 'download',
                 f'{package}:{arch}'], f'downloading {package}', cwd=deb_dir)
        return path

    def check_names(self, names):
        """Raise Failed, before any work is done, for the first name apt has never heard of."""
        for name in names:
            if not subprocess.run(['apt-cache', 'showpkg', name], capture_output=True).stdout:
                raise Failed(f'apt knows no package {name}')

    def real_package(self, package, arch):
        """The package a metapackage such as linux-image-amd64 stands for."""
        options = self._foreign_options(arch)
        for again in (False, True):
            text = subprocess.run(['apt-cache', *options, 'depends', f'{package}:{arch}'],
                                  capture_output=True, text=True).stdout
            found = re.search(r'^\s*Depends: (linux-image-\d[^\s:]*)', text, re.M)
            if found:
                return found.group(1)
            if not again:
                run(['apt-get', *options, 'update', '-qq'], 'apt-get update')
        raise Failed(f'apt does not know what {package} for {arch} stands for')

    def _foreign_options(self, arch):
        if arch == host_arch():
            return []
        root = os.path.join(self.cache, 'apt-' + arch)
        for sub in ('state/lists/partial', 'cache/archives/partial', 'etc'):
            os.makedirs(os.path.join(root, sub), exist_ok=True)
        with open(os.path.join(root, 'etc/sources.list'), 'w') as f:
            f.write(self.list_lines().replace('deb ', f'deb [signed-by={KEYRING}] '))
        open(os.path.join(root, 'state/status'), 'a').close()
        pairs = {'APT::Architecture': arch, 'APT::Architectures': arch,
                 'Dir::State': root + '/state', 'Dir::State::status': root + '/state/status',
                 'Dir::Cache': root + '/cache', 'Dir::Etc::sourcelist': root + '/etc/sources.list',
                 'Dir::Etc::sourceparts': '/dev/null', 'APT::Sandbox::User': 'root'}
        return [word for key, value in pairs.items() for word in ('-o', f'{key}={value}')]


def host_arch():
    return output('dpkg', '--print-architecture').strip()
