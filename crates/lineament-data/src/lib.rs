//! Lineament data.
