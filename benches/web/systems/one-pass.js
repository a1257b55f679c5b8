// One pass of our landmark network per frame: one face is followed, and no others are searched. Copying the frame, cutting
// the crop and smoothing the points is part of the time. The model file in f16, which onnxruntime.js runs, too.

export async function load() {
  const { Lineament } = await import('/apps/web/dist/lineament/lineament.js');
  const lineament = await Lineament.create({ model: '/models/lite/lite.onnx', maxFaces: 1 });
  return async (frame, timeMs) => {
    const faces = await lineament.track(frame, timeMs);
    frame.close();
    return faces.length;
  };
}
