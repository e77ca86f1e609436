# image: debian
# about: files of the image can be changed, replaced, renamed and removed, and the rest stays as it was
# timeout: 300
show() { ls -A "$1" | LC_ALL=C sort | head -"${2:-5}" | tr '\n' ' '; echo; }
cd /etc || exit 1
wc -l < passwd; echo 'new:x:1234:1234::/:/bin/sh' >> passwd; wc -l < passwd; id -un 1234; tail -1 passwd
sed -i 's/^new:/newer:/' passwd; tail -1 passwd; stat -c '%a %U %s' passwd
chmod 600 issue; chown 5:6 issue; stat -c '%a %u %g' issue; touch -d '2001-02-03 04:05:06 UTC' issue; stat -c %Y issue; cat issue | wc -c
rm debian_version; cat debian_version 2>&1; ls | grep -c debian_version; echo mine > debian_version; cat debian_version
mv hostname.none x 2>&1 | grep -c cannot; mv shells moved; ls shells moved 2>&1; mv moved shells; head -1 shells
rm -r skel; ls skel 2>&1; mkdir skel; show skel; echo f > skel/f; show skel
rmdir default 2>&1 | grep -c 'not empty'; rm -rf default; mkdir -p default/sub; show default
mv cron.d /tmp/cron.moved 2>/dev/null || mv apt /tmp/apt.moved; show /tmp; ls -d apt cron.d 2>/dev/null
ln -s passwd l; readlink l; ln passwd hard; stat -c '%h' passwd hard; echo more >> hard; cmp passwd hard && echo one file; rm l hard; stat -c %h passwd
cp -a /usr/share/base-files /tmp/bf; diff -r /usr/share/base-files /tmp/bf && echo same copy; rm -rf /usr/share/base-files; ls -d /usr/share/base-files 2>&1; mv /tmp/bf /usr/share/base-files; show /usr/share/base-files 3
mkdir /usr/share/new; for i in 1 2 3; do echo $i > /usr/share/new/$i; done; show /usr/share/new; mv /usr/share/new /usr/share/newer; cat /usr/share/newer/*
truncate -s 10 group; stat -c %s group; : > group; stat -c %s group; exec 3<subuid; rm -f subuid; cat <&3 | wc -l; exec 3<&-
find /etc -newer /etc/passwd -type f | LC_ALL=C sort | head -3; test -w /usr/bin/env && echo writable; cp /bin/true /bin/also; /bin/also && echo runs; rm /bin/also; /bin/also 2>&1 | wc -l
for d in /etc /usr/share /usr/bin; do ls -A $d | grep -vx hostname | LC_ALL=C sort | md5sum; done
