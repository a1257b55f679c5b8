//! Any level, with arithmetic that every level does alike.

use super::{Kernel, Simd, dispatch};

/// Runs `kernel` at the processor's best level, to the same bits at each: products are rounded before they are added.
/// The kernel must add in an order that does not depend on [`Simd::LANES`].
#[inline]
pub fn dispatch_exact<K: Kernel>(kernel: K) -> K::Output {
    // A second copy of the kernel would be the same where no level rounds a product and a sum at once.
    if const { cfg!(all(target_arch = "wasm32", not(target_feature = "relaxed-simd"))) } {
        dispatch(kernel)
    } else {
        dispatch(AtExact(kernel))
    }
}

/// A kernel that is run at the exact version of the level at hand.
struct AtExact<K>(K);
impl<K: Kernel> Kernel for AtExact<K> {
    type Output = K::Output;
    const USES_DOT: bool = K::USES_DOT;
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> K::Output {
        self.0.run(Exact(simd))
    }
    fn run_plain(self) -> K::Output {
        // It rounds twice anyway.
        self.0.run_plain()
    }
}

/// A level, but for its [`Simd::mul_add`], which rounds twice.
#[derive(Debug, Clone, Copy)]
pub struct Exact<S>(pub S);

/// What the level itself does.
macro_rules! as_the_level {
    ($(fn $name:ident($($arg:ident: $type:ty),*) $(-> $out:ty)?;)*) => {
        $(
            #[inline(always)]
            fn $name(self, $($arg: $type),*) $(-> $out)? {
                self.0.$name($($arg),*)
            }
        )*
    };
    ($(unsafe fn $name:ident($($arg:ident: $type:ty),*) $(-> $out:ty)?;)*) => {
        $(
            #[inline(always)]
            #[allow(unsafe_code)]
            unsafe fn $name(self, $($arg: $type),*) $(-> $out)? {
                // SAFETY: the caller's promise.
                unsafe { self.0.$name($($arg),*) }
            }
        )*
    };
}

// SAFETY: all that touches memory is the level's own.
#[allow(unsafe_code)]
unsafe impl<S: Simd> Simd for Exact<S> {
    type V = S::V;
    const LANES: usize = S::LANES;
    const NAME: &str = S::NAME;
    const REGISTERS: usize = S::REGISTERS;
    const HAS_DOT: bool = S::HAS_DOT;
    const DOT_SHIFT: u8 = S::DOT_SHIFT;
    type ForF16 = Exact<S::ForF16>;

    #[inline(always)]
    fn for_f16(self) -> Self::ForF16 {
        Exact(self.0.for_f16())
    }

    #[inline(always)]
    fn outline<K: Kernel>(self, kernel: K) -> K::Output {
        self.0.outline(AtExact(kernel))
    }

    #[inline(always)]
    fn mul_add(self, a: S::V, b: S::V, c: S::V) -> S::V {
        self.add(self.mul(a, b), c)
    }

    as_the_level! {
        fn splat(x: f32) -> S::V;
        fn add(a: S::V, b: S::V) -> S::V;
        fn mul(a: S::V, b: S::V) -> S::V;
        fn max(a: S::V, b: S::V) -> S::V;
        fn min(a: S::V, b: S::V) -> S::V;
        fn where_positive(x: S::V, a: S::V, b: S::V) -> S::V;
        fn prefetch(from: *const f32);
        fn dot(sums: S::V, x: S::V, w: S::V) -> S::V;
        fn add_sums(a: S::V, b: S::V) -> S::V;
        fn sums_to_f32(sums: S::V) -> S::V;
    }

    as_the_level! {
        unsafe fn load_ptr(from: *const f32) -> S::V;
        unsafe fn store_ptr(v: S::V, to: *mut f32);
        unsafe fn load_first(from: *const f32, count: usize) -> S::V;
        unsafe fn store_first(v: S::V, to: *mut f32, count: usize);
        unsafe fn load_f16_ptr(from: *const u16) -> S::V;
        unsafe fn load_i8_ptr(from: *const i8) -> S::V;
        unsafe fn load_u8_ptr(from: *const u8) -> S::V;
        unsafe fn store_u8_ptr(v: S::V, to: *mut u8);
        unsafe fn store_four_u8(vectors: [(S::V, *mut u8); 4]);
        unsafe fn load_first_u8(from: *const u8, count: usize) -> S::V;
        unsafe fn store_first_u8(v: S::V, to: *mut u8, count: usize);
        unsafe fn load_quad_ptr(rows: [*const u8; 4]) -> S::V;
    }
}
