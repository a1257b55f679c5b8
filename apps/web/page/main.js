// The page: one source at a time (camera, video or photo), its faces over it.

import { hasOtherCamera } from './camera.js';
import { Controls } from './controls.js';
import { Engine } from './engine.js';
import { Figures } from './figures.js';
import { eachFrame } from './frames.js';
import { Networks } from './networks.js';
import { Saving } from './saving.js';
import { cameraSource, photoSource, samplePhoto, videoSource } from './sources.js';
import { NO_FACES, NOTHING, Stage } from './stage.js';

const $ = (id) => document.getElementById(id);

/** What is shown now, and its faces in their picture's size. */
let source = NOTHING;
let answer = NO_FACES;
/** Sources that were begun: only the last may be shown. */
let begun = 0;
let facing = 'user';

const engine = new Engine();
const stage = new Stage();
const figures = new Figures();
const controls = new Controls({ redraw, smooth, find });
const networks = new Networks(engine, () => ({ maxFaces: controls.maxFaces, smoothing: controls.smoothing }), (topology) => {
  controls.topology = topology;
});
const saving = new Saving(() => ({ source, answer, picture: () => stage.drawn(answer, controls.show) }), say);

// --- Beginning and ending ---

/** Ends what is shown. */
function end() {
  source.stop();
  saving.end();
  show(NOTHING, NO_FACES);
}

/** Shows a source once `open` has opened it and the networks are ready, which they become at the same time. */
async function begin(open) {
  end();
  say();
  const turn = ++begun;
  const [opened, loaded] = await Promise.allSettled([open(), networks.ready()]);
  const failure = opened.reason?.message
    ?? (loaded.reason && `The networks cannot be loaded: ${loaded.reason.message}. Load the page again.`);
  if (turn !== begun || failure) {
    opened.value?.stop();
    if (turn === begun) say(failure);
    return false;
  }
  show(opened.value, NO_FACES);
  // The button that began this is gone, or will be when the browser next draws.
  if (document.activeElement === document.body || $('welcome').contains(document.activeElement)) $('stop').focus();
  if (source.kind === 'photo') await findFaces();
  else await followFaces();
  return source === opened.value;
}

async function startCamera() {
  // A back camera shows the world as it is; what faces the user is a mirror.
  controls.mirror = facing === 'user';
  const isShown = await begin(() => cameraSource(facing, () => {
    end();
    say('The camera is gone: it was disconnected, or another program took it. Start again when it is back.');
  }));
  if (isShown) $('flip').hidden = !(await hasOtherCamera());
}

/** Opens a file that the user has chosen or dropped: a photo, a video or a model. */
function open(file) {
  if (!file) return undefined;
  if (file.name.toLowerCase().endsWith('.onnx')) return useNetwork('model', file);
  controls.mirror = false;
  return begin(() => (file.type.startsWith('video/') ? videoSource(file) : photoSource(file)));
}

function openSample() {
  controls.mirror = false;
  return begin(async () => photoSource(await samplePhoto()));
}

// --- Faces ---

/** Finds the faces of the photo. */
async function findFaces() {
  const photo = source;
  const [width, height] = photo.size();
  let found;
  try {
    found = await engine.photo(await createImageBitmap(photo.picture));
  } catch (error) {
    if (source === photo) say(`The faces of ${photo.name} cannot be found: ${error.message}.`);
    return;
  }
  if (source !== photo) return;
  const faces = found.faces.map((face) => ({ face: scaled(face, width / photo.picture.width) }));
  figures.photo({ ...found, faces });
  show(photo, { ...found, faces, width, height });
}

/** Follows the faces from frame to frame. */
async function followFaces() {
  const playing = source;
  await engine.reset();
  if (source !== playing) return;
  const stopFollowing = eachFrame(playing.picture, async (frame, timeMs) => {
    const [width, height] = playing.size();
    let found;
    try {
      found = await engine.track(frame, timeMs);
    } catch (error) {
      if (source === playing) say(`The faces of a frame cannot be found: ${error.message}.`);
      return;
    }
    if (source !== playing) return;
    if (found.faces.length && !performance.getEntriesByName('first points').length) performance.mark('first points');
    answer = { ...found, width, height };
    figures.addFrame(answer);
    saving.addFrame(answer, timeMs);
    redraw();
  });
  const { stop } = playing;
  playing.stop = () => {
    stopFollowing();
    stop();
  };
}

/** The face of a photo that was shrunk, in pixels of the photo. */
function scaled(face, scale) {
  if (scale === 1) return face;
  const point = ({ x, y }) => ({ x: scale * x, y: scale * y });
  const rect = ({ x, y, width, height }) => ({ ...point({ x, y }), width: scale * width, height: scale * height });
  const { box, detection, landmarks } = face;
  return {
    ...face,
    box: rect(box),
    detection: { ...detection, rect: rect(detection.rect), points: detection.points && detection.points.map(point) },
    landmarks: { ...landmarks, points: landmarks.points.map(point), errors: landmarks.errors.map((error) => scale * error) },
  };
}

// --- Networks ---

function smooth() {
  networks.ready().then(() => engine.smooth(controls.smoothing)).catch((error) => say(error.message));
}

function find() {
  return changeNetworks(() => networks.configure());
}

/** Uses a file as `model` or as `detector`, or without one what the page has. */
function useNetwork(option, file) {
  return changeNetworks(() => networks.use(option, file));
}

async function changeNetworks(change) {
  try {
    await change();
  } catch (error) {
    say(error.message);
    return;
  }
  say();
  if (source.kind === 'photo') await findFaces();
}

// --- What is shown ---

/** Brings the page in line with what is to be shown. */
function show(nextSource, nextAnswer) {
  if (nextSource !== source) {
    figures.clear();
    stage.source = nextSource;
  }
  [source, answer] = [nextSource, nextAnswer];
  $('welcome').hidden = source !== NOTHING;
  for (const id of ['stop', 'open', 'sample']) $(id).hidden = source === NOTHING;
  if (source.kind !== 'camera') $('flip').hidden = true;
  saving.show();
  redraw();
}

function redraw() {
  stage.draw(answer, controls.show);
}

/** Says what went wrong; without text, that all is well again. */
function say(text = '') {
  $('message').textContent = text;
  $('message').hidden = !text;
}

// --- Buttons ---

$('start').onclick = startCamera;
$('stop').onclick = () => {
  end();
  $('start').focus();
};
$('flip').onclick = () => {
  facing = facing === 'user' ? 'environment' : 'user';
  startCamera();
};
for (const button of document.querySelectorAll('[data-open]')) button.onclick = () => $('file').click();
for (const button of document.querySelectorAll('[data-sample]')) button.onclick = openSample;
const files = { file: open };
for (const option of ['model', 'detector']) {
  $(option).onclick = () => $(`${option}-file`).click();
  $(`${option}-default`).onclick = () => useNetwork(option);
  files[`${option}-file`] = (file) => useNetwork(option, file);
}
for (const [id, use] of Object.entries(files)) {
  $(id).onchange = ({ target }) => {
    const [file] = target.files;
    target.value = ''; // The same file may be chosen again.
    if (file) use(file);
  };
}
stage.acceptDrops(open);
addEventListener('resize', redraw);

if ('serviceWorker' in navigator) navigator.serviceWorker.register('sw.js').catch(() => {}); // Only offline use needs it.
// `?start` opens the camera at once, where the page may have it without asking.
if (new URLSearchParams(location.search).has('start')) startCamera();
