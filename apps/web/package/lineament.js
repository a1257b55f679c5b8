// Facial landmarks in the browser: what is documented in lineament.d.ts.

import init, { Core, outlines, triangles } from './core.js';
import { copyPixels } from './pixels.js';
import { readAll } from './records.js';

/** Numbers of one face in `points`: x and y of 68 points. */
const POINT_NUMBERS = 136;

let loading;

/** Loads the wasm once; `wasm` is where it lies, or its bytes. */
export function load(wasm = new URL('./lineament.wasm', import.meta.url)) {
  loading ??= init({ module_or_path: wasm }).catch((error) => {
    loading = undefined; // The next call may find the network back.
    throw error;
  });
  return loading;
}

export class Lineament {
  #core;
  #memory;
  #maxFaces;
  #points = new Float32Array(POINT_NUMBERS);
  /** Calls run one after another: they share the memory that holds the image. */
  #last = Promise.resolve();

  /** Use `Lineament.create`. */
  constructor(core, memory, maxFaces) {
    this.#core = core;
    this.#memory = memory;
    this.#maxFaces = maxFaces;
  }

  static async create({ model, detector, maxFaces, smoothing = 0.2, wasm } = {}) {
    if (maxFaces !== undefined && !(Number.isInteger(maxFaces) && maxFaces > 0)) {
      throw new RangeError(`maxFaces is a whole number from 1, not ${maxFaces}`);
    }
    const [{ memory }, ...files] = await Promise.all([load(wasm), bytesOf(detector), bytesOf(model)]);
    return new Lineament(new Core(...files, maxFaces, secondsOf(smoothing)), memory, maxFaces);
  }

  track(source, timeMs = performance.now()) {
    return this.#run(source, (core) => core.track(timeMs / 1000), (read) => read.tracked());
  }

  faces(source) {
    return this.#run(source, (core) => core.faces(), (read) => read.face());
  }

  detect(source) {
    return this.#run(source, (core) => core.detect(), (read) => read.detection());
  }

  async landmarks(source, box) {
    if (!box) throw new TypeError('landmarks needs a box: { x, y, width, height }, or what detect answers');
    const { x, y, width, height } = box.rect ?? box;
    const points = (box.points ?? []).flatMap((point) => [point.x, point.y]);
    const place = Float32Array.of(x, y, width, height, ...points);
    const found = await this.#run(source, (core) => core.landmarks(place), (read) => read.landmarks());
    return found[0];
  }

  get points() {
    return this.#points;
  }

  get searched() {
    return this.#alive().searched();
  }

  set smoothing(smoothing) {
    this.#alive().smooth(secondsOf(smoothing));
  }

  reset() {
    this.#alive().reset();
  }

  free() {
    const core = this.#core;
    this.#core = undefined;
    this.#last.then(() => core?.free()); // A frame may still be on its way into the memory.
  }

  static get outlines() {
    const [numbers, lines] = [outlines(), []];
    for (let i = 0; i < numbers.length; i += 3) {
      lines.push({ first: numbers[i], end: numbers[i + 1], closed: numbers[i + 2] === 1 });
    }
    return lines;
  }

  static get triangles() {
    return triangles();
  }

  #run(source, call, record) {
    const turn = this.#last.then(async () => {
      await copyPixels(source, (bytes) => {
        const address = this.#alive().pixels(bytes);
        return new Uint8Array(this.#memory.buffer, address, bytes);
      }, (...layout) => this.#alive().describe(...layout));
      const core = this.#alive();
      const count = call(core);
      // Made anew each time: memory that grows leaves older views empty.
      const numbers = new Float64Array(this.#memory.buffer, core.numbers(), core.numbersLength());
      return this.#keepPoints(readAll(numbers, count, record));
    });
    this.#last = turn.catch(() => {}); // Whoever called is told; the next call goes on.
    return turn;
  }

  #keepPoints({ results, pointsAt, numbers }) {
    const needed = POINT_NUMBERS * (this.#maxFaces ?? pointsAt.length);
    if (this.#points.length < needed) this.#points = new Float32Array(needed);
    pointsAt.forEach((at, i) => this.#points.set(numbers.subarray(at, at + POINT_NUMBERS), i * POINT_NUMBERS));
    return results;
  }

  #alive() {
    if (!this.#core) throw new Error('this Lineament was freed');
    return this.#core;
  }
}

/** Bytes, something that has them, or an address. */
async function bytesOf(file) {
  if (file === undefined || file === null) return undefined;
  if (typeof file === 'string' || file instanceof URL) {
    const response = await fetch(file);
    if (!response.ok) throw new Error(`${file}: the server answers ${response.status} ${response.statusText}`);
    file = response;
  }
  if (!(file instanceof Response)) file = new Response(file);
  return new Uint8Array(await file.arrayBuffer());
}

/** Seconds, or undefined where nothing is smoothed. */
function secondsOf(smoothing) {
  return smoothing === false ? undefined : Number(smoothing);
}
