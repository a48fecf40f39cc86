//! Page out what is cold, a little at a time: first tried in virtual time, then on memory of this process.

use std::time::Duration;

use damon::{Action, Context, Ops, Quota, Scheme, SharedMap, Sim, SimParams, SimPattern, SimRange, Target};

/// What nobody touched for 20 windows (2 s), at most 16 MiB a second, the oldest first.
fn policy() -> Scheme {
    let quota = Quota::new().bytes(16 << 20).per(Duration::from_secs(1)).weights(0, 1, 3);
    Scheme::new(Action::PageOut).accesses(..=0).age(20..).quota(quota)
}

fn in_virtual_time() -> damon::Result<()> {
    let sim = Sim::new(&SimParams::new())?;
    sim.add_range(&SimRange::new(0..1 << 30))?;
    sim.add_pattern(&SimPattern::constant(0..64 << 20))?;
    let mut context = Context::builder().target(Target::new()).scheme(policy()).seed(1).build()?;
    context.set_sim(&sim)?;
    context.start()?;
    for step in 1..=200 * 60 {
        context.step(Duration::from_millis(5 * step))?;
        if step % 2000 == 0 {
            let now = sim.stats()?;
            let (out, back) = (now.paged_out_bytes >> 20, now.refault_bytes >> 20);
            println!("{:3} s: {out:4} MiB paged out, {back} MiB came back", step / 200);
        }
    }
    context.stop()
}

fn on_this_process() -> damon::Result<()> {
    let mut heap = SharedMap::new(64 << 20)?;
    heap.fill(1);
    let context = Context::builder().ops(Ops::Fvaddr).range(heap.range()).scheme(policy()).start()?;
    let mut seq = 0;
    while seq < 40 {
        heap[..4 << 20].fill(2);
        if context.wait_snapshot(seq, Some(Duration::from_millis(1)))? {
            seq += 1;
        }
    }
    let done = context.scheme_stat(0)?;
    println!("tried {} MiB, done {} MiB (memory like this needs swap)", done.sz_tried >> 20, done.sz_applied >> 20);
    context.stop()
}

fn main() -> damon::Result<()> {
    in_virtual_time()?;
    on_this_process()
}
