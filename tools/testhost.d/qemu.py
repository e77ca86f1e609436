# SPDX-License-Identifier: Apache-2.0
"""qemu - starts test hosts, from a saved state if there is one

Role      Knows the QEMU command line, QMP as far as it is needed, and the saved states: a host is
          booted once per configuration, its memory stays in a file and its devices in another, and
          every later start maps that memory privately and is up in a fraction of a second.
Rules     The name of a saved state is a hash of everything that shapes it. It is made under a
          temporary name and renamed, so that two makers do not meet. QEMU dies with its client
          unless it was started to stay.
"""
import collections
import ctypes
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

from client import Session
from debs import Failed, progress, clear_line, say

BOOT_SECONDS, RESTORE_SECONDS = 180, 60
COMMON = 'panic=-1 quiet mitigations=off nokaslr random.trust_cpu=on audit=0 apparmor=0'
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


class Config:
    """One configuration of a test host, and its QEMU arguments."""

    def __init__(self, arch, ready, smp=1, mem=1024, icount=None, cpu=None, append='', disk=None,
                 gic=3):
        self.arch, self.ready, self.smp, self.mem = arch, ready, smp, mem
        self.icount, self.cpu, self.disk = icount, cpu, disk
        self.program = shutil.which(f'qemu-system-{arch}')
        if not self.program:
            raise Failed(f'qemu-system-{arch} is not installed')
        x86 = arch == 'x86_64'
        self.machine = 'q35' if x86 else f'virt,virtualization=on,gic-version={gic}'
        self.cpu = cpu or ('max,+svm,-pku,-mpx' if x86 else 'neoverse-n1')
        # SVM under several emulation threads now and then resets a CPU, so one thread there.
        self.threads = 'single' if icount is not None or (x86 and smp > 1) else 'multi'
        if x86:
            khz = int((ready / 'tsc-khz').read_text()) if (ready / 'tsc-khz').exists() else 2000000
            khz = round(khz / 1000) * 1000
            if icount is not None:      # the counter then counts virtual nanoseconds, and each
                khz = 1000000           # round of a REP instruction is an instruction
                self.cpu += ',-erms,-fsrm'
            self.append = (f'console=ttyS0 {COMMON} tsc=reliable tsc_early_khz={khz} '
                           'clocksource=tsc no_timer_check')
        else:
            self.append = f'console=ttyAMA0 {COMMON}'
        self.append += (' norandmaps' if icount is not None else '') + (' ' + append if append else '')

    def key(self):
        stamps = [os.stat(p).st_mtime_ns for p in
                  (self.program, self.ready / 'kernel', self.ready / 'initramfs')]
        disk = os.path.getsize(self.disk) if self.disk else 0
        return hashlib.sha256(repr((self.arguments('', '', '', '', ''), stamps, disk)).encode()
                              ).hexdigest()[:16]

    def arguments(self, memory, share, console, folder, hostroot):
        accel = f'tcg,thread={self.threads}'
        words = [self.program, '-name', 'testhost', '-nodefaults', '-no-user-config', '-nographic',
                 '-no-reboot', '-accel', accel, '-machine', f'{self.machine},memory-backend=ram',
                 '-cpu', self.cpu, '-smp', str(self.smp), '-m', str(self.mem),
                 '-object', f'memory-backend-file,id=ram,size={self.mem}M,mem-path={memory},'
                            f'share={share}',
                 '-kernel', str(self.ready / 'kernel'), '-initrd', str(self.ready / 'initramfs'),
                 '-append', self.append, '-serial', f'file:{console}' if console else 'null',
                 '-device', 'virtio-serial-pci']
        if self.icount is not None:
            words += ['-icount', f'shift={self.icount},sleep=off']
        model = 'passthrough' if os.geteuid() == 0 else 'none'
        for tag, path, more in (('work', folder, ''), ('host', hostroot, ',readonly=on')):
            words += ['-fsdev', f'local,id={tag},path={path or "/"},security_model={model},'
                                f'multidevs=remap{more}',
                      '-device', f'virtio-9p-pci,fsdev={tag},mount_tag={tag}']
        if self.disk is not None:
            words += ['-drive', f'file={self.disk},format=raw,if=none,id=disk,cache=unsafe',
                      '-device', 'virtio-blk-pci,drive=disk']
        return words


class Qmp:
    """QEMU's control connection; a message is a line of JSON."""

    def __init__(self, sock, alive):
        self.sock, self.alive, self.lines, self.rest = sock, alive, [], b''
        sock.settimeout(1)
        self.message()                  # the greeting
        self.command('qmp_capabilities')

    def message(self):
        while not self.lines:
            try:
                block = self.sock.recv(65536)
            except TimeoutError:
                if self.alive():
                    continue
                block = b''
            except OSError:
                block = b''
            if not block:
                raise Failed('QEMU ended early')
            *lines, self.rest = (self.rest + block).split(b'\n')
            self.lines += [json.loads(line) for line in lines if line.strip()]
        return self.lines.pop(0)

    def command(self, name, **arguments):
        self.sock.sendall(json.dumps({'execute': name, 'arguments': arguments}).encode() + b'\n')
        while True:
            answer = self.message()
            if 'error' in answer:
                raise Failed(f'QEMU: {name}: {answer["error"]["desc"]}')
            if 'return' in answer:
                return answer['return']

    def migration_done(self):
        while True:
            state = self.command('query-migrate').get('status')
            if state == 'completed':
                return
            if state in ('failed', 'cancelled'):
                raise Failed('QEMU cannot save or load the state of the test host')
            time.sleep(0.005)


class Host:
    """A running QEMU with its two connections."""

    def __init__(self, words, state=None, folder=None, log=None):
        """STATE: load this; FOLDER: stay running, with sockets and pid there."""
        self.stays, self.log = folder is not None, log
        ends = [socket.socketpair(), socket.socketpair()]
        if self.stays:
            ports = [f'socket,id=agent,path={folder}/agent,server=on,wait=off']
        else:
            ports = [f'socket,id=agent,fd={ends[0][1].fileno()}']
        words = [*words, '-chardev', ports[0],
                 '-device', 'virtserialport,chardev=agent,name=monitor.testhost',
                 '-chardev', f'socket,id=qmp,fd={ends[1][1].fileno()}',
                 '-mon', 'chardev=qmp,mode=control']
        if state:
            words += ['-incoming', 'defer']
        with open(log or os.devnull, 'ab') as output:
            self.child = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True, preexec_fn=None if self.stays else self.die_with_us,
                pass_fds=[theirs.fileno() for _, theirs in ends])
        for _, theirs in ends:
            theirs.close()
        self.qmp = Qmp(ends[1][0], self.alive)
        self.agent = ends[0][0]
        if state:
            self.load(state)
        if self.stays:
            pathlib.Path(folder, 'pid').write_text(f'{self.child.pid}\n')
            self.agent = connect(folder)

    @staticmethod
    def die_with_us():
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def alive(self):
        return self.child.poll() is None

    def load(self, state):
        self.share_memory()
        self.qmp.command('migrate-incoming', uri=f'exec:cat {state}')
        self.qmp.migration_done()

    def save(self, state):
        self.share_memory()
        self.qmp.command('migrate', uri=f'exec:cat > {state}')
        self.qmp.migration_done()

    def share_memory(self):
        """Memory is in a file already and need not be copied into the saved state."""
        self.qmp.command('migrate-set-capabilities', capabilities=[
            {'capability': 'x-ignore-shared', 'state': True}])

    def end(self):
        if self.alive():
            self.child.kill()
        self.child.wait()


def connect(folder):
    end = time.monotonic() + 10
    while True:
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(f'{folder}/agent')
            return sock
        except OSError:
            sock.close()
            if time.monotonic() > end:
                raise Failed('the test host cannot be reached') from None
            time.sleep(0.005)


def explain(problem, log):
    """Add what QEMU said to a failure."""
    try:
        said = pathlib.Path(log).read_text(errors='replace').strip()
    except OSError:
        said = ''
    return Failed(f'{problem}' + (f'\n    {said[-1500:]}' if said else ''))


def saved_state(config, cache):
    """The directory of the saved state for CONFIG, booting once to make it."""
    ready = cache / 'states' / f'{config.arch}-{config.key()}'
    if (ready / 'devices').exists():
        return ready
    say(f'booting an {config.arch} test host for its saved state (once)')
    ready.parent.mkdir(exist_ok=True)
    folder = ready.parent / f'new.{os.getpid()}'
    shutil.rmtree(folder, ignore_errors=True)
    (folder / 'empty').mkdir(parents=True)
    log, host = folder / 'log', None
    try:
        disk, config.disk = config.disk, None
        if disk:
            config.disk = folder / 'disk'
            with open(config.disk, 'wb') as f:
                f.truncate(os.path.getsize(disk))
        words = config.arguments(folder / 'memory', 'on', folder / 'console', folder / 'empty',
                                 folder / 'empty')
        config.disk = disk
        host = Host(words, log=log)
        progress('waiting for Linux')
        Session(host.agent).wait_up(BOOT_SECONDS, host.alive, ping=False)
        time.sleep(0.5)                 # let what starts in the background finish
        host.save(folder / 'devices')
        clear_line()
        host.end()
        folder.rename(ready)
    except Failed as problem:
        raise explain(problem, log) from None
    except OSError:
        if not ready.exists():          # else another run was first
            raise
    finally:
        if host:
            host.end()
        shutil.rmtree(folder, ignore_errors=True)
    return ready


def start(config, cache, folder, hostroot, boot=False, stay=None, console=None, trace=None):
    """A test host that is up, FOLDER shared as `work` and HOSTROOT as `host`.

    TRACE: a file for the instructions of guests within the host, see count_guest().
    """
    extra = trace_arguments(config.arch, trace) if trace else []
    log = (pathlib.Path(stay) if stay else cache) / f'qemu.{os.getpid()}.log'
    host = None
    try:
        if boot:
            memory = cache / f'memory.{os.getpid()}'
            host = Host(config.arguments(memory, 'off', console, folder, hostroot) + extra,
                        folder=stay, log=log)
            session = Session(host.agent)
            session.wait_up(BOOT_SECONDS, host.alive)
            memory.unlink(missing_ok=True)
        else:
            state = saved_state(config, cache)
            host = Host(config.arguments(state / 'memory', 'off', console, folder, hostroot)
                        + extra,
                        state=state / 'devices', folder=stay, log=log)
            session = Session(host.agent)
            session.wait_up(RESTORE_SECONDS, host.alive)
        return host, session
    except Failed as problem:
        if host:
            host.end()
        raise explain(problem, log) from None
    finally:
        log.unlink(missing_ok=True)


class Traced:
    """What a trace shows of a guest on a machine: where its kernel lies, before and after it has its page tables, and a
    program linked to a fixed address; and whose code it was, by QEMU's translation flags: None (the host's),
    'kernel' or 'program'."""

    def __init__(self, ranges, level):
        self.ranges, self.level = ranges, level


def level_x86_64(flags):
    """Bit 21: code that runs under VMRUN. The low bits: its privilege."""
    if not flags & 1 << 21:
        return None
    return 'program' if flags & 3 else 'kernel'


def level_aarch64(flags):
    """Bits 4 to 7: the translation regime. The host's own is EL2&0, the guest's EL1&0."""
    return {0: 'program', 2: 'kernel', 4: 'kernel'}.get(flags >> 4 & 15)


# The x86-64 host's own kernel begins right behind the first range.
TRACED = {
    'x86_64': Traced(['0xffffffff80000000+0x1000000', '0x400000+0x800000'], level_x86_64),
    'aarch64': Traced(['0xffffffff80000000+0x1000000', '0x100000000+0x1000000', '0x400000+0x800000'], level_aarch64),
}


def trace_arguments(arch, path):
    """QEMU arguments that log each instruction in the ranges, one to a line."""
    return ['-singlestep', '-d', 'exec,nochain', '-dfilter', ','.join(TRACED[arch].ranges), '-D', str(path)]


def count_guest(arch, path):
    """Instructions of the nested guest in a trace: (kernel before the first of a program, kernel,
    program), and how often each address ran in the kernel before and after that first one. The
    rounds of a repeated string instruction count as one."""
    user, last = 0, None
    phases = now, after = collections.Counter(), collections.Counter()
    with open(path) as trace:
        for line in trace:
            found = re.match(r'Trace \d+: \S+ \[\w+/(\w+)/(\w+)/', line)
            level = found and TRACED[arch].level(int(found.group(2), 16))
            if not level or (arch == 'x86_64' and found.group(1) == last):
                continue
            last = found.group(1)
            if level == 'program' and not last.startswith('f'):      # else the kernel trying out its CPU
                now = after
                user += 1
            else:
                now[last] += 1
    before, later = sum(phases[0].values()), sum(after.values())
    return (before if user else None, before + later, user), phases
