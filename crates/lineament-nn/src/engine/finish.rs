//! What is done to a layer's sums while they are still in registers: activation, addition of another map, activation.

#![allow(unsafe_code)]

use std::ops::Range;

use super::aligned::Aligned;
use crate::model::Activation;
use crate::simd::{Kernel, MAX_LANES, Simd, dispatch, dispatch_exact};

/// The sums of `P` pixels, at most 14, by `NV` vectors of channels, one or two.
pub(super) type Sums<V, const P: usize, const NV: usize> = [[V; NV]; P];

/// Writes the body once for each pixel of the largest tile, with its number as a constant. A loop would be left to the
/// compiler to unroll; where it does not (whole-program optimisation), the sums fall out of the registers. A body that
/// asks for fewer does so with `if const`: the compiler then never makes code of the others.
macro_rules! for_each_pixel {
    (|$i:ident| $body:expr) => {
        for_each_pixel!(@ $i $body, 0 1 2 3 4 5 6 7 8 9 10 11 12 13)
    };
    (@ $i:ident $body:expr, $($p:literal)+) => {
        $({
            const $i: usize = $p;
            $body
        })+
    };
}
pub(super) use for_each_pixel;

/// An activation with what it has learned.
#[derive(Debug, Clone)]
pub struct Activated {
    kind: Activation,
    /// For [`Activation::PRelu`] each channel's slope less 1, then numbers that fill two vectors.
    bends: Aligned,
}

impl Activated {
    /// `slopes` holds one number per channel for [`Activation::PRelu`], nothing else for others.
    pub fn new(kind: Activation, slopes: &[f32]) -> Self {
        let mut bends = Aligned::padded(slopes, slopes.len() + 2 * MAX_LANES);
        bends.iter_mut().for_each(|slope| *slope -= 1.0);
        Self { kind, bends }
    }

    /// # Panics
    /// When there are slopes for another number of channels.
    pub(super) fn assert_fits(&self, channels: usize) {
        let slopes = self.bends.len() - 2 * MAX_LANES;
        assert!(self.kind != Activation::PRelu || slopes == channels, "{slopes} slopes for {channels} channels");
    }
}

/// What follows a layer's sums, in this order, and how all of it is rounded.
#[derive(Debug, Clone, Copy, Default)]
pub struct Finish<'a> {
    /// First.
    pub activation: Option<&'a Activated>,
    /// A map of the output's shape that is added.
    pub add: Option<&'a [f32]>,
    /// Last.
    pub then: Option<&'a Activated>,
    /// Whether every level must come to the same bits, the sums included.
    pub exact: bool,
}

impl Finish<'_> {
    /// The same for a part of the output.
    pub(super) fn of(self, part: Range<usize>) -> Self {
        Finish { add: self.add.map(|add| &add[part]), ..self }
    }

    /// The same for kernels that write `len` numbers of a layer with so many `channels`.
    ///
    /// # Panics
    /// When slopes or the added map do not fit.
    pub(super) fn raw(&self, len: usize, channels: usize) -> RawFinish {
        self.add.inspect(|add| assert_eq!(add.len(), len, "summands"));
        self.activation.iter().chain(&self.then).for_each(|a| a.assert_fits(channels));
        let add = self.add.map_or(std::ptr::null(), <[f32]>::as_ptr);
        RawFinish { activation: stage(self.activation), add, then: stage(self.then) }
    }

    /// Runs a kernel that was given what [`Finish::raw`] answers.
    pub(super) fn dispatch<K: Kernel>(&self, kernel: K) -> K::Output {
        if self.exact { dispatch_exact(kernel) } else { dispatch(kernel) }
    }
}

/// An activation and its bends, filled up by two vectors.
pub(super) type Stage = (Option<Activation>, *const f32);

/// An activation for kernels.
pub(super) fn stage(activated: Option<&Activated>) -> Stage {
    activated.map_or((None, std::ptr::null()), |a| (Some(a.kind), a.bends.as_ptr()))
}

/// [`Finish`], checked.
#[derive(Clone, Copy)]
pub(super) struct RawFinish {
    activation: Stage,
    add: *const f32,
    then: Stage,
}

/// Where a tile of sums belongs in the output.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The first pixel's first number.
    pub at: usize,
    /// Numbers from a pixel to the next.
    pub step: usize,
    /// First channel.
    pub channel: usize,
    /// Channels that there are: less than the sums hold at the end of a pixel.
    pub channels: usize,
}

impl RawFinish {
    /// Finishes `P` pixels of `NV` vectors and writes them.
    ///
    /// # Safety
    /// `place` lies within `output`, and that is as long as [`Finish::raw`] was told.
    #[inline(always)]
    pub unsafe fn store<S: Simd, const P: usize, const NV: usize>(
        &self,
        simd: S,
        mut sums: Sums<S::V, P, NV>,
        place: Place,
        output: *mut f32,
    ) {
        unsafe {
            activate::<S, P, NV>(simd, self.activation, 1.0, &mut sums, place.channel);
            let whole = place.channels == NV * S::LANES;
            let (first, second) =
                if const { NV > 1 } { (S::LANES, place.channels - S::LANES) } else { (place.channels, 0) };
            if !self.add.is_null() {
                for_each_pixel!(|I| if const { I < P } {
                    let from = self.add.add(place.at + I * place.step);
                    if whole {
                        sums[I][0] = simd.add(sums[I][0], simd.load_ptr(from));
                        if const { NV > 1 } {
                            sums[I][1] = simd.add(sums[I][1], simd.load_ptr(from.add(S::LANES)));
                        }
                    } else {
                        sums[I][0] = simd.add(sums[I][0], simd.load_first(from, first));
                        if const { NV > 1 } {
                            sums[I][1] = simd.add(sums[I][1], simd.load_first(from.add(S::LANES), second));
                        }
                    }
                });
            }
            activate::<S, P, NV>(simd, self.then, 1.0, &mut sums, place.channel);
            for_each_pixel!(|I| if const { I < P } {
                let to = output.add(place.at + I * place.step);
                if whole {
                    simd.store_ptr(sums[I][0], to);
                    if const { NV > 1 } {
                        simd.store_ptr(sums[I][1], to.add(S::LANES));
                    }
                } else {
                    simd.store_first(sums[I][0], to, first);
                    if const { NV > 1 } {
                        simd.store_first(sums[I][1], to.add(S::LANES), second);
                    }
                }
            });
        }
    }
}

/// `NV` vectors, one or two.
///
/// # Safety
/// `from` must be valid for reading them.
#[inline(always)]
pub(super) unsafe fn load<S: Simd, const NV: usize>(simd: S, from: *const f32) -> [S::V; NV] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut vectors = [simd.load_ptr(from); NV];
        if const { NV > 1 } {
            vectors[1] = simd.load_ptr(from.add(S::LANES));
        }
        vectors
    }
}

/// Applies the activation to sums of which `unit` is 1.
///
/// # Safety
/// The bends must be there from `channel` on, filled up.
#[inline(always)]
pub(super) unsafe fn activate<S: Simd, const P: usize, const NV: usize>(
    simd: S,
    (kind, bends): Stage,
    unit: f32,
    sums: &mut Sums<S::V, P, NV>,
    channel: usize,
) {
    /// Applies the function to every vector.
    macro_rules! each {
        (|$v:ident, $k:ident| $body:expr) => {{
            for_each_pixel!(|I| if const { I < P } {
                let ($v, $k) = (sums[I][0], 0);
                sums[I][0] = $body;
                if const { NV > 1 } {
                    let ($v, $k) = (sums[I][1], 1);
                    sums[I][1] = $body;
                }
            });
        }};
    }
    let zero = simd.splat(0.0);
    match kind {
        None => (),
        Some(Activation::Relu) => each!(|v, _k| simd.max(v, zero)),
        Some(Activation::PRelu) => {
            // SAFETY: the caller's promise.
            let bends = unsafe { load::<S, NV>(simd, bends.add(channel)) };
            // Two operations where choosing between `v` and `slope v` takes three.
            each!(|v, k| simd.mul_add(bends[k], simd.min(v, zero), v));
        }
        Some(Activation::HardSwish) => {
            let (sixth, half, one) = (simd.splat(1.0 / (6.0 * unit)), simd.splat(0.5), simd.splat(1.0));
            each!(|v, _k| simd.mul(v, simd.min(simd.max(simd.mul_add(v, sixth, half), zero), one)));
        }
    }
}

/// Finishes `output`, whose pixels have so many `channels`, in place: for layers whose kernels do not.
pub(super) fn in_place(finish: Finish, channels: usize, output: &mut [f32]) {
    if finish.activation.is_some() || finish.add.is_some() || finish.then.is_some() {
        assert_eq!(output.len() % channels, 0, "numbers in pixels of {channels} channels");
        finish.dispatch(InPlace { finish: finish.raw(output.len(), channels), channels, output });
    }
}

struct InPlace<'a> {
    finish: RawFinish,
    channels: usize,
    output: &'a mut [f32],
}

impl Kernel for InPlace<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { finish, channels: step, output } = self;
        for pixel in (0..output.len()).step_by(step) {
            for channel in (0..step).step_by(S::LANES) {
                let (at, channels) = (pixel + channel, (step - channel).min(S::LANES));
                let values = simd.load_part(&output[at..at + channels]);
                // SAFETY: `Finish::raw` was told the output's length, which is whole pixels.
                unsafe {
                    let place = Place { at, step, channel, channels };
                    finish.store::<S, 1, 1>(simd, [[values]], place, output.as_mut_ptr());
                }
            }
        }
    }
}
