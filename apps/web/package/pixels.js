// The pixels of whatever a browser calls an image, copied once, to where they are looked at.

import { Format } from './core.js';

const FORMATS = { grey: Format.Grey, rgb: Format.Rgb, rgba: Format.Rgba, bgra: Format.Bgra };
const CHANNELS = { grey: 1, rgb: 3, rgba: 4, bgra: 4 };

/** Frames whose first plane is brightness, a byte each. */
const LUMA_FIRST = ['I420', 'I420A', 'I422', 'I422A', 'I444', 'I444A', 'NV12'];
const PACKED = { RGBA: Format.Rgba, RGBX: Format.Rgba, BGRA: Format.Bgra, BGRX: Format.Bgra };

/**
 * Copies the pixels of `source` to what `room(bytes)` answers, then says by `describe(width, height, stride, format)`
 * what they are.
 */
export async function copyPixels(source, room, describe) {
  if (is(source, 'VideoFrame')) return copyFrame(source, room, describe);
  if (source?.data?.buffer) return copyBytes(source, room, describe);
  const [width, height] = sizeOf(source);
  const frame = frameOf(source);
  try {
    // Pixels that are not square are drawn as they are seen.
    if (frame?.visibleRect.width === width && frame.visibleRect.height === height) {
      return await copyFrame(frame, room, describe);
    }
  } finally {
    frame?.close();
  }
  copyDrawn(source, width, height, room, describe);
}

const NO_FRAME_YET = 'the video has no frame yet: play it, or wait for requestVideoFrameCallback';

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
function copyBytes({ data, width, height, format = 'rgba', stride = width * CHANNELS[format] }, room, describe) {
  if (!(format in FORMATS)) throw new TypeError(`format is grey, rgb, rgba or bgra, not ${format}`);
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  room(bytes.length).set(bytes);
  describe(width, height, stride, FORMATS[format]);
}

async function copyFrame(frame, room, describe) {
  if (frame.format === undefined || !frame.visibleRect) throw new TypeError('the VideoFrame is closed');
  const { width, height } = frame.visibleRect;
  if (frame.rotation || frame.flip) {
    const turned = frame.rotation % 180 === 90;
    return copyDrawn(frame, turned ? height : width, turned ? width : height, room, describe);
  }
  if (LUMA_FIRST.includes(frame.format)) {
    // The colours follow the brightness and are not looked at; a frame cannot be copied without them.
    const [luma] = await frame.copyTo(room(frame.allocationSize()));
    return describe(width, height, luma.stride, Format.Grey);
  }
  const format = PACKED[frame.format];
  if (format !== undefined) {
    const [plane] = await frame.copyTo(room(frame.allocationSize()));
    return describe(width, height, plane.stride, format);
  }
  // On the graphics card, or with more than 8 bits.
  copyDrawn(frame, width, height, room, describe);
}

let canvas, context;

function copyDrawn(source, width, height, room, describe) {
  if (!context) {
    canvas = globalThis.OffscreenCanvas ? new OffscreenCanvas(1, 1) : document.createElement('canvas');
    context = canvas.getContext('2d', { willReadFrequently: true });
  }
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  context.drawImage(source, 0, 0, width, height);
  copyBytes(context.getImageData(0, 0, width, height), room, describe);
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
