# SPDX-License-Identifier: Apache-2.0
"""family - all processes a program has started, whatever became of their parents

Role      tests/run.py ends what a suite leaves: suites start builds, sandboxes and test hosts in process groups and
          sessions of their own, which no signal to the suite reaches.
Rules     adopt() makes this process the parent of every orphan below it (PR_SET_CHILD_SUBREAPER), so that who is
          below it is a walk over /proc.
"""
import ctypes
import os
import pathlib
import signal
import time

PR_SET_CHILD_SUBREAPER = 36


def adopt():
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def parents():
    """{pid: parent} of all that live; who has ended but was not waited for is not among them."""
    found = {}
    for stat in pathlib.Path('/proc').glob('[0-9]*/stat'):
        try:
            state, parent = stat.read_text(errors='replace').rpartition(')')[2].split()[:2]
        except OSError:
            continue
        if state not in 'ZX':
            found[int(stat.parent.name)] = int(parent)
    return found


def below(pid, but=()):
    """The pids below PID, without those in BUT and what is below them."""
    parent_of, found, more = parents(), set(), {pid}
    while more:
        more = {p for p, parent in parent_of.items() if parent in more and p not in but}
        found |= more
    return found


def name(pid):
    try:
        words = pathlib.Path(f'/proc/{pid}/cmdline').read_bytes().replace(b'\0', b' ').decode(errors='replace')
        return words.strip()[:120] or f'process {pid}'
    except OSError:
        return f'process {pid}'


def reap():
    """Waits for the orphans that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def end(but=(), seconds=10):
    """Kills everything below this process, without BUT and what is below them; returns their names."""
    names, deadline = [], time.monotonic() + seconds
    while (pids := below(os.getpid(), but)) and time.monotonic() < deadline:
        names = names or [name(pid) for pid in sorted(pids)]
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.05)
        reap()
    return names
