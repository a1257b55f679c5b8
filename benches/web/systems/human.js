// @vladmandic/human: face detector and mesh as for video (the detector rests while a face is followed), nothing else of
// it; TensorFlow's wasm backend, one thread.

import { drawn } from './film.js';

export async function load() {
  const folder = '/benches/web/node_modules/@vladmandic/human/';
  const { Human } = await import(`${folder}dist/human.esm.js`);
  const off = { enabled: false };
  const human = new Human({
    backend: 'wasm',
    wasmPath: '/benches/web/node_modules/@tensorflow/tfjs-backend-wasm/dist/',
    modelBasePath: `${folder}models/`,
    cacheSensitivity: 0, // Every frame is processed, also one that is like the last.
    warmup: 'none',
    filter: off,
    face: { enabled: true, detector: { enabled: true }, mesh: { enabled: true }, iris: off, emotion: off, description: off, attention: off },
    body: off, hand: off, object: off, gesture: off, segmentation: off,
  });
  human.tf?.env?.().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  await human.load();
  return async (frame) => {
    const result = await human.detect(drawn(frame));
    if (result.error) throw new Error(result.error);
    return result.face.length;
  };
}
