//! Waiting for snapshots without a thread.

mod support;

use std::future::Future;
use std::io::Read;
use std::os::unix::io::{AsFd, AsRawFd};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Wake};
use std::time::Duration;

use damon::{Drive, ErrorKind, SnapshotBuffer};
use support::{builder, run, started, ToyOps};

/// Counts how often it was woken, and wakes a thread.
struct Woken(AtomicUsize, std::thread::Thread);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
        self.1.unpark();
    }
}

fn woken() -> Arc<Woken> {
    Arc::new(Woken(AtomicUsize::new(0), std::thread::current()))
}

fn poll<F: Future>(future: Pin<&mut F>, woken: &Arc<Woken>) -> Poll<F::Output> {
    future.poll(&mut TaskContext::from_waker(&Arc::clone(woken).into()))
}

#[test]
fn a_future_wakes_with_the_next_snapshot_and_ends_with_the_context() {
    let context = started(builder(), &ToyOps::default());
    let mut events = context.snapshot_events().unwrap();
    let count = woken();
    {
        let mut next = Box::pin(events.next());
        assert!(poll(next.as_mut(), &count).is_pending());
        run(&context, 1..3).unwrap();
        assert_eq!(count.0.load(Ordering::SeqCst), 0, "no window has ended");
        run(&context, 3..9).unwrap();
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        assert!(matches!(poll(next.as_mut(), &count), Poll::Ready(Ok(1))));
    }
    assert_eq!(events.try_next().unwrap(), None);
    let mut next = Box::pin(events.next());
    assert!(poll(next.as_mut(), &count).is_pending());
    context.stop().unwrap();
    assert_eq!(count.0.load(Ordering::SeqCst), 2);
    match poll(next.as_mut(), &count) {
        Poll::Ready(Err(error)) => assert_eq!(error.kind(), ErrorKind::Canceled),
        other => panic!("{other:?}"),
    }
    assert_eq!(context.snapshot_events().unwrap_err().kind(), ErrorKind::Canceled);
}

#[test]
fn a_descriptor_becomes_readable_and_is_emptied() {
    let context = started(builder(), &ToyOps::default());
    let mut events = context.snapshot_events().unwrap();
    assert!(events.as_raw_fd() >= 0);
    let copy = events.as_fd().try_clone_to_owned().unwrap();
    let mut stream = std::os::unix::net::UnixStream::from(copy);
    let mut byte = [0];
    assert_eq!(stream.read(&mut byte).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    run(&context, 1..30).unwrap();
    assert!(events.try_next().unwrap().unwrap() > 1);
    assert_eq!(stream.read(&mut byte).unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "emptied");
    run(&context, 30..40).unwrap();
    assert_eq!(stream.read(&mut byte).unwrap(), 1);
    drop(events);
    run(&context, 40..50).unwrap();
}

#[test]
fn a_worker_wakes_who_waits() {
    let mut context = builder().drive(Drive::Thread).build().unwrap();
    context.set_operations(ToyOps::default()).unwrap();
    context.start().unwrap();
    let mut events = context.snapshot_events().unwrap();
    let (count, mut buffer) = (woken(), SnapshotBuffer::new());
    let mut last = 0;
    for _ in 0..3 {
        let mut next = Box::pin(events.next());
        let number = loop {
            match poll(next.as_mut(), &count) {
                Poll::Ready(number) => break number.unwrap(),
                Poll::Pending => std::thread::park_timeout(Duration::from_secs(60)),
            }
        };
        assert!(number > last && context.snapshot(&mut buffer).unwrap().info().seq >= number);
        last = number;
    }
}
