//! How robust the whole path is to difficult photos: every labelled photo is changed in a known way, its true points
//! move with it, and the public [`Lineament`] finds its face again.

mod change;
mod cover;
mod report;

use lineament::Lineament;
use lineament::topology::Topology;
use rand::SeedableRng;
use rand_pcg::Pcg64;

use crate::dataset::Sample;
use crate::error::{Error, Result};
use crate::evaluate::{best_match, check_units, each, metrics};
use crate::photo::Photo;
use crate::stable_hash::hash;

pub use change::Changed;
pub use report::ConditionReport;

/// One way to change photos.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Condition {
    /// What it is called in tables and options.
    pub name: &'static str,
    change: Change,
}

/// What is done to a photo.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Change {
    Nothing,
    /// Turned clockwise by this angle in degrees.
    Roll(f32),
    /// Shrunk until the longer side of the object's box has this length in pixels.
    FaceSide(f32),
    /// Little light and sensor noise.
    Dark,
    /// Noise of this standard deviation in grey levels.
    Noise(f32),
    /// Out of focus: standard deviation in pixels of a face of [`change::BLUR_FACE_SIDE`].
    Blur(f32),
    /// Motion blur of this length in pixels of such a face, in a random direction.
    Motion(f32),
    /// Compressed as JPEG with this quality.
    Jpeg(u8),
    /// A light mask over mouth and nose.
    Mask,
    /// One half of the object covered.
    Half,
    /// A quarter of the object's box outside the frame.
    Cut,
    Mirror,
}

/// All conditions, in the order of the table. The first leaves photos unchanged.
pub const CONDITIONS: [Condition; 22] = [
    Condition { name: "unchanged", change: Change::Nothing },
    Condition { name: "roll-30", change: Change::Roll(30.0) },
    Condition { name: "roll-60", change: Change::Roll(60.0) },
    Condition { name: "roll-90", change: Change::Roll(90.0) },
    Condition { name: "roll-120", change: Change::Roll(120.0) },
    Condition { name: "roll-150", change: Change::Roll(150.0) },
    Condition { name: "roll-180", change: Change::Roll(180.0) },
    Condition { name: "mirror", change: Change::Mirror },
    Condition { name: "face-80", change: Change::FaceSide(80.0) },
    Condition { name: "face-40", change: Change::FaceSide(40.0) },
    Condition { name: "face-32", change: Change::FaceSide(32.0) },
    Condition { name: "face-24", change: Change::FaceSide(24.0) },
    Condition { name: "dark", change: Change::Dark },
    Condition { name: "noise-15", change: Change::Noise(15.0) },
    Condition { name: "noise-30", change: Change::Noise(30.0) },
    Condition { name: "blur-2", change: Change::Blur(2.0) },
    Condition { name: "blur-4", change: Change::Blur(4.0) },
    Condition { name: "motion", change: Change::Motion(12.0) },
    Condition { name: "jpeg-10", change: Change::Jpeg(10) },
    Condition { name: "mask", change: Change::Mask },
    Condition { name: "half", change: Change::Half },
    Condition { name: "cut", change: Change::Cut },
];

impl Condition {
    /// The condition of this name.
    pub fn named(name: &str) -> Option<Self> {
        CONDITIONS.into_iter().find(|condition| condition.name == name)
    }

    /// Why a topology does not offer the condition, as the rest of a sentence.
    pub fn refusal(&self, topology: &Topology) -> Option<&'static str> {
        match self.change {
            Change::Mask if cover::mask_edge(topology).is_none() => Some("has no jaw and no bridge of the nose"),
            Change::Mirror if topology.is_chiral() => Some("is another object in the mirror"),
            _ => None,
        }
    }

    /// The photo of an object, and where the object is in it, changed. The same name gives the same change.
    pub fn apply(&self, photo: &Photo, topology: &Topology, sample: &Sample) -> Changed {
        let mut rng = Pcg64::seed_from_u64(hash(format!("{} {}", self.name, sample.name).as_bytes()));
        change::apply(self.change, &photo.grey(), topology, sample, &mut rng)
    }
}

/// What became of one object under one condition. Errors are in percent of what the topology says.
struct Outcome {
    /// Measured and expected error of each point, and the face score; `None` when the object was not found.
    found: Option<Found>,
    /// The points that count.
    measured: Vec<bool>,
    /// The points that are hidden.
    covered: Vec<bool>,
}

struct Found {
    errors: Vec<f64>,
    expected: Vec<f64>,
    score: f64,
}

/// Evaluates every object of `topology` under each of `conditions`, and unchanged for comparison; one report for each
/// condition.
///
/// The other arguments are those of [`crate::evaluate::evaluate`]; `progress` counts photos.
///
/// # Errors
/// As [`crate::evaluate::evaluate`], and [`Error::Setting`] for a condition that the topology does not offer.
pub fn under_conditions<E: From<Error> + Send>(
    topology: &Topology,
    samples: &[Sample],
    conditions: &[Condition],
    make: impl Fn() -> Result<Lineament, E>,
    threads: usize,
    progress: &(impl Fn(usize, usize) + Sync),
) -> Result<Vec<ConditionReport>, E> {
    if let Some((condition, why)) = conditions.iter().find_map(|c| Some((c.name, c.refusal(topology)?))) {
        return Err(Error::Setting(format!("conditions: `{condition}`: `{}` {why}", topology.name())).into());
    }
    check_units(topology, samples)?;
    let photos = each(samples, make, threads, progress, |lineament, sample| {
        let photo = Photo::open(&sample.photo_path)?;
        let mut under = |condition: &Condition| outcome(topology, lineament, condition.apply(&photo, topology, sample));
        let unchanged = under(&CONDITIONS[0]);
        Ok((conditions.iter().map(under).collect(), unchanged))
    })?;
    let (changed, unchanged): (Vec<Vec<Outcome>>, Vec<Outcome>) = photos.into_iter().unzip();
    let report = |(i, condition): (usize, &Condition)| {
        let pairs: Vec<_> = changed.iter().map(|outcomes| &outcomes[i]).zip(&unchanged).collect();
        ConditionReport::new(topology, condition.name, &pairs)
    };
    Ok(conditions.iter().enumerate().map(report).collect())
}

fn outcome(topology: &Topology, lineament: &mut Lineament, changed: Changed) -> Outcome {
    let Changed { photo, points, rect, measured, covered } = changed;
    let unit = metrics::unit(topology, &points);
    let found = best_match(lineament.faces(&photo.view()), &rect).map(|face| Found {
        errors: metrics::point_errors(topology, &face.landmarks.points, &points),
        expected: face.landmarks.errors.iter().map(|&error| 100.0 * f64::from(error) / unit).collect(),
        score: f64::from(face.landmarks.score),
    });
    Outcome { found, measured, covered }
}
