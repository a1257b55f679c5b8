// Numbers to objects, in the order of crates/lineament-web/src/numbers.rs.

/** Reads `count` records with `read`, and tells where the points of each face begin among the numbers. */
export function readAll(numbers, count, read) {
  const reader = new Reader(numbers);
  const results = [];
  for (let i = 0; i < count; i++) results.push(read(reader));
  return { results, pointsAt: reader.pointsAt, numbers };
}

class Reader {
  #numbers;
  #next = 0;
  pointsAt = [];

  constructor(numbers) {
    this.#numbers = numbers;
  }

  tracked() {
    const id = this.#number();
    const face = this.face();
    return { id, face, raw: this.#landmarks() };
  }

  face() {
    return { box: this.#rect(), detection: this.detection(), landmarks: this.landmarks(), expression: this.#expression() };
  }

  detection() {
    const [rect, points, score] = [this.#rect(), this.#points(), this.#number()];
    return { rect, points: points.length ? points : null, score };
  }

  landmarks() {
    this.pointsAt.push(this.#next + 1); // After their number.
    return this.#landmarks();
  }

  #landmarks() {
    const points = this.#points();
    const errors = this.#take(points.length);
    const [score, ...angles] = this.#take(4);
    const [rollRad, yawRad, pitchRad] = angles;
    return { points, errors, score, pose: isOffered(angles) ? { rollRad, yawRad, pitchRad } : null };
  }

  #expression() {
    const openings = this.#take(4);
    const [leftEyeOpen, rightEyeOpen, mouthOpen, mouthWidth] = openings;
    return isOffered(openings) ? { leftEyeOpen, rightEyeOpen, mouthOpen, mouthWidth } : null;
  }

  #rect() {
    return { x: this.#number(), y: this.#number(), width: this.#number(), height: this.#number() };
  }

  /** Their number stands before them. */
  #points() {
    return Array.from({ length: this.#number() }, () => ({ x: this.#number(), y: this.#number() }));
  }

  #take(count) {
    return Array.from({ length: count }, () => this.#number());
  }

  #number() {
    return this.#numbers[this.#next++];
  }
}

/** What a topology does not offer has no numbers. */
const isOffered = (numbers) => !numbers.every(Number.isNaN);
