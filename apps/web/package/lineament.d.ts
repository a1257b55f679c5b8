// Places and sizes are pixels of the image: x right, y down, (0.5, 0.5) is the centre of the first pixel. Left and right
// are the person's own.
//@ Comments with @rust are filled in from the Rust library when the package is built, see tools/types.mjs.

/** A place in the image. */
export interface Point {
  x: number;
  y: number;
}

/** A box: left, top, width and height. */
export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** @rust pose Pose */
export interface Pose {
  /** @rust pose Pose.roll_rad */
  rollRad: number;
  /** @rust pose Pose.yaw_rad */
  yawRad: number;
  /** @rust pose Pose.pitch_rad */
  pitchRad: number;
}

/** @rust detect Detection */
export interface Detection {
  /** @rust detect Detection.rect */
  rect: Rect;
  /** @rust detect Detection.points */
  points: Point[];
  /** @rust detect Detection.score */
  score: number;
}

/** @rust landmarks Landmarks */
export interface Landmarks {
  /** @rust landmarks Landmarks.points */
  points: Point[];
  /** @rust landmarks Landmarks.errors */
  errors: number[];
  /** @rust landmarks Landmarks.score */
  score: number;
  /** @rust landmarks Landmarks.pose */
  pose: Pose;
}

/** @rust lineament Face */
export interface Face {
  /** The box of the face: that of its 68 points. */
  rect: Rect;
  /** @rust lineament Face.detection */
  detection: Detection;
  /** @rust lineament Face.landmarks */
  landmarks: Landmarks;
}

/** @rust track TrackedFace */
export interface TrackedFace {
  /** @rust track TrackedFace.id */
  id: number;
  /** @rust track TrackedFace.face */
  face: Face;
  /** @rust track TrackedFace.raw */
  raw: Landmarks;
}

/** Consecutive points that are joined when a face is drawn. */
export interface Outline {
  /** Index of its first point. */
  first: number;
  /** One more than the index of its last. */
  end: number;
  /** @rust topology Outline.closed */
  closed: boolean;
}

/** Bytes in memory, with their description. `ImageData` is one. */
export interface Pixels {
  data: Uint8Array | Uint8ClampedArray;
  width: number;
  height: number;
  /** The order of bytes in a pixel; alpha is ignored. `rgba` unless given. */
  format?: 'grey' | 'rgb' | 'rgba' | 'bgra';
  /** Bytes from one row to the next; without gaps unless given. */
  stride?: number;
}

/**
 * Whatever a browser calls an image. Fastest is a `VideoFrame` from a camera: the plane of its brightness is looked at as
 * it is, where it was copied to.
 */
export type Source =
  | VideoFrame
  | HTMLVideoElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | HTMLImageElement
  | ImageBitmap
  | ImageData
  | Pixels;

/** A model file: its bytes, or where it lies; in Node also a path. */
export type ModelFile = BufferSource | Blob | URL | string;

export interface Options {
  /** A landmark network instead of the one inside: an ONNX file that `lineament train` wrote. */
  model?: ModelFile;
  /** A face detector instead of the one inside. */
  detector?: ModelFile;
  /** Most faces that are answered, largest first; 64 unless given. While that many are followed no others are looked for. */
  maxFaces?: number;
  /**
   * @rust smooth SmoothOptions.settle_secs
   *
   * 0.2 unless given; `false` answers points as the network places them.
   */
  smoothing?: number | false;
  /** The file `lineament.wasm`, where it does not lie beside the module: its address, its bytes or a `WebAssembly.Module`. */
  wasm?: URL | string | BufferSource | WebAssembly.Module | Promise<Response>;
}

/** Finds faces, places 68 points on each, and follows them through a video. */
export class Lineament {
  private constructor();

  /**
   * Loads the wasm (once) and makes the networks ready. Rejects with an `Error` that says what is wrong with a file.
   */
  static create(options?: Options): Promise<Lineament>;

  /**
   * @rust track Tracker.update
   *
   * Calls may overlap; they run one after another.
   */
  track(source: Source, timeMs?: number): Promise<TrackedFace[]>;

  /** All faces of a photo with their points, largest first. Takes three looks at each face. */
  faces(source: Source): Promise<Face[]>;

  /** @rust lineament Lineament.detect */
  detect(source: Source): Promise<Detection[]>;

  /** The points of the face within a box: one around the 68 points (brows to chin, jaw to jaw), or what `detect` found. */
  landmarks(source: Source, box: Rect | Detection): Promise<Landmarks>;

  /**
   * The points that the last call placed, `[x0, y0, x1, ...]`, 136 numbers a face in the order of the faces. The same
   * array every time, longer only when more faces come than ever before; copy what you keep.
   */
  readonly points: Float32Array;

  /** @rust track Tracker.searched */
  readonly searched: boolean;

  /** Smooths otherwise from the next frame on, see `Options.smoothing`. */
  set smoothing(smoothing: number | false);

  /** @rust track Tracker.reset */
  reset(): void;

  /** Gives the memory back. */
  free(): void;

  /** The nine lines of a drawn face, along jaw, brows, nose, eyes and lips. */
  static readonly outlines: Outline[];

  /** @rust topology TRIANGLES */
  static readonly triangles: Uint8Array;
}

/** Loads the wasm before the first `Lineament.create` does. */
export function load(wasm?: Options['wasm']): Promise<unknown>;
