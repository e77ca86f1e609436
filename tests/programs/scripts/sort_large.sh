# about: sort of 100 MB
# timeout: 900
cd /tmp || exit 1
awk 'BEGIN { x = 12345; for (i = 0; i < 5500000; i++) { x = (x * 1103515245 + 12345) % 2147483648; printf "%010d %07d\n", x, i } }' > big
wc -c big; sort -S 64M -T /tmp big | md5sum; sort -c big 2>/dev/null; echo $?
