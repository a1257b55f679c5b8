// What can be shown: a camera, a video file or a photo. Each brings an element of its own, so that one that is still being
// opened disturbs nothing that is shown.
//
// A source has `kind`, `name`, `picture` (the element), `size()` in pixels, and `stop()`, which gives everything back.

import { openCamera } from './camera.js';

/** Larger photos are shrunk: phones take larger ones than memory likes, and no point gets better. */
const LONGEST_SIDE = 2048;

/** The front camera (`facing` is `user`) or the back one (`environment`); calls `gone` when it is taken away. */
export async function cameraSource(facing, gone) {
  const stream = await openCamera(facing);
  const [track] = stream.getVideoTracks();
  const stop = () => {
    track.onended = null;
    stream.getTracks().forEach((each) => each.stop());
    video.srcObject = null;
  };
  track.onended = gone;
  const video = videoElement();
  video.srcObject = stream;
  try {
    await video.play();
  } catch (error) {
    stop();
    throw new Error(`The camera gives no picture: ${error.message}. Start it again.`, { cause: error });
  }
  return { kind: 'camera', name: 'camera', picture: video, size: () => [video.videoWidth, video.videoHeight], stop };
}

export async function videoSource(file) {
  const address = URL.createObjectURL(file);
  const video = videoElement();
  video.src = address;
  video.loop = video.controls = true;
  const stop = () => {
    video.pause();
    video.removeAttribute('src');
    video.load();
    URL.revokeObjectURL(address);
  };
  try {
    await video.play();
  } catch {
    stop();
    throw new Error(`${file.name} cannot be played: it is damaged, or of a kind that this browser does not know. ` +
      'MP4 with H.264 and WebM work nearly everywhere.');
  }
  return { kind: 'video', name: file.name, picture: video, size: () => [video.videoWidth, video.videoHeight], stop };
}

export async function photoSource(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' });
  } catch {
    throw new Error(`${file.name} cannot be shown: it is damaged, or no picture. Photos are JPEG, PNG, WebP or BMP.`);
  }
  const size = [bitmap.width, bitmap.height];
  const scale = Math.min(1, LONGEST_SIDE / Math.max(...size));
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = size.map((side) => Math.max(1, Math.round(scale * side)));
  canvas.getContext('2d').drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return { kind: 'photo', name: file.name, picture: canvas, size: () => size, stop() {} };
}

/** The photo that comes with the page. */
export async function samplePhoto() {
  const answer = await fetch('sample.jpg');
  if (!answer.ok) throw new Error(`The sample photo cannot be loaded: the server answers ${answer.status} ${answer.statusText}.`);
  return new File([await answer.blob()], 'sample.jpg');
}

function videoElement() {
  const video = document.createElement('video');
  video.muted = video.playsInline = true;
  return video;
}
