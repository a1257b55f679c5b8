//! JSON: one object per photo or frame, each on its own line.

use lineament::{Detection, Face, Point, Pose, Rect};
use serde::Serialize;

use super::{FrameFaces, PhotoFaces, degrees, px, rounded, score, secs};

#[derive(Serialize)]
struct Photo<'a> {
    image: &'a str,
    width: usize,
    height: usize,
    ms: f64,
    faces: Vec<FaceRecord>,
}

#[derive(Serialize)]
struct Frame<'a> {
    video: &'a str,
    frame: u64,
    /// Seconds.
    time: f64,
    width: usize,
    height: usize,
    ms: f64,
    faces: Vec<FaceRecord>,
}

#[derive(Serialize)]
struct FaceRecord {
    /// The number that the face keeps through a video.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    /// Left, top, width, height of the box of the points.
    r#box: [f64; 4],
    score: f64,
    /// The topology's name, where it is not the iBUG 68 points.
    #[serde(skip_serializing_if = "Option::is_none")]
    topology: Option<String>,
    /// The points' names, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    names: Option<Vec<String>>,
    points: Vec<[f64; 2]>,
    errors: Vec<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pose: Option<Degrees>,
    detection: DetectionRecord,
}

/// What the detector found, in a video when it last saw the face.
#[derive(Serialize)]
struct DetectionRecord {
    r#box: [f64; 4],
    score: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    points: Option<Vec<[f64; 2]>>,
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
        faces: faces.iter().map(|found| face(None, found)).collect(),
    };
    serde_json::to_string(&line).expect("strings and numbers are always JSON") + "\n"
}

/// The line of one frame.
pub fn frame(found: &FrameFaces) -> String {
    let FrameFaces { video, frame, time_secs, width, height, time_ms, faces } = *found;
    let faces = faces.iter().map(|tracked| face(Some(tracked.id), &tracked.face)).collect();
    let line = Frame { video, frame, time: secs(time_secs), width, height, ms: rounded(time_ms, 100.0), faces };
    serde_json::to_string(&line).expect("strings and numbers are always JSON") + "\n"
}

fn face(id: Option<u64>, face: &Face) -> FaceRecord {
    let Face { detection, landmarks } = face;
    let topology = &landmarks.topology;
    let is_own = !topology.is_ibug68();
    FaceRecord {
        id,
        r#box: numbers(&face.rect()),
        score: score(landmarks.score),
        topology: is_own.then(|| topology.name().into()),
        names: is_own.then(|| topology.names().into()),
        points: pairs(&landmarks.points),
        errors: landmarks.errors.iter().map(|&e| px(e)).collect(),
        pose: landmarks.pose.map(|Pose { roll_rad, yaw_rad, pitch_rad }| Degrees {
            roll: degrees(roll_rad),
            yaw: degrees(yaw_rad),
            pitch: degrees(pitch_rad),
        }),
        detection: found(detection),
    }
}

fn found(Detection { rect, points, score: value }: &Detection) -> DetectionRecord {
    DetectionRecord { r#box: numbers(rect), score: score(*value), points: points.as_ref().map(|points| pairs(points)) }
}

fn numbers(rect: &Rect) -> [f64; 4] {
    [rect.x, rect.y, rect.width, rect.height].map(px)
}

fn pairs(points: &[Point]) -> Vec<[f64; 2]> {
    points.iter().map(|p| [px(p.x), px(p.y)]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{frame as example_frame, photo as example, tracked};
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
                r#""faces":[{"box":[0.0,100.0,67.0,8.38],"score":0.9877,"points":[[0.0,100.0],[1.0,100.13],"#
            ),
            "{text}"
        );
        assert!(text.contains(r#""errors":[0.5,0.6,0.7,"#), "{text}");
        let points = ["[0.0,0.0]"; 5].join(",");
        let detection = format!(r#"{{"box":[10.0,20.5,100.13,110.0],"score":0.5,"points":[{points}]}}"#);
        let end = format!(r#""pose":{{"roll":0.0,"yaw":28.6,"pitch":-14.3}},"detection":{detection}}}]}}"#);
        assert!(text.trim_end().ends_with(&end), "{text}");
    }

    #[test]
    fn a_frame_is_one_line_with_its_time_and_the_faces_numbers() {
        assert_eq!(
            frame(&example_frame(&[])),
            "{\"video\":\"a.mp4\",\"frame\":12,\"time\":0.48,\"width\":640,\"height\":480,\"ms\":2.0,\"faces\":[]}\n"
        );
        let text = frame(&example_frame(&tracked(2)));
        assert_eq!(text.matches('\n').count(), 1);
        assert!(text.contains(r#""faces":[{"id":7,"box":[0.0,100.0,67.0,8.38],"score":0.9877,"points":[["#), "{text}");
        assert!(text.contains(r#"},{"id":8,"box""#), "{text}");
    }
}
