# image: busybox
# options: --privileged
# about: busybox applets that log in, log, wait for times and watch, and those for consoles and modules
# timeout: 300
cd /tmp || exit 1
echo 'root:x:0:0:root:/root:/bin/sh' > /etc/passwd; echo 'u:x:1000:1000:User:/tmp:/bin/sh' >> /etc/passwd; printf 'root:x:0:\nu:x:1000:\n' > /etc/group
echo 'root::19000:0:99999:7:::' > /etc/shadow; echo 'u:*:19000:0:99999:7:::' >> /etc/shadow
su u -s /bin/sh -c 'id; echo $HOME; cat /etc/shadow; touch /bin/x' 2>&1; su -l u -c 'pwd; echo $USER' 2>&1; echo 'u:secret' > /dev/null; sulogin </dev/null 2>&1 | head -1; nologin; echo $?
login -f nobody </dev/null 2>&1 | head -1; getty 2>&1 | head -1; passwd -l u 2>&1; grep -c '^u:!' /etc/shadow; mkpasswd -m sha512 -S saltsalt secret; cryptpw -m md5 -S saltsalt x 2>/dev/null
syslogd -C16 -n & S=$!; while ! test -S /dev/log; do usleep 20000; done; logger -t me one line; logger -p user.err -t me an error; usleep 200000; logread 2>&1 | sed '/started/d; s/.*user/user/'; klogd -n & K=$!; usleep 100000; kill $S $K; wait
rm -f /dev/log; syslogd -n -O /tmp/messages & S=$!; while ! test -S /dev/log; do usleep 20000; done; logger -t you to a file; usleep 200000; kill $S; wait; sed 's/^.\{16\}//; /started\|exiting/d' messages
mkdir -p /var/spool/cron/crontabs; echo '* * * * * echo ran' | crontab -; crontab -l; crontab -r; crond -f -L /tmp/cron.log & C=$!; usleep 300000; kill $C; wait; grep -c started cron.log
watch -n 1 -t echo tick < /dev/null | head -c 20 | tr -dc a-z; echo; timeout 1 watchdog -F /tmp/none 2>&1; less cron.log < /dev/null | grep -c started; clear | od -c | head -1; mesg n 2>/dev/null; run-init 2>&1 | head -1; switch_root 2>&1 | head -1; printf '::sysinit:/bin/echo from init\n::once:/bin/sleep 100\n' > /etc/inittab; timeout -s KILL 2 linuxrc; echo $?
link messages m2; stat -c %h m2; unlink m2; ls m2 2>&1; nsenter -t 1 -u hostname; unshare -m sh -c 'mkdir -p mm; mount -t tmpfs none mm; echo f > mm/f; ls mm'; ls mm; pivot_root . . 2>&1; linux64 uname -m; linux32 uname -m; start-stop-daemon -S -b -m -p pid -x /bin/sleep -- 100; usleep 300000; start-stop-daemon -K -p pid | sed 's/ .pid [0-9]*.//'
sleep 100 & usleep 200000; pidof sleep | wc -w; killall sleep; wait; echo $?; killall nothing 2>&1; echo $?; ash -c 'echo ash'; busybox | grep -c Currently; setpriv --nnp grep NoNewPrivs /proc/self/status; chroot --help 2>&1 | grep -c Usage; sysctl kernel.hostname; sysctl -w kernel.hostname=other; hostname; dnsdomainname; svok /tmp; echo $?; svc -u /tmp 2>&1; renice 2>&1 | head -1
for a in chvt deallocvt loadfont loadkmap setkeycodes dumpkmap openvt; do $a 1 < /dev/null > /dev/null 2>&1; echo $a $?; done; insmod none.ko; echo $?; rmmod none 2>/dev/null; echo $?; depmod -n 2>&1 | sed 's|modules.*:|modules:|'; devmem 0 2>&1 | sed 's/: .*//'; for a in i2cdetect i2cdump i2cget i2cset i2ctransfer ubirename mim tc; do $a < /dev/null 2>&1 | head -1; done; microcom /dev/none 2>&1; acpid -f -e /none 2>&1 | head -1
adjtimex | wc -l; modinfo none > /dev/null 2>&1; echo $?; modprobe none 2>&1; hwclock 2>&1; losetup -f; losetup /dev/loop0 2>&1; losetup -a
