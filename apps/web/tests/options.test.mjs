// The options of `Lineament.create`: what each does, and what is said where one is wrong.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import { Lineament } from '../dist/lineament/node.js';
import { dist, readPgm, testdata } from './helpers.mjs';

const portrait = readPgm(`${testdata}golden/portrait.pgm`);
const blank = { ...portrait, data: new Uint8Array(portrait.data.length).fill(128) };

test('an option that is wrong is refused by its name', async () => {
  for (const [options, words] of [
    [{ minFace: 0.5 }, 'minFace is at least 1 pixel, not 0.5'],
    [{ minFace: NaN }, 'minFace is at least 1 pixel, not NaN'],
    [{ minFace: '20' }, 'minFace is a number, not "20"'],
    [{ maxFaces: 0 }, 'maxFaces is a whole number from 1, not 0'],
    [{ maxFaces: 1.5 }, 'maxFaces is a whole number from 1, not 1.5'],
    [{ maxFaces: Infinity }, 'maxFaces is a whole number from 1, not inf'],
    [{ detectorThreshold: 1.5 }, 'detectorThreshold is from 0 to 1, not 1.5'],
    [{ faceThreshold: -1 }, 'faceThreshold is from 0 to 1, not -1'],
    [{ faceThreshold: null }, 'faceThreshold is a number, not null'],
    [{ refine: 1 }, 'refine is a boolean, not 1'],
    [{ searchEverySecs: -1 }, 'searchEverySecs is at least 0 seconds, not -1'],
    [{ rememberSecs: Infinity }, 'rememberSecs is at least 0 seconds, not inf'],
    [{ smoothing: -1 }, 'smoothing.settleSecs is at least 0 seconds, not -1'],
    [{ smoothing: { tolerance: 0 } }, 'smoothing.tolerance is above 0, not 0'],
    [{ smoothing: { settleSecs: '1' } }, 'smoothing.settleSecs is a number, not "1"'],
    [{ smoothing: { secs: 1 } }, 'there is no option smoothing.secs, only settleSecs, tolerance'],
    [{ smoothing: true }, 'smoothing is seconds, { settleSecs, tolerance }, or false, not true'],
    [{ models: 'x' }, 'there is no option models, only '],
  ]) {
    await assert.rejects(Lineament.create(options), ({ message }) => {
      assert.ok(message.startsWith(words), `${JSON.stringify(options)}: ${message}`);
      return true;
    });
  }
});

test('what is undefined keeps its default', async () => {
  const answers = [];
  for (const options of [undefined, {}, { minFace: undefined, faceThreshold: undefined, smoothing: undefined, refine: undefined }]) {
    answers.push(await (await Lineament.create(options)).faces(portrait));
  }
  assert.equal(answers[0].length, 1);
  assert.deepEqual(answers[1], answers[0]);
  assert.deepEqual(answers[2], answers[0]);
});

test('options for finding faces do what they say', async () => {
  const usual = await Lineament.create();
  const [face] = await usual.faces(portrait);
  const [detection] = await usual.detect(portrait);
  const with_ = (options) => Lineament.create(options);
  assert.notDeepEqual(await (await with_({ minFace: 6 })).detect(portrait), [detection], 'the frame is shrunk less');
  assert.deepEqual(await (await with_({ detectorThreshold: 1 })).detect(portrait), []);
  const doubtful = await (await with_({ detectorThreshold: 0.02, faceThreshold: 0 })).faces(portrait);
  const sure = await (await with_({ detectorThreshold: 0.02 })).faces(portrait);
  assert.ok(doubtful.length > sure.length && sure.length === 1, `${doubtful.length} and ${sure.length} faces`);
  const [once] = await (await with_({ refine: false })).faces(portrait);
  assert.deepEqual(once.detection, face.detection);
  assert.notDeepEqual(once.landmarks.points, face.landmarks.points);
});

test('options for following faces do what they say', async () => {
  const ids = async (options) => {
    const lineament = await Lineament.create(options);
    const found = [];
    for (const [timeMs, image] of [[0, portrait], [50, portrait], [100, blank], [400, portrait]]) {
      const faces = await lineament.track(image, timeMs);
      found.push([faces[0]?.id, lineament.searched]);
    }
    return found;
  };
  assert.deepEqual(await ids({}), [[1, true], [1, false], [undefined, true], [1, true]]);
  assert.deepEqual((await ids({ rememberSecs: 0 })).map(([id]) => id), [1, 1, undefined, 2]);
  assert.deepEqual((await ids({ searchEverySecs: 0 })).map(([, searched]) => searched), [true, true, true, true]);
});

test('smoothing takes seconds, or all its options, or is off', async () => {
  const nose = async (smoothing) => {
    const lineament = await Lineament.create({ smoothing });
    await lineament.track(portrait, 0);
    const moved = { ...portrait, data: portrait.data.subarray(2), height: portrait.height - 1, stride: portrait.width };
    const first = { ...portrait, height: portrait.height - 1 };
    lineament.reset();
    await lineament.track(first, 0);
    const [{ face, raw }] = await lineament.track(moved, 33);
    return { x: face.landmarks.points[30].x, raw: raw.points[30].x };
  };
  const [off, seconds, same, longer, tolerant] = await Promise.all(
    [false, 0.2, { settleSecs: 0.2 }, 1, { settleSecs: 0.2, tolerance: 1 }].map(nose));
  assert.equal(off.x, off.raw);
  assert.equal(seconds.x, same.x);
  const [behind, further, more] = [seconds, longer, tolerant].map(({ x }) => Math.abs(x - off.raw));
  assert.ok(behind > 0 && further > behind && more > behind, `${behind}, ${further}, ${more} pixels behind`);
});

test('a face has the box of its points, and tells how far eyes and mouth are open', async () => {
  const [{ box, landmarks: { points }, expression, detection }] = await (await Lineament.create()).faces(portrait);
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-3, `${a}, ${b}`);
  near(box.x, Math.min(...xs));
  near(box.y, Math.min(...ys));
  near(box.x + box.width, Math.max(...xs));
  near(box.y + box.height, Math.max(...ys));
  assert.notDeepEqual(detection.rect, box);
  const { leftEyeOpen, rightEyeOpen, mouthOpen, mouthWidth } = expression;
  for (const eye of [leftEyeOpen, rightEyeOpen]) assert.ok(eye > 0.2 && eye < 0.5, `she has open eyes: ${eye}`);
  assert.ok(mouthOpen > 0.1 && mouthWidth > 0.6, `she laughs: ${mouthOpen}, ${mouthWidth}`);
});

test('the types tell the defaults of the library', () => {
  const types = readFileSync(`${dist}lineament/lineament.d.ts`, 'utf8');
  const told = Object.fromEntries([...types.matchAll(/@default (\S+)\n[^\n]*\n\s*(\w+)\?:/g)].map(([, value, name]) => [name, value]));
  assert.deepEqual(Object.keys(told).sort(), ['detectorThreshold', 'faceThreshold', 'maxFaces', 'minFace', 'refine', 'rememberSecs',
    'searchEverySecs', 'settleSecs', 'tolerance']);
  assert.deepEqual([told.maxFaces, told.minFace, told.refine, told.settleSecs], ['64', 'undefined', 'true', '0.2']);
  assert.doesNotMatch(types, /@rust/);
});
