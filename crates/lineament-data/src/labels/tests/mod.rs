mod faults;
mod formats;
mod imports;
mod label_table;

use std::fs;

use proptest::prelude::*;
use tempfile::TempDir;

use super::import::{Options, Summary, import};
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
        Format::Imglab => Box::new(imglab::Imglab::new(input(), input(), origin)),
        Format::Coco => Box::new(coco::Coco::new(input(), input(), origin, None)),
        Format::Kaggle => Box::new(kaggle::Kaggle::new(input(), origin)?),
        Format::Table => Box::new(table::Rows::from_csv(input())?),
        Format::Pts | Format::Jd106 | Format::Ljson | Format::Records => unreachable!("these read files"),
    })
}

const STREAMS: [Format; 7] =
    [Format::Wflw, Format::Cofw, Format::Aflw, Format::Imglab, Format::Coco, Format::Kaggle, Format::Table];

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
        Format::Table => "table.csv",
        _ => return kaggle().into_bytes(),
    };
    fs::read(fixture(name)).unwrap()
}

/// Imports label tables' worth of text in another format, next to the photos.
fn import_text(format: Format, name: &str, text: &str, options: Options) -> Result<Summary> {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    fs::write(at(name), text).unwrap();
    import(format, &at(name), &at("out.csv"), options, |_| {})
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
                let _ = import(format, &at("photos"), &at("out.csv"), skipping(), |_| {});
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
