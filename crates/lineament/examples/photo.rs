//! Prints the faces of a photo, decoded with the crate `image`.
//!
//!     cargo run --release -p lineament --example photo [PHOTO]
//!
//! ```text
//! face with score 1.00
//!   chin at (221.8, 178.6), within 1.6 pixels
//!   nose tip at (224.7, 128.5), within 1.4 pixels
//!   right eye, outer corner at (196.5, 102.0), within 0.9 pixels
//!   left eye, outer corner at (254.9, 104.9), within 1.0 pixels
//!   head: roll 3, yaw 1, pitch -9 degrees
//!   eyes open
//!   mouth open
//!   68 of 68 points visible
//! ```

use std::error::Error;

use image::{DynamicImage, ImageDecoder, ImageReader};
use lineament::{ImageView, Lineament, Options};

const PORTRAIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/astronaut.jpg");

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1);
    print_faces(path.as_deref().unwrap_or(PORTRAIT)).map(drop)
}

/// Prints a few lines for each face; answers how many there are.
fn print_faces(path: &str) -> Result<usize, Box<dyn Error>> {
    // Photos of phones are often stored on their side: EXIF says how to turn them.
    let mut decoder = ImageReader::open(path)?.with_guessed_format()?.into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut photo = DynamicImage::from_decoder(decoder)?;
    photo.apply_orientation(orientation);

    let photo = photo.into_rgb8();
    let view = ImageView::rgb(photo.as_raw(), photo.width() as usize, photo.height() as usize)?;
    let faces = Lineament::new(Options::default())?.faces(&view);
    for face in &faces {
        let landmarks = &face.landmarks;
        println!("face with score {:.2}", landmarks.score);
        for (name, i) in
            [("chin", 8), ("nose tip", 30), ("right eye, outer corner", 36), ("left eye, outer corner", 45)]
        {
            println!("  {name} at {:.1?}, within {:.1} pixels", landmarks.points[i], landmarks.errors[i]);
        }
        // Models of other points may tell neither.
        if let Some(pose) = landmarks.pose {
            let [roll, yaw, pitch] = [pose.roll_rad, pose.yaw_rad, pose.pitch_rad].map(f32::to_degrees);
            println!("  head: roll {roll:.0}, yaw {yaw:.0}, pitch {pitch:.0} degrees");
        }
        if let Some(expression) = landmarks.expression() {
            println!("  eyes {}", if expression.eyes_closed() { "closed" } else { "open" });
            println!("  mouth {}", if expression.is_mouth_open() { "open" } else { "closed" });
        }
        let visible = landmarks.visible().iter().filter(|&&visible| visible).count();
        println!("  {visible} of 68 points visible");
    }
    Ok(faces.len())
}

#[test]
fn the_portrait_has_a_face() {
    assert_eq!(print_faces(PORTRAIT).unwrap(), 1);
}
