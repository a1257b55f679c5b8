// Networks that place other points than the iBUG 68: three corners, within what a detector of white dots finds. The files
// in `fixtures` are written by crates/lineament-web/src/fixtures.rs.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import { Lineament } from '../dist/lineament/node.js';
import { csvHeader, csvRows, frameRecord, photoLine, pts } from '../dist/formats.js';
import { dotPicture, fixtures, readPgm, testdata } from './helpers.mjs';

const triangle = { model: `${fixtures}triangle.onnx` };
const dots = { detector: `${fixtures}dots.onnx` };
const portrait = readPgm(`${testdata}golden/portrait.pgm`);

/** The answer is known: the box of 40 pixels around the dot, and its corners. */
const picture = dotPicture(164, 100);
const BOX = { x: 144, y: 80, width: 40, height: 40 };
const CORNERS = [{ x: 144, y: 80 }, { x: 184, y: 80 }, { x: 164, y: 120 }];

const near = (found, expected) => {
  assert.deepEqual(Object.keys(found), Object.keys(expected));
  for (const [key, value] of Object.entries(expected)) assert.ok(Math.abs(found[key] - value) < 0.02, `${key}: ${found[key]}, ${value}`);
};

function assertTriangle({ points, errors, score, pose }) {
  assert.equal(points.length, 3);
  points.forEach((point, i) => near(point, CORNERS[i]));
  errors.forEach((error) => assert.ok(Math.abs(error - 0.05 * 27) < 0.01, `${error}`)); // The crop is 54 wide.
  assert.deepEqual([errors.length, score, pose], [3, 1, null]);
}

test('the topology is that of the model file', async () => {
  const lineament = await Lineament.create(triangle);
  const { topology } = lineament;
  assert.deepEqual(topology, {
    name: 'triangle',
    points: ['right_top', 'left_top', 'bottom'],
    outlines: [
      { name: 'rim', points: [0, 1, 2], closed: true, colour: null, part: 0 },
      { name: 'top', points: [1, 0], closed: false, colour: '#12abef', part: 0 },
    ],
    mirror: [1, 0, 2],
    triangles: new Uint16Array(),
  });
  lineament.free();
  assert.equal(lineament.topology, topology, 'it stays when the memory is gone');
});

test('the network inside has the iBUG 68 points, nine outlines and a mesh', async () => {
  const { topology: { name, points, outlines, mirror, triangles } } = await Lineament.create(dots);
  assert.deepEqual([name, points.length, points[30], mirror[36], mirror[30]], ['ibug68', 68, 'nose_bridge_3', 45, 30]);
  assert.deepEqual(outlines.map(({ points, closed, part }) => [points[0], points.length, closed, part]), [
    [0, 17, false, 0], [17, 5, false, 1], [22, 5, false, 1], [27, 4, false, 2], [31, 5, false, 2],
    [36, 6, true, 3], [42, 6, true, 3], [48, 12, true, 4], [60, 8, true, 4],
  ]);
  assert.deepEqual(outlines.map(({ colour }) => colour), [...Array(8).fill(null), '#ff9baa']);
  assert.deepEqual(outlines.flatMap(({ points }) => points), points.map((_, i) => i));
  assert.ok(triangles.length > 100 && triangles.length % 3 === 0 && Math.max(...triangles) === 67);
});

test('faces have the points of the network, and no pose and expression where it offers none', async () => {
  const lineament = await Lineament.create({ ...triangle, ...dots, refine: false });
  const [{ box, detection, landmarks, expression }, ...others] = await lineament.faces(picture);
  assert.deepEqual(others, []);
  near(box, BOX);
  near(detection.rect, BOX);
  assert.deepEqual([detection.points, expression], [null, null]);
  assertTriangle(landmarks);
  assert.deepEqual([...lineament.points], landmarks.points.flatMap(({ x, y }) => [x, y]));
  const [found] = await lineament.detect(picture);
  assert.deepEqual(found, detection);
  assert.deepEqual(await lineament.landmarks(picture, found), landmarks);
  assert.deepEqual(await lineament.landmarks(picture, found.rect), landmarks);
});

test('an object without five points is followed', async () => {
  const lineament = await Lineament.create({ ...triangle, ...dots, refine: false });
  for (let i = 0; i < 20; i++) {
    const [{ id, face, raw }, ...others] = await lineament.track(picture, 33 * i);
    assert.deepEqual([id, others.length, face.expression, face.detection.points], [1, 0, null, null], `frame ${i}`);
    assertTriangle(face.landmarks);
    assertTriangle(raw);
  }
});

test('each array of points is as long as its own network wants', async () => {
  const [own, inside] = [await Lineament.create({ ...triangle, maxFaces: 4 }), await Lineament.create()];
  await Promise.all([own.faces(portrait), inside.faces(portrait)]);
  assert.deepEqual([own.points.length, inside.points.length], [4 * 6, 136]);
  const [{ landmarks, expression, detection }] = await own.faces(portrait);
  assert.equal(detection.points.length, 5, 'the detector inside has five');
  assert.deepEqual([landmarks.points.length, landmarks.pose, expression], [3, null, null]);
  assert.equal((await inside.faces(portrait))[0].landmarks.points[30].x, inside.points[60]);
});

test('files are written with names, and without what is not there', async () => {
  const lineament = await Lineament.create({ ...triangle, ...dots, refine: false });
  const { topology } = lineament;
  const faces = (await lineament.faces(picture)).map((face) => ({ id: 7, face }));
  const answer = { name: 'a.png', width: 320, height: 320, ms: 1, faces, topology };
  const [record] = JSON.parse(photoLine(answer)).faces;
  assert.deepEqual(Object.keys(record), ['box', 'score', 'topology', 'names', 'points', 'errors', 'detection']);
  assert.deepEqual([record.topology, record.names], ['triangle', topology.points]);
  assert.deepEqual(Object.keys(record.detection), ['box', 'score']);
  const columns = csvHeader(topology).trim().split(',');
  assert.deepEqual(columns.slice(-9), topology.points.flatMap((name) => ['x', 'y', 'error'].map((what) => `${name}_${what}`)));
  const row = csvRows(frameRecord({ ...answer, frame: 3, secs: 0.1 })).trim().split(',');
  assert.equal(row.length, columns.length);
  const roll = columns.indexOf('roll');
  assert.deepEqual(row.slice(roll - 1, roll + 4), ['1', '', '', '', '144']);
  assert.match(pts(faces[0].face), /^version: 1\nn_points: 3\n\{\n(\d+\.\d{3} \d+\.\d{3}\n){3}\}\n$/);
});

test('a file for the other network is refused', async () => {
  await assert.rejects(Lineament.create({ detector: triangle.model }), /expected the role `detector`, the file says `landmarks`/);
  await assert.rejects(Lineament.create({ model: dots.detector }), /expected the role `landmarks`, the file says `detector`/);
  const cut = readFileSync(triangle.model).subarray(0, 900);
  await assert.rejects(Lineament.create({ model: cut }), /damaged model file/);
});
