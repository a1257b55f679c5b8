//! Loopers, which wait for files, and the queue of touches, for which one of them waits.

use std::cell::Cell;
use std::collections::VecDeque;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::Mutex;

use crate::{ATTACHED, CONFIGURATIONS, EVENTS};

type Callback = unsafe extern "C" fn(c_int, c_int, *mut c_void) -> c_int;

const WAKE: c_int = -1;
const CALLBACK: c_int = -2;
const TIMEOUT: c_int = -3;
const POLLIN: i16 = 1;

#[repr(C)]
struct PollFd {
    fd: c_int,
    events: i16,
    found: i16,
}

unsafe extern "C" {
    fn poll(fds: *mut PollFd, count: u64, timeout_ms: c_int) -> c_int;
    fn eventfd(value: u32, flags: c_int) -> c_int;
    fn read(fd: c_int, bytes: *mut c_void, count: usize) -> isize;
    fn write(fd: c_int, bytes: *const c_void, count: usize) -> isize;
}

struct Watched {
    fd: c_int,
    ident: c_int,
    callback: Option<Callback>,
    data: usize,
}

pub struct Looper {
    wake: c_int,
    watched: Mutex<Vec<Watched>>,
}

thread_local! {
    static MINE: Cell<*mut Looper> = const { Cell::new(ptr::null_mut()) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ALooper_prepare(_: c_int) -> *mut Looper {
    if MINE.get().is_null() {
        let wake = unsafe { eventfd(0, 0o4000) };
        MINE.set(Box::into_raw(Box::new(Looper { wake, watched: Mutex::new(Vec::new()) })));
    }
    MINE.get()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ALooper_forThread() -> *mut Looper {
    MINE.get()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ALooper_acquire(_: *mut Looper) {}

#[unsafe(no_mangle)]
unsafe extern "C" fn ALooper_release(_: *mut Looper) {}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ALooper_wake(looper: *mut Looper) {
    let one = 1u64;
    unsafe { write((*looper).wake, (&raw const one).cast(), 8) };
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ALooper_addFd(
    looper: *mut Looper,
    fd: c_int,
    ident: c_int,
    _: c_int,
    callback: Option<Callback>,
    data: *mut c_void,
) -> c_int {
    unsafe { (*looper).watched.lock().unwrap().push(Watched { fd, ident, callback, data: data as usize }) };
    1
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ALooper_pollOnce(
    timeout_ms: c_int,
    out_fd: *mut c_int,
    out_events: *mut c_int,
    out_data: *mut *mut c_void,
) -> c_int {
    let looper = unsafe { &*MINE.get() };
    if let Some(ident) = QUEUE.waits_for(MINE.get()) {
        return ident;
    }
    let mut fds = vec![PollFd { fd: looper.wake, events: POLLIN, found: 0 }];
    fds.extend(looper.watched.lock().unwrap().iter().map(|w| PollFd { fd: w.fd, events: POLLIN, found: 0 }));
    if unsafe { poll(fds.as_mut_ptr(), fds.len() as u64, timeout_ms) } <= 0 {
        return TIMEOUT;
    }
    if let Some(at) = fds[1..].iter().position(|fd| fd.found & POLLIN != 0) {
        let (fd, ident, callback, data) = {
            let watched = looper.watched.lock().unwrap();
            (watched[at].fd, watched[at].ident, watched[at].callback, watched[at].data as *mut c_void)
        };
        if let Some(callback) = callback {
            unsafe { callback(fd, POLLIN.into(), data) };
            return CALLBACK;
        }
        unsafe {
            *out_fd = fd;
            *out_events = POLLIN.into();
            *out_data = data;
        }
        return ident;
    }
    let mut count = 0u64;
    unsafe { read(looper.wake, (&raw mut count).cast(), 8) };
    WAKE
}

/// A touch.
pub struct Touch {
    pub action: i32,
    pub x: f32,
    pub y: f32,
}

/// The only queue.
pub struct Queue {
    events: Mutex<VecDeque<Touch>>,
    /// Which looper waits, and by which number.
    looper: Mutex<Option<(usize, c_int)>>,
}

pub static QUEUE: Queue = Queue { events: Mutex::new(VecDeque::new()), looper: Mutex::new(None) };

impl Queue {
    pub fn push(&self, touch: Touch) {
        self.events.lock().unwrap().push_back(touch);
        if let Some((looper, _)) = *self.looper.lock().unwrap() {
            unsafe { ALooper_wake(looper as *mut Looper) };
        }
    }

    fn waits_for(&self, looper: *mut Looper) -> Option<c_int> {
        let waiting = !self.events.lock().unwrap().is_empty();
        self.looper.lock().unwrap().filter(|&(mine, _)| waiting && mine == looper as usize).map(|(_, ident)| ident)
    }

    pub fn is_empty(&self) -> bool {
        self.events.lock().unwrap().is_empty()
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn AInputQueue_attachLooper(
    _: *mut c_void,
    looper: *mut Looper,
    ident: c_int,
    _: Option<Callback>,
    _: *mut c_void,
) {
    if QUEUE.looper.lock().unwrap().replace((looper as usize, ident)).is_none() {
        ATTACHED.add(1);
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn AInputQueue_detachLooper(_: *mut c_void) {
    if QUEUE.looper.lock().unwrap().take().is_some() {
        ATTACHED.add(-1);
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn AInputQueue_getEvent(_: *mut c_void, event: *mut *mut Touch) -> i32 {
    match QUEUE.events.lock().unwrap().pop_front() {
        Some(touch) => {
            EVENTS.add(1);
            unsafe { *event = Box::into_raw(Box::new(touch)) };
            0
        }
        None => -11,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn AInputQueue_preDispatchEvent(_: *mut c_void, _: *mut Touch) -> i32 {
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn AInputQueue_finishEvent(_: *mut c_void, event: *mut Touch, _: c_int) {
    EVENTS.add(-1);
    drop(unsafe { Box::from_raw(event) });
}

#[unsafe(no_mangle)]
unsafe extern "C" fn AInputEvent_getType(_: *const Touch) -> i32 {
    2 // A motion.
}

#[unsafe(no_mangle)]
unsafe extern "C" fn AMotionEvent_getAction(event: *const Touch) -> i32 {
    unsafe { (*event).action }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn AMotionEvent_getAxisValue(event: *const Touch, axis: i32, _: usize) -> f32 {
    unsafe { if axis == 0 { (*event).x } else { (*event).y } }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn AMotionEvent_getPointerCount(_: *const Touch) -> usize {
    1
}

#[unsafe(no_mangle)]
unsafe extern "C" fn AConfiguration_new() -> *mut c_void {
    CONFIGURATIONS.add(1);
    Box::into_raw(Box::new(0u64)).cast()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn AConfiguration_delete(configuration: *mut c_void) {
    CONFIGURATIONS.add(-1);
    drop(unsafe { Box::from_raw(configuration.cast::<u64>()) });
}

#[unsafe(no_mangle)]
unsafe extern "C" fn AConfiguration_copy(_: *mut c_void, _: *mut c_void) {}

#[unsafe(no_mangle)]
unsafe extern "C" fn AConfiguration_fromAssetManager(_: *mut c_void, _: *mut c_void) {}

#[unsafe(no_mangle)]
unsafe extern "C" fn AAssetManager_fromJava(_: *mut c_void, _: *mut c_void) -> *mut c_void {
    0x20 as *mut c_void
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ANativeActivity_finish(_: *mut c_void) {}

#[unsafe(no_mangle)]
unsafe extern "C" fn ANativeActivity_setWindowFlags(_: *mut c_void, _: u32, _: u32) {}

// Newer than the system that is played here. The app looks for them by name, and the linker's stand-ins may have them.

#[unsafe(no_mangle)]
unsafe extern "C" fn AThermal_acquireManager() -> *mut c_void {
    ptr::null_mut()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn APerformanceHint_getManager() -> *mut c_void {
    ptr::null_mut()
}
