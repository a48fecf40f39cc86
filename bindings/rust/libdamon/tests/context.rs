//! Contexts, snapshots, calls, walks and commits over toy addresses.

mod support;

use std::ops::RangeInclusive;
use std::time::Duration;

use damon::{errno, Action, Attrs, Context, Drive, Filter, Goal, Metric, Ops, Property, Quota, Scheme, SnapshotBuffer};
use damon::{Region, Target, Tuner, Watermarks};
use support::{builder, run, started, ToyOps, MEMORY, PAGE};

fn sharing<T: Send + Sync>() {}

#[test]
fn contexts_and_monitors_are_for_any_thread() {
    sharing::<Context>();
    sharing::<damon::Monitor>();
    sharing::<damon::Sim>();
    sharing::<damon::SharedMap>();
}

/// Chosen only: starting it would take the running kernel's DAMON.
#[test]
fn the_kernels_damon_can_be_chosen() {
    for ops in [Ops::KernelVaddr, Ops::KernelFvaddr, Ops::KernelPaddr] {
        let context = Context::builder().ops(ops).range(1 << 30..2 << 30).build().unwrap();
        assert!(!context.is_running() && context.nr_targets() == 1);
    }
}

#[test]
fn a_snapshot_tells_hot_from_cold() {
    let hot = MEMORY.start..MEMORY.start + 32 * PAGE;
    let context = started(builder(), &ToyOps::on(hot.clone()));
    run(&context, 1..200).unwrap();
    let mut buffer = SnapshotBuffer::with_capacity(100);
    let snapshot = context.snapshot(&mut buffer).unwrap();
    assert_eq!(snapshot.info().max_nr_accesses, 5);
    assert_eq!(snapshot.regions().first().unwrap().range().start, MEMORY.start);
    assert_eq!(snapshot.regions().last().unwrap().range().end, MEMORY.end);
    let hot_bytes: usize = snapshot.iter().filter(|region| region.nr_accesses() == 5).map(Region::size).sum();
    assert!(hot_bytes.abs_diff(hot.len()) <= 8 * PAGE, "{hot_bytes} of {}: {snapshot:?}", hot.len());
    assert!(snapshot.idle_bytes(5) >= 200 * PAGE);
    assert_eq!(buffer.capacity(), 100);
}

#[test]
fn a_buffer_that_is_too_small_grows() {
    let context = started(builder(), &ToyOps::default());
    run(&context, 1..50).unwrap();
    let mut small = SnapshotBuffer::with_capacity(1);
    let mut large = SnapshotBuffer::new();
    let regions = context.snapshot(&mut small).unwrap().regions().to_vec();
    assert!(regions.len() >= 10);
    assert_eq!(regions, context.snapshot(&mut large).unwrap().regions());
}

#[test]
fn an_error_carries_number_and_reason() {
    let mut context = Context::new().unwrap();
    let error = context.set_attrs(&Attrs::new().nr_regions(1..=1000)).unwrap_err();
    assert_eq!((error.errno(), error.kind()), (errno::EINVAL, damon::ErrorKind::InvalidInput));
    assert!(error.to_string().contains("min_nr_regions"), "{error}");
    let inverted = Target::new().range(0x2000..0x2000);
    assert!(context.add_target(&inverted).unwrap_err().message().contains("is empty"));
    let overlapping = Target::new().range(0..0x2000).range(0x1000..0x3000);
    assert!(context.add_target(&overlapping).unwrap_err().message().contains("must not overlap"));
    assert_eq!(context.set_min_region_sz(3000).unwrap_err().errno(), errno::EINVAL);
    let empty = Scheme::new(Action::Stat).filter(Filter::allow(Property::Addresses(8..8)));
    assert!(context.add_scheme(&empty).unwrap_err().message().contains("must not be empty"));
    let zero = Scheme::new(Action::Stat).goal(Goal::new(Metric::UserInput, 0));
    assert!(context.add_scheme(&zero).unwrap_err().message().contains("above 0"));
    assert_eq!((context.nr_targets(), context.nr_schemes()), (0, 0));
}

#[test]
fn a_running_context_is_not_changed_but_by_commit() {
    let mut context = started(builder().scheme(Scheme::new(Action::Stat)), &ToyOps::default());
    run(&context, 1..20).unwrap();
    assert_eq!(context.set_attrs(&Attrs::new()).unwrap_err().errno(), errno::EBUSY);
    assert_eq!(context.target_mut(0).unwrap().set_regions(&[]).unwrap_err().errno(), errno::EBUSY);
    assert_eq!(context.scheme_mut(0).unwrap().add_filter(&Filter::allow(Property::Young)).unwrap_err().errno(), 16);
    let source = builder().aggregation(Duration::from_millis(10)).build().unwrap();
    context.commit(&source).unwrap();
    assert_eq!(context.attrs().unwrap().aggregation_interval(), Duration::from_millis(10));
    assert_eq!(context.nr_schemes(), 0);
    context.stop().unwrap();
    context.target_mut(0).unwrap().set_regions(&[MEMORY]).unwrap();
    assert!(context.target_mut(1).is_none());
}

#[test]
fn everything_about_a_stopped_context_can_be_set() {
    let mut context = Context::new().unwrap();
    context.set_ops(Ops::Fvaddr).unwrap();
    context.set_addr_unit(1).unwrap();
    context.set_seed(7).unwrap();
    context.set_drive(Drive::Manual).unwrap();
    context.add_target(&Target::new().range(0..PAGE)).unwrap();
    context.add_target(&Target::new().range(PAGE..2 * PAGE)).unwrap();
    context.target_mut(1).unwrap().set_pid(0).unwrap();
    context.target_mut(1).unwrap().set_obsolete(false).unwrap();
    assert_eq!(context.target_mut(1).unwrap().set_pid(-3).unwrap_err().errno(), errno::EINVAL);
    let limited = Quota::new().bytes(1 << 20).time(Duration::from_millis(3)).per(Duration::from_secs(1));
    let limited = limited.weights(0, 3, 7).tuner(Tuner::Temporal).fail_charge(1, 10);
    let wmarks = Watermarks {
        metric: damon::WatermarkMetric::FreeMemory,
        high: 900,
        mid: 500,
        low: 100,
        interval: Duration::from_secs(1),
    };
    let scheme = Scheme::new(Action::MigrateCold).size(PAGE as u64..).accesses(0..1).age(3..=9).quota(limited);
    let scheme = scheme.watermarks(wmarks).node(0).max_nr_snapshots(9).apply_interval(Duration::from_secs(1));
    let to = damon::Destination { node: 0, weight: 1 };
    context.add_scheme(&scheme.destinations(&[to])).unwrap();
    let mut first = context.scheme_mut(0).unwrap();
    first.set_params(&Scheme::new(Action::Stat)).unwrap();
    first.add_filter(&Filter::reject(Property::PageSize(1 << 21..=1 << 21))).unwrap();
    first.add_goal(&Goal::new(Metric::UserInput, 100).starting_at(50)).unwrap();
    first.set_destinations(&[]).unwrap();
    context.set_quota_goal_value(0, 0, 70).unwrap();
    assert_eq!(context.set_quota_goal_value(0, 1, 70).unwrap_err().errno(), errno::EINVAL);
    context.remove_target(1).unwrap();
    context.remove_scheme(0).unwrap();
    assert_eq!((context.nr_targets(), context.nr_schemes()), (1, 0));
}

#[test]
fn groups_start_and_stop_together() {
    let (one, two) = (builder().build().unwrap(), builder().build().unwrap());
    let bad = builder().ops(Ops::Paddr).build().unwrap();
    assert_eq!(damon::start_all(&[&one, &bad], false).unwrap_err().errno(), errno::EOPNOTSUPP);
    assert!(!one.is_running());
    assert_eq!(damon::start_all(&[&one, &one], false).unwrap_err().errno(), errno::EINVAL);
    damon::start_all(&[&one, &two], false).unwrap();
    assert!(one.is_running() && two.is_running() && damon::nr_running() >= 2);
    assert_eq!(one.start_exclusive().unwrap_err().errno(), errno::EBUSY);
    assert_eq!(one.kdamond_tid(), None);
    damon::stop_all(&[&one, &two]).unwrap();
    assert!(!one.is_running());
    damon::start_all(&[], false).unwrap();
}

#[test]
fn steps_that_go_back_are_refused() {
    let context = started(builder(), &ToyOps::default());
    context.step(Duration::from_millis(2)).unwrap();
    assert_eq!(context.step(Duration::from_millis(1)).unwrap_err().errno(), errno::EINVAL);
}

#[test]
fn presets_replace_the_attributes_and_append_their_schemes() {
    let mut context = Context::new().unwrap();
    assert_eq!(context.preset_reclaim(&damon::Reclaim::new().min_age(Duration::from_secs(9))).unwrap(), 0);
    assert_eq!(context.preset_lru_sort(&damon::LruSort::new().hot_permil(300)).unwrap(), 1);
    assert_eq!(context.nr_schemes(), 3);
    context.preset_stat().unwrap();
    assert!(context.attrs().unwrap().goal().is_some());
    assert_eq!(context.summary().unwrap().seq, 0);
}

#[test]
fn a_summary_tells_known_from_idle_memory() {
    let context = started(builder(), &ToyOps::default());
    run(&context, 1..50).unwrap();
    let summary = context.summary().unwrap();
    assert_eq!((summary.known_bytes, summary.unknown_bytes), (MEMORY.len() as u64, 0));
    assert!(summary.memory_idle_ms[100] > 0 && summary.bandwidth == 0);
}

#[test]
fn probes_are_added_changed_and_read() {
    let mut context = builder().build().unwrap();
    let inverted = damon::Probe::new().hit(damon::ProbeProperty::PageSize(RangeInclusive::new(9, 3)));
    assert_eq!(context.add_probe(&inverted).unwrap_err().errno(), errno::EINVAL);
    context.add_probe(&damon::Probe::new().miss(damon::ProbeProperty::Anonymous)).unwrap();
    context.probe_mut(0).unwrap().set_weight(0).unwrap();
    context.probe_mut(0).unwrap().add_filter(damon::ProbeProperty::Memcg(3), false, true).unwrap();
    assert!(context.probe_mut(1).is_none());
    assert_eq!(context.nr_probes(), 1);
    context.remove_probe(0).unwrap();
    context.set_operations(ToyOps::default()).unwrap();
    context.start().unwrap();
    run(&context, 1..20).unwrap();
    let (mut buffer, mut hits) = (SnapshotBuffer::new(), Vec::new());
    let info = context.snapshot_probes(&mut buffer, &mut hits).unwrap();
    assert_eq!(buffer.regions().len(), hits.len());
    assert!(info.seq > 0 && hits.iter().all(|region| region.iter().all(|&nr| nr == 0)));
}

#[test]
fn a_group_that_does_not_start_says_what_is_wrong_with_which() {
    let good = builder().build().unwrap();
    let bad = builder().ops(Ops::Paddr).build().unwrap();
    good.call(|_| ()).unwrap_err(); // old words
    for group in [[&*good, &*bad], [&*bad, &*good]] {
        let error = damon::start_all(&group, false).unwrap_err();
        assert_eq!(error.errno(), errno::EOPNOTSUPP);
        assert!(!error.message().contains("call"), "{error}");
    }
    let silent = builder().build().unwrap();
    let error = damon::start_all(&[&silent, &bad], false).unwrap_err();
    assert!(error.message().contains("physical memory"), "the same fault again: {error}");
    let fresh = builder().ops(Ops::Paddr).build().unwrap();
    let error = damon::start_all(&[&good, &fresh], false).unwrap_err();
    assert!(error.message().contains("physical memory"), "{error}");
}

#[test]
fn the_shortest_duration_is_not_none() {
    let nano = Duration::from_nanos(1);
    let attrs = Attrs::new().sample(nano).aggregation(Duration::from_nanos(1_001)).update(Duration::ZERO);
    assert_eq!(attrs.sample_interval(), Duration::from_micros(1));
    assert_eq!(attrs.aggregation_interval(), Duration::from_micros(2));
    assert_eq!(attrs.update_interval(), Duration::ZERO);
    // A window of 0 ms would be refused, or mean "no limit".
    let quota = Quota::new().bytes(4096).per(nano);
    builder().scheme(Scheme::new(Action::Stat).quota(quota).apply_interval(nano).min_age(nano)).start().unwrap();
    assert_eq!(Attrs::new().sample(Duration::MAX).sample_interval(), Duration::from_micros(u64::MAX));
}

#[test]
fn a_context_without_a_target_does_not_start() {
    let error = Context::builder().start().unwrap_err();
    assert_eq!(error.errno(), errno::EINVAL);
    assert!(error.message().contains("Target::new()"), "{error}");
    let (good, empty) = (builder().build().unwrap(), Context::new().unwrap());
    let error = damon::start_all(&[&good, &empty], false).unwrap_err();
    assert!(error.message().contains("context number 1"), "{error}");
    assert!(!good.is_running());
}

#[test]
fn what_debug_shows_of_a_context_says_what_it_does() {
    let memory = vec![0u8; 1 << 20];
    let context = Context::builder().target(damon::Target::of(&memory)).start().unwrap();
    let shown = "{ running: true, paused: false, nr_targets: 1, nr_schemes: 0, .. }";
    assert_eq!(format!("{context:?}"), format!("Context {shown}"));
    assert_eq!(context.call(|worker| format!("{worker:?}")).unwrap(), format!("Worker {shown}"));
    let again = context.start().unwrap_err();
    assert_eq!(again.to_string(), "start: the context runs already: stop() it first, or change() it");
}
