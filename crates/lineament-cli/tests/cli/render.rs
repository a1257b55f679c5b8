//! Rendered faces.

use std::path::{Path, PathBuf};

use crate::helpers::Folder;

#[test]
fn a_render_that_cannot_be_made_names_the_reason() {
    let folder = Folder::new();
    folder.write("my.toml", "yaw_sd = 100\n");
    folder.write("empty/notes.txt", "");
    for (args, code, text) in [
        (&["faces", "--assets", "none"][..], 1, "ict_facekit.npz"),
        (&["faces", "--assets", "empty"], 1, "docs/render.md says where the assets come from"),
        (
            &["faces", "--assets", "empty", "--config", "my.toml"],
            1,
            "my.toml: invalid setting: yaw_sd is 100, expected 0 to 60",
        ),
        (&["faces", "--assets", "empty", "--size", "8"], 2, "--size: from 32 to 2048 pixels"),
        (&["faces"], 2, "--assets <DIR>"),
        (&["--assets", "empty"], 2, "OUT"),
    ] {
        let outcome = folder.run(&[&["render"], args].concat());
        assert_eq!(outcome.code, Some(code), "{args:?}: {outcome:?}");
        assert!(outcome.stderr.contains(text), "{args:?}: {}", outcome.stderr);
    }
    assert_eq!(folder.files(), ["empty/notes.txt", "my.toml"]);
    let settings = folder.run(&["render", "--print-config"]).stdout;
    assert!(settings.contains("# Default 0.14, from 0 to 1.\nmask_share = 0.14"), "{settings}");
}

/// Needs the assets of docs/render.md (`LINEAMENT_DATA/faces-assets`, or next to the repository).
#[test]
fn photos_that_are_there_stay_and_the_others_are_rendered() {
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let assets = std::env::var_os("LINEAMENT_DATA").map_or(usual, PathBuf::from).join("faces-assets");
    if !assets.is_dir() {
        println!("skipped: {} is missing; LINEAMENT_DATA names the folder above it", assets.display());
        return;
    }
    let assets = std::path::absolute(assets).unwrap().display().to_string();
    let folder = Folder::new();
    let render = |count: &str| {
        let outcome = folder
            .run(&["render", "faces", "--assets", &assets, "--count", count, "--size", "64", "--points", "wflw98"]);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        outcome.stdout
    };
    assert_eq!(render("2"), "faces: 2 photos rendered\n");
    let first = folder.read("faces/0000001.pts");
    assert!(first.contains("n_points: 98"), "{first}");
    folder.write("faces/0000000.jpg", "mine");
    assert_eq!(render("3"), "faces: 1 photo rendered\n");
    assert_eq!((folder.read("faces/0000000.jpg"), folder.read("faces/0000001.pts")), ("mine".into(), first));
}
