// What happens when calls overlap: they take effect in the order in which they were made.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, test } from 'node:test';

import { Lineament, load } from '../dist/lineament/node.js';
import { models, readPgm, testdata } from './helpers.mjs';

const portrait = readPgm(`${testdata}golden/portrait.pgm`);

/** The same, moved to the left. */
function moved({ data, ...image }, pixels) {
  return { ...image, data: Uint8Array.from(data, (_, i) => data[Math.min(i + pixels, data.length - 1)]) };
}

/** Frames of a camera that copy themselves only when `copyNow` is called. */
function lateFrame({ data, width, height }) {
  globalThis.VideoFrame ??= class {};
  let copyNow;
  const told = new Promise((resolve) => (copyNow = resolve));
  const frame = Object.assign(new VideoFrame(), {
    format: 'I420',
    visibleRect: { x: 0, y: 0, width, height },
    allocationSize: () => 1.5 * data.length,
    async copyTo(bytes) {
      await told;
      bytes.set(data);
      return [{ offset: 0, stride: width }];
    },
  });
  return { frame, copyNow };
}

afterEach(() => delete globalThis.VideoFrame);

test('a frame has its faces, though the memory grew while it was copied', async () => {
  const lineament = await Lineament.create();
  const { memory } = await load();
  const { frame, copyNow } = lateFrame(portrait);
  const faces = lineament.track(frame, 0);
  const before = memory.buffer.byteLength;
  const others = [];
  while (memory.buffer.byteLength === before) others.push(await Lineament.create());
  copyNow();
  assert.equal((await faces).length, 1);
  others.forEach((each) => each.free());
});

test('what was asked before free is answered, what is asked later is refused', async () => {
  const lineament = await Lineament.create();
  const { frame, copyNow } = lateFrame(portrait);
  const asked = [lineament.track(frame, 0), lineament.faces(portrait)];
  lineament.free();
  await assert.rejects(lineament.faces(portrait), /this Lineament was freed/);
  copyNow();
  assert.deepEqual((await Promise.all(asked)).map((faces) => faces.length), [1, 1]);
  assert.throws(() => lineament.reset(), /this Lineament was freed/);
  assert.throws(() => (lineament.smoothing = 1), /this Lineament was freed/);
});

test('reset forgets the frames before it, and only those', async () => {
  const lineament = await Lineament.create();
  const frames = [lineament.track(portrait, 0)];
  lineament.reset();
  frames.push(lineament.track(portrait, 33));
  assert.deepEqual((await Promise.all(frames)).map(([{ id }]) => id), [1, 1]);
  assert.equal(lineament.searched, true, 'a frame after a reset is searched, however soon it comes');
});

test('smoothing changes for the frames after it, and only for those', async () => {
  const lineament = await Lineament.create({ smoothing: 1 });
  const frames = [lineament.track(portrait, 0), lineament.track(moved(portrait, 2), 33)];
  lineament.smoothing = false;
  frames.push(lineament.track(portrait, 66));
  const isSmoothed = ([{ face, raw }]) => JSON.stringify(face.landmarks.points) !== JSON.stringify(raw.points);
  assert.deepEqual((await Promise.all(frames)).map(isSmoothed), [false, true, false], 'the first has none before it');
});

test('points and searched tell about the call that was just answered, not about those that wait', async () => {
  const lineament = await Lineament.create();
  const images = [0, 8, 16].map((pixels) => moved(portrait, pixels));
  await Promise.all(images.map(async (image, i) => {
    const [{ face }] = await lineament.track(image, 33 * i);
    assert.equal(lineament.searched, i === 0);
    assert.equal(lineament.points[60], Math.fround(face.landmarks.points[30].x));
  }));
});

test('a smoothing that is wrong is refused at once, and the one before stays', async () => {
  const lineament = await Lineament.create({ smoothing: 1 });
  await lineament.track(portrait, 0);
  assert.throws(() => (lineament.smoothing = -1), /smoothing\.settleSecs is at least 0 seconds, not -1/);
  const [{ face, raw }] = await lineament.track(moved(portrait, 2), 33);
  assert.notDeepEqual(face.landmarks.points, raw.points);
});

/** The page's worker, in this thread; answers what it posts. */
async function worker() {
  const posted = new Map();
  globalThis.self = globalThis;
  globalThis.postMessage = ({ number, ...answer }) => posted.get(number)(answer);
  await import('../dist/worker.js');
  const wasm = await WebAssembly.compile(readFileSync(new URL('../dist/lineament/lineament.wasm', import.meta.url)));
  let number = 0;
  const ask = (call, argument) => new Promise((resolve) => {
    posted.set(++number, resolve);
    globalThis.onmessage({ data: { number, call, argument } });
  });
  return { ask, wasm };
}

test('the worker answers frames by the networks that were asked for before them', async () => {
  const { ask, wasm } = await worker();
  const frame = () => ({ ...portrait, close() {} });
  const lite = new Uint8Array(readFileSync(`${models}lite/lite.onnx`));
  const answers = await Promise.all([
    ask('configure', { wasm }),
    ask('track', { frame: frame(), timeMs: 0 }),
    ask('configure', { wasm, model: lite }),
    ask('track', { frame: frame(), timeMs: 33 }),
    ask('configure', { wasm, model: new Uint8Array(10) }),
    ask('track', { frame: frame(), timeMs: 66 }),
  ]);
  assert.match(answers[4].error, /not a model file/);
  const [first, second, third] = [1, 3, 5].map((i) => answers[i].result);
  assert.deepEqual([first, second, third].map(({ searched }) => searched), [true, true, false]);
  assert.equal(third.faces.length, 1);
});

test('the time of a search is never negative', async (t) => {
  const { ask, wasm } = await worker();
  await ask('configure', { wasm });
  // A clock by which the points of one face alone take longer than all faces before.
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const { Lineament: Web } = await import('../dist/lineament/lineament.js');
  for (const [name, ms] of [['faces', 30], ['landmarks', 100], ['detect', 20]]) {
    const method = Web.prototype[name];
    t.mock.method(Web.prototype, name, async function (...args) {
      const answer = await method.apply(this, args);
      now += ms;
      return answer;
    });
  }
  const { result } = await ask('photo', { frame: { ...portrait, close() {} } });
  assert.ok(result.searchMs >= 0, `${result.searchMs} ms`);
  assert.ok(result.pointsMs >= 0, `${result.pointsMs} ms`);
});
