//! The unfinished work on disk: a folder with the settings and, for each finished shard, its records, its rejections
//! and its counts. The files of a shard are named after the number of its first photo.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::identity::{HASH, Identity, VERSION};
use super::{Counts, Rejection};
use crate::error::{Error, Result};
use crate::part_file::PartFile;
use crate::record::Record;
use crate::table::{ReadOptions, Reader, Writer, point_names};

/// The folder of finished shards.
pub(super) struct Parts {
    folder: PathBuf,
    /// Points of each record.
    points: usize,
}

/// Ending of a shard's records; Parquet keeps everything.
const RECORDS: &str = ".parquet";

/// Columns of the rejections.
const REJECT_COLUMNS: &str = "photo,face,reason,detail\n";

impl Parts {
    /// Begins the folder, or resumes one that was begun with the same settings and photos.
    pub fn open(folder: PathBuf, points: usize, now: &Identity, restart: bool) -> Result<Self> {
        let parts = Self { folder, points };
        if restart && parts.folder.exists() {
            parts.remove()?;
        }
        let path = parts.folder.join("settings.json");
        match fs::read(&path) {
            Ok(bytes) => parts.compare(&serde_json::from_slice(&bytes).unwrap_or_default(), now)?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(&parts.folder).map_err(|e| Error::file(&parts.folder, e))?;
                write_whole(&path, &serde_json::to_vec_pretty(now).unwrap_or_default())?;
            }
            Err(e) => return Err(Error::file(&path, e)),
        }
        Ok(parts)
    }

    fn compare(&self, begun: &Identity, now: &Identity) -> Result<()> {
        let differs = |name: &str| begun.get(name) != now.get(name);
        let was = |name: &str| begun.get(name).map_or("not known", String::as_str);
        let reason = if differs(VERSION) || differs(HASH) {
            // What follows would differ, too, and say nothing about what the user did.
            format!(
                "unfinished work was begun by an older or newer lineament ({VERSION} {}, {HASH} {}): finish it with \
                 that one, or give --restart to begin anew",
                was(VERSION),
                was(HASH)
            )
        } else if let Some((name, value)) = now.iter().find(|(name, _)| differs(name)) {
            format!(
                "unfinished work was begun with other settings: {name} was {}, now it is {value}; give the earlier \
                 settings to resume it, or --restart to begin anew",
                was(name)
            )
        } else {
            return Ok(());
        };
        Err(Error::Unfinished { path: self.folder.clone(), reason })
    }

    fn path(&self, begin: usize, ending: &str) -> PathBuf {
        self.folder.join(format!("{begin:06}{ending}"))
    }

    /// The counts of the finished shard that begins with photo number `begin`, with at most `photos` photos. They are
    /// written last: where they are, the rest is.
    pub fn counts(&self, begin: usize, photos: usize) -> Result<Option<Counts>> {
        let path = self.path(begin, ".json");
        let damaged = |what: String| Error::Unfinished {
            path: path.clone(),
            reason: format!("damaged ({what}); --restart begins anew"),
        };
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::file(&path, e)),
        };
        let counts: Counts = serde_json::from_slice(&bytes).map_err(|e| damaged(e.to_string()))?;
        match (1..=photos).contains(&counts.photos) {
            true => Ok(Some(counts)),
            false => Err(damaged(format!("{} photos where {photos} are left", counts.photos))),
        }
    }

    /// Writes the shard that begins with photo number `begin`: what became of each of its photos.
    pub fn write(&self, begin: usize, photos: Vec<Vec<Result<Record, Rejection>>>) -> Result<Counts> {
        let mut counts = Counts::default();
        let mut records = Writer::create(&self.path(begin, RECORDS), &point_names(self.points))?;
        let rejects_path = self.path(begin, ".rejects.csv");
        let mut rejects = csv::Writer::from_writer(Vec::new());
        for faces in &photos {
            counts.add_photo(faces);
            for face in faces {
                match face {
                    Ok(record) => records.write(record)?,
                    Err(rejection) => {
                        let face = rejection.face.map_or(String::new(), |face| face.to_string());
                        let row = [&rejection.photo, &face, rejection.reason.name(), &rejection.detail];
                        rejects.write_record(row).map_err(|e| Error::records(&rejects_path, e.to_string()))?;
                    }
                }
            }
        }
        records.finish()?;
        let rejects = rejects.into_inner().map_err(|e| Error::records(&rejects_path, e.to_string()))?;
        write_whole(&rejects_path, &rejects)?;
        write_whole(&self.path(begin, ".json"), &serde_json::to_vec(&counts).unwrap_or_default())?;
        Ok(counts)
    }

    /// Writes the records of all shards in order; false when stopped.
    pub fn join_records(&self, shards: &[usize], output: &Path, stop: &AtomicBool) -> Result<bool> {
        let mut writer = Writer::create(output, &point_names(self.points))?;
        for &begin in shards {
            if stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
            for record in Reader::open(&self.path(begin, RECORDS), ReadOptions::default())? {
                writer.write(&record?)?;
            }
        }
        writer.finish()?;
        Ok(true)
    }

    /// Writes the rejections of all shards in order.
    pub fn join_rejections(&self, shards: &[usize], output: &Path) -> Result<()> {
        let fault = |e| Error::file(output, e);
        let mut whole = PartFile::create(output).map_err(fault)?;
        whole.write_all(REJECT_COLUMNS.as_bytes()).map_err(fault)?;
        for &begin in shards {
            let path = self.path(begin, ".rejects.csv");
            let mut part = File::open(&path).map_err(|e| Error::file(&path, e))?;
            io::copy(&mut part, &mut whole).map_err(fault)?;
        }
        whole.finish().map_err(fault)
    }

    /// Removes what this module wrote, then the folder, which must be empty by then: other files are left alone.
    pub fn remove(&self) -> Result<()> {
        let fault = |e| Error::file(&self.folder, e);
        for entry in fs::read_dir(&self.folder).map_err(fault)? {
            let path = entry.map_err(fault)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with("settings.json")
                || name.len() > 6 && name.as_bytes().iter().take(6).all(u8::is_ascii_digit)
            {
                fs::remove_file(&path).map_err(|e| Error::file(&path, e))?;
            }
        }
        fs::remove_dir(&self.folder).map_err(fault)
    }
}

fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    PartFile::write_whole(path, bytes).map_err(|e| Error::file(path, e))
}
