//! Which objects an import keeps, warns about and leaves out.

use super::super::import::{FivePoints, Import, Warning};
use super::*;

#[test]
fn label_files_that_cannot_be_used_are_counted_or_stop_the_import() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let points = "10 10\n20 10\n";
    for (name, text) in [
        ("good.pts", points),
        ("count.pts", "n_points: 3\n10 10\n20 10\n"),
        ("more.pts", "10 10\n20 10\n15 20\n"),
        ("none.pts", points),
        ("two.pts", points),
        ("damaged.pts", points),
        ("shares.pts", "0.25 0.5\n0.75 1\n"),
        ("nan.pts", "1 2\nnan 3\n"),
    ] {
        fs::write(at(name), text).unwrap();
    }
    for name in ["good.png", "count.png", "more.png", "two.png", "two.JPG", "shares.png", "nan.png"] {
        fs::copy(fixture("photos/a.png"), at(name)).unwrap();
    }
    fs::write(at("damaged.png"), b"\x89PNG\r\n\x1a\n").unwrap();
    let out = at("labels.csv");
    let error = import(Format::Pts, folder.path(), &out, Options::default(), |_| {}).unwrap_err().to_string();
    assert!(error.ends_with("count.pts:3: 2 points, but n_points is 3"), "{error}");
    assert!(!out.exists());
    let options = Options { names: Some(vec!["a".into(), "b".into()]), ..skipping() };
    let summary = import(Format::Pts, folder.path(), &out, options, |_| {}).unwrap();
    let found: Vec<(Reason, u64, &str)> = summary
        .rejects
        .iter()
        .map(|(reason, found)| {
            (*reason, found.count, found.first[0].strip_prefix(folder.path().to_str().unwrap()).unwrap())
        })
        .collect();
    let missing =
        format!("/none.pts: no photo of the same name (jpg, jpeg, png, webp, bmp) in {}", folder.path().display());
    let damaged = format!("/damaged.pts: {}: damaged PNG: ", at("damaged.png").canonicalize().unwrap().display());
    for (found, expected) in found.iter().zip([
        (Reason::Unreadable, 2, "/count.pts:3: 2 points, but n_points is 3"),
        (Reason::Count, 1, "/more.pts: 3 points, expected 2"),
        (Reason::PhotoMissing, 2, &missing),
        (Reason::PhotoDamaged, 1, &damaged),
        (
            Reason::Shares,
            1,
            "/shares.pts: all coordinates are from 0 to 1, so they seem to be shares of the photo's width \
            and height; multiply them by its size in pixels",
        ),
    ]) {
        assert!(found.0 == expected.0 && found.1 == expected.1 && found.2.starts_with(expected.2), "{found:?}");
    }
    assert_eq!((found.len(), summary.rejects(), summary.objects), (5, 7, 1));
    assert_eq!(summary.left_out.get("photos without a .pts file"), Some(&2));
    assert_eq!(fs::read_to_string(&out).unwrap(), "photo,x,y,w,h,a_x,a_y,b_x,b_y\ngood.png,,,,,9.5,9.5,19.5,9.5\n");
}

#[test]
fn what_looks_wrong_is_told_and_kept() {
    let header = "photo,x,y,w,h,re_x,re_y,le_x,le_y,n_x,n_y,rm_x,rm_y,lm_x,lm_y\n";
    let upright = "20,10,40,10,30,20,22,30,38,30";
    let swapped = "40,10,20,10,30,20,38,30,22,30";
    let text = format!(
        "{header}photos/a.png,,,,,{upright}\nphotos/a.png,,,,,{swapped}\nphotos/b.png,,,,,{upright}\n\
         photos/a.png,,,,,{upright}\nphotos/a.png,,,,,-1,10,40,10,30,20,22,30,38,49\n"
    );
    let five = Some([vec![0], vec![1], vec![2], vec![3], vec![4]]);
    let summary = import_text(Format::Table, "in.csv", &text, Options { five, ..Options::default() }).unwrap();
    assert_eq!((summary.objects, summary.photos), (5, 2));
    for (warning, example) in [
        (Warning::Mirrored, "in.csv:3: photos/a.png"),
        (Warning::Duplicate, "in.csv:5: photos/a.png"),
        (Warning::Outside, "in.csv:6: point 0 at (-1.0, 10.0) and 1 others, the photo is 64x48"),
    ] {
        let found = &summary.warnings[&warning];
        assert!(found.count == 1 && found.first[0].ends_with(example), "{found:?}");
    }
    assert_eq!(summary.warnings.len(), 3);
}

#[test]
fn mirrored_faces_are_known_at_any_roll_and_profiles_tell_nothing() {
    let five: FivePoints = [vec![0, 1], vec![2], vec![], vec![3], vec![4]];
    let face = |half: f32| [(-half, -10.0), (-half, -10.0), (half, -10.0), (-half, 20.0), (half, 20.0)];
    for roll in 0..12 {
        let (sin, cos) = (roll as f32 * 0.52).sin_cos();
        let turned = |half: f32| -> Vec<Option<Point>> {
            face(half).iter().map(|(x, y)| Some(Point::new(x * cos - y * sin, x * sin + y * cos))).collect()
        };
        assert!(!checks::is_mirrored(&turned(15.0), &five), "{roll}");
        assert!(checks::is_mirrored(&turned(-15.0), &five), "{roll}");
        assert!(!checks::is_mirrored(&turned(-1.0), &five), "{roll}: a profile");
    }
    assert!(!checks::is_mirrored(&[None; 5], &five) && !checks::is_mirrored(&[], &five));
}

#[test]
fn pts_that_count_from_0_are_told_and_read_by_option() {
    let read = |text: &str, origin| {
        let folder = folder();
        fs::write(folder.path().join("photos/a.pts"), text).unwrap();
        let options = Options { read: ReadOptions { origin, ..ReadOptions::default() }, ..Options::default() };
        let out = folder.path().join("out.csv");
        let summary = import(Format::Pts, &folder.path().join("photos/a.pts"), &out, options, |_| {}).unwrap();
        let row = table::Reader::open(&out).unwrap().next().unwrap().unwrap();
        (row.points[0].unwrap(), summary.warnings.into_keys().collect::<Vec<_>>())
    };
    assert_eq!(read("0 5\n10 20", None), (Point::new(-0.5, 4.5), vec![Warning::Outside, Warning::ZeroBased]));
    assert_eq!(read("0 5\n10 20", Some(Origin::Zero)), (Point::new(0.5, 5.5), vec![]));
    assert_eq!(read("1 5\n10 20", None), (Point::new(0.5, 4.5), vec![]));
    assert_eq!(read("0.5 5\n10 20", Some(Origin::Half)), (Point::new(0.5, 5.0), vec![]));
}

#[test]
fn paths_stay_within_the_folder_of_the_photos() {
    let points = "5 6 ".repeat(98);
    let read = |path: &str| import_text(Format::Wflw, "list.txt", &format!("{points}{path}\n"), Options::default());
    for path in ["photos/a.png", "./photos/a.png", "photos\\a.png", "photos/../photos//a.png"] {
        assert_eq!(read(path).map_err(|e| e.to_string()).map(|s| s.photos), Ok(1), "{path}");
    }
    for path in ["../a.png", "photos/../../a.png", "/etc/a.png", "C:\\photos\\a.png", "\\\\server\\a.png"] {
        let error = read(path).unwrap_err().to_string();
        assert!(error.contains("list.txt:1: `") && error.contains(" out"), "{path}: {error}");
        assert!(error.ends_with("(--photos DIR)"), "{path}: {error}");
    }
    assert!(read("photos/c.png").unwrap_err().to_string().ends_with("--photos DIR names the folder of the photos"));
    assert!(read("photos/..").unwrap_err().to_string().ends_with("is no path of a photo"));
    // An absolute path into the folder is one below it.
    let folder = folder();
    let inside = folder.path().canonicalize().unwrap().join("photos/a.png");
    let list = folder.path().join("list.txt");
    fs::write(&list, format!("{points}{}\n", inside.display())).unwrap();
    import(Format::Wflw, &list, &folder.path().join("new/folder/out.csv"), Options::default(), |_| {}).unwrap();
    let table = fs::read_to_string(folder.path().join("new/folder/out.csv")).unwrap();
    assert!(table.lines().nth(1).unwrap().starts_with("../../photos/a.png,"), "{table}");
}

#[test]
fn photos_of_another_size_than_the_source_says_are_not_used() {
    let coco = String::from_utf8(stream_fixture(Format::Coco)).unwrap();
    let error = import_text(Format::Coco, "c.json", &coco.replace("64", "65"), Options::default()).unwrap_err();
    assert!(
        error.to_string().ends_with("annotations[0]: the labels are of a picture of 65x48 pixels, the photo has 64x48"),
        "{error}"
    );
    let without = coco.replace("\"keypoints\": [\n    20", "\"x\": [\n    20");
    let summary = import_text(Format::Coco, "c.json", &without, skipping()).unwrap();
    assert_eq!(summary.left_out["annotations without keypoints"], 1);
}

#[test]
fn an_import_without_an_object_says_why() {
    let error = import_text(Format::Wflw, "list.txt", "1 2 3 a.png\nx\n", skipping()).unwrap_err().to_string();
    assert!(error.contains("list.txt: no labelled object; the first that cannot be used: "), "{error}");
    assert!(error.contains("list.txt:1: 3 numbers before `a.png`"), "{error}");
    let crowd = r#"{"images":[{"id":1,"file_name":"a"}],"annotations":[{"image_id":1,"iscrowd":1}]}"#;
    let error = import_text(Format::Coco, "c.json", crowd, skipping()).unwrap_err().to_string();
    assert!(error.ends_with("c.json: no labelled object (1 annotations of crowds)"), "{error}");
    let empty = tempfile::tempdir().unwrap();
    for (format, message) in [
        (Format::Pts, "no .pts files"),
        (Format::Ljson, "no .ljson files"),
        (Format::Jd106, "no label files called PHOTO.txt, for example a.jpg.txt"),
        (Format::Coco, "is a folder, expected a file with labels"),
    ] {
        let error = Reader::open(format, empty.path(), &ReadOptions::default()).err().unwrap().to_string();
        assert!(error.ends_with(message), "{error}");
    }
    let read = ReadOptions { origin: Some(Origin::Zero), ..ReadOptions::default() };
    assert!(Reader::open(Format::Table, &fixture("table.csv"), &read).is_err());
}

#[test]
fn a_source_that_is_read_twice_tells_its_progress_from_the_start() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let boxes: String = (0..3000)
        .map(|i| format!("<box top='1' left='{i}' width='2' height='2'><part name='a' x='1' y='1'/></box>"))
        .collect();
    fs::write(at("l.xml"), format!("<dataset><image file='photos/a.png'>{boxes}</image></dataset>")).unwrap();
    let images: Vec<_> = (0..3000).map(|i| format!(r#"{{"id":{i},"file_name":"photos/a.png"}}"#)).collect();
    let annotations = vec![r#"{"image_id":1,"keypoints":[3,4,2]}"#; 3000];
    let (images, annotations) = (images.join(","), annotations.join(","));
    fs::write(at("l.json"), format!(r#"{{"images":[{images}],"annotations":[{annotations}]}}"#)).unwrap();
    for (format, source) in [(Format::Imglab, "l.xml"), (Format::Coco, "l.json")] {
        let out = at(&format!("{source}.csv"));
        let mut import = Import::new(format, &at(source), &out, Options::default()).unwrap();
        let (mut shares, mut before_rows) = (vec![import.share_read()], 0);
        while import.step().unwrap() {
            shares.push(import.share_read());
            before_rows += usize::from(import.share_read() < 0.5);
        }
        assert!(shares.is_sorted() && shares[0] == 0.0 && before_rows >= 2, "{source}: {before_rows}");
        assert_eq!(import.finish().unwrap().objects, 3000);
    }
}

#[test]
fn records_go_back_to_their_photos_or_become_photos() {
    use crate::record::{Origin as RecordOrigin, record_from_image};
    use crate::table::Writer;

    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let crop = Rect::from_xywh(8.0, 4.0, 24.0, 24.0);
    let points = [Point::new(10.25, 8.5), Point::new(30.0, 20.0)];
    let origin = RecordOrigin {
        photo: "photos/a.png".into(),
        photo_size: (64, 48),
        face: Rect::from_xywh(9.0, 5.0, 20.0, 22.0),
        crop,
        score: 0.9,
        expected_error: None,
        pose: None,
    };
    let record = |origin: Option<RecordOrigin>| crate::Record {
        points: points.iter().map(|&p| record_from_image(&crop, p)).collect(),
        pixels: vec![77; 96 * 96],
        origin,
    };
    for (table, origins) in [
        ("r.parquet", vec![Some(origin.clone()), None]),
        ("r.csv", vec![None, None]),
        ("o.parquet", vec![Some(origin)]),
    ] {
        let columns = ["left_x", "left_y", "right_x", "right_y"].map(str::to_owned);
        let mut writer = Writer::create(&at(table), &columns).unwrap();
        origins.iter().for_each(|origin| writer.write(&record(origin.clone())).unwrap());
        writer.finish().unwrap();
        let out = at(&format!("{table}-out.parquet"));
        let summary = import(Format::Records, &at(table), &out, Options::default(), |_| {}).unwrap();
        assert_eq!(summary.names, ["left", "right"]);
        assert_eq!(summary.written_photos.is_some(), origins.contains(&None), "{table}");
        for (read, origin) in table::Reader::open(&out).unwrap().zip(&origins) {
            let read = read.unwrap();
            let photo = crate::Photo::open(&folder.path().join(&read.photo)).unwrap();
            // The crop's 96 pixels are 24 of the photo.
            let (size, expected) = match origin {
                Some(_) => ((64, 48), points),
                None => ((96, 96), points.map(|p| Point::new((p.x - 8.0) * 4.0, (p.y - 4.0) * 4.0))),
            };
            assert_eq!((photo.width, photo.height), size, "{table}");
            let far = read.points.iter().zip(expected).map(|(p, q)| p.unwrap().distance(q)).fold(0.0, f32::max);
            assert!(far < 1e-3, "{table}: {read:?}");
            assert_eq!(read.rect.is_some(), origin.is_some());
        }
    }
    let error = import(Format::Records, &at("r.parquet-out.parquet"), &at("n.csv"), Options::default(), |_| {});
    assert!(error.unwrap_err().to_string().contains("no column `points`"));
    assert!(!at("n-photos").exists());
}
