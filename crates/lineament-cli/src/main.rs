//! The lineament program.

fn main() {}
