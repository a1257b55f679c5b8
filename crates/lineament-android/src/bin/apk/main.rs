//! Packs the app's library into an APK, and checks one: `tools/android.sh` calls it.
//!
//! ```text
//! apk pack RESOURCES.apk OUT.apk lib/arm64-v8a/liblineament_android.so=FILE ...
//! apk check APK LIBRARIES MOST_BYTES
//! ```
//!
//! RESOURCES.apk is what aapt made of the manifest and the resources. LIBRARIES is the folder of the system's libraries
//! for the oldest Android that is supported, by which the linker was called too.

mod elf;
mod zip;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};

use elf::Library;
use zip::{Entry, PAGE};

/// What the library may need.
const SYMBOLS: &str = include_str!("../../../app/symbols.txt");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["pack", resources, out, files @ ..] => pack(resources.as_ref(), out.as_ref(), files),
        ["check", apk, libraries, most] => check(apk.as_ref(), libraries.as_ref(), most),
        _ => Err(anyhow::anyhow!("usage: apk pack RESOURCES.apk OUT.apk NAME=FILE ... | apk check APK LIBRARIES MOST")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("apk: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| path.display().to_string())
}

fn pack(resources: &Path, out: &Path, files: &[&str]) -> Result<()> {
    let mut entries = zip::read(&read(resources)?).with_context(|| resources.display().to_string())?;
    // The order in which aapt finds files is that of the file system.
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    for file in files {
        let (name, path) = file.split_once('=').with_context(|| format!("{file}: give NAME=FILE"))?;
        entries.push(Entry::stored(name, read(path.as_ref())?)?);
    }
    fs::write(out, zip::write(&entries)?).with_context(|| out.display().to_string())
}

/// Everything that Android refuses when it installs the app or loads the library.
fn check(apk: &Path, libraries: &Path, most: &str) -> Result<()> {
    let bytes = read(apk)?;
    let most: usize = most.parse().context("MOST is a number of bytes")?;
    ensure!(bytes.len() <= most, "{}: {} bytes, more than {most}", apk.display(), bytes.len());
    let entries = zip::read(&bytes).with_context(|| apk.display().to_string())?;
    for name in ["AndroidManifest.xml", "resources.arsc"] {
        ensure!(entries.iter().any(|entry| entry.name == name), "{}: no {name}", apk.display());
    }
    let mut count = 0;
    for entry in entries.iter().filter(|entry| entry.is_library()) {
        ensure!(entry.method == 0, "{}: compressed, so it cannot be loaded where it lies", entry.name);
        ensure!(entry.at % PAGE == 0, "{}: at {}, which is no multiple of {PAGE}", entry.name, entry.at);
        let library = Library::parse(&entry.bytes).with_context(|| entry.name.clone())?;
        check_library(&library, libraries).with_context(|| entry.name.clone())?;
        println!(
            "{}: {} bytes at {}, {} symbols of the system, all in {}",
            entry.name,
            entry.bytes.len(),
            entry.at,
            library.undefined.len(),
            library.needed.join(" ")
        );
        count += 1;
    }
    ensure!(count > 0, "{}: no library", apk.display());
    println!("{}: {} bytes, at most {most}", apk.display(), bytes.len());
    Ok(())
}

fn check_library(library: &Library, system: &Path) -> Result<()> {
    for &alignment in &library.alignments {
        ensure!(alignment % PAGE as u64 == 0, "a part is aligned to {alignment}, not to pages of {PAGE}");
    }
    let entry = "ANativeActivity_onCreate";
    ensure!(library.defined.contains(entry), "{entry} is missing: the system would not find the app");
    let mut offered = BTreeSet::new();
    for name in &library.needed {
        let path = system.join(name);
        let library = Library::parse(&read(&path)?).with_context(|| path.display().to_string())?;
        offered.extend(library.defined);
    }
    let missing: Vec<_> = library.undefined.iter().filter(|&name| !offered.contains(unversioned(name))).collect();
    ensure!(missing.is_empty(), "symbols that the system's libraries do not have: {missing:?}");
    // Stand-ins for the system's libraries may offer more than the oldest Android does.
    let known: BTreeSet<&str> = SYMBOLS.lines().filter(|line| !line.starts_with('#')).collect();
    let newer: Vec<_> = library.undefined.iter().filter(|&name| !known.contains(unversioned(name))).collect();
    ensure!(newer.is_empty(), "symbols that are not in app/symbols.txt, which says what to do: {newer:?}");
    Ok(())
}

/// A symbol's name without the version that some linkers add.
fn unversioned(name: &str) -> &str {
    name.split('@').next().unwrap_or(name)
}
