//! Whether models work equally well for all groups of people, on photos whose names tell age, gender and race as those
//! of UTKFace do (Zhang et al., "Age Progression/Regression by Conditional Adversarial Autoencoder", 2017). The true
//! points are not known, so what is compared is how often a face is found and how confident the models are.

use std::path::{Path, PathBuf};

use lineament::Lineament;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::evaluate::each;
use crate::evaluate::metrics::mean;
use crate::photo::Photo;

/// UTKFace's names for the numbers 0 and 1.
const GENDERS: [&str; 2] = ["male", "female"];

/// UTKFace's names for the numbers 0 to 4.
const RACES: [&str; 5] = ["White", "Black", "Asian", "Indian", "other"];

/// Highest age in years.
const OLDEST: u32 = 120;

/// What a photo's name says about the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// In years.
    pub age: u32,
    /// 0 male, 1 female.
    pub gender: usize,
    /// 0 White, 1 Black, 2 Asian, 3 Indian, 4 other.
    pub race: usize,
}

impl Person {
    /// From a name like `AGE_GENDER_RACE_DATE.jpg`; `None` for other names.
    pub fn from_name(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let mut parts = name.split('_');
        let (age, gender, race) =
            (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let known = age <= OLDEST && gender < GENDERS.len() && race < RACES.len();
        (known && parts.count() == 1).then_some(Self { age, gender, race })
    }
}

/// The figures of one group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// What the group is formed by: `all`, `age`, `gender` or `race`.
    pub by: &'static str,
    /// The group's name.
    pub name: String,
    /// Photos of the group.
    pub photos: usize,
    /// Photos in which a face is found.
    pub found: usize,
    /// The same in percent.
    pub found_percent: f64,
    /// Mean face score of the largest face in each photo, from 0 to 1; `None` when no face was found.
    pub score: Option<f64>,
    /// Mean expected error of that face's points, in percent of the topology's unit.
    pub expected: Option<f64>,
}

/// Score and mean expected error of a photo's largest face.
type Found = Option<(f64, f64)>;

/// The figures of all people, then by decade of age, by gender and by race. Groups without a photo are left out.
///
/// The other arguments are those of [`crate::evaluate::evaluate`].
///
/// # Errors
/// What `make` answers; [`Error::File`] and [`Error::Photo`] for a photo that cannot be read.
pub fn by_demographic_group<E: From<Error> + Send>(
    photos: &[(PathBuf, Person)],
    make: impl Fn() -> Result<Lineament, E>,
    threads: usize,
    progress: &(impl Fn(usize, usize) + Sync),
) -> Result<Vec<Group>, E> {
    let found = each(photos, make, threads, progress, |lineament, (path, _)| {
        let faces = lineament.faces(&Photo::open(path)?.grey().view());
        Ok(faces.first().map(|face| {
            let landmarks = &face.landmarks;
            let unit = f64::from(landmarks.topology.unit(&landmarks.points));
            let expected = mean(&landmarks.errors.iter().copied().map(f64::from).collect::<Vec<_>>());
            (f64::from(landmarks.score), 100.0 * expected / unit)
        }))
    })?;
    let people: Vec<(Person, Found)> = photos.iter().map(|(_, person)| *person).zip(found).collect();
    Ok(table(&people))
}

fn table(people: &[(Person, Found)]) -> Vec<Group> {
    let group = |by, name: String, belongs: &dyn Fn(&Person) -> bool| {
        Group::new(by, name, people.iter().filter(|(person, _)| belongs(person)).map(|(_, found)| *found).collect())
    };
    let decade = |d: u32| group("age", format!("{} to {}", 10 * d, 10 * d + 9), &|p| p.age / 10 == d);
    let mut groups = vec![group("all", "all".into(), &|_| true)];
    groups.extend((0..=OLDEST / 10).map(decade));
    groups.extend(GENDERS.iter().enumerate().map(|(i, name)| group("gender", (*name).into(), &|p| p.gender == i)));
    groups.extend(RACES.iter().enumerate().map(|(i, name)| group("race", (*name).into(), &|p| p.race == i)));
    groups.retain(|group| group.photos > 0);
    groups
}

impl Group {
    fn new(by: &'static str, name: String, faces: Vec<Found>) -> Self {
        let (scores, expected): (Vec<f64>, Vec<f64>) = faces.iter().flatten().copied().unzip();
        let (photos, found) = (faces.len(), scores.len());
        let mean_of = |values: &[f64]| (!values.is_empty()).then(|| mean(values));
        let found_percent = 100.0 * found as f64 / photos.max(1) as f64;
        Self { by, name, photos, found, found_percent, score: mean_of(&scores), expected: mean_of(&expected) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::json_names;

    #[test]
    fn names_tell_the_person_or_nothing() {
        for (name, expected) in [
            ("25_1_2_20170116174525125.jpg", Some((25, 1, 2))),
            ("deep/er/77_0_4_20170104.jpg.chip.jpg", Some((77, 0, 4))),
            ("61_1_20170109142408075.jpg", None),
            ("25_2_0_2017.jpg", None),
            ("25_1_5_2017.jpg", None),
            ("999_1_0_2017.jpg", None),
            ("-3_1_0_2017.jpg", None),
            ("25_1_0.jpg", None),
            ("25_1_0_2017_more.jpg", None),
            ("helen_12345_1.jpg", None),
            ("", None),
        ] {
            let person = Person::from_name(Path::new(name)).map(|p| (p.age, p.gender, p.race));
            assert_eq!(person, expected, "{name}");
        }
    }

    #[test]
    fn groups_count_their_own_and_empty_ones_are_left_out() {
        let person = |age, gender, race| Person { age, gender, race };
        let people =
            [(person(19, 0, 0), Some((1.0, 2.0))), (person(20, 1, 2), Some((0.5, 4.0))), (person(29, 1, 2), None)];
        let groups = table(&people);
        let names: Vec<&str> = groups.iter().map(|g| g.name.as_str()).collect();
        assert_eq!(names, ["all", "10 to 19", "20 to 29", "male", "female", "White", "Asian"]);
        assert_eq!((groups[0].photos, groups[0].found, groups[0].expected), (3, 2, Some(3.0)));
        assert_eq!((groups[2].photos, groups[2].found_percent, groups[2].score), (2, 50.0, Some(0.5)));
        assert_eq!((groups[4].by, groups[4].found), ("gender", 1));
        assert_eq!(json_names(&groups[0]), "by expected found found_percent name photos score", "they never change");
        let nobody = table(&[(person(40, 0, 4), None)]);
        assert!(nobody.iter().all(|g| g.score.is_none() && g.expected.is_none()));
    }
}
