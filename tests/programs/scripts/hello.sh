# image: busybox
# about: the smallest thing that can go wrong
echo out; echo err >&2; exit 0
