# about: node with busy workers, shared memory, many files and streams at once
# timeout: 600
cat > /tmp/m.js <<'E2'
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const fs = require('fs'), path = require('path'), zlib = require('zlib'), crypto = require('crypto');
const { pipeline } = require('stream/promises'), { exec, execFile } = require('child_process'), { promisify } = require('util');
if (!isMainThread) {
	const { buffer, id } = workerData, cells = new Int32Array(buffer);
	for (let i = 0; i < 20000; i++) Atomics.add(cells, i % 8, id);
	Atomics.add(cells, 8, 1); Atomics.notify(cells, 8);
	const primes = []; for (let n = 2; primes.length < 1000 * id; n++) if (primes.every(p => p * p > n || n % p)) primes.push(n);
	parentPort.postMessage(primes[primes.length - 1]);
} else (async () => {
	const buffer = new SharedArrayBuffer(64), cells = new Int32Array(buffer), dir = fs.mkdtempSync('/tmp/node-');
	const workers = [1, 2, 3].map(id => new Promise((ok, bad) => { const w = new Worker(__filename, { workerData: { buffer, id } }); let m; w.on('message', x => m = x); w.on('error', bad); w.on('exit', c => ok([m, c])); }));
	const names = Array.from({ length: 300 }, (_, i) => path.join(dir, 'f' + i));
	await Promise.all(names.map((n, i) => fs.promises.writeFile(n, 'x'.repeat(i * 10))));
	const sizes = await Promise.all(names.map(async n => (await fs.promises.stat(n)).size));
	console.log('sizes', sizes.reduce((a, b) => a + b));
	await Promise.all(names.slice(0, 100).map(n => fs.promises.rename(n, n + '.moved'))); await Promise.all(names.slice(100, 200).map(n => fs.promises.unlink(n)));
	console.log((await fs.promises.readdir(dir)).sort().slice(-2), fs.readdirSync(dir).length);
	const big = path.join(dir, 'big'); fs.writeFileSync(big, crypto.createHash('sha512').update('seed').digest('hex').repeat(20000));
	await pipeline(fs.createReadStream(big), zlib.createGzip(), fs.createWriteStream(big + '.gz')); await pipeline(fs.createReadStream(big + '.gz'), zlib.createGunzip(), fs.createWriteStream(big + '.2'));
	console.log('round trip', fs.readFileSync(big).equals(fs.readFileSync(big + '.2')));
	console.log('hashes', (await Promise.all([1, 2, 3, 4].map(n => promisify(crypto.pbkdf2)('pw', 's' + n, 2000, 8, 'sha256')))).map(b => b.toString('hex')));
	console.log('children', (await Promise.all([1, 2, 3, 4].map(n => promisify(exec)(`seq ${n}00 | tail -1`)))).map(r => r.stdout.trim()).join());
	console.log('workers', await Promise.all(workers), Array.from(cells));
	let seen = 0; const watch = fs.watch(dir, () => { seen++; }); fs.writeFileSync(path.join(dir, 'watched'), 'x'); await new Promise(ok => { const t = setInterval(() => { if (seen) { clearInterval(t); ok(); } }, 5); }); watch.close(); console.log('watched');
	const hit = []; process.on('SIGUSR2', () => hit.push('usr2')); process.kill(process.pid, 'SIGUSR2'); await new Promise(ok => { const t = setInterval(() => { if (hit.length) { clearInterval(t); ok(); } }, 5); }); console.log(hit);
	await promisify(execFile)('false').catch(e => console.log('code', e.code)); await promisify(execFile)('sleep', ['100'], { timeout: 50 }).catch(e => console.log(e.signal));
	fs.rmSync(dir, { recursive: true }); console.log(fs.existsSync(dir)); eval('['.repeat(50) + ']'.repeat(50)); const f = () => f() + 1; try { f(); } catch (e) { console.log(e.constructor.name); }
	const wasm = new WebAssembly.Module(Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 7, 1, 3, 97, 100, 100, 0, 0, 10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11])); console.log(new WebAssembly.Instance(wasm).exports.add(40, 2));
})();
E2
node /tmp/m.js; echo $?
