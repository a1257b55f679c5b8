//! Points that do not shake on a still face and do not lag behind a moving one.

/// How strongly points are smoothed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SmoothOptions {}
