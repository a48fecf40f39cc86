//! What stands between the library's worker and a closure: no unwinding crosses, every panic is kept for the program.

use std::any::Any;
use std::cell::Cell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;

use damon_sys as sys;

use crate::registry;

/// One callback under way on this thread. They nest where a callback steps another context.
struct Frame {
    ctx: *const sys::damon_ctx,
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

/// Runs a closure inside a callback of `ctx`; what it panicked with comes back.
pub(crate) fn caught<R>(ctx: *const sys::damon_ctx, run: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
    let frame = Frame { ctx, outer: INNERMOST.with(Cell::get) };
    INNERMOST.with(|innermost| innermost.set(&frame));
    let result = catch_unwind(AssertUnwindSafe(run));
    INNERMOST.with(|innermost| innermost.set(frame.outer));
    result
}

/// As [`caught`]; a panic is kept for [`Monitor::take_panic`](crate::Monitor::take_panic), and `otherwise` returned.
pub(crate) fn guarded<R>(ctx: *const sys::damon_ctx, otherwise: R, run: impl FnOnce() -> R) -> (R, bool) {
    match caught(ctx, run) {
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
