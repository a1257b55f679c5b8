//! Whole runs of a tiny network on drawn faces.

use std::f32::consts::{PI, TAU};
use std::fs;
use std::path::Path;

use lineament::Point;
use lineament::topology::ibug68::POINTS;
use lineament_data::{Photometric, pts};
use lineament_nn::model::{Activation, Architecture, Model, Op, Shape};
use lineament_train::graph::Graph;
use lineament_train::landmarks::Landmarks;
use lineament_train::networks::LANDMARK_OUTPUTS;
use lineament_train::run_files as files;
use lineament_train::train::{Epoch, Event, Run};
use lineament_train::{Config, Error};
use tempfile::TempDir;

/// Side of the network's input.
const SIDE: usize = 16;

/// Faces drawn by code with their points, and what is trained on them.
struct Bench {
    folder: TempDir,
    config: Config,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let photos = folder.path().join("photos");
        fs::create_dir(&photos).unwrap();
        for i in 0..12 {
            draw_face(&photos.join(format!("face{i:02}.png")), i as f32);
        }
        let config = Config {
            photos,
            validation_share: 0.3,
            epochs: 6,
            batch: 4,
            groups: 2,
            rate: 5e-3,
            warmup_epochs: 1.0,
            ema: 0.5,
            validate_every: 3,
            photometric: Photometric::none(),
            ..Config::default()
        };
        Self { folder, config }
    }

    fn start(&self, dir: &str, resume: bool) -> lineament_train::Result<Run<Landmarks>> {
        let task = Landmarks::new(&self.config, SIDE)?;
        let graph = Graph::new(network(8)).unwrap();
        Run::new(self.config.clone(), &self.folder.path().join(dir), task, graph, resume)
    }

    /// The weights of a run's checkpoint, as they lie in the file.
    fn weights(&self, dir: &str) -> Vec<(String, Vec<u8>)> {
        let bytes = self.read(dir, files::CHECKPOINT);
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let mut tensors: Vec<_> =
            tensors.tensors().into_iter().map(|(name, tensor)| (name, tensor.data().to_vec())).collect();
        tensors.sort();
        tensors
    }

    /// The curves without the columns that tell time.
    fn curves(&self, dir: &str) -> Vec<String> {
        let text = String::from_utf8(self.read(dir, files::CURVES)).unwrap();
        text.lines().map(|line| line.rsplitn(3, ',').nth(2).unwrap().to_owned()).collect()
    }

    fn read(&self, dir: &str, file: &str) -> Vec<u8> {
        fs::read(self.folder.path().join(dir).join(file)).unwrap()
    }
}

/// A head, eyes, nose and mouth as ellipses; each `index` lies elsewhere and has another size.
fn draw_face(path: &Path, index: f32) {
    let (cx, cy, r) = (48.0 + 6.0 * (1.7 * index).sin(), 48.0 + 6.0 * (2.3 * index).cos(), 24.0 + 5.0 * index.sin());
    // Centre, half width, half height in units of `r`, and the brightness.
    let ellipses = [
        (0.0, 0.0, 0.9, 1.1, 200),
        (-0.35, -0.25, 0.18, 0.1, 30),
        (0.35, -0.25, 0.18, 0.1, 30),
        (0.0, 0.1, 0.1, 0.2, 150),
        (0.0, 0.55, 0.35, 0.12, 60),
    ];
    let picture = image::GrayImage::from_fn(96, 96, |x, y| {
        let (x, y) = ((x as f32 + 0.5 - cx) / r, (y as f32 + 0.5 - cy) / r);
        let inside = |e: &&(f32, f32, f32, f32, u8)| ((x - e.0) / e.2).powi(2) + ((y - e.1) / e.3).powi(2) < 1.0;
        image::Luma([ellipses.iter().rfind(inside).map_or(90, |e| e.4)])
    });
    picture.save(path).unwrap();
    let on = |k: usize, angle: f32| {
        let (x, y, w, h, _) = ellipses[k];
        Point::new(cx + r * (x + w * angle.cos()), cy + r * (y + h * angle.sin()))
    };
    let part = |i: usize, from: usize, to: usize| (i - from) as f32 / (to - from) as f32;
    let points: [Point; POINTS] = std::array::from_fn(|i| match i {
        0..17 => on(0, PI * (1.0 - part(i, 0, 16))),
        17..27 => on(0, 3.6 + 2.2 * part(i, 17, 26)),
        27..36 => on(3, TAU * part(i, 27, 36)),
        36..42 => on(1, PI + TAU * part(i, 36, 42)),
        42..48 => on(2, PI + TAU * part(i, 42, 48)),
        _ => on(4, PI + TAU * part(i, 48, 68)),
    });
    pts::write(&path.with_extension("pts"), &points).unwrap();
}

/// A landmark network of one convolution with `filters`, a depthwise one with a way around it, and the heads.
fn network(filters: usize) -> Architecture {
    let mut net = Architecture::new(Shape::hwc(SIDE, SIDE, 1));
    net.push(Op::Conv { filters, kernel: 3, stride: 2, padding: 1 });
    net.push(Op::BatchNorm);
    let with = net.push(Op::Activation(Activation::PRelu)); // [8, 8, filters]
    net.push(Op::Depthwise { kernel: 3, stride: 1, padding: 1 });
    net.push(Op::BatchNorm);
    net.push(Op::Activation(Activation::HardSwish));
    net.push(Op::Add { with });
    let features = net.push(Op::MaxPool); // [4, 4, filters]
    for (name, units) in LANDMARK_OUTPUTS.into_iter().zip([2 * POINTS, POINTS, 1]) {
        let head = net.push_from(features, Op::Dense { units });
        net.output(name, head);
    }
    net
}

/// Runs to the end; all epochs.
fn finish(run: &mut Run<Landmarks>) -> Vec<Epoch> {
    let mut epochs = Vec::new();
    while let Some(event) = run.advance().unwrap() {
        if let Event::Epoch(epoch) = event {
            epochs.push(epoch);
        }
    }
    epochs
}

#[test]
fn a_run_starts_from_a_model_file_and_learns_from_pseudo_labelled_faces() {
    let mut bench = Bench::new();
    let mut first = bench.start("first", false).unwrap();
    let learned = *finish(&mut first).last().unwrap().losses.first().map(|(_, loss)| loss).unwrap();
    bench.config.start = Some(bench.folder.path().join("first").join(files::MODEL));
    bench.config.pseudo_labelled = Some(bench.config.photos.clone());
    bench.config.epochs = 1;
    bench.config.rate = 1e-5;
    let mut second = bench.start("second", false).unwrap();
    let begun = finish(&mut second)[0].losses[0].1;
    assert!(begun < learned + 0.5, "the first run ended at {learned}, the second began at {begun}");

    bench.config.pseudo_labelled = Some(bench.folder.path().join("nowhere"));
    let error = bench.start("third", false).err().unwrap().to_string();
    assert!(error.contains("nowhere"), "{error}");
}

fn with_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

#[test]
fn the_same_seed_gives_the_same_weights_with_one_thread_and_two() {
    let mut bench = Bench::new();
    for (dir, threads) in [("one", 1), ("two", 2)] {
        with_threads(threads, || finish(&mut bench.start(dir, false).unwrap()));
    }
    assert_eq!(bench.weights("one"), bench.weights("two"));
    assert_eq!(bench.read("one", files::MODEL), bench.read("two", files::MODEL));
    bench.config.seed += 1;
    finish(&mut bench.start("other", false).unwrap());
    assert_ne!(bench.weights("one"), bench.weights("other"));
}

#[test]
fn a_stopped_and_resumed_run_equals_an_uninterrupted_one() {
    let bench = Bench::new();
    let whole = finish(&mut bench.start("whole", false).unwrap());
    let steps = bench.start("probe", false).unwrap();
    let (per_epoch, total) = (steps.steps_per_epoch(), steps.total_steps());
    assert!(per_epoch > 1);
    // Within an epoch, at the end of one before and after its validation, and in the last one.
    for (i, stop) in [1, per_epoch + 1, 3 * per_epoch, 3 * per_epoch + 1, total - 1, total].into_iter().enumerate() {
        let dir = format!("parts{i}");
        let mut run = bench.start(&dir, false).unwrap();
        let mut epochs = Vec::new();
        while run.steps() < stop {
            if let Some(Event::Epoch(epoch)) = run.advance().unwrap() {
                epochs.push(epoch);
            }
        }
        run.save().unwrap();
        drop(run);
        let mut run = bench.start(&dir, true).unwrap();
        assert_eq!(run.steps(), stop);
        epochs.extend(finish(&mut run));
        let figures = |epochs: &[Epoch]| epochs.iter().map(|e| format!("{e:?}")).collect::<Vec<_>>();
        assert_eq!(figures(&epochs), figures(&whole), "stopped after step {stop}");
        assert_eq!(bench.weights(&dir), bench.weights("whole"), "stopped after step {stop}");
        assert_eq!(bench.read(&dir, files::MODEL), bench.read("whole", files::MODEL));
        assert_eq!(bench.curves(&dir), bench.curves("whole"));
    }
    // Killed before it could save: it goes on from the last validation and makes the lost steps again.
    let mut run = bench.start("killed", false).unwrap();
    while run.steps() < total - 1 {
        run.advance().unwrap();
    }
    drop(run);
    finish(&mut bench.start("killed", true).unwrap());
    assert_eq!(bench.weights("killed"), bench.weights("whole"));
    assert_eq!(bench.curves("killed"), bench.curves("whole"));
    assert_eq!(bench.curves("whole").len(), 1 + 2, "a header, and epochs 3 and 6");
}

#[test]
fn a_run_learns_and_leaves_a_model_that_loads() {
    let mut bench = Bench::new();
    bench.config.epochs = 40;
    bench.config.validate_every = 20;
    let mut run = bench.start("run", false).unwrap();
    let epochs = finish(&mut run);
    assert!(run.advance().unwrap().is_none(), "a complete run stays complete");
    let distance = |e: &Epoch| e.losses.iter().find(|(name, _)| name == "distance").unwrap().1;
    let (first, last) = (&epochs[0], &epochs[39]);
    assert!(last.losses[0].1 < first.losses[0].1, "{:?} after {:?}", last.losses, first.losses);
    assert!(distance(last) < 0.8 * distance(first), "{:?} after {:?}", last.losses, first.losses);
    let validated: Vec<usize> = epochs.iter().filter(|e| e.validation.is_some()).map(|e| e.epoch).collect();
    assert_eq!(validated, [20, 40]);
    // Every export has compared the file's outputs with the training graph's already.
    let file = bench.read("run", files::MODEL);
    let model = Model::parse(&file).unwrap();
    assert_eq!(model.architecture.outputs.len(), 3);
    assert!(model.architecture.layers.iter().all(|l| l.op != Op::BatchNorm));
    assert_eq!(Config::read(&bench.folder.path().join("run").join(files::CONFIG)).unwrap(), bench.config);
    assert!(image::open(bench.folder.path().join("run").join(files::PICTURE)).is_ok());
}

#[test]
fn an_export_that_differs_from_what_was_trained_is_an_error() {
    use lineament_train::{export, params::Params};
    use rand::{Rng, SeedableRng};

    let graph = Graph::new(network(8)).unwrap();
    let mut rng = rand_pcg::Pcg64::seed_from_u64(1);
    let mut params = Params::init(&graph.architecture, &graph.layout, &mut rng).unwrap();
    params.values.iter_mut().for_each(|v| *v += rng.random_range(-0.3..0.3));
    params.statistics.iter_mut().for_each(|v| *v += rng.random_range(-0.3..0.3));
    let mut folded = export::fold(&graph, &params).unwrap();
    export::verify(&graph, &params, &folded).unwrap();
    folded.weights[0][0].1[0] += 1.0;
    let error = export::verify(&graph, &params, &folded).unwrap_err().to_string();
    assert!(error.contains("output `points`"), "{error}");
    folded.weights[0][0].1[0] = f32::MAX;
    assert!(export::verify(&graph, &params, &folded).is_err());
}

#[test]
fn a_second_start_in_the_same_folder_is_refused() {
    let bench = Bench::new();
    let error = |resume: bool| bench.start("run", resume).err().unwrap().to_string();
    let text = error(true);
    assert!(text.contains("run: no checkpoint") && text.contains("without --resume"), "{text}");
    finish(&mut bench.start("run", false).unwrap());
    let text = error(false);
    assert!(text.contains("run: a run's checkpoint is here already: add --resume"), "{text}");
}

#[test]
fn a_run_cannot_be_shortened_to_what_it_has_passed() {
    let mut bench = Bench::new();
    let mut run = bench.start("run", false).unwrap();
    while run.steps() < 2 * run.steps_per_epoch() + 1 {
        run.advance().unwrap();
    }
    run.save().unwrap();
    bench.config.epochs = 2;
    let error = bench.start("run", true).err().unwrap().to_string();
    assert!(error.contains("epochs: ") && error.contains("at least 3"), "{error}");
    bench.config.epochs = 3;
    finish(&mut bench.start("run", true).unwrap());
    assert!(Model::parse(&bench.read("run", files::MODEL)).is_ok());
}

#[test]
fn a_checkpoint_that_is_damaged_or_of_another_network_is_named() {
    let bench = Bench::new();
    bench.start("run", false).unwrap().save().unwrap();
    let path = bench.folder.path().join("run").join(files::CHECKPOINT);
    let good = fs::read(&path).unwrap();
    let mut scrambled = good.clone();
    scrambled[9..40].fill(b'x');
    for bytes in [&[][..], &good[..7], &good[..good.len() / 2], &good[..good.len() - 1], &scrambled] {
        fs::write(&path, bytes).unwrap();
        let error = bench.start("run", true).err().unwrap().to_string();
        assert!(error.contains(files::CHECKPOINT) && error.contains("a damaged checkpoint"), "{error}");
    }
    fs::write(&path, &good).unwrap();
    let task = Landmarks::new(&bench.config, SIDE).unwrap();
    let other = Graph::new(network(4)).unwrap();
    let error = Run::new(bench.config.clone(), path.parent().unwrap(), task, other, true).err().unwrap();
    assert!(matches!(error, Error::File { .. }) && error.to_string().contains("of another network"), "{error}");
}

#[test]
fn a_faulty_configuration_is_named_with_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.toml");
    let cases = [
        ("seed = 1\nepoch = 3\n", &["run.toml: line 2: ", "`epoch`"][..]),
        ("epochs = 0\n", &["run.toml: ", "epochs: from 1"]),
        ("rate = \"fast\"\n", &["run.toml: line 1: "]),
        ("seed = -1\n", &["run.toml: line 1: "]),
        ("[jitter]\nshift_sd = 9.0\n", &["run.toml: ", "shift_sd"]),
        ("[jitter]\nshift = 0.1\n", &["run.toml: line 2: ", "`shift`"]),
        ("task = \"dance\"\n", &["run.toml: line 1: ", "`dance`"]),
        ("epochs\n", &["run.toml: line 1: "]),
        ("seed = 1\njudge = \"a.onnx\"\n", &["run.toml: line 2: `judge` is called `verifier` now"]),
        ("taught=\"a\"\n", &["run.toml: line 1: `taught` is called `pseudo_labelled` now"]),
        ("# old\ntaught_share = 0.5\n", &["line 2: `taught_share` is called `pseudo_labelled_share` now"]),
        ("average = 0.5\n", &["line 1: `average` is called `ema` now"]),
    ];
    for (text, expected) in cases {
        fs::write(&path, text).unwrap();
        let error = Config::read(&path).unwrap_err().to_string();
        assert!(expected.iter().all(|part| error.contains(part)), "{text:?} gives {error:?}");
        assert!(!error.contains('\n'), "{error:?}");
    }
    fs::write(&path, "photos = \"faces\"\nnonfaces = \"/abs\"").unwrap();
    let config = Config::read(&path).unwrap();
    assert_eq!((config.photos, config.nonfaces), (folder.path().join("faces"), Some("/abs".into())));
}
