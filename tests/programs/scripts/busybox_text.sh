# image: busybox
# about: busybox applets that work on text
# timeout: 120
cd /tmp || exit 1
seq 20 > n; seq 1 2 9; seq -w 8 10
head -n 3 n; tail -n 3 n; tail -c 4 n; sed -n '2,4p' n; sed 's/1/X/g;5q' n; awk '{s += $1} END {print s}' n; awk -F: '{print $1}' /etc/passwd 2>/dev/null | head -1
sort -r n | head -3; sort -n n | uniq -c | head -2; printf 'b\na\nb\n' | sort -u; printf 'a\na\nb\n' | uniq -d; shuf n | sort -n | cksum
grep -c 1 n; grep -v 1 n | wc -l; grep -E '^(1|2)$' n; egrep '1.' n | wc -l; fgrep -x 7 n; grep -q 99 n; echo $?
cut -c1 n | sort -u; echo a:b:c | cut -d: -f2,3; tr a-z A-Z < /dev/null; echo hello | tr a-y b-z; echo hello | tr -d l; echo aabb | tr -s a
paste n n | head -2; printf '1 a\n2 b\n' > j; comm n n 2>/dev/null | wc -l; nl n | head -2; fold -w 5 j; expand j | cat; unexpand -a j | cat; rev j; wc n; wc -l < n
printf '%05d|%-5s|%x|%o|%c\n' 42 ab 255 8 Z; echo -e 'a\tb'; expr 3 + 4; expr abc : 'a\(.\)c'; expr 5 \> 3; echo '2^10; 7/2' | bc; echo '3 4 + p' | dc; factor 360; ascii | head -1
xargs echo < j; seq 5 | xargs -n 2 echo; yes | head -2; tee copy < j; strings /bin/busybox | head -1 | wc -l; od -An -tx1 j; cal 2 2024; printf 'a\r\n' | dos2unix | od -c; echo x | unix2dos | od -c
ed -s j <<E
1s/a/edited/
w
q
E
cat j; printf 'l1\nl2\n' > o; printf 'l1\nL2\n' > p; diff -u o p | sed 1,2d > pp; patch o < pp; cat o; getopt ab: -a -b x y; test 3 -lt 5 && [ -d /tmp ] && [[ a = a ]] && echo tests; env -i A=1 env; ts </dev/null; time -f %x true 2>/dev/null; more j | cat; crc32 n; cksum n; ipcalc -n 10.1.2.3/8; mkpasswd -m sha256 -S abcdefgh pw 2>/dev/null | cut -c1-12
