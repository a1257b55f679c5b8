//! Every format becomes a table in our frame.

use super::super::import::Import;
use super::*;

/// Photo, box, first and last point; the first is NaN where it has no label.
type Object = (&'static str, Option<[f32; 4]>, [f32; 2], Option<[f32; 2]>);

struct Case {
    format: Format,
    source: &'static str,
    names: &'static [&'static str],
    points: usize,
    objects: &'static [Object],
    left_out: &'static [(&'static str, u64)],
}

#[test]
fn every_format_becomes_a_table_in_our_frame() {
    let cases = [
        Case {
            format: Format::Pts,
            source: "pts",
            names: &["p0", "p1", "p2"],
            points: 3,
            objects: &[
                ("pts/a.png", None, [19.5, 14.5], Some([29.5, 29.75])),
                ("pts/b.png", None, [9.5, 19.5], Some([19.5, 39.5])),
            ],
            left_out: &[("photos without a .pts file", 1)],
        },
        Case {
            format: Format::Pts,
            source: "pts/b.pts",
            names: &["p0", "p1", "p2"],
            points: 3,
            objects: &[("pts/b.png", None, [9.5, 19.5], Some([19.5, 39.5]))],
            left_out: &[],
        },
        Case {
            format: Format::Wflw,
            source: "wflw.txt",
            names: &["p0"],
            points: 98,
            objects: &[
                ("photos/a.png", Some([4.5, 5.5, 46.0, 39.0]), [5.5, 6.5], Some([44.5, 36.5])),
                ("photos/b.png", None, [6.5, 6.5], Some([45.5, 36.5])),
            ],
            left_out: &[],
        },
        Case {
            format: Format::Cofw,
            source: "cofw.csv",
            names: &["p0"],
            points: 29,
            objects: &[("photos/a.png", Some([2.5, 3.5, 50.0, 40.0]), [9.5, 4.5], Some([37.5, 32.5]))],
            left_out: &[],
        },
        Case {
            format: Format::Aflw,
            source: "aflw19.csv",
            names: &["p0"],
            points: 19,
            objects: &[
                ("photos/a.png", Some([3.5, 4.5, 50.0, 40.0]), [f32::NAN; 2], Some([28.5, 23.5])),
                ("photos/b.png", None, [11.0, 5.5], Some([29.0, 23.5])),
            ],
            left_out: &[("objects without a point", 1)],
        },
        Case {
            format: Format::Aflw,
            source: "aflw21.csv",
            names: &["p0"],
            points: 21,
            objects: &[
                ("photos/a.png", Some([3.5, 4.5, 50.0, 40.0]), [f32::NAN; 2], None),
                ("photos/b.png", None, [11.0, 5.5], Some([31.0, 25.5])),
            ],
            left_out: &[("objects without a point", 1)],
        },
        Case {
            format: Format::Jd106,
            source: "jd106",
            names: &["p0"],
            points: 106,
            objects: &[("jd106/picture/a.png", Some([3.5, 4.5, 57.0, 40.0]), [5.75, 5.0], Some([10.75, 26.0]))],
            left_out: &[],
        },
        Case {
            format: Format::Imglab,
            source: "imglab.xml",
            names: &["left_ear", "nose", "right_ear"],
            points: 3,
            objects: &[
                ("photos/a.png", Some([4.0, 5.0, 30.0, 20.0]), [30.5, 8.5], None),
                ("photos/b.png", Some([4.0, -5.0, 30.0, 20.0]), [f32::NAN; 2], Some([10.5, 8.5])),
            ],
            left_out: &[("boxes with ignore='1'", 1), ("boxes without parts", 1), ("images without a box", 1)],
        },
        Case {
            format: Format::Ljson,
            source: "ljson",
            names: &["p0", "p1", "p2", "p3"],
            points: 4,
            objects: &[
                ("ljson/a.png", None, [20.5, 15.5], Some([30.5, 30.75])),
                ("ljson/b.png", None, [20.5, 15.5], Some([30.5, 30.75])),
                ("ljson/c.png", None, [20.5, 15.5], Some([30.5, 30.75])),
            ],
            left_out: &[],
        },
        Case {
            format: Format::Coco,
            source: "coco.json",
            names: &["left_ear", "nose", "right_ear"],
            points: 3,
            objects: &[
                ("photos/a.png", Some([4.0, 5.0, 30.0, 20.0]), [20.5, 15.5], Some([30.5, 8.5])),
                ("photos/b.png", Some([4.25, 5.0, 30.0, 20.0]), [10.5, 8.5], Some([30.5, 8.5])),
            ],
            left_out: &[
                ("annotations of crowds", 1),
                ("annotations of other categories", 1),
                ("annotations without a labelled keypoint", 1),
            ],
        },
        Case {
            format: Format::Table,
            source: "table.csv",
            names: &["nose", "left_ear"],
            points: 2,
            objects: &[
                ("photos/a.png", Some([4.0, 5.0, 30.0, 20.0]), [20.5, 15.5], None),
                ("photos/b.png", None, [1.5, 2.0], Some([3.25, 4.0])),
            ],
            left_out: &[],
        },
    ];
    for Case { format, source, names, points, objects, left_out } in cases {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("labels.csv");
        let mut shares = Vec::new();
        let summary = import(format, &fixture(source), &out, Options::default(), |share| shares.push(share));
        let summary = summary.unwrap_or_else(|e| panic!("{source}: {e}"));
        assert!(shares.is_sorted() && shares.iter().all(|share| (0.0..=1.0).contains(share)), "{source}: {shares:?}");
        assert_eq!(summary.objects as usize, objects.len(), "{source}");
        assert!(summary.rejects.is_empty() && summary.warnings.is_empty(), "{source}: {summary:?}");
        assert_eq!(summary.left_out.iter().map(|(k, v)| (*k, *v)).collect::<Vec<_>>(), left_out, "{source}");
        assert_eq!(
            (summary.names.len(), &summary.names[..names.len()]),
            (points, &names.map_to_owned()[..]),
            "{source}"
        );
        let reader = table::Reader::open(&out).unwrap();
        assert_eq!(reader.names(), summary.names);
        let read: Vec<Labelled> = reader.map(Result::unwrap).collect();
        for ((photo, rect, first, last), read) in objects.iter().zip(&read) {
            let seen = folder.path().join(&read.photo).canonicalize().expect(&read.photo);
            assert_eq!(seen, fixture(photo).canonicalize().unwrap(), "{source}: {}", read.photo);
            let xy = |point: Option<Option<Point>>| point.flatten().map(|p| [p.x, p.y]);
            let first = first.iter().all(|v| !v.is_nan()).then_some(*first);
            assert_eq!((xy(read.points.first().copied()), xy(read.points.last().copied())), (first, *last), "{source}");
            assert_eq!(read.rect.map(|r| [r.x, r.y, r.width, r.height]), *rect, "{source}");
        }
    }
}

trait MapToOwned {
    fn map_to_owned(&self) -> Vec<String>;
}

impl MapToOwned for [&str] {
    fn map_to_owned(&self) -> Vec<String> {
        self.iter().map(|text| (*text).to_owned()).collect()
    }
}

#[test]
fn kaggles_pictures_become_files_next_to_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("training.csv"), kaggle()).unwrap();
    let summary = import(Format::Kaggle, &at("training.csv"), &at("new/k.csv"), Options::default(), |_| {}).unwrap();
    assert_eq!((summary.objects, summary.photos, summary.missing_points), (2, 2, 1));
    assert_eq!(summary.names, ["left_eye_center", "nose_tip"]);
    assert_eq!(summary.left_out.get("objects without a point"), Some(&1));
    assert_eq!(summary.written_photos.as_deref(), Some(&*at("new/k-photos")));
    let read: Vec<Labelled> = table::Reader::open(&at("new/k.csv")).unwrap().map(Result::unwrap).collect();
    assert_eq!(read[0].points, [Some(Point::new(66.5, 39.5)), None]);
    assert_eq!(read[1].photo, "k-photos/000002.png");
    let photo = crate::Photo::open(&at("new").join(&read[1].photo)).unwrap();
    assert_eq!((photo.width, photo.height, photo.pixels[0]), (96, 96, 200));
    let again = import(Format::Kaggle, &at("training.csv"), &at("new/k.csv"), Options::default(), |_| {});
    assert!(again.unwrap_err().to_string().ends_with("choose another name, or remove it"));
    fs::remove_file(at("new/k.csv")).unwrap();
    let again = import(Format::Kaggle, &at("training.csv"), &at("new/k.csv"), Options::default(), |_| {});
    assert!(again.unwrap_err().to_string().contains("k-photos: is there already"));
    // A stopped import leaves nothing.
    let mut import = Import::new(Format::Kaggle, &at("training.csv"), &at("new/l.csv"), Options::default()).unwrap();
    assert!(import.step().unwrap());
    drop(import);
    let mut left: Vec<_> = fs::read_dir(at("new")).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["k-photos"]);
}
