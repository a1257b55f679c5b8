// What the tests share: the program, films for a camera, the page's server, browsers.

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

export const dist = path('../dist/');
export const out = path('out/');
export const testdata = path('../../../testdata/');
export const models = path('../../../models/');
/** Networks that are obvious by eye, see topology.test.mjs. */
export const fixtures = path('fixtures/');
const target = process.env.CARGO_TARGET_DIR ?? path('../../../target');
/** The programs that `make web-test` builds; PROFILE is the folder that cargo put them in. */
const built = `${target}/${process.env.PROFILE ?? 'debug'}`;
const program = process.env.LINEAMENT ?? `${built}/lineament`;

mkdirSync(out, { recursive: true });

/** A man who talks, or where the shared videos are not there a portrait that moves. */
export function talking() {
  const shared = `${process.env.LINEAMENT_DATA ?? path('../../../../shared/data')}/video/talking.mp4`;
  return existsSync(shared) ? shared : `${testdata}video/face.mp4`;
}

/** A film of the first `frames` frames of a video, or of a still photo; answers its file. */
export function film(source, frames) {
  const file = `${out}${source.split('/').pop()}.${frames}.y4m`;
  execFileSync(`${built}/examples/film`, [source, file, frames]);
  return file;
}

/** What `lineament run` says with these options: an object per photo or frame. */
export function native(file, ...options) {
  return nativeLines(file, '--format', 'json', ...options).map((line) => JSON.parse(line));
}

/** The same as lines of text. */
export function nativeLines(file, ...options) {
  const text = execFileSync(program, ['run', file, ...options], { maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] });
  return text.toString().trim().split('\n');
}

/** Size, rate and planes of a film of 4:2:0 frames. */
export function readFilm(file) {
  const bytes = readFileSync(file);
  const end = bytes.indexOf('\n');
  const [, width, height, rate, secs] = bytes.toString('latin1', 0, end).match(/W(\d+) H(\d+) F(\d+):(\d+)/).map(Number);
  const size = width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2);
  const frames = [];
  for (let at = end + 1; at < bytes.length; at += 6 + size) frames.push(bytes.subarray(at + 6, at + 6 + size));
  return { width, height, fps: rate / secs, frames };
}

/** A grey picture as the package takes it. */
export function readPgm(file) {
  const bytes = readFileSync(file);
  const [head, width, height] = bytes.toString('latin1', 0, 40).match(/^P5\s+(\d+)\s+(\d+)\s+255\s/);
  return { data: bytes.subarray(head.length), width: Number(width), height: Number(height), format: 'grey' };
}

/** A dark picture with a white dot, which fills a cell of a detector's finest grid. */
export function dotPicture(x, y) {
  const side = 320;
  const data = new Uint8Array(side * side).fill(60);
  for (let row = y - 4; row < y + 4; row++) data.fill(255, side * row + x - 4, side * row + x + 4);
  return { data, width: side, height: side, format: 'grey' };
}

/** A film of one picture; answers its file. */
export function still({ data, width, height }, name, frames) {
  const frame = Buffer.concat([Buffer.from('FRAME\n'), data, Buffer.alloc(width * height / 2, 128)]);
  const head = Buffer.from(`YUV4MPEG2 W${width} H${height} F30:1 Ip A1:1 C420jpeg\n`);
  writeFileSync(`${out}${name}`, Buffer.concat([head, ...Array(frames).fill(frame)]));
  return `${out}${name}`;
}

/** Serves `dist` with the program; answers the address and a function that ends it. */
export async function serve() {
  const server = spawn(program, ['web', '--port', '0', '--folder', dist], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: server.stdout })) {
    return { address: line.match(/http:\S+/)[0], stop: () => server.kill() };
  }
  throw new Error('the server has ended');
}

/** An address that browsers take for another machine's: no camera is given to a page from there. */
export const OTHER_MACHINE = 'other-machine.test';

/** Without the last two lines the browser has no camera, or asks before it gives it. */
const FLAGS = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--js-flags=--expose-gc', `--host-resolver-rules=MAP ${OTHER_MACHINE} 127.0.0.1`];

/** A browser; `camera` is a film, or says what else: `refused` or `none`. */
export function browser(camera = 'none') {
  const fake = camera === 'none' ? ['--use-fake-ui-for-media-stream'] : ['--use-fake-device-for-media-stream'];
  if (camera !== 'none' && camera !== 'refused') fake.push('--use-fake-ui-for-media-stream', `--use-file-for-fake-video-capture=${camera}`);
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    chromiumSandbox: process.getuid() !== 0, // It does not work for root.
    args: [...FLAGS, ...fake],
  });
}

/** Largest distance between the points of two answers, in pixels. */
export function farthest(ours, theirs) {
  return Math.max(...ours.flatMap(({ x, y }, i) => Math.hypot(x - theirs[i][0], y - theirs[i][1])));
}
