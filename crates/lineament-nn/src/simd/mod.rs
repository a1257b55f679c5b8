//! Vectors of `f32` behind one trait, one file per instruction set.
//!
//! A kernel is written once, generic over [`Simd`], and [`dispatch`] compiles it for every level and runs it at the
//! best one: on x86 chosen at run time, since processors differ; elsewhere what the target is sure to have. A value of
//! a level's type is the proof that the processor supports it.

/// A level's token: the type, the features that `call` compiles with, and whether the processor has them.
#[allow(unused_macros)] // A target may have no level above the plain one.
macro_rules! token {
    ($(#[$doc:meta])* $name:ident, $enable:literal, $detected:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name(());

        impl $name {
            /// The token, where the processor has what it takes.
            #[inline]
            pub fn detect() -> Option<Self> {
                $detected.then_some(Self(()))
            }

            /// Runs `kernel`, compiled for this level as a function of its own.
            #[inline]
            pub fn call<K: Kernel>(self, kernel: K) -> K::Output {
                #[inline(never)]
                #[target_feature(enable = $enable)]
                fn inner<K: Kernel>(simd: $name, kernel: K) -> K::Output {
                    kernel.run(simd)
                }
                // SAFETY: `self` exists, so the processor has the features.
                #[allow(unused_unsafe)] // Where a browser would have refused the module, the call is safe.
                unsafe {
                    inner(self, kernel)
                }
            }
        }
    };
}

mod exact;
#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
mod neon;
mod plain;
pub mod testing;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use exact::{Exact, dispatch_exact};
pub use plain::Plain;

use std::sync::OnceLock;

use crate::math::f32_from_f16;

/// Arithmetic on vectors of [`Simd::LANES`] numbers.
///
/// # Safety
/// Kernels rely on what an implementation says: [`Simd::LANES`] must be a power of two up to [`MAX_LANES`], a vector
/// must be that many numbers and nothing else, as they lie in memory, and loads and stores must touch no memory beyond
/// the numbers that they document.
#[allow(unsafe_code)]
pub unsafe trait Simd: Copy + Send + Sync {
    /// A vector.
    type V: Copy;
    /// Numbers in a vector.
    const LANES: usize;
    /// What people call it.
    const NAME: &str;
    /// Vector registers: decides how many sums a kernel keeps at once.
    const REGISTERS: usize;
    /// The level that converts f16 values fastest: this one, or one of shorter vectors.
    type ForF16: Simd;

    /// That level.
    fn for_f16(self) -> Self::ForF16;

    /// Runs `kernel` at this level as a function of its own, for what a kernel does rarely: there is one copy of it,
    /// and it takes no registers from the rest.
    fn outline<K: Kernel>(self, kernel: K) -> K::Output;

    /// The same number in each lane.
    fn splat(self, x: f32) -> Self::V;
    /// `a + b`.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a * b`.
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// The larger, lane by lane.
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    /// The smaller, lane by lane.
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    /// Lane by lane `a` where `x` is above 0, else `b`.
    fn where_positive(self, x: Self::V, a: Self::V, b: Self::V) -> Self::V;
    /// `a * b + c`, rounded once where the processor can; [`Exact`] rounds twice.
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;

    /// Reads [`Simd::LANES`] numbers.
    ///
    /// # Safety
    /// `from` must be valid for reading that many.
    #[allow(unsafe_code)]
    unsafe fn load_ptr(self, from: *const f32) -> Self::V;
    /// Writes [`Simd::LANES`] numbers.
    ///
    /// # Safety
    /// `to` must be valid for writing that many.
    #[allow(unsafe_code)]
    unsafe fn store_ptr(self, v: Self::V, to: *mut f32);

    /// Says that what lies at `from` will be read soon, or nothing where the level has no such instruction.
    #[inline(always)]
    fn prefetch(self, _from: *const f32) {}

    /// The first numbers of `from`.
    ///
    /// # Panics
    /// When it holds fewer than [`Simd::LANES`].
    #[inline(always)]
    #[allow(unsafe_code)]
    fn load(self, from: &[f32]) -> Self::V {
        assert!(from.len() >= Self::LANES);
        // SAFETY: the length was checked just now.
        unsafe { self.load_ptr(from.as_ptr()) }
    }

    /// Over the first numbers of `to`.
    ///
    /// # Panics
    /// When it holds fewer than [`Simd::LANES`].
    #[inline(always)]
    #[allow(unsafe_code)]
    fn store(self, v: Self::V, to: &mut [f32]) {
        assert!(to.len() >= Self::LANES);
        // SAFETY: the length was checked just now.
        unsafe { self.store_ptr(v, to.as_mut_ptr()) }
    }

    /// Reads [`Simd::LANES`] f16 values.
    ///
    /// # Safety
    /// `from` must be valid for reading that many.
    #[inline(always)]
    #[allow(unsafe_code)]
    unsafe fn load_f16_ptr(self, from: *const u16) -> Self::V {
        // SAFETY: the caller's promise.
        unsafe { self.load_each(|i| f32_from_f16(from.add(i).read())) }
    }

    /// Reads [`Simd::LANES`] whole numbers.
    ///
    /// # Safety
    /// `from` must be valid for reading that many.
    #[inline(always)]
    #[allow(unsafe_code)]
    unsafe fn load_i8_ptr(self, from: *const i8) -> Self::V {
        // SAFETY: the caller's promise.
        unsafe { self.load_each(|i| f32::from(from.add(i).read())) }
    }

    /// Whether [`Simd::dot`] is one instruction. Where it is not, it needs registers for parts of its factors.
    const HAS_DOT: bool = false;

    /// What [`Simd::dot`] takes from each byte of `x` first: 128 where the processor multiplies signed bytes only.
    const DOT_SHIFT: u8 = 0;

    /// Integer sums, which lie in the lanes as bits: to each is added the sum of four products of an unsigned byte of
    /// `x`, less [`Simd::DOT_SHIFT`], and a signed one of `w`, above -128, of the same lane.
    fn dot(self, sums: Self::V, x: Self::V, w: Self::V) -> Self::V;
    /// Integer sums of two chains.
    fn add_sums(self, a: Self::V, b: Self::V) -> Self::V;
    /// Integer sums as numbers.
    fn sums_to_f32(self, sums: Self::V) -> Self::V;

    /// Reads [`Simd::LANES`] bytes as numbers from 0 to 255.
    ///
    /// # Safety
    /// `from` must be valid for reading that many.
    #[inline(always)]
    #[allow(unsafe_code)]
    unsafe fn load_u8_ptr(self, from: *const u8) -> Self::V {
        // SAFETY: the caller's promise.
        unsafe { self.load_each(|i| f32::from(from.add(i).read())) }
    }

    /// Writes [`Simd::LANES`] numbers as bytes: the nearest whole number, ties to even, from 0 to 255.
    ///
    /// # Safety
    /// `to` must be valid for writing that many.
    #[inline(always)]
    #[allow(unsafe_code)]
    unsafe fn store_u8_ptr(self, v: Self::V, to: *mut u8) {
        let mut lanes = [0.0; MAX_LANES];
        self.store(v, &mut lanes);
        // SAFETY: the caller's promise. `as` holds the number within the ends.
        (0..Self::LANES).for_each(|i| unsafe { to.add(i).write(lanes[i].round_ties_even() as u8) });
    }

    /// Writes vectors as [`Simd::store_u8_ptr`] does, each to its place.
    ///
    /// # Safety
    /// Each place must be valid for writing [`Simd::LANES`] bytes.
    #[inline(always)]
    #[allow(unsafe_code)]
    unsafe fn store_four_u8(self, [a, b, c, d]: [(Self::V, *mut u8); 4]) {
        // SAFETY: the caller's promise.
        unsafe {
            self.store_u8_ptr(a.0, a.1);
            self.store_u8_ptr(b.0, b.1);
            self.store_u8_ptr(c.0, c.1);
            self.store_u8_ptr(d.0, d.1);
        }
    }

    /// Reads the first `count` bytes; the other lanes are 0.
    ///
    /// # Safety
    /// `from` must be valid for reading that many.
    #[inline(always)]
    #[allow(unsafe_code)]
    unsafe fn load_first_u8(self, from: *const u8, count: usize) -> Self::V {
        let mut bytes = [0; MAX_LANES];
        // SAFETY: the caller's promise, and that the array holds any vector.
        unsafe {
            bytes.as_mut_ptr().copy_from_nonoverlapping(from, count);
            self.load_u8_ptr(bytes.as_ptr())
        }
    }

    /// Writes the first `count` lanes as [`Simd::store_u8_ptr`] does.
    ///
    /// # Safety
    /// `to` must be valid for writing that many.
    #[inline(always)]
    #[allow(unsafe_code)]
    unsafe fn store_first_u8(self, v: Self::V, to: *mut u8, count: usize) {
        let mut bytes = [0; MAX_LANES];
        // SAFETY: the caller's promise, and that the array holds any vector.
        unsafe {
            self.store_u8_ptr(v, bytes.as_mut_ptr());
            to.copy_from_nonoverlapping(bytes.as_ptr(), count);
        }
    }

    /// For [`Simd::dot`]: in each lane a byte of each of four rows.
    ///
    /// # Safety
    /// All four must be valid for reading [`Simd::LANES`] bytes.
    #[inline(always)]
    #[allow(unsafe_code)]
    unsafe fn load_quad_ptr(self, rows: [*const u8; 4]) -> Self::V {
        // SAFETY: the caller's promise.
        self.load_each(|i| f32::from_bits(u32::from_le_bytes(rows.map(|row| unsafe { row.add(i).read() }))))
    }

    /// Lane by lane what `number` answers.
    #[inline(always)]
    fn load_each(self, number: impl Fn(usize) -> f32) -> Self::V {
        let mut lanes = [0.0; MAX_LANES];
        lanes[..Self::LANES].iter_mut().enumerate().for_each(|(i, lane)| *lane = number(i));
        self.load(&lanes)
    }

    /// All of `from`, which may be shorter than a vector; the other lanes are 0.
    ///
    /// # Panics
    /// When it is longer.
    #[inline(always)]
    #[allow(unsafe_code)]
    fn load_part(self, from: &[f32]) -> Self::V {
        assert!(from.len() <= Self::LANES);
        // SAFETY: the length was checked just now.
        unsafe { self.load_first(from.as_ptr(), from.len()) }
    }

    /// As many lanes as `to` has room for.
    ///
    /// # Panics
    /// When that is more than a vector.
    #[inline(always)]
    #[allow(unsafe_code)]
    fn store_part(self, v: Self::V, to: &mut [f32]) {
        assert!(to.len() <= Self::LANES);
        // SAFETY: the length was checked just now.
        unsafe { self.store_first(v, to.as_mut_ptr(), to.len()) }
    }

    /// The first `count` numbers, at most [`Simd::LANES`]; the other lanes are 0.
    ///
    /// # Safety
    /// `from` must be valid for reading that many.
    #[inline(always)]
    #[allow(unsafe_code)]
    unsafe fn load_first(self, from: *const f32, count: usize) -> Self::V {
        let mut lanes = [0.0; MAX_LANES];
        // SAFETY: the caller's promise.
        lanes[..count].copy_from_slice(unsafe { std::slice::from_raw_parts(from, count) });
        self.load(&lanes)
    }

    /// Writes the first `count` lanes, at most [`Simd::LANES`].
    ///
    /// # Safety
    /// `to` must be valid for writing that many.
    #[inline(always)]
    #[allow(unsafe_code)]
    unsafe fn store_first(self, v: Self::V, to: *mut f32, count: usize) {
        let mut lanes = [0.0; MAX_LANES];
        self.store(v, &mut lanes);
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(to, count) }.copy_from_slice(&lanes[..count]);
    }
}

/// The longest vector of any level.
pub const MAX_LANES: usize = 16;

/// Work that can be done at any level. Mark `run` and what it calls `#[inline(always)]`: only what is inlined is
/// compiled for the level.
pub trait Kernel: Sized {
    /// What the work gives.
    type Output;
    /// Whether it calls [`Simd::dot`]. A kernel that does not is never compiled for levels that differ in that alone.
    const USES_DOT: bool = false;
    /// Does it.
    fn run<S: Simd>(self, simd: S) -> Self::Output;

    /// Does it at the plain level. A function of its own, so that there is one copy of it.
    fn run_plain(self) -> Self::Output {
        plain(self)
    }
}

/// See [`Kernel::run_plain`].
#[inline(never)]
fn plain<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Plain)
}

/// Runs `kernel` at the processor's best level.
#[inline]
pub fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    /// Runs it at this level, if that is allowed and the processor has it.
    #[allow(unused_macros)] // A target may have no level above the plain one.
    macro_rules! at {
        ($level:literal, $simd:path) => {
            if let Some(simd) = <$simd>::detect().filter(|_| $level <= highest()) {
                return simd.call(kernel);
            }
        };
    }
    #[cfg(target_arch = "x86_64")]
    {
        at!(3, x86::Avx512);
        if const { K::USES_DOT } {
            at!(2, x86::AvxVnni);
        }
        at!(1, x86::Avx2);
    }
    #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
    {
        if const { K::USES_DOT } {
            at!(2, neon::NeonDot);
        }
        at!(1, neon::Neon);
    }
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    at!(1, wasm::Simd128);
    kernel.run_plain()
}

/// The names of the levels that this program has; the processor may lack the last ones.
pub const LEVELS: &[&str] = &[
    Plain::NAME,
    #[cfg(target_arch = "x86_64")]
    x86::Avx2::NAME,
    #[cfg(target_arch = "x86_64")]
    x86::AvxVnni::NAME,
    #[cfg(target_arch = "x86_64")]
    x86::Avx512::NAME,
    #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
    neon::Neon::NAME,
    #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
    neon::NeonDot::NAME,
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    wasm::Simd128::NAME,
];

/// Limits kernels to `LEVELS[level]` and below, to measure what older processors would do. Returns `false`, and changes
/// nothing, once a kernel has run (weights are arranged for one level), and in WebAssembly, which has one level.
pub fn limit_level(level: usize) -> bool {
    !cfg!(target_arch = "wasm32") && HIGHEST.set(level).is_ok()
}

/// The highest level that may be used; the first work settles it.
static HIGHEST: OnceLock<usize> = OnceLock::new();

#[inline(always)]
#[allow(dead_code)] // As above.
fn highest() -> usize {
    #[cfg(target_arch = "wasm32")]
    let highest = usize::MAX;
    #[cfg(not(target_arch = "wasm32"))]
    let highest = *HIGHEST.get_or_init(|| usize::MAX);
    highest.min(testing::HIGHEST.get())
}

/// The processor's best level, as people call it.
pub fn level_name() -> &'static str {
    struct Name;
    impl Kernel for Name {
        type Output = &'static str;
        const USES_DOT: bool = true; // Its levels have names, too.
        #[inline(always)]
        fn run<S: Simd>(self, _: S) -> &'static str {
            S::NAME
        }
    }
    dispatch(Name)
}

/// Runs an ordinary loop compiled for the processor's best level, for the compiler to vectorise.
#[inline]
pub fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    struct Loop<F>(F);
    impl<R, F: FnOnce() -> R> Kernel for Loop<F> {
        type Output = R;
        #[inline(always)]
        fn run<S: Simd>(self, _: S) -> R {
            (self.0)()
        }
    }
    dispatch(Loop(work))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes numbers as bytes, by four vectors and by one.
    struct Store<'a>(&'a [f32; MAX_LANES]);

    impl Kernel for Store<'_> {
        type Output = [[u8; MAX_LANES]; 5];
        const USES_DOT: bool = true; // So that every level runs it.

        #[inline(always)]
        #[allow(unsafe_code)]
        fn run<S: Simd>(self, simd: S) -> Self::Output {
            let mut bytes = [[0; MAX_LANES]; 5];
            let [a, b, c, d, e] = &mut bytes;
            for start in (0..MAX_LANES).step_by(S::LANES) {
                let v = simd.load(&self.0[start..]);
                // SAFETY: each array has room for a vector from `start` on.
                unsafe {
                    let to = |of: &mut [u8; MAX_LANES]| of.as_mut_ptr().add(start);
                    simd.store_four_u8([(v, to(a)), (v, to(b)), (v, to(c)), (v, to(d))]);
                    simd.store_u8_ptr(v, to(e));
                }
            }
            bytes
        }
    }

    #[test]
    fn numbers_beyond_the_ends_of_a_byte_are_held_at_them_at_every_level() {
        let far = 2_147_483_648.0;
        let numbers = [
            -f32::INFINITY,
            -far,
            -1.0,
            -0.4,
            0.0,
            0.5,
            1.5,
            2.5,
            254.5,
            255.4,
            256.0,
            70_000.0,
            far,
            2.0 * far,
            3e38,
            f32::INFINITY,
        ];
        let expected = [0, 0, 0, 0, 0, 0, 2, 2, 254, 255, 255, 255, 255, 255, 255, 255];
        for (level, bytes) in testing::at_every_level(|| dispatch(Store(&numbers))).into_iter().enumerate() {
            assert_eq!(bytes, [expected; 5], "{}", LEVELS[level]);
        }
    }
}
