//! The cameras and sizes that taps go through.

use crate::platform::CameraInfo;

/// A way to look: a camera and a size.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Source {
    pub camera: CameraInfo,
    pub size: (usize, usize),
}

/// The size of the stream, and that of the paper; a tap goes through cameras and sizes.
const SIZES: [(usize, usize); 2] = [(640, 480), (864, 480)];
/// A camera that offers neither takes the largest of its sizes up to this number of pixels.
const MOST_PIXELS: usize = 1280 * 960;

/// Front cameras first; all at 640x480 before those that have the paper's size too.
pub(super) fn sources(cameras: &[CameraInfo]) -> Vec<Source> {
    let mut cameras: Vec<_> = cameras.iter().collect();
    cameras.sort_by_key(|camera| camera.facing as u8);
    let mut sources = Vec::new();
    for size in SIZES {
        for camera in &cameras {
            if camera.sizes.contains(&size) {
                sources.push(Source { camera: (*camera).clone(), size });
            }
        }
    }
    for camera in cameras {
        if !sources.iter().any(|source: &Source| source.camera.id == camera.id) {
            let pixels = |&(width, height): &(usize, usize)| width * height;
            let fitting =
                camera.sizes.iter().filter(|size| pixels(size) <= MOST_PIXELS).max_by_key(|size| pixels(size));
            if let Some(&size) = fitting.or(camera.sizes.iter().min_by_key(|size| pixels(size))) {
                sources.push(Source { camera: camera.clone(), size });
            }
        }
    }
    sources
}
