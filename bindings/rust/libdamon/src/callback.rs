//! What stands between the library's worker and a closure: no unwinding crosses, every panic is kept for the program.

use std::any::Any;
use std::cell::Cell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use damon_sys as sys;

use crate::lock::lock;
use crate::registry;

/// One callback under way on this thread. They nest where a callback steps another context.
struct Frame {
    ctx: *const sys::damon_ctx,
    between_steps: bool,
    outer: *const Frame,
}

thread_local! {
    // No destructor and no allocation: an allocator may be what is called back.
    static INNERMOST: Cell<*const Frame> = const { Cell::new(ptr::null()) };
}

/// Whether this thread is in a callback of this context.
pub(crate) fn in_callback_of(ctx: *const sys::damon_ctx) -> bool {
    let mut next = INNERMOST.with(Cell::get);
    // Safety: frames live on this thread's stack until they take themselves off the list.
    while let Some(frame) = unsafe { next.as_ref() } {
        if frame.ctx == ctx {
            return true;
        }
        next = frame.outer;
    }
    false
}

/// Whether a commit of this thread into this context is put off: it is in a callback, and not in a call, which runs between
/// two steps.
pub(crate) fn in_step_of(ctx: *const sys::damon_ctx) -> bool {
    let mut next = INNERMOST.with(Cell::get);
    // Safety: as above.
    while let Some(frame) = unsafe { next.as_ref() } {
        if frame.ctx == ctx && !frame.between_steps {
            return true;
        }
        next = frame.outer;
    }
    false
}

/// Callbacks under way, of all threads: no more than 32 contexts run at a time, and callbacks nest seldom.
struct UnderWay {
    ctx: usize,
    nr: u32,
    /// How many have ended, so that a thread that waits sees that one has, though another began at once.
    ended: u64,
}

const NONE: UnderWay = UnderWay { ctx: 0, nr: 0, ended: 0 };
static UNDER_WAY: Mutex<[UnderWay; 64]> = Mutex::new([NONE; 64]);
static ENDED: Condvar = Condvar::new();
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// How long a thread waits for a callback, or for a step. Who waits for longer waits for itself.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

fn count(ctx: *const sys::damon_ctx) {
    let mut all = lock(&UNDER_WAY);
    let place = all.iter().position(|one| one.nr > 0 && one.ctx == ctx as usize);
    // Where there is no place left it is not counted, and nobody waits for it here.
    if let Some(place) = place.or_else(|| all.iter().position(|one| one.nr == 0)) {
        all[place].ctx = ctx as usize;
        all[place].nr += 1;
    }
}

fn uncount(ctx: *const sys::damon_ctx) {
    let mut all = lock(&UNDER_WAY);
    if let Some(one) = all.iter_mut().find(|one| one.nr > 0 && one.ctx == ctx as usize) {
        one.nr -= 1;
        one.ended += 1;
    }
    drop(all);
    if WAITING.load(Ordering::SeqCst) > 0 {
        ENDED.notify_all();
    }
}

/// Waits for the end of the callback of this context that is under way, if one is: the library would, and for ever where
/// that callback waits for this thread.
pub(crate) fn wait_for_end(ctx: *const sys::damon_ctx, tried: &str) -> Result<(), String> {
    if in_callback_of(ctx) {
        return Ok(()); // the library knows
    }
    WAITING.fetch_add(1, Ordering::SeqCst);
    let mut all = lock(&UNDER_WAY);
    let find = |all: &[UnderWay; 64]| {
        let place = all.iter().position(|one| one.nr > 0 && one.ctx == ctx as usize)?;
        Some((place, all[place].ended))
    };
    let first = find(&all);
    let begin = Instant::now();
    let mut waited = Duration::ZERO;
    while first.is_some() && find(&all) == first && waited < PATIENCE {
        all = ENDED.wait_timeout(all, PATIENCE.saturating_sub(waited)).unwrap_or_else(PoisonError::into_inner).0;
        waited = begin.elapsed();
    }
    drop(all);
    WAITING.fetch_sub(1, Ordering::SeqCst);
    if waited < PATIENCE {
        return Ok(());
    }
    Err(format!(
        "{tried}: a callback of the context has run for {} s, and this waits for its end; a callback must not wait for a \
         thread that uses the context so",
        PATIENCE.as_secs()
    ))
}

/// Runs a closure inside a callback of `ctx`; what it panicked with comes back.
pub(crate) fn caught<R>(ctx: *const sys::damon_ctx, run: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
    caught_in(ctx, false, run)
}

/// As [`caught`], of a call.
pub(crate) fn caught_between_steps<R>(
    ctx: *const sys::damon_ctx,
    run: impl FnOnce() -> R,
) -> Result<R, Box<dyn Any + Send>> {
    caught_in(ctx, true, run)
}

fn caught_in<R>(
    ctx: *const sys::damon_ctx,
    between_steps: bool,
    run: impl FnOnce() -> R,
) -> Result<R, Box<dyn Any + Send>> {
    let frame = Frame { ctx, between_steps, outer: INNERMOST.with(Cell::get) };
    INNERMOST.with(|innermost| innermost.set(std::ptr::addr_of!(frame)));
    count(ctx);
    let result = catch_unwind(AssertUnwindSafe(run));
    uncount(ctx);
    INNERMOST.with(|innermost| innermost.set(frame.outer));
    result
}

/// As [`caught`]; a panic is kept for [`Monitor::take_panic`](crate::Monitor::take_panic), and `otherwise` returned.
pub(crate) fn guarded<R>(ctx: *const sys::damon_ctx, otherwise: R, run: impl FnOnce() -> R) -> (R, bool) {
    kept(ctx, otherwise, caught(ctx, run))
}

/// The value, or `otherwise` after keeping the panic; and whether there was one.
pub(crate) fn kept<R>(ctx: *const sys::damon_ctx, otherwise: R, result: Result<R, Box<dyn Any + Send>>) -> (R, bool) {
    match result {
        Ok(value) => (value, false),
        Err(payload) => {
            registry::keep_panic(ctx, words(&*payload));
            discard(payload);
            (otherwise, true)
        }
    }
}

fn words(payload: &(dyn Any + Send)) -> String {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "with a value that is not text".to_owned(),
    }
}

/// Drops a payload whose own destructor may panic.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(another);
    }
}
