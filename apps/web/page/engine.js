// The worker as a set of functions: each sends a message and promises the answer.

async function compiled() {
  const answer = await fetch(new URL('lineament/lineament.wasm', import.meta.url));
  if (!answer.ok) throw new Error(`lineament.wasm: the server answers ${answer.status} ${answer.statusText}`);
  return WebAssembly.compile(await answer.arrayBuffer());
}

export class Engine {
  #worker;
  /** Compiled here, while the worker starts. */
  #wasm = compiled();
  /** What made the networks ready, for a worker that takes the place of this one. */
  #configured;
  /** Which points they place. */
  #topology;
  #waiting = new Map();
  #number = 0;

  constructor() {
    this.#wasm.catch(() => {}); // Told when it is needed.
    this.#start();
  }

  /** Makes networks ready; answers which points they place. */
  async configure(options) {
    this.#wasm = this.#wasm.catch(compiled);
    const argument = { ...options, wasm: await this.#wasm };
    this.#topology = await this.#ask('configure', argument);
    this.#configured = argument;
    return this.#topology;
  }

  /** Changes the smoothing of the frames that follow. */
  smooth(smoothing) {
    return this.#ask('smooth', { smoothing });
  }

  /** Forgets the faces, for another video. */
  reset() {
    return this.#ask('reset');
  }

  /** Follows the faces; `frame` is given away. The answer says which points they have. */
  track(frame, timeMs) {
    return this.#faces('track', { frame, timeMs });
  }

  /** Finds the faces of a photo; `frame` is given away. The answer says which points they have. */
  photo(frame) {
    return this.#faces('photo', { frame });
  }

  async #faces(call, argument) {
    const answer = await this.#ask(call, argument, [argument.frame]);
    // The worker answers in order: these are still the points of the networks that it was last told to use.
    return { ...answer, topology: this.#topology };
  }

  #start() {
    const worker = new Worker(new URL('worker.js', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data: { number, result, error } }) => {
      const call = this.#waiting.get(number);
      if (!call) return; // The worker failed since, and whoever called was told so.
      this.#waiting.delete(number);
      error === undefined ? call.resolve(result) : call.reject(new Error(error));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      worker.terminate();
      if (this.#worker === worker) this.#worker = undefined;
      const error = new Error(event.message ?? 'the worker cannot be started');
      this.#waiting.forEach(({ reject }) => reject(error));
      this.#waiting.clear();
    };
    this.#worker = worker;
  }

  #ask(call, argument, transfer) {
    if (!this.#worker) {
      this.#start();
      if (call !== 'configure' && this.#configured) this.#send('configure', this.#configured).catch(() => {}); // The call fails, too.
    }
    return this.#send(call, argument, transfer);
  }

  #send(call, argument, transfer = []) {
    return new Promise((resolve, reject) => {
      const number = this.#number++;
      this.#waiting.set(number, { resolve, reject });
      this.#worker.postMessage({ number, call, argument }, transfer);
    });
  }
}
