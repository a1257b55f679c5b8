//! With the feature `page`: puts the live page that `make web` has built into the program.
//!
//! The page is not in git: its wasm is 2 MB and changes with every kernel, so a committed one would be stale most of
//! the time and grow the history for ever. Building it here would need the wasm target and tools of everybody.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let mut list = String::from("&[\n");
    if env::var_os("CARGO_FEATURE_PAGE").is_some() {
        let root = Path::new(&env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo")).join("../..");
        let dist = root.join("apps/web/dist");
        println!("cargo::rerun-if-changed={}", dist.display());
        let dist = dist.canonicalize().unwrap_or_else(|_| panic!("apps/web/dist is not there: run `make web` first"));
        for path in files(&dist) {
            let name = path.strip_prefix(&dist).expect("it lies below");
            let name: Vec<_> = name.iter().map(|part| part.to_str().expect("our names are ASCII")).collect();
            writeln!(list, "    ({:?}, include_bytes!({path:?})),", name.join("/")).expect("memory takes it");
        }
    } else {
        println!("cargo::rerun-if-changed=build.rs");
    }
    list.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    fs::write(out.join("page.rs"), list).expect("the build's own folder can be written");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the page can be read") {
        let path = entry.expect("the page can be read").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
