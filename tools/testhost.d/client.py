# SPDX-License-Identifier: Apache-2.0
"""client - talks to the agent inside a test host

Role      One Session runs one command: sends the request, passes standard input, output and
          signals, returns the exit status. The stream is a socket that QEMU connects to a virtio
          serial port.
Rules     Frames are magic, session, kind, length, then the payload. Frames of another session are
          the rest of a client that died and are dropped.
See       agent.c, which has the same constants
"""
import os
import selectors
import signal
import struct
import sys
import time

from debs import Failed

MAGIC, HEADER, PAYLOAD_MAX = 0x74736548, struct.Struct('<IIII'), 256 * 1024
INPUT_BLOCK = 16384
OUT_OF_TIME, HOST_FAILED, NOT_STARTED = 124, 125, 127


class HostGone(Failed):
    """QEMU ended, or closed the connection."""


class Session:
    def __init__(self, sock):
        self.sock = sock
        self.number = int.from_bytes(os.urandom(4), 'little')
        self.received, self.unsent = b'', b''
        sock.setblocking(False)

    def queue(self, kind, payload=b''):
        self.unsent += HEADER.pack(MAGIC, self.number, ord(kind), len(payload)) + payload

    def resynchronise(self):
        """After a client that was killed in the middle of a frame: fill that frame up."""
        self.unsent = b'\0' * PAYLOAD_MAX + self.unsent

    def write_some(self):
        if self.unsent:
            try:
                self.unsent = self.unsent[self.sock.send(self.unsent):]
            except BlockingIOError:
                pass
            except OSError as problem:
                raise HostGone(f'the test host ended: {problem}') from None

    def read_frames(self):
        """The frames of this session that have come; waits for nothing."""
        try:
            block = self.sock.recv(1 << 16)
        except BlockingIOError:
            return []
        except OSError:
            block = b''
        if not block:
            raise HostGone('the test host ended')
        self.received += block
        frames, mark = [], struct.pack('<I', MAGIC)
        while True:
            start = self.received.find(mark)
            if start < 0:
                self.received = self.received[-3:]
                return frames
            self.received = self.received[start:]
            if len(self.received) < HEADER.size:
                return frames
            _, session, kind, length = HEADER.unpack_from(self.received)
            if length > PAYLOAD_MAX:
                self.received = self.received[4:]
                continue
            if len(self.received) < HEADER.size + length:
                return frames
            payload = self.received[HEADER.size:HEADER.size + length]
            self.received = self.received[HEADER.size + length:]
            if session == self.number or (kind == ord('U') and session == 0):
                frames.append((chr(kind), payload))

    def wait_up(self, seconds, alive, ping=True):
        """Wait until the agent says it is there; ALIVE() tells whether QEMU still runs."""
        if ping:
            self.queue('P')
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as watch:
            while time.monotonic() < end:
                want = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.unsent else 0)
                watch.register(self.sock, want)
                ready = watch.select(0.5)
                watch.unregister(self.sock)
                if not alive():
                    raise HostGone('QEMU ended before the test host was up')
                for _, events in ready:
                    if events & selectors.EVENT_WRITE:
                        self.write_some()
                    if events & selectors.EVENT_READ and any(
                            kind == 'U' for kind, _ in self.read_frames()):
                        return
        raise Failed(f'the test host did not answer within {seconds} seconds')

    def run(self, strings, timeout):
        """Run a request (a list of strings, see agent.c); returns the exit status."""
        request = b''.join(os.fsencode(s) + b'\0' for s in strings)
        if len(request) > PAYLOAD_MAX:
            raise Failed('the command and its environment are too long for a test host')
        self.queue('R', request)
        return Pump(self, timeout).loop()


class Pump:
    """Moves bytes between our standard streams and a running job."""

    def __init__(self, session, timeout):
        self.session = session
        self.end = time.monotonic() + timeout if timeout else None
        self.timeout = timeout
        self.caught = 0
        self.killed = 0             # the status to report once the job is dead
        self.may_send = True        # the agent has room for a block of input
        self.input_open = True
        self.watch = selectors.DefaultSelector()

    def loop(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.on_signal)
        while True:
            status = self.step()
            if status is not None:
                return self.killed or status

    def on_signal(self, number, _):
        self.caught = number

    def kill_job(self, status, number):
        if self.killed:             # the agent did not manage to kill it in time
            raise Failed('the job cannot be killed; the test host hangs')
        self.killed = status
        self.session.queue('S', struct.pack('<I', number))
        self.end = time.monotonic() + 10

    def step(self):
        if self.caught:
            self.kill_job(128 + self.caught, signal.SIGKILL)
            self.caught = 0
        if self.end and time.monotonic() >= self.end:
            if not self.killed:
                print(f'testhost: no end within {self.timeout:g} seconds', file=sys.stderr)
            self.kill_job(OUT_OF_TIME, signal.SIGKILL)
        want = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.session.unsent else 0)
        streams = {self.session.sock: want}
        if self.input_open and self.may_send:
            streams[0] = selectors.EVENT_READ
        for key, events in self.ready(streams):
            if key == 0:
                self.read_input()
            elif events & selectors.EVENT_WRITE:
                self.session.write_some()
            if key != 0 and events & selectors.EVENT_READ:
                for kind, payload in self.session.read_frames():
                    status = self.take(kind, payload)
                    if status is not None:
                        return status
        return None

    def ready(self, streams):
        always = []                 # a regular file as standard input cannot be waited for
        for stream, events in streams.items():
            try:
                self.watch.register(stream, events)
            except PermissionError:
                always.append((stream, events))
        wait = 0 if always else 1.0
        if self.end:
            wait = min(wait, max(0, self.end - time.monotonic()))
        found = [(key.fileobj, events) for key, events in self.watch.select(wait)]
        for stream in list(k.fileobj for k in self.watch.get_map().values()):
            self.watch.unregister(stream)
        return found + always

    def read_input(self):
        try:
            block = os.read(0, INPUT_BLOCK)
        except OSError:
            block = b''
        self.input_open = bool(block)
        self.may_send = False
        self.session.queue('I', block)

    def take(self, kind, payload):
        if kind == 'M':
            self.may_send = True
        elif kind in 'OE':
            fd = 1 if kind == 'O' else 2
            while payload:
                payload = payload[os.write(fd, payload):]
        elif kind == 'X':
            status = struct.unpack('<I', payload)[0]
            return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        elif kind == 'F':
            print('testhost:', payload.decode(errors='replace'), file=sys.stderr)
            return NOT_STARTED
        return None
