//! Loops over the channels of a pixel, a vector at a time.

/// Calls `$body` for each vector of channels, with `$channels` their range: whole vectors first, then the remaining
/// channels.
macro_rules! for_channels {
    ($simd:expr, $S:ty, $c:expr, |$channels:ident, $load:ident, $store:ident| $body:block) => {
        let whole = $c - $c % <$S>::LANES;
        for start in (0..whole).step_by(<$S>::LANES) {
            let $channels = start..start + <$S>::LANES;
            let $load = |from: &[f32]| $simd.load(from);
            let $store = |v: <$S as lineament_nn::simd::Simd>::V, to: &mut [f32]| $simd.store(v, to);
            $body
        }
        if whole < $c {
            let $channels = whole..$c;
            let $load = |from: &[f32]| $simd.load_part(from);
            let $store = |v: <$S as lineament_nn::simd::Simd>::V, to: &mut [f32]| $simd.store_part(v, to);
            $body
        }
    };
}

pub(super) use for_channels;
