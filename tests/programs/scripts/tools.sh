# about: bc, jq, xz, file, sqlite3, gawk, ps, stat, dd and their friends
# timeout: 300
cd /tmp || exit 1
echo 'scale=20; 4*a(1)' | bc -l; echo '{"a":[1,2,{"b":null}]}' | jq -c '.a[2], (.a[:2] | add)'; seq 10000 > n; xz -k n; xz -dc n.xz | cmp - n && echo same; gzip -9c n | zcat | md5sum
file -b n /bin/sh /etc; sqlite3 db "create table t(x); insert into t values (1),(2),(3); select sum(x) from t;"; gawk 'BEGIN { while (("echo a b | tr a-z A-Z" | getline l) > 0) print l; print strftime("%Y", 0, 1) }'
ps -o comm= -p $$; ps -e -o comm= | sort | uniq | head -5; pgrep -c sh; dd if=/dev/zero bs=1M count=5 2>/dev/null | wc -c; stat -c '%n %s %a %U' n; split -n 3 n part; cat part* | cmp - n && ls part*
sort -R n | sort -n | cmp - n && echo sorted; bash -c 'diff <(seq 3) <(seq 2 4); echo ${PIPESTATUS[0]}; shopt -s globstar; a=(1 2 3); echo ${a[@]:1} ${#a[@]}; coproc cat; echo co >&${COPROC[1]}; read -u ${COPROC[0]} v; echo $v; printf -v x %03d 7; echo $x; [[ abc =~ b(.) ]] && echo ${BASH_REMATCH[1]}'
mkfifo p; (echo through > p &); cat p; timeout 1 tail -f n > /dev/null; echo $?; nohup sh -c 'echo hup' 2>/dev/null; env -i sh -c 'echo $PATH' | wc -c; id -un; getent passwd root | cut -d: -f1; uname -s; nproc > /dev/null; date -u -d @1000000000; ln -sf n l; readlink -e l; cp --sparse=always n sparse; cmp n sparse && echo sparse; install -m 700 n inst; stat -c %a inst; tac n | head -1; numfmt --to=iec 1048576; od -An -tx1 -N4 /bin/sh; truncate -s 1G big; stat -c '%s %b' big; rm -rf *; ls -A | wc -l
