// The options of `Lineament.create`, checked and brought to the wasm. Ranges and defaults are the Rust library's.

import { Settings } from './core.js';

/** The options for finding and following faces, with their types. */
const TYPES = {
  minFace: 'number',
  maxFaces: 'number',
  detectorThreshold: 'number',
  faceThreshold: 'number',
  refine: 'boolean',
  searchEverySecs: 'number',
  rememberSecs: 'number',
};
const SMOOTHING_TYPES = { settleSecs: 'number', tolerance: 'number' };

/** Calls `use(settings)` with what `options` say; what is undefined keeps its default. */
export function withSettings({ smoothing, ...options }, use) {
  const settings = new Settings();
  try {
    setAll(settings, '', TYPES, options);
    if (smoothing === false) settings.doNotSmooth();
    else if (typeof smoothing === 'number') setAll(settings, 'smoothing.', SMOOTHING_TYPES, { settleSecs: smoothing });
    else if (isPlain(smoothing)) setAll(settings, 'smoothing.', SMOOTHING_TYPES, smoothing);
    else if (smoothing !== undefined) {
      throw new TypeError(`smoothing is seconds, { settleSecs, tolerance }, or false, not ${smoothing}`);
    }
    return use(settings);
  } finally {
    settings.free();
  }
}

function setAll(settings, prefix, types, options) {
  for (const [name, value] of Object.entries(options)) {
    const type = types[name];
    if (!type) throw new TypeError(`there is no option ${prefix}${name}, only ${Object.keys(types).join(', ')}`);
    if (value === undefined) continue;
    if (typeof value !== type) throw new TypeError(`${prefix}${name} is a ${type}, not ${JSON.stringify(value)}`);
    settings.set(prefix + name, Number(value));
  }
}

const isPlain = (value) => typeof value === 'object' && value !== null;
