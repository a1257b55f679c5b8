//! Cascade files that are damaged or made to harm: each is refused with its line, or runs.
#![cfg(feature = "cascade")]

use std::path::Path;
use std::time::{Duration, Instant};

use lineament::cascade::{Cascade, CascadeOptions, MIN_SCALE_FACTOR};
use lineament::{Error, ImageView};
use proptest::prelude::*;

const OURS: [&str; 5] = ["haar_stumps.xml", "haar_tilted_trees.xml", "haar_old.xml", "lbp_stumps.xml", "lbp_trees.xml"];

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cascade").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// The message of the refusal.
fn refused(text: &str) -> String {
    match Cascade::parse(text) {
        Err(Error::Cascade(message)) => message,
        other => panic!("{other:?} for {}", &text[..text.len().min(200)]),
    }
}

/// Runs a cascade over a picture with some contrast; its boxes lie within.
fn runs(cascade: &Cascade, width: usize, height: usize, options: &CascadeOptions) {
    let pixels: Vec<u8> = (0..width * height).map(|k| (k * k % 251) as u8).collect();
    let image = ImageView::grey(&pixels, width, height).unwrap().to_grey();
    for found in cascade.detect(&image, options).unwrap() {
        let rect = found.rect;
        assert!(rect.x >= 0.0 && rect.y >= 0.0 && rect.width >= 1.0 && rect.height >= 1.0, "{rect:?}");
        assert!(rect.x + rect.width <= width as f32 && rect.y + rect.height <= height as f32, "{rect:?}");
    }
}

#[test]
fn a_refusal_names_the_line_and_what_is_expected() {
    for (file, from, to, expected) in [
        ("haar_stumps.xml", "<width>20<", "<width>2<", "line 8, <width>: 2 is not a whole number from 3 to 256"),
        ("haar_stumps.xml", "<width>20<", "<width>1e9<", "line 8, <width>: 1000000000 is not a whole number"),
        ("haar_stumps.xml", "<width>20<", "<width><", "line 8, <width>: a number is expected"),
        ("haar_stumps.xml", "<width>20<", "<width>nan<", "line 8, <width>: `nan` is no number"),
        ("haar_stumps.xml", "<width>20</width>", "", "line 4, <cascade>: <width> is expected"),
        ("haar_stumps.xml", "BOOST", "TREE", "line 5, <stageType>: `TREE` is not read here, only BOOST"),
        ("haar_stumps.xml", ">HAAR<", ">HOG<", "line 6, <featureType>: `HOG` is not read here, only HAAR and LBP"),
        ("haar_stumps.xml", ">0</maxCatCount>", ">256</maxCatCount>", "from 0 to 0"),
        ("lbp_stumps.xml", ">256</maxCatCount>", ">64</maxCatCount>", "64 is not a whole number from 256 to 256"),
        ("haar_stumps.xml", "<stages>", "<stages/><was>", "XML is expected"),
        ("haar_old.xml", "<size>\n    24 17<", "<size>24<", "<size>: width and height are expected"),
        ("haar_old.xml", "<right_node>2<", "<right_node>1<", "node 1 leads back to 1"),
        ("haar_old.xml", "<left_node>1<", "<left_node>0<", "node 0 leads back to 0"),
        ("haar_old.xml", "<left_node>1<", "<left_node>9<", "<left_node>: 9 is not a whole number"),
    ] {
        let text = fixture(file);
        assert!(text.contains(from), "{file}: {from}");
        let message = refused(&text.replacen(from, to, 1));
        assert!(message.contains(expected), "{file}, {from} -> {to}: {message}");
    }
}

/// A cascade of one stage, around what one place holds.
fn small(nodes: &str, leaves: &str, feature: &str) -> String {
    format!(
        "<opencv_storage><cascade><stageType>BOOST</stageType><featureType>HAAR</featureType>
        <height>8</height><width>8</width><featureParams/>
        <stages><_><stageThreshold>0</stageThreshold><weakClassifiers><_>
        <internalNodes>{nodes}</internalNodes><leafValues>{leaves}</leafValues>
        </_></weakClassifiers></_></stages>
        <features><_>{feature}</_></features></cascade></opencv_storage>"
    )
}

#[test]
fn what_contradicts_itself_is_refused() {
    let (nodes, leaves) = ("0 -1 0 .5", "0 1");
    let rects = |rects: &str| format!("<rects>{rects}</rects><tilted>0</tilted>");
    let tilted = |rects: &str| format!("<rects>{rects}</rects><tilted>1</tilted>");
    let whole = rects("<_>0 0 8 8 1</_>");
    runs(&Cascade::parse(&small(nodes, leaves, &whole)).unwrap(), 20, 20, &CascadeOptions::default());
    let chain = |count: usize| {
        let nodes: String = (1..=count).map(|k| format!("{} {} 0 .5 ", k % count, -(k as i64))).collect();
        (nodes, "1 ".repeat(count + 1))
    };
    let (longest, too_long) = (chain(255), chain(256));
    runs(&Cascade::parse(&small(&longest.0, &longest.1, &whole)).unwrap(), 20, 20, &CascadeOptions::default());
    for (nodes, leaves, feature, expected) in [
        ("0 -1 0", leaves, whole.clone(), "3 numbers are not so many nodes of 4"),
        ("", "1", whole.clone(), "a tree of 0 nodes"),
        (&too_long.0, &too_long.1, whole.clone(), "a tree of 256 nodes"),
        (nodes, "0", whole.clone(), "1 leaves for 1 nodes"),
        (nodes, "0 1e39", whole.clone(), "is too large"),
        (nodes, "0 inf", whole.clone(), "`inf` is no number"),
        ("0 -1 1 .5", leaves, whole.clone(), "1 is not a whole number from 0 to 0"),
        ("0 -1 -1 .5", leaves, whole.clone(), "-1 is not a whole number from 0 to 0"),
        ("0 -1 .5 .5", leaves, whole.clone(), "0.5 is not a whole number"),
        ("0 -2 0 .5", leaves, whole.clone(), "-2 is not a whole number from -1 to 0"),
        ("1 -1 0 .5", leaves, whole.clone(), "1 is not a whole number from -1 to 0"),
        ("1 0 0 .5 1 -1 0 .5", "0 1 2", whole.clone(), "node 1 leads back to 1"),
        (nodes, leaves, String::new(), "<rects> is expected"),
        (nodes, leaves, rects(""), "a feature without rectangles"),
        (nodes, leaves, rects(&"<_>0 0 1 1 1</_>".repeat(4)), "at most three rectangles"),
        (nodes, leaves, rects("<_>0 0 8 8</_>"), "x, y, width, height and weight"),
        (nodes, leaves, rects("<_>0 0 9 8 1</_>"), "not within the window"),
        (nodes, leaves, rects("<_>-1 0 8 8 1</_>"), "-1 is not a whole number"),
        (nodes, leaves, rects("<_>0 0 0 8 1</_>"), "0 is not a whole number from 1"),
        (nodes, leaves, rects("<_>1e18 0 1 1 1</_>"), "is not a whole number"),
        (nodes, leaves, tilted("<_>1 0 2 2 1</_>"), "not within the window"),
        (nodes, leaves, tilted("<_>2 0 7 2 1</_>"), "not within the window"),
        (nodes, leaves, tilted("<_>4 0 4 5 1</_>"), "not within the window"),
    ] {
        let message = refused(&small(nodes, leaves, &feature));
        assert!(message.contains(expected), "`{nodes}`, `{leaves}`, {feature}: {message}");
    }
}

#[test]
fn texts_that_are_no_cascades_are_refused() {
    let big = "<!DOCTYPE a [<!ENTITY a '0123456789'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;'>]><a><b>&b;</b></a>";
    for text in ["", "{}", "<a", "<a/>", "<a>1 2</a>", "<a><b/></a>", "\0", "\u{feff}<a/>", "<svg><g/></svg>", big] {
        let message = refused(text);
        assert!(message.contains("expected"), "{text}: {message}");
    }
}

#[test]
fn large_texts_are_refused_soon_and_in_few_words() {
    let attributes: String = (0..60_000).map(|k| format!(" a{k}=''")).collect();
    let spaces: String = (0..60_000).map(|k| format!(" xmlns:a{k}='{k}'")).collect();
    let nested: String = (0..60_000).map(|k| format!("<a xmlns:a{k}='{k}'>")).collect();
    for (what, text) in [
        ("one long word", small("0 -1 0 .5", &"x".repeat(1 << 20), "")),
        ("one long name", format!("<a><{}/></a>", "b".repeat(1 << 20))),
        ("a long kind", format!("<a><b><stageType>{}</stageType></b></a>", "BOOST ".repeat(1 << 18))),
        ("elements within elements", "<a>".repeat(1 << 18)),
        ("closed elements within elements", "<a>".repeat(1 << 18) + &"</a>".repeat(1 << 18)),
        ("attributes", format!("<a><b{attributes}/></a>")),
        ("namespaces", format!("<a><b{spaces}/></a>")),
        ("namespaces within namespaces", nested),
        ("comments", format!("<a>{}</a>", "<!---->".repeat(1 << 18))),
    ] {
        let start = Instant::now();
        let message = refused(&text);
        // Others may use the processor: what takes time in the square of the length takes far longer.
        assert!(start.elapsed() < Duration::from_secs(20), "{what}: {:?}", start.elapsed());
        println!("{what}: {:?}, {}", start.elapsed(), message.chars().take(80).collect::<String>());
        assert!(message.len() < 400, "{what}: a message of {} bytes", message.len());
    }
}

#[test]
fn scale_factors_that_never_end_are_refused() {
    let cascade = Cascade::parse(&fixture("haar_stumps.xml")).unwrap();
    let image = ImageView::grey(&[90; 1024], 32, 32).unwrap().to_grey();
    for scale_factor in [1.0, 0.5, 0.0, -2.0, f64::NAN, f64::NEG_INFINITY] {
        let error = cascade.detect(&image, &CascadeOptions { scale_factor, ..Default::default() }).unwrap_err();
        assert!(matches!(error, Error::Option(_)), "{scale_factor}: {error}");
    }
    for scale_factor in [MIN_SCALE_FACTOR, f64::MAX, f64::INFINITY] {
        cascade.detect(&image, &CascadeOptions { scale_factor, ..Default::default() }).unwrap();
    }
}

#[test]
fn a_cascade_that_accepts_everything_ends() {
    let all = small("0 -1 0 .5", "1 1", "<rects><_>0 0 8 8 1</_></rects>");
    let cascade = Cascade::parse(&all).unwrap();
    for min_neighbors in [0, 1, u32::MAX] {
        runs(&cascade, 400, 300, &CascadeOptions { min_neighbors, ..Default::default() });
    }
}

/// Numbers where others stood.
const NUMBERS: [&str; 16] = [
    "0",
    "-1",
    "1",
    "2",
    "255",
    "256",
    "257",
    "1e38",
    "1e39",
    "-1e308",
    "1e-45",
    "nan",
    "inf",
    "4294967296",
    ".",
    "-0",
];

proptest! {
    #[test]
    fn a_cut_file_is_refused(name in prop::sample::select(&OURS[..]), at in any::<prop::sample::Index>()) {
        let text = fixture(name);
        // The files end in the tag that closes the outermost element and a line break.
        refused(&text[..at.index(text.len() - 2)]);
    }

    #[test]
    fn flipped_bytes_are_refused_or_run(
        name in prop::sample::select(&OURS[..]),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = fixture(name).into_bytes();
        for (at, with) in flips {
            let at = at.index(bytes.len());
            bytes[at] = with;
        }
        if let Ok(cascade) = Cascade::parse(&String::from_utf8_lossy(&bytes)) {
            runs(&cascade, 61, 47, &CascadeOptions { scale_factor: 1.3, ..Default::default() });
        }
    }

    #[test]
    fn other_numbers_are_refused_or_run(
        name in prop::sample::select(&OURS[..]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(&NUMBERS[..])), 1..4),
    ) {
        let text = fixture(name);
        // Numbers stand after a space, a tag or a line break.
        let number = |c: char| c.is_ascii_digit() || "+-.e".contains(c);
        let spots: Vec<(usize, &str)> =
            text.match_indices(|c: char| " >\n".contains(c)).map(|(at, _)| (at + 1, &text[at + 1..])).collect();
        let spots: Vec<(usize, usize)> = spots
            .iter()
            .map(|&(at, rest)| (at, rest.find(|c| !number(c)).unwrap_or(rest.len())))
            .filter(|&(_, len)| len > 0)
            .collect();
        let mut chosen: Vec<_> = changes.iter().map(|(at, with)| (spots[at.index(spots.len())], with)).collect();
        chosen.sort();
        chosen.dedup_by_key(|(spot, _)| *spot);
        let mut changed = text.clone();
        for ((at, len), with) in chosen.into_iter().rev() {
            changed.replace_range(at..at + len, with);
        }
        if let Ok(cascade) = Cascade::parse(&changed) {
            runs(&cascade, 61, 47, &CascadeOptions { scale_factor: 1.3, ..Default::default() });
        }
    }

    #[test]
    fn pictures_of_any_size_are_searched(
        name in prop::sample::select(&OURS[..]), width in 1usize..120, height in 1usize..120,
        scale_factor in 1.05..3.0, min_neighbors in 0u32..4, min_size: (u8, u8), max_size: Option<(u8, u8)>,
    ) {
        let size = |(width, height): (u8, u8)| (u32::from(width), u32::from(height));
        let options = CascadeOptions {
            scale_factor, min_neighbors, min_size: size(min_size), max_size: max_size.map(size),
        };
        runs(&Cascade::parse(&fixture(name)).unwrap(), width, height, &options);
    }
}
