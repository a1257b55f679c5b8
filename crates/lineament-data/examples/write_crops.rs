//! Writes what the default models see of a photo with a face, as inputs for `tools/check_onnx.py`, which then adds what
//! onnxruntime makes of them. To renew the fixtures of the engine's test after a model has changed:
//!
//! ```text
//! cargo run -p lineament-data --example write_crops -- testdata/astronaut.jpg crates/lineament/tests/fixtures
//! python3 tools/check_onnx.py models/lite/lite.onnx crates/lineament/tests/fixtures --update
//! python3 tools/check_onnx.py models/detector/detector.onnx crates/lineament/tests/fixtures --update
//! ```

use std::path::Path;

use lineament::stages::{ImageFrame, PixelFrame, sample};
use lineament::{Lineament, Normalisation, Options, Similarity};
use lineament_data::Photo;

/// Side of the crop that `lite` sees.
const CROP_SIDE: usize = 112;

/// Width and height of the shrunk frame: small, so that the fixture is.
const FRAME: (usize, usize) = (96, 96);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, photo, folder] = arguments.as_slice() else { return Err("give a photo and a folder".into()) };
    let photo = Photo::open(Path::new(photo))?;
    let face = Lineament::new(Options::default())?.faces(&photo.view()).into_iter().next().ok_or("no face")?;
    let view = photo.view();

    let mut crop = vec![0.0; CROP_SIDE * CROP_SIDE];
    face.landmarks.crop().cut_into(&view, CROP_SIDE, &mut crop);
    write(folder, "lite", (CROP_SIDE, CROP_SIDE), &crop)?;

    let (width, height) = FRAME;
    let scale = photo.width as f32 / width as f32;
    let image_from_pixel = Similarity::<ImageFrame, PixelFrame>::from_scale_angle_shift(scale, 0.0, 0.0, 0.0);
    let mut frame = vec![0.0; width * height];
    sample(&view, image_from_pixel, width, height, &mut frame);
    Normalisation::Standardise.apply(&mut frame);
    write(folder, "detector", FRAME, &frame)
}

fn write(
    folder: &str,
    name: &str,
    (width, height): (usize, usize),
    input: &[f32],
) -> Result<(), Box<dyn std::error::Error>> {
    // Three digits keep the file small; both engines read the same ones.
    let input: Vec<f64> = input.iter().map(|v| f64::from((v * 1000.0).round()) / 1000.0).collect();
    let fixture = serde_json::json!({ "shape": [1, 1, height, width], "input": input });
    std::fs::write(Path::new(folder).join(format!("{name}.json")), serde_json::to_string(&fixture)?)?;
    Ok(())
}
