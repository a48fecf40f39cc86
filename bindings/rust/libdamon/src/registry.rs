//! What belongs to a context on this side of the interface, to be found from its handle: callbacks get only that.

use std::sync::{Arc, Mutex, MutexGuard};

use damon_sys as sys;

use crate::operations::Hosted;
use crate::paused::Sections;
use crate::scheme::ActionFn;
use crate::sim::Machine;

/// Kept alive for one context, because the library may call or use it.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) actions: Mutex<Actions>,
    pub(crate) operations: Mutex<Option<Arc<Hosted>>>,
    pub(crate) machine: Mutex<Option<Arc<Machine>>>,
    /// Held for the length of a commit that is not made in a callback.
    pub(crate) commit: Mutex<()>,
    /// Held while a section of [`Monitor::paused`](crate::Monitor::paused) begins or ends: never in a callback.
    pub(crate) sections: Mutex<Sections>,
    panic: Mutex<Option<String>>,
}

/// Closures that the context's schemes may call. A commit copies schemes, so contexts share them.
#[derive(Default)]
pub(crate) struct Actions {
    /// Of the schemes as they were added or last committed.
    pub(crate) current: Vec<Arc<ActionFn>>,
    /// Of commits in callbacks, which may be done later than they return: kept as long as the context.
    pub(crate) committed_in_callbacks: Vec<Arc<ActionFn>>,
}

impl Actions {
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<ActionFn>> {
        self.current.iter().chain(&self.committed_in_callbacks)
    }
}

static CONTEXTS: Mutex<Vec<(usize, Arc<Shared>)>> = Mutex::new(Vec::new());

/// A panic while a lock was held left nothing half done here.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

pub(crate) fn add(ctx: *const sys::damon_ctx) {
    lock(&CONTEXTS).push((ctx as usize, Arc::default()));
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
