# about: shell pipelines over thousands of files
# timeout: 600
mkdir -p /tmp/many && cd /tmp/many || exit 1
seq 1 40 | xargs mkdir
for d in $(seq 1 40); do for f in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 \
	26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50; do
	echo "file $f of directory $d" > $d/f$f
done; done
find . -type f | wc -l
find . -type f -name 'f1*' -print0 | xargs -0 cat | sort | uniq -c | sort -rn | head -5
grep -rl 'file 7 of' . | sort | head -3
find . -type f | xargs md5sum | sort | md5sum
find . -name 'f?' -delete; find . -type f | wc -l
ls | sort -n | tail -2; du -a --inodes . | wc -l
cat */* | awk '{n[$2]++} END {for (k in n) print k, n[k]}' | sort -n | sed -n '1p;$p'
tar c . | tar t | wc -l
cp -r . /tmp/copy && diff -r . /tmp/copy && echo same
rm -rf /tmp/copy /tmp/many; ls /tmp
