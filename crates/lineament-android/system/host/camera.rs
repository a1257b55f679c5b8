//! Two cameras that show the film, as a phone gives frames: rows with gaps, both colours in shared rows.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use crate::window::{ANativeWindow_release, Window};
use crate::*;

const WIDTH: usize = 640;
const HEIGHT: usize = 480;
const STRIDE: usize = WIDTH + 64;

/// Brightness, then red and blue in turn.
struct Frame {
    luma: Vec<u8>,
    colours: Vec<u8>,
}

static FILM: OnceLock<Vec<Frame>> = OnceLock::new();

pub fn load_film(path: &str) {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let start = bytes.iter().position(|&byte| byte == b'\n').expect("a header") + 1;
    let step = 6 + WIDTH * HEIGHT * 3 / 2;
    let frames = bytes[start..].chunks_exact(step).map(|frame| {
        let (y, colours) = frame[6..].split_at(WIDTH * HEIGHT);
        let (u, v) = colours.split_at(colours.len() / 2);
        let mut luma = vec![0; STRIDE * HEIGHT];
        let mut both = vec![0; STRIDE * HEIGHT / 2];
        luma.chunks_mut(STRIDE).zip(y.chunks(WIDTH)).for_each(|(to, from)| to[..WIDTH].copy_from_slice(from));
        for (to, (u, v)) in both.chunks_mut(STRIDE).zip(u.chunks(WIDTH / 2).zip(v.chunks(WIDTH / 2))) {
            (0..WIDTH / 2).for_each(|x| (to[2 * x], to[2 * x + 1]) = (v[x], u[x]));
        }
        // The last rows end with their last values, as those of phones.
        luma.truncate(STRIDE * (HEIGHT - 1) + WIDTH);
        both.truncate(STRIDE * (HEIGHT / 2 - 1) + WIDTH);
        Frame { luma, colours: both }
    });
    assert!(FILM.set(frames.collect()).is_ok());
}

/// What the next call of `openCamera` answers.
pub static OPEN_STATUS: AtomicI32 = AtomicI32::new(0);
static READER: AtomicPtr<Reader> = AtomicPtr::new(ptr::null_mut());
static DEVICE: AtomicPtr<Device> = AtomicPtr::new(ptr::null_mut());
static STREAMS: AtomicI32 = AtomicI32::new(0);
static NUMBER: AtomicUsize = AtomicUsize::new(0);

#[repr(C)]
#[derive(Clone, Copy)]
struct DeviceCallbacks {
    context: *mut c_void,
    on_disconnected: Option<unsafe extern "C" fn(*mut c_void, *mut Device)>,
    on_error: Option<unsafe extern "C" fn(*mut c_void, *mut Device, c_int)>,
}

pub struct Device(DeviceCallbacks);

#[repr(C)]
#[derive(Clone, Copy)]
struct Listener {
    context: *mut c_void,
    on_image: Option<unsafe extern "C" fn(*mut c_void, *mut Reader)>,
}

pub struct Reader {
    window: *mut Window,
    listener: Mutex<Option<Listener>>,
    /// The newest frame that was not taken.
    newest: Mutex<Option<usize>>,
}

/// The camera sends a frame. False where none runs.
pub fn push_frame() -> bool {
    let reader = READER.load(Ordering::SeqCst);
    if reader.is_null() || STREAMS.load(Ordering::SeqCst) == 0 {
        return false;
    }
    let reader_ref = unsafe { &*reader };
    *reader_ref.newest.lock().unwrap() = Some(NUMBER.fetch_add(1, Ordering::SeqCst));
    let listener = *reader_ref.listener.lock().unwrap();
    if let Some(Listener { context, on_image: Some(call) }) = listener {
        unsafe { call(context, reader) };
    }
    true
}

/// The frames that follow begin with this one.
pub fn is_streaming() -> bool {
    STREAMS.load(Ordering::SeqCst) > 0
}

/// Another app takes the camera.
pub fn disconnect() {
    let device = DEVICE.load(Ordering::SeqCst);
    assert!(!device.is_null(), "no camera is open");
    unsafe {
        let callbacks = (*device).0;
        callbacks.on_disconnected.expect("a callback")(callbacks.context, device);
    }
}

/// Something that only counts.
fn made(count: &Count, out: *mut *mut c_void) -> c_int {
    count.add(1);
    unsafe { *out = Box::into_raw(Box::new(0u64)).cast() };
    0
}

fn freed(count: &Count, thing: *mut c_void) {
    count.add(-1);
    drop(unsafe { Box::from_raw(thing.cast::<u64>()) });
}

macro_rules! things {
    ($($count:ident: $create:ident($($argument:ident),*) $free:ident;)+) => {
        $(
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $create($($argument: *mut c_void,)* out: *mut *mut c_void) -> c_int {
                $(let _ = $argument;)*
                made(&$count, out)
            }
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $free(thing: *mut c_void) {
                freed(&$count, thing);
            }
        )+
    };
}

things! {
    OUTPUTS: ACaptureSessionOutput_create(_window) ACaptureSessionOutput_free;
    CONTAINERS: ACaptureSessionOutputContainer_create() ACaptureSessionOutputContainer_free;
    TARGETS: ACameraOutputTarget_create(_window) ACameraOutputTarget_free;
    REQUESTS: ACameraDevice_createCaptureRequest(_device, _template) ACaptureRequest_free;
    SESSIONS: ACameraDevice_createCaptureSession(_device, _outputs, _callbacks) session_free;
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ACaptureSessionOutputContainer_add(_: *mut c_void, _: *mut c_void) -> c_int {
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ACaptureRequest_addTarget(_: *mut c_void, _: *mut c_void) -> c_int {
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ACameraCaptureSession_setRepeatingRequest(
    _: *mut c_void,
    _: *mut c_void,
    _: c_int,
    _: *mut c_void,
    _: *mut c_int,
) -> c_int {
    STREAMS.fetch_add(1, Ordering::SeqCst);
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ACameraCaptureSession_stopRepeating(_: *mut c_void) -> c_int {
    STREAMS.fetch_sub(1, Ordering::SeqCst);
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ACameraCaptureSession_close(session: *mut c_void) {
    freed(&SESSIONS, session);
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ACameraManager_create() -> *mut c_void {
    let mut manager = ptr::null_mut();
    made(&MANAGERS, &raw mut manager);
    manager
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ACameraManager_delete(manager: *mut c_void) {
    freed(&MANAGERS, manager);
}

#[repr(C)]
struct IdList {
    count: c_int,
    ids: *const *const c_char,
}

struct Ids([*const c_char; 2]);

// SAFETY: the names never change.
unsafe impl Sync for Ids {}

static IDS: Ids = Ids([c"0".as_ptr(), c"1".as_ptr()]);

#[unsafe(no_mangle)]
unsafe extern "C" fn ACameraManager_getCameraIdList(_: *mut c_void, out: *mut *mut IdList) -> c_int {
    LISTS.add(1);
    unsafe { *out = Box::into_raw(Box::new(IdList { count: 2, ids: IDS.0.as_ptr() })) };
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ACameraManager_deleteCameraIdList(list: *mut IdList) {
    LISTS.add(-1);
    drop(unsafe { Box::from_raw(list) });
}

/// What is known of a camera.
struct Data {
    facing: [u8; 1],
    sensor: [i32; 1],
    streams: [i32; 12],
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ACameraManager_getCameraCharacteristics(
    _: *mut c_void,
    id: *const c_char,
    out: *mut *mut Data,
) -> c_int {
    DATA.add(1);
    let front = unsafe { CStr::from_ptr(id) } == c"1";
    // The last one is an input, and the format of the second is another.
    let streams = [0x23, 640, 480, 0, 0x23, 864, 480, 0, 0x23, 1920, 1080, 1];
    let data = Data { facing: [u8::from(!front)], sensor: [if front { 270 } else { 90 }], streams };
    unsafe { *out = Box::into_raw(Box::new(data)) };
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ACameraMetadata_free(data: *mut Data) {
    DATA.add(-1);
    drop(unsafe { Box::from_raw(data) });
}

#[repr(C)]
struct Entry {
    tag: u32,
    kind: u8,
    count: u32,
    data: *const c_void,
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ACameraMetadata_getConstEntry(data: *const Data, tag: u32, entry: *mut Entry) -> c_int {
    let data = unsafe { &*data };
    let (kind, count, values): (u8, u32, *const c_void) = match tag {
        0x0008_0005 => (0, 1, data.facing.as_ptr().cast()),
        0x000e_000e => (1, 1, data.sensor.as_ptr().cast()),
        0x000d_000a => (1, 12, data.streams.as_ptr().cast()),
        _ => return -10_004,
    };
    unsafe { *entry = Entry { tag, kind, count, data: values } };
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ACameraManager_openCamera(
    _: *mut c_void,
    _: *const c_char,
    callbacks: *const DeviceCallbacks,
    out: *mut *mut Device,
) -> c_int {
    let status = OPEN_STATUS.swap(0, Ordering::SeqCst);
    if status != 0 {
        return status;
    }
    if !java::GRANTED.load(Ordering::SeqCst) {
        return -10_013;
    }
    DEVICES.add(1);
    let device = Box::into_raw(Box::new(Device(unsafe { *callbacks })));
    assert!(DEVICE.swap(device, Ordering::SeqCst).is_null(), "two cameras at once");
    unsafe { *out = device };
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ACameraDevice_close(device: *mut Device) -> c_int {
    DEVICES.add(-1);
    assert_eq!(SESSIONS.now(), 0, "a session outlives its camera");
    DEVICE.store(ptr::null_mut(), Ordering::SeqCst);
    drop(unsafe { Box::from_raw(device) });
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn AImageReader_new(_: i32, _: i32, _: i32, _: i32, out: *mut *mut Reader) -> c_int {
    READERS.add(1);
    let window = Window::new(WIDTH as i32, HEIGHT as i32);
    let reader = Reader { window, listener: Mutex::new(None), newest: Mutex::new(None) };
    let reader = Box::into_raw(Box::new(reader));
    READER.store(reader, Ordering::SeqCst);
    unsafe { *out = reader };
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn AImageReader_delete(reader: *mut Reader) {
    READERS.add(-1);
    assert_eq!(IMAGES.now(), 0, "an image outlives its reader");
    READER.store(ptr::null_mut(), Ordering::SeqCst);
    unsafe {
        ANativeWindow_release((*reader).window);
        drop(Box::from_raw(reader));
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn AImageReader_getWindow(reader: *mut Reader, out: *mut *mut Window) -> c_int {
    unsafe { *out = (*reader).window };
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn AImageReader_setImageListener(reader: *mut Reader, listener: *const Listener) -> c_int {
    unsafe { *(*reader).listener.lock().unwrap() = Some(*listener) };
    0
}

pub struct Image(&'static Frame);

#[unsafe(no_mangle)]
unsafe extern "C" fn AImageReader_acquireLatestImage(reader: *mut Reader, out: *mut *mut Image) -> c_int {
    match unsafe { (*reader).newest.lock().unwrap().take() } {
        Some(number) => {
            IMAGES.add(1);
            let film = FILM.get().expect("a film");
            unsafe { *out = Box::into_raw(Box::new(Image(&film[number % film.len()]))) };
            0
        }
        None => -30_001, // AMEDIA_IMGREADER_NO_BUFFER_AVAILABLE
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn AImage_delete(image: *mut Image) {
    IMAGES.add(-1);
    drop(unsafe { Box::from_raw(image) });
}

#[unsafe(no_mangle)]
unsafe extern "C" fn AImage_getWidth(_: *const Image, out: *mut i32) -> c_int {
    unsafe { *out = WIDTH as i32 };
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn AImage_getHeight(_: *const Image, out: *mut i32) -> c_int {
    unsafe { *out = HEIGHT as i32 };
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn AImage_getPlaneRowStride(_: *const Image, _: c_int, out: *mut i32) -> c_int {
    unsafe { *out = STRIDE as i32 };
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn AImage_getPlanePixelStride(_: *const Image, plane: c_int, out: *mut i32) -> c_int {
    unsafe { *out = if plane == 0 { 1 } else { 2 } };
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn AImage_getPlaneData(
    image: *const Image,
    plane: c_int,
    data: *mut *const u8,
    length: *mut c_int,
) -> c_int {
    let frame = unsafe { (*image).0 };
    // Blue lies one byte behind red.
    let bytes = match plane {
        0 => &frame.luma[..],
        1 => &frame.colours[1..],
        _ => &frame.colours[..frame.colours.len() - 1],
    };
    unsafe {
        *data = bytes.as_ptr();
        *length = bytes.len() as c_int;
    }
    0
}
