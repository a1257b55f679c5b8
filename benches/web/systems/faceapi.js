// @vladmandic/face-api: its tiny detector and tiny 68 points, TensorFlow's wasm backend, one thread.

import { drawn } from './film.js';

export async function load() {
  const folder = '/benches/web/node_modules/@vladmandic/face-api/';
  const faceapi = await import(`${folder}dist/face-api.esm.js`);
  faceapi.tf.setWasmPaths('/benches/web/node_modules/@tensorflow/tfjs-backend-wasm/dist/');
  faceapi.tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  await faceapi.tf.setBackend('wasm');
  await faceapi.tf.ready();
  await faceapi.nets.tinyFaceDetector.load(`${folder}model/`);
  await faceapi.nets.faceLandmark68TinyNet.load(`${folder}model/`);
  const options = new faceapi.TinyFaceDetectorOptions({ inputSize: 320 });
  return async (frame) => (await faceapi.detectAllFaces(drawn(frame), options).withFaceLandmarks(true)).length;
}
