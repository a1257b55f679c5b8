// The same in Node, where the wasm is a file beside this one.

import { readFile } from 'node:fs/promises';

import { Lineament as Web, load as loadWeb } from './lineament.js';

export function load(wasm = readFile(new URL('./lineament.wasm', import.meta.url))) {
  return loadWeb(wasm);
}

export class Lineament extends Web {
  static async create({ wasm, ...options } = {}) {
    await load(wasm);
    return super.create(options);
  }
}
