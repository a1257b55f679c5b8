// Places and sizes are pixels of the image: x right, y down, (0.5, 0.5) is the centre of the first pixel. Left and right
// are the person's own.
//@ Comments with @rust filled in from the Rust library when the package is built, see tools/types.mjs.

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

/** @rust Pose */
export interface Pose {
  /** @rust Pose.roll_rad */
  rollRad: number;
  /** @rust Pose.yaw_rad */
  yawRad: number;
  /** @rust Pose.pitch_rad */
  pitchRad: number;
}

/** @rust Detection */
export interface Detection {
  /** @rust Detection.rect */
  rect: Rect;
  /** @rust Detection.points */
  points: Point[] | null;
  /** @rust Detection.score */
  score: number;
}

/** @rust Landmarks */
export interface Landmarks {
  /** @rust Landmarks.points */
  points: Point[];
  /** @rust Landmarks.errors */
  errors: number[];
  /** @rust Landmarks.score */
  score: number;
  /** How the head is turned, from the points; `null` where the topology does not tell. */
  pose: Pose | null;
}

/** @rust Expression */
export interface Expression {
  /** @rust Expression.left_eye_open */
  leftEyeOpen: number;
  /** @rust Expression.right_eye_open */
  rightEyeOpen: number;
  /** @rust Expression.mouth_open */
  mouthOpen: number;
  /** @rust Expression.mouth_width */
  mouthWidth: number;
}

/** @rust Face */
export interface Face {
  /** The box around the points, or a wider one where the topology says so. */
  box: Rect;
  /** @rust Face.detection */
  detection: Detection;
  /** @rust Face.landmarks */
  landmarks: Landmarks;
  /** How far eyes and mouth are open, from the points; `null` where the topology does not tell. */
  expression: Expression | null;
}

/** @rust TrackedFace */
export interface TrackedFace {
  /** @rust TrackedFace.id */
  id: number;
  /** @rust TrackedFace.face */
  face: Face;
  /** @rust TrackedFace.raw */
  raw: Landmarks;
}

/** @rust Outline */
export interface Outline {
  /** @rust Outline.name */
  name: string;
  /** @rust Outline.points */
  points: number[];
  /** @rust Outline.closed */
  closed: boolean;
  /** Its own, such as `#ffbe46`; `null`: it is drawn in the colour of its part. */
  colour: string | null;
  /** The number of the part that its first point belongs to, from 0. Outlines of one part look alike. */
  part: number;
}

/** Which points an object has, by the landmark network. Indices count from 0. */
export interface Topology {
  /** `ibug68` for the network inside. */
  name: string;
  /** The names of the points; how many there are is its length. */
  points: string[];
  /** The lines that are drawn. */
  outlines: Outline[];
  /** For each point, the point that it becomes when the picture is mirrored left to right. */
  mirror: number[];
  /** The triangles of a mesh, three points each; empty where there is none. Only the iBUG 68 points have one. */
  triangles: Uint16Array;
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

/** Whatever a browser calls an image. Fastest is a `VideoFrame` from a camera: its first plane is the brightness. */
export type Source =
  | VideoFrame
  | HTMLVideoElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | HTMLImageElement
  | ImageBitmap
  | ImageData
  | Pixels;

/** A model file: its bytes or its address; in Node also a path. */
export type ModelFile = BufferSource | Blob | URL | string;

/** How the points of a video are smoothed. */
export interface SmoothOptions {
  /**
   * @rust SmoothOptions.settle_secs
   *
   * At least 0.
   * @rustDefault SmoothOptions.settle_secs
   */
  settleSecs?: number;
  /**
   * @rust SmoothOptions.tolerance
   *
   * Above 0.
   * @rustDefault SmoothOptions.tolerance
   */
  tolerance?: number;
}

/**
 * What `Lineament.create` takes; everything may be left out. An option that does not exist, or whose value is outside its
 * range, is refused by name.
 */
export interface Options {
  /** A landmark network instead of the one inside: an ONNX file that `lineament train` wrote. */
  model?: ModelFile;
  /** A face detector instead of the one inside. */
  detector?: ModelFile;
  /**
   * @rust Options.min_face
   *
   * At least 1.
   * @rustDefault Options.min_face
   */
  minFace?: number;
  /**
   * @rust Options.max_faces
   *
   * A whole number from 1.
   * @rustDefault Options.max_faces
   */
  maxFaces?: number;
  /**
   * @rust Options.detector_threshold
   *
   * From 0 to 1.
   * @rustDefault Options.detector_threshold
   */
  detectorThreshold?: number;
  /**
   * @rust Options.face_threshold
   *
   * From 0 to 1.
   * @rustDefault Options.face_threshold
   */
  faceThreshold?: number;
  /**
   * @rust Options.refine
   *
   * @rustDefault Options.refine
   */
  refine?: boolean;
  /**
   * How the points of a video are smoothed: the seconds of `SmoothOptions.settleSecs`, or more. `false` answers points as
   * the network places them.
   */
  smoothing?: number | SmoothOptions | false;
  /**
   * @rust TrackOptions.search_every_secs
   *
   * At least 0.
   * @rustDefault TrackOptions.search_every_secs
   */
  searchEverySecs?: number;
  /**
   * @rust TrackOptions.remember_secs
   *
   * At least 0.
   * @rustDefault TrackOptions.remember_secs
   */
  rememberSecs?: number;
  /** The file `lineament.wasm`, where it is not next to the module: its address, its bytes or a `WebAssembly.Module`. */
  wasm?: URL | string | BufferSource | WebAssembly.Module | Promise<Response>;
}

/**
 * Finds faces, places points on each, and follows them through a video: 68 points with the network inside, those of its
 * `topology` with another.
 *
 * Calls may overlap: `track`, `faces`, `detect`, `landmarks`, `smoothing`, `reset` and `free` take effect one after another,
 * in the order in which they are called. `points` and `searched` tell about the call that was answered last.
 */
export class Lineament {
  private constructor();

  /**
   * Loads the wasm (once) and makes the networks ready. Rejects with an `Error` that says what is wrong with a file.
   */
  static create(options?: Options): Promise<Lineament>;

  /**
   * @rust Tracker.update
   */
  track(source: Source, timeMs?: number): Promise<TrackedFace[]>;

  /** All faces of a photo with their points, largest first. */
  faces(source: Source): Promise<Face[]>;

  /** @rust Lineament.detect */
  detect(source: Source): Promise<Detection[]>;

  /**
   * The points of the object within a box, or within what `detect` found. The box of a face is that of the 68 points: brows
   * to chin, jaw to jaw.
   */
  landmarks(source: Source, box: Rect | Detection): Promise<Landmarks>;

  /** Which points are placed. */
  readonly topology: Topology;

  /**
   * The points that the last call placed, `[x0, y0, x1, ...]`: two numbers a point, and as many points a face as the
   * `topology` has, in the order of the faces. The same array every time, longer only when more faces come than ever before;
   * copy what you keep.
   */
  readonly points: Float32Array;

  /** @rust Tracker.searched */
  readonly searched: boolean;

  /** Changes `Options.smoothing` for the frames that are given after this. */
  set smoothing(smoothing: number | SmoothOptions | false);

  /** @rust Tracker.reset */
  reset(): void;

  /** Gives the memory back. Calls made before this are answered, later ones are refused. */
  free(): void;
}

/** Loads the wasm before the first `Lineament.create` does. */
export function load(wasm?: Options['wasm']): Promise<unknown>;
