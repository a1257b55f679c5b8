//! What faces are made from: a head with its shapes, skins, and environments that light it.

mod environment;
mod head;
mod npy;

use std::path::{Path, PathBuf};

pub use environment::Environment;
pub use head::{Head, Material, SKIN, normals};

use crate::error::{Error, Result};

/// The file of the head: shapes of the ICT face model as arrays.
const HEAD: &str = "ict_facekit.npz";
/// The file of the skins: linear RGB at the head's vertices.
const SKINS: &str = "makehuman_skins_at_ict_vertices.npz";
/// The folder of the environments, OpenEXR panoramas.
const ENVIRONMENTS: &str = "hdri";

/// All assets, in memory.
pub struct Assets {
    /// The head and its shapes.
    pub head: Head,
    /// What lies around it.
    pub environments: Vec<Environment>,
}

impl Assets {
    /// Reads a folder with `ict_facekit.npz`, `makehuman_skins_at_ict_vertices.npz` and `hdri/*.exr`
    /// (docs/render.md says where they come from).
    ///
    /// # Errors
    /// [`Error::File`] naming the file that is missing or wrong.
    pub fn open(folder: &Path) -> Result<Self> {
        let head = Head::read(&folder.join(HEAD), &folder.join(SKINS))?;
        let folder = folder.join(ENVIRONMENTS);
        let entries = std::fs::read_dir(&folder).map_err(|e| Error::file(&folder, e))?;
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.retain(|path| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("exr")));
        paths.sort();
        if paths.is_empty() {
            return Err(Error::file(&folder, "no .exr files"));
        }
        let environments = paths.iter().map(|path| Environment::read(path)).collect::<Result<_>>()?;
        Ok(Self { head, environments })
    }
}
