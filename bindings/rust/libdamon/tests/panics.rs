//! No panic of a closure crosses into the library, and none is lost.

mod support;

use std::ops::ControlFlow;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use damon::{errno, Context, Operations, Sample, Scheme};
use support::{builder, run, started, ToyOps};

fn message(caught: std::thread::Result<()>) -> String {
    caught.unwrap_err().downcast_ref::<&str>().unwrap().to_string()
}

#[test]
fn a_panic_in_a_call_goes_on_in_the_caller() {
    let context = started(builder(), &ToyOps::default());
    let caught = catch_unwind(AssertUnwindSafe(|| context.call(|_| panic!("in a call")).unwrap()));
    assert_eq!(message(caught), "in a call");
    run(&context, 1..10).unwrap();
    assert_eq!(context.take_panic(), None);
}

#[test]
fn a_panic_in_a_walk_goes_on_in_the_caller() {
    let context = started(builder().scheme(Scheme::new(damon::Action::Stat)), &ToyOps::default());
    let done = AtomicU64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut ms = 1;
            while done.load(Ordering::Acquire) == 0 {
                context.step(Duration::from_millis(ms)).unwrap();
                ms += 1;
                std::thread::yield_now();
            }
        });
        let caught = catch_unwind(AssertUnwindSafe(|| context.walk(|_, _, _, _| panic!("in a walk")).unwrap()));
        done.store(1, Ordering::Release);
        assert_eq!(message(caught), "in a walk");
    });
}

#[test]
fn a_panic_in_a_repeated_call_is_told_by_the_step_and_ends_the_call() {
    let context = started(builder(), &ToyOps::default());
    let runs = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&runs);
    context
        .call_repeat(move |_| -> ControlFlow<()> {
            counted.fetch_add(1, Ordering::Relaxed);
            panic!("number {}", 1)
        })
        .unwrap();
    let error = run(&context, 1..2).unwrap_err();
    assert_eq!((error.errno(), error.message()), (errno::ECANCELED, "a callback panicked: number 1"));
    run(&context, 2..10).unwrap();
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    assert_eq!(Arc::strong_count(&runs), 1);
}

#[test]
fn a_panic_in_an_action_is_told_once_and_the_action_is_not_called_again() {
    let runs = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&runs);
    let scheme = Scheme::calling(move |_, _, _| {
        counted.fetch_add(1, Ordering::Relaxed);
        panic!("in an action")
    });
    let context = started(builder().scheme(scheme), &ToyOps::default());
    let told = (1..50).filter(|ms| context.step(Duration::from_millis(*ms)).is_err()).count();
    assert_eq!((told, runs.load(Ordering::Relaxed)), (1, 1));
    assert_eq!(context.scheme_stat(0).unwrap().sz_applied, 0);
    assert!(context.scheme_stat(0).unwrap().nr_tried > 1);
}

struct Blind {
    cleaned: Arc<AtomicU64>,
}

impl Operations for Blind {
    fn check_accesses(&mut self, _samples: &mut [Sample]) {
        panic!("blind")
    }

    fn cleanup(&mut self) {
        self.cleaned.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_panic_in_operations_ends_the_context_and_is_told_by_stop() {
    let cleaned = Arc::new(AtomicU64::new(0));
    let mut context = builder().drive(damon::Drive::Thread).build().unwrap();
    context.set_operations(Blind { cleaned: Arc::clone(&cleaned) }).unwrap();
    context.start().unwrap();
    // Ends without a snapshot after this one, with the panic; or stop() tells it.
    let told = (0..).map(|seq| context.wait_snapshot(seq, None)).find_map(Result::err).unwrap();
    assert_eq!(told.message(), "a callback panicked: blind");
    context.stop().unwrap();
    assert!(!context.is_running());
    assert_eq!(cleaned.load(Ordering::Relaxed), 1);
}

struct BadStart;

impl Operations for BadStart {
    fn init(&mut self, _worker: &damon::Worker<'_>) -> Result<(), i32> {
        Err(errno::EAGAIN)
    }
}

#[test]
fn an_init_that_fails_ends_the_context() {
    let mut context = builder().build().unwrap();
    context.set_operations(BadStart).unwrap();
    let failed = context.start().and_then(|()| run(&context, 1..5));
    assert!(failed.is_err());
    assert!(!context.is_running());
}

#[test]
fn a_context_dropped_in_its_own_callback_is_freed_afterwards() {
    let context: Arc<Mutex<Option<Context>>> = Arc::default();
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let mut fresh = builder().drive(damon::Drive::Thread).build().unwrap();
    let ops = ToyOps::default();
    fresh.set_operations(ops.clone()).unwrap();
    *context.lock().unwrap() = Some(fresh);
    let own = Arc::clone(&context);
    let guard = context.lock().unwrap();
    let monitor = guard.as_ref().unwrap();
    monitor.start().unwrap();
    monitor
        .call_repeat(move |_| {
            drop(own.lock().unwrap().take());
            let _ = &sender; // dropped with this closure, when the context is freed
            ControlFlow::Continue(())
        })
        .unwrap();
    drop(guard);
    assert!(receiver.recv().is_err(), "the closure is dropped when the context is freed");
}
