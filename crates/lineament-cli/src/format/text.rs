//! Text for people: a line per photo, a line per face, a table of points. Of a video's faces a line per frame.

use std::fmt::Write;

use lineament::{Face, Pose};

use super::{FrameFaces, PhotoFaces, degrees};
use crate::failure::one_line;

/// Columns of the table of 68 points: as many as fit 80 characters.
const COLUMNS: usize = 3;

/// Everything about one photo.
pub fn photo(photo: &PhotoFaces) -> String {
    let PhotoFaces { image, width, height, time_ms, faces } = photo;
    let count = match faces.len() {
        0 => "no face".into(),
        1 => "1 face".into(),
        n => format!("{n} faces"),
    };
    let mut text = format!("{}: {width} x {height}, {count}, {time_ms:.1} ms\n", one_line(image));
    for (i, found) in faces.iter().enumerate() {
        face(&mut text, i + 1, found);
    }
    text
}

/// A line per face; points would be too much to read.
pub fn frame(found: &FrameFaces) -> String {
    let start = format!("frame {}, {:.3} s: ", found.frame, found.time_secs);
    match found.faces {
        [] => start + "no face\n",
        faces => faces.iter().map(|f| format!("{start}face {}: {}\n", f.id, summary(&f.face))).collect(),
    }
}

/// Everything but the points.
fn summary(face: &Face) -> String {
    let (rect, landmarks) = (face.rect(), &face.landmarks);
    let mean_error = landmarks.errors.iter().sum::<f32>() / landmarks.errors.len() as f32;
    let pose = landmarks.pose.map_or(String::new(), |Pose { roll_rad, yaw_rad, pitch_rad }| {
        let [roll, yaw, pitch] = [roll_rad, yaw_rad, pitch_rad].map(degrees);
        format!(", roll {roll:.1}, yaw {yaw:.1}, pitch {pitch:.1} degrees")
    });
    format!(
        "box {:.0},{:.0} {:.0} x {:.0}, score {:.3}, points within {mean_error:.1} px{pose}",
        rect.x, rect.y, rect.width, rect.height, landmarks.score,
    )
}

fn face(text: &mut String, number: usize, found: &Face) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "  face {number}: {}", summary(found));
    let landmarks = &found.landmarks;
    let topology = &landmarks.topology;
    // The iBUG 68 points are known by their numbers; others by their names, one on a line.
    let (columns, width) = match topology.is_ibug68() {
        true => (COLUMNS, 6),
        false => (1, 2 + topology.names().iter().map(String::len).max().unwrap_or(0).max(6)),
    };
    let header = format!("{:>width$}{:>8}{:>7}{:>5}", "point", "x", "y", "+-");
    let _ = writeln!(text, "{}", header.repeat(columns));
    let count = landmarks.points.len();
    let rows = count.div_ceil(columns);
    for row in 0..rows {
        for i in (row..count).step_by(rows) {
            let (p, error) = (landmarks.points[i], landmarks.errors[i]);
            let name = if columns == 1 { topology.names()[i].clone() } else { i.to_string() };
            let _ = write!(text, "{name:>width$}{:>8.1}{:>7.1}{error:>5.1}", p.x, p.y);
        }
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{frame as example_frame, photo as example, tracked};
    use super::*;

    #[test]
    fn no_face_is_one_line() {
        assert_eq!(photo(&example(0)), "a, \"b\".jpg: 640 x 480, no face, 12.3 ms\n");
    }

    #[test]
    fn a_face_is_a_line_and_a_table_of_68_points() {
        let text = photo(&example(1));
        let expected = "\
a, \"b\".jpg: 640 x 480, 1 face, 12.3 ms
  face 1: box 0,100 67 x 8, score 0.988, points within 3.9 px, roll 0.0, yaw 28.6, pitch -14.3 degrees
 point       x      y   +- point       x      y   +- point       x      y   +-
     0     0.0  100.0  0.5    23    23.0  102.9  2.8    46    46.0  105.8  5.1
     1     1.0  100.1  0.6    24    24.0  103.0  2.9    47    47.0  105.9  5.2
";
        assert!(text.starts_with(expected), "{text}");
        assert_eq!(text.lines().count(), 3 + 23);
    }

    #[test]
    fn a_frame_is_a_line_per_face() {
        assert_eq!(frame(&example_frame(&[])), "frame 12, 0.480 s: no face\n");
        let text = frame(&example_frame(&tracked(2)));
        assert_eq!(text.lines().count(), 2);
        assert!(text.starts_with("frame 12, 0.480 s: face 7: box 0,100 67 x 8, score 0.988, points"), "{text}");
    }
}
