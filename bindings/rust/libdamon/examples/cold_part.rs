//! Find the cold part of a big array: `cargo run --release --example cold_part`.

use std::time::{Duration, Instant};

use damon::{Context, Ops, SharedMap, SnapshotBuffer};

fn main() -> damon::Result<()> {
    let mut array = SharedMap::new(256 << 20)?;
    array.fill(1);
    let context = Context::builder().ops(Ops::Fvaddr).range(array.range()).start()?;

    // The program at work: it uses an eighth of its array.
    let used = array.len() / 8;
    let begin = Instant::now();
    let mut sum = 0u64;
    while begin.elapsed() < Duration::from_secs(3) {
        sum += array[..used].iter().step_by(512).map(|&byte| u64::from(byte)).sum::<u64>();
    }

    let mut buffer = SnapshotBuffer::new();
    let snapshot = context.snapshot(&mut buffer)?;
    let base = array.range().start;
    for region in snapshot.iter() {
        let range = region.range();
        println!(
            "{:6.1} to {:6.1} MiB: {:2} of {} samples, for {} windows",
            mib(range.start - base),
            mib(range.end - base),
            region.nr_accesses(),
            snapshot.info().max_nr_accesses,
            region.age()
        );
    }
    println!("{:.0} MiB were not touched for a second (sum {sum})", mib(snapshot.idle_bytes(10)));
    context.stop()
}

fn mib(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
