//! Tables of records as files: what is written comes back, and what is damaged is never taken for a whole table.

use std::fs;
use std::path::{Path, PathBuf};

use lineament::{Point, Rect};
use lineament_data::record::{Origin, SIDE};
use lineament_data::table::{ReadOptions, Reader, Writer, point_names};
use lineament_data::{Record, Result};
use proptest::prelude::*;

/// A folder that is removed at the end of a test.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("lineament-table-{test}-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    fn names(&self) -> Vec<String> {
        let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().to_string_lossy().into_owned();
        let mut names: Vec<String> = fs::read_dir(&self.0).unwrap().map(name).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Pixels that differ from row to row and hold all values.
fn pixels(seed: usize) -> Vec<u8> {
    (0..SIDE * SIDE).map(|i| ((i * 7 + i / 96 * 13 + seed * 31) % 256) as u8).collect()
}

fn record(seed: usize, points: usize) -> Record {
    let point = |i: usize| Point::new(seed as f32 + i as f32 * 0.7, 90.1 - i as f32 / 3.0);
    Record { points: (0..points).map(point).collect(), pixels: pixels(seed), origin: None }
}

fn origin(seed: usize) -> Origin {
    Origin {
        photo: format!("people/ä {seed}.jpg"),
        photo_size: (640, 480 + seed as u32),
        face: Rect::from_xywh(-1.5, 20.25, 100.1, 120.0),
        crop: Rect::from_xywh(-10.0, 10.3, 130.7, 130.7),
        score: 0.1 + 0.001 * seed as f32,
        expected_error: seed.is_multiple_of(2).then_some(2.5),
        pose: seed.is_multiple_of(3).then_some([0.1, -0.2, 1.3]),
    }
}

fn write(path: &Path, columns: &[String], records: &[Record]) -> Result<()> {
    let mut writer = Writer::create(path, columns)?;
    records.iter().try_for_each(|record| writer.write(record))?;
    writer.finish()
}

fn read(path: &Path) -> Result<Vec<Record>> {
    Reader::open(path, ReadOptions::default())?.collect()
}

fn read_bytes(bytes: &[u8]) -> Result<Vec<Record>> {
    Reader::from_bytes(Path::new("t"), bytes.to_vec(), ReadOptions::default())?.collect()
}

#[test]
fn parquet_keeps_everything_and_csv_points_and_pixels() {
    let folder = Folder::new("keeps");
    // More than two groups of rows.
    let with_origin = |i| Record { origin: (i % 5 != 4).then(|| origin(i)), ..record(i, 68) };
    let records: Vec<Record> = (0..2100).map(with_origin).collect();
    let path = folder.0.join("new folder/t.parquet");
    write(&path, &point_names(68), &records).unwrap();
    let mut reader = Reader::open(&path, ReadOptions::default()).unwrap();
    assert_eq!((reader.points(), reader.columns()), (68, &point_names(68)[..]));
    for (i, expected) in records.iter().enumerate() {
        assert_eq!(&reader.next().unwrap().unwrap(), expected, "row {i}");
    }
    assert!(reader.next().is_none());
    assert_eq!((reader.share_read(), reader.left_out()), (1.0, 0));

    let path = folder.0.join("t.CSV");
    write(&path, &point_names(68), &records[..3]).unwrap();
    let without: Vec<Record> = records[..3].iter().map(|r| Record { origin: None, ..r.clone() }).collect();
    assert_eq!(read(&path).unwrap(), without);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("x0,y0,x1,y1,") && text.lines().next().unwrap().ends_with(",x67,y67,Image"));
    assert!(text.lines().nth(2).unwrap().starts_with("1,90.1,1.7,"), "the shortest numbers");
    assert_eq!(folder.names(), ["new folder", "t.CSV"]);
}

#[test]
fn a_thread_of_its_own_may_read_or_write() {
    fn may_move<T: Send>() {}
    may_move::<Reader>();
    may_move::<Writer>();
}

#[test]
fn the_names_of_the_columns_are_kept() {
    let folder = Folder::new("names");
    let names: Vec<String> = ["left_eye_center_x", "left_eye_center_y"].map(String::from).to_vec();
    for path in [folder.0.join("t.csv"), folder.0.join("t.parquet")] {
        write(&path, &names, &[record(1, 1)]).unwrap();
        assert_eq!(Reader::open(&path, ReadOptions::default()).unwrap().columns(), names);
        write(&path, &names, &[]).unwrap();
        assert_eq!(read(&path).unwrap(), [], "a table without rows");
    }
}

#[test]
fn a_table_gets_its_name_only_when_it_is_finished() {
    let folder = Folder::new("finish");
    for name in ["t.csv", "t.parquet"] {
        let path = folder.0.join(name);
        fs::write(&path, "old").unwrap();
        let mut writer = Writer::create(&path, &point_names(1)).unwrap();
        writer.write(&record(1, 1)).unwrap();
        drop(writer);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        write(&path, &point_names(1), &[record(1, 1)]).unwrap();
        assert_eq!(read(&path).unwrap().len(), 1);
    }
    assert_eq!(folder.names(), ["t.csv", "t.parquet"]);
}

#[test]
fn what_does_not_fit_is_refused_with_its_row() {
    let folder = Folder::new("fit");
    let refused = |record: Record| {
        let mut writer = Writer::create(&folder.0.join("t.parquet"), &point_names(1)).unwrap();
        writer.write(&Record { origin: Some(origin(1)), ..self::record(1, 1) }).unwrap();
        writer.write(&record).unwrap_err().to_string()
    };
    let with_origin = |change: fn(&mut Origin)| {
        let mut origin = origin(1);
        change(&mut origin);
        Record { origin: Some(origin), ..record(1, 1) }
    };
    for (record, message) in [
        (record(1, 2), "row 2: 2 points, the table has 1"),
        (Record { pixels: vec![0; 10], ..record(1, 1) }, "row 2: 10 pixels, expected 96x96"),
        (Record { points: vec![Point::new(1.0, f32::NAN)], ..record(1, 1) }, "row 2: point 0 is not finite"),
        (with_origin(|o| o.crop.height = 3.0), "row 2: a crop of 130.7x3 is not a square"),
        (with_origin(|o| o.score = f32::NAN), "row 2: `score` is not finite"),
        (with_origin(|o| o.pose = Some([0.0, f32::INFINITY, 0.0])), "row 2: `yaw` is not finite"),
        (with_origin(|o| o.photo_size = (0, 3)), "row 2: a photo of 0x3 pixels"),
    ] {
        let error = refused(record);
        assert!(error.ends_with(message), "{error}, expected {message}");
    }
    for (name, columns, message) in [
        ("t.txt", 1, "the name of a table ends in .csv or .parquet"),
        ("t", 1, "the name of a table ends in .csv or .parquet"),
        ("t.csv", 0, "0 columns of coordinates, expected two for each point"),
    ] {
        let error = Writer::create(&folder.0.join(name), &point_names(columns)).err().unwrap().to_string();
        assert!(error.ends_with(message), "{error}, expected {message}");
    }
    assert!(folder.names().is_empty(), "{:?}", folder.names());
}

#[test]
fn what_is_no_table_is_named() {
    let folder = Folder::new("none");
    for (name, bytes, message) in [
        ("empty.csv", &b""[..], "empty file"),
        ("empty.parquet", b"", "empty file"),
        ("words.parquet", b"hello there", "is not a Parquet file"),
        ("short.parquet", b"PAR1", "damaged or foreign Parquet: "),
        ("named.csv", b"PAR1PAR1PAR1PAR1", "damaged or foreign Parquet: "),
        ("words.txt", b"hello there\n", "1: the last column is `hello there`, expected coordinates and then `Image`"),
    ] {
        let path = folder.0.join(name);
        fs::write(&path, bytes).unwrap();
        let error = Reader::open(&path, ReadOptions::default()).err().unwrap().to_string();
        assert!(error.contains(name) && error.contains(message), "{error}, expected {message}");
    }
    let error = |path: &Path| Reader::open(path, ReadOptions::default()).err().unwrap().to_string();
    assert!(error(&folder.0).ends_with("is a folder, expected a table (.csv or .parquet)"));
    assert!(error(&folder.0.join("none.csv")).contains("none.csv: "));
}

#[test]
fn a_file_that_was_cut_off_is_never_taken_for_the_whole() {
    let folder = Folder::new("cut");
    let records = [record(1, 2), Record { origin: Some(origin(2)), ..record(2, 2) }];
    for name in ["t.csv", "t.parquet"] {
        let path = folder.0.join(name);
        write(&path, &point_names(2), &records).unwrap();
        let whole = fs::read(&path).unwrap();
        let expected = read(&path).unwrap();
        // Every position near the ends of cells and rows, and every 41st in the pictures.
        let line_ends: Vec<usize> = (0..whole.len()).filter(|&i| whole[i] == b'\n').collect();
        let near = |cut: usize| line_ends.iter().any(|&end| cut.abs_diff(end) < 60);
        for cut in (0..whole.len()).filter(|&cut| name == "t.parquet" || near(cut) || cut % 41 == 0) {
            match read_bytes(&whole[..cut]) {
                Err(_) => {}
                // A CSV that ends with a row cannot tell of those that followed; what it holds must be true.
                Ok(rows) => assert!(
                    name == "t.csv" && line_ends.contains(&(cut - 1)) && rows == expected[..rows.len()],
                    "{name} cut at {cut} gives {} rows",
                    rows.len()
                ),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_record_comes_back_bit_for_bit(
        bits in prop::collection::vec(any::<u32>(), 8), noise in any::<u64>(), with_origin in any::<bool>(),
        pose in prop::option::of(prop::array::uniform3(-3.0f32..3.0)), photo in "\\PC{0,12}",
    ) {
        let finite = |bits: u32| Some(f32::from_bits(bits)).filter(|v| v.is_finite()).unwrap_or(0.1);
        let points = bits.chunks(2).map(|b| Point::new(finite(b[0]), finite(b[1]))).collect();
        let pixels = (0..(SIDE * SIDE) as u64).map(|i| (noise.wrapping_mul(2 * i + 1) >> 56) as u8).collect();
        let origin = with_origin.then(|| Origin { photo, pose, score: finite(bits[0]), ..origin(1) });
        let record = Record { points, pixels, origin };
        let folder = Folder::new("any");
        for (name, expected) in [
            ("t.csv", Record { origin: None, ..record.clone() }),
            ("t.parquet", record.clone()),
        ] {
            let path = folder.0.join(name);
            write(&path, &point_names(4), std::slice::from_ref(&record)).unwrap();
            let back = read(&path).unwrap();
            let to_bits = |r: &Record| r.points.iter().map(|p| (p.x.to_bits(), p.y.to_bits())).collect::<Vec<_>>();
            prop_assert_eq!(to_bits(&back[0]), to_bits(&expected));
            prop_assert_eq!(&back[..], &[expected][..]);
        }
    }

    #[test]
    fn damaged_bytes_are_a_table_or_an_error_but_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), near_end in any::<bool>(),
    ) {
        for bytes in SMALL.iter() {
            let mut bytes = bytes.clone();
            // Parquet keeps what describes the file at its end.
            let window = if near_end { bytes.len().min(2500) } else { bytes.len() };
            let start = bytes.len() - window;
            for (at, value) in &changes {
                bytes[start + at.index(window)] = *value;
            }
            let _ = read_bytes(&bytes);
        }
    }

    #[test]
    fn any_bytes_are_a_table_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for head in [&b""[..], b"PAR1", b"x0,y0,Image\n"] {
            let _ = read_bytes(&[head, &bytes].concat());
            let _ = read_bytes(&[head, &bytes, b"PAR1"].concat());
        }
    }
}

/// A small table of each kind.
static SMALL: std::sync::LazyLock<[Vec<u8>; 2]> = std::sync::LazyLock::new(|| {
    let folder = Folder::new("small");
    ["t.csv", "t.parquet"].map(|name| {
        let path = folder.0.join(name);
        let row = |i| Record { origin: Some(origin(i)), ..record(i, 2) };
        write(&path, &point_names(2), &[row(1), row(2), row(3)]).unwrap();
        fs::read(&path).unwrap()
    })
});

#[test]
#[ignore = "a measurement, not a check"]
fn speed() {
    let folder = Folder::new("speed");
    let records: Vec<Record> = (0..5000).map(|i| record(i, 68)).collect();
    for name in ["t.csv", "t.parquet"] {
        let path = folder.0.join(name);
        let time = |what: &str, run: &dyn Fn()| {
            let start = std::time::Instant::now();
            run();
            let (seconds, bytes) = (start.elapsed().as_secs_f64(), fs::metadata(&path).unwrap().len() as f64);
            println!("{what} {name}: {:.0} rows/s, {:.0} MB/s", 5000.0 / seconds, bytes / seconds / 1e6);
        };
        time("writing", &|| write(&path, &point_names(68), &records).unwrap());
        (0..3).for_each(|_| {
            time("reading", &|| {
                let rows = Reader::open(&path, ReadOptions::default()).unwrap();
                assert_eq!(rows.map(Result::unwrap).count(), 5000);
            });
        });
    }
}
