// The pixels of whatever a browser calls an image: bytes, and how they are laid out.

import { Format } from './core.js';

const FORMATS = { grey: Format.Grey, rgb: Format.Rgb, rgba: Format.Rgba, bgra: Format.Bgra };
const CHANNELS = { grey: 1, rgb: 3, rgba: 4, bgra: 4 };

/** Frames whose first plane is brightness, a byte each. */
const LUMA_FIRST = ['I420', 'I420A', 'I422', 'I422A', 'I444', 'I444A', 'NV12'];
const PACKED = { RGBA: Format.Rgba, RGBX: Format.Rgba, BGRA: Format.Bgra, BGRX: Format.Bgra };

const NO_FRAME_YET = 'the video has no frame yet: play it, or wait for requestVideoFrameCallback';

/** Reads one image at a time. */
export class Pixels {
  /** Frames are copied here, then their pixels into the wasm: a frame copies itself when it likes, and the wasm's own
   * memory may have moved by then. Drawn images need none. */
  #frameBytes = new Uint8Array();

  /** `{ bytes, width, height, stride, format }` of `source`; the bytes stay until the next call. */
  async of(source) {
    if (is(source, 'VideoFrame')) return this.#ofFrame(source);
    if (source?.data?.buffer) return described(source);
    const [width, height] = sizeOf(source);
    const frame = frameOf(source);
    try {
      // Pixels that are not square are drawn as they are seen.
      if (frame?.visibleRect.width === width && frame.visibleRect.height === height) return await this.#ofFrame(frame);
    } finally {
      frame?.close();
    }
    return drawn(source, width, height);
  }

  async #ofFrame(frame) {
    if (frame.format === undefined || !frame.visibleRect) throw new TypeError('the VideoFrame is closed');
    const { width, height } = frame.visibleRect;
    if (frame.rotation || frame.flip) {
      const turned = frame.rotation % 180 === 90;
      return drawn(frame, turned ? height : width, turned ? width : height);
    }
    const format = LUMA_FIRST.includes(frame.format) ? Format.Grey : PACKED[frame.format];
    // On the graphics card, or with more than 8 bits.
    if (format === undefined) return drawn(frame, width, height);
    const size = frame.allocationSize();
    if (this.#frameBytes.length < size) this.#frameBytes = new Uint8Array(size);
    // Of several planes the first is used, but a frame cannot be copied without the others.
    const [{ offset, stride }] = await frame.copyTo(this.#frameBytes);
    return { bytes: this.#frameBytes.subarray(offset, offset + stride * height), width, height, stride, format };
  }
}

/** Undefined in older browsers. */
function frameOf(source) {
  try {
    return globalThis.VideoFrame && new VideoFrame(source, { timestamp: 0 });
  } catch (error) {
    // What has loaded may still never have been shown.
    throw is(source, 'HTMLVideoElement') && error.name === 'InvalidStateError' ? new Error(NO_FRAME_YET) : error;
  }
}

/** ImageData, or the same with a format and a stride. */
function described({ data, width, height, format = 'rgba', stride = width * CHANNELS[format] }) {
  if (!(format in FORMATS)) throw new TypeError(`format is grey, rgb, rgba or bgra, not ${format}`);
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { bytes, width, height, stride, format: FORMATS[format] };
}

let canvas, context;

function drawn(source, width, height) {
  if (!context) {
    canvas = globalThis.OffscreenCanvas ? new OffscreenCanvas(1, 1) : document.createElement('canvas');
    context = canvas.getContext('2d', { willReadFrequently: true });
  }
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  context.drawImage(source, 0, 0, width, height);
  return described(context.getImageData(0, 0, width, height));
}

function sizeOf(source) {
  if (is(source, 'HTMLVideoElement')) {
    if (source.readyState < 2) throw new Error(NO_FRAME_YET);
    return [source.videoWidth, source.videoHeight];
  }
  if (is(source, 'HTMLImageElement')) return [source.naturalWidth, source.naturalHeight];
  if (['HTMLCanvasElement', 'OffscreenCanvas', 'ImageBitmap'].some((name) => is(source, name))) {
    return [source.width, source.height];
  }
  throw new TypeError('an image is a VideoFrame, video, canvas, ImageBitmap, img, ImageData, or { data, width, height, format } ' +
    `with decoded bytes as data, not ${Object.prototype.toString.call(source).slice(8, -1)}`);
}

/** Not every place has every type: a worker has no elements, Node has neither. */
function is(source, name) {
  return globalThis[name] !== undefined && source instanceof globalThis[name];
}
