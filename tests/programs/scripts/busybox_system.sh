# image: busybox
# options: --privileged
# about: busybox applets about processes, users, the system and the shell itself
# timeout: 180
cd /tmp || exit 1
uname -s; uname -m; uname -n; hostname; whoami; id; id -u; groups; logname 2>/dev/null; tty; echo $?; nproc >/dev/null && echo cpus; arch
true; echo $?; false; echo $?; sleep 0; usleep 1000; timeout 5 echo in time; timeout 1 sleep 100; echo $?
sh -c 'exit 7'; echo $?; sh -c 'kill -9 $$'; echo $?; (sleep 100 & p=$!; kill $p; wait $p; echo $?); kill -l 15; kill -l | head -3
nice -n 5 nice 2>/dev/null; nohup true 2>/dev/null; setsid true; echo $?; setpriv true 2>/dev/null; ionice -p $$ | cut -d: -f1; chrt true 2>/dev/null; taskset 1 true; renice -n 1 -p $$ >/dev/null && echo niced; env | grep -c PATH
ps | head -1; ps -o pid,comm | grep -c ps; pidof nothing; echo $?; free | head -1 | tr -s ' '; uptime | grep -c load; top -b -n 1 | grep -c PID; w 2>/dev/null | wc -l; date -u -d @0 +%FT%T; date -u -d '2024-02-29 12:00' +%s; hostid | wc -c
mount | grep -c ' /proc '; mkdir -p m; mount -t tmpfs none m 2>/dev/null && { echo x > m/f; cat m/f; umount m; ls m; }; df / | tail -1 | awk '{print $NF}'
chroot / /bin/busybox echo in the jail; unshare -u hostname other 2>/dev/null; hostname; cat /proc/self/comm; wc -l < /proc/self/status | grep -c .; ls /proc/self/fd | wc -l; stty -a </dev/null 2>&1 | head -1; sysctl -n kernel.ostype; mesg 2>/dev/null; dmesg >/dev/null 2>&1; logger -s hello 2>&1 | sed 's/.*hello/hello/' | tail -1; run-parts --test /etc 2>/dev/null | wc -l; start-stop-daemon -S -x /bin/true -- ; echo $?; who; last 2>/dev/null | wc -l; reset </dev/null >/dev/null 2>&1; crontab -l 2>&1 | wc -l
f() { local v=1; echo "f $1 $v"; return 3; }; f x; echo $?; for i in 1 2 3; do [ $i = 2 ] && continue; echo $i; done; case abc in a*) echo match;; esac; i=0; while [ $i -lt 3 ]; do i=$((i + 1)); done; echo $i; set -- a 'b c'; echo $# "$2"; echo "${1:-d} ${3:-d} ${#2} ${2%c} ${2#b}"; cat <<E
here $((2 * 21))
E
trap 'echo trapped' USR1; kill -USR1 $$; trap 'echo bye' EXIT; echo $(echo sub | tr s S); echo a | while read v; do echo "<$v>"; done; { echo grouped; } 2>&1; exec 3>x; echo three >&3; cat x; echo glob*nothing; (exit 9); echo $?; ! true; echo $?; echo "a  b" | { read x y; echo "$x-$y"; }; sh -c 'echo $0 $1' zero one; eval 'echo ev''al'; umask; ulimit -n >/dev/null && echo limits; wait; type cd; unset nothing
