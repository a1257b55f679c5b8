// The page: one source at a time (camera, video or photo), its faces over it.

import { hasOtherCamera, openCamera } from './camera.js';
import { Overlay } from './draw.js';
import { Engine } from './engine.js';
import { eachFrame, Pace } from './frames.js';
import { Recording } from './recording.js';

/** Photos are shrunk to this: phones take larger ones than memory likes, and no point gets better. */
const LONGEST_SIDE = 2048;

const $ = (id) => document.getElementById(id);
const [stage, video, photo, settings] = ['stage', 'video', 'photo', 'settings'].map($);
const overlay = new Overlay($('overlay'));
const engine = new Engine();

/** What is shown now. */
let source = { kind: 'none', stop() {} };
let facing = 'user';
let ownModel;
/** The last answer: faces with the size of their picture. */
let shown = { faces: [], width: 0, height: 0 };
let recording;
let paces = newPaces();

/** Sources that were begun: only the last may be shown. */
let begun = 0;

let loading = configure();
/** Ready, or tried again. */
const networks = () => (loading = loading.catch(configure));
networks().catch(() => {}); // Whoever starts something is told.

// --- The networks ---

async function configure() {
  const options = { maxFaces: Number($('max-faces').value), smoothing: Number($('smoothing').value), model: ownModel?.bytes };
  overlay.topology = await engine.configure(options);
}

async function useModel(file) {
  const before = ownModel;
  try {
    ownModel = file && { name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) };
    await configure();
  } catch (error) {
    ownModel = before;
    say(`${file?.name ?? 'lite'} cannot be used: ${error.message}. The networks from before stay.`);
    return;
  }
  say();
  $('model-name').textContent = ownModel?.name ?? 'lite';
  $('model-default').hidden = !ownModel;
  if (source.kind === 'photo') lookAtPhoto();
}

// --- Sources ---

/** Ends what is shown; the picture stays away until another begins. */
function end() {
  source.stop();
  source = { kind: 'none', stop() {} };
  if (recording) endRecording();
  shown = { faces: [], width: 0, height: 0 };
  paces = newPaces();
  overlay.clear();
  $('overlay').setAttribute('aria-label', 'No picture yet');
  $('status').textContent = lastTold = '';
  show();
}

/** Shows a source once `open` has opened it and the networks are ready, which they become at the same time. */
async function begin(kind, open) {
  end();
  say();
  const turn = ++begun;
  const [opened, loaded] = await Promise.allSettled([open(), networks()]);
  const failed = [
    opened.reason?.message,
    loaded.reason && `The networks cannot be loaded: ${loaded.reason.message}. Load the page again.`,
  ].find(Boolean);
  if (turn !== begun || failed) {
    opened.value?.stop();
    if (turn === begun) say(failed);
    return false;
  }
  source = { kind, ...opened.value };
  if (kind === 'photo') await lookAtPhoto();
  else await follow();
  show();
  return turn === begun;
}

async function startCamera() {
  // A back camera shows the world as it is; what faces the user is a mirror.
  settings.elements.mirror.checked = facing === 'user';
  const isShown = await begin('camera', async () => {
    const stream = await openCamera(facing);
    video.srcObject = stream;
    const [track] = stream.getVideoTracks();
    track.onended = () => {
      end();
      say('The camera has gone: it was disconnected, or another program took it. Start again when it is back.');
    };
    await video.play();
    return {
      name: 'camera',
      stop() {
        track.onended = null;
        stream.getTracks().forEach((each) => each.stop());
        video.srcObject = null;
      },
    };
  });
  if (isShown) $('flip').hidden = !(await hasOtherCamera());
}

function open(file) {
  if (!file) return undefined;
  if (file.name.toLowerCase().endsWith('.onnx')) return useModel(file);
  return file.type.startsWith('video/') ? openVideo(file) : openPhoto(file);
}

function openVideo(file) {
  settings.elements.mirror.checked = false;
  return begin('video', async () => {
    const address = URL.createObjectURL(file);
    const stop = () => {
      video.pause();
      video.removeAttribute('src');
      video.load();
      URL.revokeObjectURL(address);
    };
    video.src = address;
    video.loop = true;
    try {
      await video.play();
    } catch {
      stop();
      throw new Error(`${file.name} cannot be played by this browser, or is damaged. MP4 with H.264 and WebM work nearly everywhere.`);
    }
    return { name: file.name, stop };
  });
}

function openPhoto(file) {
  settings.elements.mirror.checked = false;
  return begin('photo', async () => {
    let bitmap;
    try {
      bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' });
    } catch {
      throw new Error(`${file.name} is not a picture that this browser can show, or is damaged. Photos are JPEG, PNG, WebP or BMP.`);
    }
    const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
    [photo.width, photo.height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(scale * side)));
    photo.getContext('2d').drawImage(bitmap, 0, 0, photo.width, photo.height);
    bitmap.close();
    return { name: file.name, stop() {} };
  });
}

async function lookAtPhoto() {
  const { width, height } = photo;
  let answer;
  try {
    answer = await engine.photo(await createImageBitmap(photo));
  } catch (error) {
    return say(`${source.name} cannot be looked at: ${error.message}.`);
  }
  const { faces, pointsMs, searchMs } = answer;
  shown = { faces: faces.map((face) => ({ face })), width, height };
  tell({ fps: '–', pointsMs: faces.length ? pointsMs : undefined, searchMs });
  return show();
}

/** Looks at each frame of the video. */
async function follow() {
  await engine.reset();
  const playing = source;
  const stopLooking = eachFrame(video, async (frame, timeMs) => {
    const [width, height] = [video.videoWidth, video.videoHeight];
    let answer;
    try {
      answer = await engine.track(frame, timeMs);
    } catch (error) {
      return say(`A frame cannot be looked at: ${error.message}.`);
    }
    if (source !== playing) return undefined;
    if (answer.faces.length && !performance.getEntriesByName('first points').length) performance.mark('first points');
    shown = { ...answer, width, height };
    count(answer);
    if (recording) record(timeMs);
    return draw();
  });
  const { stop } = playing;
  playing.stop = () => {
    stopLooking();
    stop();
  };
}

// --- What is shown ---

function newPaces() {
  return { frames: new Pace(), following: new Pace(), searching: new Pace(), faces: 0, told: 0 };
}

/** Every frame counts for the rate. Frames with a search take longer by what the detector takes. */
function count({ faces, searched, ms: took }) {
  paces.frames.add(took);
  if (faces.length !== paces.faces) {
    paces.faces = faces.length;
    [paces.following, paces.searching] = [new Pace(), new Pace()];
  } else {
    (searched ? paces.searching : paces.following).add(took);
  }
  const now = performance.now();
  if (now - paces.told < 250) return; // Numbers that change with each frame cannot be read.
  paces.told = now;
  const followMs = faces.length ? paces.following.median : 0;
  tell({ fps: paces.frames.perSecond, pointsMs: followMs / faces.length, searchMs: paces.searching.median - followMs });
}

/** Numbers for those who look. */
function tell({ fps, pointsMs, searchMs }) {
  $('faces').textContent = shown.faces.length;
  $('fps').textContent = fps;
  $('points-ms').textContent = ms(pointsMs);
  $('search-ms').textContent = ms(searchMs);
  tellCount();
}

let lastTold = '';
/** For those who listen: only when the number of faces has changed. */
function tellCount() {
  const text = counted(shown.faces.length);
  $('overlay').setAttribute('aria-label', `Picture with ${text}`);
  if (text !== lastTold) $('status').textContent = lastTold = text;
}

function draw() {
  const faces = shown.faces.map(({ face }) => face);
  if (shown.width) overlay.draw(faces, shown.width, shown.height, shows());
}

/** What the user wants to see. */
function shows() {
  const { points, outlines, mesh, box, pose, mirror } = settings.elements;
  return Object.fromEntries([points, outlines, mesh, box, pose, mirror].map((each) => [each.name, each.checked]));
}

/** Brings the page in line with the source. */
function show() {
  const { kind } = source;
  const playing = kind === 'camera' || kind === 'video';
  video.hidden = !playing;
  video.controls = kind === 'video';
  photo.hidden = kind !== 'photo';
  $('welcome').hidden = kind !== 'none';
  if (kind === 'none') for (const figure of document.querySelectorAll('#figures dd')) figure.textContent = '–';
  stage.classList.toggle('mirrored', settings.elements.mirror.checked);
  const [width, height] = kind === 'photo' ? [photo.width, photo.height] : [video.videoWidth, video.videoHeight];
  stage.style.setProperty('--aspect', kind !== 'none' && width ? `${width} / ${height}` : '4 / 3');
  $('stop').hidden = $('screenshot').hidden = kind === 'none';
  $('record').hidden = !playing;
  if (kind !== 'camera') $('flip').hidden = true;
  draw();
}

/** Says what went wrong; without text, that all is well again. */
function say(text = '') {
  $('message').textContent = text;
  $('message').hidden = !text;
}

const counted = (faces) => (faces === 1 ? '1 face' : `${faces || 'no'} faces`);
/** What was not measured is a dash. */
const ms = (value) => (value > 0 && value < Infinity ? `${value < 10 ? value.toFixed(1) : Math.round(value)} ms` : '–');

// --- Saving ---

function screenshot() {
  const canvas = document.createElement('canvas');
  const picture = source.kind === 'photo' ? photo : video;
  [canvas.width, canvas.height] = [picture.videoWidth ?? picture.width, picture.videoHeight ?? picture.height];
  const context = canvas.getContext('2d');
  const wanted = shows();
  if (wanted.mirror) context.setTransform(-1, 0, 0, 1, canvas.width, 0);
  context.drawImage(picture, 0, 0);
  overlay.drawOnto(context, shown.faces.map(({ face }) => face), wanted);
  canvas.toBlob((blob) => save(blob, 'lineament.png'), 'image/png');
}

let recorded;
function toggleRecording() {
  if (recording) return endRecording();
  recording = new Recording(source.name);
  $('record').textContent = 'Stop recording';
  $('record').ariaPressed = 'true';
  $('recorded').hidden = false;
  $('save-json').hidden = $('save-csv').hidden = true;
  $('recorded-frames').textContent = '0 frames';
  return undefined;
}

function record(timeMs) {
  const fits = recording.add(shown, timeMs);
  $('recorded-frames').textContent = `${recording.frames} frames`;
  if (fits) return;
  endRecording();
  say('The recording is as long as it may be. Save it, then record on.');
}

function endRecording() {
  [recorded, recording] = [recording, undefined];
  $('record').textContent = 'Record';
  $('record').ariaPressed = 'false';
  $('recorded').hidden = $('save-json').hidden = $('save-csv').hidden = recorded.frames === 0;
}

function save(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// --- Wiring ---

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
$('screenshot').onclick = screenshot;
$('record').onclick = toggleRecording;
$('save-json').onclick = () => save(recorded.json(), 'faces.jsonl');
$('save-csv').onclick = () => save(recorded.csv(), 'faces.csv');
$('model').onclick = () => $('model-file').click();
$('model-default').onclick = () => useModel();

for (const [id, use] of [['file', open], ['model-file', useModel]]) {
  $(id).onchange = ({ target }) => {
    const [file] = target.files;
    target.value = ''; // The same file may be chosen again.
    if (file) use(file);
  };
}

settings.onsubmit = (event) => event.preventDefault();
for (const box of settings.querySelectorAll('input[type=checkbox]')) box.onchange = show;
$('smoothing').oninput = ({ target }) => {
  $('smoothing-value').textContent = `${Number(target.value).toFixed(2)} s`;
  networks().then(() => engine.smooth(Number(target.value))).catch((error) => say(error.message));
};
$('max-faces').onchange = () => configure().catch((error) => say(error.message));

addEventListener('resize', draw);
addEventListener('dragover', (event) => event.preventDefault());
addEventListener('dragenter', () => dropping(true));
addEventListener('dragleave', (event) => event.relatedTarget ?? dropping(false));
addEventListener('drop', (event) => {
  event.preventDefault();
  dropping(false);
  open(event.dataTransfer.files[0]);
});
function dropping(is) {
  stage.classList.toggle('dropping', is);
  $('drop').hidden = !is;
}

if ('serviceWorker' in navigator) navigator.serviceWorker.register('sw.js').catch(() => {}); // Only offline use needs it.
// `?start` opens the camera at once, where the page may have it without asking.
if (new URLSearchParams(location.search).has('start')) startCamera();
