//! Vectors of `f32` behind one trait, one file per instruction set.
//!
//! A kernel is written once, generic over [`Simd`], and [`dispatch`] compiles it for every level and runs it at the
//! best one: on x86 chosen at run time, since processors differ; elsewhere what the target is sure to have. A value of
//! a level's type is the proof that the processor supports it.

#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
mod neon;
mod plain;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use plain::Plain;

/// Arithmetic on vectors of [`Simd::LANES`] numbers.
pub trait Simd: Copy + Send + Sync {
    /// A vector.
    type V: Copy;
    /// Numbers in a vector.
    const LANES: usize;
    /// What people call it.
    const NAME: &str;
    /// Vector registers: decides how many sums a kernel keeps at once.
    const REGISTERS: usize;

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
    /// `a * b + c`, rounded once where the processor can.
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
pub trait Kernel {
    /// What the work gives.
    type Output;
    /// Does it.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// Runs `kernel` at the processor's best level.
#[inline]
pub fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(simd) = x86::Avx512::detect().filter(|_| allowed(2)) {
            return simd.call(kernel);
        }
        if let Some(simd) = x86::Avx2::detect().filter(|_| allowed(1)) {
            return simd.call(kernel);
        }
    }
    #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
    if allowed(1) {
        return kernel.run(neon::Neon);
    }
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    if allowed(1) {
        return kernel.run(wasm::Simd128);
    }
    kernel.run(Plain)
}

/// The processor's best level, as people call it.
pub fn level_name() -> &'static str {
    struct Name;
    impl Kernel for Name {
        type Output = &'static str;
        #[inline(always)]
        fn run<S: Simd>(self, _: S) -> &'static str {
            S::NAME
        }
    }
    dispatch(Name)
}

/// Tests hold back levels above the one they are at.
#[inline(always)]
#[allow(dead_code)] // A target may have no level above the plain one.
fn allowed(level: usize) -> bool {
    #[cfg(test)]
    return level <= tests::HIGHEST.get();
    #[cfg(not(test))]
    return level < usize::MAX;
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
pub(crate) mod tests {
    use std::cell::Cell;

    thread_local! {
        /// The highest level that this thread may use.
        pub(super) static HIGHEST: Cell<usize> = const { Cell::new(usize::MAX) };
    }

    /// The answers of `work` at every level that the processor has: plain first; then AVX2 and AVX-512, or NEON, or
    /// simd128. A level that the processor lacks answers like the one below.
    pub(crate) fn at_every_level<R>(work: impl Fn() -> R) -> Vec<R> {
        let at = |level| {
            HIGHEST.set(level);
            work()
        };
        let levels = if cfg!(target_arch = "x86_64") { 3 } else { 2 };
        let answers = (0..levels).map(at).collect();
        HIGHEST.set(usize::MAX);
        answers
    }
}
