//! The files that are served: a fixed list, so that no request can reach any other.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result, ensure};

use crate::failure::usage;

/// The page as `make web` built it; empty without the feature `page`.
const INSIDE: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// Where `make web` puts the page in the repository. The program finds it there, so that it need not be linked again
/// after each change of the page.
const BUILT: &str = "apps/web/dist";

/// Most files and bytes of a folder: what has more is no page, but a folder that was named by mistake.
const MOST_FILES: usize = 1000;
const MOST_BYTES: usize = 64 << 20;

/// Files by their names, with `/` between folders.
pub struct Files(BTreeMap<String, Cow<'static, [u8]>>);

impl Files {
    /// The page inside this program, or the one that `make web` has built near it.
    ///
    /// # Errors
    /// When there is neither.
    pub fn usual() -> Result<Self> {
        if !INSIDE.is_empty() {
            return Ok(Self(INSIDE.iter().map(|&(name, bytes)| (name.to_owned(), Cow::Borrowed(bytes))).collect()));
        }
        let starts: Vec<_> = [env::current_dir(), env::current_exe()].into_iter().flatten().collect();
        Self::of_folder(&built_page(&starts)?)
    }

    /// The files of a folder and of those below it, read now.
    ///
    /// # Errors
    /// When it cannot be read, or holds no page.
    pub fn of_folder(folder: &Path) -> Result<Self> {
        let mut files = Self(BTreeMap::new());
        files.add(folder, "")?;
        let name = folder.display();
        ensure!(files.0.contains_key("index.html"), "{name}: there is no index.html; `make web` builds apps/web/dist");
        Ok(files)
    }

    fn add(&mut self, folder: &Path, prefix: &str) -> Result<()> {
        let failed = |path: &Path| path.display().to_string();
        for entry in fs::read_dir(folder).with_context(|| failed(folder))? {
            let path = entry.with_context(|| failed(folder))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if path.is_dir() {
                self.add(&path, &format!("{prefix}{name}/"))?;
            } else {
                let bytes = fs::read(&path).with_context(|| failed(&path))?;
                self.0.insert(format!("{prefix}{name}"), bytes.into());
            }
            let bytes: usize = self.0.values().map(|bytes| bytes.len()).sum();
            ensure!(self.0.len() <= MOST_FILES && bytes <= MOST_BYTES, "{}: too large for a page", failed(folder));
        }
        Ok(())
    }

    /// The bytes and kind of what a browser asks for by `path`, such as `/draw.js?v=1`.
    pub fn get(&self, path: &str) -> Option<(&[u8], &'static str)> {
        let name = path.split(['?', '#']).next()?.strip_prefix('/')?;
        let name = if name.is_empty() { "index.html" } else { name };
        Some((self.0.get(name)?, kind(name)))
    }
}

/// The folder [`BUILT`] at or above the first of `starts` that has one.
fn built_page(starts: &[PathBuf]) -> Result<PathBuf> {
    let folders = starts.iter().flat_map(|start| start.ancestors());
    folders.map(|folder| folder.join(BUILT)).find(|built| built.join("index.html").is_file()).ok_or_else(|| {
        usage("the page is not built: run `make web` in the repository, or name the folder that holds it with --folder")
    })
}

/// The media type that a name's ending stands for.
fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "webmanifest" => "application/json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "mp4" => "video/mp4",
        "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_that_was_built_is_found_from_the_program_and_from_where_it_runs() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["ours/apps/web/dist", "ours/target/release", "elsewhere/apps/web/dist"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        let text = built_page(&[at("elsewhere"), at("ours")]).unwrap_err().to_string();
        assert!(text.contains("run `make web` in the repository"), "{text}");
        fs::write(at("ours/apps/web/dist/index.html"), "").unwrap();
        for start in ["ours", "ours/apps", "ours/target/release/lineament"] {
            assert_eq!(built_page(&[at("elsewhere"), at(start)]).unwrap(), at("ours/apps/web/dist"), "{start}");
        }
    }

    #[test]
    fn only_names_of_the_list_are_found() {
        let page = [("index.html", &b"page"[..]), ("lineament/lineament.wasm", b"\0asm")];
        let files = Files(page.map(|(name, bytes)| (name.to_owned(), Cow::Borrowed(bytes))).into());
        for (path, expected) in [
            ("/", Some((&b"page"[..], "text/html; charset=utf-8"))),
            ("/?start", Some((b"page", "text/html; charset=utf-8"))),
            ("/lineament/lineament.wasm", Some((b"\0asm", "application/wasm"))),
            ("/lineament", None),
            ("/lineament/", None),
            ("/../Cargo.toml", None),
            ("//index.html", None),
            ("index.html", None),
            ("", None),
        ] {
            assert_eq!(files.get(path), expected, "{path}");
        }
    }
}
