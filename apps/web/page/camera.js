// Cameras, and what to say when there is none.

const INSTEAD = 'A photo or a video works without a camera.';

/** Opens a camera: `facing` is `user` (front) or `environment` (back). */
export async function openCamera(facing) {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new Error(isSecureContext
      ? `This browser gives pages no camera. Use another browser. ${INSTEAD}`
      : 'Browsers give a camera only to pages whose address begins with https:// or http://localhost. ' +
        `Open this page at such an address. ${INSTEAD}`);
  }
  // Larger frames cost time to copy and make no point better: networks read 320 and 112 pixels.
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
      return `The camera is not allowed. Allow it in the browser's settings for this page, next to the address, then start again. ${INSTEAD}`;
    case 'NotFoundError':
    case 'OverconstrainedError':
      return `No camera was found. Connect one, then start again. ${INSTEAD}`;
    case 'NotReadableError':
    case 'AbortError':
      return `The camera is busy: another program or tab uses it. Close that one, then start again. ${INSTEAD}`;
    default:
      return `The camera cannot be used: ${error.message || error.name}. ${INSTEAD}`;
  }
}
