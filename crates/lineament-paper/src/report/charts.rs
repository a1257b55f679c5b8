//! Charts as SVG inside the page. They carry colours for a light page; the page's style exchanges them in the dark.

use std::error::Error;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::markup::escape;
use lineament_train::curves::{COLORS, FONT, register};

/// Width and height of a chart of lines. Twice the size it is shown at, as the lines' corners lie on whole units.
const SIZE: (u32, u32) = (1440, 760);
/// Of all text.
const TEXT: u32 = 34;
/// Of the grid.
const GRID: RGBColor = RGBColor(217, 221, 226);
/// Points of a line; more cannot be told apart.
const POINTS: usize = 300;
/// Marks lines that shall be dashed: plotters' own dashes are a path each, so an opacity is exchanged for an attribute.
const DASHED: f64 = 0.75;

/// A line.
pub struct Line {
    /// Written at its end; empty: nothing.
    pub name: String,
    /// Of [`COLORS`], in turn.
    pub color: usize,
    /// The training part's.
    pub dashed: bool,
    /// From left to right; what is not finite leaves a gap.
    pub points: Vec<(f64, f64)>,
}

/// A chart.
pub struct Chart {
    /// Inline SVG.
    pub svg: String,
    /// Values above the axis were cut off.
    pub cut: bool,
}

/// The axis from left to right.
pub struct Across<'a> {
    /// Written below it.
    pub name: &'a str,
    /// Equal steps multiply; otherwise it begins at 0.
    pub log: bool,
}

/// Lines over an axis that begins at 0. None where no point can be drawn.
pub fn lines(title: &str, across: &Across, y_name: &str, lines: &[Line]) -> Option<Chart> {
    let finite = |l: &Line| l.points.iter().copied().filter(|p| p.0.is_finite() && p.1.is_finite()).collect::<Vec<_>>();
    let drawn: Vec<Vec<(f64, f64)>> = lines.iter().map(finite).collect();
    let last = drawn.iter().flatten().map(|p| p.0).fold(0.0, f64::max);
    let (highest, top) = heights(&drawn);
    if last <= 0.0 || top <= 0.0 {
        return None;
    }
    let positive = drawn.iter().flatten().map(|p| p.0).filter(|x| *x > 0.0);
    let first = positive.fold(last, f64::min).min(last / 2.0);
    let svg = svg(title, SIZE, |root| {
        let names = lines.iter().map(|l| l.name.chars().count()).max().unwrap_or(0).min(16) as i32;
        let (left, right) = (130, SIZE.0 as i32 - 20 * names - 40);
        let (up, down) = (80, SIZE.1 as i32 - 110);
        let at = |(x, y): (f64, f64)| {
            let along = |share: f64, from: i32, to: i32| from + (share * f64::from(to - from)).round() as i32;
            let share = if across.log { (x / first).ln() / (last / first).ln() } else { x / last };
            (along(share.max(0.0), left, right), along(y / top, down, up))
        };
        let y_ticks = ticks(top, 6);
        for (tick, label) in y_ticks.iter().zip(labels(&y_ticks)) {
            let y = at((0.0, *tick)).1;
            root.draw(&PathElement::new([(left, y), (right, y)], GRID.stroke_width(2)))?;
            text(root, &label, (left - 18, y), HPos::Right, &BLACK)?;
        }
        let x_ticks = if across.log { log_ticks(first, last) } else { ticks(last, 8) };
        let x_labels = if across.log {
            x_ticks.iter().map(|tick| format!("{}", *tick as f32)).collect()
        } else {
            labels(&x_ticks)
        };
        for (tick, label) in x_ticks.iter().zip(x_labels) {
            text(root, &label, (at((*tick, 0.0)).0, down + 34), HPos::Center, &BLACK)?;
        }
        text(root, y_name, (18, 30), HPos::Left, &BLACK)?;
        text(root, across.name, ((left + right) / 2, down + 84), HPos::Center, &BLACK)?;
        let mut ends = Vec::new();
        for line in lines {
            let color = COLORS[line.color % COLORS.len()];
            let style = if line.dashed { color.mix(DASHED) } else { color.to_rgba() };
            for piece in below(&thinned(&line.points), top) {
                match piece[..] {
                    [point] => root.draw(&Circle::new(at(point), 8, style.filled()))?,
                    _ => root.draw(&PathElement::new(
                        piece.into_iter().map(at).collect::<Vec<_>>(),
                        style.stroke_width(5),
                    ))?,
                }
            }
            let end = line.points.iter().rev().find(|p| p.0.is_finite() && p.1 <= top);
            ends.extend(end.filter(|_| !line.name.is_empty()).map(|end| (at(*end), line)));
        }
        // Names at the ends of their lines, moved apart from the top down.
        ends.sort_by_key(|((_, y), _)| *y);
        let mut free = 0;
        for ((x, y), line) in ends {
            let y = y.max(free);
            free = y + TEXT as i32;
            text(root, &shortened(&line.name, 16), (x + 14, y), HPos::Left, &COLORS[line.color % COLORS.len()])?;
        }
        Ok(())
    })?;
    Some(Chart { svg: svg.replace(&format!("opacity=\"{DASHED}\""), "stroke-dasharray=\"14 10\""), cut: top < highest })
}

/// A bar.
pub struct Bar {
    /// Written before it.
    pub name: String,
    /// Its length.
    pub value: f64,
    /// Written behind it: the value as text.
    pub label: String,
    /// Of [`COLORS`], in turn.
    pub color: usize,
}

/// Bars from left to right, a row each. None where no value is above 0.
pub fn bars(title: &str, bars: &[Bar]) -> Option<Chart> {
    const ROW: i32 = 72;
    const NAME: usize = 32;
    let width = |letters: Option<usize>| 21 * letters.unwrap_or(0).min(NAME) as i32 + 40;
    let names = width(bars.iter().map(|bar| bar.name.chars().count()).max());
    let labels = width(bars.iter().map(|bar| bar.label.chars().count()).max());
    let highest = bars.iter().map(|bar| bar.value).filter(|v| v.is_finite()).fold(0.0, f64::max);
    if highest <= 0.0 {
        return None;
    }
    let height = ROW * bars.len() as i32 + 24;
    let svg = svg(title, (SIZE.0, height as u32), |root| {
        for (i, bar) in bars.iter().enumerate() {
            let (top, middle) = (12 + ROW * i as i32, 12 + ROW * i as i32 + ROW / 2);
            let share = if bar.value.is_finite() { bar.value.max(0.0) / highest } else { 0.0 };
            let end = names + (share * f64::from(SIZE.0 as i32 - names - labels)).round() as i32;
            let color = COLORS[bar.color % COLORS.len()];
            root.draw(&Rectangle::new([(names, top + 10), (end.max(names + 2), top + ROW - 10)], color.filled()))?;
            text(root, &shortened(&bar.name, NAME), (names - 20, middle), HPos::Right, &BLACK)?;
            text(root, &bar.label, (end + 16, middle), HPos::Left, &BLACK)?;
        }
        Ok(())
    })?;
    Some(Chart { svg, cut: false })
}

/// A piece of line for the legend, in the colour of a chart's or, without one, of the text.
pub fn key(color: Option<usize>, dashed: bool) -> String {
    let stroke = color.map_or("currentColor".to_owned(), |color| {
        let RGBColor(r, g, b) = COLORS[color % COLORS.len()];
        format!("#{r:02X}{g:02X}{b:02X}")
    });
    let dashes = if dashed { " stroke-dasharray=\"7 5\"" } else { "" };
    format!(
        "<svg class=\"key\" width=\"38\" height=\"10\" viewBox=\"0 0 38 10\" aria-hidden=\"true\">\
         <line x1=\"1\" y1=\"5\" x2=\"37\" y2=\"5\" stroke=\"{stroke}\" stroke-width=\"3\"{dashes}/></svg>"
    )
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// The SVG that `draw` fills, with its title for those who do not see it. None where it cannot be drawn.
fn svg(title: &str, size: (u32, u32), draw: impl FnOnce(&Area) -> Result<(), Box<dyn Error>>) -> Option<String> {
    register().ok()?;
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        draw(&root).ok()?;
        root.present().ok()?;
    }
    let title = escape(title);
    let body = svg.split_once('>')?.1;
    let (width, height) = size;
    Some(format!(
        "<svg class=\"chart\" role=\"img\" aria-label=\"{title}\" viewBox=\"0 0 {width} {height}\" \
         xmlns=\"http://www.w3.org/2000/svg\"><title>{title}</title>{body}"
    ))
}

fn text(root: &Area, text: &str, at: (i32, i32), align: HPos, color: &RGBColor) -> Result<(), Box<dyn Error>> {
    let style = (FONT, TEXT).into_text_style(root).color(color).pos(Pos::new(align, VPos::Center));
    // Control characters cannot stand in XML.
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    root.draw(&Text::new(text, at, style))?;
    Ok(())
}

fn shortened(name: &str, letters: usize) -> String {
    let mut short: String = name.chars().take(letters).collect();
    if short.len() < name.len() {
        short.pop();
        short.push('…');
    }
    short
}

/// The highest value of all, and where the axis ends: high enough for two and a half times the median of each line and
/// for its end, so that the huge errors of the first epochs do not press the rest together.
fn heights(lines: &[Vec<(f64, f64)>]) -> (f64, f64) {
    let highest = lines.iter().flatten().map(|p| p.1).fold(0.0, f64::max);
    let top = lines.iter().filter_map(|line| {
        let mut values: Vec<f64> = line.iter().map(|p| p.1).collect();
        values.sort_by(f64::total_cmp);
        let median = values.get(values.len() / 2)?;
        Some((2.5 * median).max(1.1 * line.last()?.1))
    });
    (highest, top.fold(0.0, f64::max).min(1.05 * highest))
}

/// Round numbers from 0 up to `last`, about `wanted` of them at most.
fn ticks(last: f64, wanted: usize) -> Vec<f64> {
    let power = 10f64.powf((last / wanted as f64).log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|s| s * power);
    let step = steps.into_iter().find(|step| last / step <= wanted as f64).unwrap_or(last);
    (0..=wanted).map(|i| i as f64 * step).filter(|tick| *tick <= last * (1.0 + 1e-9)).collect()
}

/// Powers of ten within the range, with their doubles and fives.
fn log_ticks(first: f64, last: f64) -> Vec<f64> {
    let powers = first.log10().floor() as i32..=last.log10().ceil() as i32;
    let all = powers.flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(power)));
    all.filter(|tick| (first..=last * (1.0 + 1e-9)).contains(tick)).collect()
}

/// Ticks as text, with the places that their step needs.
fn labels(ticks: &[f64]) -> Vec<String> {
    let step = ticks.get(1).copied().unwrap_or(1.0);
    let exact =
        |places: &i32| (step * 10f64.powi(*places)).fract().min(1.0 - (step * 10f64.powi(*places)).fract()) < 1e-6;
    let places = (0..9).find(exact).unwrap_or(9) as usize;
    ticks.iter().map(|tick| format!("{tick:.places$}")).collect()
}

/// At most [`POINTS`] points, evenly taken; the last stays.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let step = points.len().div_ceil(POINTS).max(1);
    let last = points.len().saturating_sub(1);
    points.iter().enumerate().filter(|(i, _)| (last - i).is_multiple_of(step)).map(|(_, p)| *p).collect()
}

/// The pieces of a line that lie below `top`, cut where they cross it; what is not finite parts them too.
fn below(points: &[(f64, f64)], top: f64) -> Vec<Vec<(f64, f64)>> {
    let mut pieces = vec![Vec::new()];
    let mut before: Option<(f64, f64)> = None;
    for &(x, y) in points {
        let crossing = |(x0, y0): (f64, f64)| (x0 + (x - x0) * (top - y0) / (y - y0), top);
        let inside = y <= top && x.is_finite() && y.is_finite();
        let piece = pieces.last_mut().expect("there is always a piece");
        match before {
            Some(last) if inside && last.1 > top => piece.push(crossing(last)),
            Some(last) if y > top && y.is_finite() && last.1 <= top => piece.push(crossing(last)),
            _ => {}
        }
        if inside {
            piece.push((x, y));
        } else if !piece.is_empty() {
            pieces.push(Vec::new());
        }
        before = Some((x, y)).filter(|p| p.0.is_finite() && p.1.is_finite());
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_where_they_cross_the_top() {
        let nan = f64::NAN;
        let points = [(0.0, 8.0), (1.0, 4.0), (2.0, 2.0), (3.0, nan), (4.0, 2.0), (5.0, 6.0), (6.0, 9.0), (7.0, 1.0)];
        let pieces = below(&points, 4.0);
        let expected: [&[(f64, f64)]; 3] =
            [&[(0.0 + 1.0, 4.0), (1.0, 4.0), (2.0, 2.0)], &[(4.0, 2.0), (4.5, 4.0)], &[(6.625, 4.0), (7.0, 1.0)]];
        assert_eq!(pieces, expected);
    }

    #[test]
    fn thinning_keeps_the_end() {
        for len in [0usize, 1, 299, 300, 301, 1000] {
            let points: Vec<(f64, f64)> = (0..len).map(|i| (i as f64, 0.0)).collect();
            let thin = thinned(&points);
            assert!(thin.len() <= POINTS && thin.len() * 2 >= len.min(POINTS), "{len}: {}", thin.len());
            assert_eq!(thin.last(), points.last(), "{len}");
        }
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(ticks(300.0, 8), [0.0, 50.0, 100.0, 150.0, 200.0, 250.0, 300.0]);
        assert_eq!(ticks(1.0, 8), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        for last in [1e-9, 0.013, 0.7, 3.0, 40.0, 1e9] {
            let ticks = ticks(last, 6);
            assert!((3..=7).contains(&ticks.len()), "{last}: {ticks:?}");
        }
    }

    #[test]
    fn ticks_of_a_logarithmic_axis_lie_within_it() {
        assert_eq!(log_ticks(0.3, 20.0), [0.5, 1.0, 2.0, 5.0, 10.0, 20.0]);
        assert_eq!(log_ticks(50.0, 110.0), [50.0, 100.0]);
    }

    #[test]
    fn ticks_are_written_with_the_places_they_need() {
        assert_eq!(labels(&[0.0, 0.25, 0.5]), ["0.00", "0.25", "0.50"]);
        assert_eq!(labels(&ticks(1.0, 8))[3], "0.6");
        assert_eq!(labels(&[0.0, 2000.0]), ["0", "2000"]);
        assert_eq!(labels(&[0.0]), ["0"]);
    }

    #[test]
    fn the_first_epochs_do_not_set_the_height() {
        let falling: Vec<(f64, f64)> = (1..=50).map(|i| (f64::from(i), 2.0 + 40.0 / f64::from(i * i))).collect();
        let (highest, top) = heights(&[falling]);
        assert_eq!(highest, 42.0);
        assert!((4.9..5.2).contains(&top), "{top}");
        let flat: Vec<(f64, f64)> = (1..=50).map(|i| (f64::from(i), 2.0)).collect();
        assert_eq!(heights(&[flat]).1, 2.1);
    }

    #[test]
    fn charts_without_a_number_are_left_out() {
        const X: Across = Across { name: "x", log: true };
        let line = |points| Line { name: "a".into(), color: 0, dashed: false, points };
        assert!(lines("t", &X, "y", &[]).is_none());
        assert!(lines("t", &X, "y", &[line(vec![(1.0, f64::NAN), (f64::NAN, 1.0)])]).is_none());
        assert!(lines("t", &X, "y", &[line(vec![(1.0, 0.0)])]).is_none());
        assert!(bars("t", &[Bar { name: "a".into(), value: f64::NAN, label: "–".into(), color: 0 }]).is_none());
        let one = lines("t <", &X, "y", &[line(vec![(1.0, 2.0)])]).unwrap().svg;
        assert!(one.contains("<circle") && one.contains("<title>t &lt;</title>"), "{one}");
    }
}
