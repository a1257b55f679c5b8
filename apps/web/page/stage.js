// The place for the picture, with the faces over it.

import { Overlay } from './draw.js';

const $ = (id) => document.getElementById(id);

/** What is shown before a source has begun and after it has ended. */
export const NOTHING = { kind: 'none', size: () => [0, 0], stop() {} };

/** No faces, before the first answer. */
export const NO_FACES = { faces: [], width: 0, height: 0 };

export class Stage {
  #stage = $('stage');
  #overlay = new Overlay($('overlay'));
  #source = NOTHING;

  /** Puts the picture of `source` in place of the one before. */
  set source(source) {
    this.#source.picture?.remove();
    this.#source = source;
    if (!source.picture) return;
    source.picture.id = 'picture';
    this.#stage.prepend(source.picture);
  }

  /** Draws the faces; `show` says what of them. */
  draw(answer, show) {
    const [pictureWidth, pictureHeight] = this.#source.size();
    this.#stage.style.setProperty('--aspect', pictureWidth ? `${pictureWidth} / ${pictureHeight}` : '4 / 3');
    this.#stage.classList.toggle('mirrored', show.mirror);
    if (answer.width) this.#overlay.draw(answer, show);
    else this.#overlay.clear();
  }

  /** The picture with the faces drawn into it, in its own size: a PNG file. */
  drawn(answer, show) {
    const { picture } = this.#source;
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [picture.videoWidth ?? picture.width, picture.videoHeight ?? picture.height];
    const context = canvas.getContext('2d');
    if (show.mirror) context.setTransform(-1, 0, 0, 1, canvas.width, 0);
    context.drawImage(picture, 0, 0);
    if (answer.width) this.#overlay.drawOnto(context, answer, show);
    return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
  }

  /** Where a file may be dropped: says so while one is held over the page. */
  acceptDrops(open) {
    const dropping = (is) => {
      this.#stage.classList.toggle('dropping', is);
      $('drop').hidden = !is;
    };
    addEventListener('dragover', (event) => event.preventDefault());
    addEventListener('dragenter', () => dropping(true));
    addEventListener('dragleave', (event) => event.relatedTarget ?? dropping(false));
    addEventListener('drop', (event) => {
      event.preventDefault();
      dropping(false);
      open(event.dataTransfer.files[0]);
    });
  }
}
