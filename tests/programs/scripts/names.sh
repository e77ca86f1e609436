# image: busybox
# about: file names of every byte value, long names, deep directories, many entries in one
# timeout: 300
mkdir -p /tmp/n && cd /tmp/n || exit 1
i=1; while [ $i -lt 256 ]; do
	[ $i = 46 ] || [ $i = 47 ] || : > "$(printf "\\$(printf %03o $i)x")"
	i=$((i + 1))
done
ls -A | wc -l; find . -type f | wc -l; printf '%s\n' *x | wc -c
rm -f -- *x; ls -A
long=$(head -c 255 /dev/zero | tr '\0' l); : > $long && ls | wc -c; touch ${long}l || echo too long; rm $long
seq 3000 | xargs touch; ls | wc -l; ls -U | sort -n | tail -1; test -e 2999 && echo there; seq 1 2 3000 | xargs rm; ls | wc -l; rm -f *
d=.; i=0; while [ $i -lt 100 ]; do d=$d/deep; i=$((i + 1)); done; mkdir -p $d; echo bottom > $d/f; find . -name f | wc -c; cat $d/f; rm -r deep; ls
ln -s loop loop; cat loop; ln -s ../n/x x; cat x; ln -s / root; ls root/bin | head -1; : > 'with
newline'; ls | cat; rm -r -- *newline; mkdir ' '; rmdir ' '; : > -dash; rm -- -dash; ls -a
