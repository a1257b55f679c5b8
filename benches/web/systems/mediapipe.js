// @mediapipe/face_mesh, the last package that holds its own models. It draws with WebGL, which is
// software here: on a graphics card it is faster than this.

import { drawn } from './film.js';

export async function load() {
  const folder = '/benches/web/node_modules/@mediapipe/face_mesh/';
  await new Promise((resolve, reject) => {
    document.head.append(Object.assign(document.createElement('script'), { src: `${folder}face_mesh.js`, onload: resolve, onerror: reject }));
  });
  const mesh = new FaceMesh({ locateFile: (name) => folder + name });
  mesh.setOptions({ maxNumFaces: 4, refineLandmarks: false });
  let faces = 0;
  mesh.onResults((results) => (faces = results.multiFaceLandmarks?.length ?? 0));
  await mesh.initialize();
  return async (frame) => {
    await mesh.send({ image: drawn(frame) });
    return faces;
  };
}
