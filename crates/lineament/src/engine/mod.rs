//! Our own kernels.
