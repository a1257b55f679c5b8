//! The `lineament` program: parses, calls the libraries, formats. It knows nothing about faces itself.

#![forbid(unsafe_code)]

mod annotate;
mod bench;
mod calibrate;
mod data;
mod eval;
mod experiment;
mod failure;
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
mod run;
mod sink;
mod train;
mod values;
mod web;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Finds faces in photos and places 68 landmarks on each.
#[derive(Parser)]
#[command(
    name = "lineament",
    version,
    after_help = "`lineament COMMAND --help` explains each option and shows examples."
)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(run::RunArgs),
    Annotate(annotate::AnnotateArgs),
    Data(data::DataArgs),
    Train(train::TrainArgs),
    Eval(eval::EvalArgs),
    Experiment(experiment::ExperimentArgs),
    Quantize(quantize::QuantizeArgs),
    Calibrate(calibrate::CalibrateArgs),
    Inspect(inspect::InspectArgs),
    Bench(bench::BenchArgs),
    Web(web::WebArgs),
}

fn main() -> ExitCode {
    let outcome = match Program::parse().command {
        Command::Run(args) => run::run(args),
        Command::Annotate(args) => annotate::run(args),
        Command::Data(args) => data::run(args),
        Command::Train(args) => train::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Experiment(args) => experiment::run(args),
        Command::Quantize(args) => quantize::run(args),
        Command::Calibrate(args) => calibrate::run(&args),
        Command::Inspect(args) => inspect::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Web(args) => web::run(args),
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
