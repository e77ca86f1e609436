# image: busybox
# about: busybox applets that make, change and list files
# timeout: 120
mkdir -p /tmp/w && cd /tmp/w || exit 1
umask 022
echo one > a; echo two > b; printf 'x\ty\n' > c
cat a b; cat -n a; cat -v c; tac a b 2>&1
cp a d; cp -p a e; mv d f; ln a hard; ln -s a soft; readlink soft; readlink -f soft; realpath soft
ls -1; ls -a | wc -l; ls -l a | cut -c1-10; ls -ld /tmp/w | cut -c1-10; ls -R /bin /etc /home /root /sbin /usr -1 | grep -c bin
chmod 640 a; stat -c '%a %F %s %h' a; chmod u+x,g-r a; stat -c %A a; chown 5:6 b; stat -c '%u %g' b; chgrp 7 b; stat -c %g b
touch -d '2020-01-02 03:04:05' t; stat -c %Y t; date -r t -u +%F; touch new; test -e new && echo there
mkdir -p d1/d2/d3; rmdir d1/d2/d3; mkfifo fifo; test -p fifo && echo fifo; mknod null c 1 3 && stat -c '%t %T' null
dd if=/dev/zero of=z bs=1024 count=3 2>/dev/null; wc -c z; truncate -s 5000 z; stat -c %s z; fallocate -l 100 fa; stat -c %s fa
head -c 10 /dev/zero | od -c; hexdump -C a; xxd a; cksum a 2>/dev/null; md5sum a; sha1sum a; sha256sum a; sha512sum a | cut -c1-20; sha3sum a | cut -c1-20; crc32 a
split 2>/dev/null; du -a d1 | wc -l; df -P / | wc -l; sync; rm -rf d1; rm hard soft; ls; find . -type f -name '?' | sort
cmp a f; cmp a b; diff a b; echo $?; patch --version >/dev/null 2>&1; diff -u a b | sed 1,2d
tar c a b c | tar t; tar cf s.tar a b; mkdir x; tar xf s.tar -C x; ls x; gzip -c a | gunzip -c; bzip2 -c a | bunzip2 -c; echo data > comp; gzip comp; zcat comp.gz; gunzip comp.gz; cat comp
echo a | cpio -o 2>/dev/null | cpio -t 2>/dev/null; ar 2>/dev/null; mktemp -u XXXXXX | wc -c; mktemp -d /tmp/w/tmp.XXXX | wc -c
install 2>/dev/null; shred -u f 2>/dev/null; test -e f || echo gone; which cat; basename /x/y.c .c; dirname /x/y.c; pwd; xzcat /dev/null; lzcat /dev/null 2>&1 | head -1; uuencode a name | uudecode -o -; base64 a; base64 a | base64 -d
