//! Drive a quota by one's own latency: purge as much as the service can bear, no more.
//!
//! The score is the share of the latency budget that is used, in basis points: below the goal the quota grows, above it
//! the quota shrinks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;

use damon::{Context, Goal, Metric, Quota, Scheme, Sim, SimParams, SimPattern, SimRange, Target};

const BUDGET_US: u64 = 1_000;

fn main() -> damon::Result<()> {
    let sim = Sim::new(&SimParams::new())?;
    sim.add_range(&SimRange::new(0..4 << 30))?;
    sim.add_pattern(&SimPattern::constant(0..256 << 20))?;

    // The service: 200 us by itself, and 10 us more for each MiB that is purged in the same second.
    let purged = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&purged);
    let purge = Scheme::calling(move |_worker, region, _scheme| {
        counter.fetch_add(region.size() as u64, Ordering::Relaxed);
        region.size() as u64
    });
    let quota = Quota::new().bytes(1 << 30).per(Duration::from_secs(1)).weights(0, 0, 1);
    let scheme = purge.accesses(..=0).quota(quota).goal(Goal::new(Metric::UserInput, 10_000));

    let mut context = Context::builder().target(Target::new()).scheme(scheme).seed(1).build()?;
    context.set_sim(&sim)?;
    context.start()?;
    for step in 1..=200 * 60 {
        context.step(Duration::from_millis(5 * step))?;
        if step % 200 == 0 {
            let mib = purged.swap(0, Ordering::Relaxed) >> 20;
            let latency_us = 200 + 10 * mib;
            context.set_quota_goal_value(0, 0, latency_us * 10_000 / BUDGET_US)?;
            if step % 1000 == 0 {
                println!("{:2} s: purged {mib:3} MiB a second, latency {latency_us} us of {BUDGET_US}", step / 200);
            }
        }
    }
    context.stop()
}
