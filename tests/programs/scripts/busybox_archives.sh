# image: busybox
# options: --privileged
# about: busybox applets that pack, unpack, install packages and make file systems in files
# timeout: 300
mkdir -p /tmp/a && cd /tmp/a || exit 1
seq 200 > n; touch -d '2020-01-01 00:00:00' n
gzip -k n; gunzip -t n.gz; zcat n.gz | cmp - n; bzip2 -k n; bzcat n.bz2 | cmp - n; bunzip2 -kc n.bz2 | tail -1
lzop -k n && lzop -dc n.lzo | cmp - n
echo /Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4ABQAD9dABiCgo8iTvimVffwmaUlDZBFkVpRtJvKrNwFMuyFUp+xSG3v3OhLuWG64JxTf5jIqVQO/D0q0wbwwHpOQH5gAAAAbXQHLXsHM4gAAVtR1lClZR+2830BAAAAAARZWg== | base64 -d > s.xz
echo XQAAAAT//////////wAYgoKPIk74plX38JmlJQ2QRZFaUbSbyqzcBTLshVKfsUht79zoS7lhuuCcU3+YyKlUDvw9KtMG8MB6TrcOFMv/0VCwAA== | base64 -d > s.lzma
echo H52QMRTIUDBDAQ0FNRTYUHBDAQ4FORTEgCExYIyBMQrGOBgjYYyFMRrGeBgjogyKMgLKGCijoIyDMhLKWCijoYyHMiLOoAg= | base64 -d > s.Z
echo UEsDBBQAAAAIAAAAIVB1Z55eMAAAAFEAAAADAAAAZC9mBcFJAcAgAAOwf9TQwjj8G1sSNS2f7bieDIlUpiz5ZMuRK0+HRqtTl3669ejVZw4/UEsBAhQDFAAAAAgAAAAhUHVnnl4wAAAAUQAAAAMAAAAAAAAAAAAAAKQBAAAAAGQvZlBLBQYAAAAAAQABADEAAABRAAAAAAA= | base64 -d > s.zip
xzcat s.xz | md5sum; xz -dc s.xz | md5sum; unxz -k s.xz && md5sum s; rm s; lzcat s.lzma | md5sum; lzma -dc s.lzma | md5sum; unlzma s.lzma; md5sum s; zcat s.Z | md5sum; rm s; uncompress s.Z; md5sum s; unzip -l s.zip | tail -1; unzip -q s.zip; md5sum d/f; head -c 30 s.xz | xz -dc 2>&1; echo $?
rpm -qpi n 2>&1; rpm2cpio n 2>&1; echo $?
mkdir -p pkg/DEBIAN pkg/usr/share/x; printf 'Package: x\nVersion: 1\nArchitecture: all\nDescription: x\n' > pkg/DEBIAN/control; echo content > pkg/usr/share/x/f
tar -C pkg/DEBIAN -czf control.tar.gz ./control; tar -C pkg -czf data.tar.gz ./usr; echo 2.0 > debian-binary
{ printf '!<arch>\n'; for f in debian-binary control.tar.gz data.tar.gz; do
	printf '%-16s%-12s%-6s%-6s%-8s%-10s`\n' $f 0 0 0 100644 $(wc -c < $f); cat $f; [ $(($(wc -c < $f) % 2)) = 0 ] || echo
done; } > x.deb
ar t x.deb; ar p x.deb debian-binary; dpkg-deb -f x.deb; dpkg-deb -c x.deb | awk '{print $NF}'; dpkg-deb -x x.deb out; cat out/usr/share/x/f; dpkg-deb -e x.deb ctl; ls ctl
mkdir -p /var/lib/dpkg/info; : > /var/lib/dpkg/status; dpkg -i x.deb 2>&1 | tail -2; cat /usr/share/x/f; dpkg -l | tail -1; dpkg -r x 2>&1 | tail -1; ls /usr/share/x 2>&1
find pkg -type f | cpio -o -H newc 2>/dev/null > c; mkdir o2; (cd o2 && cpio -id < ../c 2>/dev/null; find . -type f); find o2 -type f | sort
tar cjf n.tar.bz2 n; tar tvjf n.tar.bz2; tar czf n.tar.gz n; tar tzf n.tar.gz; tar xOzf n.tar.gz | tail -1; ln n hard; ln -s n soft; tar c n hard soft | tar tv | awk '{print $1, $NF}'
truncate -s 8M disk; mke2fs -F -L label disk | grep -c Filesystem; mkdosfs -n VOL disk; od -An -c -j43 -N11 disk; mkswap -L sw disk | sed 's/UUID.*//'; swapon disk 2>&1 | sed 's/: .*//'; swapoff disk 2>&1 | sed 's/: .*//'
printf 'o\nn\np\n1\n\n\nw\n' | fdisk disk 2>&1 | grep -c Command; fdisk -l disk | tail -2; partprobe disk 2>&1; fsfreeze --freeze disk 2>&1; fstrim disk 2>&1; blkdiscard disk 2>&1; blockdev --getsz disk 2>&1; freeramdisk disk 2>&1; findfs LABEL=nothing 2>&1; fatattr disk 2>&1; mt -f disk rewind 2>&1; nuke out o2; ls -A
