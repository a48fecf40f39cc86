//! Policies on simulated memory, in virtual time.

use std::ops::Range;
use std::time::Duration;

use damon::{errno, Action, Context, Drive, Quota, Region, Scheme, Sim, SimParams, SimPattern, SimQuery, SimRange};
use damon::{SnapshotBuffer, Target};

const MIB: usize = 1 << 20;

fn machine() -> Sim {
    let params = SimParams::new().seed(3).nodes(&[1 << 30]).page_sizes(4096, 2 << 20).swap(u64::MAX);
    let params = params.fault_costs(Duration::from_nanos(500), Duration::from_micros(100));
    let sim =
        Sim::new(&params.action_cost(Action::PageOut, Duration::from_micros(1)).young(Duration::from_secs(1))).unwrap();
    sim.add_range(&SimRange::new(0..256 * MIB).resident_bp(10_000).node(0).memcg(0).target(0)).unwrap();
    sim.add_pattern(&SimPattern::constant(0..32 * MIB).rate_millihz(u64::MAX).writes_bp(5_000)).unwrap();
    sim
}

fn watching(sim: &Sim, schemes: &[Scheme]) -> Context {
    let mut context = Context::builder().seed(1).target(Target::new()).build().unwrap();
    context.set_sim(sim).unwrap();
    schemes.iter().for_each(|scheme| context.add_scheme(scheme).unwrap());
    context.start().unwrap();
    context
}

fn run(context: &Context, seconds: std::ops::Range<u64>) {
    for step in seconds.start * 200 + 1..=seconds.end * 200 {
        context.step(Duration::from_millis(5 * step)).unwrap();
    }
}

#[test]
fn monitoring_agrees_with_the_truth() {
    let sim = machine();
    let context = watching(&sim, &[]);
    run(&context, 0..20);
    let query = SimQuery::at(Duration::from_secs(20));
    assert_eq!(sim.hot_ranges(&query).unwrap(), vec![Range { start: 0, end: 32 * MIB }]);
    assert!(sim.rate_millihz(&query, 0).unwrap() > 0);
    assert_eq!(sim.rate_millihz(&query, 100 * MIB).unwrap(), 0);
    assert_eq!(sim.rate_millihz(&query, 300 * MIB).unwrap_err().errno(), errno::ENOENT);
    let mut buffer = SnapshotBuffer::new();
    let found = context.snapshot(&mut buffer).unwrap();
    let accuracy = sim.compare(&query, found.regions(), 10).unwrap();
    assert!(accuracy.f1_bp > 9_500, "{accuracy:?}");
    let exact = sim.compare(&query, &[Region::new(0..32 * MIB, 20)], 1).unwrap();
    assert_eq!((exact.precision_bp, exact.recall_bp, exact.both_bytes), (10_000, 10_000, 32 * MIB as u64));
}

#[test]
fn paging_out_keeps_to_its_quota_and_spares_what_is_hot() {
    let sim = machine();
    let quota = Quota::new().bytes(10 * MIB as u64).per(Duration::from_secs(1));
    let context = watching(&sim, &[Scheme::new(Action::PageOut).accesses(..=0).age(10..).quota(quota)]);
    run(&context, 0..10);
    let stats = sim.stats().unwrap();
    assert!((50 * MIB as u64..=100 * MIB as u64).contains(&stats.paged_out_bytes), "{stats:?}");
    assert!(stats.refault_bytes < MIB as u64, "{stats:?}");
    assert_eq!(stats.resident_bytes + stats.swapped_bytes, 256 * MIB as u64);
}

#[test]
fn a_program_that_ends_ends_its_context() {
    let sim = machine();
    sim.set_target_end(0, Some(Duration::from_secs(1))).unwrap();
    let context = watching(&sim, &[]);
    let ended = (1..=100_000).map(|step| context.step(Duration::from_millis(5 * step))).find_map(Result::err);
    assert_eq!(ended.unwrap().errno(), errno::ECANCELED);
    assert!(!context.is_running());
}

#[test]
fn patterns_of_every_kind_are_taken_and_wrong_ones_explained() {
    let sim = machine();
    let second = Duration::from_secs(1);
    let memory = 0..64 * MIB;
    sim.add_pattern(&SimPattern::pulse(memory.clone(), second, second / 2, second / 4)).unwrap();
    sim.add_pattern(&SimPattern::stairs(memory.clone(), 8, second)).unwrap();
    sim.add_pattern(&SimPattern::zigzag(memory.clone(), 8, second)).unwrap();
    sim.add_pattern(&SimPattern::moving(memory.clone(), 1 << 20, second)).unwrap();
    sim.add_pattern(&SimPattern::sweep(memory, second).during(second, Some(2 * second)).target(0)).unwrap();
    let error = sim.add_pattern(&SimPattern::constant(0..512 * MIB)).unwrap_err();
    assert_eq!(error.errno(), errno::EINVAL);
    assert!(error.message().len() > "simulated pattern: ".len() + 10, "{error}");
    assert!(sim.add_range(&SimRange::new(0..MIB).file()).is_err(), "overlaps");
    sim.add_range(&SimRange::new(512 * MIB..513 * MIB).locked().writes_only()).unwrap();
    sim.add_range(&SimRange::new(514 * MIB..515 * MIB).opaque()).unwrap();
    assert!(Sim::new(&SimParams::new().nodes(&[])).is_err());
}

#[test]
fn simulated_memory_is_driven_by_steps_and_lives_as_long_as_its_contexts() {
    let sim = machine();
    let mut context = watching(&sim, &[]);
    let used = sim.clone();
    let inside = context.call(|_| used.stats().unwrap().resident_bytes).unwrap();
    assert_eq!(inside, 256 * MIB as u64);
    assert_eq!(context.set_drive(Drive::Thread).unwrap_err().errno(), errno::EINVAL);
    drop((sim, used));
    run(&context, 0..1);
    context.stop().unwrap();
    context.set_ops(damon::Ops::Vaddr).unwrap();
    context.set_drive(Drive::Thread).unwrap();
}

#[test]
fn a_machine_waits_for_the_step_of_another_thread() {
    let sim = machine();
    let context = watching(&sim, &[]);
    std::thread::scope(|scope| {
        scope.spawn(|| run(&context, 0..5));
        let mut now_us = 0;
        for _ in 0..1000 {
            let stats = sim.stats().unwrap();
            assert!(stats.now_us >= now_us);
            now_us = stats.now_us;
        }
    });
    assert_eq!(sim.stats().unwrap().now_us, 5_000_000);
}
