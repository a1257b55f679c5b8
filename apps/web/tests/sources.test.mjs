// The package in Chromium: every kind of image, in a page and in a worker, compared with the program's points.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { browser, farthest, film, native, out, readFilm, serve, talking, testdata } from './helpers.mjs';

let chromium, server, page;

before(async () => {
  [chromium, server] = await Promise.all([browser(), serve()]);
  page = await open();
});
after(async () => {
  await chromium?.close();
  server?.stop();
});

/** A page of the server, which may load the package and the files of `tests`. */
async function open(files = {}) {
  const context = await chromium.newContext({ serviceWorkers: 'block' });
  const page = await context.newPage();
  for (const [name, body] of Object.entries(files)) await page.route(`**/tests/${name}`, (route) => route.fulfill({ body }));
  await page.goto(server.address);
  return page;
}

/** The page's photo as this browser decodes it: decoders of JPEG differ by a grey level here and there. Answers a file. */
async function decoded(page, name) {
  const bytes = await page.evaluate(async () => {
    const bitmap = await createImageBitmap(await (await fetch('tests/photo')).blob());
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext('2d').drawImage(bitmap, 0, 0);
    return [...new Uint8Array(await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer())];
  });
  writeFileSync(`${out}${name}.png`, Uint8Array.from(bytes));
  return `${out}${name}.png`;
}

test('frames of a camera have the points of the program', async () => {
  const file = film(talking(), 20);
  const { width, height, fps, frames } = readFilm(file);
  const expected = native(file);
  const page = await open({ film: Buffer.concat(frames) });
  const found = await page.evaluate(async ({ width, height, fps, bytes }) => {
    const { Lineament } = await import('./lineament/lineament.js');
    const film = await (await fetch('tests/film')).arrayBuffer();
    const lineament = await Lineament.create();
    const found = [];
    for (let i = 0; (i + 1) * bytes <= film.byteLength; i++) {
      const options = { format: 'I420', codedWidth: width, codedHeight: height, timestamp: (1e6 * i) / fps };
      const frame = new VideoFrame(new Uint8Array(film, i * bytes, bytes), options);
      found.push(await lineament.track(frame, (1000 * i) / fps));
      frame.close();
    }
    return found;
  }, { width, height, fps, bytes: frames[0].length });
  assert.equal(found.length, expected.length);
  for (const [i, faces] of found.entries()) {
    assert.deepEqual(faces.map(({ id }) => id), expected[i].faces.map(({ id }) => id), `frame ${i}`);
    for (const [k, { face }] of faces.entries()) {
      const distance = farthest(face.landmarks.points, expected[i].faces[k].points);
      assert.ok(distance < 0.1, `frame ${i}: ${distance} pixels apart`);
    }
  }
});

test('every kind of image has the points of the program', async () => {
  const page = await open({ photo: readFileSync(`${testdata}astronaut.jpg`) });
  const [expected] = native(await decoded(page, 'astronaut'));
  const [otherDecoder] = native(`${testdata}astronaut.jpg`);
  assert.ok(farthest(expected.faces[0].points.map(([x, y]) => ({ x, y })), otherDecoder.faces[0].points) < 1);
  const found = await page.evaluate(async () => {
    const { Lineament } = await import('./lineament/lineament.js');
    const lineament = await Lineament.create();
    const blob = await (await fetch('tests/photo')).blob();
    const bitmap = await createImageBitmap(blob);
    const { width, height } = bitmap;
    const drawn = (canvas) => {
      [canvas.width, canvas.height] = [width, height];
      const context = canvas.getContext('2d');
      context.drawImage(bitmap, 0, 0);
      return [canvas, context.getImageData(0, 0, width, height)];
    };
    const [canvas, imageData] = drawn(document.createElement('canvas'));
    const [offscreen] = drawn(new OffscreenCanvas(1, 1));
    const img = new Image();
    img.src = URL.createObjectURL(blob);
    await img.decode();
    const planes = Object.fromEntries(['RGBA', 'RGBX', 'BGRA', 'BGRX'].map((format) => {
      const data = imageData.data.slice();
      if (format.startsWith('B')) for (let i = 0; i < data.length; i += 4) [data[i], data[i + 2]] = [data[i + 2], data[i]];
      return [format, new VideoFrame(data, { format, codedWidth: width, codedHeight: height, timestamp: 0 })];
    }));
    const cropped = new VideoFrame(planes.RGBA, { visibleRect: { x: 64, y: 0, width: 384, height: 384 } });
    const sources = { bitmap, canvas, offscreen, img, imageData, ...planes, cropped };
    const found = {};
    for (const [name, source] of Object.entries(sources)) found[name] = (await lineament.faces(source))[0]?.landmarks.points;
    found.cropped = found.cropped.map(({ x, y }) => ({ x: x + 64, y }));
    // Without VideoFrame, as in older browsers.
    const { VideoFrame: kept } = globalThis;
    globalThis.VideoFrame = undefined;
    for (const name of ['bitmap', 'canvas', 'offscreen', 'img']) found[`${name}, drawn`] = (await lineament.faces(sources[name]))[0]?.landmarks.points;
    globalThis.VideoFrame = kept;
    return found;
  });
  for (const [name, points] of Object.entries(found)) {
    assert.ok(points, `${name}: no face`);
    // Cropped, the detector sees the face in another size.
    const most = name === 'cropped' ? 2 : 0.1;
    const distance = farthest(points, expected.faces[0].points);
    assert.ok(distance < most, `${name}: ${distance} pixels apart`);
  }
});

test('a video that plays has a face, one that does not yet play says so', async () => {
  const expected = native(`${testdata}video/face.mp4`);
  const page = await open({ video: readFileSync(`${testdata}video/face.mp4`) });
  const found = await page.evaluate(async () => {
    const { Lineament } = await import('./lineament/lineament.js');
    const video = document.createElement('video');
    const lineament = await Lineament.create({ smoothing: false });
    const early = await lineament.track(video).catch((error) => error.message);
    video.src = URL.createObjectURL(await (await fetch('tests/video')).blob());
    video.muted = true;
    await video.play();
    await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
    return { early, faces: await lineament.faces(video), size: [video.videoWidth, video.videoHeight] };
  });
  assert.match(found.early, /no frame yet/);
  assert.deepEqual(found.size, [expected[0].width, expected[0].height]);
  assert.equal(found.faces.length, expected[0].faces.length);
});

test('a worker has them as well', async () => {
  const page = await open({ photo: readFileSync(`${testdata}two_faces.jpg`) });
  const [expected] = native(await decoded(page, 'two_faces'));
  const worker = `
    import { Lineament } from '/lineament/lineament.js';
    onmessage = async ({ data }) => postMessage(await (await Lineament.create()).faces(data));`;
  await page.route('**/tests/worker.js', (route) => route.fulfill({ body: worker, contentType: 'text/javascript',
    headers: { 'Cross-Origin-Embedder-Policy': 'require-corp' } }));
  const found = await page.evaluate(async () => {
    const worker = new Worker('tests/worker.js', { type: 'module' });
    const frame = new VideoFrame(await createImageBitmap(await (await fetch('tests/photo')).blob()), { timestamp: 0 });
    worker.postMessage(frame, [frame]);
    return new Promise((resolve, reject) => Object.assign(worker, { onmessage: ({ data }) => resolve(data), onerror: reject }));
  });
  assert.equal(found.length, 2);
  for (const [i, { landmarks }] of found.entries()) assert.ok(farthest(landmarks.points, expected.faces[i].points) < 0.1);
});

test('a picture without a face is no error', async () => {
  const counts = await page.evaluate(async () => {
    const { Lineament } = await import('./lineament/lineament.js');
    const lineament = await Lineament.create();
    const canvas = new OffscreenCanvas(320, 240);
    canvas.getContext('2d').fillRect(0, 0, 320, 240);
    return [(await lineament.faces(canvas)).length, (await lineament.track(canvas, 0)).length, (await lineament.detect(canvas)).length];
  });
  assert.deepEqual(counts, [0, 0, 0]);
});

/** Ten minutes at 30 frames a second; fewer say less. */
const FRAMES = Number(process.env.FRAMES ?? 18_000);

test(`${FRAMES} frames leak nothing`, { timeout: 900_000 }, async () => {
  const { width, height, frames } = readFilm(film(`${testdata}video/face.mp4`, 24));
  const page = await open({ film: Buffer.concat(frames) });
  const session = await page.context().newCDPSession(page);
  await page.evaluate(async ({ width, height, bytes }) => {
    const { Lineament, load } = await import('./lineament/lineament.js');
    const film = await (await fetch('tests/film')).arrayBuffer();
    const lineament = await Lineament.create();
    const { memory } = await load();
    let i = 0;
    globalThis.follow = async (count) => {
      const begin = performance.now();
      let faces = 0;
      for (const end = i + count; i < end; i++) {
        const at = (i % (film.byteLength / bytes)) * bytes;
        const frame = new VideoFrame(new Uint8Array(film, at, bytes), { format: 'I420', codedWidth: width, codedHeight: height, timestamp: 0 });
        faces += (await lineament.track(frame, (i * 1000) / 30)).length;
        frame.close();
      }
      return { faces, wasm: memory.buffer.byteLength, ms: (performance.now() - begin) / count };
    };
  }, { width, height, bytes: frames[0].length });
  const heap = async () => {
    await session.send('HeapProfiler.collectGarbage');
    return (await session.send('Runtime.getHeapUsage')).usedSize;
  };
  const first = await page.evaluate(() => follow(500));
  const heapBefore = await heap();
  const rest = await page.evaluate((count) => follow(count), FRAMES - 500);
  const heapAfter = await heap();
  console.log(`${FRAMES} frames, ${rest.ms.toFixed(2)} ms each; wasm ${first.wasm} then ${rest.wasm} bytes; heap ${heapBefore} then ${heapAfter}`);
  assert.ok(rest.faces > 0.9 * (FRAMES - 500), `${rest.faces} faces`);
  assert.equal(rest.wasm, first.wasm);
  assert.ok(heapAfter - heapBefore < 200_000);
});
