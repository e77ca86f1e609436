# SPDX-License-Identifier: Apache-2.0
"""watch - the host processes of one sandbox, seen from outside through /proc

Role      Used by the suites of the process machine. A Family is all processes whose program is one file: give each
          sandbox a monitor of its own name.
Rules     A process that ends while it is looked at is skipped. What the kernel process and the stubs may hold is written
          down here and nowhere else: vmm/abi/process.h says why.
"""
import collections
import os
import pathlib
import re
import time

PLACES = ('/dev/shm', '/tmp')       # where the sandbox must not leave anything
FILTERED = '2'                      # Seccomp: in /proc/PID/status
NAMESPACES = ('user', 'pid', 'mnt', 'ipc', 'uts', 'net', 'cgroup')
# Descriptors by kind; a monitor has the caller's standard three besides.
MAY_HOLD = {
    'monitor': r'anon_inode:\[(eventfd|pidfd)\]|anon_inode:kvm-(vm|vcpu:\d+)',
    'kernel': r'/memfd:|anon_inode:\[eventfd\]|/.*\.erofs|/.*/sha256|/.*/cache/',
}


def soon(condition, seconds=1.0):
    """Whether the condition comes true within that time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def places():
    """What lies in the world-writable places, by names the sandbox could have made."""
    return {pathlib.Path(p, name) for p in PLACES for name in os.listdir(p) if re.search('escape|monitor', name)}


def read(pid, name):
    try:
        return pathlib.Path(f'/proc/{pid}', name).read_text(errors='replace')
    except OSError:
        return ''


def link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ''


def status_of(pid):
    return dict(re.findall(r'^(\w+):[ \t]*(.*)$', read(pid, 'status'), re.M))


class Family:
    """The processes that run one program file."""

    def __init__(self, program):
        self.program = str(program)

    def pids(self):
        return [int(p) for p in os.listdir('/proc') if p.isdigit() and link(f'/proc/{p}/exe') == self.program]

    def kinds(self):
        """{'caller': [pid...], 'monitor': ..., 'kernel': ..., 'spawner': ..., 'stub': ..., 'app': ...}: by who is whose parent."""
        kinds, parent = collections.defaultdict(list), {}
        for pid in self.pids():
            status = status_of(pid)
            if 'PPid' in status and not status.get('State', 'Z').startswith('Z'):
                parent[pid] = int(status['PPid'])
        depth = ('caller', 'monitor', 'kernel', 'spawner', 'stub', 'app')
        for pid in parent:
            up, level = parent[pid], 0
            while up in parent:
                up, level = parent[up], level + 1
            kinds[depth[min(level, 5)]].append(pid)
        return kinds

    def check(self):
        """What is wrong with the locked-in processes at this moment; they must have given up everything."""
        kinds, wrong = self.kinds(), []
        for kind in ('monitor', 'kernel', 'spawner', 'stub', 'app'):
            for pid in kinds[kind]:
                try:
                    wrong += [f'{kind} {pid}: {text}' for text in self.check_one(pid, kind)]
                except (OSError, KeyError):
                    continue        # it ended
        return wrong if self.is_settled(kinds) else []

    @staticmethod
    def is_settled(kinds):
        """A kernel process has a filter before it has a stub."""
        return bool(kinds['stub']) and len(kinds['monitor']) == 1 and len(kinds['kernel']) == 1

    @staticmethod
    def check_one(pid, kind):
        status, wrong = status_of(pid), []
        if not status or status['State'].startswith('Z'):
            return []
        if any(int(status[c], 16) for c in ('CapPrm', 'CapEff', 'CapInh', 'CapBnd', 'CapAmb')):
            wrong.append('has capabilities')
        if status['NoNewPrivs'] != '1':
            wrong.append('may gain privileges')
        ids = {*status['Uid'].split(), *status['Gid'].split()}
        if '0' in ids and not os.geteuid() or status['Groups'] and not os.geteuid():
            wrong.append(f'is user {status["Uid"]}, group {status["Gid"]}, groups {status["Groups"]}')
        if os.listdir(f'/proc/{pid}/root'):
            wrong.append('sees files')
        for task in os.listdir(f'/proc/{pid}/task') if os.path.isdir(f'/proc/{pid}/task') else []:
            thread = status_of(f'{pid}/task/{task}')
            if thread and thread['Seccomp'] != FILTERED:
                wrong.append(f'thread {task} has no filter')
        if any(link(f'/proc/{pid}/ns/{ns}') == link(f'/proc/self/ns/{ns}') for ns in NAMESPACES):
            wrong.append('is in a namespace of the host')
        fds = descriptors(pid)
        odd = {t for t in fds if not re.match(MAY_HOLD.get(kind, MAY_HOLD['kernel']), t)}
        odd -= {link(f'/proc/{pid}/fd/{n}') for n in range(3)} if kind == 'monitor' else set()
        if odd and not gone(pid):
            wrong.append(f'holds {sorted(odd)}')
        if kind in ('stub', 'app') and int(status['Threads']) > 1:
            wrong.append(f'has {status["Threads"]} threads')
        if kind == 'app' and fds and int(status.get('Seccomp_filters', 3)) == 3:
            wrong.append(f'has its filter and holds {sorted(fds)}')
        return [] if gone(pid) else wrong

    def totals(self):
        """Descriptors, mappings, threads and resident KiB of all together."""
        total, kind_of = collections.Counter(), {p: k for k, pids in self.kinds().items() for p in pids}
        for pid in kind_of:
            status = status_of(pid)
            total['threads'] += int(status.get('Threads', 0))
            if kind_of[pid] == 'app':       # the stub's memory is counted there
                continue
            total['processes'] += 1
            total['fds'] += len(descriptors(pid))
            total[kind_of[pid] + ' maps'] += read(pid, 'maps').count('\n')
            if kind_of[pid] == 'kernel':    # neighbours in the file are one mapping: only the size says what is mapped
                total['kernel pages'] = sum((int(b, 16) - int(a, 16)) // 4096 for a, b in
                                            re.findall(r'^([0-9a-f]+)-([0-9a-f]+) ', read(pid, 'maps'), re.M))
            total['kib'] += int(status.get('VmRSS', '0').split()[0])
        return total


def gone(pid):
    state = status_of(pid).get('State', 'Z')
    return state.startswith(('Z', 'X'))


def descriptors(pid):
    try:
        return [link(f'/proc/{pid}/fd/{n}') for n in os.listdir(f'/proc/{pid}/fd')]
    except OSError:
        return []
