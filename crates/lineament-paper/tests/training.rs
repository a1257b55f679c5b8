//! The paper's recipe on drawn faces: two bright spots whose places are the points.

use std::path::{Path, PathBuf};

use lineament::Point;
use lineament_data::Record;
use lineament_data::record::{SIDE, image_from_record};
use lineament_data::table::{Writer, point_names};
use lineament_nn::engine::Engine;
use lineament_nn::model::{Model, key};
use lineament_paper::training::{Event, Faces, Run, Settings, files};
use lineament_train::curves;
use lineament_train::networks::Paper;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

const ROWS: usize = 50;

/// A table of `ROWS` pictures with two spots each.
fn table(dir: &Path) -> PathBuf {
    let path = dir.join("spots.csv");
    let mut writer = Writer::create(&path, &point_names(2)).unwrap();
    let mut rng = Pcg64::seed_from_u64(1);
    for _ in 0..ROWS {
        let points = [(20.0, 45.0), (50.0, 75.0)]
            .map(|(low, high)| Point::new(rng.random_range(low..high), rng.random_range(20.0..75.0)));
        let brightness = |i: usize| {
            let (x, y) = ((i % SIDE) as f32, (i / SIDE) as f32);
            let near = points.iter().map(|p| p.distance(Point::new(x, y))).fold(f32::MAX, f32::min);
            (250.0 - 12.0 * near).max(10.0) as u8
        };
        let pixels = (0..SIDE * SIDE).map(brightness).collect();
        writer.write(&Record { points: points.to_vec(), pixels, origin: None }).unwrap();
    }
    writer.finish().unwrap();
    path
}

fn settings(table: PathBuf, epochs: usize, groups: usize) -> Settings {
    Settings {
        epochs,
        groups,
        batch: 11,
        rate: 1e-3,
        network: Paper { pools: 3, filters: [4, 4, 8], kernels: [3, 2, 2] },
        ..Settings::paper("basic", table).unwrap()
    }
}

/// Trains to the end, or for so many events.
fn train(settings: &Settings, dir: &Path, resume: bool, events: usize) -> Run {
    let mut run = Run::new(settings.clone(), Faces::open(settings).unwrap(), dir, resume).unwrap();
    for _ in 0..events {
        if run.advance().unwrap().is_none() {
            break;
        }
    }
    run
}

#[test]
fn a_run_that_was_stopped_anywhere_goes_on_as_if_it_had_not() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(table(dir.path()), 3, 2);
    let [whole, parts] = ["whole", "parts"].map(|name| dir.path().join(name));
    train(&settings, &whole, false, usize::MAX);
    // 45 faces are 5 steps of at most 11; an epoch's end is an event of its own.
    for (resume, events) in [(false, 2), (true, 4), (true, 3), (true, usize::MAX)] {
        train(&settings, &parts, resume, events).save().unwrap();
    }
    let [a, b] = [&whole, &parts].map(|dir| std::fs::read(dir.join(files::MODEL)).unwrap());
    assert!(a == b, "the models differ");
    let [a, b] = [&whole, &parts].map(|dir| curves::read(&dir.join(files::CURVES)).unwrap().unwrap());
    let figures = |curves: &curves::Curves| curves.rows.iter().map(|row| row[..7].to_vec()).collect::<Vec<_>>();
    assert_eq!(a.columns[..7], ["epoch", "loss", "mae", "accuracy", "val_loss", "val_mae", "val_accuracy"]);
    assert_eq!(figures(&a), figures(&b));
    assert_eq!(a.rows.len(), 3);
}

#[test]
fn the_file_gives_the_figures_that_training_reported() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(table(dir.path()), 30, 2);
    let out = dir.path().join("out");
    let run = train(&settings, &out, false, usize::MAX);
    let curves = curves::read(&out.join(files::CURVES)).unwrap().unwrap();
    let (first, last) = (&curves.rows[0], curves.rows.last().unwrap());
    assert!(last[4] < 0.5 * first[4], "validation loss fell from {} to {} only", first[4], last[4]);

    let bytes = std::fs::read(out.join(files::MODEL)).unwrap();
    let model = Model::parse(&bytes).unwrap();
    assert_eq!(model.metadata.get(key::NORMALISATION), Some("unit"));
    assert_eq!(model.metadata.get(key::CROP), None, "where to look is known for the 68 points only");
    let mut engine = Engine::new(&model).unwrap();
    let (mut absolutes, mut coordinates) = (0.0, 0);
    for &face in run.faces().validation() {
        engine.run(|input| run.faces().input(face, input));
        let (points, _) = engine.output("points").unwrap();
        // The crop frame is 2 wide, and counts from the edge of the first pixel, not from its centre.
        for (p, truth) in points.iter().zip(run.faces().coordinates(face)) {
            absolutes += f64::from(((p + 1.0) * SIDE as f32 / 2.0 - 0.5 - truth).abs());
            coordinates += 1;
        }
    }
    let mae = absolutes / f64::from(coordinates);
    assert_eq!(coordinates, 5 * 4, "the last tenth of 50 faces");
    assert!((mae - last[5]).abs() < 1e-3, "{mae} in the file, {} in training", last[5]);
}

#[test]
fn the_loss_is_the_batchs_whatever_groups_it_is_cut_into() {
    let dir = tempfile::tempdir().unwrap();
    let table = table(dir.path());
    let after = |groups: usize| {
        let settings = settings(table.clone(), 1, groups);
        let mut run = train(&settings, &dir.path().join(groups.to_string()), false, 0);
        let mut losses = Vec::new();
        while let Some(event) = run.advance().unwrap() {
            if let Event::Step(loss) = event {
                losses.push(loss);
            }
        }
        losses
    };
    let (one, five) = (after(1), after(5));
    assert_eq!(one.len(), 5, "45 faces in batches of 11");
    // The last batch has one face: four of five groups have nothing to do.
    one.iter().zip(&five).for_each(|(a, b)| assert!((a - b).abs() < 1e-3 * a, "{one:?} {five:?}"));
}

#[test]
fn rows_are_drawn_and_held_back_as_the_settings_say() {
    let dir = tempfile::tempdir().unwrap();
    let paper = settings(table(dir.path()), 1, 1);
    let faces = Faces::open(&paper).unwrap();
    assert_eq!(faces.train(), (0..45).collect::<Vec<_>>());
    assert_eq!(faces.validation(), (45..50).collect::<Vec<_>>());
    let drawn = Faces::open(&Settings { rows: Some(20), ..paper.clone() }).unwrap();
    let rows = [drawn.train(), drawn.validation()].concat();
    assert!(rows.len() == 20 && rows.is_sorted() && rows != (0..20).collect::<Vec<_>>(), "{rows:?}");
    let shuffled = Faces::open(&Settings { shuffle: true, ..paper.clone() }).unwrap();
    assert!(!shuffled.train().is_sorted());
    let mut all = [shuffled.train(), shuffled.validation()].concat();
    all.sort_unstable();
    assert_eq!(all, (0..50).collect::<Vec<_>>());
    assert!(Faces::open(&Settings { validation_share: 0.89, rows: Some(2), ..paper }).is_err());
    // What the crop of a table's row is in its photo: pixel centres are whole numbers there.
    let whole = lineament::Rect::from_xywh(0.0, 0.0, SIDE as f32, SIDE as f32);
    assert_eq!(image_from_record(&whole, Point::new(3.0, 4.0)), Point::new(3.5, 4.5));
}

#[test]
fn a_table_with_a_fault_stops_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = table(dir.path());
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines[7] = lines[7].replacen(" 10 ", " 300 ", 1);
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    let error = Faces::open(&settings(path, 1, 1)).unwrap_err().to_string();
    assert!(error.contains("spots.csv") && error.contains("row 7") && error.contains("Image"), "{error}");
}
