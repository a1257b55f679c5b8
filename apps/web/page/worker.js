// Runs the networks away from the page, so that the page never waits for them.

import { Lineament } from './lineament/lineament.js';

let lineament;

const answers = {
  /** Makes networks ready; the ones from before stay when that fails. */
  async configure(options) {
    const next = await Lineament.create(options);
    if (!lineament) await warmUp(next);
    lineament?.free();
    lineament = next;
    return lineament.topology;
  },

  smooth({ smoothing }) {
    lineament.smoothing = smoothing;
  },

  reset() {
    lineament.reset();
  },

  /** A frame of a video; closes it. */
  async track({ frame, timeMs }) {
    try {
      const { answer: faces, ms } = await timed(() => lineament.track(frame, timeMs));
      return { faces, searched: lineament.searched, ms };
    } finally {
      frame.close();
    }
  },

  /** A photo; closes it. What its parts take is measured by doing them again. */
  async photo({ frame }) {
    try {
      const { answer: faces, ms } = await timed(() => lineament.faces(frame));
      const { ms: searchMs } = await timed(() => lineament.detect(frame));
      const points = faces.length > 0 && await timed(() => lineament.landmarks(frame, faces[0].detection));
      return { faces, ms, searchMs, pointsMs: points ? points.ms : undefined };
    } finally {
      frame.close();
    }
  },
};

async function timed(call) {
  const begin = performance.now();
  const answer = await call();
  return { answer, ms: performance.now() - begin };
}

/** Browsers compile code when it first runs: here while the camera opens, not with its first frame. */
async function warmUp(lineament) {
  const grey = { data: new Uint8Array(64 * 64), width: 64, height: 64, format: 'grey' };
  await lineament.detect(grey);
  await lineament.landmarks(grey, { x: 16, y: 16, width: 32, height: 32 });
}

/** Calls are answered one after another: none sees the networks that a later one asks for. */
let last = Promise.resolve();

self.onmessage = ({ data: { number, call, argument } }) => {
  last = last.then(async () => {
    try {
      postMessage({ number, result: await answers[call](argument) });
    } catch (error) {
      postMessage({ number, error: error.message });
    }
  });
};
