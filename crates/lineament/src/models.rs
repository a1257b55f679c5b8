//! The models inside the library; their cards are beside the files in `models/`.

/// The face detector.
pub const DETECTOR: &[u8] = include_bytes!("../../../models/detector/detector.onnx");

/// The default landmark network.
pub const LITE: &[u8] = include_bytes!("../../../models/lite/lite.onnx");
