//! CSV: a header, then one row per face. A photo or frame without faces has no row.

use lineament::topology::Topology;
use lineament::{Face, Pose};

use super::{FrameFaces, PhotoFaces, degrees, px, score, secs};

/// What a photo's rows begin with.
const PHOTO: [&str; 4] = ["image", "width", "height", "face"];

/// What a video's rows begin with.
const VIDEO: [&str; 6] = ["video", "frame", "time", "width", "height", "id"];

/// What follows in both, before the points. The angles are empty where the topology has no pose.
const FACE: [&str; 8] = ["box_x", "box_y", "box_width", "box_height", "score", "roll", "yaw", "pitch"];

/// The header for photos: [`PHOTO`], [`FACE`], then three columns for each point: `x0,y0,error0` and so on for the iBUG
/// 68 points, which are known by their numbers, and `NAME_x,NAME_y,NAME_error` for others.
pub fn header(topology: &Topology) -> String {
    header_of(&PHOTO, topology)
}

/// The header for videos: [`VIDEO`], then as for photos.
pub fn video_header(topology: &Topology) -> String {
    header_of(&VIDEO, topology)
}

fn header_of(first: &[&str], topology: &Topology) -> String {
    let columns = |(i, name): (usize, &String)| match topology.is_ibug68() {
        true => ["x", "y", "error"].map(|what| format!("{what}{i}")),
        false => ["x", "y", "error"].map(|what| format!("{name}_{what}")),
    };
    let points = topology.names().iter().enumerate().flat_map(columns);
    row(first.iter().chain(&FACE).map(|&column| column.to_owned()).chain(points))
}

/// The rows of one photo; faces count from 1.
pub fn photo(photo: &PhotoFaces) -> String {
    let PhotoFaces { image, width, height, .. } = photo;
    let first = |number: usize| [image.clone(), width.to_string(), height.to_string(), number.to_string()];
    photo.faces.iter().zip(1..).map(|(face, number)| row(first(number).into_iter().chain(fields(face)))).collect()
}

/// The rows of one frame.
pub fn frame(found: &FrameFaces) -> String {
    let FrameFaces { video, frame, time_secs, width, height, .. } = *found;
    let first = |id: u64| {
        let numbers = [frame.to_string(), secs(time_secs).to_string(), width.to_string(), height.to_string()];
        [video.to_owned()].into_iter().chain(numbers).chain([id.to_string()])
    };
    found.faces.iter().map(|tracked| row(first(tracked.id).chain(fields(&tracked.face)))).collect()
}

fn fields(face: &Face) -> Vec<String> {
    let (rect, landmarks) = (face.rect(), &face.landmarks);
    let mut fields: Vec<_> = [rect.x, rect.y, rect.width, rect.height].map(|v| px(v).to_string()).into();
    fields.push(score(landmarks.score).to_string());
    let angle = |of: fn(&Pose) -> f32| landmarks.pose.map_or(String::new(), |pose| degrees(of(&pose)).to_string());
    fields.extend([angle(|p| p.roll_rad), angle(|p| p.yaw_rad), angle(|p| p.pitch_rad)]);
    for (p, error) in landmarks.points.iter().zip(&landmarks.errors) {
        fields.extend([p.x, p.y, *error].map(|v| px(v).to_string()));
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
    use super::super::tests::{frame as example_frame, photo as example, tracked};
    use super::*;

    #[test]
    fn every_row_has_the_columns_of_the_header() {
        let text = header(&Topology::ibug68()) + &photo(&example(2));
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        assert_eq!(reader.headers().unwrap().len(), 12 + 3 * 68);
        assert_eq!(reader.records().map(Result::unwrap).count(), 2);
        assert_eq!(photo(&example(0)), "");
    }

    #[test]
    fn a_row_starts_with_the_photo_the_face_and_its_box() {
        let text = photo(&example(1));
        let start = r#""a, ""b"".jpg",640,480,1,0,100,67,8.38,0.9877,0,28.6,-14.3,0,100,0.5,1,100.13,0.6,"#;
        assert!(text.starts_with(start), "{text}");
    }

    #[test]
    fn a_videos_row_starts_with_the_frame_its_time_and_the_faces_number() {
        let text = video_header(&Topology::ibug68()) + &frame(&example_frame(&tracked(2)));
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        assert_eq!(reader.headers().unwrap().len(), 14 + 3 * 68);
        assert_eq!(reader.records().map(Result::unwrap).count(), 2);
        assert!(text.contains("\na.mp4,12,0.48,640,480,8,0,100,67,8.38,0.9877,"), "{text}");
    }
}
