//! `lineament eval --groups`: photos named AGE_GENDER_RACE_DATE, group by group.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use lineament_data::dataset;
use lineament_data::evaluate::demographics::{Group, Person};
use serde::Serialize;

/// What is printed.
#[derive(Serialize)]
pub struct Groups {
    /// Photos whose names tell no group.
    pub left_out: usize,
    /// One row for each group.
    pub groups: Vec<Group>,
}

/// The photos of a folder whose names tell the person, and how many others there are.
///
/// # Errors
/// When the folder cannot be read or no name tells anything.
pub fn read(folder: &Path) -> Result<(Vec<(PathBuf, Person)>, usize)> {
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

/// The table for people.
pub fn text(groups: &Groups) -> String {
    let mut out =
        format!("{:<8}{:<12}{:>7}{:>10}{:>8}{:>16}\n", "by", "group", "photos", "found", "score", "expected error");
    for g in &groups.groups {
        let score = g.score.map_or("-".to_owned(), |s| format!("{s:.4}"));
        let expected = g.expected.map_or("-".to_owned(), |e| format!("{e:.2} %"));
        let by = if g.by == g.name { "" } else { g.by };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{by:<8}{:<12}{:>7}{:>8.2} %{score:>8}{expected:>16}", g.name, g.photos, g.found_percent);
    }
    if groups.left_out > 0 {
        let _ = writeln!(out, "\nleft out: {} photos whose names tell no group", groups.left_out);
    }
    out
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
        let text = text(&Groups { left_out: 3, groups });
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
