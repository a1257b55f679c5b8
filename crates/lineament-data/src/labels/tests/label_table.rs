//! The label table.

use super::*;

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
        (&folder.path().join("t.txt"), &names, "the name of a label table ends in .csv or .parquet"),
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

/// A Parquet table of `rows` objects with points `a` and `b`; every third `b` has no label, and every fourth row a box.
fn parquet(path: &Path, rows: usize) -> Vec<(String, Option<Rect>, [Option<Point>; 2])> {
    let object = |i: usize| {
        let x = i as f32 + 0.1;
        let b = (!i.is_multiple_of(3)).then_some(Point::new(1.0 / 3.0, -x));
        let rect = i.is_multiple_of(4).then_some(Rect::from_xywh(x, 2.0, 3e-3, 7.0));
        (format!("ä/{i}.png"), rect, [Some(Point::new(x, 0.5)), b])
    };
    let objects: Vec<_> = (0..rows).map(object).collect();
    let mut writer = table::Writer::create(path, &["a".to_owned(), "b".to_owned()]).unwrap();
    objects.iter().for_each(|(photo, rect, points)| writer.write(photo, *rect, points).unwrap());
    writer.finish().unwrap();
    objects
}

#[test]
fn a_parquet_table_keeps_what_was_written_over_all_its_groups() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    // A group is full after (1 << 20) / 8 rows.
    let objects = parquet(&path, 132_000);
    let mut reader = table::Reader::open(&path).unwrap();
    assert_eq!((reader.names(), reader.photos()), (&["a".to_owned(), "b".to_owned()][..], folder.path()));
    let mut share = 0.0;
    for (i, (photo, rect, points)) in objects.iter().enumerate() {
        let read = reader.next().unwrap().unwrap();
        assert_eq!((&read.photo, read.rect, &read.points[..]), (photo, *rect, &points[..]));
        assert!(read.place.ends_with(&format!("t.parquet: row {}", i + 1)), "{}", read.place);
        assert!(reader.share_read() >= share);
        share = reader.share_read();
    }
    assert!(reader.next().is_none() && share == 1.0);
    // What CSV and Parquet hold is the same, whichever is made of which, and whatever the file is called.
    let named = folder.path().join("t");
    fs::rename(&path, &named).unwrap();
    assert_eq!(table::Reader::open(&named).unwrap().count(), 132_000);
}

#[test]
fn a_damaged_parquet_table_is_an_error_with_its_file_and_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    parquet(&path, 300);
    let whole = fs::read(&path).unwrap();
    let error = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let rows = table::Reader::open(&path).and_then(|reader| reader.collect::<Result<Vec<_>>>());
        rows.err().map_or("no error".to_owned(), |e| e.to_string())
    };
    assert_eq!(error(&whole), "no error");
    let cut = error(&whole[..whole.len() - 1]);
    assert!(cut.contains("t.parquet: damaged or foreign Parquet: "), "{cut}");
    assert!(error(b"PAR1").contains("t.parquet: damaged or foreign Parquet: "));
    // The first page of the photos.
    let mut damaged = whole.clone();
    damaged[4..60].fill(0xff);
    let damaged = error(&damaged);
    assert!(damaged.contains("t.parquet: rows from 1: damaged or foreign Parquet: column `photo`: "), "{damaged}");
    let mut records = crate::table::Writer::create(&path, &crate::table::point_names(2)).unwrap();
    let record = crate::Record { points: vec![Point::new(1.0, 2.0); 2], pixels: vec![0; 96 * 96], origin: None };
    records.write(&record).unwrap();
    records.finish().unwrap();
    let foreign = error(&fs::read(&path).unwrap());
    assert!(foreign.contains("column 2 is called `photo_width`, expected `x`"), "{foreign}");
    assert!(foreign.ends_with("`lineament data import records` makes a label table of it"), "{foreign}");
}

proptest! {
    #[test]
    fn damaged_parquet_is_a_table_or_an_error_and_never_panics(
        cut in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 0..6),
    ) {
        static WHOLE: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("t.parquet");
            parquet(&path, 40);
            fs::read(&path).unwrap()
        });
        let mut file = WHOLE.clone();
        let at = at.index(file.len());
        file.splice(at..(at + bytes.len()).min(file.len()), bytes);
        for file in [file.clone(), file[..cut.index(file.len())].to_vec()] {
            if let Ok(mut rows) = table::Rows::from_parquet(Path::new("t"), file) {
                while let Ok(Some(_)) = rows.next_row() {}
            }
        }
    }
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
