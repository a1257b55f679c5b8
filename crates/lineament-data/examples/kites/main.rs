//! Pictures of kites to train with, as docs/your-own-points.md does:
//! `cargo run --release -p lineament-data --example kites -- FOLDER`.

mod kites;

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).map_or_else(|| PathBuf::from("kites"), PathBuf::from);
    kites::write(&folder.join("train"), 600, 1)?;
    kites::write(&folder.join("test"), 60, 2)?;
    kites::write_group(&folder.join("group.png"), 8, 3)?;
    kites::write_film(&folder.join("film.y4m"), 90, 4)?;
    for (name, text) in kites::TEXTS {
        fs::write(folder.join(name), text)?;
    }
    let what = "600 pictures to train with, 60 to test, a group, a film, a topology and two configurations";
    println!("{}: {what}", folder.display());
    Ok(())
}
