//! Prints the number of faces in each photo of a folder and their boxes, on all cores. A file that cannot be read is
//! reported, and the others go on.
//!
//!     cargo run --release -p lineament --example folder [FOLDER]
//!
//! ```text
//! astronaut.jpg: 1 (177, 84) + (95 x 92)
//! astronaut_exif6.jpg: 1 (52, 82) + (52 x 52)
//! astronaut_grey.png: 1 (88, 41) + (47 x 46)
//! blank.png: 0
//! cat.jpg: 0
//! coffee.jpg: 0
//! shapes.png: 0
//! two_faces.jpg: 2 (80, 68) + (69 x 68), (355, 144) + (46 x 45)
//! ```

use std::error::Error;
use std::path::{Path, PathBuf};

use lineament::{Face, ImageView, Lineament, Options};
use rayon::prelude::*;

const TESTDATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata");

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1);
    print_folder(folder.as_deref().unwrap_or(TESTDATA)).map(drop)
}

/// Prints a line for each photo; answers the number of all faces.
fn print_folder(folder: &str) -> Result<usize, Box<dyn Error>> {
    let is_photo = |path: &PathBuf| path.extension().is_some_and(|e| e == "jpg" || e == "png");
    let entries =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    let mut photos: Vec<PathBuf> = entries.into_iter().filter(is_photo).collect();
    photos.sort();

    // The networks are loaded once. A clone for each thread shares them and has memory of its own.
    let lineament = Lineament::new(Options::default())?;
    let results: Vec<_> =
        photos.par_iter().map_init(|| lineament.clone(), |lineament, path| faces(lineament, path)).collect();

    let mut sum = 0;
    for (path, result) in photos.iter().zip(results) {
        let name = path.file_name().unwrap_or_default().display();
        match result {
            Ok(faces) => {
                sum += faces.len();
                let boxes: Vec<String> = faces.iter().map(|face| format!("{:.0?}", face.detection.rect)).collect();
                println!("{name}: {} {}", faces.len(), boxes.join(", "));
            }
            Err(error) => eprintln!("{name}: {error}"),
        }
    }
    Ok(sum)
}

fn faces(lineament: &mut Lineament, path: &Path) -> Result<Vec<Face>, Box<dyn Error + Send + Sync>> {
    let photo = image::open(path)?.into_rgb8();
    Ok(lineament.faces(&ImageView::rgb(photo.as_raw(), photo.width() as usize, photo.height() as usize)?))
}

#[test]
fn the_test_pictures_have_five_faces() {
    assert_eq!(print_folder(TESTDATA).unwrap(), 5);
}
