#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run - the command line under bad conditions: run.py [--platform=NAME] MONITOR BUSYBOX.TAR [CASE...]

Role      Each test_* function is a case: wrong use, missing things, broken pipes, signals, terminals. Prints TAP.
Rules     A failure of the monitor is one sentence on stderr, "monitor: ...", and status 125. Nothing is left
          behind: after every case there is no process of ours, no mount and no file but the cached image.
"""
import hashlib
import os
import pathlib
import pty
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time

from jobshell import JobShell

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import patience     # noqa: E402 (found through the line above)

PLATFORM = [sys.argv.pop(1)] if sys.argv[1].startswith('--platform=') else []
MONITOR, IMAGE = (str(pathlib.Path(p).resolve()) for p in sys.argv[1:3])
NOBODY = 65534
TMP = None


class Skip(Exception):
    pass


def monitor(*args):
    return [MONITOR, *args[:1], *(PLATFORM if args[:1] == ('run',) else []), *args[1:]]


def run(*args, timeout=60, program=None, **more):
    more.setdefault('stdin', subprocess.DEVNULL)
    return subprocess.run([*(program or []), *monitor(*args)], capture_output='stdout' not in more, text=True,
                          errors='replace', timeout=patience.seconds(timeout), **more)


def start(*args, **more):
    more = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, **more}
    return subprocess.Popen(monitor('run', *args), **more)


def equal(got, want, what=''):
    assert got == want, f'{what}: {got!r}, not {want!r}'


def one_sentence(p, pattern, status=125):
    equal(p.returncode, status, p.stderr)
    lines = p.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith('monitor: '), p.stderr
    assert re.search(pattern, lines[0]), f'{lines[0]!r} does not match {pattern!r}'


def root_only():
    if os.geteuid():
        raise Skip('needs root')


# --- wrong use

WRONG = {
    (): 'no image', ('--nope', 'x'): 'no option --nope', ('-Z', 'x'): 'no option -Z', ('-e',): 'needs a value',
    ('--memory', 'lots', 'x'): 'not a size', ('--memory', '4q', 'x'): 'unknown unit',
    ('--memory', '99999999999g', 'x'): 'too large', ('--cpus', '0', 'x'): '--cpus 0', ('--cpus', 'nan', 'x'): '--cpus nan',
    ('--cpus', '65', 'x'): '--cpus 65', ('--workdir', 'rel', 'x'): 'absolute', ('--hostname', 'a b', 'x'): 'host name',
    ('--tmpfs', 'rel', 'x'): 'absolute', ('--ulimit', 'nofile', 'x'): 'soft', ('--ulimit', 'bogus=1', 'x'): 'soft',
    ('--stop-timeout', '-1', 'x'): 'not a number', ('--platform', 'vax', 'x'): 'unknown', ('--log-level', 'x', 'x'): 'unknown',
    ('--env-file', '/nonexistent', 'x'): 'No such file', ('-e', '=x', 'x'): 'no name', ('--read-only=no', 'x'): 'takes no value',
    ('--tty=yes', 'x'): 'takes no value', ('--debug-kernel', '/nonexistent', IMAGE, 'true'): 'No such file',
    ('--debug-kernel', '/dev/null', IMAGE, 'true'): 'debug-kernel', ('--debug-kernel', IMAGE, IMAGE, 'true'): 'ELF',
    ('-v', '/a:/b', 'x'): 'docker.s -v .*not there yet', ('-v/a:/b', 'x'): 'docker.s -v .*not there yet',
    ('-v', 'name:/b', 'x'): 'docker.s -v .*not there yet', ('--volume=/a:/b', 'x'): 'docker.s --volume is not there yet',
    ('-p', '80:80', 'x'): 'docker.s -p .--publish. is not there yet', ('--network', 'host', 'x'): 'docker.s --network is not',
    ('-d', 'x'): 'docker.s -d .--detach. is not', ('-itd', 'x'): 'docker.s -d .--detach. is not',
    ('--cap-add=ALL', 'x'): 'docker.s --cap-add is not', ('--mount', 'type=bind', 'x'): 'docker.s --mount is not',
    ('--volum', 'x'): 'no option --volum;', ('--volume-driverx', 'x'): 'no option', ('--', ): 'no image',
    ('--pids-limit', 'many', 'x'): 'not a number', ('--pids-limit', '-2', 'x'): 'not a number',
    ('--image-limit', '0', 'x'): 'lets no image in', ('--image-limit', 'x', 'x'): 'not a size',
    ('--user', 'nosuch', IMAGE, 'true'): 'nosuch',
    ('--insecure-no-namespaces=1', 'x'): 'takes no value',
    ('--memory', '1m', IMAGE, 'true'): 'too little', ('--memory', '999999g', IMAGE, 'true'): 'too large',
}


def test_wrong_options():
    for args, pattern in WRONG.items():
        one_sentence(run('run', *args), pattern)


def test_verbose_and_an_image_with_a_path():
    equal(run('run', '-v', IMAGE, 'true').returncode, 0)


def test_a_missing_working_directory_is_made():
    p = run('run', '-w', '/made/for/this', IMAGE, 'sh', '-c', 'pwd; stat -c %a:%u /made /made/for/this')
    equal((p.stdout, p.returncode), ('/made/for/this\n755:0\n755:0\n', 0), p.stderr)
    equal(run('run', '--read-only', '-w', '/made', IMAGE, 'pwd').stdout, '/made\n')
    assert run('run', '-w', '/etc/passwd', IMAGE, 'true').returncode in (126, 127)


def test_the_own_host_name_resolves():
    p = run('run', '-h', 'some.name', IMAGE, 'sh', '-c', 'hostname; cat /etc/hostname; grep some.name /etc/hosts; ls /etc/resolv.conf')
    equal(p.stdout, 'some.name\nsome.name\n127.0.1.1\tsome.name\n/etc/resolv.conf\n', p.stderr)


def test_ulimits_reach_the_program():
    p = run('run', '--ulimit', 'nofile=77:99', '--ulimit', 'core=5', IMAGE, 'sh', '-c', 'ulimit -Sn; ulimit -Hn; grep core /proc/self/limits')
    equal([w for w in p.stdout.split() if w.isdigit()], ['77', '99', '5', '5'], p.stdout)


def test_pids_limit():
    script = 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 2 & done; wait; echo all'
    equal(run('run', '--pids-limit', '10', IMAGE, 'sh', '-c', script).stdout, '')
    for n in ('40', '-1', '0'):
        equal(run('run', '--pids-limit', n, IMAGE, 'sh', '-c', script).stdout, 'all\n')


def test_a_user_leaves_root_places_below_the_pids_limit():
    user = "su user -c 'for i in $(seq 60); do sleep 9 & done; wait; echo all'"
    root = 'for i in 1 2 3; do sleep 1 & done; wait; echo root goes on'
    line = 'user:x:77:77::/:/bin/sh'
    p = run('run', '--pids-limit', '40', IMAGE, 'sh', '-c', f'echo {line} >> /etc/passwd; {user}; {root}')
    equal(p.stdout, 'root goes on\n', p.stderr)


def test_the_program_is_hardened():
    if not shutil.which('readelf'):
        raise Skip('needs readelf')
    text = subprocess.run(['readelf', '-hWld', MONITOR], capture_output=True, text=True).stdout
    symbols = subprocess.run(['readelf', '-W', '--dyn-syms', MONITOR], capture_output=True, text=True).stdout
    code = subprocess.run(['objdump', '-d', '--disassemble=cmd_run', MONITOR], capture_output=True, text=True).stdout
    assert re.search(r'Type: +DYN', text), 'no position-independent program'
    assert 'GNU_RELRO' in text and re.search(r'FLAGS.*(BIND_NOW|NOW)', text), 'relocations stay writable'
    assert re.search(r'GNU_STACK.* RW +0x', text), 'the stack is executable'
    assert '__stack_chk_fail' in symbols, 'no stack protector'
    assert len(re.findall(r'__\w+_chk\b', symbols)) > 5, 'no _FORTIFY_SOURCE'
    assert re.search(r'\b(endbr64|bti|paciasp)\b', code), 'no marks for indirect branches'


def test_wrong_command():
    one_sentence(run('fly'), 'no command "fly"')


def test_missing_image():
    one_sentence(run('run', '/nonexistent.tar', 'true'), 'No such file')


def test_directory_is_no_image():
    one_sentence(run('run', TMP, 'true'), TMP)


def test_device_is_no_image():
    for path in ('/dev/null', '/dev/zero', '/proc/self/status'):
        one_sentence(run('run', path, 'true'), path)


def test_unreadable_image():
    root_only()
    path = TMP + '/locked.tar'
    pathlib.Path(path).write_bytes(b'x')
    os.chmod(path, 0)
    one_sentence(run('run', path, 'true', user=NOBODY, env={'XDG_CACHE_HOME': '/tmp', 'PATH': '/bin'}), 'Permission denied')
    os.unlink(path)


def test_control_characters_are_not_echoed():
    p = run('run', '/no\033[2Jsuch', 'true')
    assert '\033' not in p.stderr, p.stderr


# --- a poor host

def test_no_kvm():
    root_only()
    without = ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs none /dev && exec "$0" "$@"']
    one_sentence(run('run', '--platform=kvm', IMAGE, 'true', program=without), '/dev/kvm is missing')
    p = run('platform', program=without)
    assert p.returncode == 0 and 'kvm      not usable: /dev/kvm is missing' in p.stdout and 'chosen   process' in p.stdout, p
    equal(run('run', '--platform=auto', IMAGE, 'true', program=without).returncode, 0)


def test_no_permission_for_kvm():
    root_only()
    if os.stat('/dev/kvm').st_mode & 0o006:
        raise Skip('everybody may use /dev/kvm here')
    place = tempfile.mkdtemp(dir='/tmp')
    os.chmod(place, 0o755)
    os.chown(place, NOBODY, NOBODY)
    try:
        shutil.copy(MONITOR, place + '/program')
        shutil.copy(IMAGE, place + '/image.tar')
        p = subprocess.run([place + '/program', 'run', '--platform=kvm', place + '/image.tar', 'true'], capture_output=True, text=True,
                           user=NOBODY, group=NOBODY, extra_groups=[], env={'XDG_CACHE_HOME': place, 'PATH': '/bin'})
        one_sentence(p, 'no permission for /dev/kvm')
    finally:
        shutil.rmtree(place)


def test_full_disk_for_the_cache():
    root_only()
    script = ('mount -t tmpfs -o size=64k none /mnt && XDG_CACHE_HOME=/mnt "$0" "$@"; s=$?; '
              'find /mnt -type f -size +0 ! -name "*lock*" >&2; exit $s')
    one_sentence(run('run', IMAGE, 'true', program=['unshare', '-m', 'sh', '-c', script]), 'no space left')


def cached_run(cache, **more):
    env = {k: v for k, v in os.environ.items() if k not in ('XDG_CACHE_HOME', 'HOME')}
    return run('run', IMAGE, 'true', env={**env, **cache}, **more)


def in_a_cache(change, pattern, **more):
    """A good cache, changed, is refused with one sentence; nothing of it is touched."""
    place = pathlib.Path(tempfile.mkdtemp(dir=TMP))
    shutil.copytree(TMP + '/cache/monitor', place / 'monitor')
    change(place / 'monitor')
    before = sorted(map(str, place.rglob('*')))
    one_sentence(cached_run({'XDG_CACHE_HOME': str(place)}, **more), pattern)
    equal(sorted(map(str, place.rglob('*'))), before)
    shutil.rmtree(place)


def replace_by_link(path):
    path.rename(str(path) + '.real')
    path.symlink_to(path.name + '.real')


def image_of(cache):
    return next((cache / 'images').iterdir())


def test_a_cache_of_somebody_else_is_refused():
    root_only()
    in_a_cache(lambda c: os.chown(c, NOBODY, NOBODY), 'not safe.*belongs to user 65534')
    in_a_cache(lambda c: os.chown(c.parent, NOBODY, NOBODY), 'not safe.*belongs to user 65534')
    for part in ('images', 'refs', 'tmp', 'locks'):
        in_a_cache(lambda c, p=part: os.chown(c / p, NOBODY, NOBODY), part + ' is a link, or not yours')
    in_a_cache(lambda c: os.chown(image_of(c), NOBODY, NOBODY), 'not yours alone')
    for name in ('rootfs.erofs', 'config.json'):
        in_a_cache(lambda c, n=name: os.chown(image_of(c) / n, NOBODY, NOBODY), 'not yours alone')


def test_a_cache_others_can_write_to_is_refused():
    in_a_cache(lambda c: c.chmod(0o777), 'not safe.*others may write')
    in_a_cache(lambda c: c.chmod(0o770), 'not safe.*others may write')
    in_a_cache(lambda c: c.parent.chmod(0o777), 'not safe.*others may write')
    in_a_cache(lambda c: (c / 'images').chmod(0o722), 'images is a link, or not yours')
    in_a_cache(lambda c: (image_of(c) / 'rootfs.erofs').chmod(0o666), 'not yours alone')


def test_links_in_the_cache_are_not_followed():
    in_a_cache(replace_by_link, 'symbolic link')
    for part in ('images', 'refs', 'tmp', 'locks'):
        in_a_cache(lambda c, p=part: replace_by_link(c / p), part + ' is a link')
    in_a_cache(lambda c: replace_by_link(image_of(c)), 'is a link')
    in_a_cache(lambda c: replace_by_link(image_of(c) / 'rootfs.erofs'), 'is a link')


def test_a_link_of_somebody_else_on_the_way_to_the_cache_is_refused():
    root_only()
    link = pathlib.Path(TMP + '/link')
    link.symlink_to(TMP + '/cache')
    equal(cached_run({'XDG_CACHE_HOME': str(link)}).returncode, 0)
    os.lchown(link, NOBODY, NOBODY)
    one_sentence(cached_run({'XDG_CACHE_HOME': str(link)}), 'not safe.*belongs to user 65534')
    link.unlink()


def test_a_missing_part_of_the_cache_is_made_again():
    for part in ('images', 'refs', 'tmp', 'locks'):
        shutil.rmtree(TMP + '/cache/monitor/' + part)
        equal(cached_run({'XDG_CACHE_HOME': TMP + '/cache'}).returncode, 0, part)


def test_a_home_that_does_not_exist_is_not_made():
    one_sentence(cached_run({'HOME': TMP + '/nonexistent'}), 'No such file')
    one_sentence(cached_run({'XDG_CACHE_HOME': TMP + '/nonexistent/x/y'}), 'No such file')
    assert not pathlib.Path(TMP + '/nonexistent').exists()
    equal(cached_run({'HOME': TMP}).returncode, 0)
    shutil.rmtree(TMP + '/.cache')


def limited(which, value):
    return lambda: resource.setrlimit(which, (value, value))


def test_little_address_space():
    one_sentence(run('run', IMAGE, 'true', preexec_fn=limited(resource.RLIMIT_AS, 256 << 20)), 'memory|Cannot allocate')


def test_few_descriptors():
    for n in (4, 6, 8, 10, 12):
        p = run('run', IMAGE, 'true', preexec_fn=limited(resource.RLIMIT_NOFILE, n))
        if p.returncode:
            one_sentence(p, 'Too many open files|descriptor')


def test_small_files_only():
    p = run('run', IMAGE, 'echo', 'x', preexec_fn=limited(resource.RLIMIT_FSIZE, 4096))
    if p.returncode:
        one_sentence(p, 'File too large')


# --- streams

def test_exit_codes():
    for args, want in ((['true'], 0), (['false'], 1), (['sh', '-c', 'exit 77'], 77), (['nosuch'], 127),
                       (['/nosuch/x'], 127), (['/etc'], 126), (['/etc/passwd'], 126),
                       (['sh', '-c', 'sh -c "kill -TERM \\$\\$"; exit $?'], 143)):
        equal(run('run', IMAGE, *args).returncode, want, ' '.join(args))


def test_streams_are_apart():
    p = run('run', IMAGE, 'sh', '-c', 'echo out; echo err >&2')
    equal((p.stdout, p.stderr, p.returncode), ('out\n', 'err\n', 0))


def test_stdin_is_empty_without_i():
    equal(run('run', IMAGE, 'cat', stdin=open('/dev/zero')).stdout, '')


def test_stdin_from_dev_null():
    p = run('run', '-i', IMAGE, 'sh', '-c', 'cat; echo end')
    equal((p.stdout, p.stderr, p.returncode), ('end\n', '', 0))


def test_large_streams_both_ways():
    data = os.urandom(2 << 20)
    p = subprocess.run(monitor('run', '-i', IMAGE, 'cat'), input=data, capture_output=True, timeout=patience.seconds(120))
    equal(hashlib.sha256(p.stdout).hexdigest(), hashlib.sha256(data).hexdigest(), p.stderr)


def test_closed_standard_descriptors():
    for closed in ('<&-', '>&-', '2>&-', '<&- >&- 2>&-'):
        p = subprocess.run(['sh', '-c', f'"$0" run -i "$1" sh -c "echo x; cat" </dev/null {closed}', MONITOR, IMAGE],
                           capture_output=True, timeout=patience.seconds(60))
        assert p.returncode in (0, 1), (closed, p)


def test_full_device():
    with open('/dev/full', 'w') as full:
        p = run('run', IMAGE, 'sh', '-c', 'echo x; echo $? >&2', stdout=full, stderr=subprocess.PIPE)
    assert p.returncode in (0, 1) and 'monitor:' not in p.stderr, p


def test_reader_goes_away():
    p = start(IMAGE, 'sh', '-c', 'while echo y; do :; done')
    p.stdout.read(2)
    p.stdout.close()
    p.wait(30)
    assert p.returncode in (0, 1, 141), (p.returncode, p.stderr.read())


def test_slow_reader_costs_no_cpu():
    p = start(IMAGE, 'yes')
    time.sleep(8)
    monitor_pid = locked_in(p.pid)
    before = cpu_seconds(monitor_pid)
    time.sleep(3)
    used = cpu_seconds(monitor_pid) - before
    p.send_signal(signal.SIGKILL)
    p.communicate()
    assert used < 0.5, f'{used} s of CPU time while blocked'


def cpu_seconds(pid):
    fields = pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def locked_in(pid):
    """The process that runs the machine, of the one the caller sees."""
    return [int(p.name) for p in pathlib.Path('/proc').glob('[0-9]*') if parent(p) == pid][0]


def parent(proc):
    try:
        return int((proc / 'stat').read_text().rpartition(')')[2].split()[1])
    except OSError:
        return 0


def memory_file_bytes(pid):
    """What the host has given to the sandbox's memory."""
    for area in pathlib.Path(f'/proc/{locked_in(pid)}/map_files').iterdir():
        if os.readlink(area).startswith('/memfd:'):
            return os.stat(area).st_blocks * 512
    raise AssertionError('no memory file')


def test_freed_memory_goes_back_to_the_host():
    root_only()
    p = started('-i', '--memory=256m', IMAGE, 'sh', '-c', 'dd if=/dev/zero of=/dev/shm/x bs=1M count=48 2>/dev/null; echo ready; '
                'read go; rm /dev/shm/x; read go', stdin=subprocess.PIPE)
    full = memory_file_bytes(p.pid)
    assert full > 48 << 20, full
    p.stdin.write(b'\n')
    p.stdin.flush()
    for _ in range(100):
        time.sleep(0.2)
        left = memory_file_bytes(p.pid)
        if left < full - (40 << 20):
            break
    p.stdin.close()
    equal(p.wait(timeout=patience.seconds(30)), 1)
    p.stdout.close()
    p.stderr.close()
    assert left < full - (40 << 20), f'{left} bytes of {full} are left'


# --- signals and ends

READY = 'echo ready; while :; do sleep 1; done'


def started(*args, **more):
    p = start(*args, **more)
    line = p.stdout.readline()
    assert line.startswith(b'ready'), (line, p.stderr.read() if p.poll() is not None else '')
    return p


def finish(p, timeout=30):
    out, err = p.communicate(timeout=patience.seconds(timeout))
    return p.returncode, out, err.decode(errors='replace')


def test_sigterm_and_sigint_are_forwarded():
    for signo, name in ((signal.SIGTERM, 'TERM'), (signal.SIGINT, 'INT'), (signal.SIGHUP, 'HUP'), (signal.SIGUSR2, 'USR2')):
        p = started(IMAGE, 'sh', '-c', f'trap "echo got {name}; exit 9" {name}; {READY}')
        p.send_signal(signo)
        status, out, err = finish(p)
        equal((status, out), (9, f'got {name}\n'.encode()), err)


def test_stop_timeout():
    p = started('--stop-timeout', '1', IMAGE, 'sh', '-c', f'trap "" TERM; {READY}')
    begin = time.monotonic()
    p.send_signal(signal.SIGTERM)
    status, _, err = finish(p)
    equal(status, 137, err)
    assert 'did not end within 1 s' in err and 0.9 < time.monotonic() - begin < 10, err


def test_ignored_signals_stay_ignored():
    p = started('-i', IMAGE, 'sh', '-c', 'trap "" INT TERM HUP QUIT; echo ready; read x; exit 3', stdin=subprocess.PIPE)
    for _ in range(5):
        for signo in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            p.send_signal(signo)
            time.sleep(0.02)
    p.stdin.write(b'\n')
    p.stdin.flush()
    equal(finish(p)[0], 3)


ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM,
          signal.SIGVTALRM, signal.SIGPROF, signal.SIGIO, signal.SIGPWR, signal.SIGRTMIN, signal.SIGRTMAX)


def test_unhandled_signals_end_the_program_and_the_monitor():
    for signo in ENDING:
        p = started(IMAGE, 'sh', '-c', 'echo ready; exec sleep 100')
        time.sleep(0.2)             # until the exec
        p.send_signal(signo)
        status, _, err = finish(p)
        equal((status, err), (-signo, ''), str(signo))


def test_every_signal_reaches_a_handler():
    # the shell counts; one at a time, for it has no queue
    names = ['HUP', 'INT', 'QUIT', 'USR1', 'USR2', 'ALRM', 'TERM', 'VTALRM', 'PROF', 'IO', 'PWR', 'WINCH', 'CONT', '34', '50', '64']
    traps = ' '.join(f'trap "echo {n}" {n};' for n in names)
    p = started(IMAGE, 'sh', '-c', traps + ' echo ready; while :; do sleep 0.1; done')
    for n in names:
        p.send_signal(int(n) if n.isdigit() else getattr(signal, 'SIG' + n))
        equal(p.stdout.readline(), n.encode() + b'\n')
    p.kill()
    finish(p)


def test_signals_ignored_at_the_start_stay_ignored():
    p = started('-i', IMAGE, 'sh', '-c', 'echo ready; read x; exit 3', stdin=subprocess.PIPE,
                preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    p.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    p.stdin.write(b'\n')
    p.stdin.flush()
    equal(finish(p)[0], 3)


def test_timeout_and_kill_of_the_group():
    for signo, want in ((signal.SIGTERM, 124), (signal.SIGKILL, 137)):
        p = run('run', IMAGE, 'sh', '-c', 'sleep 100; echo no', program=['timeout', '-s', str(int(signo)), '2'])
        equal((p.returncode % 256 if p.returncode >= 0 else 128 - p.returncode, p.stdout, p.stderr), (want, '', ''), signo.name)


# --- job control

def on_jobshell(*args, front=True):
    return JobShell(monitor('run', *args), front=front)


def test_control_c_reaches_the_whole_foreground_group():
    for options in ([], ['-i'], ['-t'], ['-it']):
        with on_jobshell(*options, IMAGE, 'sh', '-c', 'trap "echo sh got it" INT; echo ready; sleep 100; echo on; exit 7') as s:
            s.until(b'ready')
            time.sleep(0.3)         # the sleep is started after the word
            s.type(b'\x03')
            s.until(b'got it')
            s.until(b'on')
            equal(s.event(), {'exited': 7}, options)


def test_control_c_and_backslash_end_what_does_not_handle_them():
    for key, signo in ((b'\x03', signal.SIGINT), (b'\x1c', signal.SIGQUIT)):
        with on_jobshell('-i', IMAGE, 'sh', '-c', 'echo ready; exec sleep 100') as s:
            s.until(b'ready')
            time.sleep(0.3)         # until the exec
            s.type(key)
            equal(s.event(), {'killed': signo})


def cpu_of_session(pid):
    """CPU time of the monitor and of everything below it."""
    parents, times = {}, {}
    for proc in pathlib.Path('/proc').glob('[0-9]*'):
        try:
            fields = (proc / 'stat').read_text().rpartition(')')[2].split()
        except OSError:
            continue
        parents[int(proc.name)], times[int(proc.name)] = int(fields[1]), int(fields[11]) + int(fields[12])
    family, grown = {pid}, True
    while grown:
        more = {p for p, parent in parents.items() if parent in family} - family
        family |= more
        grown = bool(more)
    return sum(times[p] for p in family if p in times)


def test_control_z_stops_the_sandbox_and_fg_and_bg_continue_it():
    with on_jobshell(IMAGE, 'sh', '-c', 'echo ready; while :; do i=$((i+1)); done') as s:
        s.until(b'ready')
        for word in ('fg', 'bg'):
            s.type(b'\x1a')
            equal(s.event(), {'stopped': signal.SIGTSTP})
            time.sleep(0.5)
            before = cpu_of_session(s.job)
            time.sleep(1)
            equal(cpu_of_session(s.job) - before, 0, 'CPU time while stopped')
            s.say(word)
            equal(s.event(), {'continued': 1})
            before, tries = cpu_of_session(s.job), 0
            while cpu_of_session(s.job) < before + 5:
                tries += 1
                assert tries < 100, 'it does not go on'
                time.sleep(0.2)
        s.say(str(int(signal.SIGTERM)))
        equal(s.event(), {'killed': signal.SIGTERM})


def test_background_read_stops_and_goes_on_in_front():
    with on_jobshell('-i', IMAGE, 'sh', '-c', 'echo ready; echo "got <$(head -n1)>"', front=False) as s:
        s.until(b'ready')           # not `read`, which polls first: that stops nobody
        equal(s.event(), {'stopped': signal.SIGTTIN})
        s.say('bg')
        equal(s.event(), {'continued': 1})
        equal(s.event(), {'stopped': signal.SIGTTIN})
        s.say('fg')
        equal(s.event(), {'continued': 1})
        s.type(b'word\n')
        s.until(b'got <word>')
        equal(s.event(), {'exited': 0})


def test_output_comes_before_the_stop_of_a_background_read():
    command = 'head -c 60000 /dev/zero | tr "\\0" x; echo ready; head -n1 >/dev/null'
    with on_jobshell('-i', IMAGE, 'sh', '-c', command, front=False) as s:
        # the terminal is full and nobody reads it: not the time to stop
        assert not select.select([s.control], [], [], 4)[0], s.event()
        s.until(b'ready')
        equal(s.event(), {'stopped': signal.SIGTTIN})


def test_raw_terminal_waits_for_the_front_and_survives_a_stop():
    with on_jobshell('-it', IMAGE, 'sh', '-c', 'echo ready; read x; echo "got <$x>"', front=False) as s:
        before = s.modes()
        equal(s.event(), {'stopped': signal.SIGTTOU})
        equal(s.modes(), before)
        s.say('fg')
        equal(s.event(), {'continued': 1})
        s.until(b'ready')
        raw = s.modes()
        assert raw != before
        s.say(str(int(signal.SIGTSTP)))
        equal(s.event(), {'stopped': signal.SIGTSTP})
        equal(s.modes(), before)
        s.say('fg')
        equal(s.event(), {'continued': 1})
        for _ in range(100):
            if s.modes() == raw:
                break
            time.sleep(0.1)
        equal(s.modes(), raw)
        s.type(b'word\r')
        s.until(b'got <word>')
        equal(s.event(), {'exited': 0})


def test_hangup_ends_the_program():
    for options in ([], ['-i'], ['-t'], ['-it']):
        with on_jobshell(*options, IMAGE, 'sh', '-c', 'echo ready; while :; do sleep 1; done') as s:
            s.until(b'ready')
            s.hang_up()
            assert s.event() in ({'killed': signal.SIGHUP}, {'exited': 129}), options


def children_of(pid):
    found = []
    for proc in pathlib.Path('/proc').glob('[0-9]*'):
        try:
            if int((proc / 'stat').read_text().rpartition(')')[2].split()[1]) == pid:
                found.append(int(proc.name))
        except OSError:
            continue
    return found


def test_kill_9_of_any_process_leaves_nothing():
    if PLATFORM != ['--platform=process']:
        raise Skip('a process of its own only on the process machine')
    for depth in range(3):          # kernel process, spawner, a stub
        p = started(IMAGE, 'sh', '-c', READY)
        pid = p.pid
        for _ in range(depth + 1):
            pid = children_of(pid)[0]
        os.kill(pid, signal.SIGKILL)
        if depth == 2:              # only the program in it ends
            time.sleep(1)
        p.kill() if depth else None
        finish(p)


def test_stop_and_continue():
    p = started('-i', IMAGE, 'sh', '-c', 'echo ready; read x; echo "$x"', stdin=subprocess.PIPE)
    for _ in range(5):
        p.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        p.send_signal(signal.SIGCONT)
        time.sleep(0.1)
    p.stdin.write(b'on\n')
    p.stdin.flush()
    status, out, err = finish(p)
    equal((status, out), (0, b'on\n'), err)


def test_storm_of_signals():
    p = started('-i', IMAGE, 'sh', '-c', 'trap : USR1; echo ready; while ! read x; do :; done; echo "$x"', stdin=subprocess.PIPE)
    for _ in range(200):
        p.send_signal(signal.SIGUSR1)
        p.send_signal(signal.SIGWINCH)
        time.sleep(0.002)
    p.stdin.write(b'on\n')
    p.stdin.flush()
    status, out, err = finish(p)
    equal((status, out), (0, b'on\n'), err)


def test_kill_9_leaves_nothing():
    p = started(IMAGE, 'sh', '-c', READY)
    p.kill()
    equal(finish(p)[0], -9)


def on_terminal(args, act):
    """Runs args on a new terminal; act(master, child) drives it. Terminal modes must come out as they went in."""
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    p = subprocess.Popen(monitor('run', '-it', *args), stdin=slave, stdout=slave, stderr=subprocess.PIPE,
                         start_new_session=True)
    try:
        seen = b''
        while b'ready' not in seen:
            seen += os.read(master, 4096)
        assert termios.tcgetattr(slave) != before, 'the terminal is not in raw mode'
        act(master, p)
        p.wait(30)
        after = termios.tcgetattr(slave)
    finally:
        p.kill()
        p.wait()
        err = p.stderr.read()
        os.close(master)
        os.close(slave)
    equal(after, before, f'terminal modes; {err!r}')
    return p.returncode


def test_terminal_is_restored_at_exit():
    equal(on_terminal([IMAGE, 'sh', '-c', 'echo ready; read x; exit 5'], lambda m, p: os.write(m, b'\r')), 5)


def test_terminal_is_restored_when_stopped():
    equal(on_terminal(['--stop-timeout=1', IMAGE, 'sh', '-c', 'trap "" TERM; ' + READY],
                      lambda m, p: p.send_signal(signal.SIGTERM)), 137)


def test_terminal_is_restored_after_a_crash():
    for signo in (signal.SIGSEGV, signal.SIGABRT):
        equal(on_terminal([IMAGE, 'sh', '-c', READY], lambda m, p, s=signo: p.send_signal(s)), -signo)


# ---

def leftovers():
    """What a run must not leave: processes of ours, mounts, files besides cached images and the cache's locks."""
    found = []
    for proc in pathlib.Path('/proc').glob('[0-9]*'):
        try:
            stat = (proc / 'stat').read_text().rpartition(')')[2].split()
            if os.readlink(proc / 'exe') == MONITOR and f'XDG_CACHE_HOME={TMP}/cache'.encode() in \
                    (proc / 'environ').read_bytes() and stat[0] != 'Z':
                found.append('process ' + proc.name)
        except OSError:
            continue
    found += [m for m in pathlib.Path('/proc/self/mounts').read_text().splitlines() if TMP in m]
    found += [str(f) for f in pathlib.Path(TMP).rglob('*') if f.is_file() and 'tmp' in f.name.lower()]
    return found


def main():
    global TMP
    cases = {n[5:]: f for n, f in globals().items() if n.startswith('test_')}
    chosen = sys.argv[3:] or list(cases)
    failed = False
    with tempfile.TemporaryDirectory() as TMP:
        os.environ['XDG_CACHE_HOME'] = TMP + '/cache'
        run('run', '--dry-run', IMAGE, 'true')
        for number, name in enumerate(chosen, 1):
            why, skip = '', ''
            try:
                cases[name]()
                left = leftovers()
                why = f'left behind: {left}' if left else ''
            except Skip as e:
                skip = f' # SKIP {e}'
            except (AssertionError, subprocess.TimeoutExpired) as e:
                why = str(e).replace('\n', ' | ')[:900] or 'failed'
            failed |= bool(why)
            print(f'{"not " if why else ""}ok {number} - {name}{skip}' + (f': {why}' if why else ''), flush=True)
    print(f'1..{len(chosen)}')
    sys.exit(failed)


main()
