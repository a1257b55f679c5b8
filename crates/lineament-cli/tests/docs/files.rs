//! The files of the repository that people write, found by walking it.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold what others wrote or what a build made.
const NOT_OURS: [&str; 5] = ["target", "node_modules", "dist", "dist.new", "out"];

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace is there")
}

/// Every file with this extension: its name below the root, with forward slashes, and its text. Sorted by name.
pub fn with_extension(extension: &str) -> Vec<(String, String)> {
    let root = root();
    let mut names = Vec::new();
    collect(&root, &root, extension, &mut names);
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let text = fs::read_to_string(root.join(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, text)
        })
        .collect()
}

fn collect(root: &Path, folder: &Path, extension: &str, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let entry = entry.expect("the folder can be read");
        let path = entry.path();
        let name = entry.file_name().into_string().expect("our names are ASCII");
        let kind = entry.file_type().expect("the folder can be read");
        if kind.is_dir() {
            if !NOT_OURS.contains(&name.as_str()) && !name.starts_with('.') {
                collect(root, &path, extension, names);
            }
        } else if kind.is_file() && path.extension().is_some_and(|found| found == extension) {
            let below = path.strip_prefix(root).expect("it lies below the root");
            let parts: Vec<_> = below.iter().map(|part| part.to_str().expect("our names are ASCII")).collect();
            names.push(parts.join("/"));
        }
    }
}

/// The lines of a Markdown text that are prose, each with its number: no code blocks and no table rows.
pub fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut in_code = false;
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code && !line.trim_start().starts_with('|') {
            lines.push((index + 1, line));
        }
    }
    lines
}
