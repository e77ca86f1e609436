# SPDX-License-Identifier: Apache-2.0
"""load - a busy machine, on purpose

Role      tests/run.py --loaded runs its suites beside two programs that compute and one that takes memory and
          goes through it, as CI machines and laptops have them.
Rules     Ends with its user, however that ends (PR_SET_PDEATHSIG).
"""
import ctypes
import signal
import subprocess
import sys

BUSY = 'while True: pass'
HOG = '''
import time
pages = [l for l in open('/proc/meminfo') if l.startswith('MemAvailable')]
block = bytearray(int(pages[0].split()[1]) * 1024 // 4)
while True:
    for at in range(0, len(block), 4096):
        block[at] = (block[at] + 1) & 255
    time.sleep(0.2)
'''
PR_SET_PDEATHSIG = 1


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Load:
    """with Load(wanted) as pids: ..."""

    def __init__(self, wanted):
        self.texts = (BUSY, BUSY, HOG) if wanted else ()

    def __enter__(self):
        self.children = [subprocess.Popen([sys.executable, '-c', text], preexec_fn=die_with_parent,
                                          stdin=subprocess.DEVNULL) for text in self.texts]
        return {child.pid for child in self.children}

    def __exit__(self, *why):
        for child in self.children:
            child.kill()
            child.wait()
