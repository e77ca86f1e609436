# about: strace of processes and threads, gdb with breakpoints, steps, threads, attaching
# timeout: 300
cd /tmp || exit 1
cat > t.c <<'C'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static int total;
static void *work(void *arg)
{
	for (int i = 0; i < 5; i++)
		__atomic_fetch_add(&total, *(int *)arg, __ATOMIC_RELAXED);
	return NULL;
}
static int square(int n)
{
	return n * n;
}
int main(int argc, char **argv)
{
	pthread_t t[4];
	int one = 1;
	printf("%d\n", square(7));
	fflush(stdout);
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, work, &one);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	printf("total %d\n", total);
	if (argc > 1)
		*(volatile int *)0 = 1;
	return total;
}
C
gcc -g -O0 -pthread -o t t.c || exit 1
asleep() { sleep 100 & pid=$!; until grep -q '^Name:.sleep' /proc/$pid/status && grep -q '^State:.S' /proc/$pid/status; do :; done; } # not before its exec
# one process; children; threads; what went wrong and how it ended
strace -qq -e trace=write,openat -e signal=none sh -c 'echo hello; cat /nowhere' 2>&1 >/dev/null | grep -v 'ld.so\|^---'
strace -f -qq -e trace=exit_group -o log sh -c 'true & (exit 3); ls /tmp >/dev/null; wait'; grep -o 'exit_group([0-9]' log | sort
strace -f -qq -e trace=exit -o log ./t; echo $?; grep -c 'exit(0' log
strace -f -qq -c -o log find /etc -name passwd; awk '$NF == "execve" { print $4, $NF }' log
strace -qq -e inject=getppid:retval=77 -e trace=getppid -o log perl -e 'print getppid(), "\n"'; cat log
strace -qq -e inject=openat:error=EACCES:when=3+ -e trace=none cat /etc/passwd 2>&1 | head -1
asleep; strace -qq -e trace=none -e signal=SIGTERM -o log -p $pid & s=$!
until grep -q 'TracerPid:.[1-9]' /proc/$pid/status; do sleep 0.1; done
kill $pid; { wait $pid; } 2>/dev/null; echo $?; wait $s; grep -o 'SIGTERM.*code=SI_USER' log; tail -1 log
# gdb
g() { gdb -q -batch -nx -ex 'set print thread-events off' -ex 'set print address off' -ex 'set debuginfod enabled off' "$@" 2>&1 | grep -v 'libthread_db\|Missing separate\|^warning' | sed 's/process [0-9]*/process N/; s/Thread 0x[0-9a-f]* (LWP [0-9]*)/Thread N/; s/LWP [0-9]*/LWP N/'; }
g -ex 'break square' -ex run -ex bt -ex 'print n' -ex finish -ex next -ex 'print total' -ex 'break work' -ex continue -ex 'print *(int *)arg' -ex delete -ex 'print $_inferior' -ex continue ./t | grep -v 'Switching\|^Thread'
g -ex run -ex bt -ex 'print $_siginfo.si_signo' -ex 'print $_siginfo._sifields._sigfault.si_addr' -ex kill --args ./t crash | grep -v '^Thread'
g -ex 'break main' -ex run -ex 'stepi' -ex 'stepi' -ex 'set var argc = 5' -ex 'print argc' -ex 'print square(12)' -ex 'set can-use-hw-watchpoints 0' -ex 'watch one' -ex continue -ex kill ./t
g -ex 'catch fork' -ex 'catch exec' -ex 'set follow-fork-mode child' -ex 'run -c "/bin/true; exit 4"' -ex kill /bin/sh | grep -v '^Killed' | sed 's/, in .*//'
asleep; g -p $pid -ex 'print $_siginfo.si_signo' -ex detach | tail -1; kill $pid; { wait $pid; } 2>/dev/null; echo $?
rm -f t t.c log
