// @mediapipe/tasks-vision: its face landmarker as for video (the detector rests while a face is followed), 478 points, on the
// processor. Its model is not in the package: run.mjs says how to get it.

import { drawn } from './film.js';

export async function load() {
  const { FaceLandmarker, FilesetResolver } = await import('/benches/web/node_modules/@mediapipe/tasks-vision/vision_bundle.mjs');
  const files = await FilesetResolver.forVisionTasks('/benches/web/node_modules/@mediapipe/tasks-vision/wasm');
  const landmarker = await FaceLandmarker.createFromOptions(files, {
    baseOptions: { modelAssetPath: '/benches/web/face_landmarker.task', delegate: 'CPU' },
    runningMode: 'VIDEO',
    numFaces: 4,
  });
  let last = 0;
  return async (frame, timeMs) => {
    last = Math.max(timeMs, last + 1); // It refuses the same moment twice.
    return landmarker.detectForVideo(drawn(frame), last).faceLandmarks.length;
  };
}
