// Which frames of a video are processed when processing takes long.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { eachFrame } from '../page/frames.js';

let open;
let video;

beforeEach(() => {
  open = new Set();
  globalThis.VideoFrame = class {
    constructor({ shown }) {
      this.shown = shown;
      open.add(this);
    }
    close() {
      open.delete(this);
    }
  };
  video = {
    readyState: 4,
    srcObject: {},
    shown: 0,
    requestVideoFrameCallback(call) {
      this.call = call;
    },
    show() {
      this.shown++;
      this.call(10 * this.shown, { mediaTime: 0 });
    },
  };
});
afterEach(() => delete globalThis.VideoFrame);

/** A `process` for `eachFrame` that ends when told, and the frames that it was given. */
function processing() {
  const seen = [];
  const process = (frame, timeMs) => new Promise((resolve) => {
    seen.push([frame.shown, timeMs]);
    process.end = async () => {
      frame.close();
      resolve();
      await new Promise(setImmediate);
    };
  });
  return { seen, process };
}

test('a frame that took long is followed at once by the newest, and those between are closed', async () => {
  const { seen, process } = processing();
  eachFrame(video, process);
  for (let i = 0; i < 4; i++) video.show();
  assert.deepEqual(seen, [[1, 10]]);
  assert.equal(open.size, 2, 'the one in work and the newest');
  await process.end();
  assert.deepEqual(seen, [[1, 10], [4, 40]]);
  await process.end();
  assert.equal(open.size, 0);
  video.show();
  assert.deepEqual(seen.at(-1), [5, 50]);
});

test('after a stop no frame is processed and none stays open', async () => {
  const { seen, process } = processing();
  const stop = eachFrame(video, process);
  video.show();
  video.show();
  stop();
  await process.end();
  video.show();
  assert.equal(seen.length, 1);
  assert.equal(open.size, 0);
});
