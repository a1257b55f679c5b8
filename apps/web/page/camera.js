// Cameras, and what to say when there is none.

/** Opens a camera: `facing` is `user` (front) or `environment` (back). */
export async function openCamera(facing) {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new Error(isSecureContext
      ? 'This browser has no way to a camera. Open a photo or a video instead.'
      : 'Browsers give a camera only to pages from https or from localhost. Open this page there, or open a photo or a video.');
  }
  // Larger frames cost time to copy and make no point better: networks look at 320 and 112 pixels.
  const video = { facingMode: facing, width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 60 } };
  try {
    return await navigator.mediaDevices.getUserMedia({ video, audio: false });
  } catch (error) {
    throw new Error(words(error), { cause: error });
  }
}

/** Whether there is another camera to change to. Browsers tell that only after the first was allowed. */
export async function hasOtherCamera() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter((device) => device.kind === 'videoinput').length > 1;
}

function words(error) {
  switch (error.name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'The camera was refused. Allow it at the lock or camera sign beside the address, then start again. A photo or a video needs no camera.';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'No camera was found. Connect one and start again, or open a photo or a video.';
    case 'NotReadableError':
    case 'AbortError':
      return 'The camera is busy: another program or tab has it. Close that and start again.';
    default:
      return `The camera cannot be used: ${error.message || error.name}.`;
  }
}
