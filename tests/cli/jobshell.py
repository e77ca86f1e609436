# SPDX-License-Identifier: Apache-2.0
"""jobshell - a shell with one job on a pseudo terminal, for tests of job control

Role      JobShell(argv) is the shell's user: types keys, moves the job between back and front, asks how it is. The shell
          itself is a child that leads a session on the terminal and does what bash does: the job has a process
          group of its own, the terminal is handed to it and taken back, with its modes, when it stops or ends.
Rules     Waits are for events; `patience` is how long until one counts as missing.
"""
import json
import os
import pty
import select
import signal
import socket
import termios
import time


class JobShell:
    def __init__(self, argv, front=True, patience=30):
        self.patience, self.seen = patience, b''
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pid, self.master = pty.fork()
        if not self.pid:
            ours.close()
            try:
                _shell(theirs, argv, front)
            finally:
                os._exit(1)
        theirs.close()
        self.control = ours
        self.job = self.event()['pid']

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in (self.job, self.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        os.close(self.master)
        self.control.close()
        os.waitpid(self.pid, 0)

    def _ready(self, fd):
        return bool(select.select([fd], [], [], self.patience)[0])

    def event(self):
        """The next thing that happened to the job: {'stopped': N}, {'exited': N}, {'killed': N}, {'continued': 1}."""
        end = time.monotonic() + self.patience
        while time.monotonic() < end:      # the terminal is read meanwhile, or the job would block
            got = select.select([self.control, self.master], [], [], 1)[0]
            if self.master in got:
                self._take()
            if self.control in got:
                return json.loads(self.control.recv(4096))
        raise AssertionError(f'nothing happened to the job; on the terminal: {self.seen!r}')

    def _take(self):
        try:
            self.seen += os.read(self.master, 4096)
        except OSError:
            time.sleep(0.1)

    def until(self, text):
        """Reads the terminal up to text."""
        end = time.monotonic() + self.patience
        while text not in self.seen:
            assert time.monotonic() < end, f'{text!r} did not come: {self.seen!r}'
            if select.select([self.master], [], [], 1)[0]:
                self._take()
        self.seen = self.seen.split(text, 1)[1]

    def type(self, keys):
        os.write(self.master, keys)

    def say(self, word):
        self.control.send(word.encode())

    def modes(self):
        return termios.tcgetattr(self.master)

    def hang_up(self):
        """The terminal goes away; the events still come."""
        null = os.open('/dev/null', os.O_RDWR)
        os.dup2(null, self.master)
        os.close(null)


def _shell(control, argv, front):
    for n in (signal.SIGTTOU, signal.SIGTTIN, signal.SIGTSTP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(n, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGHUP, lambda *_: os.killpg(job, signal.SIGHUP))     # it tells its jobs
    wake, waker = socket.socketpair()
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno())
    modes = termios.tcgetattr(0)
    job = os.fork()
    if not job:
        os.setpgid(0, 0)
        if front:
            os.tcsetpgrp(0, os.getpid())
        for n in range(1, 32):
            if n not in (signal.SIGKILL, signal.SIGSTOP):
                signal.signal(n, signal.SIG_DFL)
        os.execv(argv[0], argv)
    try:
        os.setpgid(job, job)
        if front:
            os.tcsetpgrp(0, job)
    except OSError:
        pass
    control.send(json.dumps({'pid': job}).encode())
    while True:
        got = select.select([control, wake], [], [])[0]
        if wake in got:
            wake.recv(100)
            _report(control, job, modes)
        if control in got:
            _obey(control.recv(100), job)


def _obey(word, job):
    if word == b'fg':
        os.tcsetpgrp(0, job)
    if word in (b'fg', b'bg'):
        os.killpg(job, signal.SIGCONT)
    elif word.isdigit():
        os.killpg(job, int(word))
    elif not word:
        os._exit(0)


def _report(control, job, modes):
    while True:
        try:
            pid, status = os.waitpid(job, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
        except ChildProcessError:
            return
        if not pid:
            return
        if os.WIFSTOPPED(status):
            event = {'stopped': os.WSTOPSIG(status)}
        elif os.WIFCONTINUED(status):
            event = {'continued': 1}
        elif os.WIFSIGNALED(status):
            event = {'killed': os.WTERMSIG(status)}
        else:
            event = {'exited': os.WEXITSTATUS(status)}
        if 'continued' not in event:
            try:
                os.tcsetpgrp(0, os.getpgrp())
                termios.tcsetattr(0, termios.TCSADRAIN, modes)
            except (OSError, termios.error):
                pass                # it was hung up
        control.send(json.dumps(event).encode())
