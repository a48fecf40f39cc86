//! What belongs to a context on this side of the interface, to be found from its handle: callbacks get only that.

use std::any::Any;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};

use damon_sys as sys;

use crate::lock::lock;
use crate::machine::Machine;
use crate::pins::{Pin, Pins};

/// Kept alive for one context, because the library may call or use it.
pub(crate) struct Shared {
    /// What it was given; known to the modules above.
    pub(crate) config: Mutex<Box<dyn Any + Send>>,
    /// Held while a stopped context is changed by commits.
    pub(crate) commit: Mutex<()>,
    /// Closures that its schemes may call.
    pub(crate) pins: Arc<Pins>,
    /// The program's own operations.
    pub(crate) operations: Mutex<Option<Pin>>,
    pub(crate) machine: Mutex<Option<Arc<Machine>>>,
    /// Held while a section of [`Monitor::paused`](crate::Monitor::paused) begins or ends: never in a callback.
    pub(crate) sections: Mutex<Sections>,
    /// Driven by steps.
    pub(crate) is_manual: AtomicBool,
    /// Steps so far, of a context that is.
    pub(crate) nr_steps: AtomicU64,
    panic: Mutex<Option<String>>,
}

/// The sections of [`Monitor::paused`](crate::Monitor::paused) of one context.
#[derive(Default)]
pub(crate) struct Sections {
    pub(crate) inside: usize,
    /// Before the first of them came.
    pub(crate) was_paused: bool,
}

static CONTEXTS: Mutex<Vec<(usize, Arc<Shared>)>> = Mutex::new(Vec::new());

impl Shared {
    fn new(config: Box<dyn Any + Send>) -> Self {
        Shared {
            config: Mutex::new(config),
            commit: Mutex::default(),
            pins: Arc::default(),
            operations: Mutex::default(),
            machine: Mutex::default(),
            sections: Mutex::default(),
            is_manual: AtomicBool::default(),
            nr_steps: AtomicU64::default(),
            panic: Mutex::default(),
        }
    }
}

pub(crate) fn add(ctx: *const sys::damon_ctx, config: Box<dyn Any + Send>) {
    lock(&CONTEXTS).push((ctx as usize, Arc::new(Shared::new(config))));
}

/// The context is about to be freed: what comes back must live until it is.
pub(crate) fn remove(ctx: *const sys::damon_ctx) -> Option<Arc<Shared>> {
    let mut contexts = lock(&CONTEXTS);
    let position = contexts.iter().position(|(known, _)| *known == ctx as usize)?;
    Some(contexts.swap_remove(position).1)
}

/// Allocates nothing.
pub(crate) fn find(ctx: *const sys::damon_ctx) -> Option<Arc<Shared>> {
    let contexts = lock(&CONTEXTS);
    contexts.iter().find(|(known, _)| *known == ctx as usize).map(|(_, shared)| Arc::clone(shared))
}

/// Keeps the first panic until it is taken.
pub(crate) fn keep_panic(ctx: *const sys::damon_ctx, said: String) {
    if let Some(shared) = find(ctx) {
        lock(&shared.panic).get_or_insert(said);
    }
}

pub(crate) fn take_panic(ctx: *const sys::damon_ctx) -> Option<String> {
    find(ctx).and_then(|shared| lock(&shared.panic).take())
}
