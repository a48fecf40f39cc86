//! Ranges that come and go, exclusion, state, exact questions, and what a context has learned as bytes.

mod support;

use std::time::Duration;

use damon::{exclude, Context, Coverage, ErrorKind, Ops, RangeOptions, RangeQuery, Result, SharedMap, State};
use damon::{SnapshotBuffer, UnknownReason, WorkerAttr, WorkingSetOf};
use support::{builder, run, started, ToyOps, PAGE};

const MIB: usize = 1 << 20;

/// What works, or is not there yet and says so.
fn there<T>(result: Result<T>) -> Option<T> {
    match result {
        Err(error) if error.kind() == ErrorKind::Unsupported => None,
        other => Some(other.unwrap()),
    }
}

fn watching(heap: &SharedMap) -> Context {
    let context = Context::builder().ops(Ops::Fvaddr).range(heap.range()).sample(Duration::from_millis(1));
    context.aggregation(Duration::from_millis(10)).start().unwrap()
}

#[test]
fn regions_carry_times_and_snapshots_their_real_length() {
    let hot = support::MEMORY.start..support::MEMORY.start + 32 * PAGE;
    let context = started(builder(), &ToyOps::on(hot));
    run(&context, 1..100).unwrap();
    let mut buffer = damon::SnapshotBuffer::new();
    let snapshot = context.snapshot(&mut buffer).unwrap();
    for region in &snapshot {
        assert_eq!(region.unknown_reason(), None, "{region:?}");
        assert!(region.idle_time().map_or(true, |idle| idle < Duration::from_secs(3600)), "{region:?}");
    }
    assert!(context.stats().unwrap().nr_unknown(UnknownReason::Other) == 0);
}

#[test]
fn samples_without_an_answer_say_why() {
    struct Locked;
    impl damon::Operations for Locked {
        fn check_accesses(&mut self, samples: &mut [damon::Sample]) {
            samples.iter_mut().for_each(|sample| sample.answer_unknown(UnknownReason::Locked));
        }
    }
    let mut context = builder().build().unwrap();
    context.set_operations(Locked).unwrap();
    context.start().unwrap();
    run(&context, 1..20).unwrap();
    let mut buffer = damon::SnapshotBuffer::new();
    assert!(context.snapshot(&mut buffer).unwrap().iter().all(damon::Region::is_unknown));
}

#[test]
fn ranges_come_and_go() {
    let (heap, more) = (SharedMap::new(MIB).unwrap(), SharedMap::new(MIB).unwrap());
    let context = watching(&heap);
    if there(context.add_range(more.range(), RangeOptions { stable: true, tracked: false })).is_some() {
        context.remove_range(more.range()).unwrap();
        assert_eq!(context.remove_range(more.range()).unwrap_err().kind(), ErrorKind::NotFound);
    }
    there(context.refresh());
    let mut stopped = builder().build().unwrap();
    there(stopped.set_coverage(Coverage { files: true, ..Coverage::default() }));
    stopped.set_coverage(Coverage::default()).unwrap();
}

#[test]
fn an_exclusion_ends_with_its_value() {
    let heap = SharedMap::new(MIB).unwrap();
    if let Some(excluded) = there(exclude(heap.range())) {
        assert_eq!(excluded.range(), heap.range());
        drop(exclude(heap.range()).unwrap()); // nested
    }
}

#[test]
fn a_state_says_what_and_why() {
    let heap = SharedMap::new(MIB).unwrap();
    let context = watching(&heap);
    context.pause().unwrap();
    if let Some(info) = there(context.state()) {
        assert_eq!(info.state, State::Paused, "{info:?}");
    }
    context.stop().unwrap();
    if let Some(info) = there(context.state()) {
        assert_eq!(info.state, State::Stopped, "{info:?}");
    }
}

#[test]
fn the_worker_is_made_as_asked() {
    let mut context = builder().drive(damon::Drive::Thread).build().unwrap();
    context.set_operations(ToyOps::default()).unwrap();
    let attrs = WorkerAttr::new().nice(3).stack(256 << 10).cpus(&[0]).name("watcher");
    if there(context.set_worker_attr(&attrs)).is_some() {
        context.start().unwrap();
        let name = std::fs::read_to_string(format!("/proc/self/task/{}/comm", context.kdamond_tid().unwrap())).unwrap();
        assert_eq!(name.trim(), "watcher");
    }
    context.stop().unwrap();
    let long = context.set_worker_attr(&WorkerAttr::new().name("a name of more than fifteen bytes")).unwrap_err();
    assert!(matches!(long.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported), "{long}");
}

#[test]
fn exact_questions_have_answers() {
    let mut heap = SharedMap::new(4 * MIB).unwrap();
    heap.fill(1);
    let context = watching(&heap);
    let options = RangeOptions { tracked: true, ..RangeOptions::default() };
    let mut query = RangeQuery::new().touched().idle();
    assert_eq!((query.nr_units(), query.is_touched(0), query.idle_time(0)), (0, false, None));
    if there(context.add_range(heap.range(), options)).is_none() {
        assert!(context.query_range(heap.range(), &mut query).is_err());
        return;
    }
    context.query_range(heap.range(), &mut query).unwrap();
    heap[17 * PAGE] = 2;
    let answer = context.query_range(heap.range(), &mut query).unwrap();
    assert_eq!(query.nr_units(), 4 * MIB / PAGE);
    assert_eq!((answer.unseen_bytes, answer.touched_bytes), (0, PAGE as u64), "{answer:?}");
    assert!(query.is_touched(17) && !query.is_touched(400), "{answer:?}");
    heap[18 * PAGE] = 2;
    assert_eq!(context.wss(WorkingSetOf::TrackedRanges).unwrap().touched_bytes, PAGE as u64);
    let nothing = context.wss(WorkingSetOf::Process(Duration::ZERO)).unwrap_err();
    assert!(nothing.message().contains("the time is 0"), "{nothing}");
    let process = context.wss(WorkingSetOf::Process(Duration::from_millis(1))).unwrap();
    assert!(process.present_bytes > process.touched_bytes && process.touched_bytes > 0, "{process:?}");
}

/// Bytes of regions that have been as they are for ten windows.
fn learned(context: &Context) -> usize {
    let mut buffer = SnapshotBuffer::new();
    let snapshot = context.snapshot(&mut buffer).unwrap();
    snapshot.regions().iter().filter(|region| region.age() >= 10).map(|region| region.size()).sum()
}

#[test]
fn what_was_learned_can_be_saved_and_restored() {
    let context = started(builder(), &ToyOps::default());
    run(&context, 1..2000).unwrap();
    let bytes = context.save().unwrap();
    context.stop().unwrap();
    assert!(!context.save().unwrap().is_empty());
    let mut other = builder().build().unwrap();
    other.set_operations(ToyOps::default()).unwrap();
    assert_eq!(other.save().unwrap_err().kind(), ErrorKind::InvalidInput);
    assert!(other.restore(&bytes[..bytes.len() / 2]).is_err());
    other.restore(&bytes).unwrap();
    other.start().unwrap();
    run(&other, 1..50).unwrap();
    assert!(learned(&other) > 0);
}
