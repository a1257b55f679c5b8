//! JSON: one object per photo, each on its own line.

use lineament::Face;
use serde::Serialize;

use super::{PhotoFaces, degrees, px, rounded, score};

#[derive(Serialize)]
struct Photo<'a> {
    image: &'a str,
    width: usize,
    height: usize,
    ms: f64,
    faces: Vec<FaceRecord>,
}

#[derive(Serialize)]
struct FaceRecord {
    /// Left, top, width, height.
    r#box: [f64; 4],
    score: f64,
    points: Vec<[f64; 2]>,
    errors: Vec<f64>,
    pose: Degrees,
}

#[derive(Serialize)]
struct Degrees {
    roll: f64,
    yaw: f64,
    pitch: f64,
}

/// The line of one photo.
pub fn photo(photo: &PhotoFaces) -> String {
    let PhotoFaces { image, width, height, time_ms, faces } = photo;
    let line = Photo {
        image,
        width: *width,
        height: *height,
        ms: rounded(*time_ms, 100.0),
        faces: faces.iter().map(face).collect(),
    };
    serde_json::to_string(&line).expect("strings and numbers are always JSON") + "\n"
}

fn face(Face { detection, landmarks }: &Face) -> FaceRecord {
    let rect = &detection.rect;
    FaceRecord {
        r#box: [rect.x, rect.y, rect.width, rect.height].map(px),
        score: score(landmarks.score),
        points: landmarks.points.iter().map(|p| [px(p.x), px(p.y)]).collect(),
        errors: landmarks.errors.iter().map(|&e| px(e)).collect(),
        pose: Degrees {
            roll: degrees(landmarks.pose.roll_rad),
            yaw: degrees(landmarks.pose.yaw_rad),
            pitch: degrees(landmarks.pose.pitch_rad),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::photo as example;
    use super::*;

    #[test]
    fn a_photo_is_one_line_with_rounded_numbers() {
        assert_eq!(
            photo(&example(0)),
            "{\"image\":\"a, \\\"b\\\".jpg\",\"width\":640,\"height\":480,\"ms\":12.35,\"faces\":[]}\n"
        );
        let text = photo(&example(1));
        assert_eq!(text.matches('\n').count(), 1);
        assert!(
            text.contains(
                r#""faces":[{"box":[10.0,20.5,100.13,110.0],"score":0.9877,"points":[[0.0,100.0],[1.0,100.13],"#
            ),
            "{text}"
        );
        assert!(text.contains(r#""errors":[0.5,0.6,0.7,"#), "{text}");
        assert!(text.ends_with("\"pose\":{\"roll\":0.0,\"yaw\":28.6,\"pitch\":-14.3}}]}\n"), "{text}");
    }
}
