//! Why a photo or a face is left out.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Something that does not become a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The photo's name.
    pub photo: String,
    /// Which of the photo's faces, from 1 for the largest; `None` for the photo as a whole.
    pub face: Option<usize>,
    /// Why.
    pub reason: Reason,
    /// The figures, or the error of the file's reader.
    pub detail: String,
}

/// Why something is left out, in the order of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The file cannot be read or is not a picture.
    Unreadable,
    /// `.pts` labels are wanted, and there is no readable file of them.
    NoLabels,
    /// No detector finds a face.
    NoFace,
    /// Several faces where one is wanted.
    SeveralFaces,
    /// None of the boxes lies on the labelled face.
    LabelledFaceNotFound,
    /// The crop is too dark.
    TooDark,
    /// The crop is too bright.
    TooBright,
    /// The crop has hardly any contrast.
    LowContrast,
    /// The crop shows no fine detail.
    Blurred,
    /// Points lie outside the crop.
    PointsOutside,
    /// Our network does not accept it as a face.
    LowScore,
    /// Our network expects large errors of the points.
    LargeExpectedError,
}

impl Reason {
    /// Every reason, in the order of the checks.
    pub const ALL: [Self; 12] = [
        Self::Unreadable,
        Self::NoLabels,
        Self::NoFace,
        Self::SeveralFaces,
        Self::LabelledFaceNotFound,
        Self::TooDark,
        Self::TooBright,
        Self::LowContrast,
        Self::Blurred,
        Self::PointsOutside,
        Self::LowScore,
        Self::LargeExpectedError,
    ];

    /// The name in tables, which does not change.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::NoLabels => "no-labels",
            Self::NoFace => "no-face",
            Self::SeveralFaces => "several-faces",
            Self::LabelledFaceNotFound => "labelled-face-not-found",
            Self::TooDark => "too-dark",
            Self::TooBright => "too-bright",
            Self::LowContrast => "low-contrast",
            Self::Blurred => "blurred",
            Self::PointsOutside => "points-outside",
            Self::LowScore => "low-score",
            Self::LargeExpectedError => "large-expected-error",
        }
    }

    /// What it means, in a few words.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Unreadable => "the file cannot be read or is not a picture",
            Self::NoLabels => "there is no readable .pts file next to the photo",
            Self::NoFace => "no detector finds a face",
            Self::SeveralFaces => "the photo shows several faces",
            Self::LabelledFaceNotFound => "the labelled face is not among the boxes",
            Self::TooDark => "the crop is too dark",
            Self::TooBright => "the crop is too bright",
            Self::LowContrast => "the crop has hardly any contrast",
            Self::Blurred => "the crop shows no fine detail",
            Self::PointsOutside => "too many points lie outside the crop",
            Self::LowScore => "our network does not accept it as a face",
            Self::LargeExpectedError => "our network expects large errors of the points",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How many photos were annotated and what became of their faces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Photos annotated.
    pub photos: usize,
    /// Faces that became records.
    pub kept: usize,
    /// Photos and faces left out.
    pub rejected: BTreeMap<Reason, usize>,
}

impl Counts {
    /// Counts a photo: its faces, or why it has none.
    pub fn add_photo<R>(&mut self, faces: &[Result<R, Rejection>]) {
        self.photos += 1;
        for face in faces {
            match face {
                Ok(_) => self.kept += 1,
                Err(rejection) => *self.rejected.entry(rejection.reason).or_default() += 1,
            }
        }
    }

    /// Adds the counts of other photos.
    pub fn add(&mut self, other: &Self) {
        self.photos += other.photos;
        self.kept += other.kept;
        for (&reason, count) in &other.rejected {
            *self.rejected.entry(reason).or_default() += count;
        }
    }

    /// The sum of everything left out.
    pub fn rejected_in_all(&self) -> usize {
        self.rejected.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_reasons_is_whole_and_sorted_and_names_are_what_serde_writes() {
        assert!(Reason::ALL.is_sorted());
        assert_eq!(Reason::ALL.len(), Reason::LargeExpectedError as usize + 1);
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_string(&reason).unwrap(), format!("\"{}\"", reason.name()));
        }
    }
}
