//! A global allocator that places large allocations in declared memory, and tells how much of them is cold.
//!
//! Every allocation of at least a megabyte gets a shared map of its own; their addresses are the ranges of one context.
//! The library itself never allocates, and reading into a buffer that is large enough does not either.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use damon::{Context, Ops, SharedMap, SnapshotBuffer};

const LARGE: usize = 1 << 20;
const PAGE: usize = 4096;

/// Addresses of the large allocations; full slots mean that the next one is ordinary memory.
struct Large {
    slots: Mutex<[(usize, usize); 256]>,
}

#[global_allocator]
static LARGE_ALLOCATIONS: Large = Large { slots: Mutex::new([(0, 0); 256]) };

impl Large {
    fn replace(&self, from: (usize, usize), to: (usize, usize)) -> bool {
        let mut slots = self.slots.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let slot = slots.iter_mut().find(|slot| **slot == from);
        slot.map_or(false, |slot| {
            *slot = to;
            true
        })
    }

    fn ranges(&self) -> Vec<Range<usize>> {
        let mut ranges = Vec::with_capacity(256); // before the lock: this may allocate
        let slots = self.slots.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        ranges.extend(slots.iter().filter(|slot| slot.1 > 0).map(|&(start, len)| start..start + len));
        drop(slots);
        ranges.sort_by_key(|range| range.start);
        ranges
    }
}

unsafe impl GlobalAlloc for Large {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() >= LARGE && layout.align() <= PAGE {
            if let Ok(map) = SharedMap::new(layout.size()) {
                let (start, len) = map.into_raw();
                if self.replace((0, 0), (start.as_ptr() as usize, len)) {
                    return start.as_ptr();
                }
                drop(SharedMap::from_raw(start, len));
            }
        }
        System.alloc(layout)
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        let large = layout.size() >= LARGE && layout.align() <= PAGE;
        if large && self.replace((start as usize, layout.size()), (0, 0)) {
            drop(SharedMap::from_raw(NonNull::new_unchecked(start), layout.size()));
            return;
        }
        System.dealloc(start, layout);
    }
}

fn main() -> damon::Result<()> {
    let mut hot = vec![1u8; 16 << 20];
    let cold = vec![2u8; 48 << 20];
    let context = Context::builder()
        .ops(Ops::Fvaddr)
        .target(LARGE_ALLOCATIONS.ranges().into_iter().fold(damon::Target::new(), damon::Target::range));
    let context = context.start()?;
    let late = vec![3u8; 8 << 20]; // allocated while the context runs: its ranges follow
    let ranges = LARGE_ALLOCATIONS.ranges();
    context.call(|worker| worker.set_target_regions(0, &ranges))??;

    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(2) {
        hot.iter_mut().step_by(PAGE).for_each(|byte| *byte = byte.wrapping_add(1));
    }
    let mut buffer = SnapshotBuffer::new();
    let snapshot = context.snapshot(&mut buffer)?;
    let watched: usize = snapshot.iter().map(damon::Region::size).sum();
    println!(
        "{} large allocations, {} MiB, of which cold {} MiB",
        ranges.len(),
        watched >> 20,
        snapshot.idle_bytes(5) >> 20
    );
    println!("(content: {} {} {})", hot[1], cold[1], late[1]);
    context.stop()
}
