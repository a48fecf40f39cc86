//! Real memory of this process.

use std::time::Duration;

use damon::SnapshotBuffer;
use damon::{errno, AccessCheck, AccessKind, Action, Context, Declared, Ops, Scheme, SharedMap, SharedVec, Skip};

const MIB: usize = 1 << 20;

#[test]
fn writes_and_reads_of_a_shared_map_are_seen() {
    let mut heap = SharedMap::new(16 * MIB).unwrap();
    heap.fill(7);
    let context = Context::builder().ops(Ops::Fvaddr).range(heap.range()).sample(Duration::from_millis(1));
    let context = context.aggregation(Duration::from_millis(20)).start().unwrap();
    assert!(context.kdamond_tid().is_some());
    let mut sum = 0;
    while !context.wait_snapshot(9, Some(Duration::ZERO)).unwrap() {
        sum += heap[..MIB].iter().step_by(4096).map(|&byte| u64::from(byte)).sum::<u64>();
    }
    let mut buffer = SnapshotBuffer::new();
    let snapshot = context.snapshot(&mut buffer).unwrap();
    assert!(!snapshot.info().unknown && !snapshot.info().writes_only, "{:?}", snapshot.info());
    let touched = heap.range().start..heap.range().start + MIB;
    assert!(snapshot.iter().any(|region| region.nr_accesses() > 0 && touched.contains(&region.range().start)));
    // A page that comes back may bring its neighbours back: up to 64 KiB.
    let brought = touched.end + (64 << 10);
    assert!(snapshot.iter().all(|region| region.nr_accesses() == 0 || region.range().start < brought));
    assert!(context.stats().unwrap().nr_samples > 0);
    context.stop().unwrap();
    assert_eq!(sum % (7 * 256), 0, "the memory has its content");
    assert!(heap.iter().all(|&byte| byte == 7));
}

#[test]
fn every_access_check_says_what_it_can() {
    for check in AccessCheck::ALL {
        let info = check.probe().unwrap();
        assert!(!info.name.is_empty(), "{info:?}");
        assert!(info.available || !info.reason.is_empty(), "{info:?}");
        assert!(info.available || info.errno.is_some(), "{info:?}");
    }
    let zap = AccessCheck::Zap.probe().unwrap();
    assert!(zap.available && zap.sees_reads && zap.sees_writes, "{zap:?}");
}

#[test]
fn reported_accesses_are_counted() {
    let memory = vec![0u8; MIB];
    let start = memory.as_ptr() as usize;
    let context = Context::builder().ops(Ops::Fvaddr).range(start..start + MIB).access_check(AccessCheck::Report);
    let context = context.sample(Duration::from_millis(1)).aggregation(Duration::from_millis(10)).build().unwrap();
    context.start().unwrap();
    assert!(context.wait_snapshot(0, None).unwrap());
    let mut buffer = SnapshotBuffer::new();
    let mut found = 0;
    // The worker needs a window with reports in it; how many it takes is its business.
    while found == 0 {
        match context.report_access(start..start + MIB, AccessKind::Write) {
            Err(error) if error.errno() != errno::EAGAIN => panic!("{error}"),
            _ => {}
        }
        found = context.snapshot(&mut buffer).unwrap().iter().map(damon::Region::nr_accesses).sum();
    }
}

#[test]
fn memory_that_is_not_shared_cannot_be_declared() {
    let memory = vec![0u8; 1 << 16];
    let start = (memory.as_ptr() as usize + 4095) & !4095;
    let error = unsafe { Declared::new(start..start + 8192) }.unwrap_err();
    assert_eq!(error.errno(), errno::EINVAL);
    let map = SharedMap::new(8192).unwrap();
    assert_eq!(unsafe { Declared::new(map.range()) }.unwrap_err().errno(), errno::EINVAL, "declared already");
    let (start, len) = map.into_raw();
    drop(unsafe { SharedMap::from_raw(start, len) });
    assert_eq!(SharedMap::new(0).unwrap_err().errno(), errno::EINVAL);
}

#[test]
fn an_action_leaves_the_content_alone() {
    let mut heap = SharedMap::new(4 * MIB).unwrap();
    heap.iter_mut().enumerate().for_each(|(position, byte)| *byte = position as u8);
    let scheme = Scheme::new(Action::Cold).accesses(..=0);
    let context = Context::builder().ops(Ops::Fvaddr).range(heap.range()).scheme(scheme);
    let context = context.sample(Duration::from_millis(1)).aggregation(Duration::from_millis(5)).start().unwrap();
    let mut seq = 0;
    while context.scheme_stat(0).unwrap().nr_tried == 0 {
        context.wait_snapshot(seq, None).unwrap();
        seq += 1;
    }
    let stats = context.action_stats().unwrap();
    assert!(stats.nr_calls() >= stats.nr_failed_calls());
    let left: u64 = Skip::ALL.iter().map(|skip| stats.skipped_bytes(*skip)).sum();
    assert!(stats.applied_bytes(Action::Cold) + left > 0, "{stats:?}");
    assert!(Skip::ALL.iter().all(|skip| skip.text() != "unknown"));
    context.stop().unwrap();
    assert!(heap.iter().enumerate().all(|(position, &byte)| byte == position as u8));
}

#[test]
fn waiting_ends_when_the_time_is_over() {
    let context = Context::builder().ops(Ops::Fvaddr).range(0x10000..0x20000).build().unwrap();
    assert_eq!(context.wait_snapshot(0, None).unwrap_err().errno(), errno::ECANCELED);
    context.start().unwrap();
    assert!(!context.wait_snapshot(u64::MAX, Some(Duration::from_millis(1))).unwrap());
}

#[test]
fn a_shared_vector_owns_its_elements_and_its_memory_is_seen() {
    let alive = std::sync::Arc::new(());
    let mut vector = SharedVec::with_capacity(3).unwrap();
    for _ in 0..3 {
        vector.push(std::sync::Arc::clone(&alive)).unwrap();
    }
    assert!(vector.push(std::sync::Arc::clone(&alive)).is_err(), "there is no room");
    assert_eq!(std::sync::Arc::strong_count(&alive), 4);
    drop(vector.pop());
    assert_eq!((vector.len(), std::sync::Arc::strong_count(&alive)), (2, 3));
    vector.clear();
    vector.push(std::sync::Arc::clone(&alive)).unwrap();
    drop(vector);
    assert_eq!(std::sync::Arc::strong_count(&alive), 1);
    assert_eq!(SharedVec::<u8>::with_capacity(0).unwrap_err().errno(), errno::EINVAL);
    assert_eq!(SharedVec::<()>::with_capacity(3).unwrap_err().errno(), errno::EINVAL);
    assert_eq!(SharedVec::<u64>::with_capacity(usize::MAX).unwrap_err().errno(), errno::EINVAL);

    let mut table = SharedVec::from_elem(7u64, MIB).unwrap();
    assert_eq!(table.range().len(), 8 * MIB);
    let context = Context::builder().ops(Ops::Fvaddr).range(table.range()).sample(Duration::from_millis(1));
    let context = context.aggregation(Duration::from_millis(20)).start().unwrap();
    while !context.wait_snapshot(1, Some(Duration::ZERO)).unwrap() {
        for value in &mut table {
            *value += 1;
        }
    }
    let mut buffer = SnapshotBuffer::new();
    assert!(context.snapshot(&mut buffer).unwrap().working_set_bytes(1) > 0);
    context.stop().unwrap();
    assert!(table.iter().all(|&value| value == table[0]));
}
