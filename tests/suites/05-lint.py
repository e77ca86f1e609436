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


if sources():
    lint('format', 'clang-format', '--dry-run', '-Werror', *sources())
lint('includes', 'tools/check_includes.py')
lint('tree', 'tools/check_tree.py')
for script in ('tools/dev', 'tools/testhost', 'tests/run.py'):
    path = suite.ROOT / script
    if path.exists():
        interpreter = ['python3', '-m', 'py_compile'] if script.endswith('.py') else ['bash', '-n']
        lint('syntax-' + path.name, *interpreter, path)
