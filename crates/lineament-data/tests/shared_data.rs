//! The readers on the real data, if present (`LINEAMENT_DATA`, or `../shared/data` next to the repository).

use std::path::{Path, PathBuf};

use lineament::topology::Topology;
use lineament::{Crop, Lineament, Options, Rect};
use lineament_data::dataset::{self, is_validation};
use lineament_data::evaluate::{Protocol, evaluate, false_faces};
use lineament_data::{Photo, boxes};

fn data() -> Option<PathBuf> {
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let dir = std::env::var_os("LINEAMENT_DATA").map_or(usual, PathBuf::from);
    if !dir.join("faces68").is_dir() {
        println!("skipped: no data at {} (set LINEAMENT_DATA)", dir.display());
        return None;
    }
    Some(dir)
}

#[test]
fn the_training_photos_have_points_boxes_and_a_fair_split() {
    let Some(data) = data() else { return };
    let samples = dataset::read(&data.join("faces68/train"), &Topology::ibug68()).unwrap();
    assert_eq!(samples.len(), 2012);
    let share = samples.iter().filter(|s| is_validation(&s.name, 0.1)).count() as f64 / 2012.0;
    assert!((0.07..0.13).contains(&share), "{share}");
    for source in ["lfpw", "helen", "afw"] {
        let of_source = || samples.iter().filter(|s| s.name.starts_with(source));
        assert!(of_source().any(|s| is_validation(&s.name, 0.1)) && of_source().any(|s| !is_validation(&s.name, 0.1)));
    }
    let boxes = boxes::read(&data.join("faces68/boxes_train.csv")).unwrap();
    assert_eq!(boxes.values().map(Vec::len).sum::<usize>(), 2795);
    let boxed = samples.iter().filter(|sample| {
        let truth = Rect::bounding(&sample.points).unwrap();
        let rows = boxes.get(&format!("{}.jpg", sample.name));
        rows.is_some_and(|rows| rows.iter().any(|row| row.rect.iou(&truth) >= 0.3))
    });
    // Another program's detector made the boxes: a hundredth of the faces it misses.
    let boxed = boxed.count();
    assert!(boxed >= 1990, "{boxed} of 2012 labelled faces have a box");
}

#[test]
fn true_points_lie_on_their_photos() {
    let Some(data) = data() else { return };
    for sample in dataset::read(&data.join("faces68/test"), &Topology::ibug68()).unwrap().iter().step_by(16) {
        let photo = Photo::open(&sample.photo_path).unwrap();
        let image = Rect::from_xywh(0.0, 0.0, photo.width as f32, photo.height as f32);
        assert!(image.contains(sample.points[30]), "{}: the nose tip", sample.name);
        let side = Crop::from_points(&Topology::ibug68(), &sample.points).side;
        assert!((80.0..1000.0).contains(&side), "{}: {side}", sample.name);
    }
}

#[test]
fn the_default_models_keep_the_figures_of_their_cards() {
    let Some(data) = data() else { return };
    let make = || Lineament::new(Options::default()).map_err(lineament_data::Error::from);
    let samples = dataset::read(&data.join("faces68/test"), &Topology::ibug68()).unwrap();
    let (report, _) = evaluate(&Topology::ibug68(), &samples, Protocol::Detector, make, 0, &|_, _| ()).unwrap();
    assert!(report.found_percent >= 99.0, "found {} %", report.found_percent);
    assert!(report.nme68.is_some_and(|nme| nme <= 4.2), "68 points {:?} %", report.nme68);
    assert!(report.nme51.is_some_and(|nme| nme <= 3.6), "51 points {:?} %", report.nme51);
    assert!(report.failures_percent <= 2.0, "{} % worse than 10 %", report.failures_percent);
    assert!(
        report.calibration.spearman.is_some_and(|r| r >= 0.4),
        "rank correlation {:?}",
        report.calibration.spearman
    );

    // The photos that no training sees: `nonface_holdout` of the recipes.
    let mut nonfaces = dataset::photos_in(&data.join("nonfaces")).unwrap();
    nonfaces.retain(|photo| is_validation(&photo.to_string_lossy(), 0.25));
    let wrong = false_faces(&nonfaces, make, 0, &|_, _| ()).unwrap();
    assert!(nonfaces.len() >= 200 && wrong.len() <= 4, "{} of {}: {wrong:?}", wrong.len(), nonfaces.len());
}
