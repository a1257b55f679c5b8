//! The shipped models together: int8 next to f16, and several threads.

use lineament::topology::ibug68::{POINTS, inter_ocular};
use lineament::{ImageView, Lineament, Options};
use lineament_nn::model::Model;

/// The pixels of the portrait's file.
fn portrait(file: &[u8]) -> ImageView<'_> {
    let (width, height) = (180, 150);
    ImageView::grey(&file[file.len() - width * height..], width, height).unwrap()
}

fn read(path: &str) -> Vec<u8> {
    std::fs::read(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// What int8 moves the points by, at most, in distances of the outer eye corners, on average over a face.
const INT8_MOVES: f32 = 0.02;

#[test]
fn the_models_in_int8_see_the_same_face() {
    let file = read("tests/fixtures/cascade/astronaut.pgm");
    let image = portrait(&file);
    let points = ["", ".int8"].map(|form| {
        let [detector, landmarks] =
            ["detector", "lite"].map(|name| read(&format!("../../models/{name}/{name}{form}.onnx")));
        let faces = Lineament::with_models(Options::default(), &detector, &landmarks).unwrap().faces(&image);
        assert_eq!(faces.len(), 1, "faces in the form `{form}`");
        *faces[0].landmarks.ibug68().expect("the shipped models place the iBUG 68 points")
    });
    let distance = points[0].iter().zip(&points[1]).map(|(a, b)| a.distance(*b)).sum::<f32>() / POINTS as f32;
    let moved = distance / inter_ocular(&points[0]);
    assert!(moved > 0.0 && moved < INT8_MOVES, "{moved}");
}

#[test]
fn the_files_are_as_the_writer_writes_them_with_their_checksums() {
    for name in ["detector/detector", "lite/lite"] {
        for form in ["", ".int8"] {
            let file = read(&format!("../../models/{name}{form}.onnx"));
            let written = Model::parse(&file).unwrap().to_bytes().unwrap();
            assert!(written == file, "{name}{form}: parsed and written, it is another file");
            let mut changed = file;
            let middle = changed.len() / 2;
            changed[middle] ^= 1;
            assert!(Model::parse(&changed).is_err(), "{name}{form}: a changed bit is not found");
        }
    }
}

#[test]
#[cfg(feature = "default-models")]
#[cfg_attr(target_family = "wasm", ignore = "WebAssembly has no threads here")]
fn faces_are_the_same_on_several_threads() {
    let file = read("tests/fixtures/cascade/astronaut.pgm");
    let image = portrait(&file);
    // A large input for the detector, too.
    for min_face in [None, Some(4.0)] {
        let mut lineament = Lineament::new(Options { min_face, ..Options::default() }).unwrap();
        let alone = lineament.faces(&image);
        assert_eq!(alone.len(), 1);
        lineament.set_pool(Some(lineament::Pool::new(3, |work| {
            std::thread::scope(|scope| (0..3).for_each(|_| _ = scope.spawn(work)));
        })));
        assert_eq!(lineament.faces(&image), alone);
        assert_eq!(lineament.clone().faces(&image), alone, "a clone has the same threads");
    }
}
