//! Heat and the performance hint. Both are newer than the oldest Android that the app runs on, so they are looked up
//! when it starts, and are missed by nobody.

use std::ffi::{CStr, c_int, c_void};
use std::ptr::{self, NonNull};

use crate::platform::{Heat, Power};

type Handle = NonNull<c_void>;

/// A function of the system, or `None` where it is too old.
///
/// # Safety
/// `F` is the function's type.
unsafe fn function<F: Copy>(name: &CStr) -> Option<F> {
    // SAFETY: the name ends with a zero, and all loaded libraries are searched.
    let found = NonNull::new(unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) })?;
    // SAFETY: a pointer to a function has the size of any pointer; its type is the caller's promise.
    Some(unsafe { std::mem::transmute_copy::<Handle, F>(&found) })
}

/// `AThermal`, from Android 11.
struct Thermal {
    manager: Handle,
    status: unsafe extern "C" fn(Handle) -> c_int,
    release: unsafe extern "C" fn(Handle),
}

impl Thermal {
    fn new() -> Option<Self> {
        type Acquire = unsafe extern "C" fn() -> Option<Handle>;
        // SAFETY: the types are those of android/thermal.h.
        unsafe {
            let acquire: Acquire = function(c"AThermal_acquireManager")?;
            let (status, release) =
                (function(c"AThermal_getCurrentThermalStatus")?, function(c"AThermal_releaseManager")?);
            Some(Self { manager: acquire()?, status, release })
        }
    }
}

impl Drop for Thermal {
    fn drop(&mut self) {
        // SAFETY: the manager was acquired by `new` and is released once.
        unsafe { (self.release)(self.manager) }
    }
}

/// `APerformanceHint`, from Android 13: the system picks cores and clocks for the time that a frame may take.
struct Hint {
    session: Handle,
    report: unsafe extern "C" fn(Handle, i64) -> c_int,
    close: unsafe extern "C" fn(Handle),
}

impl Hint {
    /// For the thread that calls.
    fn new(target_secs: f64) -> Option<Self> {
        type Manager = unsafe extern "C" fn() -> Option<Handle>;
        type Create = unsafe extern "C" fn(Handle, *const i32, usize, i64) -> Option<Handle>;
        // SAFETY: the types are those of android/performance_hint.h.
        unsafe {
            let manager: Manager = function(c"APerformanceHint_getManager")?;
            let create: Create = function(c"APerformanceHint_createSession")?;
            let (report, close) =
                (function(c"APerformanceHint_reportActualWorkDuration")?, function(c"APerformanceHint_closeSession")?);
            let thread = libc::gettid();
            let session = create(manager()?, ptr::from_ref(&thread), 1, nanos(target_secs))?;
            Some(Self { session, report, close })
        }
    }
}

impl Drop for Hint {
    fn drop(&mut self) {
        // SAFETY: the session was created by `new` and is closed once.
        unsafe { (self.close)(self.session) }
    }
}

/// At least one: the system refuses zero.
fn nanos(secs: f64) -> i64 {
    ((secs * 1e9) as i64).max(1)
}

pub struct SystemPower {
    thermal: Option<Thermal>,
    /// `None` until the first frame; then `None` inside where the system has no hints.
    hint: Option<Option<Hint>>,
}

impl SystemPower {
    pub fn new() -> Self {
        Self { thermal: Thermal::new(), hint: None }
    }
}

impl Power for SystemPower {
    fn heat(&mut self) -> Option<Heat> {
        let thermal = self.thermal.as_ref()?;
        // SAFETY: the manager lives as long as `thermal`.
        match unsafe { (thermal.status)(thermal.manager) } {
            0 => Some(Heat::None),
            1 => Some(Heat::Light),
            2 => Some(Heat::Moderate),
            3 => Some(Heat::Severe),
            4.. => Some(Heat::Critical),
            _ => None,
        }
    }

    fn worked(&mut self, secs: f64, target_secs: f64) {
        if let Some(hint) = self.hint.get_or_insert_with(|| Hint::new(target_secs)) {
            // SAFETY: the session lives as long as `hint`.
            unsafe { (hint.report)(hint.session, nanos(secs)) };
        }
    }
}
