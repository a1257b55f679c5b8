// Runs the networks away from the page, so that the page never waits for them.

import { Lineament } from './lineament/lineament.js';

let lineament;

const answers = {
  /** Makes networks ready; what was there stays when that fails. */
  async configure(options) {
    const next = await Lineament.create(options);
    if (!lineament) await warmUp(next);
    lineament?.free();
    lineament = next;
    return { outlines: Lineament.outlines, triangles: Lineament.triangles };
  },

  smooth({ smoothing }) {
    lineament.smoothing = smoothing;
  },

  reset() {
    lineament.reset();
  },

  /** A frame of a video; closes it. */
  async track({ frame, timeMs }) {
    const begin = performance.now();
    try {
      const faces = await lineament.track(frame, timeMs);
      return { faces, searched: lineament.searched, ms: performance.now() - begin };
    } finally {
      frame.close();
    }
  },

  /** A photo; closes it. */
  async photo({ frame }) {
    const begin = performance.now();
    try {
      const faces = await lineament.faces(frame);
      const found = performance.now();
      if (faces.length) await lineament.landmarks(frame, faces[0].detection); // Once more, for its time.
      const pointsMs = performance.now() - found;
      return { faces, pointsMs, searchMs: found - begin - faces.length * pointsMs };
    } finally {
      frame.close();
    }
  },
};

/** Browsers compile code when it first runs: here while the camera opens, not with its first frame. */
async function warmUp(lineament) {
  const grey = { data: new Uint8Array(64 * 64), width: 64, height: 64, format: 'grey' };
  await lineament.detect(grey);
  await lineament.landmarks(grey, { x: 16, y: 16, width: 32, height: 32 });
}

self.onmessage = async ({ data: { number, call, argument } }) => {
  try {
    postMessage({ number, result: await answers[call](argument) });
  } catch (error) {
    postMessage({ number, error: error.message });
  }
};
