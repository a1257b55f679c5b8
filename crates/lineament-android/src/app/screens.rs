//! What the screens show.

use super::measure::Benchmark;
use super::{App, Screen, Stream};
use crate::models;
use crate::page::{AMBER, Area, GREY, LETTER, Layout, WHITE};

const PERMISSION_WORDS: &str = "Lineament shows the points of faces that the camera sees. It needs the permission to \
    use the camera. Pictures stay on this phone. Tap to answer the question again; if nothing appears, allow it in the \
    system's settings.";

impl App {
    pub(super) fn layout(&self) -> Option<Layout> {
        let surface = self.surface.as_ref()?;
        let picture = self.upright.filter(|_| self.screen == Screen::Camera);
        Some(Layout::new(surface.size(), surface.insets(), picture))
    }

    /// Draws a screen without a camera picture. While frames come, the next frame is drawn instead.
    pub(super) fn draw_page(&mut self) {
        if !self.visible() || self.screen == Screen::Camera && self.upright.is_some() {
            return;
        }
        let Some(layout) = self.layout() else { return };
        self.shown_secs = self.platform.clock.secs();
        self.page.fit(layout.width, layout.height);
        self.page.clear();
        match self.screen {
            Screen::Camera => {
                let words = match &self.stream {
                    _ if !self.granted => PERMISSION_WORDS.to_owned(),
                    Stream::Trouble(trouble) => trouble.to_string(),
                    _ => "The camera starts.".to_owned(),
                };
                self.page.notice(&words, layout.text);
            }
            Screen::Benchmark => self.draw_benchmark(&layout),
            Screen::Models => self.draw_models(&layout),
        }
        self.draw_buttons(&layout);
        self.post();
    }

    pub(super) fn draw_benchmark(&mut self, layout: &Layout) {
        let mut lines = vec![(format!("Benchmark, {:.0} seconds", self.plan.secs()), AMBER), (String::new(), WHITE)];
        match &self.benchmark {
            Benchmark::Idle(answer) => {
                let wrapped = answer.iter().flat_map(|line| match line.len() > layout.columns() {
                    true => crate::font::wrap(line, layout.columns()),
                    false => vec![line.clone()],
                });
                lines.extend(wrapped.map(|line| (line, WHITE)));
                lines.push((String::new(), WHITE));
                lines.push(("Tap to start.".into(), GREY));
            }
            Benchmark::Running { share, .. } => {
                lines.push((format!("{:.0} % done", 100.0 * share), WHITE));
                lines.push(("Leave the phone as it is. Tap to stop.".into(), GREY));
            }
        }
        self.page.lines(lines.iter().map(|(line, colour)| (line.as_str(), *colour)), layout.text);
    }

    pub(super) fn draw_models(&mut self, layout: &Layout) {
        self.page.line("Models: tap one to measure it", layout.text.left, layout.text.top, AMBER);
        let rows = model_rows(layout);
        if self.files.is_empty() {
            let folder = self.platform.folder.as_ref().map(|at| at.join(models::FOLDER).display().to_string());
            let words = format!("No model files. Copy .onnx files into {}", folder.as_deref().unwrap_or("the app"));
            return self.page.notice(&words, layout.text);
        }
        let texts = self.files.iter().zip(&self.answers).flat_map(|(file, answer)| {
            [(format!("{} {:.1} MB", file.name, file.bytes as f64 / 1e6), WHITE), (format!("  {answer}"), GREY)]
        });
        let texts: Vec<_> = texts.collect();
        self.page.lines(texts.iter().map(|(line, colour)| (line.as_str(), *colour)), rows);
    }

    pub(super) fn draw_buttons(&mut self, layout: &Layout) {
        for (number, &(screen, name)) in Screen::ALL.iter().enumerate() {
            self.page.button(name, layout.button(number, Screen::ALL.len()), screen == self.screen);
        }
    }

    /// A window that cannot be written is about to be lost, which is an event of its own.
    pub(super) fn post(&mut self) {
        let Some(surface) = &mut self.surface else { return };
        let canvas = &self.page.canvas;
        if surface.show(canvas.pixels(), canvas.width(), canvas.height()).is_err() {
            self.message = None;
        }
    }
}

/// Below the heading.
pub(super) fn model_rows(layout: &Layout) -> Area {
    let Area { left, top, width, height } = layout.text;
    Area { left, top: top + 2 * LETTER.1, width, height: height.saturating_sub(2 * LETTER.1) }
}
