// The faces of a video, kept until they are saved.

import { csvHeader, csvRows, frameRecord } from './formats.js';

/** Longest recording: 20 minutes at 30 frames a second. */
const MOST_FRAMES = 36000;

export class Recording {
  #name;
  /** Text takes a third of the memory that objects take. */
  #lines = [];
  #beginMs;

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

  /** Adds the faces of a frame: an answer of the worker, with the frame's size. */
  add({ faces, width, height, ms }, timeMs) {
    this.#beginMs ??= timeMs;
    const secs = (timeMs - this.#beginMs) / 1000;
    this.#lines.push(JSON.stringify(frameRecord({ name: this.#name, frame: this.frames, secs, width, height, ms, faces })));
  }

  json() {
    return new Blob(this.#lines.map((line) => `${line}\n`), { type: 'application/jsonl' });
  }

  csv() {
    return new Blob([csvHeader, ...this.#lines.map((line) => csvRows(JSON.parse(line)))], { type: 'text/csv' });
  }
}
