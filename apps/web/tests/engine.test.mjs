// The worker as the page sees it, also when it fails.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { Engine } from '../page/engine.js';

let workers;
let kept;

beforeEach(() => {
  workers = [];
  kept = { fetch: globalThis.fetch, compile: WebAssembly.compile };
  globalThis.fetch = async () => ({ ok: true, arrayBuffer: async () => new ArrayBuffer(0) });
  WebAssembly.compile = async () => 'wasm';
  globalThis.Worker = class {
    asked = [];
    constructor() {
      workers.push(this);
    }
    postMessage(message) {
      this.asked.push(message);
    }
    terminate() {
      this.terminated = true;
    }
    answer({ number }, result) {
      this.onmessage({ data: { number, result } });
    }
  };
});
afterEach(() => {
  globalThis.fetch = kept.fetch;
  WebAssembly.compile = kept.compile;
  delete globalThis.Worker;
});

const soon = () => new Promise(setImmediate);

test('an answer that comes after the worker has failed is left aside', async () => {
  const engine = new Engine();
  const [worker] = workers;
  const reset = engine.reset();
  worker.onerror({ message: 'out of memory', preventDefault() {} });
  await assert.rejects(reset, /out of memory/);
  worker.answer(worker.asked[0], 'late');
});

test('a worker that failed is replaced by one with the same networks', async () => {
  const engine = new Engine();
  const configured = engine.configure({ maxFaces: 3 });
  await soon();
  workers[0].answer(workers[0].asked[0], 'topology');
  assert.equal(await configured, 'topology');
  workers[0].onerror({ message: 'out of memory', preventDefault() {} });
  assert.equal(workers[0].terminated, true);
  const reset = engine.reset();
  const [first, second] = workers[1].asked;
  assert.deepEqual([first.call, first.argument, second.call], ['configure', { maxFaces: 3, wasm: 'wasm' }, 'reset']);
  workers[1].answer(second, 'done');
  assert.equal(await reset, 'done');
});

test('faces come with the topology of the networks that found them', async () => {
  const engine = new Engine();
  const [worker] = workers;
  const answer = async (i, result) => {
    await soon();
    worker.answer(worker.asked[i], result); // Each message is a task of its own.
  };
  engine.configure({});
  await answer(0, 'first');
  const before = engine.track('frame', 0);
  engine.configure({ model: 'other' });
  await soon();
  const after = engine.photo('photo');
  await answer(1, { faces: [] });
  await answer(2, 'second');
  await answer(3, { faces: [] });
  assert.deepEqual([await before, await after].map(({ topology }) => topology), ['first', 'second']);
});
