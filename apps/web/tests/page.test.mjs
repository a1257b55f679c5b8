// The page in Chromium with a film for a camera: what a user sees, does and is told.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { browser, film, models, native, out, serve, talking, testdata } from './helpers.mjs';

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
async function open(camera, { query = '', ...options } = {}) {
  if (!browsers.has(camera)) browsers.set(camera, browser(camera));
  const context = await (await browsers.get(camera)).newContext({ serviceWorkers: 'block', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE.timeout);
  page.on('pageerror', (error) => assert.fail(error));
  await page.goto(server.address + query);
  return page;
}

const photo = film(`${testdata}astronaut.jpg`, 30);
const faces = (page, text) => page.waitForFunction((text) => document.getElementById('faces').textContent === text, text, PATIENCE);
const message = (page) => page.locator('#message').textContent();

/** How many frames the video has shown, and when. */
const shown = (page) => page.evaluate(() => new Promise((resolve) => {
  document.getElementById('video').requestVideoFrameCallback((now, { presentedFrames }) => resolve({ frames: presentedFrames, secs: now / 1000 }));
}));

/** Records until `frames` frames have come, and answers what is saved. */
async function record(page, frames) {
  await page.click('#record');
  await page.waitForFunction((frames) => Number(document.getElementById('recorded-frames').textContent.split(' ')[0]) >= frames, frames, PATIENCE);
  await page.click('#record');
  const saved = {};
  for (const [button, name] of [['#save-json', 'json'], ['#save-csv', 'csv']]) {
    const [download] = await Promise.all([page.waitForEvent('download'), page.click(button)]);
    saved[name] = readFileSync(await download.path(), 'utf8').trim().split('\n');
  }
  return saved;
}

test('the camera shows points, and they are the program\'s', async () => {
  const page = await open(photo);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter'); // The first thing that the keyboard reaches starts.
  await faces(page, '1');
  assert.equal(await page.locator('#status').textContent(), '1 face');
  await page.fill('#smoothing', '0'); // What is smoothed depends on when frames came.
  // Where a still face's crop comes to rest depends on which frames the camera had dropped: in int8 that moves points by up to
  // 0.4 pixels, in f16 by less than 0.1.
  const model = `${models}lite/lite.onnx`;
  await page.setInputFiles('#model-file', model);
  await page.waitForFunction(() => document.getElementById('model-name').textContent === 'lite.onnx');
  await page.waitForTimeout(500);
  const { json, csv } = await record(page, 5);
  const [{ width, height, faces: [ours] }] = json.slice(-1).map(JSON.parse);
  const [{ width: nativeWidth, height: nativeHeight, faces: [theirs] }] = native(photo, '--model', model, '--no-smooth').slice(-1);
  assert.deepEqual([width, height], [nativeWidth, nativeHeight]);
  const distance = Math.max(...ours.points.map(([x, y], i) => Math.hypot(x - theirs.points[i][0], y - theirs.points[i][1])));
  assert.ok(distance < 0.2, `${distance} pixels apart`);
  assert.deepEqual(Object.keys(ours), Object.keys(theirs));
  const header = csv[0].split(',');
  assert.equal(csv.length, json.length + 1);
  const row = csv.at(-1).split(',');
  assert.equal(row.length, header.length);
  assert.deepEqual(['x30', 'y30', 'error30', 'yaw'].map((name) => Number(row[header.indexOf(name)])),
    [...ours.points[30], ours.errors[30], ours.pose.yaw]);
  console.log(`camera: ${await page.locator('#figures').innerText()}`.replaceAll('\n', ' '));
});

test('frames are looked at as the camera shows them', async () => {
  for (const camera of [film(talking(), 120), photo]) {
    const page = await open(camera);
    await page.click('#start');
    await faces(page, '1');
    await page.waitForTimeout(2000); // What runs often is compiled better.
    const begin = await shown(page);
    const { json } = await record(page, 90);
    const end = await shown(page);
    const times = json.map((line) => JSON.parse(line).time);
    times.forEach((time, i) => assert.ok(i === 0 || time > times[i - 1], `frame ${i} is not newer than the one before`));
    console.log(`${camera.split('/').pop()}: a second has ${((end.frames - begin.frames) / (end.secs - begin.secs)).toFixed(1)} frames shown, ` +
      `${((times.length - 1) / times.at(-1)).toFixed(1)} looked at; ` +
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
  for (const each of ['Points', 'Mesh', 'Box', 'Pose', 'Mirror']) await page.locator('#settings').getByText(each, { exact: true }).click();
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#screenshot')]);
  const png = readFileSync(await download.path());
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [480, 320]);
  await page.setInputFiles('#file', `${testdata}cat.jpg`);
  await faces(page, '0');
  await page.setInputFiles('#file', { name: 'notes.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('no picture') });
  await page.waitForSelector('#message:visible');
  assert.match(await message(page), /notes\.jpg is not a picture/);
  await page.click('#welcome button[data-open]', { trial: true }); // The start is back.
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

test('a camera that cannot be had is explained', async () => {
  for (const [camera, name, words] of [
    ['refused', undefined, /The camera was refused\. Allow it/],
    ['none', undefined, /No camera was found/],
    ['none', 'NotReadableError', /The camera is busy: another program or tab has it/],
  ]) {
    const page = await open(camera);
    if (name) {
      await page.evaluate((name) => {
        navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('Device in use', name));
      }, name);
    }
    await page.click('#start');
    await page.waitForSelector('#message:visible');
    assert.match(await message(page), words);
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
