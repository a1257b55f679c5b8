//! A Java machine made of a table: it knows the names of methods, and answers the four that the app calls.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, Ordering};

/// The answer to `checkSelfPermission`.
pub static GRANTED: AtomicBool = AtomicBool::new(false);
/// How often `requestPermissions` was called.
pub static ASKED: AtomicI32 = AtomicI32::new(0);
/// The answer to `getRotation`.
pub static ROTATION: AtomicI32 = AtomicI32::new(0);
/// Global references that the app holds.
pub static GLOBALS: AtomicI64 = AtomicI64::new(0);

/// A reference to an object of which nothing is known.
const OBJECT: usize = 0x10;
/// Functions of `JNIEnv`, with its four reserved places.
const FUNCTIONS: usize = 240;

/// Names of methods; an identity is a place here, plus [`OBJECT`].
static METHODS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// What the app takes for a `JNIEnv` or a `JavaVM`: it points to a table.
#[repr(C)]
struct Machine(*const *const c_void);

static mut ENV_TABLE: [*const c_void; FUNCTIONS] = [ptr::null(); FUNCTIONS];
static mut VM_TABLE: [*const c_void; 8] = [ptr::null(); 8];
static mut ENV: Machine = Machine(ptr::null());
static mut VM: Machine = Machine(ptr::null());

type Env = *mut c_void;

unsafe extern "C" fn object(_: Env) -> usize {
    OBJECT
}
unsafe extern "C" fn zero(_: Env) -> usize {
    0
}
unsafe extern "C" fn version(_: Env) -> c_int {
    0x0001_0006
}
unsafe extern "C" fn yes(_: Env) -> u8 {
    1
}
unsafe extern "C" fn same(_: Env, a: usize, b: usize) -> u8 {
    u8::from(a == b)
}
unsafe extern "C" fn itself(_: Env, object: usize) -> usize {
    object
}
unsafe extern "C" fn new_global(_: Env, object: usize) -> usize {
    GLOBALS.fetch_add(1, Ordering::SeqCst);
    object
}
unsafe extern "C" fn delete_global(_: Env, _: usize) {
    GLOBALS.fetch_sub(1, Ordering::SeqCst);
}
unsafe extern "C" fn reference_kind(_: Env, _: usize) -> c_int {
    2
}
unsafe extern "C" fn method(_: Env, _: usize, name: *const c_char, _: *const c_char) -> usize {
    let name = unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned();
    let mut methods = METHODS.lock().unwrap();
    let place = methods.iter().position(|known| *known == name).unwrap_or_else(|| {
        methods.push(name);
        methods.len() - 1
    });
    OBJECT + place
}
fn name(method: usize) -> String {
    METHODS.lock().unwrap().get(method.wrapping_sub(OBJECT)).cloned().unwrap_or_default()
}
unsafe extern "C" fn call_int(_: Env, _: usize, method: usize, _: *const c_void) -> c_int {
    match name(method).as_str() {
        "checkSelfPermission" => {
            if GRANTED.load(Ordering::SeqCst) {
                0
            } else {
                -1
            }
        }
        "getRotation" => ROTATION.load(Ordering::SeqCst),
        other => panic!("int {other}"),
    }
}
unsafe extern "C" fn call_void(_: Env, _: usize, method: usize, _: *const c_void) {
    match name(method).as_str() {
        "requestPermissions" => drop(ASKED.fetch_add(1, Ordering::SeqCst)),
        "setName" | "setContextClassLoader" => (),
        other => panic!("void {other}"),
    }
}
unsafe extern "C" fn text(_: Env, _: usize, copied: *mut u8) -> *const c_char {
    if !copied.is_null() {
        unsafe { *copied = 0 };
    }
    c"text".as_ptr()
}
unsafe extern "C" fn get_vm(_: Env, out: *mut *mut c_void) -> c_int {
    unsafe { *out = vm() };
    0
}
unsafe extern "C" fn attach(_: *mut c_void, out: *mut *mut c_void, _: *mut c_void) -> c_int {
    unsafe { *out = env() };
    0
}

/// The only `JNIEnv`.
pub fn env() -> *mut c_void {
    (&raw mut ENV).cast()
}

/// The only `JavaVM`.
pub fn vm() -> *mut c_void {
    (&raw mut VM).cast()
}

/// Fills the tables. The places are those of the JNI specification.
pub fn prepare() {
    // SAFETY: nothing else runs yet.
    unsafe {
        let table = &mut *(&raw mut ENV_TABLE);
        table.fill(object as *const c_void);
        let places: &[(usize, *const c_void)] = &[
            (4, version as *const c_void),
            (11, yes as *const c_void),           // IsAssignableFrom
            (15, zero as *const c_void),          // ExceptionOccurred
            (16, zero as *const c_void),          // ExceptionDescribe
            (17, zero as *const c_void),          // ExceptionClear
            (19, zero as *const c_void),          // PushLocalFrame
            (20, itself as *const c_void),        // PopLocalFrame
            (21, new_global as *const c_void),    // NewGlobalRef
            (22, delete_global as *const c_void), // DeleteGlobalRef
            (23, zero as *const c_void),          // DeleteLocalRef
            (24, same as *const c_void),          // IsSameObject
            (25, itself as *const c_void),        // NewLocalRef
            (26, zero as *const c_void),          // EnsureLocalCapacity
            (32, yes as *const c_void),           // IsInstanceOf
            (33, method as *const c_void),        // GetMethodID
            (51, call_int as *const c_void),      // CallIntMethodA
            (63, call_void as *const c_void),     // CallVoidMethodA
            (113, method as *const c_void),       // GetStaticMethodID
            (169, text as *const c_void),         // GetStringUTFChars
            (174, zero as *const c_void),         // SetObjectArrayElement
            (215, zero as *const c_void),         // RegisterNatives
            (219, get_vm as *const c_void),       // GetJavaVM
            (228, zero as *const c_void),         // ExceptionCheck
            (232, reference_kind as *const c_void),
        ];
        places.iter().for_each(|&(place, function)| table[place] = function);
        ENV.0 = table.as_ptr();
        let table = &mut *(&raw mut VM_TABLE);
        table.fill(zero as *const c_void);
        // AttachCurrentThread, GetEnv, AttachCurrentThreadAsDaemon.
        [4, 6, 7].iter().for_each(|&place| table[place] = attach as *const c_void);
        VM.0 = table.as_ptr();
    }
}
