//! From labels of another program to a label table: checks every object against its photo.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use serde::Serialize;
use tempfile::TempDir;

pub use super::checks::{FivePoints, Warning};
use super::table::{Writer, check_new, numbered_names, tidy_names};
use super::{BadRow, Format, Labelled, Origin, ReadOptions, Reader, Reason, Row, checks, folder_of, paths};
use crate::error::{Error, Result};
use crate::photo::{self, GreyPhoto, Size};
use crate::pts::MAX_POINTS;
use crate::stable_hash::hash;
use crate::text::excerpt;

/// Examples that are kept of each reason and each warning.
const MAX_EXAMPLES: usize = 3;

/// How labels are imported.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How the source is read.
    pub read: ReadOptions,
    /// Leave out and count what cannot be used, instead of stopping at the first.
    pub skip_bad: bool,
    /// The names of the points, as many as each object must have. `None` takes the source's names and the number of
    /// points of its first object. The points keep the source's order, whatever their names are there.
    pub names: Option<Vec<String>>,
    /// Where mirrored faces are to be found; see [`Warning::Mirrored`].
    pub five: Option<FivePoints>,
}

/// How often something was found, and where first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Found {
    /// How often.
    pub count: u64,
    /// Place and detail of the first three.
    pub first: Vec<String>,
}

impl Found {
    fn add(&mut self, example: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < MAX_EXAMPLES {
            self.first.push(example());
        }
    }
}

/// What was imported.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Summary {
    /// Rows of the table.
    pub objects: u64,
    /// Different photos of the objects.
    pub photos: u64,
    /// The names of the points.
    pub names: Vec<String>,
    /// Points without a label, of all objects.
    pub missing_points: u64,
    /// What the format itself does not count as an object, by kind.
    pub left_out: BTreeMap<&'static str, u64>,
    /// What could not be used, by reason.
    pub rejects: BTreeMap<Reason, Found>,
    /// What looks wrong and was kept.
    pub warnings: BTreeMap<Warning, Found>,
    /// The folder of the photos that were in the source itself.
    pub written_photos: Option<PathBuf>,
}

impl Summary {
    /// What could not be used, for any reason.
    pub fn rejects(&self) -> u64 {
        self.rejects.values().map(|found| found.count).sum()
    }
}

/// An import that goes on row by row, so that a program can show its progress and stop it. Dropped before
/// [`Import::finish`], it leaves nothing.
pub struct Import {
    reader: Reader,
    format: Format,
    origin: Origin,
    options: Options,
    src: PathBuf,
    out: PathBuf,
    writer: Option<Writer>,
    summary: Summary,
    /// Of the folder of the photos, without links.
    photos: PathBuf,
    /// From the table to the photos.
    prefix: String,
    /// By the hash of the path: the size, and whether an object of the photo was kept.
    sizes: HashMap<u64, (Size, bool)>,
    seen: HashSet<u64>,
    written: Option<Written>,
    refused: bool,
}

/// The photos that a source itself holds, until the table is finished.
struct Written {
    folder: TempDir,
    path: PathBuf,
    is_empty: bool,
}

/// Imports all of a source; `progress` is told from time to time which share of it is read, from 0 to 1.
///
/// # Errors
/// As [`Import::new`], [`Import::step`] and [`Import::finish`].
pub fn import(
    format: Format,
    src: &Path,
    out: &Path,
    options: Options,
    mut progress: impl FnMut(f64),
) -> Result<Summary> {
    let mut import = Import::new(format, src, out, options)?;
    while import.step()? {
        progress(import.share_read());
    }
    import.finish()
}

impl Import {
    /// Opens the source `src`. The table will be `out`; photos that are in the source itself go into a folder next to
    /// it, with `-photos` behind the table's name.
    ///
    /// # Errors
    /// As [`Reader::open`]; [`Error::Labels`] when there is something at `out` or at the place of that folder, or for
    /// wrong names; [`Error::File`] when the table could not be written.
    pub fn new(format: Format, src: &Path, out: &Path, options: Options) -> Result<Self> {
        check_new(out)?;
        let reader = Reader::open(format, src, &options.read)?;
        let origin = options.read.origin.unwrap_or(format.origin());
        let written = match format {
            Format::Kaggle | Format::Records => Some(Written::beside(out)?),
            _ => None,
        };
        let file = |path: &Path| paths::real(path).map_err(|e| Error::file(path, e));
        let photos = file(reader.photos())?;
        let out_folder = file(folder_of(out))?;
        let prefix =
            paths::relative(&out_folder, &photos).map_err(|reason| Error::labels(out.display().to_string(), reason))?;
        let (src, out) = (src.to_owned(), out.to_owned());
        let (summary, sizes, seen) = (Summary::default(), HashMap::new(), HashSet::new());
        let mut import = Self {
            reader,
            format,
            origin,
            options,
            src,
            out,
            writer: None,
            summary,
            photos,
            prefix,
            sizes,
            seen,
            written,
            refused: false,
        };
        if let Some(names) = import.options.names.clone() {
            import.start(names)?;
        }
        Ok(import)
    }

    fn start(&mut self, names: Vec<String>) -> Result<()> {
        self.writer = Some(Writer::create(&self.out, &names)?);
        self.summary.names = names;
        Ok(())
    }

    /// How much of the source has been read, from 0 to 1.
    pub fn share_read(&self) -> f64 {
        self.reader.share_read()
    }

    /// Whether an error of [`Import::step`] is about one row, which [`Options::skip_bad`] would leave out.
    pub fn is_refused(&self) -> bool {
        self.refused
    }

    /// Reads, checks and writes one row, or reads some of what must be known before; false at the end.
    ///
    /// # Errors
    /// When the source cannot be read on or the table cannot be written; for a row that cannot be used, unless
    /// [`Options::skip_bad`] is set.
    pub fn step(&mut self) -> Result<bool> {
        if self.reader.prepare()? {
            return Ok(true);
        }
        match self.reader.next().transpose()? {
            None => return Ok(false),
            Some(Row::LeftOut(what)) => *self.summary.left_out.entry(what).or_default() += 1,
            Some(Row::Bad(bad)) => self.reject(bad)?,
            Some(Row::Object(labelled)) => match self.checked(&labelled)? {
                Ok(photo) => self.keep(&labelled, &photo)?,
                Err(bad) => self.reject(bad)?,
            },
        }
        Ok(true)
    }

    fn reject(&mut self, bad: BadRow) -> Result<()> {
        if !self.options.skip_bad {
            self.refused = true;
            return Err(bad.into());
        }
        let found = self.summary.rejects.entry(bad.reason).or_default();
        found.add(|| format!("{}: {}", bad.place, bad.detail));
        Ok(())
    }

    /// The photo's path as seen from the table, for an object that can be used.
    fn checked(&mut self, labelled: &Labelled) -> Result<Result<String, BadRow>> {
        let bad = |reason, detail| BadRow { reason, place: labelled.place.clone(), detail };
        let count = labelled.points.len();
        let expected = if self.writer.is_some() { self.summary.names.len() } else { count };
        if count != expected {
            let first = if self.options.names.is_some() { "" } else { " as in the first object" };
            return Ok(Err(bad(Reason::Count, format!("{count} points, expected {expected}{first}"))));
        }
        if !(1..=MAX_POINTS).contains(&count) {
            return Ok(Err(bad(Reason::Count, format!("{count} points, expected 1 to {MAX_POINTS}"))));
        }
        let (photo, size) = match &labelled.pixels {
            Some(pixels) => {
                let size = Size { width: pixels.width, height: pixels.height, turned: false };
                (self.below_written(&labelled.photo), size)
            }
            None => {
                let (photo, file) = match self.photo(&labelled.photo) {
                    Ok(found) => found,
                    Err(detail) => return Ok(Err(bad(Reason::Path, detail))),
                };
                match self.size(&photo, &file) {
                    Ok(size) => (photo, size),
                    Err((reason, detail)) => return Ok(Err(bad(reason, detail))),
                }
            }
        };
        if checks::are_shares(&labelled.points, self.origin, size) {
            let detail = "all coordinates are from 0 to 1, so they seem to be shares of the photo's width and height; \
                          multiply them by its size in pixels";
            return Ok(Err(bad(Reason::Shares, detail.into())));
        }
        if let Some((width, height)) = labelled.size
            && (width, height) != (size.width, size.height)
        {
            let Size { width: w, height: h, turned } = size;
            let turned = if turned { " after its EXIF orientation" } else { "" };
            let detail =
                format!("the labels are of a picture of {width}x{height} pixels, the photo has {w}x{h}{turned}");
            return Ok(Err(bad(Reason::PhotoSize, detail)));
        }
        self.warn(labelled, &photo, size);
        Ok(Ok(photo))
    }

    /// The photo's path as seen from the table, and its file.
    fn photo(&self, written: &str) -> Result<(String, PathBuf), String> {
        if self.format == Format::Table {
            // The table is ours: its paths may lead out of its folder.
            let file = self.photos.join(written);
            let real = |path: &Path| paths::real(folder_of(path)).map_err(|e| format!("{}: {e}", path.display()));
            let name = file.file_name().ok_or_else(|| format!("`{}` is no path of a photo", excerpt(written)))?;
            return Ok((paths::relative(&real(&self.out)?, &real(&file)?.join(name))?, file));
        }
        let below = paths::below(written, &self.photos)?;
        let file = self.photos.join(&below);
        Ok((self.below_table(&below), file))
    }

    /// The path from the table to a photo that the source holds.
    fn below_written(&self, name: &str) -> String {
        self.written.as_ref().map_or_else(|| name.to_owned(), |written| format!("{}/{name}", written.name()))
    }

    fn below_table(&self, below: &str) -> String {
        if self.prefix.is_empty() { below.to_owned() } else { format!("{}/{below}", self.prefix) }
    }

    /// Reads each photo's header once.
    fn size(&mut self, photo: &str, file: &Path) -> Result<Size, (Reason, String)> {
        let key = hash(photo.as_bytes());
        if let Some(&(size, _)) = self.sizes.get(&key) {
            return Ok(size);
        }
        if !file.is_file() {
            let detail = format!("no photo {}; --photos DIR names the folder of the photos", file.display());
            return Err((Reason::PhotoMissing, detail));
        }
        let size = photo::size(file).map_err(|e| (Reason::PhotoDamaged, e.to_string()))?;
        self.sizes.insert(key, (size, false));
        Ok(size)
    }

    fn warn(&mut self, labelled: &Labelled, photo: &str, size: Size) {
        let points = &labelled.points;
        let mirrored = self.options.five.as_ref().is_some_and(|five| checks::is_mirrored(points, five));
        let zero_based = checks::looks_zero_based(points, self.origin);
        let duplicate = !self.seen.insert(checks::fingerprint(photo, points));
        let detail = |found: bool| found.then(String::new);
        for (warning, detail) in [
            (Warning::Outside, checks::outside(labelled, size)),
            (Warning::Mirrored, detail(mirrored)),
            (Warning::Duplicate, detail(duplicate)),
            (Warning::ZeroBased, detail(zero_based)),
            (Warning::Turned, detail(size.turned)),
        ] {
            let Some(detail) = detail else { continue };
            let detail = if detail.is_empty() { photo } else { &detail };
            self.summary.warnings.entry(warning).or_default().add(|| format!("{}: {detail}", labelled.place));
        }
    }

    fn keep(&mut self, labelled: &Labelled, photo: &str) -> Result<()> {
        let count = labelled.points.len();
        if self.writer.is_none() {
            let names = self.reader.names().filter(|names| names.len() == count);
            self.start(names.map_or_else(|| numbered_names(count), tidy_names))?;
        }
        if let (Some(pixels), Some(written)) = (&labelled.pixels, &mut self.written) {
            written.write(&labelled.photo, pixels)?;
            self.summary.photos += 1;
        }
        if let Some((_, kept @ false)) = self.sizes.get_mut(&hash(photo.as_bytes())) {
            *kept = true;
            self.summary.photos += 1;
        }
        let missing = labelled.points.iter().filter(|point| point.is_none()).count();
        self.summary.missing_points += missing as u64;
        self.summary.objects += 1;
        match &mut self.writer {
            Some(writer) => writer.write(photo, labelled.rect, &labelled.points),
            None => Ok(()),
        }
    }

    /// Gives the table, and the folder of photos that were in the source, their names.
    ///
    /// # Errors
    /// [`Error::Labels`] when there is no object, [`Error::File`] when the rest cannot be written.
    pub fn finish(self) -> Result<Summary> {
        let Self { mut summary, writer, written, src, .. } = self;
        let (Some(writer), 1..) = (writer, summary.objects) else {
            let first = summary.rejects.values().flat_map(|found| &found.first).next();
            let rejects = first.map(|first| format!("; the first that cannot be used: {first}")).unwrap_or_default();
            let left_out: Vec<_> = summary.left_out.iter().map(|(what, n)| format!("{n} {what}")).collect();
            let left_out = if left_out.is_empty() { String::new() } else { format!(" ({})", left_out.join(", ")) };
            return Err(Error::labels(src.display().to_string(), format!("no labelled object{left_out}{rejects}")));
        };
        let photos = written.filter(|written| !written.is_empty).map(Written::finish).transpose()?;
        let finished = writer.finish();
        if let (Err(_), Some(photos)) = (&finished, &photos) {
            let _ = fs::remove_dir_all(photos); // that the table failed is what counts
        }
        summary.written_photos = photos;
        finished.map(|()| summary)
    }
}

impl Written {
    /// A folder next to a table, which gets its name when it is finished.
    fn beside(table: &Path) -> Result<Self> {
        let mut name = table.file_stem().unwrap_or_default().to_owned();
        name.push("-photos");
        let path = folder_of(table).join(&name);
        if fs::symlink_metadata(&path).is_ok() {
            let reason =
                "is there already and is left as it is; choose another name for the table, or remove the folder";
            return Err(Error::labels(path.display().to_string(), reason));
        }
        fs::create_dir_all(folder_of(table)).map_err(|e| Error::file(folder_of(table), e))?;
        let mut builder = tempfile::Builder::new();
        builder.prefix("photos.").suffix(".part");
        #[cfg(unix)] // By default only the owner could list the folder.
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let folder = builder.tempdir_in(folder_of(table)).map_err(|e| Error::file(folder_of(table), e))?;
        Ok(Self { folder, path, is_empty: true })
    }

    fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn write(&mut self, name: &str, photo: &GreyPhoto) -> Result<()> {
        let path = self.folder.path().join(name);
        self.is_empty = false;
        let fault = |e: std::io::Error| Error::file(&self.path.join(name), e);
        let mut bytes = Cursor::new(Vec::new());
        PngEncoder::new(&mut bytes)
            .write_image(&photo.pixels, photo.width as u32, photo.height as u32, ExtendedColorType::L8)
            .map_err(|e| fault(std::io::Error::other(e)))?;
        fs::write(&path, bytes.into_inner()).map_err(fault)
    }

    fn finish(self) -> Result<PathBuf> {
        fs::rename(self.folder.path(), &self.path).map_err(|e| Error::file(&self.path, e))?;
        let _ = self.folder.keep(); // there is nothing at the old name any more
        Ok(self.path)
    }
}
