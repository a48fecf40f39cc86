use std::any::Any;
use std::ops::ControlFlow;
use std::os::raw::{c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use damon_sys as sys;

use crate::error::errno;
use crate::lock::lock;
use crate::registry::Shared;
use crate::structs::zeroed;
use crate::{callback, Error, Monitor, Region, Result, Worker};

/// Names a repeat call, for [`Monitor::cancel_call`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallId(u64);

type Payload = Box<dyn Any + Send>;

/// A closure that runs once, and what it gave.
struct Once<F, R> {
    ctx: *mut sys::damon_ctx,
    run: Option<F>,
    result: Option<std::result::Result<R, Payload>>,
}

type Repeat = dyn FnMut(&Worker<'_>) -> ControlFlow<()> + Send;

/// A closure that runs every sampling interval.
struct Repeated {
    ctx: *mut sys::damon_ctx,
    run: Box<Repeat>,
}

/// A closure for each region of a walk, and its panic.
struct Walk<F> {
    walk: F,
    panic: Option<Payload>,
}

impl Monitor {
    /// Runs a closure on the worker, between two sampling intervals, and gives its result; a panic in it goes on here.
    ///
    /// ```
    /// # fn main() -> damon::Result<()> {
    /// # let context = damon::Context::builder().drive(damon::Drive::Manual).ops(damon::Ops::Fvaddr)
    /// #     .range(0x10000..0x20000).build()?;
    /// # context.start()?;
    /// let paused = context.call(|worker| worker.is_paused())?;
    /// assert!(!paused);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Canceled`: the context does not run, or ended meanwhile; `TimedOut`: a callback of it does not end.
    /// `WouldDeadlock`: in a callback of the context.
    ///
    /// # Panics
    /// Where the closure does.
    pub fn call<F, R>(&self, run: F) -> Result<R>
    where
        F: FnOnce(&Worker<'_>) -> R + Send,
        R: Send,
    {
        self.after_callbacks("call")?;
        let _machine = self.occupy_machine();
        let mut once = Once { ctx: self.as_ptr(), run: Some(run), result: None };
        let mut control = zeroed(sys::damon_call_control_init);
        control.fn_ = Some(run_once::<F, R>);
        control.data = std::ptr::addr_of_mut!(once).cast();
        // Safety: a one-shot call has run, or never will, when it returns; `once` lives until then.
        self.checked("call", |ctx| unsafe { sys::damon_call(ctx, &mut control) })?;
        match once.result.expect("what succeeded has run") {
            Ok(value) => Ok(value),
            Err(payload) => std::panic::resume_unwind(payload),
        }
    }

    /// Runs a closure on the worker every sampling interval, paused or not, until it breaks, is cancelled, panics or the
    /// worker ends; then drops it.
    ///
    /// # Errors
    /// `Canceled`: the context does not run; `OutOfMemory`.
    pub fn call_repeat(&self, run: impl FnMut(&Worker<'_>) -> ControlFlow<()> + Send + 'static) -> Result<CallId> {
        let _machine = self.occupy_machine();
        let repeated = Box::into_raw(Box::new(Repeated { ctx: self.as_ptr(), run: Box::new(run) }));
        let mut control = zeroed(sys::damon_call_control_init);
        control.flags = sys::DAMON_CALL_REPEAT;
        control.fn_ = Some(run_repeated);
        control.data = repeated.cast();
        control.release = Some(release_repeated);
        // Safety: the library calls release once where it took the call; where it did not, the closure is ours again.
        let queued = self.checked("repeated call", |ctx| unsafe { sys::damon_call(ctx, &mut control) });
        if queued.is_err() {
            drop(unsafe { Box::from_raw(repeated) });
        }
        queued.map(|_| CallId(control.id))
    }

    /// Drops a repeat call: when this returns its closure is not running and was dropped (inside that closure itself: as
    /// soon as it returns).
    ///
    /// # Errors
    /// `NotFound`: it has ended already.
    pub fn cancel_call(&self, id: CallId) -> Result<()> {
        // Safety: a live context.
        self.checked_unit("cancelling a call", |ctx| unsafe { sys::damon_call_cancel(ctx, id.0) })
    }

    /// Calls a closure for every region that the schemes act on, one pass of each, and waits for it. It gets the region
    /// as it was acted on, the scheme's position, and the bytes that passed its page-level filters. A panic in the closure
    /// goes on here.
    ///
    /// A manually driven context walks while another thread steps it; where nobody does for 10 s, the walk is given up
    /// ([`errno::ETIMEDOUT`](crate::errno::ETIMEDOUT)).
    ///
    /// # Errors
    /// `Canceled`: the context does not run, or ended meanwhile; `TimedOut`: a callback of it does not end.
    /// `Canceled` also: no schemes, paused, or all wait for their watermarks; `Busy`: another walk is pending;
    /// `WouldDeadlock`: in a callback of the context.
    pub fn walk<F>(&self, walk: F) -> Result<()>
    where
        F: FnMut(&Worker<'_>, &Region, usize, u64) + Send,
    {
        self.after_callbacks("walk")?;
        let manual = self.shared().filter(|shared| shared.is_manual.load(Ordering::Relaxed));
        let stepped = manual.filter(|_| !callback::in_callback_of(self.as_ptr()));
        let mut data = Walk { walk, panic: None };
        let walked = match stepped {
            None => self.walk_with(&mut data),
            Some(shared) => self.walk_while_stepped(&mut data, &shared),
        };
        data.panic.map_or(walked, |payload| std::panic::resume_unwind(payload))
    }

    fn walk_with<F>(&self, data: &mut Walk<F>) -> Result<()>
    where
        F: FnMut(&Worker<'_>, &Region, usize, u64) + Send,
    {
        let mut control = zeroed(sys::damos_walk_control_init);
        control.walk_fn = Some(walk_region::<F>);
        control.data = (data as *mut Walk<F>).cast();
        // Safety: a walk has ended when it returns; `data` lives until then.
        self.checked_unit("walk", |ctx| unsafe { sys::damos_walk(ctx, &mut control) })
    }

    /// The library waits for steps for ever: a second thread ends the walk where none comes. A pause cancels walks.
    fn walk_while_stepped<F>(&self, data: &mut Walk<F>, shared: &Shared) -> Result<()>
    where
        F: FnMut(&Worker<'_>, &Region, usize, u64) + Send,
    {
        let (over, given_up) = (Mutex::new(false), AtomicBool::new(false));
        let told = Condvar::new();
        let watch = || {
            let mut over = lock(&over);
            let mut seen = shared.nr_steps.load(Ordering::Relaxed);
            while !*over {
                let (still, waited) =
                    told.wait_timeout(over, callback::PATIENCE).unwrap_or_else(PoisonError::into_inner);
                over = still;
                let now = shared.nr_steps.load(Ordering::Relaxed);
                if waited.timed_out() && now == seen && !*over {
                    given_up.store(true, Ordering::Relaxed);
                    let _ = self.pause().and_then(|()| self.resume());
                    return;
                }
                seen = now;
            }
        };
        let walked = std::thread::scope(|scope| {
            scope.spawn(watch);
            let walked = self.walk_with(data);
            *lock(&over) = true;
            told.notify_all();
            walked
        });
        if given_up.load(Ordering::Relaxed) && walked.is_err() {
            let words = format!(
                "walk: nobody has stepped the context for {} s; call step() in another thread meanwhile",
                callback::PATIENCE.as_secs()
            );
            return Err(Error::new(-errno::ETIMEDOUT, words));
        }
        walked
    }
}

unsafe extern "C" fn run_once<F, R>(data: *mut c_void) -> c_int
where
    F: FnOnce(&Worker<'_>) -> R + Send,
{
    // Safety: the caller waits for this call, and nobody else looks at `once` meanwhile.
    let once = &mut *data.cast::<Once<F, R>>();
    if let Some(run) = once.run.take() {
        let ctx = once.ctx;
        once.result = Some(callback::caught_between_steps(ctx, || run(&Worker::new(ctx))));
    }
    0
}

unsafe extern "C" fn run_repeated(data: *mut c_void) -> c_int {
    // Safety: the library keeps the closure until it calls release, and runs it on one thread at a time.
    let repeated = &mut *data.cast::<Repeated>();
    let (ctx, run) = (repeated.ctx, &mut repeated.run);
    let ran = callback::caught_between_steps(ctx, || run(&Worker::new(ctx)));
    let (flow, _) = callback::kept(ctx, ControlFlow::Break(()), ran);
    flow.is_break().into()
}

unsafe extern "C" fn release_repeated(data: *mut c_void) {
    // Safety: called once, after the last run.
    let repeated = Box::from_raw(data.cast::<Repeated>());
    let ctx = repeated.ctx;
    callback::guarded(ctx, (), || drop(repeated));
}

unsafe extern "C" fn walk_region<F>(
    data: *mut c_void,
    ctx: *mut sys::damon_ctx,
    region: *const sys::damon_region_info,
    scheme_idx: usize,
    sz_filter_passed: u64,
) where
    F: FnMut(&Worker<'_>, &Region, usize, u64) + Send,
{
    // Safety: the caller waits for the walk, which reports on one thread; the region lives as long as this call.
    let (data, region) = (&mut *data.cast::<Walk<F>>(), Region::from_raw(region));
    if data.panic.is_some() {
        return;
    }
    let walk = &mut data.walk;
    data.panic = callback::caught(ctx, || walk(&Worker::new(ctx), region, scheme_idx, sz_filter_passed)).err();
}
