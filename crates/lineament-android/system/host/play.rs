//! Plays the script: what Android's main thread does to a NativeActivity.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fs;
use std::path::Path;
use std::ptr;
use std::sync::atomic::Ordering;

use crate::looper::{ALooper_pollOnce, ALooper_prepare, QUEUE, Touch};
use crate::window::{self, ANativeWindow_release, Window};
use crate::{COUNTS, NANOS, camera, java};

/// Longest time for the answer to a step: an emulator is slow.
const PATIENCE_MS: u64 = 30_000;
/// Time without a new picture after which the screen counts as settled.
const SETTLED_MS: u64 = 250;
/// Memory may grow by this much over all frames of `many`, in KiB: the first ones fill what is kept.
const GROWTH_KIB: i64 = 1024;

type Call = Option<unsafe extern "C" fn(*mut Activity)>;
type CallWith = Option<unsafe extern "C" fn(*mut Activity, *mut c_void)>;

#[repr(C)]
struct Callbacks {
    on_start: Call,
    on_resume: Call,
    on_save: Option<unsafe extern "C" fn(*mut Activity, *mut usize) -> *mut c_void>,
    on_pause: Call,
    on_stop: Call,
    on_destroy: Call,
    on_focus: Option<unsafe extern "C" fn(*mut Activity, c_int)>,
    on_window_created: CallWith,
    on_window_resized: CallWith,
    on_window_redraw: CallWith,
    on_window_destroyed: CallWith,
    on_queue_created: CallWith,
    on_queue_destroyed: CallWith,
    on_content_rect: CallWith,
    on_configuration: Call,
    on_low_memory: Call,
}

#[repr(C)]
pub struct Activity {
    callbacks: *mut Callbacks,
    vm: *mut c_void,
    env: *mut c_void,
    clazz: *mut c_void,
    internal: *const c_char,
    external: *const c_char,
    sdk: i32,
    instance: *mut c_void,
    assets: *mut c_void,
    obb: *const c_char,
}

unsafe extern "C" {
    fn dlopen(path: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
    fn dlerror() -> *const c_char;
    fn dup(fd: c_int) -> c_int;
    fn usleep(us: u32) -> c_int;
    fn dprintf(fd: c_int, format: *const c_char, ...) -> c_int;
    fn _exit(code: c_int) -> !;
}

/// The app redirects the standard output to the system's log, so this is a copy from before.
struct Out(c_int);

impl Out {
    fn say(&self, words: &str) {
        let words = CString::new(words).expect("words without zeros");
        unsafe { dprintf(self.0, c"%s\n".as_ptr(), words.as_ptr()) };
    }

    fn fail(&self, words: &str) -> ! {
        self.say(&format!("FAILED: {words}"));
        unsafe { _exit(1) }
    }
}

struct Player {
    out: Out,
    activity: Box<Activity>,
    window: *mut Window,
    many: u64,
    files: String,
}

fn advance(secs: f64) {
    NANOS.fetch_add((secs * 1e9).round() as i64, Ordering::SeqCst);
}

fn memory_kib() -> i64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok()).unwrap_or(0)
}

pub fn play(library: &str, script: &str, files: &str, out: &str, many: u64) {
    let say = Out(unsafe { dup(2) });
    java::prepare();
    fs::create_dir_all(files).expect("a folder for the app");
    fs::create_dir_all(out).expect("a folder for pictures");
    unsafe { ALooper_prepare(0) };
    let path = CString::new(library).expect("a path");
    let handle = unsafe { dlopen(path.as_ptr(), 2) };
    if handle.is_null() {
        say.fail(&unsafe { CStr::from_ptr(dlerror()) }.to_string_lossy());
    }
    let create = unsafe { dlsym(handle, c"ANativeActivity_onCreate".as_ptr()) };
    if create.is_null() {
        say.fail("ANativeActivity_onCreate is missing");
    }
    let create: unsafe extern "C" fn(*mut Activity, *const c_void, usize) = unsafe { std::mem::transmute(create) };
    // SAFETY: a table of functions that may be absent.
    let callbacks: Callbacks = unsafe { std::mem::zeroed() };
    let folder = CString::new(files).expect("a path").into_raw();
    let activity = Box::new(Activity {
        callbacks: Box::into_raw(Box::new(callbacks)),
        vm: java::vm(),
        env: java::env(),
        clazz: 0x30 as *mut c_void,
        internal: folder,
        external: folder,
        sdk: 28,
        instance: ptr::null_mut(),
        assets: 0x20 as *mut c_void,
        obb: folder,
    });
    let mut player = Player { out: say, activity, window: ptr::null_mut(), many, files: files.to_owned() };
    let activity = &raw mut *player.activity;
    unsafe { create(activity, ptr::null(), 0) };
    let callbacks = unsafe { &*(*activity).callbacks };
    unsafe { callbacks.on_queue_created.expect("a callback")(activity, 0x40 as *mut c_void) };
    for line in fs::read_to_string(script).expect("a script").lines() {
        player.step(line, callbacks, Path::new(out));
    }
    let asked = java::ASKED.load(Ordering::SeqCst);
    if asked != 1 {
        player.out.fail(&format!("the permission was asked for {asked} times"));
    }
    player.out.say("played to the end: nothing is left behind");
    unsafe { _exit(0) }
}

impl Player {
    fn step(&mut self, line: &str, callbacks: &Callbacks, out: &Path) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| words[at].parse::<i32>().expect("a number");
        let activity = &raw mut *self.activity;
        let call = |call: Call| unsafe { call.expect("a callback")(activity) };
        let call_with = |call: CallWith, thing: *mut c_void| unsafe { call.expect("a callback")(activity, thing) };
        match words.as_slice() {
            [] | ["#", ..] => (),
            ["permission", answer] => java::GRANTED.store(*answer == "yes", Ordering::SeqCst),
            ["start"] => call(callbacks.on_start),
            ["resume"] => {
                call(callbacks.on_resume);
                self.settle();
            }
            ["pause"] => call(callbacks.on_pause),
            ["stop"] => call(callbacks.on_stop),
            ["window", ..] => {
                self.window = Window::new(number(1), number(2));
                call_with(callbacks.on_window_created, self.window.cast());
                self.content(callbacks, number(1), number(2));
                self.settle();
            }
            ["lost"] => {
                call_with(callbacks.on_window_destroyed, self.window.cast());
                unsafe { ANativeWindow_release(self.window) };
            }
            ["turned", turn, ..] => {
                java::ROTATION.store(turn.parse().expect("a number"), Ordering::SeqCst);
                advance(1.0);
                unsafe { *(*self.window).size.lock().unwrap() = (number(2), number(3)) };
                call(callbacks.on_configuration);
                call_with(callbacks.on_window_resized, self.window.cast());
                self.content(callbacks, number(2), number(3));
                self.settle();
            }
            ["frames", count] => (0..count.parse().expect("a number")).for_each(|_| self.frame()),
            [kind @ ("tap" | "press"), x, y] => {
                let (x, y) = (x.parse().expect("a number"), y.parse().expect("a number"));
                QUEUE.push(Touch { action: 0, x, y });
                self.touched();
                advance(if *kind == "tap" { 0.1 } else { 0.7 });
                QUEUE.push(Touch { action: 1, x, y });
                self.touched();
                self.settle();
            }
            ["in-use"] => camera::OPEN_STATUS.store(-10_010, Ordering::SeqCst),
            ["disconnect"] => {
                camera::disconnect();
                self.settle();
            }
            ["show", name] => window::with_shown(|shown| {
                let mut ppm = format!("P6\n{} {}\n255\n", shown.width, shown.height).into_bytes();
                ppm.extend(&shown.rgb);
                fs::write(out.join(name).with_extension("ppm"), ppm).expect("a picture is written");
            }),
            ["benchmark"] => self.benchmark(),
            ["many"] => self.many_frames(),
            ["destroy"] => self.destroy(callbacks),
            _ => self.out.fail(&format!("the script says {line}")),
        }
    }

    /// Bars above and below.
    fn content(&self, callbacks: &Callbacks, width: i32, height: i32) {
        let mut rect = [0, 80, width, height - 60];
        let activity = &raw const *self.activity as *mut Activity;
        unsafe { callbacks.on_content_rect.expect("a callback")(activity, rect.as_mut_ptr().cast()) };
    }

    /// Lets the main thread do what waits for it.
    fn main_thread(&self) {
        let (mut fd, mut events, mut data) = (0, 0, ptr::null_mut());
        while unsafe { ALooper_pollOnce(0, &raw mut fd, &raw mut events, &raw mut data) } == -2 {}
    }

    /// Waits until no new picture comes.
    fn settle(&self) {
        while window::wait_beyond(window::shown_count(), SETTLED_MS) {}
        self.main_thread();
    }

    fn touched(&self) {
        for _ in 0..PATIENCE_MS {
            if QUEUE.is_empty() {
                unsafe { usleep(20_000) };
                return;
            }
            unsafe { usleep(1000) };
        }
        self.out.fail("nobody looks for touches");
    }

    /// A frame comes, and is shown.
    fn frame(&self) {
        let before = window::shown_count();
        advance(1.0 / 30.0);
        if !camera::push_frame() {
            self.out.fail("no camera runs");
        }
        if !window::wait_beyond(before, PATIENCE_MS) {
            self.out.fail("a frame is not shown");
        }
    }

    /// Taps, and lets the time run until the report is there.
    fn benchmark(&self) {
        let begin = memory_kib();
        let (x, y) = (540.0, 1000.0);
        [0, 1].into_iter().for_each(|action| QUEUE.push(Touch { action, x, y }));
        let report = || {
            let files = fs::read_dir(&self.files).ok()?.flatten();
            files.map(|file| file.path()).find(|path| path.to_string_lossy().contains("bench-"))
        };
        for _ in 0..PATIENCE_MS {
            advance(0.1);
            unsafe { usleep(2000) };
            if let Some(path) = report() {
                unsafe { usleep(100_000) };
                let text = fs::read_to_string(&path).expect("a report");
                let line = |key: &str| text.lines().find(|line| line.contains(key)).unwrap_or("?").trim().to_owned();
                self.out.say(&format!(
                    "benchmark: {} {} {} (memory before {begin} KiB)",
                    line("points_checksum"),
                    line("\"complete\""),
                    line("\"kernels\"")
                ));
                return self.settle();
            }
        }
        self.out.fail("the benchmark does not end");
    }

    /// Frames after which memory is what it was.
    fn many_frames(&self) {
        let warm_up = self.many / 10;
        (0..warm_up).for_each(|_| self.frame());
        let before = memory_kib();
        (0..self.many).for_each(|_| self.frame());
        let after = memory_kib();
        let words = format!("{} frames: memory {before} KiB before, {after} KiB after", self.many);
        if after - before > GROWTH_KIB {
            self.out.fail(&words);
        }
        self.out.say(&words);
    }

    fn destroy(&mut self, callbacks: &Callbacks) {
        let activity = &raw mut *self.activity;
        unsafe {
            callbacks.on_queue_destroyed.expect("a callback")(activity, 0x40 as *mut c_void);
            callbacks.on_destroy.expect("a callback")(activity);
        }
        // The app's thread ends by itself.
        unsafe { usleep(500_000) };
        let left: Vec<_> = COUNTS.iter().filter(|count| count.now() != 0).map(|c| (c.0, c.now())).collect();
        if !left.is_empty() {
            self.out.fail(&format!("left behind: {left:?}"));
        }
        if camera::is_streaming() {
            self.out.fail("the camera still runs");
        }
    }
}
