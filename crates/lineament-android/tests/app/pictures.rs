//! What the screen shows, beside stored pictures. `REGENERATE=1` writes those anew: look at them before committing.

use std::path::Path;

use lineament_android::orientation::Turn;
use lineament_android::platform::{CameraTrouble, Heat};

use super::*;

/// Differences of a colour up to this are none: processors round the outlines' curves differently.
const TOLERANCE: u8 = 2;

fn check(desk: &Shared, name: &str) {
    let desk = desk.borrow();
    let (pixels, width, height) = &desk.shown;
    let rgb: Vec<u8> = pixels.chunks(4).flat_map(|pixel| pixel[..3].to_vec()).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/app").join(name).with_extension("png");
    if std::env::var_os("REGENERATE").is_some() {
        write(&path, *width, *height, &rgb);
    }
    let file = std::fs::File::open(&path).unwrap_or_else(|e| panic!("{name}: {e}; REGENERATE=1 writes it"));
    let mut reader = png::Decoder::new(std::io::BufReader::new(file)).read_info().unwrap();
    let mut stored = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut stored).unwrap();
    assert_eq!((info.width as usize, info.height as usize), (*width, *height), "{name}");
    let worst = stored.iter().zip(&rgb).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    assert!(worst <= TOLERANCE, "{name}: colours differ by up to {worst}");
}

fn write(path: &Path, width: usize, height: usize, rgb: &[u8]) {
    let file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    let mut encoder = png::Encoder::new(file, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::High);
    encoder.write_header().unwrap().write_image_data(rgb).unwrap();
}

#[test]
fn the_camera_screen_shows_faces_figures_and_buttons() {
    let (desk, mut app) = in_front(None);
    // The memory of a test is another each time, so it is left to the tests of the figures.
    (0..3).for_each(|_| frame(&desk, &mut app));
    check_without_figures(&desk, "portrait");
    let mut table = desk.borrow_mut();
    table.size = (1040, 480);
    table.turn = Turn::Quarter;
    drop(table);
    (0..3).for_each(|_| frame(&desk, &mut app));
    check_without_figures(&desk, "landscape");
}

/// The figures contain the memory of the test, so their plate is painted over.
fn check_without_figures(desk: &Shared, name: &str) {
    {
        let mut desk = desk.borrow_mut();
        let (pixels, width, _) = &mut desk.shown;
        let row = 4 * *width;
        for line in pixels.chunks_mut(row).take(250) {
            line[..4 * 310.min(*width)].chunks_mut(4).for_each(|pixel| pixel[..3].fill(0));
        }
    }
    check(desk, name);
}

#[test]
fn every_trouble_has_words_on_the_screen() {
    for (name, trouble) in [("no-camera", CameraTrouble::NoCamera), ("in-use", CameraTrouble::InUse)] {
        let (desk, mut app) = app(None);
        desk.borrow_mut().trouble = Some(trouble);
        app.handle(Event::Resume);
        app.handle(Event::Window(desk::window(&desk)));
        check(&desk, name);
    }
    let (desk, mut app) = app(None);
    desk.borrow_mut().granted = false;
    app.handle(Event::Resume);
    app.handle(Event::Window(desk::window(&desk)));
    check(&desk, "permission");
}

#[test]
fn heat_is_shown() {
    let (desk, mut app) = in_front(None);
    frame(&desk, &mut app);
    let cool = desk.borrow().shown.0.clone();
    desk.borrow_mut().heat = Some(Heat::Severe);
    frame(&desk, &mut app);
    assert_ne!(cool, desk.borrow().shown.0);
}

#[test]
fn the_other_screens_say_what_to_do() {
    let (desk, mut app) = in_front(None);
    touch(&desk, &mut app, BUTTONS[1], 0.1);
    check(&desk, "benchmark");
    touch(&desk, &mut app, BUTTONS[2], 0.1);
    check(&desk, "models");
}
