//! The figures on the camera screen: how long each part of a frame takes, smoothed so that they can be read.

use lineament_bench::Memory;

use crate::platform::Heat;

/// Share of a new value in a figure: about the last 20 frames count. Chosen by eye.
const SHARE: f64 = 0.1;
/// Seconds between two looks at the memory, which the system needs a while to count.
const MEMORY_EVERY_SECS: f64 = 1.0;

/// A mean that forgets.
#[derive(Debug, Clone, Copy, Default)]
struct Smoothed(Option<f64>);

impl Smoothed {
    fn add(&mut self, value: f64) {
        self.0 = Some(self.0.map_or(value, |mean| mean + SHARE * (value - mean)));
    }
}

/// What is measured of each frame.
#[derive(Debug, Default)]
pub struct Figures {
    /// Frames without a search: the landmark network alone.
    landmarks: Smoothed,
    /// What a search adds.
    detect: Smoothed,
    draw: Smoothed,
    /// From frame to frame.
    step: Smoothed,
    last_frame_secs: Option<f64>,
    memory: Option<Memory>,
    memory_secs: Option<f64>,
}

impl Figures {
    /// A frame came at this time.
    pub fn frame(&mut self, now_secs: f64) {
        if let Some(last) = self.last_frame_secs.replace(now_secs) {
            self.step.add(now_secs - last);
        }
        if self.memory_secs.is_none_or(|secs| now_secs - secs >= MEMORY_EVERY_SECS) {
            (self.memory, self.memory_secs) = (Memory::read(), Some(now_secs));
        }
    }

    /// The tracker took `secs` for a frame with `faces` faces, and `searched` it.
    pub fn tracked(&mut self, secs: f64, searched: bool, faces: usize) {
        match (searched, self.landmarks.0) {
            (false, _) => self.landmarks.add(secs),
            (true, _) if faces == 0 => self.detect.add(secs),
            (true, Some(landmarks)) => self.detect.add((secs - landmarks).max(0.0)),
            (true, None) => (),
        }
    }

    /// Turning, colours, outlines and text took `secs`.
    pub fn drawn(&mut self, secs: f64) {
        self.draw.add(secs);
    }

    /// A line for each figure.
    pub fn lines(&self, faces: usize, stream: &str, heat: Option<Heat>) -> Vec<String> {
        let ms = |what: &str, figure: Smoothed| {
            figure.0.map_or_else(|| format!("{what:<10}     -"), |secs| format!("{what:<10}{:>6.1} ms", 1e3 * secs))
        };
        let fps = self.step.0.filter(|&step| step > 0.0).map_or(0.0, |step| 1.0 / step);
        let mut lines = vec![
            format!("{fps:>4.0} fps   {stream}"),
            ms("detect", self.detect),
            ms("landmarks", self.landmarks),
            ms("draw", self.draw),
            format!("faces     {faces:>6}"),
        ];
        if let Some(memory) = self.memory {
            lines.push(format!("memory    {:>6.0} MiB", memory.now_kib as f64 / 1024.0));
        }
        if let Some(words) = heat.and_then(words) {
            lines.push(words.to_owned());
        }
        lines
    }
}

/// What heat means for the figures; nothing where it changes none.
fn words(heat: Heat) -> Option<&'static str> {
    match heat {
        Heat::None | Heat::Light => None,
        Heat::Moderate => Some("warm"),
        Heat::Severe => Some("hot: the phone slows down"),
        Heat::Critical => Some("too hot: let it cool down"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_told_apart_from_the_landmarks() {
        let mut figures = Figures::default();
        figures.tracked(0.009, true, 1); // Not known yet what of it is the search.
        assert!(figures.detect.0.is_none());
        figures.tracked(0.002, false, 1);
        figures.tracked(0.005, true, 1);
        let lines = figures.lines(1, "front 640x480", Some(Heat::Severe));
        assert_eq!(lines[1..3], ["detect       3.0 ms", "landmarks    2.0 ms"]);
        assert_eq!(lines.last().unwrap(), "hot: the phone slows down");
    }

    #[test]
    fn frames_per_second_follow_the_clock() {
        let mut figures = Figures::default();
        (0..100).for_each(|i| figures.frame(f64::from(i) / 25.0));
        assert!(figures.lines(0, "", None)[0].starts_with("  25 fps"));
    }
}
