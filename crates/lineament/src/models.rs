//! The models inside the library; their cards are beside the files in `models/`.

/// The face detector. Statics, because a constant could be carried once for each place that uses it.
pub static DETECTOR: &[u8] = include_bytes!("../../../models/detector/detector.int8.onnx");

/// The default landmark network.
pub static LITE: &[u8] = include_bytes!("../../../models/lite/lite.int8.onnx");
