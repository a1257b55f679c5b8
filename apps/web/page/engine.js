// The worker as a set of functions: each sends a message and promises the answer.

async function compiled() {
  const answer = await fetch(new URL('lineament/lineament.wasm', import.meta.url));
  if (!answer.ok) throw new Error(`lineament.wasm: the server answers ${answer.status} ${answer.statusText}`);
  return WebAssembly.compile(await answer.arrayBuffer());
}

export class Engine {
  #worker = new Worker(new URL('worker.js', import.meta.url), { type: 'module' });
  /** Compiled here, while the worker starts. */
  #wasm = compiled();
  #waiting = new Map();
  #number = 0;

  constructor() {
    this.#wasm.catch(() => {}); // Told when it is needed.
    this.#worker.onmessage = ({ data: { number, result, error } }) => {
      const { resolve, reject } = this.#waiting.get(number);
      this.#waiting.delete(number);
      error === undefined ? resolve(result) : reject(new Error(error));
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      const error = new Error(event.message ?? 'the worker cannot be started');
      this.#waiting.forEach(({ reject }) => reject(error));
      this.#waiting.clear();
    };
  }

  /** Makes networks ready; answers the outlines and triangles of a face. */
  async configure(options) {
    this.#wasm = this.#wasm.catch(compiled);
    return this.#ask('configure', { ...options, wasm: await this.#wasm });
  }

  /** Smooths otherwise from now on. */
  smooth(smoothing) {
    return this.#ask('smooth', { smoothing });
  }

  /** Forgets the faces, for another video. */
  reset() {
    return this.#ask('reset');
  }

  /** Follows the faces; `frame` is given away. */
  track(frame, timeMs) {
    return this.#ask('track', { frame, timeMs }, [frame]);
  }

  /** Finds the faces of a photo; `frame` is given away. */
  photo(frame) {
    return this.#ask('photo', { frame }, [frame]);
  }

  #ask(call, argument, transfer = []) {
    return new Promise((resolve, reject) => {
      const number = this.#number++;
      this.#waiting.set(number, { resolve, reject });
      this.#worker.postMessage({ number, call, argument }, transfer);
    });
  }
}
