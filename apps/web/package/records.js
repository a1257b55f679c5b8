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
    return { rect: this.#rect(), points: this.#points(5), score: this.#number() };
  }

  landmarks() {
    this.pointsAt.push(this.#next);
    return this.#landmarks();
  }

  #landmarks() {
    const points = this.#points(68);
    const errors = Array.from({ length: 68 }, () => this.#number());
    const score = this.#number();
    return { points, errors, score, pose: { rollRad: this.#number(), yawRad: this.#number(), pitchRad: this.#number() } };
  }

  #expression() {
    return {
      leftEyeOpen: this.#number(),
      rightEyeOpen: this.#number(),
      mouthOpen: this.#number(),
      mouthWidth: this.#number(),
    };
  }

  #rect() {
    return { x: this.#number(), y: this.#number(), width: this.#number(), height: this.#number() };
  }

  #points(count) {
    return Array.from({ length: count }, () => ({ x: this.#number(), y: this.#number() }));
  }

  #number() {
    return this.#numbers[this.#next++];
  }
}
