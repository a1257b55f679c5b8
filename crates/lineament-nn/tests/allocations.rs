//! Running a network asks for no memory: counted by an allocator that counts.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use lineament_nn::engine::{Engine, Pool};
use lineament_nn::model::Model;

thread_local! {
    /// Allocations of this thread: the test runner's other threads do not count.
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: all is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> usize {
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

#[test]
fn running_a_network_asks_for_no_memory() {
    let fixture = |name: &str| std::fs::read(format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let files = [
        ("tiny", fixture("tiny.onnx")),
        ("tinyconv", fixture("tinyconv.onnx")),
        ("lite", include_bytes!("../../../models/lite/lite.int8.onnx").to_vec()),
        ("detector", include_bytes!("../../../models/detector/detector.int8.onnx").to_vec()),
    ];
    for (name, file) in files {
        let mut engine = Engine::new(&Model::parse(&file).unwrap()).unwrap();
        let nominal = engine.input_shape();
        assert_eq!(allocations(|| engine.run(|input| input.fill(0.5))), 0, "{name}, first run");
        assert_eq!(allocations(|| engine.run(|input| input.fill(0.5))), 0, "{name}, second run");
        let sizes = allocations(|| engine.set_input_size(nominal.height, nominal.width).unwrap());
        assert_eq!(sizes, 0, "{name}, the same size again");
        engine.set_pool(Some(Pool::new(3, |work| (0..3).for_each(|_| work()))));
        assert_eq!(allocations(|| engine.run(|input| input.fill(0.5))), 0, "{name}, in parts");
        assert_ne!(allocations(|| drop(engine.clone())), 0, "the counter counts");
    }
}
