use std::future::Future;
use std::ops::ControlFlow;
use std::os::unix::io::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll, Waker};

use crate::error::errno;
use crate::lock::lock;
use crate::{CallId, Error, Monitor, Result, SnapshotBuffer};

/// Says when there is a new snapshot: as a future, for any executor, and as a descriptor that becomes readable, for an
/// event loop (with tokio in an `AsyncFd`, with smol in an `Async`). No thread waits: the worker says so.
///
/// ```
/// # use std::{future::Future, sync::Arc, task::{Context, Poll, Wake}};
/// # struct Unpark(std::thread::Thread);
/// # impl Wake for Unpark { fn wake(self: Arc<Self>) { self.0.unpark() } }
/// # fn block_on<F: Future>(future: F) -> F::Output {
/// #     let (waker, mut future) = (Arc::new(Unpark(std::thread::current())).into(), Box::pin(future));
/// #     loop {
/// #         match future.as_mut().poll(&mut Context::from_waker(&waker)) {
/// #             Poll::Ready(value) => return value,
/// #             Poll::Pending => std::thread::park(),
/// #         }
/// #     }
/// # }
/// # fn main() -> damon::Result<()> { block_on(async {
/// let table = damon::SharedVec::from_elem(0u8, 1 << 20)?;
/// let watch = damon::Context::builder().range(table.range()).start()?;
/// let mut buffer = damon::SnapshotBuffer::new();
/// let mut events = watch.snapshot_events()?;
/// for _ in 0..2 {
///     let number = events.next().await?;
///     println!("snapshot {number}: {} regions", watch.snapshot(&mut buffer)?.len());
/// }
/// # Ok(()) }) }
/// ```
#[derive(Debug)]
pub struct SnapshotEvents<'a> {
    monitor: &'a Monitor,
    call: CallId,
    state: Arc<State>,
    reader: UnixStream,
    told: u64,
}

/// What the worker and who waits share.
#[derive(Debug)]
struct State {
    seq: AtomicU64,
    ended: AtomicBool,
    waker: Mutex<Option<Waker>>,
    writer: UnixStream,
}

impl State {
    fn wake(&self) {
        // Full: it is readable already.
        let _ = std::io::Write::write(&mut &self.writer, &[1]);
        let waker = lock(&self.waker).take();
        if let Some(waker) = waker {
            waker.wake(); // outside of the lock: it is the executor's
        }
    }
}

/// Belongs to the call: goes when no snapshot comes any more.
struct Source(Arc<State>);

impl Drop for Source {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::SeqCst);
        self.0.wake();
    }
}

impl Monitor {
    /// Waits for snapshots without a thread: those that come from now on. While the value lives the worker looks at every
    /// sampling interval whether there is one, so that a paused worker wakes as well.
    ///
    /// # Errors
    /// `Canceled`: the context does not run; `OutOfMemory`; `LimitReached`: no descriptor is left.
    pub fn snapshot_events(&self) -> Result<SnapshotEvents<'_>> {
        let pair = UnixStream::pair().and_then(|(reader, writer)| {
            reader.set_nonblocking(true)?;
            writer.set_nonblocking(true)?;
            Ok((reader, writer))
        });
        let (reader, writer) = pair.map_err(|error| {
            Error::new(error.raw_os_error().unwrap_or(errno::EAGAIN), format!("events: no socket pair: {error}"))
        })?;
        let regions = self.attrs()?.regions();
        let mut buffer = SnapshotBuffer::with_capacity(*regions.end());
        let told = self.snapshot(&mut buffer)?.info().seq;
        let (seq, ended, waker) = (AtomicU64::new(told), AtomicBool::new(false), Mutex::new(None));
        let state = Arc::new(State { seq, ended, waker, writer });
        let source = Source(Arc::clone(&state));
        let call = self.call_repeat(move |worker| {
            let seq = worker.snapshot(&mut buffer).map_or(0, |snapshot| snapshot.info().seq);
            if source.0.seq.swap(seq, Ordering::SeqCst) < seq {
                source.0.wake();
            }
            ControlFlow::Continue(())
        })?;
        Ok(SnapshotEvents { monitor: self, call, state, reader, told })
    }
}

impl<'a> SnapshotEvents<'a> {
    /// The number of a snapshot that is newer than the one told last, if there is one. Empties the descriptor.
    ///
    /// # Errors
    /// `Canceled`: the context was stopped, or ended.
    pub fn try_next(&mut self) -> Result<Option<u64>> {
        let mut bytes = [0; 64];
        while matches!(std::io::Read::read(&mut self.reader, &mut bytes), Ok(number) if number == bytes.len()) {}
        let ended = self.state.ended.load(Ordering::SeqCst);
        let seq = self.state.seq.load(Ordering::SeqCst);
        if seq > self.told {
            self.told = seq;
            return Ok(Some(seq));
        }
        if ended {
            return Err(Error::new(-errno::ECANCELED, "events: the context was stopped, or ended"));
        }
        Ok(None)
    }

    /// The number of the next snapshot.
    ///
    /// # Errors
    /// `Canceled`: the context was stopped, or ended.
    #[allow(clippy::should_implement_trait)] // as a stream has it
    pub fn next(&mut self) -> NextSnapshot<'_, 'a> {
        NextSnapshot { events: self }
    }
}

/// What [`SnapshotEvents::next`] gives.
#[derive(Debug)]
#[must_use = "a future does nothing until it is awaited"]
pub struct NextSnapshot<'e, 'a> {
    events: &'e mut SnapshotEvents<'a>,
}

impl Future for NextSnapshot<'_, '_> {
    type Output = Result<u64>;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Self::Output> {
        // Left first: what comes meanwhile wakes.
        *lock(&self.events.state.waker) = Some(task.waker().clone());
        match self.events.try_next() {
            Ok(None) => Poll::Pending,
            Ok(Some(seq)) => Poll::Ready(Ok(seq)),
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl Drop for SnapshotEvents<'_> {
    fn drop(&mut self) {
        // It fails only where the call has ended already.
        let _ = self.monitor.cancel_call(self.call);
    }
}

impl AsFd for SnapshotEvents<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

impl AsRawFd for SnapshotEvents<'_> {
    fn as_raw_fd(&self) -> RawFd {
        self.reader.as_raw_fd()
    }
}
