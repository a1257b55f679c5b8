// Facial landmarks in the browser: what is documented in lineament.d.ts.

import init, { Core } from './core.js';
import { withSettings } from './options.js';
import { Pixels } from './pixels.js';
import { readAll } from './records.js';
import { topologyOf } from './topology.js';

const FREED = 'this Lineament was freed';

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
  #options;
  #topology;
  #pixels = new Pixels();
  #points;
  #searched = false;
  #freed = false;
  /** Calls run one after another: they share the memory that holds the image. */
  #last = Promise.resolve();

  /** Use `Lineament.create`. */
  constructor(core, memory, options) {
    this.#core = core;
    this.#memory = memory;
    this.#options = options;
    this.#topology = topologyOf(core);
    this.#points = new Float32Array(this.#pointNumbers);
  }

  static async create({ model, detector, wasm, ...options } = {}) {
    const [{ memory }, ...files] = await Promise.all([load(wasm), bytesOf(detector), bytesOf(model)]);
    const core = withSettings(options, (settings) => new Core(settings, ...files));
    return new Lineament(core, memory, options);
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

  get topology() {
    return this.#topology;
  }

  get points() {
    return this.#points;
  }

  get searched() {
    return this.#searched;
  }

  set smoothing(smoothing) {
    this.#throwIfFreed();
    const options = { ...this.#options, smoothing };
    withSettings(options, (settings) => settings.checkSmoothing()); // Whoever sets it is told, not whoever calls next.
    this.#options = options;
    this.#queue((core) => withSettings(options, (settings) => core.follow(settings)));
  }

  reset() {
    this.#throwIfFreed();
    this.#queue((core) => {
      core.reset();
      this.#searched = core.searched();
    });
  }

  free() {
    if (!this.#freed) this.#queue((core) => core.free());
    this.#freed = true;
  }

  /** Numbers of one face in `points`: x and y of each point. */
  get #pointNumbers() {
    return 2 * this.#topology.points.length;
  }

  /** Calls `step(core)` when all calls before have been answered. */
  #queue(step) {
    const answer = this.#last.then(() => step(this.#core));
    this.#last = answer.catch(() => {}); // Whoever called is told; the next call goes on.
    return answer;
  }

  #run(source, call, record) {
    if (this.#freed) return Promise.reject(new Error(FREED));
    return this.#queue(async (core) => {
      const { bytes, width, height, stride, format } = await this.#pixels.of(source);
      // From here on nothing waits, and `#memory.buffer` is asked for each time: a view of the wasm's memory is empty as
      // soon as the memory grows, for an image or for another Lineament.
      const address = core.pixels(bytes.length);
      new Uint8Array(this.#memory.buffer, address, bytes.length).set(bytes);
      core.describe(width, height, stride, format);
      const count = call(core);
      const [numbersAddress, length] = [core.numbers(), core.numbersLength()];
      const numbers = new Float64Array(this.#memory.buffer, numbersAddress, length);
      this.#searched = core.searched();
      return this.#keepPoints(readAll(numbers, count, record));
    });
  }

  #throwIfFreed() {
    if (this.#freed) throw new Error(FREED);
  }

  #keepPoints({ results, pointsAt, numbers }) {
    const length = this.#pointNumbers;
    const needed = length * Math.max(pointsAt.length, this.#options.maxFaces ?? 0);
    if (this.#points.length < needed) this.#points = new Float32Array(needed);
    pointsAt.forEach((at, i) => this.#points.set(numbers.subarray(at, at + length), i * length));
    return results;
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
