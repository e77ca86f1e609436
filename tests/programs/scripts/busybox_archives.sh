# image: busybox
# about: busybox applets that pack, unpack, install packages and make file systems in files
# timeout: 300
mkdir -p /tmp/a && cd /tmp/a || exit 1
export TZ=UTC; seq 200 > n; touch -d '2020-01-01 00:00:00' n
gzip -k n; gunzip -t n.gz; zcat n.gz | cmp - n; bzip2 -k n; bzcat n.bz2 | cmp - n; bunzip2 -kc n.bz2 | tail -1
lzop -k n && lzop -dc n.lzo | cmp - n; lzopcat n.lzo 2>/dev/null | head -1
printf '\375\067zXZ\0\0\4\346\326\264\106\2\0\41\1\26\0\0\0\164\57\345\243\1\0\2hi\n\0\76\44\235\273\270\214\71\331\0\1\33\3\13\57\271\20\37\266\363\175\1\0\0\0\0\4YZ' > h.xz
xzcat h.xz; unxz -k h.xz 2>&1; xz -dc h.xz 2>&1; echo $?; lzcat h.xz 2>&1; unlzma -c h.xz 2>&1; lzma -dc h.xz 2>&1; echo $?
echo plain > p.Z; uncompress p.Z 2>&1; echo $?; unzip -l n 2>&1 | head -2; rpm -qpi n 2>&1; rpm2cpio n 2>&1; echo $?
printf 'UEsDBAoAAAAAAAAAIVhVZSKNBAAAAAQAAAABABwAZnppcCEKUEsBAh4DCgAAAAAAAAAhWFVlIo0EAAAABAAAAAEAAAAAAAEAAACkgQAAAABmUEsFBgAAAAABAAEALwAAACMAAAAAAA==' | base64 -d > z.zip; unzip -l z.zip 2>&1 | tail -1
mkdir -p pkg/DEBIAN pkg/usr/share/x; printf 'Package: x\nVersion: 1\nArchitecture: all\nDescription: x\n' > pkg/DEBIAN/control; echo content > pkg/usr/share/x/f
tar -C pkg/DEBIAN -czf control.tar.gz ./control; tar -C pkg -czf data.tar.gz ./usr; echo 2.0 > debian-binary
{ printf '!<arch>\n'; for f in debian-binary control.tar.gz data.tar.gz; do
	printf '%-16s%-12s%-6s%-6s%-8s%-10s`\n' $f 0 0 0 100644 $(wc -c < $f); cat $f; [ $(($(wc -c < $f) % 2)) = 0 ] || echo
done; } > x.deb
ar t x.deb; ar p x.deb debian-binary; dpkg-deb -f x.deb; dpkg-deb -c x.deb | awk '{print $NF}'; dpkg-deb -x x.deb out; cat out/usr/share/x/f; dpkg-deb -e x.deb ctl; ls ctl
mkdir -p /var/lib/dpkg/info; : > /var/lib/dpkg/status; dpkg -i x.deb 2>&1 | tail -2; cat /usr/share/x/f; dpkg -l | tail -1; dpkg -r x 2>&1 | tail -1; ls /usr/share/x 2>&1
find pkg -type f | cpio -o -H newc 2>/dev/null > c; mkdir o2; (cd o2 && cpio -id < ../c 2>/dev/null; find . -type f); find pkg | cpio -p o2 2>/dev/null; find o2 -type f | sort
tar cJf x n 2>&1 | head -1; tar cjf n.tar.bz2 n; tar tvjf n.tar.bz2; tar czf n.tar.gz -T /dev/null --exclude=x n; tar tzf n.tar.gz; tar xOzf n.tar.gz | tail -1; ln n hard; ln -s n soft; tar c n hard soft | tar tv | awk '{print $1, $6, $7, $8}'
truncate -s 8M disk; mke2fs -F -L label disk | grep -c Filesystem; mkdosfs -n VOL disk 2>&1 | head -1; blkid disk 2>/dev/null; mkswap -L sw disk | sed 's/UUID.*//'; swapon disk 2>&1 | sed 's/: .*//'; swapoff disk 2>&1 | sed 's/: .*//'
printf 'o\nn\np\n1\n\n\nw\n' | fdisk disk 2>&1 | grep -c Command; fdisk -l disk | tail -2; partprobe disk 2>&1; fsfreeze -f disk 2>&1; fstrim disk 2>&1; blkdiscard disk 2>&1; blockdev --getsz disk 2>&1; freeramdisk disk 2>&1; findfs LABEL=nothing 2>&1; fatattr disk 2>&1; losetup -r 2>&1 | head -1; mt -f disk status 2>&1; nuke x.deb o2; ls -A
