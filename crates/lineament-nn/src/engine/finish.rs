//! What is done to a layer's sums while they are still in registers: activation, addition of another map, activation.

#![allow(unsafe_code)]

use std::ops::Range;

use super::aligned::Aligned;
use crate::model::Activation;
use crate::simd::{Kernel, MAX_LANES, Simd, dispatch, dispatch_exact};

/// The sums of `P` pixels, at most 14, by `NV` vectors of channels, one or two.
pub(super) type Sums<V, const P: usize, const NV: usize> = [[V; NV]; P];

/// Writes the body once for each pixel of the largest tile, with its number as a constant. For the list `0 1`,
/// `for_each_pixel!(@ I sums[I] = zero, 0 1)` is
///
/// ```ignore
/// { const I: usize = 0; sums[I] = zero }
/// { const I: usize = 1; sums[I] = zero }
/// ```
///
/// The compiler does not always unroll a loop (not with whole-program optimisation), and then the sums do not stay in
/// registers. A body that is meant for fewer pixels says `if const { I < P } { .. }`: the compiler makes no code for
/// the others.
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
    slopes_less_one: Aligned,
}

impl Activated {
    /// `slopes` holds one number per channel for [`Activation::PRelu`], nothing else for others.
    pub fn new(kind: Activation, slopes: &[f32]) -> Self {
        let mut slopes_less_one = Aligned::padded(slopes, slopes.len() + 2 * MAX_LANES);
        slopes_less_one.iter_mut().for_each(|slope| *slope -= 1.0);
        Self { kind, slopes_less_one }
    }

    /// # Panics
    /// When there are slopes for another number of channels.
    pub(super) fn assert_fits(&self, channels: usize) {
        let slopes = self.slopes_less_one.len() - 2 * MAX_LANES;
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

    /// The same for kernels, which write `len` numbers of a layer with this number of `channels`.
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

/// An activation and its slopes less 1, filled up by two vectors.
pub(super) type Stage = (Option<Activation>, *const f32);

/// An activation for kernels.
pub(super) fn stage(activated: Option<&Activated>) -> Stage {
    activated.map_or((None, std::ptr::null()), |a| (Some(a.kind), a.slopes_less_one.as_ptr()))
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

impl Place {
    /// The first number of pixel `i`. Neither this nor the pointer that it is added to is checked for overflow in debug
    /// builds: kernels write it out so often that these checks would be most of their code.
    #[inline(always)]
    pub fn pixel(self, i: usize) -> usize {
        self.at.wrapping_add(i.wrapping_mul(self.step))
    }
}

impl RawFinish {
    /// Finishes `P` pixels of `NV` vectors and writes them.
    ///
    /// # Safety
    /// `place` lies within `output`, whose length was given to [`Finish::raw`].
    #[inline(always)]
    pub unsafe fn store<S: Simd, const P: usize, const NV: usize>(
        &self,
        simd: S,
        sums: Sums<S::V, P, NV>,
        place: Place,
        output: *mut f32,
    ) {
        if place.channels == NV * S::LANES {
            // SAFETY: the caller's promise.
            unsafe { self.vectors::<S, P, NV, true>(simd, sums, place, output) };
        } else {
            let in_memory = copied(sums);
            simd.outline(StoreParts { finish: *self, parts: Parts::of::<S, P, NV>(&in_memory, place), output });
        }
    }

    /// The same, where the channels are `WHOLE` vectors, or part of a single one.
    ///
    /// # Safety
    /// As [`RawFinish::store`].
    #[inline(always)]
    unsafe fn vectors<S: Simd, const P: usize, const NV: usize, const WHOLE: bool>(
        &self,
        simd: S,
        mut sums: Sums<S::V, P, NV>,
        place: Place,
        output: *mut f32,
    ) {
        const { assert!(WHOLE || NV == 1) };
        // SAFETY: the caller's promise.
        unsafe {
            activate::<S, P, NV>(simd, self.activation, 1.0, &mut sums, place.channel);
            if !self.add.is_null() {
                for_each_pixel!(|I| if const { I < P } {
                    let from = self.add.wrapping_add(place.pixel(I));
                    let first =
                        if const { WHOLE } { simd.load_ptr(from) } else { simd.load_first(from, place.channels) };
                    sums[I][0] = simd.add(sums[I][0], first);
                    if const { NV > 1 } {
                        sums[I][1] = simd.add(sums[I][1], simd.load_ptr(from.add(S::LANES)));
                    }
                });
            }
            activate::<S, P, NV>(simd, self.then, 1.0, &mut sums, place.channel);
            for_each_pixel!(|I| if const { I < P } {
                let to = output.wrapping_add(place.pixel(I));
                if const { WHOLE } {
                    simd.store_ptr(sums[I][0], to);
                } else {
                    simd.store_first(sums[I][0], to, place.channels);
                }
                if const { NV > 1 } {
                    simd.store_ptr(sums[I][1], to.add(S::LANES));
                }
            });
        }
    }
}

/// The same sums. Were the address of those in registers taken, they would lie in memory from the start.
#[inline(always)]
pub(super) fn copied<V: Copy, const P: usize, const NV: usize>(sums: Sums<V, P, NV>) -> Sums<V, P, NV> {
    let mut copy = [sums[0]; P];
    for_each_pixel!(|I| if const { I < P } {
        copy[I][0] = sums[I][0];
        if const { NV > 1 } {
            copy[I][1] = sums[I][1];
        }
    });
    copy
}

/// Sums that end within a vector, left in memory: few layers have such a number of channels, so these are finished one
/// vector after another by a function of its own.
pub(super) struct Parts {
    sums: *const f32,
    pixels: usize,
    vectors: usize,
    place: Place,
}

impl Parts {
    /// To be used while `sums` live.
    #[inline(always)]
    pub fn of<S: Simd, const P: usize, const NV: usize>(sums: &Sums<S::V, P, NV>, place: Place) -> Self {
        Self { sums: (&raw const *sums).cast(), pixels: P, vectors: NV, place }
    }

    /// Calls `each` with every vector of sums and the place of that alone.
    ///
    /// # Safety
    /// The sums must live.
    #[inline(always)]
    pub unsafe fn for_each<S: Simd>(&self, simd: S, mut each: impl FnMut(S::V, Place)) {
        let Place { at, step, channel, channels } = self.place;
        for pixel in 0..self.pixels {
            for vector in 0..self.vectors {
                let begin = vector * S::LANES;
                let place = Place {
                    at: at + pixel * step + begin,
                    step,
                    channel: channel + begin,
                    channels: (channels - begin).min(S::LANES),
                };
                // SAFETY: sums are vectors without gaps, which are numbers without gaps.
                let sums = unsafe { simd.load_ptr(self.sums.add((pixel * self.vectors + vector) * S::LANES)) };
                each(sums, place);
            }
        }
    }
}

struct StoreParts {
    finish: RawFinish,
    parts: Parts,
    output: *mut f32,
}

impl Kernel for StoreParts {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { finish, parts, output } = self;
        // SAFETY: this is made by `RawFinish::store` only, whose caller vouches for the place.
        unsafe {
            parts.for_each(
                simd,
                #[inline(always)]
                |sum, place| match place.channels == S::LANES {
                    true => finish.vectors::<S, 1, 1, true>(simd, [[sum]], place, output),
                    false => finish.vectors::<S, 1, 1, false>(simd, [[sum]], place, output),
                },
            );
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
/// The slopes must be there from `channel` on, filled up.
#[inline(always)]
pub(super) unsafe fn activate<S: Simd, const P: usize, const NV: usize>(
    simd: S,
    (kind, slopes_less_one): Stage,
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
            let slopes_less_one = unsafe { load::<S, NV>(simd, slopes_less_one.add(channel)) };
            // Two operations where choosing between `v` and `slope v` takes three.
            each!(|v, k| simd.mul_add(slopes_less_one[k], simd.min(v, zero), v));
        }
        Some(Activation::HardSwish) => {
            let (sixth, half, one) = (simd.splat(1.0 / (6.0 * unit)), simd.splat(0.5), simd.splat(1.0));
            each!(|v, _k| simd.mul(v, simd.min(simd.max(simd.mul_add(v, sixth, half), zero), one)));
        }
    }
}

/// Finishes `output`, pixels of `channels` numbers, in place: for layers whose kernels do not.
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
                // SAFETY: `Finish::raw` was given the output's length, which is whole pixels.
                unsafe {
                    let place = Place { at, step, channel, channels };
                    finish.vectors::<S, 1, 1, false>(simd, [[values]], place, output.as_mut_ptr());
                }
            }
        }
    }
}
