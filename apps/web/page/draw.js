// Faces over the picture. All lengths are chosen by eye on faces from 40 to 400 pixels.

/** Colours of a topology's parts, in their order and from the start again; the same as `lineament run --draw` uses. */
const COLOURS = ['#c8d7ff', '#ffbe46', '#82e678', '#46dcff', '#ff6987', '#be96ff', '#d2f05a', '#f0d2aa'];
const AXES = ['#ff5c5c', '#6ee26e', '#5c9dff'];

/** Line width in sizes of the face, and its bounds on the screen. */
const LINE = 0.011;
const LEAST_LINE = 1.2;
const MOST_LINE = 3;
/** Radius of a dot, in line widths. */
const DOT = 1.25;
/** An edge never grows softer than this, in sizes of the face. */
const SOFTEST = 0.15;

/** Height of a point's number in sizes of the face, and its least height on the screen; of a face's number on the screen. */
const NUMBER = 0.028;
const LEAST_NUMBER = 8;
const LABEL = 18;

const SOFT_DOT_PX = 64;

/** Draws on one canvas over a picture that is fitted into it. */
export class Overlay {
  #canvas;
  #context;
  #softDot = softDot();

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d');
  }

  clear() {
    this.#context.resetTransform();
    this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  /** Draws faces of `topology` in pixels of a picture of `width` x `height`; `show` says what of them. */
  draw({ faces, topology, width, height }, show) {
    const { clientWidth, clientHeight } = this.#canvas;
    // More dots than eyes can tell apart only cost time.
    const dots = Math.min(devicePixelRatio, 2);
    const size = [Math.round(clientWidth * dots), Math.round(clientHeight * dots)];
    if (this.#canvas.width !== size[0] || this.#canvas.height !== size[1]) {
      [this.#canvas.width, this.#canvas.height] = size;
    }
    this.clear();
    paint(this.#context, faces, { ...place(width, height, ...size), dots }, show, topology, this.#softDot);
  }

  /** Draws the same on another canvas, which the picture, `width` pixels wide, fills. */
  drawOnto(context, { faces, topology, width }, show) {
    const scale = context.canvas.width / width;
    paint(context, faces, { scale, left: 0, top: 0, width, dots: 1 }, show, topology, this.#softDot);
  }
}

/** Where `object-fit: contain` puts a picture. */
function place(width, height, outerWidth, outerHeight) {
  const scale = Math.min(outerWidth / width, outerHeight / height);
  return { scale, left: (outerWidth - scale * width) / 2, top: (outerHeight - scale * height) / 2, width };
}

function paint(context, faces, { scale, left, top, width, dots }, show, topology, softDot) {
  context.setTransform(scale, 0, 0, scale, left, top);
  if (show.mirror) context.transform(-1, 0, 0, 1, width, 0);
  context.lineCap = context.lineJoin = 'round';
  faces.forEach(({ id, face: { box: rect, landmarks } }, i) => {
    const faceSize = Math.max(rect.width, rect.height);
    const line = Math.min(Math.max(LINE * faceSize, LEAST_LINE * dots / scale), MOST_LINE * dots / scale);
    if (show.mesh) mesh(context, landmarks.points, topology.triangles, line);
    if (show.box) box(context, rect, line);
    if (show.outlines) outlines(context, landmarks.points, topology.outlines, line);
    if (show.points) points(context, landmarks, line, faceSize, softDot);
    if (show.pose && landmarks.pose) axes(context, landmarks, origin(landmarks.points, topology), faceSize, line);
    if (show.numbers) numbers(context, landmarks.points, Math.max(NUMBER * faceSize, LEAST_NUMBER * dots / scale), show.mirror);
    // Which row of the table is which face.
    if (faces.length > 1) {
      const size = LABEL * dots / scale;
      text(context, id ?? i + 1, { x: rect.x + rect.width / 2, y: rect.y - size / 2 }, size, show.mirror);
    }
  });
}

/** The index of each point, from 0, right and below of it. */
function numbers(context, points, size, mirror) {
  points.forEach(({ x, y }, i) => text(context, i, { x: x + (mirror ? -0.6 : 0.6) * size, y: y + 0.5 * size }, size, mirror));
}

/** Upright in a mirror, too. */
function text(context, content, { x, y }, size, mirror) {
  context.save();
  context.translate(x, y);
  if (mirror) context.scale(-1, 1);
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineWidth = 0.25 * size;
  context.strokeStyle = '#000c';
  context.strokeText(content, 0, 0);
  context.fillStyle = '#ffffff';
  context.fillText(content, 0, 0);
  context.restore();
}

function mesh(context, points, triangles, line) {
  context.beginPath();
  for (let i = 0; i < triangles.length; i += 3) {
    const [a, b, c] = [points[triangles[i]], points[triangles[i + 1]], points[triangles[i + 2]]];
    context.moveTo(a.x, a.y);
    context.lineTo(b.x, b.y);
    context.lineTo(c.x, c.y);
    context.closePath();
  }
  context.lineWidth = 0.35 * line;
  context.strokeStyle = '#ffffff8c';
  context.stroke();
}

function box(context, { x, y, width, height }, line) {
  context.beginPath();
  context.roundRect(x, y, width, height, 0.08 * Math.min(width, height));
  stroke(context, '#ffffffd9', line);
}

function outlines(context, points, lines, line) {
  lines.forEach(({ points: indices, closed, colour, part }) => {
    const count = indices.length;
    const at = (k) => points[indices[closed ? (k + count) % count : Math.min(Math.max(k, 0), count - 1)]];
    context.beginPath();
    context.moveTo(at(0).x, at(0).y);
    for (let k = 0; k < count - (closed ? 0 : 1); k++) {
      // Catmull and Rom's curve through the points, as a Bezier.
      const [before, from, to, after] = [at(k - 1), at(k), at(k + 1), at(k + 2)];
      context.bezierCurveTo(from.x + (to.x - before.x) / 6, from.y + (to.y - before.y) / 6,
        to.x - (after.x - from.x) / 6, to.y - (after.y - from.y) / 6, to.x, to.y);
    }
    stroke(context, colour ?? COLOURS[part % COLOURS.length], line);
  });
}

/** With a dark rim, so that light lines show on light skin too. */
function stroke(context, colour, line) {
  context.lineWidth = 2 * line;
  context.strokeStyle = '#0005';
  context.stroke();
  context.lineWidth = line;
  context.strokeStyle = colour;
  context.stroke();
}

/** A sure point is a dot; the edge of an unsure one is as soft as its expected error is large. */
function points(context, { points, errors }, line, faceSize, softDot) {
  const dot = DOT * line;
  points.forEach(({ x, y }, i) => {
    const soft = Math.min(errors[i], SOFTEST * faceSize);
    if (soft > dot) {
      const radius = dot + soft;
      context.globalAlpha = Math.max(0.25, Math.min(1, 1.6 * dot / soft));
      context.drawImage(softDot, x - radius, y - radius, 2 * radius, 2 * radius);
      context.globalAlpha = 1;
      return;
    }
    context.beginPath();
    context.arc(x, y, dot, 0, 2 * Math.PI);
    context.fillStyle = '#ffffff';
    context.fill();
    context.lineWidth = 0.5 * line;
    context.strokeStyle = '#0008';
    context.stroke();
  });
}

/** A white dot that fades out. */
function softDot() {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = SOFT_DOT_PX;
  const context = canvas.getContext('2d');
  const half = SOFT_DOT_PX / 2;
  const fade = context.createRadialGradient(half, half, 0, half, half, half);
  fade.addColorStop(0, '#fff');
  fade.addColorStop(0.4, '#fff8');
  fade.addColorStop(1, '#fff0');
  context.fillStyle = fade;
  context.fillRect(0, 0, SOFT_DOT_PX, SOFT_DOT_PX);
  return canvas;
}

/** Where the head's axes begin: at the tip of the nose, or in the middle of points that are not the iBUG 68. */
function origin(points, { name }) {
  if (name === 'ibug68') return points[30];
  const mean = (axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  return { x: mean('x'), y: mean('y') };
}

/** The head's own axes from `start`: to its side, down, and out of the face. */
function axes(context, { pose: { rollRad, yawRad, pitchRad } }, start, faceSize, line) {
  const [cr, sr, cy, sy, cp, sp] = [rollRad, yawRad, pitchRad].flatMap((a) => [Math.cos(a), Math.sin(a)]);
  // Nod, then turn, then tilt; x to the right, y down, z towards the viewer.
  const turned = ([x, y, z]) => {
    const [y1, z1] = [cp * y - sp * z, sp * y + cp * z];
    const x2 = cy * x + sy * z1;
    return [cr * x2 - sr * y1, sr * x2 + cr * y1];
  };
  [[1, 0, 0], [0, 1, 0], [0, 0, 1]].forEach((axis, i) => {
    const [dx, dy] = turned(axis);
    context.beginPath();
    context.moveTo(start.x, start.y);
    context.lineTo(start.x + 0.5 * faceSize * dx, start.y + 0.5 * faceSize * dy);
    stroke(context, AXES[i], 1.6 * line);
  });
}
