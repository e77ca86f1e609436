# SPDX-License-Identifier: Apache-2.0
"""foreign - a Debian tree of another architecture, without running one of its programs

Role      Used by tools/mkimage for `--arch` of a machine this one cannot run. Essential packages, the named
          ones and what they depend on are unpacked over each other.
Rules     No package script runs. What scripts would do and programs need is done here: the merged /usr, users
          and groups, the few alternatives nothing works without.
Missing   Everything else scripts do: the dpkg database, caches, compiled Python, certificates.
See       tools/debs.py
"""
import os
import re
import shutil
import subprocess

from debs import Failed, run, say

MERGED = ('bin', 'sbin', 'lib')
ALTERNATIVES = {'usr/bin/awk': ('mawk', 'gawk'), 'usr/bin/which': ('which.debianutils',), 'usr/bin/cc': ('gcc',),
                'usr/bin/c++': ('g++',), 'usr/bin/vi': ('vim.basic', 'vim.tiny'), 'usr/bin/pager': ('less', 'more'),
                'usr/bin/nc': ('nc.openbsd', 'nc.traditional')}
APT_GET = ['-y', '-qq', '--no-install-recommends']


def essential_packages(options):
    for again in (False, True):
        text = subprocess.run(['apt-cache', *options, 'dumpavail'], capture_output=True, text=True).stdout
        names = [m[1] for stanza in text.split('\n\n') if '\nEssential: yes' in stanza
                 for m in [re.search(r'^Package: (\S+)', stanza, re.M)] if m]
        if names:
            return sorted(set(names))
        if not again:
            run(['apt-get', *options, 'update', '-qq'], 'apt-get update')
    raise Failed('apt knows no essential packages there')


def unpack(deb, root):
    with subprocess.Popen(['dpkg-deb', '--fsys-tarfile', deb], stdout=subprocess.PIPE) as reader:
        done = subprocess.run(['tar', '-x', '--keep-directory-symlink', '-C', root], stdin=reader.stdout)
    if done.returncode or reader.returncode:
        raise Failed(f'unpacking {deb} failed')


def finish(root):
    def at(path):
        return os.path.join(root, path)

    for name in ('passwd', 'group'):
        shutil.copy(at(f'usr/share/base-passwd/{name}.master'), at('etc/' + name))
    with open(at('etc/passwd')) as f, open(at('etc/shadow'), 'w') as shadow:
        shadow.writelines(line.split(':')[0] + ':*:0:0:99999:7:::\n' for line in f)
    os.chmod(at('etc/shadow'), 0o640)
    for link, targets in ALTERNATIVES.items():
        found = next((t for t in targets if os.path.lexists(at('usr/bin/' + t))), None)
        if found and not os.path.lexists(at(link)):
            os.symlink(found, at(link))
    for folder, mode in (('tmp', 0o1777), ('var/tmp', 0o1777), ('proc', 0o755), ('sys', 0o755), ('dev', 0o755)):
        os.makedirs(at(folder), exist_ok=True)
        os.chmod(at(folder), mode)


def build(root, apt, packages, arch):
    options = apt._foreign_options(arch)
    debs = os.path.join(apt.cache, 'debs')
    os.makedirs(os.path.join(debs, 'partial'), exist_ok=True)
    names = [f'{n}:{arch}' for n in [*essential_packages(options), 'bash', 'coreutils', *packages]]
    install = ['apt-get', *options, '-o', f'Dir::Cache::archives={debs}', *APT_GET]
    # print-uris leaves out what is in the cache already, so it is asked with an empty one
    text = subprocess.run(['apt-get', *options, *APT_GET, '--print-uris', 'install', *names],
                          capture_output=True, text=True)
    files = re.findall(r"^'[^']*' (\S+\.deb) \d+", text.stdout, re.M)
    if text.returncode or not files:
        raise Failed('apt cannot resolve the packages: ' + (text.stderr.strip().splitlines() or ['?'])[-1])
    say(f'unpacking {len(files)} packages of Debian {apt.codename} for {arch}, not configured')
    run([*install, '--download-only', 'install', *names], 'downloading the packages')
    for name in MERGED:
        os.makedirs(os.path.join(root, 'usr', name), exist_ok=True)
        os.symlink('usr/' + name, os.path.join(root, name))
    for name in files:
        unpack(os.path.join(debs, name), root)
    finish(root)
