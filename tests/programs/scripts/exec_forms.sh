# about: static, dynamic, scripts, the loader itself, missing interpreters, limits on arguments
# timeout: 300
mkdir -p /tmp/e && cd /tmp/e || exit 1
echo 'int puts(const char *); int main(int c, char **v) { puts(v[0]); return c; }' > m.c
gcc -o dyn m.c && ./dyn a b; echo $?; gcc -static -o static m.c && ./static; echo $?; gcc -static-pie -o spie m.c && ./spie; echo $?; gcc -no-pie -o nopie m.c && ./nopie; echo $?
$(ls /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1 2>/dev/null) ./dyn x; echo $?; ldd dyn | sed 's/ (0x.*//' | sort; LD_TRACE_LOADED_OBJECTS=1 ./dyn | wc -l; LD_BIND_NOW=1 ./dyn
printf '#!/bin/sh\necho "$0 $@"\n' > s; chmod +x s; ./s 1 2; printf '#!/usr/bin/env -S python3 -u\nprint("python script")\n' > p; chmod +x p; ./p
printf '#! /tmp/e/s  one arg \n' > nest; chmod +x nest; ./nest two; printf 'echo no shebang\n' > n; chmod +x n; ./n; printf '#!/nothing\n' > bad; chmod +x bad; ./bad; echo $?
cp dyn noexec; chmod -x noexec; ./noexec; echo $?; ./missing; echo $?; ./. ; echo $?; echo junk > junk; chmod +x junk; (exec ./junk) 2>/dev/null; head -c 100 dyn > cut; chmod +x cut; ./cut; echo $?
seq 20000 | xargs echo | wc; sh -c 'echo ${#1}' x "$(head -c 120000 /dev/zero | tr '\0' y)"; getconf PAGESIZE; python3 -c "
import os, sys
r = os.spawnv(os.P_WAIT, '/tmp/e/dyn', ['renamed', *['x'] * 200]); print(r & 255)
pid = os.posix_spawn('/tmp/e/s', ['s', 'spawned'], {}); print(os.waitpid(pid, 0)[1])
fd = os.open('/tmp/e/static', os.O_RDONLY); pid = os.fork()
if not pid: os.execve(fd, ['by descriptor'], {})
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
try: os.execv('/bin/true', ['x' * 200000])
except OSError as e: print(e.strerror)
"
