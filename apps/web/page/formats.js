// Faces as `lineament run` writes them: JSON, CSV and .pts, in pixels of the picture.

const CSV_COLUMNS = ['video', 'frame', 'time', 'width', 'height', 'id',
  'box_x', 'box_y', 'box_width', 'box_height', 'score', 'roll', 'yaw', 'pitch'];
const POINT_COLUMNS = ['x', 'y', 'error'];

/** These are known by their numbers; others are named. */
const isIbug68 = ({ name }) => name === 'ibug68';

/** The faces of a photo as a line of JSON. */
export function photoLine({ name, width, height, ms, faces, topology }) {
  const records = faces.map(({ face }) => faceRecord(face, topology));
  return `${JSON.stringify({ image: name, width, height, ms: rounded(ms, 2), faces: records })}\n`;
}

/** The faces of a frame as an object for JSON; `secs` counts from the first frame. */
export function frameRecord({ name, frame, secs, width, height, ms, faces, topology }) {
  const records = faces.map(({ id, face }) => ({ id, ...faceRecord(face, topology) }));
  return { video: name, frame, time: rounded(secs, 4), width, height, ms: rounded(ms, 2), faces: records };
}

/** Three columns a point: `x0,y0,error0`, or `NAME_x,NAME_y,NAME_error`. */
export function csvHeader(topology) {
  const columns = (name, i) => POINT_COLUMNS.map((what) => (isIbug68(topology) ? `${what}${i}` : `${name}_${what}`));
  return `${[...CSV_COLUMNS, ...topology.points.flatMap(columns)].join(',')}\n`;
}

/** The rows of a frame, one per face, from its `frameRecord`. Without a pose the angles are empty. */
export function csvRows({ video, frame, time, width, height, faces }) {
  return faces.map(({ id, box, score, points, errors, pose }) => `${[quoted(video), frame, time, width, height, id, ...box, score,
    pose?.roll, pose?.yaw, pose?.pitch, ...points.flatMap(([x, y], i) => [x, y, errors[i]])].join(',')}\n`).join('');
}

/** The points of one face as 300-W's files have them: they count from 1, and whole numbers are centres of pixels. */
export function pts({ landmarks: { points } }) {
  const rows = points.map(({ x, y }) => `${(x + 0.5).toFixed(3)} ${(y + 0.5).toFixed(3)}\n`);
  return `version: 1\nn_points: ${points.length}\n{\n${rows.join('')}}\n`;
}

/** An angle in degrees, to a tenth. */
export const degrees = (radians) => rounded((radians * 180) / Math.PI, 1);

/** What a topology or a detector does not offer is left out. */
function faceRecord({ box, detection, landmarks: { points, errors, score, pose } }, topology) {
  return {
    box: boxRecord(box),
    score: rounded(score, 4),
    ...(!isIbug68(topology) && { topology: topology.name, names: topology.points }),
    points: pairs(points),
    errors: errors.map((error) => rounded(error, 2)),
    ...(pose && { pose: { roll: degrees(pose.rollRad), yaw: degrees(pose.yawRad), pitch: degrees(pose.pitchRad) } }),
    detection: {
      box: boxRecord(detection.rect),
      score: rounded(detection.score, 4),
      ...(detection.points && { points: pairs(detection.points) }),
    },
  };
}

const boxRecord = ({ x, y, width, height }) => [x, y, width, height].map((v) => rounded(v, 2));

const pairs = (points) => points.map(({ x, y }) => [rounded(x, 2), rounded(y, 2)]);

/** Without a negative zero. */
const rounded = (value, digits) => Math.round(value * 10 ** digits) / 10 ** digits + 0;

const quoted = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
