#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# about: images from tools/mkimage: both formats, same bytes twice, clear errors
# timeout: 300
# packages: image test
"""mkimage - the image maker itself; reading images is tested by the suite of the monitor"""
import hashlib
import json
import os
import pathlib
import sys
import tarfile
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import suite        # noqa: E402


def make(folder, *args):
    """Run mkimage in FOLDER; returns (what it said, status)."""
    text, status = suite.run([suite.ROOT / 'tools/mkimage', '--quiet', *args], cwd=folder)
    return text.strip(), status


def read_json(tar, name):
    return json.load(tar.extractfile(name))


def test_docker_archive(folder):
    text, status = make(folder, 'busybox', 'a.tar')
    if status:
        return suite.fail('docker-archive', details=text)
    with tarfile.open(folder / 'a.tar') as tar:
        entry, = read_json(tar, 'manifest.json')
        config = tar.extractfile(entry['Config']).read()
        layer = tar.extractfile(entry['Layers'][0]).read()
        same_config = entry['Config'] == hashlib.sha256(config).hexdigest() + '.json'
        diff_id = 'sha256:' + hashlib.sha256(layer).hexdigest()
        suite.check('docker-archive', same_config and
                    json.loads(config)['rootfs']['diff_ids'] == [diff_id] and
                    entry['RepoTags'] == ['busybox:latest'] and
                    json.loads(config)['config']['Cmd'] == ['sh'], str(entry))


def test_oci_layout(folder):
    for how in ('none', 'gzip', 'zstd'):
        text, status = make(folder, '--oci', '--compress', how, 'busybox', 'o.tar')
        if status:
            suite.fail(f'oci-{how}', details=text)
            continue
        with tarfile.open(folder / 'o.tar') as tar:
            wrong = [m.name for m in tar.getmembers() if m.isfile() and m.name.startswith('blobs/')
                     and hashlib.sha256(tar.extractfile(m).read()).hexdigest() != m.name[13:]]
            digest = read_json(tar, 'index.json')['manifests'][0]['digest']
            manifest = read_json(tar, 'blobs/sha256/' + digest[7:])
            kind = manifest['layers'][0]['mediaType']
            suite.check(f'oci-{how}', not wrong and kind.endswith(
                {'none': '.tar', 'gzip': '.tar+gzip', 'zstd': '.tar+zstd'}[how]), f'{wrong} {kind}')


def test_same_bytes(folder):
    for name in ('one.tar', 'two.tar'):
        text, status = make(folder, 'busybox', name)
        if status:
            return suite.fail('same-bytes', details=text)
    suite.check('same-bytes', (folder / 'one.tar').read_bytes() == (folder / 'two.tar').read_bytes())


def test_copy(folder):
    (folder / 'tree').mkdir()
    (folder / 'tree/file').write_text('x' * 1000)
    os.link(folder / 'tree/file', folder / 'tree/link')
    os.setxattr(folder / 'tree/file', 'user.test', b'\x00\xff')
    os.chown(folder / 'tree/file', 70000, 70001)
    text, status = make(folder, 'scratch', 'c.tar', '--copy', 'tree:/data', '--cmd', '/data/file')
    if status:
        return suite.fail('copy', details=text)
    with tarfile.open(folder / 'c.tar') as tar:
        layer = read_json(tar, 'manifest.json')[0]['Layers'][0]
        with tarfile.open(fileobj=tar.extractfile(layer)) as inner:
            one, two = inner.getmember('data/file'), inner.getmember('data/link')
            suite.check('copy', one.uid == 70000 and one.gid == 70001 and two.islnk()
                        and 'SCHILY.xattr.user.test' in one.pax_headers, str(one.pax_headers))


def test_errors(folder):
    for case, args, want in (
            ('bad-name', ['fedora', 'x.tar'], 'unknown image'),
            ('bad-package', ['debian+no/such', 'x.tar'], 'not a package name'),
            ('no-such-package', ['debian+no-such-package', 'x.tar'], 'knows no package'),
            ('no-folder', ['busybox', 'missing/x.tar'], 'no such directory'),
            ('no-source', ['scratch', 'x.tar', '--copy', 'nothing:/x'], 'there is no nothing')):
        text, status = make(folder, *args)
        left = [f for f in os.listdir(folder) if f.startswith('x.tar')]
        suite.check('error-' + case, status != 0 and want in text and not left, f'{text} {left}')


TESTS = {'docker-archive': test_docker_archive, 'oci': test_oci_layout, 'copy': test_copy,
         'same-bytes': test_same_bytes, 'error': test_errors}     # by how their cases begin

with tempfile.TemporaryDirectory() as name:
    for case, test in TESTS.items():
        if not suite.CASES or any(c.startswith(case) for c in suite.CASES):
            test(pathlib.Path(name))
