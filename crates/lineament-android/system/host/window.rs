//! Windows: of the app, whose pictures the script compares, and those in which a camera's frames arrive.

use std::ffi::{c_int, c_void};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::{LOCKS, WINDOWS};

pub struct Window {
    references: AtomicI64,
    /// On the screen.
    pub size: Mutex<(i32, i32)>,
    /// Of the buffer, where the app asked for one.
    asked: Mutex<(i32, i32)>,
    buffer: Mutex<Vec<u8>>,
}

/// The size of a buffer with the gap at the end of each row.
fn stride(width: i32) -> i32 {
    (width + 15) / 16 * 16 + 16
}

impl Window {
    pub fn new(width: i32, height: i32) -> *mut Self {
        WINDOWS.add(1);
        Box::into_raw(Box::new(Self {
            references: AtomicI64::new(1),
            size: Mutex::new((width, height)),
            asked: Mutex::new((0, 0)),
            buffer: Mutex::new(Vec::new()),
        }))
    }

    fn buffer_size(&self) -> (i32, i32) {
        let asked = *self.asked.lock().unwrap();
        if asked.0 > 0 { asked } else { *self.size.lock().unwrap() }
    }
}

/// What the app showed last.
pub struct Shown {
    pub width: usize,
    pub height: usize,
    pub rgb: Vec<u8>,
    /// How many pictures came so far.
    pub count: u64,
}

static SHOWN: Mutex<Shown> = Mutex::new(Shown { width: 0, height: 0, rgb: Vec::new(), count: 0 });

/// How many pictures came so far.
pub fn shown_count() -> u64 {
    SHOWN.lock().unwrap().count
}

/// Looks at the last picture.
pub fn with_shown<T>(look: impl FnOnce(&Shown) -> T) -> T {
    look(&SHOWN.lock().unwrap())
}

/// Waits for more pictures than `count`. False if none comes. By looking again and again: the clock is the script's, so
/// that a wait with a deadline would not end.
pub fn wait_beyond(count: u64, ms: u64) -> bool {
    for _ in 0..2 * ms {
        if shown_count() > count {
            return true;
        }
        unsafe { usleep(500) };
    }
    false
}

unsafe extern "C" {
    fn usleep(us: u32) -> c_int;
}

#[repr(C)]
struct Buffer {
    width: i32,
    height: i32,
    stride: i32,
    format: i32,
    bits: *mut c_void,
    reserved: [u32; 6],
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ANativeWindow_acquire(window: *mut Window) {
    WINDOWS.add(1);
    unsafe { (*window).references.fetch_add(1, Ordering::SeqCst) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ANativeWindow_release(window: *mut Window) {
    WINDOWS.add(-1);
    if unsafe { (*window).references.fetch_sub(1, Ordering::SeqCst) } == 1 {
        drop(unsafe { Box::from_raw(window) });
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ANativeWindow_getWidth(window: *mut Window) -> i32 {
    unsafe { (*window).buffer_size().0 }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ANativeWindow_getHeight(window: *mut Window) -> i32 {
    unsafe { (*window).buffer_size().1 }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ANativeWindow_setBuffersGeometry(window: *mut Window, width: i32, height: i32, _: i32) -> i32 {
    unsafe { *(*window).asked.lock().unwrap() = (width, height) };
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ANativeWindow_lock(window: *mut Window, buffer: *mut Buffer, _: *mut c_void) -> c_int {
    LOCKS.add(1);
    let window = unsafe { &*window };
    let (width, height) = window.buffer_size();
    let mut bytes = window.buffer.lock().unwrap();
    bytes.resize((4 * stride(width) * height) as usize, 0);
    let bits = bytes.as_mut_ptr().cast();
    unsafe { *buffer = Buffer { width, height, stride: stride(width), format: 2, bits, reserved: [0; 6] } };
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ANativeWindow_unlockAndPost(window: *mut Window) -> c_int {
    LOCKS.add(-1);
    let window = unsafe { &*window };
    let (width, height) = window.buffer_size();
    let bytes = window.buffer.lock().unwrap();
    let mut shown = SHOWN.lock().unwrap();
    (shown.width, shown.height) = (width as usize, height as usize);
    shown.rgb.clear();
    for row in bytes.chunks(4 * stride(width) as usize) {
        shown.rgb.extend(row[..4 * width as usize].chunks(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]));
    }
    shown.count += 1;
    0
}
