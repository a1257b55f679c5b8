//! Whether a network fits the task that it is trained for.

use lineament::stages::{CHANNELS, GRIDS};
use lineament_nn::model::{Architecture, Op, Shape};

use super::LANDMARK_OUTPUTS;
use super::build::Built;
use super::text::NetworkText;
use crate::config::Task;
use crate::error::{Error, Result};

/// Scenes are sides of this multiple, so that the cells of all grids fill them.
const SCENE_STEP: usize = 32;
/// Smaller scenes have no room for faces of all sizes.
const LEAST_SCENE: usize = 128;

impl NetworkText {
    /// The list of layers for `task`, with the task's outputs in the order in which its loss reads them.
    ///
    /// # Errors
    /// [`Error::Config`] as [`NetworkText::architecture`], and when outputs are missing, surplus or of another size
    /// than the task's, or the input is not the square that it trains on.
    pub fn architecture_for(&self, task: Task, points: usize) -> Result<Architecture> {
        let mut built = self.build(points)?;
        self.fit(task, points, &built).map_err(|what| Error::Config(format!("network: {what}")))?;
        let wanted = outputs(task, points, built.shapes[0]);
        let rank = |name: &str| wanted.iter().position(|(wanted, _)| *wanted == name);
        built.architecture.outputs.sort_by_key(|output| rank(&output.name));
        Ok(built.architecture)
    }

    fn fit(&self, task: Task, points: usize, built: &Built) -> Result<(), String> {
        let Built { architecture: net, shapes, .. } = built;
        let (input, [rows, columns]) = (shapes[0], self.input);
        if rows != columns {
            return Err(format!("input: {rows} rows and {columns} columns, but training needs a square"));
        }
        if task == Task::Detector && (!rows.is_multiple_of(SCENE_STEP) || rows < LEAST_SCENE) {
            return Err(format!(
                "input: a detector's is a multiple of {SCENE_STEP}, at least {LEAST_SCENE}, not {rows}"
            ));
        }
        let wanted = outputs(task, points, input);
        let (kind, names) = (kind(task), || wanted.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "));
        if let Some(output) = net.outputs.iter().find(|o| !wanted.iter().any(|(name, _)| *name == o.name)) {
            let (place, name) = (built.place(self, output.value), &output.name);
            return Err(format!("{place}: the outputs of a {kind} are {}, not `{name}`", names()));
        }
        for &(name, shape) in &wanted {
            let Some(output) = net.outputs.iter().find(|output| output.name == name) else {
                return Err(format!("no layer has output = \"{name}\": a {kind} has {}", names()));
            };
            let (place, made) = (built.place(self, output.value), shapes[output.value]);
            if made != shape {
                let why = match task {
                    Task::Landmarks => format!("for {points} points"),
                    Task::Detector => format!("for an input of {input}"),
                };
                return Err(format!("{place}: it makes {made}, but the output `{name}` is {shape} {why}"));
            }
            if net.head(name).is_none() {
                let what = "is made by `head`, `vote` or `dense` without an activation behind it";
                return Err(format!("{place}: the output `{name}` {what}"));
            }
        }
        let fixed = |op: Op| task == Task::Detector && op.fixes_size();
        if let Some(layer) = net.layers.iter().position(|layer| fixed(layer.op)) {
            let place = built.place(self, layer + 1);
            return Err(format!("{place}: it learns for one size of the input, but a detector sees all sizes"));
        }
        Ok(())
    }
}

/// A task's network in words.
fn kind(task: Task) -> &'static str {
    match task {
        Task::Landmarks => "landmark network",
        Task::Detector => "detector",
    }
}

/// The outputs that a task trains, in the order in which its loss reads them.
fn outputs(task: Task, points: usize, input: Shape) -> Vec<(&'static str, Shape)> {
    match task {
        Task::Landmarks => {
            let lengths = [points.saturating_mul(2), points, 1];
            LANDMARK_OUTPUTS.into_iter().zip(lengths.map(|len| Shape::hwc(1, 1, len))).collect()
        }
        Task::Detector => {
            GRIDS.map(|(name, step)| (name, Shape::hwc(input.height / step, input.width / step, CHANNELS))).to_vec()
        }
    }
}
