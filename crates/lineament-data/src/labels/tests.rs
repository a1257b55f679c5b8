use std::fs;

use proptest::prelude::*;
use tempfile::TempDir;

use super::import::{Import, Options, Summary, Warning};
use super::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/labels").join(name)
}

/// A folder with the fixtures' photos.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("photos")).unwrap();
    for name in ["a.png", "b.png"] {
        fs::copy(fixture("photos").join(name), folder.path().join("photos").join(name)).unwrap();
    }
    folder
}

/// Kaggle's table with the pixels of each row all alike.
fn kaggle() -> String {
    let pixels = |v: u8| vec![v.to_string(); 96 * 96].join(" ");
    format!(
        "left_eye_center_x,left_eye_center_y,nose_tip_x,nose_tip_y,Image\n66,39,,,{}\n60,40,44.5,57,{}\n,,,,{}\n",
        pixels(7),
        pixels(200),
        pixels(0)
    )
}

fn skipping() -> Options {
    Options { skip_bad: true, ..Options::default() }
}

fn source(format: Format, bytes: &[u8]) -> Result<Box<dyn Source>> {
    let input = || Input::from_bytes("t", bytes);
    let origin = format.origin();
    Ok(match format {
        Format::Wflw => Box::new(wflw::Wflw::new(input(), origin)),
        Format::Cofw => Box::new(columns::Columns::cofw(input(), origin)?),
        Format::Aflw => Box::new(columns::Columns::aflw(input(), origin)?),
        Format::Imglab => Box::new(imglab::Imglab::new(input(), input(), origin)?),
        Format::Coco => Box::new(coco::Coco::new(input(), input(), origin, None)?),
        Format::Kaggle => Box::new(kaggle::Kaggle::new(input(), origin)?),
        Format::Csv => Box::new(table::Rows::new(input())?),
        Format::Pts | Format::Jd106 | Format::Ljson => unreachable!("these read folders"),
    })
}

const STREAMS: [Format; 7] =
    [Format::Wflw, Format::Cofw, Format::Aflw, Format::Imglab, Format::Coco, Format::Kaggle, Format::Csv];

fn rows(format: Format, bytes: &[u8]) -> Result<Vec<Row>> {
    let mut source = source(format, bytes)?;
    let mut rows = Vec::new();
    while let Some(row) = source.next_row()? {
        assert!((0.0..=1.0).contains(&source.share_read()));
        rows.push(row);
    }
    Ok(rows)
}

/// What the first row that cannot be used, or else the error, says.
fn fault(format: Format, text: impl AsRef<[u8]>) -> String {
    match rows(format, text.as_ref()) {
        Err(error) => error.to_string(),
        Ok(rows) => rows
            .into_iter()
            .find_map(|row| match row {
                Row::Bad(bad) => Some(Error::from(bad).to_string()),
                _ => None,
            })
            .unwrap_or("nothing is wrong".into()),
    }
}

fn stream_fixture(format: Format) -> Vec<u8> {
    let name = match format {
        Format::Wflw => "wflw.txt",
        Format::Cofw => "cofw.csv",
        Format::Aflw => "aflw21.csv",
        Format::Imglab => "imglab.xml",
        Format::Coco => "coco.json",
        Format::Csv => "table.csv",
        _ => return kaggle().into_bytes(),
    };
    fs::read(fixture(name)).unwrap()
}

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
            format: Format::Csv,
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
        let summary = import::import(format, &fixture(source), &out, Options::default(), |share| shares.push(share));
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
    let summary =
        import::import(Format::Kaggle, &at("training.csv"), &at("new/k.csv"), Options::default(), |_| {}).unwrap();
    assert_eq!((summary.objects, summary.photos, summary.missing_points), (2, 2, 1));
    assert_eq!(summary.names, ["left_eye_center", "nose_tip"]);
    assert_eq!(summary.left_out.get("objects without a point"), Some(&1));
    assert_eq!(summary.written_photos.as_deref(), Some(&*at("new/k-photos")));
    let read: Vec<Labelled> = table::Reader::open(&at("new/k.csv")).unwrap().map(Result::unwrap).collect();
    assert_eq!(read[0].points, [Some(Point::new(66.5, 39.5)), None]);
    assert_eq!(read[1].photo, "k-photos/000002.png");
    let photo = crate::Photo::open(&at("new").join(&read[1].photo)).unwrap();
    assert_eq!((photo.width, photo.height, photo.pixels[0]), (96, 96, 200));
    let again = import::import(Format::Kaggle, &at("training.csv"), &at("new/k.csv"), Options::default(), |_| {});
    assert!(again.unwrap_err().to_string().ends_with("choose another name, or remove it"));
    fs::remove_file(at("new/k.csv")).unwrap();
    let again = import::import(Format::Kaggle, &at("training.csv"), &at("new/k.csv"), Options::default(), |_| {});
    assert!(again.unwrap_err().to_string().contains("k-photos: is there already"));
    // A stopped import leaves nothing.
    let mut import = Import::new(Format::Kaggle, &at("training.csv"), &at("new/l.csv"), Options::default()).unwrap();
    assert!(import.step().unwrap());
    drop(import);
    let mut left: Vec<_> = fs::read_dir(at("new")).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["k-photos"]);
}

#[test]
fn faults_name_their_place() {
    let wflw = String::from_utf8(stream_fixture(Format::Wflw)).unwrap();
    let line = wflw.lines().next().unwrap();
    let with = |from: &str, to: &str| line.replacen(from, to, 1);
    let start = "t:1: 205 numbers before `photos/a.png`, expected 206: 98 points, a box of 4 numbers, 6 attributes; \
                 then the photo's path";
    let cofw = String::from_utf8(stream_fixture(Format::Cofw)).unwrap();
    let xml = |inside: &str| format!("<dataset>\n<images><image file='a.png'>{inside}</image></images></dataset>");
    let boxed = |parts: &str| xml(&format!("<box top='1' left='2' width='3' height='4'>\n{parts}</box>"));
    let coco = |annotation: &str| {
        let start = r#"{"images":[{"id":1,"file_name":"a.png"}],"annotations":[{"image_id":1,"keypoints":[]},"#;
        format!("{start}{annotation}]}}")
    };
    let table = |row: &str| format!("photo,x,y,w,h,a_x,a_y,b_x,b_y\n\n{row}\n");
    let cases: Vec<(Format, String, &str)> = vec![
        (Format::Wflw, with(" 0 0 1 0 0 0", " 0 0 1 0 0"), start),
        (Format::Wflw, with("5.000000", "NaN"), "t:1: NaN is not a coordinate in a photo"),
        (Format::Wflw, with("5.000000", "1e9"), "t:1: 1000000000 is not a coordinate in a photo"),
        (Format::Wflw, with("4 5 50 44", "50 5 4 44"), "t:1: the box is -46 wide and 39 high, expected more than 0"),
        (Format::Wflw, with("photos/a.png", ""), "t:1: no path of a photo after the 206 numbers"),
        (
            Format::Wflw,
            format!("{line}\n\nabc\n"),
            "t:3: 0 numbers before `abc`, expected 206: 98 points, a box of 4 \
            numbers, 6 attributes; then the photo's path",
        ),
        (Format::Wflw, "1 ".repeat(600_000), "t:1: a line longer than 1 MiB, so not a list of labels"),
        (Format::Cofw, String::new(), "t: empty file"),
        (
            Format::Cofw,
            cofw.replacen("x2,", "x02,", 1),
            "t:1: column 7 is called `x02`, expected `x2`; the CSV of COFW's 29 \
            points begins photo,x,y,w,h,x1 and ends o29: docs/labels.md",
        ),
        (Format::Cofw, cofw.replacen(",10,", ",,", 1), "t:2: column `x1`: `` is not a number"),
        (Format::Cofw, cofw.replacen(",50,40", ",0,40", 1), "t:2: the box is 0 wide and 40 high, expected more than 0"),
        (Format::Cofw, cofw.replacen("photos/a.png", " ", 1), "t:2: column `photo` is empty"),
        (
            Format::Cofw,
            cofw.trim_end().into(),
            "t:2: the file ends within this line: it was cut off; if it is whole, add \
            the missing line end",
        ),
        (
            Format::Aflw,
            "photo,x,y,w,h,x1,y1\n".into(),
            "t:1: 7 columns, expected 47; the CSV of AFLW's 21 or 19 points \
            begins photo,x,y,w,h,x1 and ends y21: docs/labels.md",
        ),
        (Format::Imglab, String::new(), "t:1: no XML: no tags"),
        (Format::Imglab, "a\0b".into(), "t:1: no XML: no tags"),
        (Format::Imglab, "<a><b></a></b>".into(), "t:1: </a>, expected </b>"),
        (Format::Imglab, "<a>".repeat(99), "t:1: nested deeper than 64 levels"),
        (Format::Imglab, "<a/><b/>".into(), "t:1: a second element after the end of the first"),
        (Format::Imglab, "</a>".into(), "t:1: </a>, expected no end tag"),
        (Format::Imglab, "<a\n b=c/>".into(), "t:2: `b=c` in <a>, expected name=\"value\""),
        (Format::Imglab, "<a b='1' b='2'/>".into(), "t:1: two attributes `b` in <a>"),
        (Format::Imglab, "<a b='&x;'/>".into(), "t:1: `&x;` is not known"),
        (Format::Imglab, "<a b='&#55555;'/>".into(), "t:1: `&#55555;` is not known"),
        (Format::Imglab, "<a b='1".into(), "t:1: the file ends within a tag: it was cut off"),
        (Format::Imglab, "<dataset>\n<images>\n".into(), "t:3: the file ends within <images>: it was cut off"),
        (Format::Imglab, format!("<a b='{}'/>", "x".repeat(70_000)), "t:1: a tag longer than 64 kB"),
        (Format::Imglab, "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>".into(), "t:1: `<` within a tag"),
        (Format::Imglab, "<!DOCTYPE a [ ]><a/>".into(), "t:1: a document type with entities of its own is not read"),
        (Format::Imglab, boxed("<part name='a' x='1'/>"), "t:3: <part> without `y`"),
        (Format::Imglab, boxed("<part name='a' x='1' y='z'/>"), "t:3: `y` of <part>: `z` is not a number"),
        (Format::Imglab, boxed("<part x='1' y='2'/>"), "t:3: <part> without a `name`"),
        (
            Format::Imglab,
            boxed("<part name='a' x='1' y='2'/><part name='a' x='1' y='2'/>"),
            "t:3: two parts `a` in one box",
        ),
        (
            Format::Imglab,
            boxed("<part name='a' x='1' y='2'/>").replace("width='3'", "width='0'"),
            "t:2: the box is 0 wide and 4 high, expected more than 0",
        ),
        (
            Format::Imglab,
            boxed("<part name='a' x='1' y='2'/>").replace("file='a.png'", ""),
            "t:2: <image> without a `file`",
        ),
        (Format::Coco, String::new(), "t: byte 0: no JSON object"),
        (Format::Coco, "[1]".into(), "t: byte 0: no JSON object"),
        (Format::Coco, "{}".into(), "t: no COCO labels: expected the lists `images` and `annotations`"),
        (Format::Coco, "{\"a\":1".into(), "t: byte 6: the file ends within the JSON: it was cut off"),
        (Format::Coco, "{\"a\":}".into(), "t: byte 5: `}`, expected a value"),
        (Format::Coco, "{\"a\":[}".into(), "t: byte 6: `}`, expected a value"),
        (Format::Coco, "{\"images\":3}".into(), "t: byte 10: `images` is not a list"),
        (Format::Coco, "{\"images\":[],}".into(), "t: byte 13: `}`, expected the name of a member"),
        (Format::Coco, "{} x".into(), "t: byte 3: text after the end of the object"),
        (Format::Coco, format!("{{\"a\":{}", "[".repeat(200)), "t: byte 132: nested deeper than 127 levels"),
        (
            Format::Coco,
            "{\"images\":[{\"id\":1}]}".into(),
            "t: images[0]: missing field `file_name` at line 1 column 8",
        ),
        (Format::Coco, coco("{\"image_id\":2,\"keypoints\":[1,2,2]}"), "t: annotations[1]: no image has the id 2"),
        (
            Format::Coco,
            coco("{\"image_id\":1,\"keypoints\":[1,2,2,4]}"),
            "t: annotations[1]: 4 numbers in `keypoints`, expected 3",
        ),
        (
            Format::Coco,
            coco("{\"image_id\":1,\"keypoints\":[1,2,0,1e7,2,1]}"),
            "t: annotations[1]: keypoint 1: 10000000 is not a coordinate in a photo",
        ),
        (
            Format::Coco,
            coco("{\"image_id\":1,\"keypoints\":[1,2,2],\"bbox\":[1,2,3]}"),
            "t: annotations[1]: `bbox` has 3 numbers, expected x, y, width and height",
        ),
        (
            Format::Coco,
            coco("{\"image_id\":1,\"keypoints\":[1,null,2]}"),
            "t: annotations[1]: invalid type: null, expected f64 at line 1 column 33",
        ),
        (
            Format::Coco,
            format!(
                "{{\"images\":[{{\"id\":1,\"file_name\":\"a\"}}],\"categories\":[{0},{0}],\"annotations\":[0]}}",
                "{\"id\":1,\"name\":\"cat\",\"keypoints\":[\"a\"]}"
            ),
            "t: several categories have keypoints (cat, cat); choose one: --category NAME",
        ),
        (
            Format::Kaggle,
            "Image\n".into(),
            "t:1: pictures without points, as in Kaggle's test.csv: there is nothing to learn \
            or compare with; Kaggle's training.csv has them",
        ),
        (Format::Kaggle, "a_x,a_y,Image\n1,,1 2\n".into(), "t:2: column `a_y`: `` is not a number"),
        (Format::Kaggle, "a_x,a_y,Image\n1,2,1 2\n".into(), "t:2: column `Image`: 2 pixels, expected 9216"),
        (
            Format::Csv,
            "photo,x,y,w\n".into(),
            "t:1: column 5 is called ``, expected `h`: a label table begins \
            photo,x,y,w,h and then has NAME_x,NAME_y for each point",
        ),
        (
            Format::Csv,
            "photo,x,y,w,h,a_x,b_y\n".into(),
            "t:1: columns 6 and 7 are called `a_x` and `b_y`: a label table \
            begins photo,x,y,w,h and then has NAME_x,NAME_y for each point",
        ),
        (
            Format::Csv,
            "photo,x,y,w,h,A_x,A_y\n".into(),
            "t:1: a point is called `A`, expected small letters a-z, digits \
            and _",
        ),
        (Format::Csv, "photo,x,y,w,h,a_x,a_y,a_x,a_y\n".into(), "t:1: two points are called `a`"),
        (Format::Csv, table("p,,,,,1,2"), "t:3: 7 cells, expected 9"),
        (
            Format::Csv,
            table("p,,,,,1,2,3,"),
            "t:3: column `b_y` is empty, but the other coordinate of the point is not",
        ),
        (Format::Csv, table("p,1,,,,1,2,3,4"), "t:3: column `y`: `` is not a number"),
        (Format::Csv, table("p,,,,,,,,"), "t:3: no point has a label"),
        (Format::Csv, table("p,,,,,1,2,inf,4"), "t:3: column `b_x`: inf is not a coordinate in a photo"),
        (Format::Csv, table(",,,,,1,2,3,4"), "t:3: column `photo` is empty"),
    ];
    let wrong: Vec<String> = cases
        .into_iter()
        .map(|(format, text, message)| (format, fault(format, text), message))
        .filter(|(_, found, message)| found != message)
        .map(|(format, found, message)| format!("{format:?}:\n  {found}\n  {message}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn faults_of_ljson_name_their_path() {
    for (json, message) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("3", "is not an .ljson file: expected an object"),
        ("{}", "version: is missing, expected 1, 2 or 3"),
        (r#"{"version":4}"#, "version: is 4, expected 1, 2 or 3"),
        (r#"{"version":2}"#, "landmarks: is missing"),
        (r#"{"version":2,"landmarks":{}}"#, "landmarks.points: is missing, expected a list"),
        (r#"{"version":2,"landmarks":{"points":[]}}"#, "no point has a label"),
        (r#"{"version":2,"landmarks":{"points":[[null,1]]}}"#, "no point has a label"),
        (
            r#"{"version":2,"landmarks":{"points":[[1,2],[1]]}}"#,
            "landmarks.points[1]: has 1 numbers, expected two: y, x",
        ),
        (r#"{"version":2,"landmarks":{"points":[[1,2,3]]}}"#, "landmarks.points[0]: has 3 numbers, expected two: y, x"),
        (r#"{"version":2,"landmarks":{"points":[["1",2]]}}"#, "landmarks.points[0]: is not two numbers: y, x"),
        (r#"{"version":2,"landmarks":{"points":[7]}}"#, "landmarks.points[0]: is not a pair of numbers: [y, x]"),
        (
            r#"{"version":2,"landmarks":{"points":[[1,1e99]]}}"#,
            "landmarks.points[0]: 100000000000000000000000000000000000000000000000000000000000000000000000000000\
             0000000000000000000000 is not a coordinate in a photo",
        ),
        (r#"{"version":1,"groups":[{}]}"#, "groups[0].landmarks: is missing, expected a list"),
        (r#"{"version":1,"groups":[0]}"#, "groups[0].landmarks: is missing"),
        (r#"{"version":3,"groups":{}}"#, "groups: no group"),
        (r#"{"version":3,"groups":{"a":{},"b":{}}}"#, "groups: several groups (a, b); choose one: --category NAME"),
        (r#"{"version":3,"groups":{"a":{}}}"#, "groups.a.landmarks: is missing"),
        (r#"{"version":3,"groups":{"a":0}}"#, "groups.a: is not an object"),
    ] {
        let (at, reason) = ljson::parse(json.as_bytes(), None, Origin::Zero).unwrap_err();
        assert_eq!(if at.is_empty() { reason } else { format!("{at}: {reason}") }, message);
    }
    let deep = format!("{{\"version\":2,\"landmarks\":{}", "[".repeat(100_000));
    assert!(ljson::parse(deep.as_bytes(), None, Origin::Zero).unwrap_err().1.starts_with("recursion limit exceeded"));
    let two = br#"{"version":3,"groups":{"a":{"landmarks":{"points":[[1,2]]}},"b":{"landmarks":{"points":[[3,4]]}}}}"#;
    assert_eq!(ljson::parse(two, Some("b"), Origin::Zero).unwrap(), [Some(Point::new(4.5, 3.5))]);
    assert!(ljson::parse(two, Some("c"), Origin::Zero).unwrap_err().1.ends_with("no group `c`; there are a, b"));
}

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
    let error = import::import(Format::Pts, folder.path(), &out, Options::default(), |_| {}).unwrap_err().to_string();
    assert!(error.ends_with("count.pts:3: 2 points, but n_points is 3"), "{error}");
    assert!(!out.exists());
    let options = Options { names: Some(vec!["a".into(), "b".into()]), ..skipping() };
    let summary = import::import(Format::Pts, folder.path(), &out, options, |_| {}).unwrap();
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

/// Imports label tables' worth of text in another format, next to the photos.
fn import_text(format: Format, name: &str, text: &str, options: Options) -> Result<Summary> {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    fs::write(at(name), text).unwrap();
    import::import(format, &at(name), &at("out.csv"), options, |_| {})
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
    let summary = import_text(Format::Csv, "in.csv", &text, Options { five, ..Options::default() }).unwrap();
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
    let five: import::FivePoints = [vec![0, 1], vec![2], vec![], vec![3], vec![4]];
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
        let summary = import::import(Format::Pts, &folder.path().join("photos/a.pts"), &out, options, |_| {}).unwrap();
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
    let import = |path: &str| import_text(Format::Wflw, "list.txt", &format!("{points}{path}\n"), Options::default());
    for path in ["photos/a.png", "./photos/a.png", "photos\\a.png", "photos/../photos//a.png"] {
        assert_eq!(import(path).map_err(|e| e.to_string()).map(|s| s.photos), Ok(1), "{path}");
    }
    for path in ["../a.png", "photos/../../a.png", "/etc/a.png", "C:\\photos\\a.png", "\\\\server\\a.png"] {
        let error = import(path).unwrap_err().to_string();
        assert!(error.contains("list.txt:1: `") && error.contains(" out"), "{path}: {error}");
        assert!(error.ends_with("(--photos DIR)"), "{path}: {error}");
    }
    assert!(import("photos/c.png").unwrap_err().to_string().ends_with("--photos DIR names the folder of the photos"));
    assert!(import("photos/..").unwrap_err().to_string().ends_with("is no path of a photo"));
    // An absolute path into the folder is one below it.
    let folder = folder();
    let inside = folder.path().canonicalize().unwrap().join("photos/a.png");
    let list = folder.path().join("list.txt");
    fs::write(&list, format!("{points}{}\n", inside.display())).unwrap();
    import::import(Format::Wflw, &list, &folder.path().join("new/folder/out.csv"), Options::default(), |_| {}).unwrap();
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
    assert!(Reader::open(Format::Csv, &fixture("table.csv"), &read).is_err());
}

#[test]
fn jd106_reports_its_faults() {
    let folder = folder();
    let at = |name: &str| folder.path().join("photos").join(name);
    let points = "5 6\n".repeat(106);
    for (text, message) in [
        (String::new(), ":1: empty file"),
        ("68\n1 2\n".into(), ":1: the first line is `68`, expected the number of points: 106"),
        ("106\n1 2\n".into(), ":2: 1 points, but the first line says 106"),
        (format!("106\n{points}1 2"), ":108: more than 106 points"),
        (format!("106\n1 2 3\n{points}"), ":2: `1 2 3` is not two numbers"),
        (format!("106\n1 2e9\n{points}"), ":2: 2000000000 is not a coordinate in a photo"),
    ] {
        fs::write(at("a.png.txt"), text).unwrap();
        let error = import::import(Format::Jd106, &at("a.png.txt"), &at("o.csv"), Options::default(), |_| {});
        let error = error.unwrap_err().to_string();
        assert!(error.ends_with(&format!("a.png.txt{message}")), "{error}");
    }
    fs::write(at("a.png.txt"), format!("106\n{points}")).unwrap();
    fs::write(at("a.png.rect"), "1 2 3").unwrap();
    let error = import::import(Format::Jd106, &at("a.png.txt"), &at("o.csv"), Options::default(), |_| {});
    assert!(error.unwrap_err().to_string().ends_with("a.png.rect: expected left, top, right and bottom of a box"));
    fs::rename(at("a.png.txt"), at("c.png.txt")).unwrap();
    let error = import::import(Format::Jd106, &at(""), &at("o.csv"), Options::default(), |_| {});
    assert!(error.unwrap_err().to_string().contains("c.png.txt: no photo c.png in "));
}

#[test]
fn a_table_keeps_what_was_written_and_never_replaces_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let names = ["a".to_owned(), "b_2".to_owned()];
    let rows = [
        ("x/a b, \"c\".jpg", Some(Rect::from_xywh(-1.5, 0.1, 3e-3, 7.0)), [Some(Point::new(0.1, -2.0)), None]),
        ("ä.png", None, [None, Some(Point::new(1.0 / 3.0, 65_535.5))]),
    ];
    let mut writer = table::Writer::create(&path, &names).unwrap();
    for (photo, rect, points) in &rows {
        writer.write(photo, *rect, points).unwrap();
    }
    for (photo, rect, points, message) in [
        ("a", None, &rows[0].2[..1], "row 3: 1 points, the table has 2"),
        ("", None, &rows[0].2, "row 4: the path of the photo is empty or has blanks at its ends"),
        ("a", None, &[None, None], "row 5: no point has a label"),
        ("a", Some(Rect::from_xywh(0.0, 0.0, 0.0, 1.0)), &rows[0].2, "row 6: the box is 0 wide and 1 high"),
        ("a", None, &[Some(Point::new(f32::NAN, 0.0)), None], "row 7: NaN is not a coordinate"),
    ] {
        let error = writer.write(photo, rect, points).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    assert!(!path.exists(), "it has its name when it is finished");
    writer.finish().unwrap();
    let reader = table::Reader::open(&path).unwrap();
    assert_eq!((reader.names(), reader.photos()), (&names[..], folder.path()));
    for (read, (photo, rect, points)) in reader.zip(&rows) {
        let read = read.unwrap();
        assert_eq!((read.photo.as_str(), read.rect, &read.points[..]), (*photo, *rect, &points[..]));
    }
    for (path, names, message) in [
        (&path, &names[..], "is there already and is left as it is; choose another name, or remove it"),
        (&folder.path().join("t.txt"), &names, "the name of a label table ends in .csv"),
        (&folder.path().join("u.csv"), &[], "0 points, expected 1 to 10000"),
        (
            &folder.path().join("u.csv"),
            &["A".into()],
            "a point is called `A`, expected small letters a-z, digits and _",
        ),
        (&folder.path().join("u.csv"), &["a".into(), "a".into()], "two points are called `a`"),
    ] {
        let error = table::Writer::create(path, names).err().unwrap().to_string();
        assert!(error.ends_with(message), "{error}");
    }
    let writer = table::Writer::create(&folder.path().join("late.csv"), &names).unwrap();
    fs::write(folder.path().join("late.csv"), "mine").unwrap();
    assert!(writer.finish().is_err());
    assert_eq!(fs::read_to_string(folder.path().join("late.csv")).unwrap(), "mine");
    assert!(table::Reader::open(folder.path()).is_err());
    fs::write(&path, "photo,x,y,w,h,a_x,a_y\np,,,,,1,\n").unwrap();
    let mut reader = table::Reader::open(&path).unwrap();
    assert!(reader.next().unwrap().unwrap_err().to_string().ends_with(
        "t.csv:2: column `a_y` is empty, but the other \
        coordinate of the point is not"
    ));
    assert!(reader.next().is_none());
}

#[test]
fn names_of_a_source_become_names_of_columns() {
    let names = ["Left eye", "left-eye", "", "é", "left_eye_2", "  Nose "].map(str::to_owned);
    assert_eq!(table::tidy_names(&names), ["left_eye", "left_eye_2", "p2", "_", "left_eye_2_2", "nose"]);
    assert_eq!(table::numbered_names(2), ["p0", "p1"]);
}

#[test]
fn a_sample_is_spread_over_the_table_and_the_same_for_the_same_seed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let mut writer = table::Writer::create(&path, &["a".to_owned()]).unwrap();
    for i in 1..=1000 {
        writer.write("p.png", None, &[Some(Point::new(i as f32, 0.0))]).unwrap();
    }
    writer.finish().unwrap();
    let rows = |count, seed| -> Vec<u64> {
        let rows = sample(&path, count, seed).unwrap().into_iter();
        rows.map(|(row, read)| (row, read.points[0].unwrap().x))
            .inspect(|(row, x)| assert_eq!(*row as f32, *x))
            .map(|(row, _)| row)
            .collect()
    };
    let chosen = rows(40, 1);
    assert!(chosen.len() == 40 && chosen.is_sorted_by(|a, b| a < b), "{chosen:?}");
    assert!(chosen[0] < 200 && chosen[39] > 800, "{chosen:?}");
    assert_eq!(chosen, rows(40, 1));
    assert_ne!(chosen, rows(40, 2));
    assert_eq!((rows(2000, 1).len(), rows(0, 1).len()), (1000, 0));
}

#[test]
fn formats_have_names() {
    for format in Format::ALL {
        assert_eq!(format.name().parse(), Ok(format));
        assert_eq!(serde_json::to_value(format).unwrap(), format.name());
    }
    assert!("yolo".parse::<Format>().unwrap_err().contains("there are pts, wflw"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_bytes_are_labels_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for format in STREAMS {
            let _ = rows(format, &bytes);
        }
        let _ = ljson::parse(&bytes, None, Origin::Zero);
    }

    #[test]
    fn damaged_labels_are_labels_or_an_error(
        format in 0..STREAMS.len(), at in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(prop::sample::select(&b"\0\"'<>/&;{}[],: \n\r09aeN-.\\\xff"[..]), 0..4),
    ) {
        let mut source = stream_fixture(STREAMS[format]);
        source.truncate(source.len().min(6000));
        let at = at.index(source.len());
        source.splice(at..(at + 1).min(source.len()), bytes);
        let _ = rows(STREAMS[format], &source);
        let cut = cut.index(source.len() + 1);
        let _ = rows(STREAMS[format], &source[..cut]);
    }

    #[test]
    fn any_folder_of_labels_is_imported_or_an_error(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        text in "[0-9. \n\\[\\]{}\":,a-z]{0,200}",
    ) {
        let folder = folder();
        let at = |name: &str| folder.path().join(name);
        for (format, label) in
            [(Format::Pts, "photos/a.pts"), (Format::Ljson, "photos/a.ljson"), (Format::Jd106, "photos/a.png.txt")]
        {
            for bytes in [&bytes[..], text.as_bytes()] {
                fs::write(at(label), bytes).unwrap();
                let _ = import::import(format, &at("photos"), &at("out.csv"), skipping(), |_| {});
                let _ = fs::remove_file(at("out.csv"));
            }
            fs::remove_file(at(label)).unwrap();
        }
    }

    #[test]
    fn any_path_stays_below_the_folder_or_is_an_error(written in "[a./\\\\: ]{0,12}") {
        if let Ok(below) = paths::below(&written, Path::new("/photos")) {
            prop_assert!(!below.split('/').any(|part| part == ".." || part.is_empty()), "{:?} {:?}", written, below);
        }
    }
}
