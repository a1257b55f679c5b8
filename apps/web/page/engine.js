// The worker as a set of functions: each sends a message and promises the answer.

export class Engine {
  #worker = new Worker(new URL('worker.js', import.meta.url), { type: 'module' });
  #waiting = new Map();
  #number = 0;

  constructor() {
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
  configure(options) {
    return this.#ask('configure', options);
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
