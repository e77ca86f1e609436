# about: sqlite3 from several processes at once, write-ahead log, locks, vacuum; jq and bc over the results
# timeout: 600
mkdir -p /tmp/d && cd /tmp/d || exit 1
sqlite3 a.db 'pragma journal_mode=wal; create table t(k integer primary key, who int, v text); create index i on t(who);'
for p in 1 2 3 4; do (for n in 1 2 3 4 5; do
	sqlite3 -cmd '.timeout 60000' a.db "begin immediate; with recursive c(x) as (select 1 union all select x + 1 from c where x < 50) insert into t(who, v) select $p, 'row ' || x from c; commit;"
done) & done; wait
sqlite3 a.db 'select who, count(*) from t group by who; pragma integrity_check; pragma wal_checkpoint(truncate);'; sqlite3 a.db 'delete from t where who = 3; vacuum; select count(*), sum(length(v)) from t;'; ls
sqlite3 a.db .dump | wc -l; sqlite3 a.db .dump | sqlite3 b.db; sqlite3 b.db 'attach "a.db" as a; select count(*) from a.t except select count(*) from t;'
sqlite3 -json b.db 'select who, count(*) n from t group by who' | jq -c 'map({(.who | tostring): .n}) | add'; sqlite3 -csv b.db 'select v from t order by k limit 3'; sqlite3 a.db 'begin; create table x(a);' 'select 1;'; sqlite3 a.db .tables
python3 - <<'P'
import sqlite3, threading
def add(n):
    c = sqlite3.connect('c.db', timeout=60)
    for i in range(20):
        with c: c.execute('insert into t values (?, ?)', (n, i))
c = sqlite3.connect('c.db'); c.execute('create table t(a, b)'); c.commit()
ts = [threading.Thread(target=add, args=(n,)) for n in range(4)]
[t.start() for t in ts]; [t.join() for t in ts]
print(c.execute('select count(*), sum(a), sum(b) from t').fetchone())
c.execute('begin exclusive')
try: sqlite3.connect('c.db', timeout=0.1).execute('insert into t values (1, 2)')
except sqlite3.OperationalError as e: print(e)
P
seq 3000 | jq -s 'map(select(. % 7 == 0)) | {n: length, sum: add, last: .[-1]}' -c; seq 300 | sed 's/.*/s += &^2/; $a s' | bc; echo 'scale = 60; e(1)' | bc -l; echo '2^2000' | bc | tr -d '\\\n' | wc -c
