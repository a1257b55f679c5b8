//! Memory: a frame in which no face is new allocates nothing, and a hostile model file takes little.
#![expect(unsafe_code, reason = "a global allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use lineament::topology::{MAX_POINTS, Topology};
use lineament_nn::model::{Metadata, Role};

/// The system's allocator, which counts for each thread.
struct Counting;

thread_local! {
    /// How often this thread has asked for memory.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    /// Bytes that it holds; less than 0 where it freed those of another thread.
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST_HELD: Cell<isize> = const { Cell::new(0) };
}

fn count(allocations: usize, bytes: isize) {
    ALLOCATIONS.set(ALLOCATIONS.get() + allocations);
    HELD.set(HELD.get() + bytes);
    MOST_HELD.set(MOST_HELD.get().max(HELD.get()));
}

#[global_allocator]
static COUNTING: Counting = Counting;

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as isize);
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(0, -(layout.size() as isize));
        // SAFETY: the caller's.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size as isize - layout.size() as isize);
        // SAFETY: the caller's.
        unsafe { System.realloc(memory, layout, size) }
    }
}

/// How often `run` asks for memory.
fn allocations(run: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    run();
    ALLOCATIONS.get() - before
}

/// Most bytes that `run` holds at a time.
fn most_held(run: impl FnOnce()) -> usize {
    let before = HELD.get();
    MOST_HELD.set(before);
    run();
    MOST_HELD.get().saturating_sub(before).max(0) as usize
}

#[test]
fn the_allocator_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![1u8; 100]))), 1);
    assert_eq!(allocations(|| ()), 0);
    assert_eq!(most_held(|| drop(std::hint::black_box(vec![1u8; 5000]))), 5000);
    let several = most_held(|| (0..9).for_each(|_| drop(std::hint::black_box(vec![1u8; 5000]))));
    assert_eq!(several, 5000, "one after the other");
}

#[test]
#[cfg(feature = "default-models")]
fn a_frame_without_a_new_face_or_a_search_allocates_nothing() {
    use lineament::{ImageView, Options, PixelFormat, SmoothOptions, TrackOptions, Tracker};

    let file = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/cascade/astronaut.pgm")).unwrap();
    let (width, height) = (180, 150);
    let grey = &file[file.len() - width * height..];
    let rgb: Vec<u8> = grey.iter().flat_map(|&v| [v, v, v]).collect();
    for (format, pixels) in [(PixelFormat::Grey, grey), (PixelFormat::Rgb, &rgb)] {
        for smooth in [Some(SmoothOptions::default()), None] {
            let options = TrackOptions { smooth, ..TrackOptions::default() };
            let mut tracker = Tracker::new(Options::default(), options).unwrap();
            let bytes = pixels.len() / (width * height);
            let mut counted = 0;
            for frame in 0..60 {
                // A window that slides to and fro, so that the face does.
                let left = (frame % 20).min(20 - frame % 20);
                let image = ImageView::new(&pixels[bytes * left..], width - 10, height, bytes * width, format).unwrap();
                let mut faces = 0;
                let found = allocations(|| faces = tracker.update(&image, frame as f64 / 30.0).len());
                assert_eq!(faces, 1, "frame {frame}");
                if frame > 20 && !tracker.searched() {
                    assert_eq!(found, 0, "{format:?}, frame {frame}");
                    counted += 1;
                }
            }
            assert!(counted > 30, "{counted} frames without a search");
        }
    }
}

#[test]
fn a_hostile_topology_takes_no_more_memory_than_one_that_is_as_large_as_may_be() {
    // Four megabytes of text, each few bytes of which ask for as many points as there may be.
    let text = |entry: &str, separator: &str| vec![entry; 4_000_000 / (entry.len() + 1)].join(separator);
    let names = (0..MAX_POINTS).map(|i| format!("p{i}")).collect::<Vec<_>>().join(",");
    for (key, value) in [
        ("topology.points", text("a", ",")),
        ("topology.points", "a".repeat(4_000_000)),
        ("topology", "a".repeat(4_000_000)),
        ("topology.mirror", text("0-999", ",")),
        ("topology.outlines", text("a=0-999", ";")),
        ("topology.outlines", format!("a={}", text("0-999", ","))),
        ("topology.outlines", format!("a=0{}", " closed".repeat(500_000))),
        ("topology.parts", text("a=0-999", ";")),
        ("topology.parts", format!("a=0 {}", "1 ".repeat(2_000_000))),
        ("topology.normaliser", text("0-999", "/")),
        ("topology.five", text("0-999", "/")),
        ("topology.ibug68", text("0-67", "/")),
        ("topology.ibug68", text("0-999", "/")),
        ("topology.box", "1".repeat(4_000_000)),
    ] {
        let mut metadata = Metadata::new(Role::Landmarks);
        metadata.set("topology", "hostile");
        metadata.set("topology.points", names.as_str());
        metadata.set(key, value.as_str());
        let held = most_held(|| _ = Topology::from_metadata(&metadata));
        // Twice the text itself, and a thousand lists of a thousand indices.
        assert!(held < 2 * 4_000_000 + 2 * 8 * MAX_POINTS * MAX_POINTS, "{key}: {held} bytes");
    }
}
