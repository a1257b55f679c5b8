//! The camera through camera2's C interface, its frames through `AImageReader`.

use std::ffi::{CStr, CString, c_int, c_void};
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering};

use android_activity::AndroidAppWaker;
use ndk::media::image_reader::{AcquireResult, Image, ImageFormat, ImageReader};
use ndk::native_window::NativeWindow;
use ndk_sys::{
    ACameraCaptureSession, ACameraCaptureSession_stateCallbacks, ACameraDevice, ACameraDevice_StateCallbacks,
    ACameraManager, ACameraMetadata, ACameraOutputTarget, ACaptureRequest, ACaptureSessionOutput,
    ACaptureSessionOutputContainer, camera_status_t,
};

use crate::frame::{CameraFrame, Plane};
use crate::orientation::{Facing, Turn};
use crate::platform::{Camera, CameraInfo, CameraTrouble};

// ndk-sys declares the functions and leaves the library out.
#[link(name = "camera2ndk")]
unsafe extern "C" {}

/// Frames that the reader holds: one that is read, one that is the newest, and one that is filled.
const MAX_IMAGES: i32 = 3;

/// `AIMAGE_FORMAT_YUV_420_888`, as stream configurations name it.
const YUV_420_888: i32 = 0x23;

/// `onDisconnected` has no code; camera2's own are positive.
const DISCONNECTED: i32 = -1;

/// What the camera's own threads report. There is one app in a process, and a camera may report after it was closed, so
/// this outlives all of them.
static REPORT: Report =
    Report { device: AtomicPtr::new(ptr::null_mut()), code: AtomicI32::new(0), waker: Mutex::new(None) };

struct Report {
    /// The camera that failed last.
    device: AtomicPtr<ACameraDevice>,
    code: AtomicI32,
    waker: Mutex<Option<AndroidAppWaker>>,
}

impl Report {
    fn failed(&self, device: *mut ACameraDevice, code: i32) {
        self.code.store(code, Ordering::Relaxed);
        self.device.store(device, Ordering::Release);
        self.wake();
    }

    fn wake(&self) {
        let waker = self.waker.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        waker.iter().for_each(AndroidAppWaker::wake);
    }
}

unsafe extern "C" fn on_disconnected(_: *mut c_void, device: *mut ACameraDevice) {
    REPORT.failed(device, DISCONNECTED);
}

unsafe extern "C" fn on_error(_: *mut c_void, device: *mut ACameraDevice, error: c_int) {
    REPORT.failed(device, error);
}

unsafe extern "C" fn on_session(_: *mut c_void, _: *mut ACameraCaptureSession) {}

/// Turns a status into a trouble.
fn check(status: camera_status_t) -> Result<(), CameraTrouble> {
    Err(match status {
        camera_status_t::ACAMERA_OK => return Ok(()),
        camera_status_t::ACAMERA_ERROR_CAMERA_IN_USE | camera_status_t::ACAMERA_ERROR_MAX_CAMERA_IN_USE => {
            CameraTrouble::InUse
        }
        camera_status_t::ACAMERA_ERROR_CAMERA_DISABLED => CameraTrouble::Disabled,
        camera_status_t::ACAMERA_ERROR_PERMISSION_DENIED => CameraTrouble::Denied,
        camera_status_t::ACAMERA_ERROR_CAMERA_DISCONNECTED => CameraTrouble::Disconnected,
        camera_status_t(code) => CameraTrouble::Failed { code },
    })
}

/// What `onError` means: its codes are others than those of functions.
fn reported(code: i32) -> CameraTrouble {
    match code {
        DISCONNECTED => CameraTrouble::Disconnected,
        code if code == ndk_sys::ERROR_CAMERA_IN_USE as i32 => CameraTrouble::InUse,
        code if code == ndk_sys::ERROR_MAX_CAMERAS_IN_USE as i32 => CameraTrouble::InUse,
        code if code == ndk_sys::ERROR_CAMERA_DISABLED as i32 => CameraTrouble::Disabled,
        code => CameraTrouble::Failed { code },
    }
}

/// Calls a function that answers through its last argument.
fn made<T>(call: impl FnOnce(*mut *mut T) -> camera_status_t) -> Result<NonNull<T>, CameraTrouble> {
    let mut made = ptr::null_mut();
    check(call(&raw mut made))?;
    NonNull::new(made).ok_or(CameraTrouble::Failed { code: 0 })
}

/// Something of the system with the function that gives it back.
struct Owned<T>(NonNull<T>, unsafe fn(*mut T));

impl<T> Owned<T> {
    fn ptr(&self) -> *mut T {
        self.0.as_ptr()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: it was made by the system, and is given back once.
        unsafe { (self.1)(self.0.as_ptr()) }
    }
}

/// A camera that runs. The fields are dropped in this order: each needs those after it.
struct Running {
    session: Owned<ACameraCaptureSession>,
    _request: Owned<ACaptureRequest>,
    _target: Owned<ACameraOutputTarget>,
    _outputs: Owned<ACaptureSessionOutputContainer>,
    _output: Owned<ACaptureSessionOutput>,
    device: Owned<ACameraDevice>,
    _window: NativeWindow,
    reader: ImageReader,
}

impl Drop for Running {
    fn drop(&mut self) {
        // SAFETY: the session is open. That it stops by itself when it is closed is not promised.
        unsafe { ndk_sys::ACameraCaptureSession_stopRepeating(self.session.ptr()) };
    }
}

pub struct NdkCamera {
    manager: Option<Owned<ACameraManager>>,
    running: Option<Running>,
}

impl NdkCamera {
    pub fn new(waker: AndroidAppWaker) -> Self {
        *REPORT.waker.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(waker);
        // SAFETY: it needs nothing.
        let manager = NonNull::new(unsafe { ndk_sys::ACameraManager_create() });
        let delete = |manager: *mut ACameraManager| unsafe { ndk_sys::ACameraManager_delete(manager) };
        Self { manager: manager.map(|manager| Owned(manager, delete)), running: None }
    }

    fn manager(&self) -> Result<*mut ACameraManager, CameraTrouble> {
        self.manager.as_ref().map(Owned::ptr).ok_or(CameraTrouble::NoCamera)
    }

    fn info(&self, id: &CStr) -> Result<CameraInfo, CameraTrouble> {
        let manager = self.manager()?;
        // SAFETY: manager and name are valid during the call.
        let data =
            made(|data| unsafe { ndk_sys::ACameraManager_getCameraCharacteristics(manager, id.as_ptr(), data) })?;
        let data = Owned(data, |data| unsafe { ndk_sys::ACameraMetadata_free(data) });
        use ndk_sys::acamera_metadata_tag as tag;
        let facing = match bytes(&data, tag::ACAMERA_LENS_FACING.0).first() {
            Some(0) => Facing::Front,
            Some(1) => Facing::Back,
            _ => Facing::External,
        };
        let sensor = numbers(&data, tag::ACAMERA_SENSOR_ORIENTATION.0).first().copied().unwrap_or(0);
        let streams = numbers(&data, tag::ACAMERA_SCALER_AVAILABLE_STREAM_CONFIGURATIONS.0);
        // Format, width, height, and 0 for output.
        let yuv = streams.as_chunks::<4>().0.iter().filter(|stream| stream[0] == YUV_420_888 && stream[3] == 0);
        let sizes = yuv.filter_map(|&[_, width, height, _]| {
            Some((usize::try_from(width).ok()?, usize::try_from(height).ok()?)).filter(|&(w, h)| w > 0 && h > 0)
        });
        let id = id.to_string_lossy().into_owned();
        Ok(CameraInfo { id, facing, sensor: Turn::from_degrees(sensor), sizes: sizes.collect() })
    }
}

/// The values of a tag that has bytes.
fn bytes(data: &Owned<ACameraMetadata>, tag: u32) -> &[u8] {
    // SAFETY: the system says how many bytes there are, and they live as long as `data`.
    entry(data, tag).map_or(&[], |entry| unsafe { slice::from_raw_parts(entry.data.u8_, entry.count as usize) })
}

/// The values of a tag that has 32-bit numbers.
fn numbers(data: &Owned<ACameraMetadata>, tag: u32) -> &[i32] {
    // SAFETY: as in `bytes`.
    entry(data, tag).map_or(&[], |entry| unsafe { slice::from_raw_parts(entry.data.i32_, entry.count as usize) })
}

fn entry(data: &Owned<ACameraMetadata>, tag: u32) -> Option<ndk_sys::ACameraMetadata_const_entry> {
    // SAFETY: all of it may be zero: numbers and a pointer.
    let mut entry: ndk_sys::ACameraMetadata_const_entry = unsafe { std::mem::zeroed() };
    // SAFETY: both live during the call.
    let status = unsafe { ndk_sys::ACameraMetadata_getConstEntry(data.ptr(), tag, &raw mut entry) };
    // SAFETY: each member of the union is a pointer.
    let empty = entry.count == 0 || unsafe { entry.data.u8_ }.is_null();
    (status == camera_status_t::ACAMERA_OK && !empty).then_some(entry)
}

impl Camera for NdkCamera {
    fn list(&mut self) -> Result<Vec<CameraInfo>, CameraTrouble> {
        let manager = self.manager()?;
        // SAFETY: the manager is valid.
        let list = made(|list| unsafe { ndk_sys::ACameraManager_getCameraIdList(manager, list) })?;
        let list = Owned(list, |list| unsafe { ndk_sys::ACameraManager_deleteCameraIdList(list) });
        // SAFETY: the list lives until the end of this function, and so do its names.
        let ids: Vec<&CStr> = unsafe {
            let list = list.0.as_ref();
            (0..list.numCameras.max(0) as usize).map(|i| CStr::from_ptr(*list.cameraIds.add(i))).collect()
        };
        // A camera that says nothing about itself is left out.
        Ok(ids.into_iter().filter_map(|id| self.info(id).ok()).filter(|info| !info.sizes.is_empty()).collect())
    }

    fn open(&mut self, id: &str, (width, height): (usize, usize)) -> Result<(), CameraTrouble> {
        self.close();
        let manager = self.manager()?;
        let id = CString::new(id).map_err(|_| CameraTrouble::NoCamera)?;
        let no_format = |_| CameraTrouble::NoFormat;
        let side = |length: usize| i32::try_from(length).map_err(|_| CameraTrouble::NoFormat);
        let reader = ImageReader::new(side(width)?, side(height)?, ImageFormat::YUV_420_888, MAX_IMAGES);
        let mut reader = reader.map_err(no_format)?;
        reader.set_image_listener(Box::new(|_| REPORT.wake())).map_err(no_format)?;
        let window = reader.window().map_err(no_format)?;
        let surface = window.ptr().as_ptr();
        let mut callbacks = ACameraDevice_StateCallbacks {
            context: ptr::null_mut(),
            onDisconnected: Some(on_disconnected),
            onError: Some(on_error),
        };
        // SAFETY: manager, name and callbacks are valid during the call, and the system copies what it keeps.
        let device = made(|device| unsafe {
            ndk_sys::ACameraManager_openCamera(manager, id.as_ptr(), &raw mut callbacks, device)
        })?;
        let device = Owned(device, |device| {
            // What a failed close leaves behind, nobody can help.
            let _ = unsafe { ndk_sys::ACameraDevice_close(device) };
        });
        // SAFETY: from here on each pointer is of something that lives until it is dropped in `Running`'s order.
        unsafe {
            let output = made(|output| ndk_sys::ACaptureSessionOutput_create(surface, output))?;
            let output = Owned(output, |output| ndk_sys::ACaptureSessionOutput_free(output));
            let outputs = made(|outputs| ndk_sys::ACaptureSessionOutputContainer_create(outputs))?;
            let outputs = Owned(outputs, |outputs| ndk_sys::ACaptureSessionOutputContainer_free(outputs));
            check(ndk_sys::ACaptureSessionOutputContainer_add(outputs.ptr(), output.ptr()))?;
            let target = made(|target| ndk_sys::ACameraOutputTarget_create(surface, target))?;
            let target = Owned(target, |target| ndk_sys::ACameraOutputTarget_free(target));
            let template = ndk_sys::ACameraDevice_request_template::TEMPLATE_PREVIEW;
            let request = made(|request| ndk_sys::ACameraDevice_createCaptureRequest(device.ptr(), template, request))?;
            let request = Owned(request, |request| ndk_sys::ACaptureRequest_free(request));
            check(ndk_sys::ACaptureRequest_addTarget(request.ptr(), target.ptr()))?;
            let callbacks = ACameraCaptureSession_stateCallbacks {
                context: ptr::null_mut(),
                onClosed: Some(on_session),
                onReady: Some(on_session),
                onActive: Some(on_session),
            };
            let session = made(|session| {
                let callbacks = &raw const callbacks;
                ndk_sys::ACameraDevice_createCaptureSession(device.ptr(), outputs.ptr(), callbacks, session)
            })?;
            let session = Owned(session, |session| ndk_sys::ACameraCaptureSession_close(session));
            let mut requests = [request.ptr()];
            check(ndk_sys::ACameraCaptureSession_setRepeatingRequest(
                session.ptr(),
                ptr::null_mut(),
                1,
                requests.as_mut_ptr(),
                ptr::null_mut(),
            ))?;
            self.running = Some(Running {
                session,
                _request: request,
                _target: target,
                _outputs: outputs,
                _output: output,
                device,
                _window: window,
                reader,
            });
        }
        Ok(())
    }

    fn close(&mut self) {
        self.running = None;
        REPORT.device.store(ptr::null_mut(), Ordering::Release);
    }

    fn newest(&mut self, take: &mut dyn FnMut(&CameraFrame)) -> Result<bool, CameraTrouble> {
        let Some(running) = &self.running else { return Ok(false) };
        if REPORT.device.load(Ordering::Acquire) == running.device.ptr() {
            return Err(reported(REPORT.code.load(Ordering::Relaxed)));
        }
        match running.reader.acquire_latest_image() {
            Ok(AcquireResult::Image(image)) => {
                let frame = frame(&image).ok_or(CameraTrouble::Damaged)?;
                take(&frame);
                Ok(true)
            }
            Ok(_) => Ok(false),
            Err(_) => Err(CameraTrouble::Failed { code: 0 }),
        }
    }
}

impl Drop for NdkCamera {
    fn drop(&mut self) {
        self.close();
        *REPORT.waker.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = None;
    }
}

/// The planes of an image, in place.
fn frame(image: &Image) -> Option<CameraFrame<'_>> {
    let size = |length: ndk::media_error::Result<i32>| usize::try_from(length.ok()?).ok();
    let plane = |number| {
        let bytes = image.plane_data(number).ok()?;
        let (row_stride, pixel_stride) = (image.plane_row_stride(number), image.plane_pixel_stride(number));
        Some(Plane { bytes, row_stride: size(row_stride)?, pixel_stride: size(pixel_stride)? })
    };
    CameraFrame::new(size(image.width())?, size(image.height())?, [plane(0)?, plane(1)?, plane(2)?]).ok()
}
