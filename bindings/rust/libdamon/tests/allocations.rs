//! What an allocator may do while it allocates: nothing of this allocates.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use damon::{Drive, SnapshotBuffer};
use support::{builder, run, started, ToyOps};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// Safety: all is the system's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        System.alloc(layout)
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        System.dealloc(memory, layout);
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations_in(what: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.with(Cell::get);
    what();
    ALLOCATIONS.with(Cell::get) - before
}

#[test]
fn allocations_are_counted() {
    assert_eq!(allocations_in(|| drop(std::hint::black_box(Box::new(7)))), 1);
}

#[test]
fn waiting_in_vain_and_reading_allocate_nothing() {
    let context = started(builder(), &ToyOps::default());
    run(&context, 1..50).unwrap();
    let mut buffer = SnapshotBuffer::with_capacity(100);
    let mut found = 0;
    let allocations = allocations_in(|| {
        assert!(!context.wait_snapshot(u64::MAX, Some(Duration::from_millis(1))).unwrap());
        found = context.snapshot(&mut buffer).unwrap().len();
        assert!(context.stats().unwrap().nr_samples > 0 && !context.is_paused());
        context.pause().unwrap();
        context.resume().unwrap();
        assert_eq!(context.call(|_| 7).unwrap(), 7);
        assert_eq!(context.take_panic(), None);
    });
    assert_eq!((allocations, found > 0), (0, true));
}

#[test]
fn a_step_allocates_nothing() {
    let context =
        started(builder().drive(Drive::Manual).scheme(damon::Scheme::calling(|_, _, _| 0)), &ToyOps::default());
    run(&context, 1..50).unwrap();
    assert_eq!(allocations_in(|| run(&context, 50..100).unwrap()), 0);
}
