// The faces of a video, kept until they are saved.

import { csvHeader, csvRows, frameRecord } from './formats.js';

/** Longest recording: 20 minutes at 30 frames a second. */
const MOST_FRAMES = 36000;

export class Recording {
  #name;
  /** Text takes a third of the memory that objects take. */
  #lines = [];
  #beginMs;
  /** What stands above the table: the same points have the same. */
  #header;

  /** `name` is what the video is called. */
  constructor(name) {
    this.#name = name;
  }

  get frames() {
    return this.#lines.length;
  }

  get isFull() {
    return this.frames >= MOST_FRAMES;
  }

  /** Whether the faces of an answer have the points of those before: all rows of a table have the same columns. */
  fits({ topology }) {
    return this.#header === undefined || this.#header === csvHeader(topology);
  }

  /** Adds the faces of a frame: an answer of the engine, with the frame's size. */
  add({ faces, topology, width, height, ms }, timeMs) {
    this.#header ??= csvHeader(topology);
    this.#beginMs ??= timeMs;
    const secs = (timeMs - this.#beginMs) / 1000;
    this.#lines.push(JSON.stringify(frameRecord({ name: this.#name, frame: this.frames, secs, width, height, ms, faces, topology })));
  }

  json() {
    return new Blob(this.#lines.map((line) => `${line}\n`), { type: 'application/jsonl' });
  }

  csv() {
    return new Blob([this.#header, ...this.#lines.map((line) => csvRows(JSON.parse(line)))], { type: 'text/csv' });
  }
}
