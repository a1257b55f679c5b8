//! Runs the real program in empty folders. Every test name is a sentence.

mod annotate;
mod bench;
mod calibrate;
mod data;
mod eval;
mod experiment;
mod help;
mod helpers;
mod inspect;
mod objects;
mod quantize;
mod real_face;
mod render;
mod run;
mod train;
mod video;
mod web;
