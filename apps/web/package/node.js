// The same in Node, where the wasm is a file next to this one and model files may be paths.

import { readFile } from 'node:fs/promises';

import { Lineament as Web, load as loadWeb } from './lineament.js';

export function load(wasm = readFile(new URL('./lineament.wasm', import.meta.url))) {
  return loadWeb(wasm);
}

export class Lineament extends Web {
  static async create({ wasm, detector, model, ...options } = {}) {
    const [detectorFile, modelFile] = await Promise.all([opened(detector), opened(model), load(wasm)]);
    return super.create({ ...options, detector: detectorFile, model: modelFile });
  }
}

/** What `fetch` does not reach: paths and addresses of files. */
function opened(file) {
  const isFile = file instanceof URL ? file.protocol === 'file:' : typeof file === 'string' && !/^[a-z]{2,}:/i.test(file);
  return isFile ? readFile(file) : file;
}
