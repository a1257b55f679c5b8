//! Learning curves of a run: a table, and a picture of it. Both files are complete at any time.

use std::io::{Cursor, ErrorKind};
use std::path::Path;
use std::sync::OnceLock;

use plotters::coord::combinators::BindKeyPoints;
use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::register_font;

use crate::error::{Error, Result};
use crate::run_files::{self as files, write_whole};
use crate::task::Figures;

/// A validated epoch.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    /// Epochs so far.
    pub epoch: usize,
    /// Mean parts of the loss over this epoch.
    pub losses: &'a [(String, f32)],
    /// Figures on the validation photos.
    pub validation: &'a Figures,
    /// Step size of the epoch's last step.
    pub rate: f32,
    /// Samples learned from per second, since the last row.
    pub samples_per_s: f32,
    /// Seconds that the run has taken.
    pub seconds: f64,
}

/// A table of curves.
#[derive(Debug, Clone, PartialEq)]
pub struct Curves {
    /// Names of the columns; the first is `epoch`.
    pub columns: Vec<String>,
    /// A row for each validated epoch.
    pub rows: Vec<Vec<f64>>,
}

/// Reads a table of curves; `None` where there is none yet.
///
/// # Errors
/// When it cannot be read or is damaged.
pub fn read(path: &Path) -> Result<Option<Curves>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::file(path, e)),
    };
    let mut lines = text.lines();
    let columns: Vec<String> = lines.next().unwrap_or_default().split(',').map(str::to_owned).collect();
    let mut rows = Vec::new();
    for (i, line) in lines.enumerate() {
        let numbers = line.split(',').map(str::parse).collect::<Result<Vec<f64>, _>>().ok();
        match numbers.filter(|n| n.len() == columns.len()) {
            Some(numbers) => rows.push(numbers),
            None => return Err(Error::file(path, format!("line {} is damaged: mend or move it away", i + 2))),
        }
    }
    Ok(Some(Curves { columns, rows }))
}

/// Adds `row` to the table in the folder `dir` and draws it anew. Rows of the same and later epochs go: they belong to
/// an end that a resumed run does not know.
///
/// # Errors
/// When a file cannot be read or written, or the table there has other columns.
pub fn add(dir: &Path, row: &Row) -> Result<()> {
    let path = dir.join(files::CURVES);
    let losses = row.losses.iter().map(|(name, value)| (name.as_str(), f64::from(*value)));
    let validation = row.validation.iter().map(|(name, value)| (*name, f64::from(*value)));
    let columns: Vec<(&str, f64)> = [("epoch", row.epoch as f64)]
        .into_iter()
        .chain(losses)
        .chain(validation)
        .chain([
            ("rate", f64::from(row.rate)),
            ("samples_per_s", f64::from(row.samples_per_s).round()),
            ("seconds", row.seconds.round()),
        ])
        .collect();
    let header: Vec<&str> = columns.iter().map(|c| c.0).collect();
    let mut rows = match read(&path)? {
        Some(old) if old.columns != header => {
            return Err(Error::file(&path, format!("its columns are not {}: move it away", header.join(","))));
        }
        old => old.map_or(Vec::new(), |old| old.rows),
    };
    rows.retain(|old| old[0] < row.epoch as f64);
    rows.push(columns.iter().map(|c| c.1).collect());
    let text = |row: &Vec<f64>| row.iter().map(|v| (*v as f32).to_string()).collect::<Vec<_>>().join(",") + "\n";
    write_whole(&path, (header.join(",") + "\n" + &rows.iter().map(text).collect::<String>()).as_bytes())?;
    let series = |from: usize, len: usize| {
        let one = |k: usize| (columns[k].0, rows.iter().map(|row| (row[0], row[k])).collect());
        (from..from + len).map(one).collect::<Vec<Series>>()
    };
    let panels = panels(series(1, row.losses.len()), series(1 + row.losses.len(), row.validation.len()));
    let path = dir.join(files::PICTURE);
    let png = draw(&panels).map_err(|e| Error::file(&path, format!("cannot draw it: {e}")))?;
    write_whole(&path, &png)
}

/// A name, and pairs of epoch and value.
type Series<'a> = (&'a str, Vec<(f64, f64)>);

/// Curves over the same axes.
struct Panel<'a> {
    title: &'static str,
    log: bool,
    series: Vec<Series<'a>>,
}

/// Parts of the loss on a logarithmic axis, likelihoods that pass below 0 on one of their own, then the validation
/// figures in the unit of the first, which is the one that matters.
fn panels<'a>(losses: Vec<Series<'a>>, mut validation: Vec<Series<'a>>) -> Vec<Panel<'a>> {
    let positive = |s: &Series| s.1.iter().all(|p| p.1 > 0.0);
    let (log, linear): (Vec<_>, Vec<_>) = losses.into_iter().partition(positive);
    let stem = |name: &'a str| name.trim_end_matches(|c: char| c.is_ascii_digit());
    if let Some(first) = validation.first().map(|s| stem(s.0)) {
        validation.retain(|s| stem(s.0) == first);
    }
    let validation = Panel { title: "validation", log: validation.iter().all(positive), series: validation };
    let losses = [(true, log), (false, linear)].map(|(log, series)| Panel { title: "loss", log, series });
    losses.into_iter().chain([validation]).filter(|panel| !panel.series.is_empty()).collect()
}

/// Size of the picture, and of a panel's height, in pixels.
const WIDTH: u32 = 900;
const PANEL_HEIGHT: u32 = 340;
/// The name our font is registered under: it comes with the program, not from the system.
pub const FONT: &str = "sans-serif";
/// Okabe and Ito's colours, which people with any colour vision can tell apart.
pub const COLORS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
];

/// Makes [`FONT`] known, once.
///
/// # Errors
/// When the font inside the program cannot be read.
pub fn register() -> Result<(), &'static str> {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    let register = || register_font(FONT, FontStyle::Normal, epaint_default_fonts::HACK_REGULAR).is_ok();
    if *REGISTERED.get_or_init(register) { Ok(()) } else { Err("the font is damaged") }
}

/// As PNG.
fn draw(panels: &[Panel]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    register()?;
    let height = PANEL_HEIGHT * panels.len().max(1) as u32;
    let mut rgb = vec![0; (3 * WIDTH * height) as usize];
    {
        let root = BitMapBackend::with_buffer(&mut rgb, (WIDTH, height)).into_drawing_area();
        root.fill(&WHITE)?;
        for (panel, area) in panels.iter().zip(root.split_evenly((panels.len().max(1), 1))) {
            let all = || panel.series.iter().flat_map(|s| &s.1).filter(|p| p.1.is_finite());
            let range = |values: &mut dyn Iterator<Item = f64>| {
                values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
            };
            let ((first, last), (low, high)) = (range(&mut all().map(|p| p.0)), range(&mut all().map(|p| p.1)));
            if low > high {
                continue; // Not one finite number.
            }
            let epochs = first.min(last - 1.0)..last;
            if panel.log {
                let range = low / 1.1..high * 1.1;
                let ticks = log_ticks(&range);
                draw_panel(&area, panel, epochs, range.log_scale().with_key_points(ticks))?;
            } else {
                let margin = (0.05 * (high - low)).max(0.01 * high.abs()).max(f64::MIN_POSITIVE);
                draw_panel(&area, panel, epochs, low - margin..high + margin)?;
            }
        }
        root.present()?;
    }
    let mut png = Cursor::new(Vec::new());
    image::write_buffer_with_format(&mut png, &rgb, WIDTH, height, image::ColorType::Rgb8, image::ImageFormat::Png)?;
    Ok(png.into_inner())
}

/// At least three numbers within `range` for a logarithmic axis: as round as possible.
fn log_ticks(range: &std::ops::Range<f64>) -> Vec<f64> {
    let decades = range.start.log10().floor() as i32..=range.end.log10().ceil() as i32;
    let all = |of_decade: &[f64]| -> Vec<f64> {
        let ticks = decades.clone().flat_map(|d| of_decade.iter().map(move |t| t * 10f64.powi(d)));
        ticks.filter(|t| range.contains(t)).collect()
    };
    let tenths: Vec<f64> = (10..100).map(|t| f64::from(t) / 10.0).collect();
    let halves: Vec<f64> = (2..20).map(|t| f64::from(t) / 2.0).collect();
    let steps = [&[1.0][..], &[1.0, 2.0, 5.0], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], &halves, &tenths];
    steps.into_iter().map(all).find(|ticks| ticks.len() >= 3).unwrap_or_else(|| {
        let step = (range.end - range.start) / 5.0;
        (1..5).map(|k| range.start + f64::from(k) * step).collect()
    })
}

fn draw_panel<Y: AsRangedCoord<Value = f64>>(
    area: &DrawingArea<BitMapBackend, plotters::coord::Shift>,
    panel: &Panel,
    epochs: std::ops::Range<f64>,
    values: Y,
) -> Result<(), Box<dyn std::error::Error>>
where
    Y::CoordDescType: ValueFormatter<f64> + Ranged<ValueType = f64>,
{
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(76)
        .build_cartesian_2d(epochs, values)?;
    chart
        .configure_mesh()
        .max_light_lines(1)
        .bold_line_style(RGBColor(222, 222, 222))
        .x_desc("epoch")
        .y_desc(if panel.log { format!("{} (log axis)", panel.title) } else { panel.title.to_owned() })
        .x_label_formatter(&|v| format!("{v:.0}"))
        .y_label_formatter(&|v| format!("{}", (v * 1e4).round() / 1e4 + 0.0)) // No minus 0.
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 16))
        .draw()?;
    for ((name, points), color) in panel.series.iter().zip(COLORS.iter().cycle()) {
        let points = || points.iter().copied().filter(|p| p.1.is_finite());
        let label = points().next_back().map_or((*name).to_owned(), |p| format!("{name} {:.3}", p.1));
        chart
            .draw_series(LineSeries::new(points(), color.stroke_width(2)))?
            .label(label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        chart.draw_series(points().map(|p| Circle::new(p, 2, color.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.85))
        .border_style(RGBColor(200, 200, 200))
        .label_font((FONT, 14))
        .draw()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<'a>(epoch: usize, losses: &'a [(String, f32)], validation: &'a Figures) -> Row<'a> {
        Row { epoch, losses, validation, rate: 2e-3, samples_per_s: 412.3, seconds: 61.7 }
    }

    #[test]
    fn rows_are_appended_and_those_of_a_lost_end_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let losses = |v: f32| [("loss".to_owned(), v), ("likelihood".to_owned(), 0.5 - v)];
        let validation = vec![("nme68", 4.5)];
        for (epoch, loss) in [(10, 2.0), (20, 1.5), (30, 1.25), (20, 1.0)] {
            add(dir.path(), &row(epoch, &losses(loss), &validation)).unwrap();
        }
        let csv = std::fs::read_to_string(dir.path().join(files::CURVES)).unwrap();
        assert_eq!(
            csv,
            "epoch,loss,likelihood,nme68,rate,samples_per_s,seconds\n\
             10,2,-1.5,4.5,0.002,412,62\n\
             20,1,-0.5,4.5,0.002,412,62\n"
        );
        let png = image::open(dir.path().join(files::PICTURE)).unwrap();
        assert_eq!((png.width(), png.height()), (WIDTH, 3 * PANEL_HEIGHT));
    }

    #[test]
    fn odd_numbers_are_drawn_or_left_out() {
        let dir = tempfile::tempdir().unwrap();
        for (epoch, value) in [(1, f32::NAN), (2, 0.0), (3, -1e30), (4, 1e30), (5, f32::INFINITY)] {
            add(dir.path(), &row(epoch, &[("loss".into(), value)], &vec![("kept", value)])).unwrap();
        }
    }

    #[test]
    fn a_foreign_or_damaged_table_is_an_error_that_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let losses = [("loss".to_owned(), 1.0)];
        for text in ["a,b\n1,2\n", "epoch,loss,rate,samples_per_s,seconds\n1,x,1,1,1\n"] {
            std::fs::write(dir.path().join(files::CURVES), text).unwrap();
            let error = add(dir.path(), &row(2, &losses, &Vec::new())).unwrap_err().to_string();
            assert!(error.contains(files::CURVES), "{error}");
        }
    }
}
