//! Pauses, calls, walks and actions of running contexts over toy addresses.

mod support;

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

use damon::{errno, Action, Attrs, Drive, Quota, Scheme, SnapshotBuffer};
use support::{builder, run, started, ToyOps, MEMORY, PAGE};

#[test]
fn a_pause_ends_with_its_scope() {
    let ops = ToyOps::default();
    let context = started(builder(), &ops);
    run(&context, 1..20).unwrap();
    {
        let _section = context.paused().unwrap();
        assert!(context.is_paused());
        let before = context.stats().unwrap().nr_samples;
        run(&context, 20..40).unwrap();
        assert_eq!(context.stats().unwrap().nr_samples, before);
    }
    assert!(!context.is_paused());
    assert_eq!(ops.nr_calls("disarm"), 1);
    context.paused().unwrap().resume().unwrap();
    assert!(!context.is_paused());
}

#[test]
fn a_call_borrows_and_gives_back() {
    let context = started(builder(), &ToyOps::default());
    run(&context, 1..10).unwrap();
    let mut buffer = SnapshotBuffer::new();
    let nr = context.call(|worker| worker.live_snapshot(&mut buffer).map(|snapshot| snapshot.len())).unwrap().unwrap();
    assert!(nr >= 10);
    let nested = context.call(|worker| worker.call(|_| ()).unwrap_err().errno()).unwrap();
    assert_eq!(nested, errno::EDEADLK);
    let moved = MEMORY.start..MEMORY.end + 64 * PAGE;
    context.call(|worker| worker.set_target_regions(0, std::slice::from_ref(&moved))).unwrap().unwrap();
    run(&context, 10..30).unwrap();
    assert_eq!(context.snapshot(&mut buffer).unwrap().last().unwrap().range().end, moved.end);
    context.call(|worker| worker.set_attrs(&Attrs::new())).unwrap().unwrap();
    assert_eq!(context.attrs().unwrap().sample_interval(), Duration::from_millis(5));
}

#[test]
fn a_stopped_context_runs_no_call() {
    let context = builder().build().unwrap();
    assert_eq!(context.call(|_| ()).unwrap_err().errno(), errno::ECANCELED);
    let ran = Arc::new(());
    let held = Arc::clone(&ran);
    let refused = context.call_repeat(move |_| {
        let _ = &held;
        ControlFlow::Continue(())
    });
    assert_eq!(refused.unwrap_err().errno(), errno::ECANCELED);
    assert_eq!(Arc::strong_count(&ran), 1, "the closure of a refused call is dropped");
}

#[test]
fn a_repeated_call_runs_every_interval_until_it_breaks() {
    let context = started(builder(), &ToyOps::default());
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let id = context
        .call_repeat(move |_| {
            let nr = counted.fetch_add(1, Ordering::Relaxed) + 1;
            if nr < 5 {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })
        .unwrap();
    run(&context, 1..20).unwrap();
    assert_eq!(runs.load(Ordering::Relaxed), 5);
    assert_eq!(Arc::strong_count(&runs), 1, "dropped after its break");
    assert_eq!(context.cancel_call(id).unwrap_err().errno(), errno::ENOENT);
    let counted = Arc::clone(&runs);
    let id = context
        .call_repeat(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            ControlFlow::Continue(())
        })
        .unwrap();
    context.cancel_call(id).unwrap();
    assert_eq!(Arc::strong_count(&runs), 1, "dropped when cancelled");
}

#[test]
fn a_closure_acts_within_its_quota() {
    let bytes = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&bytes);
    let purge = Scheme::calling(move |worker, region, scheme| {
        assert_eq!(scheme, 0);
        assert!(worker.is_running());
        seen.fetch_add(region.size() as u64, Ordering::Relaxed);
        region.size() as u64
    });
    let quota = Quota::new().bytes(4 * PAGE as u64).per(Duration::from_secs(100));
    let context = started(builder().scheme(purge.accesses(..=0).age(2..).quota(quota)), &ToyOps::default());
    run(&context, 1..100).unwrap();
    assert_eq!(bytes.load(Ordering::Relaxed), 4 * PAGE as u64);
    let stats = context.scheme_stat(0).unwrap();
    assert_eq!(stats.sz_applied, 4 * PAGE as u64);
    assert_eq!(context.scheme_stat(1).unwrap_err().errno(), errno::EINVAL);
}

#[test]
fn a_committed_closure_outlives_the_source_and_a_replaced_one_goes() {
    let context = started(builder(), &ToyOps::default());
    let calls = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&calls);
    let scheme = Scheme::calling(move |_, region, _| {
        counted.fetch_add(1, Ordering::Relaxed);
        region.size() as u64
    });
    let source = builder().scheme(scheme).build().unwrap();
    context.commit(&source).unwrap();
    drop(source);
    run(&context, 1..50).unwrap();
    assert!(calls.load(Ordering::Relaxed) > 10);
    context.commit(&builder().build().unwrap()).unwrap();
    assert_eq!(Arc::strong_count(&calls), 1);
    run(&context, 50..60).unwrap();
}

#[test]
fn a_commit_in_an_action_is_done_when_the_step_has_ended() {
    let source = builder().aggregation(Duration::from_millis(10)).build().unwrap();
    let scheme = Scheme::calling(move |worker, _, _| {
        worker.commit(&source).unwrap();
        0
    });
    let context = started(builder().scheme(scheme), &ToyOps::default());
    run(&context, 1..20).unwrap();
    assert_eq!(context.nr_schemes(), 0);
    assert_eq!(context.attrs().unwrap().aggregation_interval(), Duration::from_millis(10));
}

#[test]
fn a_walk_reports_every_region_of_a_scheme() {
    let context = started(builder().scheme(Scheme::new(Action::Stat)), &ToyOps::default());
    run(&context, 1..10).unwrap();
    let mut covered = 0;
    let done = AtomicU64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut ms = 10;
            while done.load(Ordering::Acquire) == 0 {
                context.step(Duration::from_millis(ms)).unwrap();
                ms += 1;
                std::thread::yield_now();
            }
        });
        context.walk(|_, region, scheme, _| covered += region.size() * (scheme + 1)).unwrap();
        done.store(1, Ordering::Release);
    });
    assert_eq!(covered, MEMORY.len());
    let stopped = builder().build().unwrap();
    assert_eq!(stopped.walk(|_, _, _, _| ()).unwrap_err().errno(), errno::ECANCELED);
}

#[test]
fn overlapping_pauses_resume_with_the_last_and_keep_an_outer_pause() {
    let context = started(builder(), &ToyOps::default());
    let outer = context.paused().unwrap();
    drop(context.paused().unwrap());
    assert!(context.is_paused(), "the outer section goes on");
    std::thread::scope(|scope| {
        scope.spawn(|| context.paused().unwrap().resume().unwrap());
    });
    assert!(context.is_paused());
    outer.resume().unwrap();
    assert!(!context.is_paused());
    context.pause().unwrap();
    drop(context.paused().unwrap());
    assert!(context.is_paused(), "paused before");
    context.resume().unwrap();
    let refused = context.call(|worker| worker.paused().err()).unwrap().unwrap();
    assert_eq!(refused.errno(), errno::EDEADLK);
    assert!(refused.message().contains("pause() and resume()"), "{refused}");
    drop(context.paused().unwrap());
    assert!(!context.is_paused());
}

#[test]
fn sections_of_many_threads_leave_nothing_behind() {
    let mut context = builder().drive(Drive::Thread).build().unwrap();
    context.set_operations(ToyOps::default()).unwrap();
    context.start().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    let section = context.paused().unwrap();
                    assert!(context.call(|worker| worker.is_paused()).unwrap());
                    drop(section);
                }
            });
        }
    });
    assert!(!context.is_paused());
}

#[test]
fn a_walk_that_no_step_serves_is_given_up() {
    let context = started(builder().scheme(Scheme::new(Action::Stat)), &ToyOps::default());
    run(&context, 1..10).unwrap();
    let error = context.walk(|_, _, _, _| ()).unwrap_err();
    assert_eq!(error.errno(), errno::ETIMEDOUT);
    assert!(error.message().contains("step()"), "{error}");
    assert!(!context.is_paused());
    run(&context, 10..20).unwrap();
}

/// Each of them would wait for the callback that waits for it.
#[test]
fn a_thread_that_a_callback_waits_for_gets_an_error_instead_of_waiting_for_ever() {
    let mut context = builder().drive(Drive::Thread).scheme(Scheme::new(Action::Stat)).build().unwrap();
    context.set_operations(ToyOps::default()).unwrap();
    context.start().unwrap();
    let other = builder().build().unwrap();
    let mut errors = Vec::new();
    context
        .call(|_| {
            std::thread::scope(|scope| {
                let waiting = [
                    scope.spawn(|| context.pause()),
                    scope.spawn(|| context.call(|_| ())),
                    scope.spawn(|| context.commit(&other)),
                    scope.spawn(|| context.walk(|_, _, _, _| ())),
                    scope.spawn(|| context.stop()),
                ];
                errors.extend(waiting.map(|thread| thread.join().unwrap().unwrap_err()));
            });
        })
        .unwrap();
    assert!(errors.iter().all(|error| error.errno() == errno::ETIMEDOUT), "{errors:?}");
    assert!(errors[0].message().contains("a callback of the context has run"), "{:?}", errors[0]);
    context.pause().unwrap();
    context.stop().unwrap();
}
