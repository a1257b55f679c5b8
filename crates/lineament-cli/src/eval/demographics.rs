//! `lineament eval --groups`: groups of people, in photos named AGE_GENDER_RACE_DATE.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use lineament::Options;
use lineament_data::dataset;
use lineament_data::evaluate::demographics::{Group, Person, by_demographic_group};
use serde::Serialize;

use super::EvalArgs;
use crate::models::Models;
use crate::progress::Progress;
use crate::text::{counted, or_dash};

/// All that is measured.
#[derive(Serialize)]
pub struct Demographics {
    /// Photos whose names tell no group.
    left_out: usize,
    /// One row for each group.
    groups: Vec<Group>,
}

impl Demographics {
    /// Measures the photos of FOLDER.
    ///
    /// # Errors
    /// When something cannot be read, or no photo's name tells a group.
    pub fn measure(args: &EvalArgs) -> Result<Self> {
        let (people, left_out) = read(&args.dataset)?;
        let models = Models::read(&args.models)?;
        let make = || models.lineament(Options::default());
        let progress = Progress::of_photos(people.len());
        Ok(Self { left_out, groups: by_demographic_group(&people, make, args.threads(), &|_, _| progress.advance())? })
    }

    /// A table for people.
    pub fn text(&self) -> String {
        let mut text =
            format!("{:<8}{:<12}{:>7}{:>10}{:>8}{:>16}\n", "by", "group", "photos", "found", "score", "expected error");
        for Group { by, name, photos, found_percent, score, expected, .. } in &self.groups {
            let (score, expected) = (or_dash(*score, 4, ""), or_dash(*expected, 2, " %"));
            let by = if by == name { "" } else { by };
            // Writing to a String cannot fail, here and below.
            let _ = writeln!(text, "{by:<8}{name:<12}{photos:>7}{found_percent:>8.2} %{score:>8}{expected:>16}");
        }
        if self.left_out > 0 {
            let _ = writeln!(text, "\nleft out: {} whose names tell no group", counted(self.left_out as u64, "photo"));
        }
        text
    }
}

/// The photos of a folder whose names describe the person, and the number of the others.
///
/// # Errors
/// When the folder cannot be read or no name tells anything.
fn read(folder: &Path) -> Result<(Vec<(PathBuf, Person)>, usize)> {
    let photos = dataset::photos_in(folder)?;
    let all = photos.len();
    let people: Vec<_> =
        photos.into_iter().filter_map(|path| Person::from_name(&path).map(|person| (path, person))).collect();
    ensure!(
        !people.is_empty(),
        "{}: no photo is named AGE_GENDER_RACE_DATE, as UTKFace's 25_1_2_20170116.jpg (gender 0 male, 1 female; race 0 \
         White, 1 Black, 2 Asian, 3 Indian, 4 other)",
        folder.display()
    );
    let left_out = all - people.len();
    Ok((people, left_out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_group_is_a_line() {
        let group = |by, name: &str, score| Group {
            by,
            name: name.into(),
            photos: 7000,
            found: 6999,
            found_percent: 99.9857,
            score,
            expected: score.map(|_| 3.456),
        };
        let groups = vec![group("all", "all", Some(0.99991)), group("age", "20 to 29", None)];
        let text = Demographics { left_out: 3, groups }.text();
        for line in [
            "by      group        photos     found   score  expected error",
            "        all            7000   99.99 %  0.9999          3.46 %",
            "age     20 to 29       7000   99.99 %       -               -",
            "left out: 3 photos whose names tell no group",
        ] {
            assert!(text.lines().any(|l| l == line), "no line `{line}` in\n{text}");
        }
    }
}
