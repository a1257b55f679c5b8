// The networks in use: those inside the package, or the user's own.

const $ = (id) => document.getElementById(id);

/** The networks that files can replace, by the options of the package that take them: how those inside are called. */
const INSIDE = { model: 'lite', detector: 'built in' };

export class Networks {
  #engine;
  #options;
  #told;
  /** The files in use: `{ name, bytes }` by option. */
  #own = {};
  #loading;
  /** Changes wait for each other: one that fails leaves the networks from before. */
  #last = Promise.resolve();

  /** `options()` says how faces are found; calls `told(topology)` when networks are in use. */
  constructor(engine, options, told) {
    this.#engine = engine;
    this.#options = options;
    this.#told = told;
    this.#loading = this.configure();
    this.#loading.catch(() => {}); // Whoever needs the networks is told.
  }

  /** Waits until the networks are ready; loading is tried again where it failed. */
  ready() {
    this.#loading = this.#loading.catch(() => this.configure());
    return this.#loading;
  }

  /** Makes the networks ready by the options as they are now. */
  configure() {
    return this.#queue(() => this.#configure(this.#own));
  }

  /** Uses `file` as `option`, which is `model` or `detector`; without one what the package has. */
  use(option, file) {
    return this.#queue(async () => {
      const name = file?.name ?? INSIDE[option];
      try {
        const own = { ...this.#own, [option]: file && { name, bytes: new Uint8Array(await file.arrayBuffer()) } };
        await this.#configure(own);
        this.#own = own;
      } catch (error) {
        throw new Error(`${name} cannot be used: ${error.message}. The networks from before stay in use.`, { cause: error });
      }
      $(`${option}-name`).textContent = name;
      $(`${option}-default`).hidden = !file;
    });
  }

  async #configure({ model, detector }) {
    this.#told(await this.#engine.configure({ ...this.#options(), model: model?.bytes, detector: detector?.bytes }));
  }

  #queue(change) {
    const done = this.#last.then(change);
    this.#last = done.catch(() => {}); // Whoever called is told.
    return done;
  }
}
