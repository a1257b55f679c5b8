//! The `lineament` program: parses the command line, calls the libraries, formats. It knows nothing about faces itself.

#![forbid(unsafe_code)]

mod annotate;
mod bench;
mod calibrate;
mod data;
mod eval;
mod experiment;
mod failure;
mod figures;
mod format;
mod in_order;
mod inputs;
mod inspect;
mod interrupt;
mod models;
mod names;
mod output;
mod picture;
mod progress;
mod quantize;
mod recipe;
mod render;
mod run;
mod sink;
mod text;
mod topology;
mod train;
mod values;
mod web;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

const EXAMPLES: &str = "\
First steps:
  lineament run photo.jpg --draw drawn.png       prints the points of each face, and draws them
  lineament run holiday/ --format csv > all.csv  the same for all photos in a folder
  lineament web                                  the points in your camera's picture, in the browser
  lineament bench photo.jpg                      how fast this machine is

`lineament COMMAND --help` explains each option and shows examples.";

/// Finds faces in photos and videos and places 68 landmarks on each.
#[derive(Parser)]
#[command(name = "lineament", version, after_help = EXAMPLES)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

/// The commands that a newcomer needs come first.
#[derive(Subcommand)]
enum Command {
    Run(run::RunArgs),
    Web(web::WebArgs),
    Bench(bench::BenchArgs),
    Eval(eval::EvalArgs),
    Train(Box<train::TrainArgs>),
    Annotate(annotate::AnnotateArgs),
    Data(data::DataArgs),
    Topology(topology::TopologyArgs),
    Render(render::RenderArgs),
    Quantize(quantize::QuantizeArgs),
    Calibrate(calibrate::CalibrateArgs),
    Inspect(inspect::InspectArgs),
    Experiment(experiment::ExperimentArgs),
}

/// How many of the commands `--help` shows apart from the others.
const FIRST_COMMANDS: usize = 5;

fn main() -> ExitCode {
    let matches = command().get_matches();
    let outcome = match Program::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()).command {
        Command::Run(args) => run::run(args),
        Command::Web(args) => web::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Train(args) => train::run(*args),
        Command::Annotate(args) => annotate::run(args),
        Command::Data(args) => data::run(args),
        Command::Topology(args) => topology::run(args),
        Command::Render(args) => render::run(&args),
        Command::Quantize(args) => quantize::run(args),
        Command::Calibrate(args) => calibrate::run(&args),
        Command::Inspect(args) => inspect::run(args),
        Command::Experiment(args) => experiment::run(args),
    };
    match outcome {
        Ok(code) => code,
        Err(error) if failure::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            failure::report(&error);
            failure::exit_code(&error)
        }
    }
}

/// The command line, with a help that lists the commands in two groups.
fn command() -> clap::Command {
    let command = Program::command();
    let lines: Vec<String> = command
        .get_subcommands()
        .map(|c| format!("  {:<12}{}\n", c.get_name(), c.get_about().map(ToString::to_string).unwrap_or_default()))
        .collect();
    let (first, others) = lines.split_at(FIRST_COMMANDS);
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\nCommands to start with:\n{}\nOther commands:\n{}\n\
         Options:\n{{options}}{{after-help}}",
        first.concat(),
        others.concat()
    );
    command.help_template(template)
}
