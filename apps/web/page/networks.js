// The networks in use: those inside the package, or a landmark network of the user's own.

const $ = (id) => document.getElementById(id);

export class Networks {
  #engine;
  #options;
  #own;
  #loading;

  /** `options()` says how faces are found. */
  constructor(engine, options) {
    this.#engine = engine;
    this.#options = options;
    this.#loading = this.configure();
    this.#loading.catch(() => {}); // Whoever needs the networks is told.
  }

  /** Outlines and triangles of a face, once the networks are ready; loading is tried again where it failed. */
  ready() {
    this.#loading = this.#loading.catch(() => this.configure());
    return this.#loading;
  }

  /** Makes the networks ready by the options as they are now. */
  configure() {
    return this.#engine.configure({ ...this.#options(), model: this.#own?.bytes });
  }

  /** Uses the landmark network of `file`, or without one that of the package. */
  async use(file) {
    const before = this.#own;
    try {
      this.#own = file && { name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) };
      await this.configure();
    } catch (error) {
      this.#own = before;
      throw new Error(`${file?.name ?? 'lite'} cannot be used: ${error.message}. The networks from before stay in use.`, { cause: error });
    }
    $('model-name').textContent = this.#own?.name ?? 'lite';
    $('model-default').hidden = !this.#own;
  }
}
