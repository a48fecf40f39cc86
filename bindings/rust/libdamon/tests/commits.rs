//! Closures of schemes live as long as some context may call them, whoever commits what into what at the same time.

mod support;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use damon::{Action, Builder, Context, Drive, Scheme};
use support::{builder, run, started, ToyOps};

/// What a closure owns: says when it is gone, and whether it was used afterwards.
struct Owned {
    gone: Arc<AtomicBool>,
    /// No allocator gives a freed one out again with this in it.
    mark: Box<u64>,
}

const MARK: u64 = 0x5eed_c0de_1234_5678;

impl Owned {
    fn new(gone: &Arc<AtomicBool>) -> Self {
        Owned { gone: Arc::clone(gone), mark: Box::new(MARK) }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        *self.mark = 0;
        self.gone.store(true, Ordering::SeqCst);
    }
}

/// A scheme whose closure counts calls after its end; the closure is leaked memory in no test that passes.
fn watched(used_after: &'static AtomicU64) -> Scheme {
    let gone = Arc::new(AtomicBool::new(false));
    let (owned, seen) = (Owned::new(&gone), Arc::clone(&gone));
    Scheme::calling(move |_, _, _| {
        if seen.load(Ordering::SeqCst) || *owned.mark != MARK {
            used_after.fetch_add(1, Ordering::SeqCst);
        }
        0
    })
}

fn threaded() -> Builder {
    builder().drive(Drive::Thread)
}

fn threaded_context(scheme: Scheme) -> Context {
    let mut context = threaded().scheme(scheme).build().unwrap();
    context.set_operations(ToyOps::default()).unwrap();
    context
}

/// The closure of `third` comes into the source while a commit of the source waits for another commit.
#[test]
fn a_source_that_changes_during_a_commit_keeps_its_closures_alive() {
    static USED_AFTER: AtomicU64 = AtomicU64::new(0);
    let own = threaded_context(Scheme::calling(|_, _, _| 0));
    let other = threaded().scheme(Scheme::calling(|_, _, _| 0)).build().unwrap();
    let source = threaded().scheme(Scheme::calling(|_, _, _| 0)).build().unwrap();
    let third = threaded().scheme(watched(&USED_AFTER)).build().unwrap();
    own.start().unwrap();
    let busy = Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            own.call(|_| {
                busy.wait();
                std::thread::sleep(Duration::from_millis(400));
            })
            .unwrap();
        });
        busy.wait();
        scope.spawn(|| own.commit(&other).unwrap()); // waits for the worker
        std::thread::sleep(Duration::from_millis(100));
        scope.spawn(|| own.commit(&source).unwrap()); // so does this
        std::thread::sleep(Duration::from_millis(100));
        source.commit(&third).unwrap();
    });
    // Whatever order the library chose: what it may call is alive.
    drop((source, third, other));
    let seq = own.stats().unwrap().nr_intervals;
    let patience = Instant::now();
    while own.stats().unwrap().nr_intervals < seq + 50 && patience.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(5));
    }
    own.stop().unwrap();
    assert_eq!(USED_AFTER.load(Ordering::SeqCst), 0);
}

/// Threads and callbacks commit among the same contexts, both directions of every pair at the same time. A deadlock is
/// one that the test never ends.
#[test]
fn commits_among_many_contexts_in_all_directions_use_no_dead_closure_and_end() {
    static USED_AFTER: AtomicU64 = AtomicU64::new(0);
    const CONTEXTS: usize = 4;
    const ROUNDS: usize = 4000;
    // A pass of the schemes in every interval.
    let quick = || threaded().sample(Duration::from_micros(100)).aggregation(Duration::from_micros(100));
    let quick = || quick().nr_regions(3..=10).scheme(watched(&USED_AFTER)).build().unwrap();
    let mut running: Vec<Context> = (0..2).map(|_| quick()).collect();
    running.iter_mut().for_each(|context| context.set_operations(ToyOps::default()).unwrap());
    let templates: Vec<Arc<Context>> = (0..CONTEXTS).map(|_| Arc::new(quick())).collect();
    running.iter().for_each(|context| context.start().unwrap());
    // Callbacks commit from the templates, and into them.
    for (position, context) in running.iter().enumerate() {
        let templates = templates.clone();
        let mut count = position;
        context
            .call_repeat(move |worker| {
                count += 1;
                let (from, into) = (&templates[count % CONTEXTS], &templates[(count + 1) % CONTEXTS]);
                match count % 8 {
                    0 => worker.commit(from).unwrap(),
                    4 => into.commit(from).unwrap(),
                    _ => {}
                }
                std::ops::ControlFlow::Continue(())
            })
            .unwrap();
    }
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let (running, templates, quick) = (&running, &templates, &quick);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let number = round * 7 + thread;
                    let (one, two) = (&templates[number % CONTEXTS], &templates[(number / 3 + 1) % CONTEXTS]);
                    // A fresh closure comes in, moves on, and its first context goes.
                    let fresh = quick();
                    one.commit(&fresh).unwrap();
                    drop(fresh);
                    if !Arc::ptr_eq(one, two) {
                        two.commit(one).unwrap();
                    }
                    if round % 8 == 0 {
                        running[number % running.len()].commit(two).unwrap();
                    }
                }
            });
        }
    });
    running.iter().for_each(|context| context.stop().unwrap());
    assert_eq!(USED_AFTER.load(Ordering::SeqCst), 0);
}

#[test]
fn a_commit_on_its_own_frees_what_it_replaces_and_a_refused_one_keeps_nothing() {
    let context = started(builder(), &ToyOps::default());
    let gone: Vec<_> = (0..3).map(|_| Arc::new(AtomicBool::new(false))).collect();
    let calling = |owned: Owned| {
        Scheme::calling(move |_, _, _| {
            let _ = &owned;
            0
        })
    };
    let source = builder().scheme(calling(Owned::new(&gone[0]))).build().unwrap();
    context.commit(&source).unwrap();
    drop(source);
    run(&context, 1..10).unwrap();
    assert!(!gone[0].load(Ordering::SeqCst), "the context may call it");
    let refused = builder().scheme(calling(Owned::new(&gone[1]))).sample(Duration::from_secs(9));
    let mut refused = refused.aggregation(Duration::from_secs(10)).build().unwrap();
    refused.add_target(&damon::Target::new().range(0..4096)).unwrap();
    refused.target_mut(1).unwrap().set_obsolete(true).unwrap();
    context.commit(&refused).unwrap_err();
    drop(refused);
    assert!(gone[1].load(Ordering::SeqCst), "of a commit that was refused");
    assert!(!gone[0].load(Ordering::SeqCst), "the context still has it");
    let last = builder().scheme(calling(Owned::new(&gone[2]))).build().unwrap();
    context.commit(&last).unwrap();
    assert!(gone[0].load(Ordering::SeqCst), "replaced");
    drop(last);
    run(&context, 10..20).unwrap();
    assert!(!gone[2].load(Ordering::SeqCst));
    drop(context);
    assert!(gone[2].load(Ordering::SeqCst));
}

#[test]
fn closures_that_callbacks_commit_go_with_the_next_commit_from_outside() {
    let gone = Arc::new(AtomicBool::new(false));
    let owned = Owned::new(&gone);
    let scheme = Scheme::calling(move |_, _, _| {
        let _ = &owned;
        0
    });
    let source = builder().scheme(scheme).build().unwrap();
    let first = Scheme::calling(move |worker, _, _| {
        worker.commit(&source).unwrap();
        0
    });
    let context = started(builder().scheme(first), &ToyOps::default());
    run(&context, 1..20).unwrap();
    assert!(!gone.load(Ordering::SeqCst));
    context.commit(&builder().scheme(Scheme::new(Action::Stat)).build().unwrap()).unwrap();
    assert!(gone.load(Ordering::SeqCst));
    run(&context, 20..30).unwrap();
}

#[test]
fn a_commit_without_targets_does_not_end_a_context_that_runs() {
    let own = threaded_context(Scheme::calling(|_, _, _| 0));
    own.start().unwrap();
    let refused = own.commit(&Context::new().unwrap()).unwrap_err();
    assert_eq!(refused.kind(), damon::ErrorKind::InvalidInput);
    assert!(refused.message().contains("has no target, and a context without targets ends: stop()"), "{refused}");
    assert!(own.is_running());
}
