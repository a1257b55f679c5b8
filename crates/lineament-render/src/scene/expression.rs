//! Expressions: weights of the model's shapes, which are named as ARKit's.

use crate::assets::Head;
use crate::dice::Dice;
use crate::settings::Settings;

/// Weights under construction.
struct Weights<'a> {
    head: &'a Head,
    values: Vec<f32>,
}

impl Weights<'_> {
    fn add(&mut self, name: &str, weight: f32) {
        let index = self.head.expression(name);
        self.values[index] += weight;
    }

    /// Left and right, which differ by a share of `asymmetry`.
    fn both(&mut self, name: &str, weight: f32, asymmetry: f32, dice: &mut Dice) {
        for side in ["L", "R"] {
            self.add(&format!("{name}_{side}"), weight * (1.0 + asymmetry * dice.normal()));
        }
    }
}

/// How much left and right differ.
const ASYMMETRY: f32 = 0.15;

pub(super) fn draw(head: &Head, settings: &Settings, dice: &mut Dice) -> Vec<f32> {
    let mut weights = Weights { head, values: vec![0.0; head.expressions.len()] };
    if !dice.chance(settings.neutral_share) {
        mouth(&mut weights, dice);
    }
    if dice.chance(0.35) {
        weights.both("mouthPress", 0.3 * dice.unit(), ASYMMETRY, dice);
        weights.add("mouthRollLower", 0.3 * dice.unit());
        weights.add("mouthRollUpper", 0.3 * dice.unit());
    }
    for (name, share) in [("jawLeft", 0.03), ("jawRight", 0.03), ("mouthLeft", 0.03), ("mouthRight", 0.03)] {
        if dice.chance(share) {
            weights.add(name, 0.6 * dice.unit());
        }
    }
    if dice.chance(0.45) {
        weights.both("browInnerUp", dice.range(0.0, 0.8), ASYMMETRY, dice);
        weights.both("browOuterUp", dice.range(0.0, 0.9), ASYMMETRY, dice);
    } else if dice.chance(0.4) {
        weights.both("browDown", dice.unit(), ASYMMETRY, dice);
    }
    eyes(&mut weights, settings, dice);
    weights.values.iter().map(|w| w.clamp(0.0, 1.05)).collect()
}

fn mouth(weights: &mut Weights, dice: &mut Dice) {
    match dice.weighted(&[0.5, 0.16, 0.08, 0.1, 0.08, 0.08]) {
        // A smile, often with teeth.
        0 => {
            let smile = dice.range(0.2, 1.0);
            weights.both("mouthSmile", smile, ASYMMETRY, dice);
            weights.both("cheekSquint", smile * dice.range(0.3, 1.0), ASYMMETRY, dice);
            weights.both("eyeSquint", smile * dice.range(0.0, 0.6), ASYMMETRY, dice);
            if dice.chance(0.6) {
                weights.both("mouthUpperUp", smile * dice.range(0.2, 0.8), ASYMMETRY, dice);
                weights.both("mouthLowerDown", smile * dice.range(0.1, 0.8), ASYMMETRY, dice);
                weights.add("jawOpen", dice.range(0.0, 0.3));
            }
        }
        1 => {
            weights.add("jawOpen", dice.range(0.1, 1.0));
            if dice.chance(0.4) {
                weights.add("mouthFunnel", dice.range(0.0, 0.5));
            }
        }
        2 => weights.add("mouthPucker", dice.range(0.2, 1.0)),
        3 => {
            weights.both("mouthFrown", dice.range(0.2, 0.9), ASYMMETRY, dice);
            weights.both("browDown", dice.range(0.0, 0.9), ASYMMETRY, dice);
        }
        4 => {
            weights.both("mouthStretch", dice.range(0.2, 0.9), ASYMMETRY, dice);
            weights.both("mouthUpperUp", dice.range(0.0, 0.8), ASYMMETRY, dice);
            weights.both("noseSneer", dice.unit(), ASYMMETRY, dice);
            weights.add("jawOpen", dice.range(0.0, 0.6));
        }
        // Any six.
        _ => {
            for _ in 0..6 {
                let index = dice.below(weights.values.len());
                if !weights.head.expressions[index].contains("Look") {
                    weights.values[index] += dice.range(0.0, 0.6);
                }
            }
        }
    }
}

fn eyes(weights: &mut Weights, settings: &Settings, dice: &mut Dice) {
    if dice.chance(settings.closed_share) {
        weights.both("eyeBlink", dice.range(0.7, 1.0), 0.03, dice);
    } else {
        match dice.weighted(&[0.28, 0.35, 0.04, 0.33]) {
            0 => weights.both("eyeBlink", dice.range(0.0, 0.35), 0.05, dice),
            1 => weights.both("eyeWide", dice.range(0.0, 0.9), 0.05, dice),
            // A wink.
            2 => weights.add(if dice.chance(0.5) { "eyeBlink_L" } else { "eyeBlink_R" }, 1.0),
            _ => (),
        }
    }
    let (right, up) = (0.28 * dice.normal(), 0.24 * dice.normal());
    for (name, weight) in [
        ("eyeLookOut_L", right),
        ("eyeLookIn_R", right),
        ("eyeLookIn_L", -right),
        ("eyeLookOut_R", -right),
        ("eyeLookUp_L", up),
        ("eyeLookUp_R", up),
        ("eyeLookDown_L", -up),
        ("eyeLookDown_R", -up),
    ] {
        weights.add(name, weight.max(0.0));
    }
}
