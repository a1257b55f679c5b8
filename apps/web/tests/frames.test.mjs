// Which frames of a video are looked at when looks take long.

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

/** Looks that end when told. */
function looks() {
  const seen = [];
  const look = (frame, timeMs) => new Promise((resolve) => {
    seen.push([frame.shown, timeMs]);
    look.end = async () => {
      frame.close();
      resolve();
      await new Promise(setImmediate);
    };
  });
  return { seen, look };
}

test('after a long look comes the newest frame at once, and what it replaced is closed', async () => {
  const { seen, look } = looks();
  eachFrame(video, look);
  for (let i = 0; i < 4; i++) video.show();
  assert.deepEqual(seen, [[1, 10]]);
  assert.equal(open.size, 2, 'the one looked at and the newest');
  await look.end();
  assert.deepEqual(seen, [[1, 10], [4, 40]]);
  await look.end();
  assert.equal(open.size, 0);
  video.show();
  assert.deepEqual(seen.at(-1), [5, 50]);
});

test('when it is stopped, no frame is looked at and none stays open', async () => {
  const { seen, look } = looks();
  const stop = eachFrame(video, look);
  video.show();
  video.show();
  stop();
  await look.end();
  video.show();
  assert.equal(seen.length, 1);
  assert.equal(open.size, 0);
});
