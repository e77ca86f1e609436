# image: debian
# about: find / -xdev sees the image with all its modes, owners, links and sizes
# timeout: 900
find / -xdev \( -path /proc -o -path /dev -o -path /sys -o -path /tmp -o -path /run -o -name hosts -o -name hostname -o -name resolv.conf -o -name mtab \) -prune -o -type d -printf '%p %m %U %G\n' -o -printf '%p %y %m %U %G %s %n %l\n' | LC_ALL=C sort > /tmp/list
wc -l < /tmp/list; md5sum < /tmp/list; awk '{print $2}' /tmp/list | sort | uniq -c; grep -c '^/usr/share' /tmp/list; sed -n '1~400p' /tmp/list
