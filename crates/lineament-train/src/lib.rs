//! Lineament train.
