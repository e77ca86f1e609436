# about: python3 with threads, subprocess, multiprocessing, asyncio, sqlite3, tempfile
# timeout: 600
cat > /tmp/t.py <<'E'
import asyncio, hashlib, multiprocessing, os, queue, selectors, signal, socket, sqlite3, subprocess
import sys, tempfile, threading, time, mmap, fcntl, json, zlib, ctypes

def thread_part():
    q, out = queue.Queue(), []
    def worker():
        while (n := q.get()) is not None:
            out.append(n * n)
    threads = [threading.Thread(target=worker) for _ in range(4)]
    [t.start() for t in threads]
    [q.put(n) for n in range(100)]
    [q.put(None) for _ in threads]
    [t.join() for t in threads]
    print('threads', sum(out))

def square(n):
    return n * n

def process_part():
    with multiprocessing.Pool(3) as pool:
        print('pool', sum(pool.map(square, range(50))))
    q = multiprocessing.Queue()
    p = multiprocessing.Process(target=q.put, args=('from the child',))
    p.start(); print(q.get()); p.join(); print('exit', p.exitcode)

def subprocess_part():
    print(subprocess.run(['sh', '-c', 'echo out; echo err >&2; exit 3'], capture_output=True, text=True))
    p = subprocess.Popen(['cat'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    print(p.communicate(b'x' * 200000)[0] == b'x' * 200000)
    try:
        subprocess.run(['sleep', '100'], timeout=0.2)
    except subprocess.TimeoutExpired:
        print('timeout')

async def asyncio_part():
    async def serve(reader, writer):
        writer.write((await reader.readline()).upper()); await writer.drain(); writer.close()
    server = await asyncio.start_unix_server(serve, '/tmp/sock')
    r, w = await asyncio.open_unix_connection('/tmp/sock')
    w.write(b'hello\n'); print('asyncio', await r.readline()); w.close(); server.close()
    p = await asyncio.create_subprocess_exec('echo', 'child', stdout=asyncio.subprocess.PIPE)
    print(await p.communicate())
    print(await asyncio.gather(*(asyncio.sleep(0.01, n) for n in range(5))))

def sqlite_part():
    db = sqlite3.connect('/tmp/db')
    db.execute('create table t(a integer primary key, b text)')
    with db:
        db.executemany('insert into t(b) values (?)', [(f'row {n}',) for n in range(500)])
    print(db.execute('select count(*), max(b) from t').fetchone(), db.execute('pragma integrity_check').fetchone())
    db.execute('pragma journal_mode=wal'); db.execute('delete from t where a % 2'); db.commit()
    print(db.execute('select count(*) from t').fetchone()); db.close()

def file_part():
    with tempfile.TemporaryDirectory() as d:
        name = os.path.join(d, 'f')
        with open(name, 'w+b') as f:
            f.truncate(8192)
            with mmap.mmap(f.fileno(), 0) as m:
                m[100:105] = b'mmap!'
            f.seek(100); print(f.read(5))
            fcntl.flock(f, fcntl.LOCK_EX)
        print(sorted(os.listdir(d)), os.stat(name).st_size)
    print(os.path.exists(d))

def signal_part():
    hits = []
    signal.signal(signal.SIGALRM, lambda *a: hits.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    while len(hits) < 3:
        time.sleep(0.05)
    signal.setitimer(signal.ITIMER_REAL, 0)
    print('signals')

if __name__ == '__main__':
    thread_part(); process_part(); subprocess_part(); asyncio.run(asyncio_part()); sqlite_part(); file_part(); signal_part()
    print(hashlib.sha256(b'x' * 1000000).hexdigest(), zlib.crc32(b'y' * 1000), json.dumps({'a': [1, None]}))
    a, b = socket.socketpair(); a.send(b'pair'); print(b.recv(9)); print(os.cpu_count() >= 1, sys.version_info[:2])
E
python3 /tmp/t.py
