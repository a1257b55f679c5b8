//! A phone for the app's library, inside Android's own linker and C library. It has the functions of libandroid,
//! libcamera2ndk and libmediandk that the app uses, and a table in place of a Java machine. A script plays the life of
//! an app. A program's own symbols come before those of its libraries, so these functions are the ones that it finds.
//!
//! ```text
//! host LIBRARY PLAY FILM FILES OUT MANY
//! ```

mod camera;
mod java;
mod looper;
mod play;
mod start;
mod window;

use std::sync::atomic::{AtomicI64, Ordering};

/// Things of the system that the app holds.
pub struct Count(&'static str, AtomicI64);

impl Count {
    pub fn add(&self, change: i64) {
        let now = self.1.fetch_add(change, Ordering::SeqCst) + change;
        assert!(now >= 0, "{} given back twice", self.0);
    }

    pub fn now(&self) -> i64 {
        self.1.load(Ordering::SeqCst)
    }
}

macro_rules! counts {
    ($($name:ident $words:literal),+) => {
        $(pub static $name: Count = Count($words, AtomicI64::new(0));)+
        /// All of them.
        pub static COUNTS: &[&Count] = &[$(&$name),+];
    };
}

counts! {
    WINDOWS "references to windows", LOCKS "locked windows", READERS "image readers", IMAGES "images",
    MANAGERS "camera managers", LISTS "lists of cameras", DATA "camera characteristics", DEVICES "cameras",
    SESSIONS "sessions", REQUESTS "requests", TARGETS "targets", OUTPUTS "outputs", CONTAINERS "containers",
    CONFIGURATIONS "configurations", EVENTS "input events", ATTACHED "attached input queues"
}

/// Time of the app: it stands still until the script moves it, so that each run draws the same pictures.
pub static NANOS: AtomicI64 = AtomicI64::new(1_000_000_000);
/// What `CLOCK_REALTIME` is when the script begins.
const EPOCH_SECS: i64 = 1_800_000_000;

#[repr(C)]
pub struct Time {
    secs: i64,
    nanos: i64,
}

/// In place of libc's, for the app.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: i32, time: *mut Time) -> i32 {
    let nanos = NANOS.load(Ordering::SeqCst) - if clock == 0 { 1_000_000_000 } else { 0 };
    let secs = nanos / 1_000_000_000 + if clock == 0 { EPOCH_SECS } else { 0 };
    unsafe { *time = Time { secs, nanos: nanos % 1_000_000_000 } };
    0
}

/// In place of libc's, for the app, which would send its words to the system's log: they are seen here instead.
#[unsafe(no_mangle)]
extern "C" fn dup2(_: i32, to: i32) -> i32 {
    to
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, library, play, film, files, out, many] = arguments.as_slice() else {
        eprintln!("usage: host LIBRARY PLAY FILM FILES OUT MANY");
        std::process::exit(2);
    };
    camera::load_film(film);
    play::play(library, play, files, out, many.parse().expect("MANY is a number"));
}
