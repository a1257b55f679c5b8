//! The options of JavaScript, by their JavaScript names (`apps/web/package/options.js`).

use lineament::stages::Smoother;
use lineament::{Error, Options, SmoothOptions, TrackOptions};
use wasm_bindgen::prelude::*;

/// Options for finding and following faces. What is not set keeps the default of the Rust library.
#[wasm_bindgen]
#[derive(Debug, Clone, Default)]
pub struct Settings {
    find: Options,
    track: TrackOptions,
}

#[wasm_bindgen]
impl Settings {
    /// All defaults.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets one option. The range is checked where the settings are used.
    ///
    /// # Errors
    /// For a name that is no option, and for a `maxFaces` that is not a whole number from 1.
    pub fn set(&mut self, name: &str, value: f64) -> Result<(), JsError> {
        match name {
            "minFace" => self.find.min_face = Some(value as f32),
            "maxFaces" => {
                if value.fract() != 0.0 || value < 1.0 {
                    return Err(JsError::new(&format!("maxFaces is a whole number from 1, not {value}")));
                }
                self.find.max_faces = value as usize;
            }
            "detectorThreshold" => self.find.detector_threshold = value as f32,
            "faceThreshold" => self.find.face_threshold = value as f32,
            "refine" => self.find.refine = value != 0.0,
            "searchEverySecs" => self.track.search_every_secs = value,
            "rememberSecs" => self.track.remember_secs = value,
            "smoothing.settleSecs" => self.smooth_options().settle_secs = value as f32,
            "smoothing.tolerance" => self.smooth_options().tolerance = value as f32,
            _ => return Err(JsError::new(&format!("there is no option {name}"))),
        }
        Ok(())
    }

    /// Leaves points as the network places them.
    #[wasm_bindgen(js_name = doNotSmooth)]
    pub fn do_not_smooth(&mut self) {
        self.track.smooth = None;
    }

    /// # Errors
    /// For smoothing outside its range.
    #[wasm_bindgen(js_name = checkSmoothing)]
    pub fn check_smoothing(&self) -> Result<(), JsError> {
        Smoother::new(self.track.smooth.clone().unwrap_or_default()).map_err(js_error)?;
        Ok(())
    }
}

impl Settings {
    pub(crate) fn find(&self) -> Options {
        self.find.clone()
    }

    pub(crate) fn track(&self) -> TrackOptions {
        self.track.clone()
    }

    fn smooth_options(&mut self) -> &mut SmoothOptions {
        self.track.smooth.get_or_insert_default()
    }
}

/// The library's error. One about an option begins with the option's name, which becomes that of JavaScript.
pub fn js_error(error: Error) -> JsError {
    match &error {
        Error::Option(text) => match text.split_once(' ') {
            Some((name, rest)) => JsError::new(&format!("{} {rest}", js_name(name))),
            None => JsError::new(text),
        },
        _ => JsError::new(&error.to_string()),
    }
}

/// `min_face` is `minFace`; what [`SmoothOptions`] holds belongs to `smoothing`.
fn js_name(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel_case = match name {
        "settle_secs" | "tolerance" => String::from("smoothing."),
        _ => String::new(),
    };
    camel_case.extend(words.next());
    for word in words {
        let (first, rest) = word.split_at(word.len().min(1));
        camel_case.extend([&first.to_ascii_uppercase(), rest]);
    }
    camel_case
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_javascript() {
        for (rust, js) in [
            ("min_face", "minFace"),
            ("search_every_secs", "searchEverySecs"),
            ("refine", "refine"),
            ("settle_secs", "smoothing.settleSecs"),
            ("tolerance", "smoothing.tolerance"),
        ] {
            assert_eq!(js_name(rust), js);
        }
    }
}
