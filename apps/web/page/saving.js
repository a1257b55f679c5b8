// What can be saved: the picture with its faces, the points of a photo, the faces of a video.

import { photoLine, pts } from './formats.js';
import { Recording } from './recording.js';

const $ = (id) => document.getElementById(id);

export class Saving {
  #current;
  #say;
  /** The recording that goes on. */
  #recording;
  #recorded;

  /** `current()` answers `{ source, answer, picture }`: what is shown, its faces, and both as a promised PNG file. */
  constructor(current, say) {
    this.#current = current;
    this.#say = say;
    $('save-picture').onclick = async () => {
      const { source, picture } = current();
      save(await picture(), `${stem(source.name)}-points.png`);
    };
    $('save-photo-json').onclick = () => {
      const { source, answer } = current();
      save(new Blob([photoLine({ name: source.name, ...answer })], { type: 'application/json' }), `${stem(source.name)}.json`);
    };
    $('save-photo-pts').onclick = () => {
      const { source, answer } = current();
      answer.faces.forEach(({ face }, i) => {
        save(new Blob([pts(face)], { type: 'text/plain' }), `${stem(source.name)}${i ? `.face${i + 1}` : ''}.pts`);
      });
    };
    $('record').onclick = () => (this.#recording ? this.end() : this.#begin());
    $('save-json').onclick = () => save(this.#recorded.json(), 'faces.jsonl');
    $('save-csv').onclick = () => save(this.#recorded.csv(), 'faces.csv');
  }

  /** Shows the buttons that fit what is shown. */
  show() {
    const { source: { kind }, answer } = this.#current();
    $('save-picture').hidden = kind === 'none';
    $('save-photo-json').hidden = $('save-photo-pts').hidden = kind !== 'photo' || answer.faces.length === 0;
    $('record').hidden = kind !== 'camera' && kind !== 'video';
  }

  /** The faces of a frame, for a recording that goes on. */
  addFrame(answer, timeMs) {
    if (!this.#recording) return;
    if (!this.#recording.fits(answer)) {
      this.end();
      this.#say('The recording has ended: from here on faces have other points. Save it, then start another.');
      return;
    }
    this.#recording.add(answer, timeMs);
    $('recorded-frames').textContent = `${this.#recording.frames} frames`;
    if (!this.#recording.isFull) return;
    this.end();
    this.#say('The recording has ended: it is as long as the memory of a page allows. Save it, then start another.');
  }

  /** Ends the recording, if there is one; what was recorded can be saved. */
  end() {
    if (!this.#recording) return;
    [this.#recorded, this.#recording] = [this.#recording, undefined];
    $('record').textContent = 'Record';
    $('record').ariaPressed = 'false';
    $('recorded').hidden = $('save-json').hidden = $('save-csv').hidden = this.#recorded.frames === 0;
  }

  #begin() {
    this.#recording = new Recording(this.#current().source.name);
    $('record').textContent = 'Stop recording';
    $('record').ariaPressed = 'true';
    $('recorded').hidden = false;
    $('save-json').hidden = $('save-csv').hidden = true;
    $('recorded-frames').textContent = '0 frames';
  }
}

function save(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A file's name without its ending. */
const stem = (name) => name.replace(/\.[^.]*$/, '');
