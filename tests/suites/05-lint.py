#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# about: layout, includes, size budgets, headers that compile alone, generated tables
# timeout: 120
# fast: yes
# packages: build test
"""lint - what can be checked without running anything"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import suite        # noqa: E402


def lint(name, *command):
    if suite.wanted(name):
        text, status = suite.run(command, timeout=100)
        suite.check(name, status == 0, text)
        if status == 0:
            print(text, end='')


def sources():
    """The C files git knows or would add, but none that a build made."""
    text, _ = suite.run(['git', 'ls-files', '--cached', '--others', '--exclude-standard',
                         '*.c', '*.h'])
    return [f for f in text.split() if (suite.ROOT / f).exists()]


def check_format():
    """clang-format over everything; says which files, not which columns."""
    text, status = suite.run(['clang-format', '--dry-run', '-Werror', *sources()], timeout=100)
    files = sorted({line.split(':')[0] for line in text.splitlines() if ': error: ' in line})
    suite.check('format', status == 0, '\n'.join(files) + '\nmend with: tools/dev format FILE...')


if sources() and suite.wanted('format'):
    check_format()
lint('includes', 'tools/check_includes.py')
lint('tree', 'tools/check_tree.py')
for script in ('tools/dev', 'tools/mkimage', 'tools/testhost', 'tests/run.py'):
    path = suite.ROOT / script
    if path.exists():
        check = ['bash', '-n'] if b'bash' in path.read_bytes()[:40] else [
            'python3', '-c', 'import ast, sys; ast.parse(open(sys.argv[1]).read())']
        lint('syntax-' + path.name, *check, path)
