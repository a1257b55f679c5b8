// The frames of a playing video, each as an object that can be given to the worker.

/**
 * Calls `process(frame, timeMs)`, which closes the frame, for one frame after another; answers a function that stops. A frame
 * that comes meanwhile waits, and is dropped when a newer one comes.
 */
export function eachFrame(video, process) {
  let stopped = false;
  let busy = false;
  let newest;
  const replace = (next) => {
    newest?.frame.close();
    newest = next;
  };
  const next = () => {
    if (stopped) return;
    // Where the browser cannot tell when a frame is new, the screen's own rate is taken.
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback((now, { mediaTime }) => seen(now, mediaTime));
    else requestAnimationFrame((now) => seen(now, video.currentTime));
  };
  const seen = async (now, mediaTime) => {
    next();
    if (stopped || video.readyState < 2) return;
    // A camera's frames count from when they came, a file's from its beginning.
    const timeMs = video.srcObject ? now : 1000 * mediaTime;
    replace({ frame: globalThis.VideoFrame ? new VideoFrame(video) : await createImageBitmap(video), timeMs });
    if (stopped) replace();
    if (busy) return;
    busy = true;
    try {
      while (newest) {
        const { frame, timeMs } = newest;
        newest = undefined; // Given away.
        await process(frame, timeMs);
      }
    } finally {
      busy = false;
    }
  };
  next();
  return () => {
    stopped = true;
    replace();
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
