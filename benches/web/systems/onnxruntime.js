// onnxruntime-web with our landmark network's file: the network alone, without frame, crop and points.

export async function load() {
  const folder = '/benches/web/node_modules/onnxruntime-web/dist/';
  const ort = await import(`${folder}ort.wasm.min.mjs`);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = folder;
  const session = await ort.InferenceSession.create('/models/lite/lite.onnx', { executionProviders: ['wasm'], graphOptimizationLevel: 'all' });
  const [name] = session.inputNames;
  const input = new ort.Tensor('float32', Float32Array.from({ length: 112 * 112 }, (_, i) => Math.sin(i)), [1, 1, 112, 112]);
  return async (frame) => {
    frame.close();
    await session.run({ [name]: input });
    return 1;
  };
}
