//! Plays `system/play.txt` on a desktop and compares pictures: the other half of `make android-test`.
//!
//! ```text
//! desk film FILE              writes the video that both halves show
//! desk play FILM FILES OUT    plays it; the app's folder is FILES, pictures go to OUT
//! desk compare OUT OTHER      compares the pictures in both folders, and writes PNG files beside those in OTHER
//! ```

use std::error::Error;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;
use std::time::Duration;

use lineament_android::desk::{self, Desk, Film};
use lineament_android::orientation::{Facing, Turn};
use lineament_android::platform::{CameraInfo, CameraTrouble, Insets};
use lineament_android::{App, Event};

type Done = Result<(), Box<dyn Error>>;

/// Sizes of the fake cameras' streams, and the frames of the film.
const SIZE: (usize, usize) = (640, 480);
const FRAMES: usize = 12;
/// Colours may differ by this much: processors round curves differently.
const TOLERANCE: u8 = 2;
/// Where the figures show the memory, which differs: columns and rows.
const MEMORY: (usize, std::ops::Range<usize>) = (300, 100..200);

fn main() -> Done {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["film", file] => film(file.as_ref()),
        ["play", film, files, out] => play(film.as_ref(), files.as_ref(), out.as_ref()),
        ["compare", one, other] => compare(one.as_ref(), other.as_ref()),
        _ => Err("usage: desk film FILE | desk play FILM FILES OUT | desk compare OUT OTHER".into()),
    }
}

/// Two people who slide, upright in 480x640, seen by a front camera's sensor that lies on its side.
fn film(file: &Path) -> Done {
    const PICTURE: &[u8] = include_bytes!("../../../testdata/golden/two_faces.ppm");
    let (wide, high) = (300, 200);
    let rgb = &PICTURE[PICTURE.len() - 3 * wide * high..];
    let (width, height) = SIZE;
    let mut bytes = format!("YUV4MPEG2 W{width} H{height} F30:1 C420jpeg\n").into_bytes();
    for number in 0..FRAMES {
        let slide = 2 * number.min(FRAMES - number);
        let colour = |x: usize, y: usize| {
            let (column, row) = (y * 5 / 8, (width - 1 - x).checked_sub(160 + slide).map(|row| row * 5 / 8));
            match row.filter(|&row| row < high) {
                Some(row) => [0, 1, 2].map(|channel| f32::from(rgb[3 * (row * wide + column) + channel])),
                None => [128.0, 140.0, 160.0],
            }
        };
        let value = |c: [f32; 3], [r, g, b]: [f32; 3], zero: f32| {
            (zero + c[0] * r + c[1] * g + c[2] * b).round().clamp(0.0, 255.0) as u8
        };
        bytes.extend(b"FRAME\n");
        for y in 0..height {
            bytes.extend((0..width).map(|x| value(colour(x, y), [0.299, 0.587, 0.114], 0.0)));
        }
        for weights in [[-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]] {
            for y in 0..height / 2 {
                bytes.extend((0..width / 2).map(|x| value(colour(2 * x, 2 * y), weights, 128.0)));
            }
        }
    }
    Ok(fs::write(file, bytes)?)
}

fn play(film: &Path, files: &Path, out: &Path) -> Done {
    fs::create_dir_all(out)?;
    let desk = Desk::new(Film::read(File::open(film)?)?);
    {
        let mut desk = desk.borrow_mut();
        let camera = |id: &str, facing, sensor| CameraInfo {
            id: id.into(),
            facing,
            sensor: Turn::from_degrees(sensor),
            sizes: vec![SIZE, (864, 480)],
        };
        desk.cameras = vec![camera("0", Facing::Back, 90), camera("1", Facing::Front, 270)];
        desk.insets = Insets { top: 80, bottom: 60, ..Insets::default() };
    }
    let mut app = App::new(desk::platform(&desk, Some(files.to_owned())))?;
    // To the nanosecond as in the other half.
    let mut time = Duration::ZERO;
    let mut advance = |nanos| {
        time += Duration::from_nanos(nanos);
        desk.borrow_mut().now_secs = time.as_secs_f64();
    };
    for line in fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/system/play.txt"))?.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| words[at].parse::<usize>();
        match words.as_slice() {
            [] | ["#", ..] | ["start" | "stop" | "destroy" | "benchmark" | "many"] => (),
            ["permission", answer] => desk.borrow_mut().granted = *answer == "yes",
            ["resume"] => drop(app.handle(Event::Resume)),
            ["pause"] => drop(app.handle(Event::Pause)),
            ["window", ..] => {
                desk.borrow_mut().size = (number(1)?, number(2)?);
                app.handle(Event::Window(desk::window(&desk)));
            }
            ["lost"] => drop(app.handle(Event::WindowLost)),
            ["turned", ..] => {
                let mut table = desk.borrow_mut();
                (table.turn, table.size) = (Turn::ALL[number(1)?], (number(2)?, number(3)?));
                drop(table);
                advance(1_000_000_000);
                app.handle(Event::WindowChanged);
            }
            ["frames", count] => {
                for _ in 0..count.parse()? {
                    advance(33_333_333);
                    desk.borrow_mut().waiting += 1;
                    app.work();
                }
            }
            [kind @ ("tap" | "press"), x, y] => {
                let (x, y) = (x.parse()?, y.parse()?);
                app.handle(Event::Down { x, y });
                advance(if *kind == "tap" { 100_000_000 } else { 700_000_000 });
                app.handle(Event::Up { x, y });
            }
            ["in-use"] => desk.borrow_mut().trouble = Some(CameraTrouble::InUse),
            ["disconnect"] => {
                desk.borrow_mut().trouble = Some(CameraTrouble::Disconnected);
                app.work();
            }
            ["show", name] => {
                let desk = desk.borrow();
                let (pixels, width, height) = &desk.shown;
                let mut ppm = format!("P6\n{width} {height}\n255\n").into_bytes();
                ppm.extend(pixels.as_chunks::<4>().0.iter().flat_map(|&[r, g, b, _]| [r, g, b]));
                fs::write(out.join(name).with_extension("ppm"), ppm)?;
            }
            _ => return Err(format!("play.txt: {line}").into()),
        }
    }
    Ok(())
}

/// Width, height, and red, green, blue.
fn read_ppm(path: &Path) -> Result<(usize, usize, Vec<u8>), Box<dyn Error>> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut parts = bytes.splitn(4, |&byte| byte == b'\n');
    let (_, size, _) = (parts.next(), parts.next().ok_or("no size")?, parts.next());
    let size = std::str::from_utf8(size)?.split_once(' ').ok_or("no size")?;
    Ok((size.0.parse()?, size.1.parse()?, parts.next().ok_or("no pixels")?.to_vec()))
}

fn compare(one: &Path, other: &Path) -> Done {
    let mut names: Vec<_> =
        fs::read_dir(one)?.map(|entry| Ok(entry?.file_name())).collect::<Result<_, Box<dyn Error>>>()?;
    names.retain(|name| Path::new(name).extension().is_some_and(|extension| extension == "ppm"));
    names.sort();
    let mut wrong = 0;
    for name in &names {
        let ((width, height, expected), found) = (read_ppm(&one.join(name))?, read_ppm(&other.join(name))?);
        let path = other.join(name).with_extension("png");
        let mut encoder = png::Encoder::new(BufWriter::new(File::create(path)?), found.0 as u32, found.1 as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.write_header()?.write_image_data(&found.2)?;
        let hidden = |i: usize| MEMORY.1.contains(&(i / 3 / width)) && i / 3 % width < MEMORY.0;
        let pairs = expected.iter().zip(&found.2).enumerate().filter(|&(i, _)| !hidden(i));
        let differences = pairs.map(|(_, (a, b))| a.abs_diff(*b));
        let worst = differences.clone().max().unwrap_or(0);
        let many = differences.filter(|&difference| difference > TOLERANCE).count();
        let same = (found.0, found.1) == (width, height) && many == 0;
        println!("{}: {width}x{height}, worst difference {worst}, {many} above {TOLERANCE}", name.display());
        wrong += usize::from(!same);
    }
    if names.is_empty() || wrong > 0 {
        return Err(format!("{wrong} of {} pictures differ", names.len()).into());
    }
    println!("{} pictures are as on a desktop", names.len());
    Ok(())
}
