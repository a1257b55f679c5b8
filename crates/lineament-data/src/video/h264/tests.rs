//! Decodes stored clips, and encodes pictures and decodes them again.

use std::fs::File;
use std::io;
use std::path::Path;

use super::super::mp4::Movie;
use super::super::{About, Frames, Rate};
use super::Mp4Video;
use crate::testing::fixture;
use crate::{Error, Photo};

/// Times in hundredths of a second, and the mean of all pixels.
fn times_and_greys(clip: &str) -> Vec<(i64, i64)> {
    times_and_greys_of(&fixture(clip))
}

fn times_and_greys_of(clip: &Path) -> Vec<(i64, i64)> {
    let frames = Frames::open(clip, Rate::ASSUMED).unwrap().map(Result::unwrap);
    let mean = |pixels: &[u8]| pixels.iter().map(|&p| i64::from(p)).sum::<i64>() / pixels.len() as i64;
    frames.map(|f| ((f.time_secs * 100.0).round() as i64, mean(&f.picture.pixels))).collect()
}

/// Frame `n` of `greys.mp4` has the luma 20 + 15 n.
fn grey(n: i64) -> i64 {
    (20 + 15 * n - 16) * 255 / 219
}

#[test]
fn frames_come_in_the_order_of_showing_although_some_are_decoded_before_others() {
    for (clip, first) in [("video/greys.mp4", 0), ("video/greys_fragments.mp4", 0), ("video/greys_from_6.mp4", 5)] {
        let found = times_and_greys(clip);
        assert_eq!(found.len() as i64, 12 - first, "{clip}");
        for (i, (time, mean)) in (0..).zip(&found) {
            assert_eq!(*time, 4 * i, "{clip} frame {i}");
            assert!((mean - grey(first + i)).abs() <= 2, "{clip} frame {i}: {mean} and not {}", grey(first + i));
        }
        let about = Frames::open(&fixture(clip), Rate::ASSUMED).unwrap().about();
        assert_eq!(about, About { frames: Some(12 - first as u64), rate: Rate { frames: 25, secs: 1 } }, "{clip}");
    }
}

#[test]
fn a_sample_without_a_picture_leaves_the_times_of_the_others_alone() {
    // The fourth sample is the frame shown second, which no other frame refers to. Two delimiters take its 12 bytes.
    let mut bytes = std::fs::read(fixture("video/greys.mp4")).unwrap();
    let movie = Movie::read(&mut io::Cursor::new(&bytes)).unwrap();
    let sample = movie.samples[3];
    assert_eq!((sample.size, movie.secs(sample.time)), (12, 0.04));
    let delimiters = [0, 0, 0, 2, 9, 0xf0].repeat(2);
    bytes[sample.offset as usize..][..12].copy_from_slice(&delimiters);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("clip.mp4");
    std::fs::write(&path, bytes).unwrap();
    let found = times_and_greys_of(&path);
    assert_eq!(found.len(), 11);
    for (n, (time, mean)) in [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].into_iter().zip(found) {
        assert_eq!(time, 4 * n, "frame {n}");
        assert!((mean - grey(n)).abs() <= 2, "frame {n}: {mean} and not {}", grey(n));
    }
}

#[test]
fn a_phones_video_is_turned_upright() {
    let frame = Frames::open(&fixture("video/turned.mp4"), Rate::ASSUMED).unwrap().next().unwrap().unwrap();
    let Photo { pixels, width, height } = frame.picture;
    assert_eq!((width, height), (48, 64));
    let at = |x: usize, y: usize| &pixels[(y * width + x) * 3..][..3];
    let (top, bottom) = (at(24, 16), at(24, 48));
    assert!(top[0] > 230 && top[2] < 30 && bottom[0] < 30 && bottom[2] > 230, "{top:?} {bottom:?}");
}

#[test]
fn unsupported_videos_are_named_with_the_remedy() {
    for (clip, text) in [
        ("video/h265.mp4", "is coded as H.265 (HEVC), and only H.264 is read; convert it with `ffmpeg -i FILE"),
        ("video/ten_bits.mp4", "is H.264 with 10 bits; whole frames of 8 bits with 4:2:0 colours are read; conv"),
        ("video/sound.mp4", "has no video track, only sound"),
        ("astronaut.jpg", "not a video; MP4 with H.264, Y4M and MJPEG are read"),
    ] {
        let Err(Error::Video { video, reason }) = Frames::open(&fixture(clip), Rate::ASSUMED) else {
            panic!("{clip} is read")
        };
        assert!(video.ends_with(clip) && reason.starts_with(text), "{video}: {reason}");
    }
}

#[test]
fn a_file_that_is_cut_off_gives_the_frames_before_the_cut_or_says_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let whole = std::fs::read(fixture("video/greys.mp4")).unwrap();
    let mdat = whole.windows(4).position(|w| w == b"mdat").unwrap();
    let moov = whole.windows(4).position(|w| w == b"moov").unwrap();
    // The index stands at the end here; put in front, with the frames moved on by as much, it survives a cut.
    let mut moved = whole[moov - 4..].to_vec();
    let stco = moved.windows(4).position(|w| w == b"stco").unwrap() + 12;
    let first = u32::from_be_bytes(moved[stco..stco + 4].try_into().unwrap()) + moved.len() as u32;
    moved[stco..stco + 4].copy_from_slice(&first.to_be_bytes());
    let in_front = [&whole[..mdat - 12], &moved, &whole[mdat - 12..moov - 4]].concat();
    for (name, bytes, frames, text) in [
        ("empty", &[][..], 0, "empty file"),
        ("no index", &whole[..moov - 10], 0, "has no index (moov): the file is cut off"),
        ("half an index", &whole[..whole.len() - 9], 0, "has no index (moov): the file is cut off"),
        ("half the frames", &in_front[..in_front.len() - 100], 4, "the file ends before this frame does"),
    ] {
        let path = dir.path().join("clip.mp4");
        std::fs::write(&path, bytes).unwrap();
        let found: Vec<_> = match Frames::open(&path, Rate::ASSUMED) {
            Ok(frames) => frames.collect(),
            Err(error) => vec![Err(error)],
        };
        let shown = found.iter().filter(|frame| frame.is_ok()).count();
        assert!(shown >= frames && shown < 12, "{name}: {shown} frames: {found:?}");
        let error = found.last().unwrap().as_ref().unwrap_err().to_string();
        assert!(error.contains(text), "{name}: {error}");
    }
}

#[test]
fn what_is_written_is_read() {
    let dir = tempfile::tempdir().unwrap();
    for (width, height) in [(64, 48), (65, 33), (7, 5)] {
        let path = dir.path().join("out.mp4");
        let mut video = Mp4Video::new(File::create(&path).unwrap(), Rate { frames: 24, secs: 1 }).unwrap();
        let times = [0.0, 0.1, 0.15, 0.4, 2.0];
        let picture = |i: usize| Photo { pixels: vec![40 * i as u8 + 20; width * height * 3], width, height };
        for (i, time_secs) in times.into_iter().enumerate() {
            video.add(&picture(i), time_secs).unwrap();
        }
        let other = Photo { pixels: vec![0; 3], width: 1, height: 1 };
        assert!(video.add(&other, 3.0).unwrap_err().to_string().contains("one size only"));
        video.finish().unwrap();
        let back: Vec<_> = Frames::open(&path, Rate::ASSUMED).unwrap().map(Result::unwrap).collect();
        assert_eq!(back.len(), times.len());
        for (i, (frame, time_secs)) in back.iter().zip(times).enumerate() {
            assert!((frame.time_secs - time_secs).abs() < 1e-4, "{} {time_secs}", frame.time_secs);
            assert!(frame.picture.width >= width.max(16) && frame.picture.width <= width.max(16) + 1);
            let (is, was) = (frame.picture.pixels[0], picture(i).pixels[0]);
            assert!(is.abs_diff(was) < 6, "{width}x{height} frame {i}: {is} and not {was}");
        }
    }
}

#[test]
fn frames_too_large_for_the_encoder_say_so() {
    let mut video = Mp4Video::new(io::Cursor::new(Vec::new()), Rate::ASSUMED).unwrap();
    let photo = Photo { pixels: vec![0; 4000 * 16 * 3], width: 4000, height: 16 };
    let error = video.add(&photo, 0.0).unwrap_err().to_string();
    assert!(error.contains("write a .y4m or a folder"), "{error}");
}
