//! Results for tests, made up without any training.

use super::results::*;
use lineament_train::networks::Paper;

/// Three networks, 40 epochs, one test table, two pictures.
pub fn results() -> Results {
    let network = |name: &str, pools, k: f64, parameters, side| {
        let sides = [94, side + 1, side].map(|side| [side, side, 32]);
        network(name, Paper::new(pools), k, parameters, sides)
    };
    let rate = |ms: f64| FrameRate { detector: "Viola-Jones".to_owned(), frame_ms: ms };
    Results {
        version: "0.1.0".to_owned(),
        data: Data {
            table: "faces.parquet".to_owned(),
            points: 68,
            train: 9_000,
            validation: 1_000,
            tests: vec![("300W".to_owned(), 600)],
        },
        recipe: Recipe {
            epochs: 40,
            batch: 120,
            seed: 7,
            rate: 1e-3,
            validation_share: 0.1,
            rows: Some(10_000),
            shuffle: true,
            groups: 2,
        },
        machine: Machine { processor: "A <processor> & more".to_owned(), threads: 2, level: "AVX-512".to_owned() },
        networks: vec![
            network("basic", 3, 1.0, 8_326_340, 11),
            network("two", 2, 0.85, 31_558_340, 22),
            network("one", 1, 0.8, 136_006_340, 46),
        ],
        filters: Vec::new(),
        detectors: vec![rate(5.0)],
        pictures: ["dark", "glasses"]
            .map(|group| Picture {
                group: group.to_owned(),
                name: "face \"1\".jpg".to_owned(),
                points: vec![vec![1.0; 136]; 3],
                drawn: vec![png(); 3],
            })
            .into(),
        conclusion: Vec::new(),
    }
}

/// Two variants of `basic`.
pub fn filters() -> Vec<Network> {
    [("16-16-32 filters", [16, 16, 32], 1.2), ("64-64-128 filters", [64, 64, 128], 0.9)]
        .map(|(name, filters, k)| {
            let layers = Paper { filters, ..Paper::new(3) };
            network(
                name,
                layers,
                k,
                100_000 * filters[2],
                [[47, 47, filters[0]], [23, 23, filters[1]], [11, 11, filters[2]]],
            )
        })
        .into()
}

/// A network whose errors are `k` times those of `basic`.
fn network(name: &str, layers: Paper, k: f64, parameters: usize, feature_maps: [[usize; 3]; 3]) -> Network {
    let epoch = |epoch: usize| {
        let t = 40.0 / (epoch * epoch) as f64;
        let wave = 1.0 + 0.05 * (epoch as f64 * 1.7).sin();
        Epoch { epoch, training: figures(0.8 * k + t), validation: figures((k + t) * wave) }
    };
    let large = layers.pools < 3;
    Network {
        name: name.to_owned(),
        layers,
        parameters,
        file_bytes: 4 * parameters as u64 + 2_000,
        feature_maps: feature_maps.into(),
        multiply_adds: 3 * parameters as u64,
        activation_bytes: 1_234_567,
        training_bytes: 16 * parameters as u64,
        history: (1..=40).map(epoch).collect(),
        seconds_per_epoch: if large { 61.0 } else { 9.5 },
        validation: figures(k),
        tests: vec![figures(1.5 * k)],
        run_ms: parameters as f64 / 4e6,
        frame_rates: vec![FrameRate { detector: "Viola-Jones".to_owned(), frame_ms: 5.0 + parameters as f64 / 4e6 }],
    }
}

fn figures(k: f64) -> Figures {
    Figures { loss: 1.4 * k, mae: k, accuracy: 0.4 / (1.0 + k), nme: Some(3.0 * k) }
}

/// One pixel.
fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let written =
        image::write_buffer_with_format(&mut bytes, &[200; 3], 1, 1, image::ColorType::Rgb8, image::ImageFormat::Png);
    written.expect("one pixel can be written");
    bytes.into_inner()
}
