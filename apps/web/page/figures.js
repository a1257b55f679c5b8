// The numbers below the picture: how many faces there are and what each does, and how long it takes to say so.

import { Pace } from './frames.js';

/** Numbers that change with each frame cannot be read. */
const REFRESH_MS = 250;

/** Three columns that say nothing. */
const DASHES = ['–', '–', '–'];

const $ = (id) => document.getElementById(id);

export class Figures {
  #frames;
  #following;
  #searching;
  #faces;
  #toldMs;
  #announced = '';

  constructor() {
    this.clear();
  }

  /** For another source. */
  clear() {
    [this.#frames, this.#following, this.#searching] = [new Pace(), new Pace(), new Pace()];
    [this.#faces, this.#toldMs] = [0, -Infinity];
    for (const figure of document.querySelectorAll('#figures dd')) figure.textContent = '–';
    this.#tellFaces({ faces: [] });
    $('overlay').setAttribute('aria-label', 'No picture yet');
    $('status').textContent = this.#announced = '';
  }

  /** Counts a frame of a video. Frames in which faces are searched take longer by what the detector takes. */
  addFrame(answer) {
    const { faces, searched, ms } = answer;
    this.#frames.add(ms);
    if (faces.length !== this.#faces) {
      this.#faces = faces.length;
      [this.#following, this.#searching] = [new Pace(), new Pace()];
    } else {
      (searched ? this.#searching : this.#following).add(ms);
    }
    const nowMs = performance.now();
    if (nowMs - this.#toldMs < REFRESH_MS) return;
    this.#toldMs = nowMs;
    const followMs = faces.length ? this.#following.median : 0;
    this.#tell(answer, this.#frames.perSecond, followMs / faces.length, this.#searching.median - followMs);
  }

  /** Tells about a photo. */
  photo(answer) {
    this.#tell(answer, '–', answer.pointsMs, answer.searchMs);
  }

  #tell(answer, perSecond, pointsMs, searchMs) {
    const { faces } = answer;
    $('faces').textContent = faces.length;
    $('fps').textContent = perSecond;
    $('points-ms').textContent = ms(pointsMs);
    $('search-ms').textContent = ms(searchMs);
    this.#tellFaces(answer);
    const text = counted(faces.length);
    $('overlay').setAttribute('aria-label', `Picture with ${text}`);
    // For those who listen: only when the number of faces has changed.
    if (text !== this.#announced) $('status').textContent = this.#announced = text;
  }

  /** A row per face, and what their topology does not offer. */
  #tellFaces({ faces, topology }) {
    const body = $('face-rows');
    while (body.rows.length > faces.length) body.deleteRow(-1);
    while (body.rows.length < faces.length) {
      const row = body.insertRow();
      row.append(Object.assign(document.createElement('th'), { scope: 'row' }));
      for (let i = 0; i < 7; i++) row.insertCell();
    }
    faces.forEach(({ id, face }, i) => {
      [id ?? i + 1, ...figuresOf(face)].forEach((text, column) => (body.rows[i].cells[column].textContent = text));
    });
    $('face-table').hidden = faces.length === 0;
    const missing = faces.length ? notOffered(faces[0].face) : [];
    $('not-offered').hidden = missing.length === 0;
    if (missing.length) $('not-offered').textContent = `Not offered by ${topology.name}: ${missing.join(', ')}.`;
  }
}

function figuresOf({ landmarks: { pose, errors }, expression }) {
  const degrees = (angle) => `${whole((angle * 180) / Math.PI)}°`;
  const angles = pose ? [pose.rollRad, pose.yawRad, pose.pitchRad].map(degrees) : DASHES;
  const openings = expression
    ? [expression.rightEyeOpen, expression.leftEyeOpen, expression.mouthOpen].map((share) => share.toFixed(2))
    : DASHES;
  const error = errors.reduce((sum, each) => sum + each, 0) / errors.length;
  return [...angles, ...openings, `${error.toFixed(1)} px`];
}

/** What the topology of a face does not tell. */
function notOffered({ landmarks: { pose }, expression }) {
  return [...(pose ? [] : ['angles']), ...(expression ? [] : ['openings of eyes and mouth'])];
}

/** With a true minus sign, and without a negative zero. */
const whole = (value) => String(Math.round(value) + 0).replace('-', '−');

const counted = (faces) => (faces === 1 ? '1 face' : `${faces || 'no'} faces`);

/** What was not measured is a dash. */
const ms = (value) => (value > 0 && value < Infinity ? `${value < 10 ? value.toFixed(1) : Math.round(value)} ms` : '–');
