//! Which rows are held back for validation.

use super::hash::content;
use crate::dataset;
use crate::record::Record;

/// Whether a row belongs to the validation part, of about `share` (0 to 1) of all photos: by its photo's name like
/// [`dataset::is_validation`], so that all faces of a photo are in one part; by its pixels where the photo is not
/// known, so that equal pictures are.
pub fn is_validation(record: &Record, share: f64) -> bool {
    match &record.origin {
        Some(origin) => dataset::is_validation(&origin.photo, share),
        None => dataset::is_validation(&format!("{:016x}", content(&record.pixels)), share),
    }
}

/// The first row of the validation part where it is the last `share` of `rows`, as in Keras's `validation_split`, which
/// the paper uses (section 3).
pub fn first_of_last(rows: u64, share: f64) -> u64 {
    (rows as f64 * (1.0 - share)).floor() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Origin, SIDE};
    use lineament::Rect;

    #[test]
    fn faces_of_a_photo_and_equal_pictures_are_in_one_part() {
        let record = |photo: Option<String>, grey: usize| {
            let origin = |photo| Origin {
                photo,
                photo_size: (1, 1),
                face: Rect::default(),
                crop: Rect::default(),
                score: 1.0,
                expected_error: None,
                pose: None,
            };
            let pixels = (0..SIDE * SIDE).map(|i| (i * (grey + 1) % 251) as u8).collect();
            Record { points: Vec::new(), pixels, origin: photo.map(origin) }
        };
        let mut held_back = [0; 2];
        for i in 0..400 {
            let photo = |ending: &str| Some(format!("folder/{i:05}{ending}"));
            let by_name = is_validation(&record(photo(".jpg"), i), 0.25);
            assert_eq!(is_validation(&record(photo("_2.jpg"), i + 1), 0.25), by_name, "{i}");
            let by_pixels = is_validation(&record(None, i), 0.25);
            assert_eq!(is_validation(&record(None, i), 0.25), by_pixels, "{i}");
            held_back[0] += usize::from(by_name);
            held_back[1] += usize::from(by_pixels);
        }
        // Pixels repeat after 251 steps.
        assert!(held_back.iter().all(|n| (70..130).contains(n)), "{held_back:?}");
    }

    #[test]
    fn the_last_share_is_keras_share() {
        for (rows, share, first) in [(10, 0.1, 9), (49_828, 0.1, 44_845), (3, 0.5, 1), (7, 1.0, 0), (1, 0.1, 0)] {
            assert_eq!(first_of_last(rows, share), first, "{rows} {share}");
        }
    }
}
