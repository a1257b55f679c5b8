//! A network as text: the section `[network]` of a training configuration.
//!
//! docs/training.md explains the language. What a layer can say is in [`super::blocks`], how the layers of a network
//! follow from it in [`super::build`].

use std::fmt;
use std::fmt::Write as _;

use lineament_nn::model::{Architecture, Layer, MAX_LAYERS, Op};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde::{Deserialize, de::IgnoredAny};
use toml::{Table, Value};

use super::blocks::{self, Bend, Block, Count, LayerText, bend_name, shown};
use crate::error::{Error, Result};

/// Sides of the input that are accepted, in pixels.
const SIDES: (usize, usize) = (8, 4096);

/// The layers of a network as text. Made from text by [`NetworkText::parse`], or as part of a configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkText {
    pub(super) name: Option<String>,
    /// Rows and columns; the input is grey.
    pub(super) input: [usize; 2],
    /// What follows a layer that does not say it itself; absent: relu.
    pub(super) activation: Option<Bend>,
    pub(super) layers: Vec<LayerText>,
}

impl NetworkText {
    /// Reads the text of a section `[network]`, with its heading and nothing else.
    ///
    /// # Errors
    /// [`Error::Config`] naming the line, the layer (counted from 1), its block and its key.
    pub fn parse(text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Whole {
            network: NetworkText,
        }
        let whole = toml::from_str::<Whole>(text).map_err(|e| {
            let line = e.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
            let line = line.map(|line| format!("line {line}: ")).unwrap_or_default();
            Error::Config(format!("{line}{}", e.message()))
        })?;
        Ok(whole.network)
    }

    /// The name that a model file gets.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("own")
    }

    /// The section `[network]`, a line for each layer; reads back as the same.
    pub fn to_toml(&self) -> String {
        let mut text = "[network]\n".to_owned();
        // Writing to a String cannot fail, here and below.
        for (key, value) in self.head() {
            let _ = writeln!(text, "{key} = {value}");
        }
        text += "layers = [\n";
        for layer in &self.layers {
            let entries: Vec<_> = layer.entries().iter().map(|(key, value)| format!("{key} = {value}")).collect();
            let _ = writeln!(text, "  {{ {} }},", entries.join(", "));
        }
        text + "]\n"
    }

    /// The keys above the layers.
    fn head(&self) -> Vec<(&'static str, Value)> {
        let sides = self.input.map(|side| Value::Integer(side as i64));
        let name = self.name.clone().map(|name| ("name", Value::String(name)));
        let activation = self.activation.map(|bend| ("activation", bend_name(bend).into()));
        name.into_iter().chain([("input", Value::Array(sides.to_vec()))]).chain(activation).collect()
    }

    /// The text of `net` in blocks of single operations; `net` reads grey.
    ///
    /// # Panics
    /// When `net` is quantised: that is not text.
    pub(super) fn plain(name: &str, net: &Architecture) -> Self {
        let value_name = |value: usize| if value == 0 { "input".to_owned() } else { format!("value{value}") };
        let referred = |value: usize| {
            let mut layers = net.layers.iter().enumerate();
            layers.any(|(i, l)| l.op.second_input() == Some(value) || (l.input == value && i != value))
        };
        let layer = |(i, &Layer { op, input }): (usize, &Layer)| {
            let window = |block, kernel, stride, padding| LayerText {
                kernel: Some(kernel),
                stride: (stride != 1).then_some(stride),
                padding: (padding != kernel / 2).then_some(padding),
                batch_norm: Some(false),
                activation: Some(None),
                ..LayerText::new(block)
            };
            let mut layer = match op {
                Op::Conv { filters, kernel, stride, padding } => {
                    LayerText { filters: Some(Count::Number(filters)), ..window(Block::Conv, kernel, stride, padding) }
                }
                Op::Depthwise { kernel, stride, padding } => window(Block::Depthwise, kernel, stride, padding),
                Op::BatchNorm => LayerText::new(Block::BatchNorm),
                Op::Activation(activation) => {
                    LayerText { activation: Some(Some(activation)), ..LayerText::new(Block::Activation) }
                }
                Op::MaxPool => LayerText::new(Block::MaxPool),
                Op::Add { with } => LayerText { with: Some(value_name(with)), ..LayerText::new(Block::Add) },
                Op::GlobalPool => LayerText::new(Block::GlobalPool),
                Op::WeightedPool { weights } => {
                    LayerText { weights: Some(value_name(weights)), ..LayerText::new(Block::WeightedPool) }
                }
                Op::PositionBias => LayerText::new(Block::PositionBias),
                Op::Dense { units } => LayerText { units: Some(Count::Number(units)), ..LayerText::new(Block::Dense) },
                Op::Quantize => unreachable!("quantised networks are not written as text"),
            };
            layer.from = (input != i).then(|| value_name(input));
            layer.name = referred(i + 1).then(|| value_name(i + 1));
            layer.output = net.outputs.iter().find(|output| output.value == i + 1).map(|output| output.name.clone());
            layer
        };
        Self {
            name: Some(name.to_owned()),
            input: [net.input.height, net.input.width],
            activation: None,
            layers: net.layers.iter().enumerate().map(layer).collect(),
        }
    }

    /// The section's keys, from a map of any format.
    pub(super) fn read_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let (mut name, mut input, mut activation, mut layers) = (None, None, None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "name" => name = Some(map.next_value_seed(Checked(|value| blocks::name(("name", &value))))?),
                "input" => input = Some(map.next_value_seed(Checked(|value| sides(&value)))?),
                "activation" => {
                    activation = Some(map.next_value_seed(Checked(|value| blocks::bend(("activation", &value))))?);
                }
                "layers" => layers = Some(map.next_value_seed(Layers)?),
                key => {
                    let key = shown(&Value::String(key.to_owned()));
                    let what = format!("network: unknown key {key}: it takes name, input, activation, layers");
                    return Err(de::Error::custom(what));
                }
            }
        }
        let missing = |what: &str| de::Error::custom(format!("network: {what}"));
        Ok(Self {
            name,
            input: input.ok_or_else(|| missing("`input` is missing: rows and columns, such as [112, 112]"))?,
            activation,
            layers: layers.ok_or_else(|| missing("`layers` is missing: a list of blocks"))?,
        })
    }
}

impl Serialize for NetworkText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let owned = |entries: Vec<(&'static str, Value)>| -> Table {
            entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
        };
        let mut table = owned(self.head());
        let layers = self.layers.iter().map(|layer| Value::Table(owned(layer.entries())));
        table.insert("layers".to_owned(), Value::Array(layers.collect()));
        table.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for NetworkText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Section;
        impl<'de> Visitor<'de> for Section {
            type Value = NetworkText;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("the section [network] with `input` and `layers`")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<NetworkText, A::Error> {
                NetworkText::read_map(map)
            }
        }
        deserializer.deserialize_map(Section)
    }
}

/// Rows and columns of the input.
fn sides(value: &Value) -> Result<[usize; 2], String> {
    let (least, most) = SIDES;
    match value.as_array().map(Vec::as_slice) {
        Some([rows, columns]) => {
            let side = |value| blocks::number(("input", value), least, most);
            Ok([side(rows)?, side(columns)?])
        }
        _ => Err(format!("input: rows and columns, such as [112, 112], not {}", shown(value))),
    }
}

/// A value that a function checks. It does so before the value's end, so that the format's own place of the value goes
/// into the error.
struct Checked<F>(F);

impl<T, F: FnOnce(Value) -> Result<T, String>> Checked<F> {
    fn check<E: de::Error>(self, value: impl Into<Value>) -> Result<T, E> {
        (self.0)(value.into()).map_err(|what| E::custom(format!("network: {what}")))
    }
}

impl<'de, T, F: FnOnce(Value) -> Result<T, String>> DeserializeSeed<'de> for Checked<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T, F: FnOnce(Value) -> Result<T, String>> Visitor<'de> for Checked<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value of a network's text")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<T, E> {
        self.check(value)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<T, E> {
        self.check(value)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<T, E> {
        self.check(value)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<T, E> {
        self.check(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<T, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element::<Value>()? {
            values.push(value);
        }
        self.check(values)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        self.check(Table::deserialize(MapAccessDeserializer::new(map))?)
    }
}

/// The layers, each read under its number.
struct Layers;

impl<'de> DeserializeSeed<'de> for Layers {
    type Value = Vec<LayerText>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Layers {
    type Value = Vec<LayerText>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of blocks such as [{ block = \"conv\", filters = 16 }]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut layers = Vec::new();
        loop {
            let number = layers.len() + 1;
            if layers.len() == MAX_LAYERS {
                return match seq.next_element::<IgnoredAny>()? {
                    None => Ok(layers),
                    Some(_) => Err(de::Error::custom(format!("network: more than {MAX_LAYERS} layers"))),
                };
            }
            match seq.next_element_seed(Checked(|value| LayerText::read(number, &value)))? {
                Some(layer) => layers.push(layer),
                None => return Ok(layers),
            }
        }
    }
}
