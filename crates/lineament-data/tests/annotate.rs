//! From photos to records, on a photo whose face is known and on pictures made from it.

use std::fs;
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::atomic::{AtomicBool, Ordering};

use image::{Rgb, RgbImage};
use lineament::cascade::{Cascade, CascadeOptions};
use lineament::{Lineament, Options, Point, Rect};
use lineament_data::annotate::{
    Annotator, Counts, DetectorChoice, Faces, Filters, Input, Job, Outcome, PointsChoice, PointsOn, Reason, Rejection,
    Settings, shards,
};
use lineament_data::record::{SIDE, image_from_record};
use lineament_data::table::{ReadOptions, Reader};
use lineament_data::{Error, Photo, Record, pts, topologies};
use tempfile::TempDir;

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(name)
}

fn astronaut() -> Photo {
    Photo::open(&testdata("astronaut.jpg")).unwrap()
}

/// Box and points of the astronaut, as `lineament run` finds them.
fn astronaut_face() -> (Rect, Vec<Point>) {
    let faces = Lineament::new(Options::default()).unwrap().faces(&astronaut().grey().view());
    (faces[0].detection.rect, faces[0].landmarks.points.clone())
}

fn annotate(settings: &Settings, photo: &Photo) -> Vec<Result<Record, Rejection>> {
    Annotator::new(settings).unwrap().annotate("photo", photo, None)
}

/// The largest distance between a record's points, brought to the photo, and `expected`.
fn farthest(record: &Record, expected: &[Point]) -> f32 {
    let crop = record.origin.as_ref().unwrap().crop;
    let distance = |(&p, &q): (&Point<_>, &Point)| image_from_record(&crop, p).distance(q);
    record.points.iter().zip(expected).map(distance).fold(0.0, f32::max)
}

#[test]
fn a_record_holds_the_points_that_run_finds_and_says_where_they_are_from() {
    let (rect, points) = astronaut_face();
    let records = annotate(&Settings::default(), &astronaut());
    let record = records[0].as_ref().unwrap();
    assert_eq!((records.len(), record.pixels.len()), (1, SIDE * SIDE));
    assert!(farthest(record, &points) < 0.01, "{}", farthest(record, &points));
    let origin = record.origin.as_ref().unwrap();
    assert_eq!((origin.photo.as_str(), origin.photo_size, origin.face), ("photo", (512, 512), rect));
    let side = 1.2 * rect.width.max(rect.height);
    assert!((origin.crop.width - side).abs() < 0.01 && origin.crop.width == origin.crop.height);
    assert!(origin.crop.center().distance(rect.center()) < 0.01);
    assert!(origin.score > 0.98 && origin.expected_error.unwrap() < 8.0 && origin.pose.is_some());
}

#[test]
fn points_placed_on_the_crop_are_near_those_placed_on_the_photo() {
    let (_, points) = astronaut_face();
    let settings = Settings { points_on: PointsOn::Crop, ..Settings::default() };
    let records = annotate(&settings, &astronaut());
    let record = records[0].as_ref().unwrap();
    let eyes = points[36].distance(points[45]);
    assert!(farthest(record, &points) < 0.1 * eyes, "{} of {eyes}", farthest(record, &points));
}

#[test]
fn points_of_a_network_in_a_file_are_verified_by_the_one_inside() {
    let lite = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/lite/lite.onnx");
    let own = annotate(&Settings::default(), &astronaut());
    let filed = annotate(&Settings { points: PointsChoice::Network(lite), ..Settings::default() }, &astronaut());
    let (own, filed) = (own[0].as_ref().unwrap(), filed[0].as_ref().unwrap());
    // The same network, but its first look does not know the roll.
    let apart = own.points.iter().zip(&filed.points).map(|(a, b)| a.distance(*b)).fold(0.0, f32::max);
    assert!(apart < 2.0, "{apart} pixels of the crop");
    assert!(filed.origin.as_ref().unwrap().score > 0.98);
}

#[test]
fn labels_of_people_come_back_to_a_hundredth_of_a_pixel() {
    let folder = tempfile::tempdir().unwrap();
    let photo = folder.path().join("a.jpg");
    fs::copy(testdata("astronaut.jpg"), &photo).unwrap();
    let labels: Vec<Point> = astronaut_face().1.iter().map(|p| Point::new(p.x + 1.37, p.y - 2.11)).collect();
    pts::write(&photo.with_extension("pts"), &labels).unwrap();
    let settings = Settings { points: "pts".parse().unwrap(), ..Settings::default() };
    let mut annotator = Annotator::new(&settings).unwrap();
    let records = annotator.annotate_file("a.jpg", &photo);
    assert!(farthest(records[0].as_ref().unwrap(), &labels) < 0.01);

    let elsewhere: Vec<Point> = labels.iter().map(|p| Point::new(p.x + 200.0, p.y + 200.0)).collect();
    let rejected = annotator.annotate("a.jpg", &astronaut(), Some(&elsewhere));
    assert_eq!(rejected[0].as_ref().unwrap_err().reason, Reason::LabelledFaceNotFound);
    fs::write(photo.with_extension("pts"), "no points").unwrap();
    let rejected = annotator.annotate_file("a.jpg", &photo);
    let rejection = rejected[0].as_ref().unwrap_err();
    assert!(rejection.reason == Reason::NoLabels && rejection.detail.starts_with("line 1: "), "{rejection:?}");
}

#[test]
fn labels_of_any_topology_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let photo = folder.path().join("a.jpg");
    fs::copy(testdata("astronaut.jpg"), &photo).unwrap();
    let points = astronaut_face().1;
    let five = topologies::open("five").unwrap().topology;
    let five = five.from_ibug68(points[..].try_into().unwrap()).unwrap();
    let settings = |text: &str| Settings { points: text.parse().unwrap(), ..Settings::default() };
    let mut annotator = Annotator::new(&settings("pts:five")).unwrap();
    assert_eq!(annotator.points(), 5);
    for labels in [&five, &points] {
        // Labels of 68 points become the five.
        pts::write(&photo.with_extension("pts"), labels).unwrap();
        let records = annotator.annotate_file("a.jpg", &photo);
        assert!(farthest(records[0].as_ref().unwrap(), &five) < 0.01);
    }
    pts::write(&photo.with_extension("pts"), &points[..7]).unwrap();
    let rejected = annotator.annotate_file("a.jpg", &photo);
    let rejection = rejected[0].as_ref().unwrap_err();
    assert!(rejection.detail.contains("7 points, expected the 5 of `five` or the 68 of iBUG"), "{rejection:?}");
    let error = Annotator::new(&settings("pts:none")).unwrap_err().to_string();
    assert!(error.contains("none: neither a topology file nor one of ibug68, "), "{error}");
}

#[test]
fn of_several_faces_those_are_taken_that_are_wanted() {
    let photo = Photo::open(&testdata("two_faces.jpg")).unwrap();
    let with = |faces| annotate(&Settings { faces, ..Settings::default() }, &photo);
    let lefts = |records: &[Result<Record, Rejection>]| {
        records.iter().map(|r| r.as_ref().unwrap().origin.as_ref().unwrap().face.x).collect::<Vec<_>>()
    };
    let (largest, all) = (lefts(&with(Faces::Largest)), lefts(&with(Faces::All)));
    assert_eq!((largest.len(), all.len(), largest[0]), (1, 2, all[0]));
    assert!(all[0] < all[1], "the larger face is on the left");
    let rejected = with(Faces::One);
    let rejection = rejected[0].as_ref().unwrap_err();
    assert_eq!((rejection.reason, rejection.face, rejection.detail.as_str()), (Reason::SeveralFaces, None, "2 faces"));
}

/// A photo with each brightness changed.
fn changed(photo: &Photo, change: impl Fn(u8) -> u8) -> Photo {
    Photo { pixels: photo.pixels.iter().map(|&v| change(v)).collect(), ..*photo }
}

/// Every pixel the mean of a square around it.
fn blurred(photo: &Photo, radius: usize) -> Photo {
    let (width, height) = (photo.width as u32, photo.height as u32);
    let sharp = RgbImage::from_raw(width, height, photo.pixels.clone()).unwrap();
    let small = image::imageops::thumbnail(&sharp, width / radius as u32, height / radius as u32);
    let soft = image::imageops::resize(&small, width, height, image::imageops::FilterType::CatmullRom);
    Photo { pixels: soft.into_raw(), ..*photo }
}

#[test]
fn each_reason_has_a_photo_that_is_left_out_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let (rect, _) = astronaut_face();
    // A table of boxes finds a face in whatever is shown to it.
    let table = folder.path().join("boxes.csv");
    let row = |name: &str, r: Rect| format!("{name},{},{},{},{},1\n", r.x, r.y, r.width, r.height);
    let rows = row("photo", rect) + &row("cat.jpg", Rect::from_xywh(100.0, 20.0, 120.0, 120.0));
    fs::write(&table, format!("file,x,y,w,h,score\n{rows}")).unwrap();
    let boxed = Settings { detectors: vec![DetectorChoice::Boxes(table)], margin: Some(1.2), ..Settings::default() };
    let ours = Settings::default();
    let small = Settings { margin: Some(0.5), ..Settings::default() };
    let filters = Filters { max_expected_error: Some(0.1), ..Filters::default() };
    let strict = Settings { filters, ..Settings::default() };
    let astronaut = astronaut();
    let cat = Photo::open(&testdata("cat.jpg")).unwrap();
    let grey = changed(&astronaut, |_| 128);
    let pixel = Photo { pixels: vec![90; 3], width: 1, height: 1 };
    for (name, settings, photo, reason) in [
        ("photo", &boxed, &changed(&astronaut, |v| v / 12), Reason::TooDark),
        ("photo", &boxed, &changed(&astronaut, |v| 235 + v / 13), Reason::TooBright),
        ("photo", &boxed, &grey, Reason::LowContrast),
        ("photo", &boxed, &blurred(&astronaut, 20), Reason::Blurred),
        ("cat.jpg", &boxed, &cat, Reason::LowScore),
        ("photo", &ours, &grey, Reason::NoFace),
        ("photo", &ours, &pixel, Reason::NoFace),
        ("photo", &boxed, &pixel, Reason::LowContrast),
        ("none", &boxed, &astronaut, Reason::NoFace),
        ("photo", &small, &astronaut, Reason::PointsOutside),
        ("photo", &strict, &astronaut, Reason::LargeExpectedError),
    ] {
        let records = Annotator::new(settings).unwrap().annotate(name, photo, None);
        let found = records[0].as_ref().err().map(|rejection| rejection.reason);
        assert_eq!((records.len(), found), (1, Some(reason)), "{reason}: {:?}", records[0].as_ref().err());
    }
    let off = Settings { filters: Filters::OFF, ..boxed };
    assert!(annotate(&off, &grey)[0].is_ok(), "what is switched off leaves nothing out");
    assert!(annotate(&boxed_again(&off), &astronaut)[0].is_ok());
}

fn boxed_again(off: &Settings) -> Settings {
    Settings { filters: Filters::default(), ..off.clone() }
}

#[test]
fn the_next_detector_is_asked_where_the_one_before_finds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("boxes.csv");
    fs::write(&table, "file,x,y,w,h,score\nother,1,2,30,30,1\n").unwrap();
    let detectors = vec![DetectorChoice::Boxes(table), DetectorChoice::Ours];
    let settings = Settings { detectors, ..Settings::default() };
    let records = annotate(&settings, &astronaut());
    let origin = records[0].as_ref().unwrap().origin.as_ref().unwrap();
    assert_eq!(origin.face, astronaut_face().0);
    assert!(origin.crop.width > 1.1 * origin.face.width.max(origin.face.height), "the margin is that of our detector");
}

#[test]
fn boxes_that_show_no_face_do_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let (rect, _) = astronaut_face();
    let row = |name: &str, r: Rect| format!("{name},{},{},{},{},1\n", r.x, r.y, r.width, r.height);
    // Her suit and the flag behind her; both boxes are larger than her face.
    let suit = Rect::from_xywh(180.0, 260.0, 200.0, 200.0);
    let flag = Rect::from_xywh(0.0, 0.0, 140.0, 140.0);
    let both = [row("photo", suit), row("photo", flag)].concat();
    let table = folder.path().join("boxes.csv");
    fs::write(&table, format!("file,x,y,w,h,score\n{both}{}{}", row("photo", rect), both.replace("photo", "false")))
        .unwrap();
    let boxes = DetectorChoice::Boxes(table);
    let with = |name: &str, detectors: &[DetectorChoice], faces, filters| {
        let settings =
            Settings { detectors: detectors.to_vec(), margin: Some(1.2), faces, filters, ..Settings::default() };
        Annotator::new(&settings).unwrap().annotate(name, &astronaut(), None)
    };
    let usual = Filters::default();
    let kept = |records: &[Result<Record, Rejection>]| {
        records.iter().filter_map(|r| r.as_ref().ok()).map(|r| r.origin.as_ref().unwrap().face).collect::<Vec<_>>()
    };
    let alone = slice::from_ref(&boxes);
    for faces in [Faces::Largest, Faces::One] {
        let records = with("photo", alone, faces, usual.clone());
        assert_eq!((records.len(), kept(&records)), (1, vec![rect]), "{faces}");
        let records = with("false", alone, faces, usual.clone());
        let rejection = records[0].as_ref().unwrap_err();
        assert_eq!((records.len(), rejection.face, rejection.reason), (1, Some(1), Reason::LowScore), "{faces}");
        let records = with("false", &[boxes.clone(), DetectorChoice::Ours], faces, usual.clone());
        assert_eq!(kept(&records), [rect], "the next detector is asked");
    }
    let all = with("photo", alone, Faces::All, usual.clone());
    assert_eq!((all.len(), kept(&all)), (3, vec![rect]));
    let unasked = with("photo", alone, Faces::Largest, Filters::OFF);
    assert_eq!(kept(&unasked), [suit], "without the filter nobody asks");
}

#[test]
fn a_predictor_of_other_points_makes_records_of_those() {
    let folder = tempfile::tempdir().unwrap();
    let photo = folder.path().join("a.jpg");
    fs::copy(testdata("astronaut.jpg"), &photo).unwrap();
    let settings = Settings { points: PointsChoice::Dlib(testdata("dlib/tiny.dat")), ..Settings::default() };
    let job = Job {
        photos: vec![Input { name: "a.jpg".into(), path: photo }],
        outputs: vec![folder.path().join("a.parquet")],
        shard: 1,
        threads: 1,
        restart: false,
    };
    let outcome = run_until(&settings, job, usize::MAX).unwrap();
    assert!(matches!(outcome, Outcome::Complete(counts) if counts.kept == 1));
    let mut reader = Reader::open(&folder.path().join("a.parquet"), ReadOptions::default()).unwrap();
    assert_eq!(reader.points(), 6);
    let record = reader.next().unwrap().unwrap();
    let (own, usual) = (record.origin.unwrap(), annotate(&Settings::default(), &astronaut()));
    let usual = usual[0].as_ref().unwrap().origin.as_ref().unwrap();
    assert!(own.score > 0.98 && own.expected_error.unwrap() < 8.0, "our network verifies with its own points");
    let apart = own.pose.unwrap().iter().zip(usual.pose.unwrap()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart < 0.1, "the pose is that of its points: {apart} radians");
}

#[test]
fn a_cascade_gives_its_largest_box_and_the_crop_is_that_box() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lineament/tests/fixtures/cascade/haar_stumps.xml");
    let cascade = Cascade::parse(&fs::read_to_string(&path).unwrap()).unwrap();
    let grey = astronaut().grey();
    let boxes = cascade.detect(&grey.view().to_grey(), &CascadeOptions::default()).unwrap();
    let largest = boxes.iter().map(|found| found.rect).max_by(|a, b| a.area().total_cmp(&b.area())).unwrap();
    let detectors = vec![DetectorChoice::Cascade(path)];
    let settings = Settings { detectors, filters: Filters::OFF, ..Settings::default() };
    let records = annotate(&settings, &astronaut());
    let origin = records[0].as_ref().unwrap().origin.as_ref().unwrap();
    assert_eq!((origin.face.area(), origin.crop.width), (largest.area(), largest.width.max(largest.height)));
}

#[test]
fn files_that_are_not_what_they_should_be_are_errors() {
    for (points, word) in [
        (PointsChoice::Dlib(testdata("cat.jpg")), "cat.jpg"),
        (PointsChoice::Network(testdata("cat.jpg")), "cat.jpg"),
        (PointsChoice::Network(testdata("none.onnx")), "none.onnx"),
    ] {
        let message = Annotator::new(&Settings { points, ..Settings::default() }).unwrap_err().to_string();
        assert!(message.contains(word), "{message}");
    }
    let detectors = [DetectorChoice::Network, DetectorChoice::Cascade, DetectorChoice::Boxes];
    for detector in detectors.map(|choice| choice(testdata("cat.jpg"))) {
        let settings = Settings { detectors: vec![detector], ..Settings::default() };
        assert!(Annotator::new(&settings).unwrap_err().to_string().contains("cat.jpg"));
    }
}

/// Ten small photos, eight with a face, and a file that is none.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let photo = astronaut();
        let whole = RgbImage::from_raw(512, 512, photo.pixels).unwrap();
        for i in 0..8 {
            let part = image::imageops::crop_imm(&whole, 100 + 4 * i, 5 * i, 240, 260).to_image();
            part.save(folder.path(&format!("{}/face{i}.png", i % 2))).unwrap();
        }
        RgbImage::from_pixel(20, 20, Rgb([9, 99, 200])).save(folder.path("0/blank.png")).unwrap();
        let jpeg = fs::read(testdata("astronaut.jpg")).unwrap();
        fs::write(folder.path("1/cut.jpg"), &jpeg[..300]).unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn job(&self, output: &str) -> Job {
        let names = (0..8).map(|i| format!("{}/face{i}.png", i % 2)).chain(["0/blank.png".into(), "1/cut.jpg".into()]);
        Job {
            photos: names.map(|name| Input { path: self.path(&name), name }).collect(),
            outputs: vec![self.path(&format!("{output}.csv")), self.path(&format!("{output}.parquet"))],
            shard: 3,
            threads: 2,
            restart: false,
        }
    }

    fn outputs(&self, output: &str) -> [Vec<u8>; 3] {
        ["csv", "parquet", "rejects.csv"].map(|ending| fs::read(self.path(&format!("{output}.{ending}"))).unwrap())
    }
}

/// Runs a job that is stopped when so many photos, with those of earlier runs, are done.
fn run_until(settings: &Settings, job: Job, photos: usize) -> lineament_data::Result<Outcome> {
    let stop = AtomicBool::new(false);
    let hear = |counts: &Counts| {
        stop.fetch_or(counts.photos >= photos, Ordering::Relaxed);
    };
    shards::run(&Annotator::new(settings)?, job, &hear, &stop)
}

#[test]
fn neither_threads_nor_interruptions_change_the_tables() {
    let (folder, settings) = (Folder::new(), Settings::default());
    let Outcome::Complete(counts) = run_until(&settings, folder.job("whole"), usize::MAX).unwrap() else { panic!() };
    assert_eq!((counts.photos, counts.kept, counts.rejected_in_all()), (10, 8, 2));
    assert_eq!((counts.rejected[&Reason::NoFace], counts.rejected[&Reason::Unreadable]), (1, 1));

    let single = Job { threads: 1, ..folder.job("single") };
    run_until(&settings, single, usize::MAX).unwrap();
    for (photos, shard) in [(2, 3), (5, 3), (5, 100), (7, 1)] {
        // With one thread nothing else is in work when the stop comes.
        let job = Job { threads: 1, shard, ..folder.job("parts") };
        let Outcome::Stopped(counts) = run_until(&settings, job, photos).unwrap() else { panic!() };
        assert_eq!(counts.photos, photos, "everything that was done is saved");
        assert!(folder.path("parts.csv.parts/settings.json").exists() && !folder.path("parts.csv").exists());
    }
    assert_eq!(run_until(&settings, folder.job("parts"), usize::MAX).unwrap(), Outcome::Complete(counts));
    for output in ["single", "parts"] {
        assert!(folder.outputs(output) == folder.outputs("whole"), "{output}");
        assert!(!folder.path(&format!("{output}.csv.parts")).exists());
    }

    let reader = |ending: &str| Reader::open(&folder.path(&format!("whole.{ending}")), ReadOptions::default()).unwrap();
    let records: Vec<Record> = reader("parquet").map(Result::unwrap).collect();
    let names: Vec<&str> = records.iter().map(|r| r.origin.as_ref().unwrap().photo.as_str()).collect();
    assert_eq!(names[..5], ["0/face0.png", "0/face2.png", "0/face4.png", "0/face6.png", "1/face1.png"]);
    for (a, b) in reader("csv").map(Result::unwrap).zip(&records) {
        assert!(a.points == b.points && a.pixels == b.pixels);
    }
    let rejects = fs::read_to_string(folder.path("whole.rejects.csv")).unwrap();
    let lines: Vec<&str> = rejects.lines().collect();
    assert_eq!(lines[..2], ["photo,face,reason,detail", "0/blank.png,,no-face,"]);
    assert_eq!(lines[2..], ["1/cut.jpg,,unreadable,the JPEG's end is missing: the file was cut off"]);
}

#[test]
fn unfinished_work_is_resumed_with_the_same_settings_and_photos_only() {
    let (folder, settings) = (Folder::new(), Settings::default());
    run_until(&settings, folder.job("a"), 5).unwrap();
    let fewer = |mut job: Job| {
        job.photos.pop();
        job
    };
    let narrower = Settings { margin: Some(1.1), ..Settings::default() };
    let strict = Filters { min_sharpness: None, ..Filters::default() };
    let darker = Settings { filters: strict, ..Settings::default() };
    for (settings, job, word) in [
        (&narrower, folder.job("a"), "--margin"),
        (&darker, folder.job("a"), "--min-sharpness was 10, now it is off"),
        (&settings, fewer(folder.job("a")), "PHOTOS was 10 with the names"),
    ] {
        let error = run_until(settings, job, usize::MAX).unwrap_err();
        assert!(matches!(error, Error::Unfinished { .. }) && error.to_string().contains(word), "{error}");
        assert!(error.to_string().contains("--restart"), "{error}");
    }
    let path = folder.path("a.csv.parts/settings.json");
    let begun = fs::read_to_string(&path).unwrap();
    for (entry, other) in [("\"hash\": \"fnv-1a\"", "\"hush\": \"\""), ("\"version\": \"", "\"version\": \"9.")] {
        assert!(begun.contains(entry), "{begun}");
        fs::write(&path, begun.replace(entry, other)).unwrap();
        let error = run_until(&settings, folder.job("a"), usize::MAX).unwrap_err().to_string();
        assert!(error.contains("begun by an older or newer lineament") && error.contains("--restart"), "{error}");
    }
    let again = Job { restart: true, ..folder.job("a") };
    assert!(matches!(run_until(&narrower, again, usize::MAX).unwrap(), Outcome::Complete(_)));
    assert!(!folder.path("a.csv.parts").exists());
}

#[test]
fn where_nothing_is_kept_there_is_no_table_but_the_reasons() {
    let folder = Folder::new();
    let filters = Filters { max_expected_error: Some(0.0), ..Filters::default() };
    let settings = Settings { filters, ..Settings::default() };
    let Outcome::Complete(counts) = run_until(&settings, folder.job("a"), usize::MAX).unwrap() else { panic!() };
    assert_eq!((counts.kept, counts.rejected[&Reason::LargeExpectedError]), (0, 8));
    assert!(!folder.path("a.csv").exists() && folder.path("a.rejects.csv").exists());
}

#[test]
fn a_table_of_boxes_that_names_none_of_the_photos_is_an_error() {
    let folder = Folder::new();
    let table = folder.path("boxes.csv");
    fs::write(&table, "file,x,y,w,h,score\nphotos/face0.png,1,2,30,30,1\n").unwrap();
    let settings = Settings { detectors: vec![DetectorChoice::Boxes(table)], ..Settings::default() };
    let error = run_until(&settings, folder.job("a"), usize::MAX).unwrap_err().to_string();
    assert!(error.contains("names none of the photos") && error.contains("`0/blank.png`"), "{error}");
}
