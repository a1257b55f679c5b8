//! Measures trained networks by their exported files.

use std::path::{Path, PathBuf};
use std::time::Instant;

use lineament::Point;
use lineament::stages::LandmarkNetwork;
use lineament_data::evaluate::metrics::median;
use lineament_data::read_model_file;
use lineament_data::record::SIDE;
use lineament_nn::engine::Engine;
use lineament_nn::model::{Model, Op, key};

use super::frame_rates::LivePath;
use super::pictures::{self, Tile};
use super::results::{Data, Epoch, Figures, Machine, Network, RUNS, Recipe, Results};
use crate::training::{Faces, Forecast, Settings, Sums, files};
use lineament_train::curves;
use lineament_train::error::{Error, Result};
use lineament_train::networks::LANDMARK_OUTPUTS;
use lineament_train::task;

/// What is measured. All networks are trained already.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The networks, most pooling first, each with the folder it was trained in.
    pub networks: Vec<(Settings, PathBuf)>,
    /// The study of filters and kernels.
    pub filters: Vec<(Settings, PathBuf)>,
    /// Other tables to measure on.
    pub tests: Vec<PathBuf>,
    /// OpenCV's cascade files, for the frame rate of the paper's own detector.
    pub cascades: Vec<PathBuf>,
    /// Photos to draw points on, in folders that name what they show; `None`: faces that were held back.
    pub pictures: Option<PathBuf>,
    /// A photo with a face, for the frame rates; `None`: a face that was held back.
    pub frame: Option<PathBuf>,
}

/// Measures everything; reports progress to `say`.
///
/// # Errors
/// When a file is missing or at fault.
pub fn measure(plan: &Plan, say: impl Fn(&str)) -> Result<Results> {
    let Some((recipe, _)) = plan.networks.first() else {
        return Err(Error::Config("no network to measure".into()));
    };
    let faces = Faces::open(recipe)?;
    let tests = plan.tests.iter().map(|table| Faces::read(table)).collect::<Result<Vec<_>>>()?;
    if let Some((test, path)) = tests.iter().zip(&plan.tests).find(|(test, _)| test.points() != faces.points()) {
        let reason = format!("{} points, but the networks have {}", test.points(), faces.points());
        return Err(Error::file(path, reason));
    }
    let tiles = match (&plan.pictures, faces.crop_rule()) {
        (Some(folder), Some(crop)) => pictures::of_folder(folder, crop)?,
        (None, Some(_)) => pictures::of_faces(&faces),
        (_, None) => Vec::new(), // there are outlines for the 68 points only
    };
    let mut live_path = LivePath::new(&plan.cascades, plan.frame.as_deref(), &faces)?;
    let (mut networks, mut drawn, mut behind) = (Vec::new(), vec![Vec::new(); tiles.len()], Vec::new());
    for (i, (settings, dir)) in plan.networks.iter().chain(&plan.filters).enumerate() {
        say(&format!("measuring {}", settings.name));
        let mut file = File::read(settings, dir)?;
        let (network, landmarks) = file.measure(&faces, &tests)?;
        networks.push(network);
        behind.push(landmarks);
        if i < plan.networks.len() {
            tiles.iter().zip(&mut drawn).for_each(|(tile, points)| points.push(file.points_on(tile)));
        }
    }
    say("measuring frame rates");
    let (detectors, rates) = live_path.frame_rates(&mut behind);
    networks.iter_mut().zip(rates).for_each(|(network, rates)| network.frame_rates = rates);
    let filters = networks.split_off(plan.networks.len());
    let name = |path: &Path| path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
    let test_names = plan.tests.iter().zip(&tests).map(|(path, test)| (name(path), test.validation().len()));
    Ok(Results {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        data: Data {
            table: name(&recipe.table),
            points: faces.points(),
            train: faces.train().len(),
            validation: faces.validation().len(),
            tests: test_names.collect(),
        },
        recipe: Recipe {
            epochs: recipe.epochs,
            batch: recipe.batch,
            seed: recipe.seed,
            rate: recipe.rate,
            validation_share: recipe.validation_share,
            rows: recipe.rows,
            shuffle: recipe.shuffle,
            groups: recipe.groups,
        },
        machine: machine(),
        networks,
        filters,
        detectors,
        pictures: tiles.into_iter().zip(drawn).map(|(tile, points)| tile.finish(points)).collect(),
        conclusion: Vec::new(),
    })
}

/// A network's exported file.
struct File<'a> {
    settings: &'a Settings,
    dir: &'a Path,
    bytes: Vec<u8>,
    engine: Engine,
}

impl<'a> File<'a> {
    fn read(settings: &'a Settings, dir: &'a Path) -> Result<Self> {
        let path = dir.join(files::MODEL);
        let bytes = read_model_file(&path)?;
        let engine = Model::parse(&bytes).and_then(|model| Engine::new(&model)).map_err(|e| Error::file(&path, e))?;
        Ok(Self { settings, dir, bytes, engine })
    }

    /// All figures but the frame rates, and the network that these are measured with: `None` where the points are not
    /// the 68.
    fn measure(&mut self, faces: &Faces, tests: &[Faces]) -> Result<(Network, Option<LandmarkNetwork>)> {
        let model = Model::parse(&self.bytes)?;
        let architecture = &model.architecture;
        let shapes = architecture.shapes()?;
        // The map after pooling, where a convolution is pooled.
        let feature_map = |(i, op): (usize, Op)| match op {
            Op::Conv { .. } => {
                let pooled = architecture.layers.get(i + 1).is_some_and(|next| next.op == Op::MaxPool);
                let map = shapes[if pooled { i + 2 } else { i + 1 }];
                Some([map.height, map.width, map.channels])
            }
            _ => None,
        };
        let layers = architecture.layers.iter().map(|layer| layer.op);
        let feature_maps = layers.enumerate().filter_map(feature_map).collect();
        let forecast = Forecast::new(architecture, self.settings, faces.train().len(), faces.validation().len())?;
        let (history, seconds) = self.history(faces)?;
        // Only a network of the 68 points says which points it has.
        let landmarks = model.metadata.get(key::TOPOLOGY).map(|_| LandmarkNetwork::new(&model)).transpose()?;
        let network = Network {
            name: self.settings.name.clone(),
            layers: self.settings.network,
            parameters: forecast.parameters,
            file_bytes: self.bytes.len() as u64,
            feature_maps,
            multiply_adds: forecast.multiply_adds,
            activation_bytes: forecast.activation_bytes,
            training_bytes: forecast.training_bytes,
            history,
            seconds_per_epoch: seconds.into_iter().min_by(f64::total_cmp).unwrap_or(f64::NAN),
            validation: self.figures(faces),
            tests: tests.iter().map(|test| self.figures(test)).collect(),
            run_ms: self.run_ms(faces),
            frame_rates: Vec::new(),
        };
        Ok((network, landmarks))
    }

    /// Every epoch, and the seconds that its steps took.
    fn history(&self, faces: &Faces) -> Result<(Vec<Epoch>, Vec<f64>)> {
        let path = self.dir.join(files::CURVES);
        let curves = curves::read(&path)?.ok_or_else(|| Error::file(&path, "is missing: train again"))?;
        let column = |name: &str| curves.columns.iter().position(|c| c == name);
        let figures = |row: &[f64], prefix: &str| {
            let value = |name: &str| column(&format!("{prefix}{name}")).map(|k| row[k]);
            Figures {
                loss: value("loss").unwrap_or(f64::NAN),
                mae: value("mae").unwrap_or(f64::NAN),
                accuracy: value("accuracy").unwrap_or(f64::NAN),
                nme: value("nme"),
            }
        };
        let epoch = |row: &Vec<f64>| Epoch {
            epoch: row[0] as usize,
            training: figures(row, ""),
            validation: figures(row, "val_"),
        };
        let pace = column("samples_per_s").ok_or_else(|| Error::file(&path, "no column samples_per_s"))?;
        let seconds = curves.rows.iter().map(|row| faces.train().len() as f64 / row[pace]).collect();
        Ok((curves.rows.iter().map(epoch).collect(), seconds))
    }

    /// The errors of the file on the faces that were held back.
    fn figures(&mut self, faces: &Faces) -> Figures {
        let mut sums = Sums::default();
        for &face in faces.validation() {
            let points = self.run(|input| faces.input(face, input));
            sums.add(&points, faces.coordinates(face));
        }
        let figures: task::Figures = sums.figures(false);
        let value = |name: &str| figures.iter().find(|f| f.0 == name).map(|f| f64::from(f.1));
        let [loss, mae, accuracy] = ["loss", "mae", "accuracy"].map(|name| value(name).unwrap_or(f64::NAN));
        Figures { loss, mae, accuracy, nme: value("nme") }
    }

    /// The points in pixels of the input, whole numbers at pixel centres, as the tables have them.
    fn run(&mut self, fill: impl FnOnce(&mut [f32]) + Send) -> Vec<f32> {
        self.engine.run(fill);
        let (points, _) = self.engine.output(LANDMARK_OUTPUTS[0]).expect("the paper's networks have points");
        points.iter().map(|p| (p + 1.0) * SIDE as f32 / 2.0 - 0.5).collect()
    }

    /// Median milliseconds of one run.
    fn run_ms(&mut self, faces: &Faces) -> f64 {
        let face = faces.train().first().or(faces.validation().first()).copied().unwrap_or(0);
        let times: Vec<f64> = (0..RUNS)
            .map(|_| {
                let start = Instant::now();
                self.engine.run(|input| faces.input(face, input));
                start.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        median(&times)
    }

    /// The points on a picture, in its pixels.
    fn points_on(&mut self, tile: &Tile) -> Vec<Point> {
        let points = self.run(|input| tile.input(input));
        points.chunks_exact(2).map(|p| tile.place(Point::new(p[0], p[1]))).collect()
    }
}

fn machine() -> Machine {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    Machine {
        processor: name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned()),
        threads: rayon::current_num_threads(),
        level: lineament_nn::simd::level_name().to_owned(),
    }
}
