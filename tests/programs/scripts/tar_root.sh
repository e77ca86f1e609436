# image: debian
# about: tar c / | tar t, and the bytes of every file
# timeout: 900
tar c --one-file-system --sort=name --exclude=./proc --exclude=./dev --exclude=./sys --exclude=./tmp --exclude=./run --exclude=./etc/hosts --exclude=./etc/hostname --exclude=./etc/resolv.conf --exclude=./etc/mtab -C / . 2>/dev/null | tar t | md5sum
find /usr /etc/alternatives /lib /bin -xdev -type f | LC_ALL=C sort | xargs cat | md5sum
