//! What the paper prints (Kendrick et al., tables 1 and 2) and the limits that it met.

use lineament_train::networks::Paper;

/// A row of table 1 and of table 2 (both section 5).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PaperNetwork {
    /// Our name of it, as in [`lineament_train::networks::PAPER`].
    pub name: &'static str,
    /// The paper's.
    pub title: &'static str,
    /// Max-pooling layers.
    pub pools: usize,
    /// Table 1: share of coordinates that are right when rounded, 0 to 1.
    pub accuracy: f64,
    /// Table 1: in a unit that the paper does not name.
    pub loss: f64,
    /// Table 2, as printed.
    pub file_size: &'static str,
    /// The same in bytes. 32.5MB are 32,525 KiB, 120MB and 518MB are MiB: only so the numbers of weights come out.
    pub file_bytes: f64,
    /// Table 2: side of the last feature map, nominally: without what unpadded convolutions take off.
    pub image_side: usize,
    /// Table 2: frames per second on the phone; none where the network could not be loaded.
    pub fps: Option<f64>,
}

/// Tables 1 and 2, most pooling first.
pub const NETWORKS: [PaperNetwork; 3] = [
    PaperNetwork {
        name: "basic",
        title: "Basic",
        pools: 3,
        accuracy: 0.63,
        loss: 0.17,
        file_size: "32.5MB",
        file_bytes: 32.5e3 * 1024.0,
        image_side: 12,
        fps: Some(15.0),
    },
    PaperNetwork {
        name: "two",
        title: "Two max-poolings",
        pools: 2,
        accuracy: 0.64,
        loss: 0.12,
        file_size: "120MB",
        file_bytes: 120.0 * 1024.0 * 1024.0,
        image_side: 24,
        fps: None,
    },
    PaperNetwork {
        name: "one",
        title: "One max-pooling",
        pools: 1,
        accuracy: 0.69,
        loss: 0.38,
        file_size: "518MB",
        file_bytes: 518.0 * 1024.0 * 1024.0,
        image_side: 48,
        fps: None,
    },
];

/// Table 2: the file of the face detector alone, as printed.
pub const DETECTOR_FILE_SIZE: &str = "50KB";
/// Table 2: frames per second of the face detector alone, on the phone.
pub const DETECTOR_FPS: f64 = 17.0;
/// The phone (section 5).
pub const PHONE: &str = "HTC 10";
/// Bytes that a compressed asset of an app may have (section 4: 68mb, which we read as 10^6 bytes each).
pub const ASSET_LIMIT: u64 = 68_000_000;
/// Bytes that an app package may have (section 5: 100MB, which we read as 10^6 bytes each).
pub const PACKAGE_LIMIT: u64 = 100_000_000;
/// Epochs of each training (section 3).
pub const EPOCHS: usize = 300;
/// Faces of MORPH that the networks learned from and were validated on (section 3).
pub const FACES: u64 = 49_828;
/// What the paper recommends (sections 5 and 8).
pub const RECOMMENDATION: &str = "The paper recommends one pooling layer in section 5 and the basic network, which \
                                  alone ran on its phone, in section 8.";

/// The paper's rows for the network with these layers; none where the paper has no such network.
pub fn of(layers: &Paper) -> Option<&'static PaperNetwork> {
    NETWORKS.iter().find(|network| *layers == Paper::new(network.pools))
}

#[cfg(test)]
mod tests {
    use lineament::topology::ibug68::POINTS;
    use lineament_train::networks;

    use super::*;

    #[test]
    fn rows_belong_to_the_networks_that_are_built() {
        for network in NETWORKS {
            assert_eq!(Paper::by_name(network.name), Some(Paper::new(network.pools)), "{}", network.title);
            let layers = networks::by_name(network.name, POINTS).unwrap();
            let learned = layers.layer_parameters().unwrap().iter().sum::<usize>();
            let ratio = 4.0 * learned as f64 / network.file_bytes;
            assert!((ratio - 1.0).abs() < 0.01, "{}: {ratio}", network.title);
        }
        assert_eq!(of(&Paper::new(0)), None);
        assert_eq!(of(&Paper { filters: [8, 8, 8], ..Paper::new(3) }), None);
    }
}
