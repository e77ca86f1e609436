# SPDX-License-Identifier: Apache-2.0
"""tap - reading and writing test results, one line each

Role      The one place that knows the result lines of tests: tests/run.py reads them from suites,
          suites read them from test programs and write their own.
Rules     `ok [N] - NAME [# SKIP reason]` or `not ok [N] - NAME`, nothing before it on the line.
          NAME ends at the first blank or ": "; the rest of the line is a remark, or, if it is a
          single word after ": ", a case of NAME. `1..0 # SKIP reason` skips a whole program. Every
          other line is commentary; it belongs to the failure it precedes or, indented or behind
          `#`, directly follows.
"""
import re

RESULT = re.compile(r'(not )?ok\b(?:\s+\d+)?(?:\s+-)?\s*(.*)$')
DIRECTIVE = re.compile(r'\s*#\s*(skip|todo)\b\s*(.*)$', re.I)
SKIP_ALL = re.compile(r'1\.\.0\s*#\s*skip\S*\s*(.*)$', re.I)


class Result:
    """One result: .status is 'ok', 'fail' or 'skip'; .text a reason or remark."""

    def __init__(self, status, name, text=''):
        self.status, self.name, self.text = status, name, text

    def line(self):
        start = 'not ok' if self.status == 'fail' else 'ok'
        end = f' # SKIP {self.text}' if self.status == 'skip' else f': {self.text}' if self.text else ''
        return f'{start} - {self.name}{end}'


def parse(line):
    """The Result of a line, None if the line is commentary."""
    every = SKIP_ALL.match(line)
    if every:
        return Result('skip', '', every.group(1))
    found = RESULT.match(line)
    if not found:
        return None
    words, status, reason = found.group(2), 'fail' if found.group(1) else 'ok', ''
    directive = DIRECTIVE.search(words)
    if directive:
        words, reason = words[:directive.start()], directive.group(2)
        status = 'skip' if directive.group(1).lower() == 'skip' or status == 'fail' else 'ok'
    words = re.sub(r'\s+\([\d.]+ ?m?s\)$', '', words.strip())     # how long it took
    name, _, remark = words.partition(' ')
    if name.endswith(':') and re.fullmatch(r'[\w.-]+', remark.strip()):
        name, remark = f'{name[:-1]}/{remark.strip()}', ''
    return Result(status, name.rstrip(':'), reason or remark.strip())


def results(lines):
    """Each result with the list of its commentary lines, as soon as the next one begins; at the end
    None with the lines that were left."""
    current, own, notes = None, [], []
    for line in lines:
        result = parse(line)
        if result:
            if current:
                yield current, own
            current, own, notes = result, notes, []
            continue
        if re.match(r'TAP version|1\.\.\d', line):
            continue
        if current and current.status == 'fail' and line[:1] in (' ', '#'):
            own.append(line)
        if not line.startswith(' '):
            notes.append(line)
    if current:
        yield current, own
    yield None, notes
