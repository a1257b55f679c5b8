// The frames of a playing video, each as something that can be given to the worker.

/** Calls `look(frame, timeMs)` for each new frame that comes after the last call has ended; answers a function that stops. */
export function eachFrame(video, look) {
  let stopped = false;
  let waiting = false;
  const next = (seen) => {
    if (stopped) return;
    // Where the browser cannot tell when a frame is new, the screen's own rate is taken.
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback((now, { mediaTime }) => seen(now, mediaTime));
    else requestAnimationFrame((now) => seen(now, video.currentTime));
  };
  const seen = async (now, mediaTime) => {
    next(seen);
    if (waiting || video.readyState < 2) return; // The worker is busy: this frame is left out.
    waiting = true;
    try {
      const frame = globalThis.VideoFrame ? new VideoFrame(video) : await createImageBitmap(video);
      // A camera's frames count from when they came, a file's from its beginning.
      await look(frame, video.srcObject ? now : 1000 * mediaTime);
    } finally {
      waiting = false;
    }
  };
  next(seen);
  return () => {
    stopped = true;
  };
}

/** How long things take: the middle of the last few, and how many came in the last second. */
export class Pace {
  #times = [];
  #moments = [];

  add(ms) {
    this.#times.push(ms);
    if (this.#times.length > 31) this.#times.shift();
    const now = performance.now();
    this.#moments.push(now);
    while (this.#moments[0] < now - 1000) this.#moments.shift();
  }

  /** Undefined before the first. */
  get median() {
    return [...this.#times].sort((a, b) => a - b)[this.#times.length >> 1];
  }

  get perSecond() {
    return this.#moments.filter((moment) => moment > performance.now() - 1000).length;
  }
}
