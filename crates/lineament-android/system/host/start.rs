//! Where a program begins, which the NDK's files hold otherwise: it hands its arguments to libc.

use std::ffi::{c_char, c_int, c_void};

#[cfg(target_arch = "x86_64")]
std::arch::global_asm!(".globl _start", "_start:", "mov rdi, rsp", "and rsp, -16", "call {begin}", begin = sym begin);
#[cfg(target_arch = "aarch64")]
std::arch::global_asm!(".globl _start", "_start:", "mov x0, sp", "bl {begin}", begin = sym begin);

type Main = unsafe extern "C" fn(c_int, *mut *mut c_char, *mut *mut c_char) -> c_int;

unsafe extern "C" {
    fn main(count: c_int, arguments: *mut *mut c_char, environment: *mut *mut c_char) -> c_int;
    fn __libc_init(arguments: *mut c_void, at_exit: *const c_void, main: Main, structors: *const [usize; 4]) -> !;
}

/// None: the linker calls those of a program.
static STRUCTORS: [usize; 4] = [0; 4];

unsafe extern "C" fn begin(arguments: *mut c_void) -> ! {
    unsafe { __libc_init(arguments, std::ptr::null(), main, &raw const STRUCTORS) }
}
