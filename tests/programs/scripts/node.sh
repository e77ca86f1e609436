# about: node with worker threads, child processes, timers, streams and files
# timeout: 600
cat > /tmp/t.js <<'E'
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const { spawnSync, spawn, fork } = require('child_process');
const fs = require('fs'), net = require('net'), crypto = require('crypto'), zlib = require('zlib'), os = require('os');
if (!isMainThread) {
	let n = 0;
	for (let i = 0; i < workerData; i++) n += i;
	parentPort.postMessage(n);
} else if (process.argv[2] === 'child') {
	process.on('message', m => { process.send(m + 1); process.disconnect(); });
} else (async () => {
	const work = n => new Promise((ok, bad) => { const w = new Worker(__filename, { workerData: n }); w.on('message', ok); w.on('error', bad); });
	console.log(await Promise.all([1000, 2000, 3000].map(work)));
	console.log(spawnSync('sh', ['-c', 'echo out; echo err >&2; exit 4'], { encoding: 'utf8' }).status);
	await new Promise(ok => { const c = fork(__filename, ['child']); c.on('message', m => console.log('fork', m)); c.send(41); c.on('exit', ok); });
	await new Promise(ok => { const c = spawn('cat'); let s = ''; c.stdout.on('data', d => s += d); c.on('close', () => { console.log('cat', s.length); ok(); }); c.stdin.end('x'.repeat(100000)); });
	await fs.promises.writeFile('/tmp/f', 'data'); console.log(await fs.promises.readFile('/tmp/f', 'utf8'), fs.readdirSync('/tmp').includes('f'));
	await new Promise(ok => { const s = net.createServer(c => c.pipe(c)); s.listen('/tmp/s', () => { const c = net.connect('/tmp/s'); c.on('data', d => { console.log('echo', String(d)); c.end(); s.close(ok); }); c.write('hi'); }); });
	console.log(crypto.createHash('sha1').update('x').digest('hex'), zlib.gunzipSync(zlib.gzipSync('zip')).toString(), os.hostname(), os.platform());
	await new Promise(ok => setTimeout(ok, 20)); setImmediate(() => console.log('end'));
	process.on('exit', c => console.log('code', c)); process.exitCode = 6;
})();
E
node /tmp/t.js; echo $?
