//! Any bytes are a shape predictor or a fault, and what was read runs on any box.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lineament::{ImageView, Rect};
use lineament_data::dlib::ShapePredictor;

fuzz_target!(|bytes: &[u8]| {
    let Ok(predictor) = ShapePredictor::parse(bytes) else { return };
    let n = |i: usize| f32::from(bytes[i % bytes.len()]) - 100.0;
    let face = Rect::from_xywh(n(5), n(7), n(11), n(13));
    let image = ImageView::grey(&[128; 64], 8, 8).expect("eight rows of eight").to_grey();
    assert_eq!(predictor.place(&image, &face).len(), predictor.points());
});
