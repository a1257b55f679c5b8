//! Any size, stride and format over any bytes make a view whose every row can be read, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lineament::{ImageView, PixelFormat};

fuzz_target!(|input: (u32, u32, usize, u8, &[u8])| {
    let (width, height, stride, format, pixels) = input;
    let format = [PixelFormat::Grey, PixelFormat::Rgb, PixelFormat::Rgba, PixelFormat::Bgra][usize::from(format % 4)];
    if let Ok(view) = ImageView::new(pixels, width as usize, height as usize, stride, format) {
        assert_eq!(view.row(view.height() - 1).len(), view.width() * format.bytes());
        assert_eq!(view.to_grey().pixels().len(), view.width() * view.height());
    }
});
