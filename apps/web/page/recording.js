// Faces of a video, kept as `lineament run --format json` and `--format csv` write them.

/** Longest recording: 20 minutes at 30 frames a second. */
const MOST_FRAMES = 36000;

const COLUMNS = ['video', 'frame', 'time', 'width', 'height', 'id',
  'box_x', 'box_y', 'box_width', 'box_height', 'score', 'roll', 'yaw', 'pitch',
  ...Array.from({ length: 68 }, (_, i) => [`x${i}`, `y${i}`, `error${i}`]).flat()];

export class Recording {
  #name;
  #lines = [];
  #begin;

  /** `name` stands in the column `video`. */
  constructor(name) {
    this.#name = name;
  }

  get frames() {
    return this.#lines.length;
  }

  /** False when nothing more fits. */
  add({ faces, width, height, ms }, timeMs) {
    if (this.frames >= MOST_FRAMES) return false;
    this.#begin ??= timeMs;
    const line = {
      video: this.#name,
      frame: this.frames,
      time: rounded((timeMs - this.#begin) / 1000, 4),
      width,
      height,
      ms: rounded(ms, 2),
      faces: faces.map(({ id, face }) => record(id, face)),
    };
    this.#lines.push(JSON.stringify(line)); // A third of the memory that objects take.
    return true;
  }

  json() {
    return new Blob(this.#lines.map((line) => `${line}\n`), { type: 'application/jsonl' });
  }

  csv() {
    const rows = this.#lines.flatMap((line) => {
      const { video, frame, time, width, height, faces } = JSON.parse(line);
      return faces.map(({ id, box, score, points, errors, pose }) => [quoted(video), frame, time, width, height, id, ...box,
        score, pose.roll, pose.yaw, pose.pitch, ...points.flatMap(([x, y], i) => [x, y, errors[i]])].join(','));
    });
    return new Blob([COLUMNS, ...rows].map((row) => `${row}\n`), { type: 'text/csv' });
  }
}

function record(id, { rect, landmarks: { points, errors, score, pose } }) {
  return {
    id,
    box: [rect.x, rect.y, rect.width, rect.height].map((v) => rounded(v, 2)),
    score: rounded(score, 4),
    points: points.map(({ x, y }) => [rounded(x, 2), rounded(y, 2)]),
    errors: errors.map((error) => rounded(error, 2)),
    pose: { roll: degrees(pose.rollRad), yaw: degrees(pose.yawRad), pitch: degrees(pose.pitchRad) },
  };
}

const degrees = (radians) => rounded((radians * 180) / Math.PI, 1);

/** Without a negative zero. */
const rounded = (value, digits) => Math.round(value * 10 ** digits) / 10 ** digits + 0;

const quoted = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
