// The package in Node: points like the program's, plain errors, sizes, types.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';

import { Lineament } from '../dist/lineament/node.js';
import { dist, farthest, film, models, native, out, readFilm, talking, testdata } from './helpers.mjs';

test('a video in Node has the points of the program', async () => {
  const file = film(talking(), 20);
  const { width, height, fps, frames } = readFilm(file);
  const expected = native(file);
  const lineament = await Lineament.create();
  for (const [i, data] of frames.entries()) {
    const faces = await lineament.track({ data, width, height, format: 'grey' }, (1000 * i) / fps);
    assert.equal(faces.length, expected[i].faces.length, `frame ${i}`);
    for (const [k, { id, face, raw }] of faces.entries()) {
      const { points, errors, score } = face.landmarks;
      assert.equal(id, expected[i].faces[k].id);
      const distance = farthest(points, expected[i].faces[k].points);
      assert.ok(distance < 0.1, `frame ${i}: ${distance} pixels apart`);
      assert.deepEqual([...lineament.points.subarray(136 * k, 136 * k + 4)], [points[0].x, points[0].y, points[1].x, points[1].y]);
      assert.ok(errors.length === 68 && score > 0.5 && raw.points.length === 68);
    }
  }
  lineament.free();
});

test('the stages alone say the same as all together', async () => {
  const { width, height, frames } = readFilm(film(`${testdata}two_faces.jpg`, 1));
  const image = { data: frames[0], width, height, format: 'grey' };
  const lineament = await Lineament.create();
  const faces = await lineament.faces(image);
  const detections = await lineament.detect(image);
  assert.equal(faces.length, 2);
  for (const { detection, landmarks } of faces) {
    assert.ok(detections.some((each) => JSON.stringify(each) === JSON.stringify(detection)));
    assert.deepEqual(await lineament.landmarks(image, detection), landmarks);
    const { x, y, width, height } = detection.rect;
    const upright = await lineament.landmarks(image, { x, y, width, height });
    assert.ok(Math.hypot(upright.points[30].x - landmarks.points[30].x, upright.points[30].y - landmarks.points[30].y) < 3);
  }
  const few = await Lineament.create({ maxFaces: 1 });
  assert.equal((await few.faces(image)).length, 1);
});

test('calls that overlap are answered as if one waited for the other', async () => {
  const films = [film(`${testdata}two_faces.jpg`, 1), film(`${testdata}astronaut.jpg`, 1)].map(readFilm);
  const [two, one] = films.map(({ width, height, frames }) => ({ data: frames[0], width, height, format: 'grey' }));
  const lineament = await Lineament.create();
  const found = await Promise.all([two, one, two, one].map((image) => lineament.faces(image)));
  assert.deepEqual(found.map((faces) => faces.length), [2, 1, 2, 1]);
  assert.deepEqual(found[0], found[2]);
});

test('what is wrong is said plainly, and the next call works', async () => {
  const read = (name) => readFileSync(`${models}${name}`);
  for (const [options, words] of [
    [{ model: new Uint8Array(100) }, /not a model file/],
    [{ model: read('lite/lite.onnx').subarray(0, 5000) }, /damaged model file/],
    [{ model: read('detector/detector.onnx') }, /wrong model: expected the role `landmarks`, the file says `detector`/],
    [{ model: 'not-there.onnx' }, /not-there\.onnx/],
  ]) {
    await assert.rejects(Lineament.create(options), words);
  }
  const lineament = await Lineament.create({ model: `${models}lite/lite.onnx`, detector: pathToFileURL(`${models}detector/detector.onnx`), smoothing: false });
  const grey = { data: new Uint8Array(64 * 48), width: 64, height: 48, format: 'grey' };
  for (const [image, words] of [
    [{ ...grey, width: 65 }, /65x48 Grey with a stride of 65 does not fit in 3072 bytes/],
    [{ ...grey, height: 0 }, /64x0 has no pixels/],
    [{ ...grey, format: 'yuv' }, /format is grey, rgb, rgba or bgra, not yuv/],
    ['photo.jpg', /an image is a VideoFrame, video, canvas, .* not String/],
    [read('lite/lite.onnx'), /\{ data, width, height, format \} with decoded bytes as data, not Uint8Array/],
    [undefined, /not Undefined/],
  ]) {
    await assert.rejects(lineament.track(image), words);
  }
  await assert.rejects(lineament.landmarks(grey), /landmarks needs a box/);
  assert.deepEqual(await lineament.track(grey), []);
  lineament.free();
  lineament.free();
  await assert.rejects(lineament.track(grey), /freed/);
});

test('the package is small', () => {
  const sizes = Object.fromEntries(['lineament.js', 'node.js', 'lineament.wasm'].map((name) => {
    const bytes = readFileSync(`${dist}lineament/${name}`);
    return [name, [bytes.length, gzipSync(bytes, { level: 9 }).length]];
  }));
  console.log('bytes, and gzipped:', sizes);
  assert.ok(sizes['lineament.js'][0] + sizes['node.js'][0] <= 15_000);
  assert.ok(sizes['lineament.wasm'][1] <= MOST_WASM_BYTES);
});

/** Gzipped, both models included, which take 1,007,000. */
const MOST_WASM_BYTES = 1_500_000;

test('the types fit their use', () => {
  const file = `${out}use.ts`;
  writeFileSync(file, `
    import { Lineament, type Source, type Topology, type TrackedFace } from '../../dist/lineament/lineament.js';
    export async function use(video: HTMLVideoElement, frame: VideoFrame, file: File, canvas: OffscreenCanvas): Promise<number> {
      const lineament: Lineament = await Lineament.create({ model: file, maxFaces: 2, smoothing: false });
      await Lineament.create({ minFace: 40, detectorThreshold: 0.4, faceThreshold: 0.8, refine: false,
        smoothing: { settleSecs: 0.1, tolerance: 0.1 }, searchEverySecs: 0.5, rememberSecs: 2 });
      const sources: Source[] = [video, frame, canvas, { data: new Uint8Array(1), width: 1, height: 1, format: 'grey' }];
      const faces: TrackedFace[] = await lineament.track(sources[0], performance.now());
      lineament.smoothing = 0.1;
      const mouth: number = (faces[0].face.expression?.mouthOpen ?? 0) + faces[0].face.box.width;
      const [detection] = await lineament.detect(canvas);
      const { pose, points } = await lineament.landmarks(canvas, detection);
      const topology: Topology = lineament.topology;
      const drawn = topology.outlines.map(({ points, closed, colour, part }) => [topology.points[points[0]], closed, colour ?? part]);
      // @ts-expect-error: a topology need not offer a pose
      pose.rollRad;
      // @ts-expect-error: which points there are is no fact about all networks
      Lineament.outlines;
      return faces[0].face.landmarks.errors[30] + (pose?.yawRad ?? 0) + (detection.points?.[0] ?? points[0]).x + lineament.points[0] +
        mouth + drawn.length + topology.triangles[0] + topology.mirror[0];
    }
    // @ts-expect-error: there is no such option
    Lineament.create({ models: 'x' });
    // @ts-expect-error: true is no time
    Lineament.create({ smoothing: true });
  `);
  const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
  execFileSync(process.execPath, [tsc, '--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--moduleResolution',
    'nodenext', '--lib', 'es2022,dom', file], { stdio: 'inherit' });
});
