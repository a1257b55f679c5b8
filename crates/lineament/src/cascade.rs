//! Viola and Jones' detector, in the making.
