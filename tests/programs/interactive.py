# SPDX-License-Identifier: Apache-2.0
"""interactive - drives programs through a pseudo-terminal, natively and in the sandbox

Role      Imported by run.py; each Session case is a function that types and waits for what must appear.
Rules     Nothing sleeps to synchronise: a case waits for text, with a generous limit, before it types on.
          The text of the screen is searched with terminal control sequences taken out.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

import patience

LIMIT = patience.seconds(60)      # seconds until a text must have appeared
CONTROL = re.compile(r"\x1b\[[0-9;?<=>]*[ -/]*[@-~]|\x1b[()][0-9A-Za-z]|\x1b\][^\x07]*\x07|\x1b[=>78cDEHM]|\x07")


class Mismatch(Exception):
    """What had to appear did not."""


class Terminal:
    """A program on a pseudo-terminal of its own."""

    def __init__(self, command, rows=24, columns=80):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvp(command[0], command)
        self.screen, self.status = "", None
        self.resize(rows, columns)

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def send(self, text):
        os.write(self.fd, text.encode())

    def fill(self, until):
        """Reads more of the screen; False at the end of the program or the time."""
        ready, _, _ = select.select([self.fd], [], [], max(0, until - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.screen += CONTROL.sub("", data.decode(errors="replace"))
        return bool(data)

    def expect(self, pattern, limit=LIMIT):
        """Waits for a pattern and forgets the screen up to its end."""
        until = time.monotonic() + limit
        while True:
            found = re.search(pattern, self.screen)
            if found:
                self.screen = self.screen[found.end():]
                return found
            if not self.fill(until):
                raise Mismatch(f"no {pattern!r} in {self.screen[-500:]!r}")

    def expect_end(self, status=0, limit=LIMIT):
        """The program must end with this exit status."""
        until = time.monotonic() + limit
        while self.fill(until):
            pass
        while self.status is None and time.monotonic() < until:
            pid, word = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(word)
            else:
                time.sleep(0.01)
        if self.status != status:
            raise Mismatch(f"ended with {self.status}, not {status}; screen {self.screen[-300:]!r}")

    def close(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


class Session:
    """An interactive case: a program in an image and a function that uses it."""

    def __init__(self, function, image, command):
        self.name, self.function, self.image, self.command = function.__name__, function, image, command
        self.about = (function.__doc__ or "").strip()

    def check(self, places):
        wrong = []
        for where in places:
            terminal = Terminal(where.command(self.image, self.command, terminal=True))
            start = time.monotonic()
            try:
                self.function(terminal)
            except (Mismatch, OSError) as problem:
                wrong.append(f"{where.name}: {problem}")
            finally:
                terminal.close()
            print(f"# {self.name}: {where.name}, {time.monotonic() - start:.1f} s", flush=True)
        return wrong


CASES = []


def session(image, *command):
    """Makes a function an interactive case."""
    def add(function):
        CASES.append(Session(function, image, list(command)))
        return function
    return add


BASH = ("bash", "--norc", "--noprofile", "-i")
PROMPT = r"READY> "


def prompt(t):
    """Gives bash a prompt that cannot be mistaken for its echo."""
    t.send("PS1='READ''Y> '; PS2=''\r")
    t.expect(PROMPT)


def start(t, command="sleep 1000"):
    """Starts a job that says when it has the terminal."""
    t.send(f"sh -c 'echo $((6*7))front; exec {command}'\r")
    t.expect("42front")


def press_until(t, key, pattern):
    """The key again and again until the pattern appears."""
    until = time.monotonic() + LIMIT
    while True:
        t.send(key)
        try:
            return t.expect(pattern, limit=1)
        except Mismatch:
            if time.monotonic() > until:
                raise


@session("full", *BASH)
def job_control(t):
    """Ctrl-Z, jobs, fg, bg, kill and Ctrl-C of jobs in bash"""
    prompt(t)
    start(t, "cat")
    t.send("echo me\r")
    t.expect(r"echo me\r\necho me\r\n")
    t.send("\x1a")
    t.expect(r"\[1\]\+  Stopped +sh -c")
    t.expect(PROMPT)
    t.send("jobs\r")
    t.expect(r"\[1\]\+  Stopped +sh -c")
    t.expect(PROMPT)
    t.send("fg\r")
    t.expect(r"exec cat'\r\n")
    t.send("again\r")
    t.expect(r"again\r\nagain\r\n")
    t.send("\x04")
    t.expect(PROMPT)
    start(t)
    t.send("\x1a")
    t.expect("Stopped")
    t.expect(PROMPT)
    t.send("bg\r")
    t.expect(r"\[1\]\+ sh -c .*1000' &")
    t.expect(PROMPT)
    t.send("jobs\r")
    t.expect(r"Running +sh -c")
    t.expect(PROMPT)
    t.send("kill %1\r")
    press_until(t, "\r", r"Terminated +sh -c")        # the shell tells before a prompt only
    t.expect(PROMPT)
    t.send("wait; echo wa''ited\r")
    t.expect("waited")
    t.expect(PROMPT)
    t.send("exit 7\r")
    t.expect_end(7)


@session("full", *BASH)
def interrupt(t):
    """Ctrl-C and Ctrl-\\ end the foreground program only; the shell goes on"""
    prompt(t)
    start(t)
    t.send("\x03")
    t.expect(r"\^C")
    t.expect(PROMPT)
    t.send("echo st=$?\r")
    t.expect("st=130")
    t.expect(PROMPT)
    t.send("echo $((6*7))spin; while :; do :; done\r")
    t.expect("42spin")
    t.send("\x03")
    t.expect(PROMPT)
    t.send("trap 'echo tra''pped' INT; sh -c 'kill -INT $$'; echo st=$?\r")
    t.expect("st=130")
    t.expect(PROMPT)
    t.send("half a line")
    t.expect("half a line")
    # Readline itself notices a signal between its last look and its pselect() only with the next key, natively too.
    press_until(t, "\x03", PROMPT)
    t.send("exit\r")
    t.expect_end(130)


@session("full", *BASH)
def window_size(t):
    """A resize reaches stty, bash and a program waiting for SIGWINCH"""
    prompt(t)
    t.resize(30, 100)
    t.send("stty size\r")
    t.expect(r"30 100\r\n")
    t.expect(PROMPT)
    t.send("python3 -c \"import signal,os; "
           "signal.signal(signal.SIGWINCH, lambda *a: (os.write(1, str(os.get_terminal_size()).encode()), os._exit(0))); "
           "print('wait'+'ing', flush=True); signal.pause()\"\r")
    t.expect("waiting")
    t.resize(44, 133)
    t.expect(r"columns=133, lines=44")
    t.expect(PROMPT)
    t.send("exit\r")
    t.expect_end()


@session("full", *BASH)
def tab_completion(t):
    """Readline completes commands and files, edits the line and recalls history"""
    prompt(t)
    t.send("mkdir -p /tmp/c && cd /tmp/c && touch alpha-file alpha-other beta\r")
    t.expect(PROMPT)
    t.send("ls bet\t")
    t.expect("ls beta ")
    t.send("\r")
    t.expect(r"beta\r\n")
    t.expect(PROMPT)
    t.send("ls al\t")
    t.expect("ls alpha-")
    t.send("\t\t")
    t.expect(r"alpha-file +alpha-other")
    t.send("o\t\r")
    t.expect(r"alpha-other\r\n")
    t.expect(PROMPT)
    t.send("echo abcXdef\x1b[D\x1b[D\x1b[D\x7f\r")
    t.expect(r"[\r\n]abcdef\r\n")
    t.expect(PROMPT)
    t.send("\x1b[A\x1b[A\r")
    t.expect(r"alpha-other\r\n")
    t.send("exit\r")
    t.expect_end()


@session("full", *BASH)
def vi(t):
    """vi edits, undoes, searches and saves"""
    prompt(t)
    t.send("vi /tmp/text\r")
    t.expect(r"/tmp/text.*\[New")
    t.send("ifirst line\rsecond line\x1b")
    t.send("ggx:s/irst/urst/\r")
    t.send("Gothird\x1b:wq\r")
    t.expect(r"written")
    t.expect(PROMPT)
    t.send("cat /tmp/text; wc -l < /tmp/text\r")
    t.expect(r"urst line\r\nsecond line\r\nthird\r\n3\r\n")
    t.expect(PROMPT)
    t.send("exit\r")
    t.expect_end()


@session("full", *BASH)
def less(t):
    """less pages, searches and gives the terminal back"""
    prompt(t)
    t.send("seq 1000 > /tmp/n; less /tmp/n\r")
    t.expect(r"\r\n23\b")
    t.send(" ")
    t.expect(r"\b46\b")
    t.send("/777\r")
    t.expect(r"777\r\n778")
    t.send("G")
    t.expect(r"1000\r\n\(END\)")
    t.send("q")
    t.expect(PROMPT)
    t.send("stty -a | grep -o '[-]*icanon'\r")
    t.expect(r"[\r\n]icanon")
    t.expect(PROMPT)
    t.send("exit\r")
    t.expect_end()


@session("full", *BASH)
def top(t):
    """top draws its table, again after a key, and quits"""
    prompt(t)
    t.send("top -d 1\r")
    t.expect(r"top - ")
    t.expect(r"PID USER")
    t.expect(r"bash")
    t.send(" ")
    t.expect(r"top - ")
    t.send("q")
    t.expect(PROMPT)
    t.send("exit 3\r")
    t.expect_end(3)


@session("busybox", "sh", "-i")
def busybox_shell(t):
    """ash: line editing, jobs, vi and top of busybox"""
    t.send("PS1='READ''Y> '\r")
    t.expect(PROMPT)
    start(t)
    t.send("\x1a")
    t.expect(r"Stopped")
    t.expect(PROMPT)
    t.send("kill -9 %1; wait; tty > /dev/null; echo do''ne\r")
    t.expect("done")
    t.expect(PROMPT)
    t.send("vi /tmp/f\r")
    t.expect("/tmp/f")
    t.send("ihello")
    t.expect("hello")
    t.send("\x1b")
    t.expect("- /tmp/f")
    t.send(":wq\r")
    t.expect(PROMPT)
    t.send("cat /tmp/f\r")
    t.expect(r"hello\r\n")
    t.expect(PROMPT)
    t.send("top\r")
    t.expect(r"PID +PPID")
    t.send("q")
    t.expect(PROMPT)
    t.send("exit 4\r")
    t.expect_end(4)


@session("full", "python3")
def python_prompt(t):
    """The interactive interpreter: echo, errors, Ctrl-C, Ctrl-D"""
    t.expect(">>> ")
    t.send("6 * 7\r")
    t.expect(r"\n42\r\n>>> ")
    t.send("1 / 0\r")
    t.expect("ZeroDivisionError")
    t.expect(">>> ")
    t.send("import time; print('asl' + 'eep'); time.sleep(1000)\r")
    t.expect("asleep")
    t.send("\x03")
    t.expect("KeyboardInterrupt")
    t.expect(">>> ")
    t.send("\x04")
    t.expect_end(130)     # it remembers the interrupt
