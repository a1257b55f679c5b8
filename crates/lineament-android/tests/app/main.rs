//! The app on a desk: sequences of events, and what the screen shows.

mod life;
mod pictures;
mod work;

use std::path::PathBuf;

use lineament_android::desk::{self, Desk, Film, Shared};
use lineament_android::{App, Event};

/// Two people, upright in 360x480 pixels, as a front camera's sensor of 480x360 that lies on its side sees them.
fn two_people() -> Film {
    const PICTURE: &[u8] = include_bytes!("../../../../testdata/golden/two_faces.ppm");
    let (wide, high) = (300, 200);
    let rgb = &PICTURE[PICTURE.len() - 3 * wide * high..];
    let (width, height) = (480, 360);
    // Upright after a turn by 270 degrees: a column of the sensor is a row of the picture, the last one the first.
    let colour = |x: usize, y: usize| {
        let (column, row) = (y * 5 / 6, (width - 1 - x).checked_sub(120).map(|row| row * 5 / 6));
        match row.filter(|&row| row < high) {
            Some(row) => [0, 1, 2].map(|channel| f32::from(rgb[3 * (row * wide + column) + channel])),
            None => [128.0, 140.0, 160.0],
        }
    };
    let value = |c: [f32; 3], weights: [f32; 3], zero: f32| {
        (zero + c[0] * weights[0] + c[1] * weights[1] + c[2] * weights[2]).round().clamp(0.0, 255.0) as u8
    };
    let mut frame = Vec::new();
    for y in 0..height {
        frame.extend((0..width).map(|x| value(colour(x, y), [0.299, 0.587, 0.114], 0.0)));
    }
    for weights in [[-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]] {
        for y in 0..height / 2 {
            frame.extend((0..width / 2).map(|x| value(colour(2 * x, 2 * y), weights, 128.0)));
        }
    }
    Film::from_planes(width, height, [frame])
}

/// An app on a desk, in a window of 480x1040 pixels.
fn app(folder: Option<PathBuf>) -> (Shared, App) {
    let desk = Desk::new(two_people());
    desk.borrow_mut().size = (480, 1040);
    let app = App::new(desk::platform(&desk, folder)).unwrap();
    (desk, app)
}

/// In front, with a window.
fn in_front(folder: Option<PathBuf>) -> (Shared, App) {
    let (desk, mut app) = app(folder);
    app.handle(Event::Resume);
    app.handle(Event::Window(desk::window(&desk)));
    (desk, app)
}

/// One frame comes and is shown.
fn frame(desk: &Shared, app: &mut App) {
    desk.borrow_mut().now_secs += 1.0 / 30.0;
    desk.borrow_mut().waiting += 1;
    app.work();
}

/// A touch of this length.
fn touch(desk: &Shared, app: &mut App, (x, y): (f32, f32), secs: f64) {
    app.handle(Event::Down { x, y });
    desk.borrow_mut().now_secs += secs;
    app.handle(Event::Up { x, y });
}

/// In the middle of the window.
const MIDDLE: (f32, f32) = (240.0, 500.0);
/// The buttons, above the covered part of the window.
const BUTTONS: [(f32, f32); 3] = [(80.0, 940.0), (240.0, 940.0), (400.0, 940.0)];

/// An empty folder of this name, among the build's own files.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
