//! Follows a face through the frames of a video: here a window that slides over a portrait.
//!
//!     cargo run --release -p lineament --example tracker
//!
//! ```text
//! frame  0: face 1 with its nose at (204.7, 128.7), yaw 1 degrees, eyes open by 0.33 and 0.32
//! frame  5: face 1 with its nose at (185.0, 118.6), yaw 1 degrees, eyes open by 0.33 and 0.32
//! frame 10: face 1 with its nose at (165.0, 108.6), yaw 1 degrees, eyes open by 0.33 and 0.32
//! ...
//! ```

use std::error::Error;

use lineament::{ImageView, Options, PixelFormat, TrackOptions, Tracker};

const PORTRAIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/astronaut.jpg");
const FRAMES: usize = 30;
const FRAMES_PER_SEC: f64 = 30.0;

fn main() -> Result<(), Box<dyn Error>> {
    follow().map(drop)
}

/// Prints a line for every fifth frame; answers in how many frames a face was followed.
fn follow() -> Result<usize, Box<dyn Error>> {
    let portrait = image::open(PORTRAIT)?.into_luma8();
    let (stride, pixels) = (portrait.width() as usize, portrait.as_raw());
    let mut tracker = Tracker::new(Options::default(), TrackOptions::default())?;
    let mut followed = 0;
    for frame in 0..FRAMES {
        // A window of 320 x 320 pixels that slides to the right and down. Its rows lie `stride` bytes apart: no copy.
        let (left, top) = (20 + 4 * frame, 2 * frame);
        let image = ImageView::new(&pixels[top * stride + left..], 320, 320, stride, PixelFormat::Grey)?;
        let faces = tracker.update(&image, frame as f64 / FRAMES_PER_SEC);
        followed += usize::from(!faces.is_empty());
        for tracked in faces.iter().filter(|_| frame % 5 == 0) {
            let landmarks = &tracked.face.landmarks;
            // The default model's points tell both; those of another model may not.
            let (Some(pose), Some(open)) = (landmarks.pose, landmarks.expression()) else { continue };
            println!(
                "frame {frame:2}: face {} with its nose at {:.1?}, yaw {:.0} degrees, eyes open by {:.2} and {:.2}",
                tracked.id,
                landmarks.points[30],
                pose.yaw_rad.to_degrees(),
                open.right_eye_open,
                open.left_eye_open,
            );
        }
    }
    Ok(followed)
}

#[test]
fn the_face_is_followed_through_all_frames() {
    assert_eq!(follow().unwrap(), FRAMES);
}
