//! What a layer of a network's text can say: blocks with their keys, and how each is read and written.

use lineament_nn::model::{Activation, MAX_LAYERS};
use toml::{Table, Value};

/// What follows a layer; `None` for nothing.
pub(super) type Bend = Option<Activation>;

/// Names of what can follow a layer.
const BENDS: [(&str, Bend); 4] = [
    ("relu", Some(Activation::Relu)),
    ("prelu", Some(Activation::PRelu)),
    ("hard_swish", Some(Activation::HardSwish)),
    ("none", None),
];

/// Largest side of a kernel, stride and padding that the engine takes.
const MAX_WINDOW: usize = 64;
/// More filters than any network for faces has: a slip of the finger.
const MAX_FILTERS: usize = 1 << 20;
/// Longest name.
const MAX_NAME: usize = 64;

/// What a layer of the text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    Conv,
    Depthwise,
    Separable,
    Residual,
    Dense,
    Vote,
    Head,
    MaxPool,
    GlobalPool,
    WeightedPool,
    Activation,
    BatchNorm,
    PositionBias,
    Add,
}

/// A block's name, the keys that it needs, and those that it takes besides them and [`COMMON`].
pub(super) struct Spec {
    pub block: Block,
    pub name: &'static str,
    pub needs: &'static [&'static str],
    pub takes: &'static [&'static str],
}

/// Keys that every block takes.
pub(super) const COMMON: [&str; 4] = ["from", "name", "output", "repeat"];

const fn spec(
    block: Block,
    name: &'static str,
    needs: &'static [&'static str],
    takes: &'static [&'static str],
) -> Spec {
    Spec { block, name, needs, takes }
}

pub(super) const SPECS: [Spec; 14] = [
    spec(Block::Conv, "conv", &["filters"], &["kernel", "stride", "padding", "batch_norm", "activation"]),
    spec(Block::Depthwise, "depthwise", &[], &["kernel", "stride", "padding", "batch_norm", "activation"]),
    spec(Block::Separable, "separable", &["filters"], &["kernel", "stride", "activation"]),
    spec(Block::Residual, "residual", &[], &["kernel", "activation"]),
    spec(Block::Dense, "dense", &["units"], &["activation"]),
    spec(Block::Vote, "vote", &["filters"], &["position_bias"]),
    spec(Block::Head, "head", &["filters"], &[]),
    spec(Block::MaxPool, "max_pool", &[], &[]),
    spec(Block::GlobalPool, "global_pool", &[], &[]),
    spec(Block::WeightedPool, "weighted_pool", &["weights"], &[]),
    spec(Block::Activation, "activation", &[], &["activation"]),
    spec(Block::BatchNorm, "batch_norm", &[], &[]),
    spec(Block::PositionBias, "position_bias", &[], &[]),
    spec(Block::Add, "add", &["with"], &[]),
];

impl Block {
    /// Its name in the text.
    pub fn name(self) -> &'static str {
        SPECS.iter().find(|spec| spec.block == self).map_or("?", |spec| spec.name)
    }
}

/// A number of filters or units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    /// This many.
    Number(usize),
    /// This many for each point.
    PerPoint(usize),
}

impl Count {
    /// The number for a network of `points` points.
    pub fn of(self, points: usize) -> Result<usize, String> {
        let count = match self {
            Self::Number(count) => Some(count),
            Self::PerPoint(factor) => factor.checked_mul(points),
        };
        let count = count.filter(|count| (1..=MAX_FILTERS).contains(count));
        count.ok_or_else(|| format!("{} for {points} points is outside 1 to {MAX_FILTERS}", self.value()))
    }

    fn value(self) -> Value {
        match self {
            Self::Number(count) => Value::Integer(count as i64),
            Self::PerPoint(1) => "points".into(),
            Self::PerPoint(factor) => format!("{factor} * points").into(),
        }
    }
}

/// One layer of the text, or several alike. What is not said has its default.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LayerText {
    pub block: Block,
    pub filters: Option<Count>,
    pub units: Option<Count>,
    pub kernel: Option<usize>,
    pub stride: Option<usize>,
    pub padding: Option<usize>,
    pub batch_norm: Option<bool>,
    pub activation: Option<Bend>,
    pub position_bias: Option<bool>,
    pub with: Option<String>,
    pub weights: Option<String>,
    pub from: Option<String>,
    pub name: Option<String>,
    pub output: Option<String>,
    pub repeat: Option<usize>,
}

impl LayerText {
    /// A block with nothing said.
    pub const fn new(block: Block) -> Self {
        Self {
            block,
            filters: None,
            units: None,
            kernel: None,
            stride: None,
            padding: None,
            batch_norm: None,
            activation: None,
            position_bias: None,
            with: None,
            weights: None,
            from: None,
            name: None,
            output: None,
            repeat: None,
        }
    }

    /// Layer `number` of the text, counted from 1.
    ///
    /// # Errors
    /// In words, with the number, the block and the key.
    pub fn read(number: usize, value: &Value) -> Result<Self, String> {
        let Value::Table(table) = value else {
            let what = "expected a table such as { block = \"conv\", filters = 16 }";
            return Err(format!("layer {number}: {what}, not {}", shown(value)));
        };
        let names = || SPECS.map(|spec| spec.name).join(", ");
        let block = match table.get("block") {
            Some(Value::String(name)) => name,
            Some(value) => return Err(format!("layer {number}: block: one of {}, not {}", names(), shown(value))),
            None => return Err(format!("layer {number}: `block` is missing: one of {}", names())),
        };
        let Some(spec) = SPECS.iter().find(|spec| spec.name == block) else {
            let block = shown(&Value::String(block.clone()));
            return Err(format!("layer {number}: there is no block {block}: one of {}", names()));
        };
        Self::of_spec(spec, table).map_err(|what| format!("layer {number} (`{}`): {what}", spec.name))
    }

    fn of_spec(spec: &Spec, table: &Table) -> Result<Self, String> {
        let own = || spec.needs.iter().chain(spec.takes);
        if let Some(key) = table.keys().find(|&key| key != "block" && !own().chain(&COMMON).any(|known| known == key)) {
            let keys = own().chain(&COMMON).copied().collect::<Vec<_>>().join(", ");
            return Err(format!("unknown key {}: it takes {keys}", shown(&Value::String(key.clone()))));
        }
        if let Some(key) = spec.needs.iter().find(|key| !table.contains_key(**key)) {
            return Err(format!("`{key}` is missing"));
        }
        let get = |key: &'static str| table.get(key).map(|value| (key, value));
        let number = |key, least, most| get(key).map(|entry| number(entry, least, most)).transpose();
        let name_at = |key| get(key).map(name).transpose();
        Ok(Self {
            block: spec.block,
            filters: get("filters").map(count).transpose()?,
            units: get("units").map(count).transpose()?,
            kernel: number("kernel", 1, MAX_WINDOW)?,
            stride: number("stride", 1, MAX_WINDOW)?,
            padding: number("padding", 0, MAX_WINDOW)?,
            batch_norm: get("batch_norm").map(switch).transpose()?,
            activation: get("activation").map(bend).transpose()?,
            position_bias: get("position_bias").map(switch).transpose()?,
            with: name_at("with")?,
            weights: name_at("weights")?,
            from: name_at("from")?,
            name: name_at("name")?,
            output: name_at("output")?,
            repeat: number("repeat", 1, MAX_LAYERS)?,
        })
    }

    /// Its keys with their values, in the order in which they are written.
    pub fn entries(&self) -> Vec<(&'static str, Value)> {
        let text = |text: &Option<String>| text.clone().map(Value::String);
        let number = |number: Option<usize>| number.map(|number| Value::Integer(number as i64));
        let entries = [
            ("block", Some(Value::from(self.block.name()))),
            ("from", text(&self.from)),
            ("with", text(&self.with)),
            ("weights", text(&self.weights)),
            ("filters", self.filters.map(Count::value)),
            ("units", self.units.map(Count::value)),
            ("kernel", number(self.kernel)),
            ("stride", number(self.stride)),
            ("padding", number(self.padding)),
            ("batch_norm", self.batch_norm.map(Value::Boolean)),
            ("activation", self.activation.map(|bend| bend_name(bend).into())),
            ("position_bias", self.position_bias.map(Value::Boolean)),
            ("repeat", number(self.repeat)),
            ("name", text(&self.name)),
            ("output", text(&self.output)),
        ];
        entries.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }
}

/// A value of a text, for an error: what is long is cut off.
pub(super) fn shown(value: &Value) -> String {
    const MOST: usize = 40;
    match value {
        Value::Table(_) => "a table".into(),
        Value::Array(_) => "a list".into(),
        Value::String(text) if text.chars().count() > MOST => {
            format!("\"{}...\"", text.chars().take(MOST).collect::<String>().escape_debug())
        }
        Value::String(text) => format!("\"{}\"", text.escape_debug()),
        value => value.to_string(),
    }
}

/// A whole number within its range.
pub(super) fn number((key, value): (&str, &Value), least: usize, most: usize) -> Result<usize, String> {
    let number = value.as_integer().and_then(|number| usize::try_from(number).ok());
    let number = number.filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("{key}: a whole number from {least} to {most}, not {}", shown(value)))
}

/// A number of filters or units: a whole number, `points`, or a multiple of it.
fn count((key, value): (&str, &Value)) -> Result<Count, String> {
    let in_range = |count: &usize| (1..=MAX_FILTERS).contains(count);
    let parsed = match value {
        Value::Integer(count) => usize::try_from(*count).ok().filter(in_range).map(Count::Number),
        Value::String(text) => match text.split_once('*') {
            None => (text.trim() == "points").then_some(Count::PerPoint(1)),
            Some((factor, points)) if points.trim() == "points" => {
                factor.trim().parse().ok().filter(in_range).map(Count::PerPoint)
            }
            Some(_) => None,
        },
        _ => None,
    };
    let expected = format!("a whole number from 1 to {MAX_FILTERS}, \"points\", or a multiple such as \"2 * points\"");
    parsed.ok_or_else(|| format!("{key}: {expected}, not {}", shown(value)))
}

fn switch((key, value): (&str, &Value)) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| format!("{key}: true or false, not {}", shown(value)))
}

/// What follows a layer, by its name.
pub(super) fn bend((key, value): (&str, &Value)) -> Result<Bend, String> {
    let known = BENDS.iter().find(|(name, _)| value.as_str() == Some(name));
    let names = || BENDS.map(|(name, _)| name).join(", ");
    known.map(|(_, bend)| *bend).ok_or_else(|| format!("{key}: one of {}, not {}", names(), shown(value)))
}

/// The name of what follows a layer.
pub(super) fn bend_name(bend: Bend) -> &'static str {
    BENDS.iter().find(|(_, known)| *known == bend).map_or("?", |(name, _)| name)
}

/// A name: it stands in the model file, so it has few kinds of character.
pub(super) fn name((key, value): (&str, &Value)) -> Result<String, String> {
    let is_name = |name: &&str| {
        (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let name = value.as_str().filter(is_name).map(str::to_owned);
    name.ok_or_else(|| {
        format!("{key}: a name of up to {MAX_NAME} letters, digits and `_` (a to z), not {}", shown(value))
    })
}
