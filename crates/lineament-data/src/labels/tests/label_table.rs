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
