use image::ImageFormat;

use crate::helpers::{Folder, faceless};

#[test]
fn bench_refuses_sizes_and_rounds_out_of_range() {
    for (flag, value, text) in [
        ("--size", "640", "invalid value '640' for '--size <WIDTHxHEIGHT>': give width and height from 16 to 8192"),
        ("--rounds", "0", "invalid value '0' for '--rounds <COUNT>': give a whole number of at least 1"),
    ] {
        let outcome = Folder::new().run(&["bench", "a.jpg", flag, value]);
        assert_eq!(outcome.code, Some(2));
        assert!(outcome.stderr.contains(text), "{}", outcome.stderr);
    }
}

#[test]
fn bench_needs_a_face() {
    let folder = Folder::new();
    folder.write("stripes.png", faceless(ImageFormat::Png));
    let outcome = folder.run(&["bench", "stripes.png", "--rounds", "1"]);
    assert_eq!(outcome.code, Some(1));
    assert_eq!(outcome.stderr, "error: stripes.png: no face is found at 640x480: give another photo\n");
}
