//! Parameters and results as values: compared, shown, sent, told in Rust's words.

mod support;

use std::collections::HashSet;
use std::time::Duration;

use damon::{errno, AccessKind, Action, Attrs, Builder, Context, ErrorKind, Filter, Goal, Metric, Property, Quota};
use damon::{Region, Scheme, SnapshotBuffer, Target, Watermarks};
use support::{builder, run, started, ToyOps, PAGE};

fn everything() -> Scheme {
    let quota = Quota::new().bytes(1 << 20).time(Duration::from_millis(3)).per(Duration::from_secs(1)).weights(1, 2, 3);
    let wmarks = Watermarks {
        metric: damon::WatermarkMetric::FreeMemory,
        high: 900,
        mid: 500,
        low: 100,
        interval: Duration::from_secs(1),
    };
    let scheme = Scheme::new(Action::MigrateCold).size(4096..).accesses(..=3).age(7..9).quota(quota).node(0);
    let scheme = scheme.goal(Goal::new(Metric::NodeMemcgUsed(0, 7), 9).starting_at(3)).watermarks(wmarks);
    scheme.filter(Filter::reject(Property::Addresses(0x1000..0x2000))).filter(Filter::allow_without(Property::Memcg(3)))
}

#[test]
fn schemes_and_builders_are_for_any_thread() {
    fn shared<T: Send + Sync>() {}
    shared::<Scheme>();
    shared::<Builder>();
    shared::<Attrs>();
    shared::<Target>();
    shared::<damon::SharedVec<u8>>();
    let scheme = Scheme::calling(|_, _, _| 0);
    let context = std::thread::spawn(move || builder().scheme(scheme).build().unwrap()).join().unwrap();
    assert_eq!(context.nr_schemes(), 1);
}

#[test]
fn parameters_are_compared_by_value() {
    assert_eq!(Attrs::new().sample(Duration::from_millis(5)), Attrs::new());
    assert_ne!(Attrs::new().nr_regions(3..=1000), Attrs::new());
    assert_eq!(everything(), everything());
    assert_ne!(everything(), everything().max_nr_snapshots(1));
    let calling = Scheme::calling(|_, _, _| 0);
    assert_eq!(calling, calling.clone());
    assert_ne!(calling, Scheme::calling(|_, _, _| 0), "another closure");
    let regions: HashSet<Region> = [Region::new(0..9, 1), Region::new(0..9, 1), Region::new(0..9, 2)].into();
    assert_eq!(regions.len(), 2);
}

#[test]
#[allow(clippy::reversed_empty_ranges)]
fn a_region_that_ends_before_it_starts_is_empty() {
    assert_eq!(Region::new(9..3, 1).size(), 0);
    assert_eq!(Region::new(3..9, 1).size(), 6);
}

#[test]
fn what_is_shown_has_no_names_of_the_binding() {
    let context = started(builder().scheme(everything()), &ToyOps::default());
    run(&context, 1..20).unwrap();
    let mut buffer = SnapshotBuffer::new();
    let shown = [
        format!("{:?}", context.attrs().unwrap()),
        format!("{:?}", everything()),
        format!("{:?}", Scheme::calling(|_, _, _| 0)),
        format!("{:?}", context.snapshot(&mut buffer).unwrap()),
        format!("{:?}", context.action_stats().unwrap()),
        format!("{:?} {:?}", damon::Reclaim::new(), damon::LruSort::new()),
        format!("{:?} {:?}", damon::SimParams::new(), damon::SimRange::new(0..PAGE)),
        format!("{:?}", damon::SimPattern::constant(0..PAGE)),
        format!("{:?}", builder().scheme(everything())),
    ];
    for text in shown {
        assert!(!["damon_", "damos_", "bindgen", "reserved"].iter().any(|name| text.contains(name)), "{text}");
    }
}

#[test]
fn snapshots_are_iterated_and_summed() {
    let hot = support::MEMORY.start..support::MEMORY.start + 32 * PAGE;
    let context = started(builder(), &ToyOps::on(hot));
    run(&context, 1..200).unwrap();
    let mut buffer = SnapshotBuffer::new();
    let snapshot = context.snapshot(&mut buffer).unwrap();
    let mut accessed = 0;
    for region in &snapshot {
        accessed += if region.nr_accesses() > 0 { region.size() } else { 0 };
    }
    assert!(accessed > 0);
    assert_eq!(snapshot.working_set_bytes(1), accessed);
    assert_eq!(snapshot.working_set_bytes(0), accessed, "what was accessed at all");
    assert_eq!(snapshot.working_set_bytes(6), 0);
    assert_eq!(
        snapshot.working_set_bytes(1) + snapshot.idle_bytes(0) + snapshot.unknown_bytes(),
        support::MEMORY.len()
    );
    assert_eq!(snapshot.into_iter().count(), buffer.regions().len());
}

#[test]
fn messages_are_in_rusts_words() {
    let mut context = started(builder(), &ToyOps::default());
    let texts = [
        context.set_attrs(&Attrs::new()).unwrap_err(),
        context.set_quota_goal_value(0, 0, 1).unwrap_err(),
        builder().build().unwrap().step(Duration::ZERO).unwrap_err(),
        context.call(|worker| worker.wait_snapshot(0, None).unwrap_err()).unwrap(),
    ];
    for error in texts {
        let text = error.message();
        assert!(!["damon_", "damos_", "DAMON_", "DAMOS_"].iter().any(|name| text.contains(name)), "{text}");
    }
    let error = context.set_attrs(&Attrs::new()).unwrap_err();
    assert!(error.message().contains("commit()") && error.message().contains("stop()"), "{error}");
}

#[test]
fn kinds_of_errors_can_be_matched() {
    let context = builder().build().unwrap();
    assert_eq!(context.call(|_| ()).unwrap_err().kind(), ErrorKind::Canceled);
    assert_eq!(context.cancel_call_of_another().unwrap_err().kind(), ErrorKind::NotFound);
    let refused = Context::new().unwrap().set_min_region_sz(3).unwrap_err();
    assert_eq!((refused.kind(), refused.errno()), (ErrorKind::InvalidInput, errno::EINVAL));
    assert_eq!(std::io::Error::from(refused).kind(), std::io::ErrorKind::InvalidInput);
}

trait Another {
    fn cancel_call_of_another(&self) -> damon::Result<()>;
}

impl Another for Context {
    /// A call that has ended.
    fn cancel_call_of_another(&self) -> damon::Result<()> {
        self.start()?;
        let id = self.call_repeat(|_| std::ops::ControlFlow::Break(()))?;
        self.step(Duration::from_millis(1))?;
        self.cancel_call(id)
    }
}

#[test]
fn a_report_that_is_refused_says_why_not_why_another_call_was() {
    let context = builder().build().unwrap();
    context.call(|_| ()).unwrap_err(); // leaves words
    let error = context.report_access(0..9, AccessKind::Read).unwrap_err();
    assert!(error.message().contains("AccessCheck::Report"), "{error}");
    let context = builder().access_check(damon::AccessCheck::Report).build().unwrap();
    context.call(|_| ()).unwrap_err();
    let error = context.report_access(0..9, AccessKind::Read).unwrap_err();
    assert!(error.message().contains("does not run"), "{error}");
    let error = context.report_access(9..9, AccessKind::Read).unwrap_err();
    assert!(error.message().contains("is empty"), "{error}");
}

#[cfg(feature = "serde")]
#[test]
fn parameters_are_written_and_read_back() {
    let text = serde_json::to_string_pretty(&everything()).unwrap();
    assert_eq!(serde_json::from_str::<Scheme>(&text).unwrap(), everything(), "{text}");
    let attrs = Attrs::new().max_overhead(7).sample(Duration::from_millis(2));
    assert_eq!(serde_json::from_str::<Attrs>(&serde_json::to_string(&attrs).unwrap()).unwrap(), attrs);
    assert_eq!(serde_json::from_str::<Attrs>("{}").unwrap(), Attrs::new(), "what is left out is the default");
    assert!(serde_json::from_str::<Attrs>("{\"sampel\": 3}").is_err(), "a typing error");
    let target = Target::new().range(0..PAGE);
    assert_eq!(serde_json::from_str::<Target>(&serde_json::to_string(&target).unwrap()).unwrap(), target);
    let closure = serde_json::to_string(&Scheme::calling(|_, _, _| 0));
    assert!(closure.unwrap_err().to_string().contains("closure"));
    let region = serde_json::to_string(&Region::new(1..2, 3)).unwrap();
    assert_eq!(serde_json::from_str::<Region>(&region).unwrap(), Region::new(1..2, 3), "{region}");
}

#[test]
fn targets_and_schemes_are_read_back() {
    let mut context = builder().scheme(everything()).build().unwrap();
    context.add_target(&Target::new().range(0..PAGE)).unwrap();
    assert_eq!(context.targets().unwrap(), [Target::new().range(support::MEMORY), Target::new().range(0..PAGE)]);
    assert_eq!(context.schemes().unwrap(), [everything()]);
    context.target_mut(1).unwrap().set_regions(&[Target::new().range(PAGE..3 * PAGE).ranges()[0].clone()]).unwrap();
    context.scheme_mut(0).unwrap().set_params(&Scheme::new(Action::Stat).age(3..)).unwrap();
    context.scheme_mut(0).unwrap().set_destinations(&[damon::Destination { node: 0, weight: 1 }]).unwrap();
    assert_eq!(context.targets().unwrap()[1], Target::new().range(PAGE..3 * PAGE));
    assert!(format!("{:?}", context.schemes().unwrap()).contains("age: 3..="));
    // A commit without ranges keeps them, and removes what is obsolete.
    let mut source = Context::builder().scheme(Scheme::new(Action::Stat)).target(Target::new()).build().unwrap();
    source.add_target(&Target::new().obsolete()).unwrap();
    context.commit(&source).unwrap();
    assert_eq!(context.targets().unwrap(), [Target::new().range(support::MEMORY)]);
    assert_eq!(context.schemes().unwrap(), [Scheme::new(Action::Stat)]);
    assert_eq!((context.nr_targets(), context.nr_schemes()), (1, 1));
    context.remove_scheme(0).unwrap();
    assert_eq!(context.schemes().unwrap(), []);
    context.preset_reclaim(&damon::Reclaim::new()).unwrap();
    assert_eq!(context.schemes().unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn a_change_starts_from_what_the_context_has_and_keeps_its_pause() {
    let calls = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counted = std::sync::Arc::clone(&calls);
    let calling = Scheme::calling(move |_, _, _| counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    for drive in [damon::Drive::Manual, damon::Drive::Thread] {
        let mut context = builder().drive(drive).scheme(calling.clone()).scheme(everything()).build().unwrap();
        context.set_operations(ToyOps::default()).unwrap();
        context.change(|builder| builder.aggregation(Duration::from_millis(7))).unwrap();
        context.start().unwrap();
        context.pause().unwrap();
        context.change(|builder| builder.aggregation(Duration::from_millis(10))).unwrap();
        assert!(context.is_paused());
        assert_eq!(context.attrs().unwrap().aggregation_interval(), Duration::from_millis(10));
        assert_eq!(context.schemes().unwrap(), [calling.clone(), everything()]);
        context.resume().unwrap();
        context.change(|builder| builder.without_schemes().scheme(Scheme::new(Action::Stat))).unwrap();
        assert!(!context.is_paused());
        assert_eq!(context.schemes().unwrap(), [Scheme::new(Action::Stat)]);
        context.call(|worker| worker.change(|builder| builder.nr_regions(3..=50)).unwrap()).unwrap();
        assert_eq!(context.attrs().unwrap().regions(), 3..=50);
        context.stop().unwrap();
    }
    drop(calling);
    assert_eq!(std::sync::Arc::strong_count(&calls), 1, "closures that were changed away are gone");
}

#[test]
fn changes_of_many_threads_are_all_there() {
    let mut context = builder().drive(damon::Drive::Thread).build().unwrap();
    context.set_operations(ToyOps::default()).unwrap();
    context.start().unwrap();
    std::thread::scope(|scope| {
        for number in 0..4 {
            let context = &context;
            let scheme = Scheme::new(Action::Stat).max_nr_snapshots(number + 1);
            scope.spawn(move || context.change(|builder| builder.scheme(scheme)).unwrap());
        }
    });
    assert_eq!((context.schemes().unwrap().len(), context.nr_schemes()), (4, 4));
}

#[test]
fn a_builder_can_start_paused() {
    let context = builder().paused(true).build().unwrap();
    context.start().unwrap();
    assert!(context.is_paused());
}

#[test]
fn the_ops_follow_from_the_targets() {
    let memory = vec![0u8; 1 << 20];
    let all = Context::builder().target(Target::new()).start().unwrap();
    let some = Context::builder().target(Target::of(&memory[..])).start().unwrap();
    some.stop().unwrap();
    all.stop().unwrap();
    let mixed = Context::builder().target(Target::of(&memory[..])).target(Target::new());
    let error = mixed.clone().start().unwrap_err();
    assert!(error.message().contains("two contexts") && error.message().contains("Ops::Vaddr"), "{error}");
}

#[test]
fn a_commit_takes_the_pause_of_its_source_and_has_it_when_it_returns() {
    let ops = ToyOps::default();
    let mut context = builder().drive(damon::Drive::Thread).build().unwrap();
    context.set_operations(ops.clone()).unwrap();
    context.start().unwrap();
    for _ in 0..20 {
        context.commit(&builder().paused(true).build().unwrap()).unwrap();
        assert!(context.is_paused());
        let before = context.stats().unwrap().nr_samples;
        std::thread::sleep(Duration::from_millis(3));
        assert_eq!(context.stats().unwrap().nr_samples, before, "the worker is silent when the commit returns");
        context.commit(&builder().build().unwrap()).unwrap();
        assert!(!context.is_paused());
    }
    context.change(|builder| builder.paused(true)).unwrap();
    assert!(context.is_paused());
    context.stop().unwrap();
    context.commit(&builder().build().unwrap()).unwrap();
    assert!(!context.is_paused(), "also of a stopped one");
}

#[test]
fn what_a_commit_does_not_carry_is_refused() {
    let context = started(builder(), &ToyOps::default());
    let error = context.commit(&builder().ops(damon::Ops::Fvaddr).build().unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.message().contains("Ops::Fvaddr") && !error.message().contains("DAMON_"), "{error}");
}
