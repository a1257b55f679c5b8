// Frames of a Y4M film as a camera gives them.

/** `frame(i)` answers a new VideoFrame; close it. */
export async function readFilm(address) {
  const bytes = new Uint8Array(await (await fetch(address)).arrayBuffer());
  const end = bytes.indexOf(10);
  const [, width, height, rate, secs] = new TextDecoder().decode(bytes.subarray(0, end)).match(/W(\d+) H(\d+) F(\d+):(\d+)/).map(Number);
  const size = width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2);
  const count = Math.floor((bytes.length - end - 1) / (6 + size));
  return {
    fps: rate / secs,
    frame(i) {
      const at = end + 1 + (i % count) * (6 + size) + 6;
      return new VideoFrame(bytes.subarray(at, at + size), { format: 'I420', codedWidth: width, codedHeight: height, timestamp: (1e6 * i * secs) / rate });
    },
  };
}

/** The frame on a canvas, for those who take no frames. Part of their time: a page has to do it as well. */
export function drawn(frame) {
  canvas ??= Object.assign(document.createElement('canvas'), { width: frame.displayWidth, height: frame.displayHeight });
  context ??= canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(frame, 0, 0);
  frame.close();
  return canvas;
}
let canvas, context;
