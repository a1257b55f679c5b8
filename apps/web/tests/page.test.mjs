// The page in Chromium with a film for a camera: what a user sees, does and is told.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import {
  browser, dotPicture, film, fixtures, models, native, nativeLines, OTHER_MACHINE, out, serve, still, talking, testdata,
} from './helpers.mjs';

const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, colorScheme: 'light' };
const DESKTOP = { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' };
/** Machines that test are busy. */
const PATIENCE = { timeout: 60_000 };

let server;
const browsers = new Map();

before(async () => {
  server = await serve();
});
after(async () => {
  for (const chromium of browsers.values()) await (await chromium).close();
  server?.stop();
});

/** A page in a browser with that camera; fails the test at an error that nobody has caught. */
async function open(camera, { query = '', host = 'localhost', script, ...options } = {}) {
  if (!browsers.has(camera)) browsers.set(camera, browser(camera));
  const context = await (await browsers.get(camera)).newContext({ serviceWorkers: 'block', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE.timeout);
  page.on('pageerror', (error) => assert.fail(error));
  if (script) await page.addInitScript(script);
  await page.goto(server.address.replace('localhost', host) + query);
  return page;
}

const photo = film(`${testdata}astronaut.jpg`, 30);
const faces = (page, text) => page.waitForFunction((text) => document.getElementById('faces').textContent === text, text, PATIENCE);
const message = (page) => page.locator('#message').textContent();

/** What is saved when `button` is clicked: its name and its bytes. */
async function saved(page, button) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(button)]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

/** Holds back what the worker answers to `call`, until the page calls `release()`. */
const holdBack = (call) => `
  const held = [];
  const calls = new Map();
  globalThis.heldBack = () => held.length;
  globalThis.release = () => held.shift()();
  globalThis.Worker = class extends Worker {
    postMessage(message, transfer) {
      calls.set(message.number, message.call);
      super.postMessage(message, transfer);
    }
    set onmessage(answer) {
      super.onmessage = (event) => {
        if (calls.get(event.data.number) === '${call}') held.push(() => answer(event));
        else answer(event);
      };
    }
  };`;

/** How many frames the video has shown, and when. */
const shown = (page) => page.evaluate(() => new Promise((resolve) => {
  document.getElementById('picture').requestVideoFrameCallback((now, { presentedFrames }) => resolve({ frames: presentedFrames, secs: now / 1000 }));
}));

/** Records until `frames` frames have come, and answers what is saved. */
async function record(page, frames) {
  await page.click('#record');
  await page.waitForFunction((frames) => Number(document.getElementById('recorded-frames').textContent.split(' ')[0]) >= frames, frames, PATIENCE);
  await page.click('#record');
  const lines = async (button) => (await saved(page, button)).bytes.toString().trim().split('\n');
  return { json: await lines('#save-json'), csv: await lines('#save-csv') };
}

test('the camera shows points, and they are the program\'s', async () => {
  const page = await open(photo);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter'); // The first thing that the keyboard reaches starts.
  await faces(page, '1');
  assert.equal(await page.locator('#status').textContent(), '1 face');
  await page.fill('#smoothing', '0'); // What is smoothed depends on when frames came.
  // Where a still face's crop comes to rest depends on the times of the frames, to the microsecond. In int8 that moves points
  // by up to 0.4 pixels, in f16 by less than 0.1.
  const model = `${models}lite/lite.onnx`;
  await page.setInputFiles('#model-file', model);
  await page.waitForFunction(() => document.getElementById('model-name').textContent === 'lite.onnx');
  await page.waitForTimeout(500);
  const { json, csv } = await record(page, 5);
  const [{ width, height, faces: [ours] }] = json.slice(-1).map(JSON.parse);
  const [{ width: nativeWidth, height: nativeHeight, faces: [theirs] }] = native(photo, '--model', model, '--no-smooth').slice(-1);
  assert.deepEqual([width, height], [nativeWidth, nativeHeight]);
  const distance = Math.max(...ours.points.map(([x, y], i) => Math.hypot(x - theirs.points[i][0], y - theirs.points[i][1])));
  assert.ok(distance < 0.15, `${distance} pixels apart`);
  assert.deepEqual(Object.keys(ours), Object.keys(theirs));
  const header = csv[0].split(',');
  assert.equal(csv.length, json.length + 1);
  const row = csv.at(-1).split(',');
  assert.equal(row.length, header.length);
  assert.deepEqual(['x30', 'y30', 'error30', 'yaw'].map((name) => Number(row[header.indexOf(name)])),
    [...ours.points[30], ours.errors[30], ours.pose.yaw]);
  console.log(`camera: ${await page.locator('#figures').innerText()}`.replaceAll('\n', ' '));
});

test('frames are processed as the camera shows them', async () => {
  for (const camera of [film(talking(), 120), photo]) {
    const page = await open(camera);
    await page.click('#start');
    await faces(page, '1');
    await page.waitForTimeout(2000); // Code that runs often is compiled better.
    const begin = await shown(page);
    const { json } = await record(page, 90);
    const end = await shown(page);
    const times = json.map((line) => JSON.parse(line).time);
    times.forEach((time, i) => assert.ok(i === 0 || time > times[i - 1], `frame ${i} is not newer than the one before`));
    console.log(`${camera.split('/').pop()}: a second has ${((end.frames - begin.frames) / (end.secs - begin.secs)).toFixed(1)} frames shown, ` +
      `${((times.length - 1) / times.at(-1)).toFixed(1)} processed; ` +
      (await page.locator('#figures').innerText()).replaceAll('\n', ' '));
    await page.context().close();
  }
});

test('points are there soon after the page has opened', async () => {
  const page = await open(photo, { query: '?start' });
  await faces(page, '1');
  const ms = await page.evaluate(() => performance.getEntriesByName('first points')[0].startTime);
  console.log(`first points ${Math.round(ms)} ms after the page was opened`);
});

test('the page looks as it should on a phone and on a desk', async () => {
  for (const [name, options] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
    const page = await open(photo, options);
    await page.screenshot({ path: `${out}${name}-start.png` });
    await page.click('#start');
    await faces(page, '1');
    if (name === 'desktop') for (const each of ['Mesh', 'Pose']) await page.locator('#settings').getByText(each, { exact: true }).click();
    await page.waitForTimeout(3000); // Until the figures are those of a page that has run for a while.
    await page.screenshot({ path: `${out}${name}.png` });
    // Nothing sticks out sideways.
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), options.viewport.width);
    await page.context().close();
  }
});

test('with two cameras the other one can be had, and is no mirror', async () => {
  const page = await open(photo);
  await page.evaluate(() => {
    const { mediaDevices } = navigator;
    const list = mediaDevices.enumerateDevices.bind(mediaDevices);
    mediaDevices.enumerateDevices = async () => [...(await list()), { kind: 'videoinput' }];
    const get = mediaDevices.getUserMedia.bind(mediaDevices);
    globalThis.asked = [];
    mediaDevices.getUserMedia = (wanted) => (asked.push(wanted.video.facingMode), get(wanted));
  });
  await page.click('#start');
  await faces(page, '1');
  assert.ok(await page.isChecked('[name=mirror]'));
  await page.click('#flip');
  await page.waitForFunction(() => asked.length === 2);
  await faces(page, '1');
  assert.deepEqual(await page.evaluate(() => asked), ['user', 'environment']);
  assert.equal(await page.isChecked('[name=mirror]'), false);
});

test('two faces keep two numbers', async () => {
  const page = await open(film(`${testdata}two_faces.jpg`, 30));
  await page.click('#start');
  await faces(page, '2');
  const { json } = await record(page, 8);
  const ids = json.map((line) => JSON.parse(line).faces.map(({ id }) => id));
  ids.forEach((each) => assert.deepEqual(each, ids[0]));
  assert.equal(new Set(ids[0]).size, 2);
});

test('a photo can be opened, drawn and saved', async () => {
  const page = await open('none');
  await page.setInputFiles('#file', `${testdata}two_faces.jpg`);
  await faces(page, '2');
  for (const each of ['Points', 'Numbers', 'Mesh', 'Box', 'Pose', 'Mirror']) {
    await page.locator('#settings').getByText(each, { exact: true }).click();
  }
  const { name, bytes: png } = await saved(page, '#save-picture');
  assert.equal(name, 'two_faces-points.png');
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [480, 320]);
  await page.setInputFiles('#file', `${testdata}cat.jpg`);
  await faces(page, '0');
  assert.equal(await page.locator('#save-photo-json').isVisible(), false, 'there is nothing to save');
  await page.setInputFiles('#file', { name: 'notes.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('no picture') });
  await page.waitForSelector('#message:visible');
  assert.match(await message(page), /notes\.jpg cannot be shown: it is damaged, or no picture/);
  await page.click('#welcome button[data-open]', { trial: true }); // The start is back.
});

test('the points of the sample photo are saved as the program writes them', async () => {
  const page = await open('none');
  await page.click('#welcome [data-sample]');
  await faces(page, '1');
  const json = await saved(page, '#save-photo-json');
  assert.equal(json.name, 'sample.json');
  const ours = JSON.parse(json.bytes);
  const [theirs] = native(`${testdata}astronaut.jpg`);
  assert.deepEqual(Object.keys(ours), Object.keys(theirs));
  assert.deepEqual(Object.keys(ours.faces[0]), Object.keys(theirs.faces[0]));
  assert.deepEqual([ours.image, ours.width, ours.height], ['sample.jpg', theirs.width, theirs.height]);
  const points = ours.faces[0].points;
  const apart = (a, b) => Math.max(...a.map(([x, y], i) => Math.hypot(x - b[i][0], y - b[i][1])));
  assert.ok(apart(points, theirs.faces[0].points) < 1, 'decoders of JPEG differ by a grey level here and there');
  const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
  assert.deepEqual(Object.keys(ours.faces[0].detection), Object.keys(theirs.faces[0].detection));
  const [x, y, width, height] = ours.faces[0].box;
  assert.ok(apart([[x, y], [x + width, y + height]], [[Math.min(...xs), Math.min(...ys)], [Math.max(...xs), Math.max(...ys)]]) < 0.05);

  const pts = await saved(page, '#save-photo-pts');
  assert.equal(pts.name, 'sample.pts');
  const rows = pts.bytes.toString().split('\n');
  assert.deepEqual([...rows.slice(0, 3), ...rows.slice(-2)], ['version: 1', 'n_points: 68', '{', '}', '']);
  assert.ok(apart(rows.slice(3, -2).map((row) => row.split(' ').map((v) => Number(v) - 0.5)), points) < 0.01);
});

test('of a photo that was shrunk, points are saved in pixels of the photo', async () => {
  const page = await open('none');
  const large = await page.evaluate(async () => {
    const bitmap = await createImageBitmap(await (await fetch('sample.jpg')).blob(), { resizeWidth: 2560, resizeHeight: 2560 });
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext('2d').drawImage(bitmap, 0, 0);
    return [...new Uint8Array(await (await canvas.convertToBlob({ type: 'image/jpeg' })).arrayBuffer())];
  });
  await page.setInputFiles('#file', { name: 'large.jpg', mimeType: 'image/jpeg', buffer: Buffer.from(large) });
  await faces(page, '1');
  const { width, height, faces: [{ points, errors }] } = JSON.parse((await saved(page, '#save-photo-json')).bytes);
  const [{ faces: [theirs] }] = native(`${testdata}astronaut.jpg`);
  assert.deepEqual([width, height], [2560, 2560]);
  const distance = Math.max(...points.map(([x, y], i) => Math.hypot(x - 5 * theirs.points[i][0], y - 5 * theirs.points[i][1])));
  assert.ok(distance < 10, `${distance} pixels apart, of a face about 500 wide`);
  assert.ok(errors[30] > 2 * theirs.errors[30]);
});

test('what each face does stands below the picture', async () => {
  const page = await open('none');
  await page.click('#welcome [data-sample]');
  await faces(page, '1');
  const [{ faces: [{ pose, errors }] }] = native(`${testdata}astronaut.jpg`);
  const cells = await page.locator('#face-rows tr').locator('th, td').allTextContents();
  const [face, roll, yaw, pitch, rightEye, leftEye, mouth, error] = cells.map((text) => parseFloat(text.replace('−', '-')));
  assert.equal(face, 1);
  [[roll, pose.roll], [yaw, pose.yaw], [pitch, pose.pitch]].forEach(([ours, theirs]) => assert.ok(Math.abs(ours - theirs) <= 1.5, `${ours}, ${theirs}`));
  for (const eye of [rightEye, leftEye]) assert.ok(eye > 0.2 && eye < 0.5, `open eyes: ${eye}`);
  assert.ok(mouth > 0.1, `she laughs: ${mouth}`);
  assert.ok(Math.abs(error - errors.reduce((sum, each) => sum + each) / 68) < 0.3, `${error} pixels`);
});

test('an answer about a photo that is gone is left aside', async () => {
  const page = await open('none', { script: holdBack('photo') });
  await page.setInputFiles('#file', `${testdata}two_faces.jpg`);
  await page.waitForFunction(() => heldBack() === 1);
  await page.setInputFiles('#file', `${testdata}cat.jpg`);
  await page.waitForFunction(() => heldBack() === 2);
  await page.evaluate(() => release());
  await page.waitForTimeout(100);
  assert.equal(await page.locator('#faces').textContent(), '–', 'the two faces are not those of the cat');
  await page.evaluate(() => release());
  await faces(page, '0');
});

test('of two files that are opened at once the later is shown', async () => {
  const page = await open('none');
  const video = readFileSync(`${testdata}video/face.mp4`).toString('base64');
  await page.evaluate(async (video) => {
    const bytes = Uint8Array.from(atob(video), (c) => c.charCodeAt(0));
    for (const name of ['first.mp4', 'second.mp4']) {
      const files = new DataTransfer();
      files.items.add(new File([bytes], name, { type: 'video/mp4' }));
      dispatchEvent(new DragEvent('drop', { dataTransfer: files }));
    }
  }, video);
  await faces(page, '1');
  const { json } = await record(page, 3);
  assert.equal(JSON.parse(json[0]).video, 'second.mp4');
  assert.equal(await page.locator('#message').isVisible(), false);
});

test('everything is reached by the keyboard', async () => {
  const page = await open('none');
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.name || document.activeElement.textContent);
  await press('Tab', 'Tab', 'Tab');
  assert.equal(await focused(), 'try a sample photo');
  await press('Enter');
  await faces(page, '1');
  const reached = [await focused()];
  for (let i = 0; i < 17; i++) {
    await press('Tab');
    reached.push(await focused());
  }
  assert.deepEqual(reached, ['stop', 'open', 'sample', 'save-picture', 'save-photo-json', 'save-photo-pts', 'face-table', 'points', 'numbers',
    'outlines', 'mesh', 'box', 'pose', 'mirror', 'smoothing', 'max-faces', 'model', 'detector']);
  await page.focus('#settings [name=numbers]');
  await press('Space');
  assert.ok(await page.isChecked('[name=numbers]'));
  await page.focus('#stop');
  await press('Enter');
  assert.equal(await focused(), 'start', 'the keyboard goes on where the picture was');
});

test('a video file plays with its points', async () => {
  const page = await open('none');
  await page.setInputFiles('#file', `${testdata}video/face.mp4`);
  await faces(page, '1');
  await page.click('#stop');
  await page.waitForSelector('#start:visible');
  await page.setInputFiles('#file', { name: 'clip.mp4', mimeType: 'video/mp4', buffer: Buffer.from('no video') });
  await page.waitForSelector('#message:visible');
  assert.match(await message(page), /clip\.mp4 cannot be played/);
});

test('a model of one\'s own is used, a broken one is refused by name', async () => {
  const page = await open(photo);
  await page.click('#start');
  await faces(page, '1');
  await page.setInputFiles('#model-file', { name: 'broken.onnx', mimeType: '', buffer: Buffer.alloc(1000, 7) });
  await page.waitForSelector('#message:visible');
  assert.match(await message(page), /^broken\.onnx cannot be used: not a model file/);
  await page.setInputFiles('#model-file', `${models}detector/detector.onnx`);
  await page.waitForFunction(() => /detector\.onnx/.test(document.getElementById('message').textContent));
  assert.match(await message(page), /wrong model: expected the role `landmarks`/);
  await page.setInputFiles('#model-file', `${models}lite/lite.onnx`);
  await page.waitForFunction(() => document.getElementById('model-name').textContent === 'lite.onnx');
  assert.equal(await page.locator('#message').isVisible(), false);
  await page.waitForTimeout(300);
  await faces(page, '1');
  await page.click('#model-default');
  await page.waitForFunction(() => document.getElementById('model-name').textContent === 'lite');
});

/** Chooses a file of `fixtures` as `option`, and waits until it is in use. */
async function choose(page, option, name) {
  await page.setInputFiles(`#${option}-file`, `${fixtures}${name}`);
  await page.waitForFunction(([option, name]) => document.getElementById(`${option}-name`).textContent === name, [option, name]);
}

/** A picture with a white dot at (164, 100), which only the detector of `fixtures` finds: a PNG file. */
async function dotFile(page) {
  const { data, width, height } = dotPicture(164, 100);
  const bytes = await page.evaluate(async ({ grey, width, height }) => {
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext('2d').putImageData(new ImageData(Uint8ClampedArray.from(grey.flatMap((v) => [v, v, v, 255])), width), 0, 0);
    return [...new Uint8Array(await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer())];
  }, { grey: [...data], width, height });
  writeFileSync(`${out}dot.png`, Uint8Array.from(bytes));
  return `${out}dot.png`;
}

test('a landmark model with other points is shown and saved as its topology says', async () => {
  const page = await open('none');
  await page.click('#welcome [data-sample]');
  await faces(page, '1');
  assert.equal(await page.locator('#not-offered').isVisible(), false);
  const mesh = page.locator('[name=mesh]');
  await choose(page, 'model', 'triangle.onnx');
  await page.waitForSelector('#not-offered:visible');
  assert.equal(await page.locator('#not-offered').textContent(), 'Not offered by triangle: angles, openings of eyes and mouth.');
  const cells = await page.locator('#face-rows tr').locator('th, td').allTextContents();
  assert.deepEqual(cells.slice(0, -1), ['1', ...Array(6).fill('–')]);
  assert.match(cells.at(-1), /^\d+\.\d px$/);
  assert.equal(await page.locator('#point-count').textContent(), '3 points');
  assert.deepEqual([await mesh.isDisabled(), await mesh.locator('..').getAttribute('title')], [true, 'The topology triangle has no mesh']);
  for (const each of ['Numbers', 'Box', 'Pose']) await page.locator('#settings').getByText(each, { exact: true }).click();

  const json = JSON.parse((await saved(page, '#save-photo-json')).bytes);
  const [theirs] = native(`${testdata}astronaut.jpg`, '--model', `${fixtures}triangle.onnx`);
  const [ours] = json.faces;
  assert.deepEqual([Object.keys(ours), ours.topology, ours.names], [Object.keys(theirs.faces[0]), 'triangle', theirs.faces[0].names]);
  ours.points.forEach(([x, y], i) => assert.ok(Math.hypot(x - theirs.faces[0].points[i][0], y - theirs.faces[0].points[i][1]) < 1));
  assert.match((await saved(page, '#save-photo-pts')).bytes.toString(), /^version: 1\nn_points: 3\n/);

  // The line between the two upper corners has the model's own colour.
  const { bytes } = await saved(page, '#save-picture');
  const [[x0, y0], [x1, y1]] = ours.points;
  const colour = await page.evaluate(async ({ bytes, x, y }) => {
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(bytes)]));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
    context.drawImage(bitmap, 0, 0);
    return [...context.getImageData(x, y, 1, 1).data];
  }, { bytes: [...bytes], x: Math.floor((x0 + x1) / 2), y: Math.floor((y0 + y1) / 2) });
  [0x12, 0xab, 0xef].forEach((wanted, i) => assert.ok(Math.abs(colour[i] - wanted) < 60, `${colour}`));

  await page.click('#model-default');
  await page.waitForSelector('#not-offered', { state: 'hidden' });
  assert.deepEqual([await mesh.isDisabled(), await mesh.locator('..').getAttribute('title')], [false, '']);
  assert.equal(await page.locator('#point-count').textContent(), '68 points');
  assert.equal(JSON.parse((await saved(page, '#save-photo-json')).bytes).faces[0].points.length, 68);
});

test('a detector of one\'s own is used, a wrong file is refused by name', async () => {
  const page = await open('none');
  const file = await dotFile(page);
  await page.setInputFiles('#file', file);
  await faces(page, '0');
  await page.setInputFiles('#detector-file', `${fixtures}triangle.onnx`);
  await page.waitForSelector('#message:visible');
  assert.match(await message(page), /^triangle\.onnx cannot be used: .*expected the role `detector`, the file says `landmarks`/);
  assert.match(await message(page), /The networks from before stay in use\.$/);
  await choose(page, 'model', 'triangle.onnx');
  await choose(page, 'detector', 'dots.onnx');
  await faces(page, '1');
  assert.equal(await page.locator('#message').isVisible(), false);
  const options = ['--model', `${fixtures}triangle.onnx`, '--detector', `${fixtures}dots.onnx`];
  const [{ faces: theirs }] = native(file, ...options);
  assert.deepEqual(JSON.parse((await saved(page, '#save-photo-json')).bytes).faces, theirs);
  await page.click('#detector-default');
  await faces(page, '0');
  assert.equal(await page.locator('#detector-name').textContent(), 'built in');
});

test('a recording has the columns of its topology, and ends when faces get other points', async () => {
  const camera = still(dotPicture(164, 100), 'dot.y4m', 30);
  const page = await open(camera);
  await choose(page, 'model', 'triangle.onnx');
  await choose(page, 'detector', 'dots.onnx');
  await page.click('#start');
  await faces(page, '1');
  const { json, csv } = await record(page, 5);
  const options = ['--model', `${fixtures}triangle.onnx`, '--detector', `${fixtures}dots.onnx`];
  assert.equal(csv[0], nativeLines(camera, '--format', 'csv', ...options)[0]);
  assert.equal(csv.at(-1).split(',').length, csv[0].split(',').length);
  const [{ faces: [theirs] }] = native(camera, ...options).slice(-1);
  assert.deepEqual(Object.keys(JSON.parse(json.at(-1)).faces[0]), Object.keys(theirs));

  await page.click('#record');
  await page.waitForFunction(() => parseInt(document.getElementById('recorded-frames').textContent) > 0);
  await page.click('#model-default');
  await page.waitForSelector('#message:visible');
  assert.match(await message(page), /^The recording has ended: from here on faces have other points\./);
  const lines = (await saved(page, '#save-csv')).bytes.toString().trim().split('\n');
  assert.equal(lines[0], csv[0], 'what was recorded stays as it was');
});

test('a camera that cannot be had is explained', async () => {
  for (const [camera, name, words] of [
    ['refused', undefined, /The camera is not allowed\. Allow it/],
    ['none', undefined, /No camera was found\. Connect one/],
    ['none', 'NotReadableError', /The camera is busy: another program or tab uses it/],
    ['none', 'TypeError', /The camera cannot be used: Device in use\./],
    ['none', 'insecure', /only to pages whose address begins with https:\/\/ or http:\/\/localhost/],
  ]) {
    const page = await open(camera, { host: name === 'insecure' ? OTHER_MACHINE : 'localhost' });
    if (name && name !== 'insecure') {
      await page.evaluate((name) => {
        navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('Device in use', name));
      }, name);
    }
    await page.click('#start');
    await page.waitForSelector('#message:visible');
    assert.match(await message(page), words);
    assert.match(await message(page), /A photo or a video works without a camera\.$/);
    await page.waitForSelector('#start:visible');
  }
});

test('without a network the page still works', async () => {
  const page = await open(photo, { serviceWorkers: 'allow' });
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (!navigator.serviceWorker.controller) await new Promise((resolve) => (navigator.serviceWorker.oncontrollerchange = resolve));
  });
  await page.context().setOffline(true);
  await page.reload();
  await page.click('#start');
  await faces(page, '1');
});
