//! Our boxes beside OpenCV's (`tools/cascade_boxes.py` writes both the files in git and folders with real cascades),
//! and pictures of extreme sizes. Damaged files are in `cascade_hostile.rs`.
#![cfg(feature = "cascade")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lineament::ImageView;
use lineament::cascade::{Cascade, CascadeOptions};
use serde_json::Value;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cascade")
}

fn fixture(name: &str) -> String {
    std::fs::read_to_string(fixtures().join(name)).unwrap()
}

const OURS: [&str; 5] = ["haar_stumps.xml", "haar_tilted_trees.xml", "haar_old.xml", "lbp_stumps.xml", "lbp_trees.xml"];

/// Width, height and pixels of a binary PGM file.
fn picture(path: &Path) -> (usize, usize, Vec<u8>) {
    let bytes = std::fs::read(path).unwrap();
    let mut words = bytes.split(u8::is_ascii_whitespace).map(|word| std::str::from_utf8(word).unwrap_or(""));
    assert_eq!((words.next(), "P5"), (Some("P5"), "P5"), "{}", path.display());
    let (width, height): (usize, usize) =
        (words.next().unwrap().parse().unwrap(), words.next().unwrap().parse().unwrap());
    (width, height, bytes[bytes.len() - width * height..].to_vec())
}

/// Runs all of a folder's boxes.json; for each cascade: runs, boxes, and a line for each run that differs.
fn compare(folder: &Path) -> BTreeMap<String, (usize, usize, Vec<String>)> {
    let entries: Value = serde_json::from_slice(&std::fs::read(folder.join("boxes.json")).unwrap()).unwrap();
    let mut results = BTreeMap::new();
    let mut cascades = BTreeMap::new();
    for entry in entries.as_array().unwrap() {
        let (name, picture_name) = (entry["cascade"].as_str().unwrap(), entry["picture"].as_str().unwrap());
        let cascade = cascades.entry(name.to_string()).or_insert_with(|| {
            let text = std::fs::read_to_string(folder.join(name)).unwrap();
            Cascade::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
        });
        let size = |key: &str| [0, 1].map(|k| entry[key][k].as_u64().unwrap() as u32).into();
        let options = CascadeOptions {
            scale_factor: entry["scale_factor"].as_f64().unwrap(),
            min_neighbors: entry["min_neighbors"].as_u64().unwrap() as u32,
            min_size: size("min_size"),
            max_size: Some(size("max_size")).filter(|&size| size != (0, 0)),
        };
        let (width, height, pixels) = picture(&folder.join(picture_name));
        let image = ImageView::grey(&pixels, width, height).unwrap().to_grey();
        let found = cascade.detect(&image, &options).unwrap();
        let ours: Vec<[f32; 5]> = found
            .iter()
            .map(|found| {
                let rect = found.rect;
                [rect.x, rect.y, rect.width, rect.height, found.neighbors as f32]
            })
            .collect();
        let number = |value: &Value| value.as_f64().unwrap() as f32;
        let boxes = entry["boxes"].as_array().unwrap().iter();
        let opencvs: Vec<[f32; 5]> = boxes.map(|found| std::array::from_fn(|k| number(&found[k]))).collect();
        let (runs, count, different) = results.entry(name.to_string()).or_insert((0, 0, Vec::new()));
        (*runs, *count) = (*runs + 1, *count + opencvs.len());
        if ours != opencvs {
            different.push(format!("{name} on {picture_name}, {options:?}:\n    {ours:?}\n    OpenCV {opencvs:?}"));
        }
    }
    results
}

#[test]
fn boxes_are_opencvs_with_cascades_of_every_kind() {
    let results = compare(&fixtures());
    assert_eq!(results.len(), OURS.len());
    let different: Vec<&String> = results.values().flat_map(|(_, _, different)| different).collect();
    assert!(different.is_empty(), "{different:#?}");
    assert!(results.values().all(|&(runs, boxes, _)| runs == 8 && boxes > 100), "the fixtures find something");
}

#[test]
fn boxes_are_opencvs_with_real_cascades() {
    let Some(folder) = std::env::var_os("LINEAMENT_CASCADES").map(PathBuf::from) else {
        println!("skipped: LINEAMENT_CASCADES is no folder written by tools/cascade_boxes.py");
        return;
    };
    let results = compare(&folder);
    for (name, (runs, boxes, different)) in &results {
        println!("{name}: equal on {} of {runs} pictures, {boxes} boxes", runs - different.len());
    }
    let different: Vec<&String> = results.values().flat_map(|(_, _, different)| different).collect();
    assert!(different.is_empty(), "{} runs differ, first {:#?}", different.len(), &different[..different.len().min(5)]);
}

#[test]
fn specks_and_strips_are_searched() {
    for name in OURS {
        let cascade = Cascade::parse(&fixture(name)).unwrap();
        let (width, height) = cascade.window();
        for (w, h) in [(1, 1), (width - 1, 300), (width, height), (300, height - 1), (20_000, 30), (30, 20_000)] {
            let pixels: Vec<u8> = (0..(w * h) as u64).map(|k| (k * k / 7 % 251) as u8).collect();
            let image = ImageView::grey(&pixels, w, h).unwrap().to_grey();
            let found = cascade.detect(&image, &CascadeOptions { min_neighbors: 0, ..Default::default() }).unwrap();
            assert!(w >= width && h >= height || found.is_empty(), "{name} on {w}x{h}");
            for found in found {
                let rect = found.rect;
                assert!(rect.x >= 0.0 && rect.y >= 0.0 && rect.width >= width as f32 - 1.0, "{rect:?}");
                assert!(rect.x + rect.width <= w as f32 && rect.y + rect.height <= h as f32, "{rect:?} on {w}x{h}");
            }
        }
    }
}

#[test]
fn of_a_cascade_that_accepts_everything_the_first_windows_are_grouped() {
    let text = fixture("haar_stumps.xml")
        .replace("<stageThreshold>", "<stageThreshold>-1e9 <!-- ")
        .replace("</stageThreshold>", " --></stageThreshold>");
    let cascade = Cascade::parse(&text).unwrap();
    let pixels: Vec<u8> = (0..900 * 900u32).map(|k| (k.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let image = ImageView::grey(&pixels, 900, 900).unwrap().to_grey();
    let all = cascade.detect(&image, &CascadeOptions { min_neighbors: 0, ..Default::default() }).unwrap();
    assert_eq!(all.len(), 1 << 16);
    assert_eq!(cascade.detect(&image, &CascadeOptions::default()).unwrap().len(), 1, "all windows are one set");
}
