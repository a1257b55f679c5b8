//! CSV: a header, then one row per face. A photo without faces has no row.

use lineament::Face;
use lineament::topology::POINTS;

use super::{PhotoFaces, degrees, px, score};

/// Columns before the points.
const COLUMNS: [&str; 12] =
    ["image", "width", "height", "face", "box_x", "box_y", "box_width", "box_height", "score", "roll", "yaw", "pitch"];

/// The header: [`COLUMNS`], then `x0,y0,error0` to `x67,y67,error67`.
pub fn header() -> String {
    let points = (0..POINTS).flat_map(|i| [format!("x{i}"), format!("y{i}"), format!("error{i}")]);
    row(COLUMNS.map(String::from).into_iter().chain(points))
}

/// The rows of one photo; faces count from 1.
pub fn photo(photo: &PhotoFaces) -> String {
    let faces = photo.faces.iter().enumerate();
    faces.map(|(i, face)| row(fields(photo, i + 1, face).into_iter())).collect()
}

fn fields(photo: &PhotoFaces, number: usize, Face { detection, landmarks }: &Face) -> Vec<String> {
    let rect = &detection.rect;
    let mut fields = vec![photo.image.clone(), photo.width.to_string(), photo.height.to_string(), number.to_string()];
    fields.extend([rect.x, rect.y, rect.width, rect.height].map(|v| px(v).to_string()));
    fields.push(score(landmarks.score).to_string());
    let pose = &landmarks.pose;
    fields.extend([pose.roll_rad, pose.yaw_rad, pose.pitch_rad].map(|a| degrees(a).to_string()));
    for (p, error) in landmarks.points.iter().zip(landmarks.errors) {
        fields.extend([p.x, p.y, error].map(|v| px(v).to_string()));
    }
    fields
}

/// One line, quoted where needed.
fn row(fields: impl Iterator<Item = String>) -> String {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(fields.collect::<Vec<_>>()).expect("memory takes every record");
    String::from_utf8(writer.into_inner().expect("memory takes every record")).expect("UTF-8 in, UTF-8 out")
}

#[cfg(test)]
mod tests {
    use super::super::tests::photo as example;
    use super::*;

    #[test]
    fn every_row_has_the_columns_of_the_header() {
        let text = header() + &photo(&example(2));
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        assert_eq!(reader.headers().unwrap().len(), 12 + 3 * 68);
        assert_eq!(reader.records().map(Result::unwrap).count(), 2);
        assert_eq!(photo(&example(0)), "");
    }

    #[test]
    fn a_row_starts_with_the_photo_the_face_and_its_box() {
        let text = photo(&example(1));
        let start = r#""a, ""b"".jpg",640,480,1,10,20.5,100.13,110,0.9877,0,28.6,-14.3,0,100,0.5,1,100.13,0.6,"#;
        assert!(text.starts_with(start), "{text}");
    }
}
