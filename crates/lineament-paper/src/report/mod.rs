//! The report: one HTML page without scripts that loads nothing. It is XML as well, so that a strict reader takes it.

mod charts;
mod markup;
mod tables;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use self::charts::{Across, Bar, Chart, Line};
use self::markup::{bullets, escape, paragraph};
use super::conclusion::conclusion;
use super::metrics::{ACCURACY, LOSS, MAE, Metric, NME, main_metric};
use super::numbers::{self, count};
use super::paper_values as paper;
use super::results::{Epoch, Figures, Network, Picture, Results};

/// What the page looks like, in light, in the dark, on a phone and on paper.
const STYLE: &str = include_str!("style.css");

/// The report as one HTML page. Where [`Results::conclusion`] is empty, [`conclusion`] is taken.
pub fn html(results: &Results) -> String {
    let sections = [
        heading(results),
        section("Accuracy and loss", &accuracy(results)),
        section("Size and speed", &size(results)),
        section("Learning curves", &curves(results)),
        section("Training time and pooling", &training_time(results)),
        section("Filters and kernels", &filters(results)),
        section("Pictures", &pictures(results)),
        section("How to repeat it, and how the paper was read", &repeat(results)),
    ];
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>Max-pooling and facial landmarks: {}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n{}</body>\n</html>\n",
        escape(&results.data.table),
        sections.concat()
    )
}

/// A part with a heading; nothing where it is empty.
fn section(title: &str, content: &str) -> String {
    if content.is_empty() { String::new() } else { format!("<section>\n<h2>{title}</h2>\n{content}</section>\n") }
}

/// Title, what was found, and on what.
fn heading(results: &Results) -> String {
    let sentences = if results.conclusion.is_empty() { conclusion(results) } else { results.conclusion.clone() };
    let (data, recipe, machine) = (&results.data, &results.recipe, &results.machine);
    let mut facts = vec![
        ("Table", format!("{}, {} points a face", data.table, data.points)),
        ("Faces", format!("{} to learn from, {} held back", count(data.train as u64), count(data.validation as u64))),
    ];
    if !data.tests.is_empty() {
        let tests: Vec<String> =
            data.tests.iter().map(|(name, faces)| format!("{name} ({} faces)", count(*faces as u64))).collect();
        facts.push(("Other tables", numbers::list(&tests)));
    }
    let taken = match recipe.rows {
        Some(rows) => format!("{} drawn from the table by the seed", count(rows as u64)),
        None => "all of the table".to_owned(),
    };
    let order = if recipe.shuffle { "shuffled by the seed" } else { "in the table's order" };
    let share = numbers::significant(100.0 * recipe.validation_share, 2);
    let batch = match recipe.groups {
        0 | 1 => count(recipe.batch as u64),
        groups => format!("{}, in {groups} parts side by side", count(recipe.batch as u64)),
    };
    let threads = if machine.threads == 1 { "1 thread".to_owned() } else { format!("{} threads", machine.threads) };
    facts.extend([
        ("Rows", format!("{taken}, {order}, the last {share} % held back")),
        ("Epochs", format!("{} (the paper: {})", count(recipe.epochs as u64), paper::EPOCHS)),
        ("Batch", batch),
        ("Step", format!("Adam, {}", recipe.rate)),
        ("Seed", recipe.seed.to_string()),
        ("Machine", format!("{}, {threads}, {}", machine.processor, machine.level)),
    ]);
    let facts: String =
        facts.iter().map(|(name, fact)| format!("<dt>{name}</dt><dd>{}</dd>\n", escape(fact))).collect();
    format!(
        "<h1>Max-pooling and facial landmarks: the paper’s experiment, repeated</h1>\n\
         <p class=\"under\">After Kendrick, Tan, Walker and Yap, “The Application of Neural Networks for Facial \
         Landmarking on Mobile Devices”. Lineament {}.</p>\n\
         <div class=\"summary\">\n<h2>What the numbers say</h2>\n{}</div>\n\
         <section>\n<h2>Data and recipe</h2>\n<p>The same for every network.</p>\n<dl>\n{facts}</dl>\n</section>\n",
        escape(&results.version),
        bullets(&sentences)
    )
}

/// Table 1 and why its numbers cannot be compared as they stand.
fn accuracy(results: &Results) -> String {
    if results.networks.is_empty() {
        return String::new();
    }
    let mut reasons = vec![
        "The paper’s losses (0.17, 0.12, 0.38) cannot be RMSE in pixels together with its accuracies (0.63, 0.64, \
         0.69): with an RMSE of 0.17 px nearly every coordinate would round to the right pixel. Its unit is not \
         known."
            .to_owned(),
        "Accuracy counts coordinates that round to the same whole pixel as their label (equation 2). It depends on \
         the labels: the paper’s are dlib’s whole pixels in the crop, labels with fractions are rounded first."
            .to_owned(),
        format!(
            "The paper learned from and validated on {} faces of MORPH, here it was {} of {}.",
            count(paper::FACES),
            count((results.data.train + results.data.validation) as u64),
            results.data.table
        ),
    ];
    if results.recipe.epochs != paper::EPOCHS {
        let (ours, theirs) = (count(results.recipe.epochs as u64), paper::EPOCHS);
        reasons.push(format!("The paper trained for {theirs} epochs, here it was {ours}."));
    }
    let note = "The training part is measured while it is learned from, over the last epoch. The validation part and \
                the other tables are measured on the exported file, but for the medians. Bold is the best of a row and \
                what is within 2 % of it.";
    let why = "So the trend from network to network can be compared with the paper’s, single numbers cannot:";
    tables::figures(results).html() + &paragraph(note) + &paragraph(why) + &bullets(&reasons)
}

/// Table 2.
fn size(results: &Results) -> String {
    if results.networks.is_empty() {
        return String::new();
    }
    let notes = [
        "The paper names nominal images of 12×12, 24×24 and 48×48. Its files fit networks whose convolutions are not \
         padded, which end at 11×11, 22×22 and 46×46; with padding they would be 9 to 19 % larger. Its “32.5MB” are \
         32,525 KiB, its “120MB” and “518MB” are MiB."
            .to_owned(),
        format!(
            "Frames go from RGBA to points, or to boxes alone in the last column. The paper’s {} took 59 ms for the \
             detector and about 8 ms more with the basic network; the other two could not be loaded. Rates of another \
             machine and another detector can be compared with each other, not with the phone’s.",
            paper::PHONE
        ),
        "The limits are the paper’s: 68 MB for an asset that Android compresses (section 4), 100 MB for a package on \
         the Play store (section 5), both read as 1,000,000 bytes each."
            .to_owned(),
    ];
    tables::sizes(results).html() + &bullets(&notes)
}

/// Figures 4 to 6, and NME.
fn curves(results: &Results) -> String {
    const EPOCHS: Across = Across { name: "epoch", log: false };
    let figures: [(&Metric, &str, &str, &str); 4] = [
        (
            &ACCURACY,
            "Accuracy",
            "share of coordinates",
            "As the paper’s figure 4: coordinates right to the whole pixel.",
        ),
        (&LOSS, "Loss", "RMSE, px of the crop", "As the paper’s figure 5: root mean square error."),
        (&MAE, "MAE", "px of the crop", "As the paper’s figure 6: mean absolute error."),
        (&NME, "NME", "% of eye distance", "Not in the paper: mean distance over that of the outer eye corners."),
    ];
    let draw = |(measure, name, unit, caption): (&Metric, &str, &str, &str)| {
        let lines: Vec<Line> =
            results.networks.iter().enumerate().flat_map(|(color, n)| history(n, color, measure)).collect();
        let chart =
            charts::lines(&format!("{name} of the training and validation parts over epochs"), &EPOCHS, unit, &lines)?;
        Some(figure(&legend(&results.networks, true), &chart, name, caption))
    };
    let drawn: String = figures.into_iter().filter_map(draw).collect();
    if drawn.is_empty() {
        return drawn;
    }
    paragraph("The training part is measured while it is learned from, the validation part at the end of each epoch.")
        + &drawn
}

/// The two lines of a network.
fn history(network: &Network, color: usize, measure: &Metric) -> [Line; 2] {
    let points = |part: fn(&Epoch) -> &Figures| {
        let value = |e: &Epoch| (e.epoch as f64, measure.of(part(e)).unwrap_or(f64::NAN));
        network.history.iter().map(value).collect()
    };
    [
        Line { name: String::new(), color, dashed: true, points: points(|e| &e.training) },
        Line { name: network.name.clone(), color, dashed: false, points: points(|e| &e.validation) },
    ]
}

/// Names and colours; with `parts` which kind of line is which part.
fn legend(networks: &[Network], parts: bool) -> String {
    let one =
        |(color, n): (usize, &Network)| format!("<span>{}{}</span>", charts::key(Some(color), false), escape(&n.name));
    let networks: String = networks.iter().enumerate().map(one).collect();
    let kinds = match parts {
        true => format!(
            "<span>{}validation</span><span>{}training</span>",
            charts::key(None, false),
            charts::key(None, true)
        ),
        false => String::new(),
    };
    format!("<div class=\"keys\">{networks}{kinds}</div>\n")
}

fn figure(legend: &str, chart: &Chart, title: &str, caption: &str) -> String {
    let cut = if chart.cut { " Higher values of the first epochs are cut off." } else { "" };
    let (svg, title, caption) = (&chart.svg, escape(title), escape(caption));
    format!(
        "<figure>\n{legend}<div class=\"wide\" tabindex=\"0\">{svg}</div>\n\
         <figcaption><b>{title}.</b> {caption}{cut}</figcaption>\n</figure>\n"
    )
}

/// What the paper's section 7 asks: how pooling changes the time that training takes.
fn training_time(results: &Results) -> String {
    let networks = &results.networks;
    if networks.is_empty() {
        return String::new();
    }
    let bar = |(color, n): (usize, &Network)| {
        let name = format!("{}, {} pooled", n.name, n.layers.pools);
        Bar { name, value: n.seconds_per_epoch, label: numbers::duration(n.seconds_per_epoch), color }
    };
    let bars: Vec<_> = networks.iter().enumerate().map(bar).collect();
    let per_epoch = charts::bars("Time of the fastest epoch", &bars).map(|chart| {
        figure("", &chart, "Time of an epoch", "Of the fastest epoch, by the number of convolutions that are pooled.")
    });
    let longest = networks.iter().map(|n| n.seconds_per_epoch * n.history.len() as f64).filter(|t| t.is_finite());
    let (unit, seconds) = match longest.fold(0.0, f64::max) {
        t if t > 7200.0 => ("hours", 3600.0),
        t if t > 120.0 => ("minutes", 60.0),
        _ => ("seconds", 1.0),
    };
    let line = |(color, n): (usize, &Network)| {
        let mut best = f64::NAN;
        let value = |e: &Epoch| {
            best = best.max(ACCURACY.of(&e.validation).unwrap_or(f64::NAN));
            (e.epoch as f64 * n.seconds_per_epoch / seconds, best)
        };
        Line { name: String::new(), color, dashed: false, points: n.history.iter().map(value).collect() }
    };
    let lines: Vec<Line> = networks.iter().enumerate().map(line).collect();
    let across = Across { name: &format!("{unit} of training (logarithmic)"), log: true };
    let title = "Best validation accuracy over time of training";
    let against = charts::lines(title, &across, "accuracy", &lines).map(|chart| {
        let caption = "The best of the validation part so far, over the time that the training steps took: where \
                       lines cross, the network with less pooling has made up for its slower epochs.";
        figure(&legend(networks, false), &chart, "Accuracy against time", caption)
    });
    let intro = "The paper leaves open how pooling changes the time of training (section 7).";
    paragraph(intro) + &tables::training(results).html() + &per_epoch.unwrap_or_default() + &against.unwrap_or_default()
}

/// What the paper's section 7 asks: how the filters change the result.
fn filters(results: &Results) -> String {
    if results.filters.is_empty() {
        return String::new();
    }
    let measure = main_metric(tables::studied(results));
    let bar = |n: &Network| {
        let value = measure.of(&n.settled());
        let label = value.map_or(numbers::NONE.to_owned(), |v| measure.text(v));
        Bar { name: n.name.clone(), value: value.unwrap_or(f64::NAN), label, color: 0 }
    };
    let bars: Vec<_> = tables::studied(results).map(bar).collect();
    let chart = charts::bars(&format!("Validation {} by filters and kernels", measure.name), &bars)
        .map(|chart| figure("", &chart, &format!("Validation {}", measure.name), "Less is better."));
    let intro = "The paper leaves open how the size of filters changes the result (section 7). The basic network with \
                 other numbers of filters and other kernels, trained alike:";
    paragraph(intro) + &tables::filters(results).html() + &chart.unwrap_or_default()
}

/// Pictures with points, a column for each network, as the paper's figures 7 to 9 show its application.
fn pictures(results: &Results) -> String {
    let shown: Vec<&Picture> = results.pictures.iter().filter(|p| p.drawn.iter().any(|d| !d.is_empty())).collect();
    if shown.is_empty() {
        return String::new();
    }
    let mut html = paragraph("Each network’s points on the same pictures, as in the paper’s figures 7 to 9.");
    for group in shown.chunk_by(|a, b| a.group == b.group) {
        html += &format!("<h3>{}</h3>\n", escape(&group[0].group));
        for picture in group {
            let one = |(network, drawn): (&Network, &Vec<u8>)| {
                let (name, network) = (escape(&picture.name), escape(&network.name));
                let kind = if drawn.starts_with(&[0xff, 0xd8]) { "jpeg" } else { "png" };
                let data = STANDARD.encode(drawn);
                format!(
                    "<figure><img src=\"data:image/{kind};base64,{data}\" alt=\"{name} with the points of {network}\"/>\
                     <figcaption>{network}</figcaption></figure>\n"
                )
            };
            let drawn: String =
                results.networks.iter().zip(&picture.drawn).filter(|d| !d.1.is_empty()).map(one).collect();
            let columns = results.networks.len().max(1);
            html += &format!(
                "<p class=\"name\">{}</p>\n\
                 <div class=\"faces\" style=\"grid-template-columns: repeat({columns}, 1fr)\">\n{drawn}</div>\n",
                escape(&picture.name)
            );
        }
    }
    html
}

/// The command, and where the paper can be read in more than one way.
fn repeat(results: &Results) -> String {
    let recipe = &results.recipe;
    let mut command = format!("lineament experiment paper {} --epochs {}", results.data.table, recipe.epochs);
    if let Some(rows) = recipe.rows {
        command += &format!(" --rows {rows}");
    }
    if recipe.shuffle {
        command += " --shuffle";
    }
    let held_back = match recipe.shuffle {
        true => {
            "The last rows are held back, as Keras does it, but after shuffling: names of files may mean something."
        }
        false => "The last rows are held back, as Keras does it.",
    };
    let readings = [
        "Convolutions are not padded: only so the files have the sizes of table 2.",
        "The loss is the root of the mean square; equation 1 lost its square in print.",
        "Accuracy rounds prediction and label; equation 2 rounds the prediction.",
        "Adam with its usual constants; the paper names only Adam.",
        "The seed draws our weights, not TensorFlow’s: even 7, the paper’s, gives other weights.",
        held_back,
        "MORPH is licensed to each user, so the table is the user’s own.",
        "Frame rates are this machine’s, as the median over frames, on one thread; the paper’s are a phone’s.",
    ]
    .map(str::to_owned);
    format!(
        "<pre>{}</pre>\n{}{}{}",
        escape(&command),
        paragraph("The same seed and the same processor give the same weights, with any number of threads."),
        paragraph("What the paper leaves open or prints in two ways, and how it is done here (more in docs/paper.md):"),
        bullets(&readings)
    )
}

#[cfg(test)]
mod tests {
    use super::super::sample_results;
    use super::*;

    /// The page, after a strict reader has taken it and nothing in it points to the outside.
    fn checked(results: &Results) -> String {
        let page = html(results);
        let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
        let document =
            roxmltree::Document::parse_with_options(&page, options).unwrap_or_else(|e| panic!("{e}\n{page}"));
        for node in document.descendants() {
            assert!(!["script", "link", "iframe", "object"].contains(&node.tag_name().name()), "{node:?}");
            for attribute in node.attributes().filter(|a| ["src", "href", "data", "srcset"].contains(&a.name())) {
                assert!(attribute.value().starts_with("data:image/"), "{}", attribute.value());
            }
        }
        assert!(!page.contains("url(") && !page.contains("@import"), "the style loads something");
        assert!(!page.contains("NaN") && !page.contains(">inf"), "a number is not written for people");
        page
    }

    #[test]
    fn the_papers_numbers_stand_beside_ours() {
        let page = checked(&sample_results::results());
        for expected in [
            "<td>0.63</td><td>0.64</td><td>0.69</td>",
            "<td>0.17</td><td>0.12</td><td>0.38</td>",
            "<td>32.5MB</td><td>120MB</td><td>518MB</td><td>50KB</td>",
            "<td>12×12</td><td>24×24</td><td>48×48</td><td>864×480</td>",
            "<td>11×11</td><td>22×22</td><td>46×46</td><td>864×480</td>",
            "<td>15</td><td>N/A</td><td>N/A</td><td>17</td>",
            "<td>33.3 MB</td>",
            "<td>8,326,340</td>",
            "<td>yes</td><td>no</td><td>no</td>",
            "here, one thread, Viola-Jones",
            "<td>200</td>",
            "A &lt;processor&gt; &amp; more",
            "10,000 drawn from the table",
            "lineament experiment paper faces.parquet --epochs 40 --rows 10000 --shuffle",
            "Less pooling helps on the validation part",
        ] {
            assert!(page.contains(expected), "{expected:?} is not in the page");
        }
        assert_eq!(page.matches("class=\"chart\"").count(), 6, "four curves, a chart of bars, accuracy against time");
        assert_eq!(page.matches("stroke-dasharray=\"14 10\"").count(), 12, "four curves of three networks");
        assert_eq!(page.matches("data:image/png;base64,").count(), 6);
    }

    #[test]
    fn names_from_users_stay_text() {
        let mut results = sample_results::results();
        results.filters = sample_results::filters();
        let name = "<script>alert('1')</script>&\u{1}\u{0}";
        results.networks[0].name = name.to_owned();
        results.filters[0].name = name.to_owned();
        results.data.table = name.to_owned();
        results.data.tests[0].0 = name.to_owned();
        results.pictures[0].group = name.to_owned();
        results.pictures[0].name = name.to_owned();
        results.detectors[0].detector = name.to_owned();
        results.machine.processor = name.to_owned();
        results.version = name.to_owned();
        results.conclusion = vec![name.to_owned()];
        assert!(checked(&results).contains("&lt;script&gt;"));
    }

    #[test]
    fn what_is_missing_is_left_out() {
        let full = sample_results::results();
        let change = |f: &dyn Fn(&mut Results)| {
            let mut results = full.clone();
            f(&mut results);
            checked(&results)
        };
        assert!(!checked(&full).contains("<h2>Filters"));
        assert!(change(&|r| r.filters = sample_results::filters()).contains("<h2>Filters"));
        assert!(!change(&|r| r.pictures.clear()).contains("<h2>Pictures"));
        assert!(!change(&|r| r.pictures.iter_mut().for_each(|p| p.drawn.clear())).contains("<h2>Pictures"));
        let no_tests = change(&|r| {
            r.data.tests.clear();
            r.networks.iter_mut().for_each(|n| n.tests.clear());
        });
        assert!(!no_tests.contains("300W"));
        let one = change(&|r| r.networks.truncate(1));
        assert!(one.contains("<td>0.63</td></tr>") && !one.contains("<b>0."), "nothing is best of one");
        let none = change(&|r| r.networks.clear());
        assert!(none.contains("No network was trained."));
        let short = change(&|r| r.networks.iter_mut().for_each(|n| n.history.truncate(1)));
        assert!(short.contains("<circle"));
        let empty = change(&|r| r.networks.iter_mut().for_each(|n| n.history.clear()));
        assert!(!empty.contains("<h2>Learning curves"));
        let broken = change(&|r| {
            for network in &mut r.networks {
                let figures = Figures { loss: f64::NAN, mae: f64::INFINITY, accuracy: f64::NAN, nme: None };
                (network.validation, network.run_ms, network.seconds_per_epoch) = (figures, f64::NAN, f64::NAN);
                network.history[3].validation = figures;
                network.frame_rates.clear();
                network.feature_maps.clear();
            }
        });
        assert!(broken.contains("<td>–</td>"));
    }
}
