//! Checks the repository's text: the width of its lines, its links, and the figures that its documents quote.

mod figures;
mod files;
mod links;
mod width;
