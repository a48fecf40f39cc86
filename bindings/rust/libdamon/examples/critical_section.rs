//! Pause round a critical section: nothing is sampled in it, nothing is forgotten.

use std::time::Duration;

use damon::{Context, Ops, SharedMap};

fn main() -> damon::Result<()> {
    let mut heap = SharedMap::new(32 << 20)?;
    let context = Context::builder().ops(Ops::Fvaddr).range(heap.range()).sample(Duration::from_millis(1)).start()?;
    work(&mut heap, 50);
    let before = context.stats()?;
    {
        let _section = context.paused()?; // returns once no page is armed any more
        work(&mut heap, 200); // no fault of the monitor's in here
    } // resumes here
    let paused = context.stats()?;
    work(&mut heap, 50);
    let after = context.stats()?;
    println!(
        "{} samples before, {} in the section, {} after",
        before.nr_samples,
        paused.nr_samples - before.nr_samples,
        after.nr_samples - paused.nr_samples
    );
    context.stop()
}

fn work(heap: &mut SharedMap, rounds: u8) {
    for round in 0..rounds {
        heap.iter_mut().step_by(4096).for_each(|byte| *byte = byte.wrapping_add(round));
    }
}
