#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_tree - size budgets, file headers, open ends

Role      Lint. Failures are printed as they are and end with status 1; warnings start with
          "warning:" and change nothing.
Rules     Fails: a function of more than 100 lines, a file of more than 900, a missing SPDX line or
          file header, a TODO that names neither issue nor test, a header that does not compile
          alone, an #if that names an architecture outside arch/, a kernel function that nobody
          uses, a prototype of one without a body. (That every call has a test is
          checked by tests/syscalls/check_covers.py in the suite syscalls.)
          Warns: functions over 60 lines, nesting over 3, more than 6 parameters, more than one
          #if per 1000 lines of .c code, more than 30 public functions in a header.
          A place may grant itself an exception: `lint: long function`, `long file`, `nesting` or
          `parameters` in a comment within the thing or up to three lines above it, with a reason.
"""
import collections
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
FUNCTION_WARN, FUNCTION_MAX, FILE_MAX, NESTING, PARAMETERS, PUBLIC = 60, 100, 900, 3, 6, 30
HOSTED = {'strlen', 'strnlen'}      # defined under other names
UNCALLED = {'__stack_chk_fail', 'hyp_reseed'}     # the compiler's; ready for what copies sandboxes
failures, warnings = [], []


def c_files():
    listed = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard', '*.c', '*.h', '*.S'],
                            cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return [n for n in listed if (ROOT / n).exists()]


def blank_out(text):
    """The text with comments, strings and preprocessor lines blanked, line for line."""
    def spaces(found):
        return re.sub(r'[^\n]', ' ', found.group())
    text = re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', spaces, text,
                  flags=re.S)
    return re.sub(r'^[ \t]*#(?:.*\\\n)*.*$', spaces, text, flags=re.M)


def functions(code):
    """(name, parameters, first line, last line, deepest nesting) of each function."""
    depth, start, nesting = 0, None, 0
    lines = code.split('\n')
    for number, line in enumerate(lines, 1):
        for char in line:
            if char == '{':
                if depth == 0:
                    start, nesting = number, 0
                depth += 1
                nesting = max(nesting, depth - 1)
            elif char == '}' and depth:
                depth -= 1
                if depth == 0 and start is not None:
                    head = heading(lines, start)
                    if head:
                        yield (*head, start, number, nesting)
                    start = None


def heading(lines, start):
    """Name and parameter count of the function whose body opens on line START, else None."""
    text = ''
    for line in reversed(lines[max(0, start - 12):start]):
        text = line + ' ' + text
        if re.match(r'\w[\w\s*]*\(', line) or re.search(r'[;}]\s*$', line):
            break
    text = text[:text.rfind('{')]
    found = re.match(r'.*?\b(\w+)\s*\(([^{;=]*)\)[^={;]*$', text, re.S)
    if not found or found.group(1) in ('if', 'while', 'for', 'switch'):
        return None
    arguments = re.sub(r'\([^()]*\)', '', found.group(2)).strip()
    return found.group(1), 0 if arguments in ('', 'void') else arguments.count(',') + 1


def excused(lines, what, first, last):
    return any(f'lint: {what}' in line for line in lines[max(0, first - 4):last])


def check_functions(name, text):
    lines = text.split('\n')
    for function, parameters, first, last, nesting in functions(blank_out(text)):
        where, size = f'{name}:{first}: {function}()', last - first + 1
        if size > FUNCTION_WARN and not excused(lines, 'long function', first, last):
            (failures if size > FUNCTION_MAX else warnings).append(
                f'{where} has {size} lines, the limit is {FUNCTION_MAX}')
        if nesting > NESTING and not excused(lines, 'nesting', first, last):
            warnings.append(f'{where} nests {nesting} deep, the limit is {NESTING}')
        if parameters > PARAMETERS and not excused(lines, 'parameters', first, last):
            warnings.append(f'{where} has {parameters} parameters, the limit is {PARAMETERS}')


def check_file(name):
    text = (ROOT / name).read_text(errors='replace')
    lines = text.count('\n')
    if lines > FILE_MAX and 'lint: long file' not in text:
        failures.append(f'{name}: {lines} lines, the limit is {FILE_MAX}')
    if 'SPDX-License-Identifier: Apache-2.0' not in text[:300]:
        failures.append(f'{name}: no SPDX line')
    if not re.search(r'^(?:/\* | \* )\S+(?:, \S+)* - \S', text[:1200], re.M):
        failures.append(f'{name}: no file header (`{pathlib.Path(name).name} - one line`)')
    for number, line in enumerate(text.split('\n'), 1):
        if re.search(r'\b(TODO|FIXME|XXX)\b', line) and not re.search(r'#\d+|tests/', line):
            failures.append(f'{name}:{number}: a TODO names an issue or a test')
    if not name.endswith('.S'):
        check_functions(name, text)
    if name.endswith('.h') and '#pragma once' not in text and not re.search(r'#ifndef \w+_H\b', text):
        failures.append(f'{name}: no include guard')
    if name.endswith('.h') and not name.startswith('tests/'):
        public = len(re.findall(r'^\w[\w\s*]*\b\w+\([^;{]*\)[^;{]*;', blank_out(text), re.M))
        if public > PUBLIC:
            warnings.append(f'{name}: {public} public functions, the limit is {PUBLIC}')


def check_scripts():
    listed = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard', 'tools', 'tests', '.ci'],
                            cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in listed:
        path = ROOT / name
        if not path.is_file() or path.is_symlink():
            continue
        with open(path, 'rb') as f:
            head = f.read(300)
        if (head.startswith(b'#!') or name.endswith('.py')) and b'SPDX-License-Identifier' not in head:
            failures.append(f'{name}: no SPDX line')


def check_conditionals(names):
    for name in names:
        if name.startswith(('arch/', 'tests/', 'tools/')):
            continue
        for number, line in enumerate((ROOT / name).read_text(errors='replace').split('\n'), 1):
            if re.match(r'\s*#\s*(if|elif).*__(x86_64|aarch64|i386|arm)__', line):
                failures.append(f'{name}:{number}: an architecture is chosen by files in arch/')
    code = [n for n in names if n.endswith('.c') and not n.startswith('tests/')]
    texts = {n: (ROOT / n).read_text(errors='replace') for n in code}
    lines = sum(t.count('\n') for t in texts.values())
    places = [f'{n}:{i}' for n, t in texts.items()
              for i, line in enumerate(t.split('\n'), 1) if re.match(r'\s*#\s*if', line)]
    if len(places) > max(3, lines // 1000):
        warnings.append(f'{len(places)} #if in {lines} lines of .c files, the budget is one per '
                        f'1000: {" ".join(places[:12])}')


def check_headers_alone(names):
    """Compile one file per header that includes nothing else; all in one compiler run each."""
    kernel = ['-ffreestanding', '-mgeneral-regs-only', '-D__MONITOR_GUEST__']
    with tempfile.TemporaryDirectory() as folder:
        for name in (n for n in names if n.endswith('.h')):
            arch = 'aarch64' if '/aarch64/' in name else 'x86_64'
            if arch == 'aarch64':
                continue        # needs the cross compiler; the aarch64 build covers it
            host = name.startswith(('vmm/', 'tests/', 'tools/')) or '/vmm/' in name \
                or name.endswith('arch/vcpu.h')
            flags = [] if host and not name.startswith('vmm/abi/') else kernel
            source = pathlib.Path(folder) / 'alone.c'
            source.write_text(f'#include "{name}"\nstruct is_not_empty {{ int x; }};\n')
            done = subprocess.run(['gcc', '-std=gnu11', '-D_GNU_SOURCE', *flags, '-I', ROOT, '-I',
                                   ROOT / f'arch/{arch}/include', '-I',
                                   ROOT / 'arch/common/include', '-I', ROOT / f'tests/lib/cpu/{arch}',
                                   '-fsyntax-only', source],
                                  capture_output=True, text=True)
            if done.returncode:
                first = next((x for x in done.stderr.splitlines() if 'error' in x), done.stderr)
                failures.append(f'{name}: does not compile alone: {first}')


def inline_prototypes(path):
    """{name: prototype} of the inline functions of a header, spaces made even."""
    text = re.sub(r'/\*.*?\*/', '', path.read_text(), flags=re.S)
    found = re.findall(r'^static inline ([\w\s*]+?\**)(\w+)\(([^)]*)\)\s*\{', text, re.M)
    return {name: re.sub(r'\s+', ' ', f'{kind}{name}({args})') for kind, name, args in found}


def check_machines():
    """Headers of the same name declare the same inline functions on every machine; files have the same names."""
    first, *others = sorted(p for p in (ROOT / 'arch').iterdir() if (p / 'guest/entry.S').exists())
    for other in others:
        for header in sorted((first / 'include/arch').glob('*.h')):
            twin = other / 'include/arch' / header.name
            if not twin.exists():
                failures.append(f'{twin.relative_to(ROOT)}: missing; {first.name} has it')
                continue
            ours, theirs = inline_prototypes(header), inline_prototypes(twin)
            for name in sorted(set(ours) & set(theirs)):
                if ours[name] != theirs[name]:
                    failures.append(f'{twin.relative_to(ROOT)}: {theirs[name]} differs from {first.name}: '
                                    f'{ours[name]}')
            if header.name in ('regs.h', 'cpu_local.h', 'boot_pte.h', 'vdso_cpu.h'):
                for name in sorted(set(ours) ^ set(theirs)):
                    failures.append(f'{twin.relative_to(ROOT)}: {name}() is on one machine only')


def check_calls(names):
    """Kernel functions that nobody uses, and prototypes without a body."""
    names = [n for n in names if n.startswith(('guestkernel/', 'fs/', 'net/', 'arch/')) and '/vdso/' not in n
             and '/vmm/' not in n and not n.endswith('arch/vcpu.h')]
    uses, defined, declared, bodies = collections.Counter(), {}, collections.Counter(), set()
    for test in (ROOT / 'tests').rglob('*.c'):      # what locks and lists offer is used there, if nowhere else
        uses.update(set(re.findall(r'\b[a-z]\w+\b', test.read_text(errors='replace')))
                    if test.parent.name in ('unit', 'model', 'fuzz') else ())
    where = {}
    for name in names:
        text = (ROOT / name).read_text(errors='replace')
        # strings stay: assembly in them calls, too; so do macros
        uses.update(re.findall(r'\b[a-z]\w+\b', re.sub(r'/\*.*?\*/|//[^\n]*', '', text, flags=re.S)))
        if name.endswith('.S'):
            bodies.update(re.findall(r'\b\w+\b', text))
            continue
        bodies.update(re.findall(r'"(\w+):', text))     # assembly
        code = blank_out(text)
        for kind, function in re.findall(r'^(\w[\w\s*]*?)\b(\w+)\([^;{}]*\)[^;{}()]*\{', code, re.M):
            bodies.add(function)
            if name.endswith('.c') and 'static' not in kind.split():
                defined.setdefault(function, name)
        for kind, function in re.findall(r'^(\w[\w\s*]*?)\b(\w+)\([^;{}]*\)[^;{}()]*;', code, re.M):
            if not {'typedef', 'static', 'return'} & set(kind.split()):
                declared[function] += 1
                where.setdefault(function, name)
    for function in sorted(set(defined) - UNCALLED):
        if uses[function] <= 1 + declared[function] and not function.startswith('sys_'):
            failures.append(f'{defined[function]}: nobody uses {function}()')
    for function in sorted(set(where) - bodies - HOSTED):
        failures.append(f'{where[function]}: {function}() has no body')


def main():
    names = c_files()
    check_calls(names)
    for name in names:
        check_file(name)
    check_conditionals(names)
    check_scripts()
    check_machines()
    check_headers_alone(names)
    for text in warnings:
        print('warning:', text)
    for text in failures:
        print(text)
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
