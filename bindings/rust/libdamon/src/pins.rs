//! Which closures stay alive for which context: a commit copies the schemes of its source, and whoever has a copy may
//! call.
//!
//! The library copies the source at a moment of its own choice during a commit, and other commits may change the source
//! before and after it. No lock is held meanwhile: a commit waits for a worker, and that worker's callbacks commit as
//! well. Instead, what a context may call only grows while a commit reads it, and a commit takes all that it may have
//! read, twice: before it and after it.

use std::any::Any;
use std::sync::{Arc, Mutex};

use crate::lock::lock;

/// Something that the library has a pointer to.
pub(crate) type Pin = Arc<dyn Any + Send + Sync>;

/// What one context may call.
#[derive(Default)]
pub(crate) struct Pins(Mutex<State>);

#[derive(Default)]
struct State {
    /// Covers what the context's schemes point to, but for what commits that are under way still bring.
    held: Vec<Pin>,
    /// Those that are read into this context at the moment.
    sources: Vec<Arc<Pins>>,
    /// Commits that read this context at the moment: nothing goes from `held`.
    nr_readers: usize,
    /// What to keep of `held` once nobody reads it; any other commit into this context makes it void.
    keep: Option<Vec<Pin>>,
    /// Commits into this context that have begun.
    nr_commits: u64,
}

/// Held for moments, by every change: what a commit reads reaches over several contexts. Destructors of pins are the
/// program's and run outside.
static CHANGE: Mutex<()> = Mutex::new(());

fn same(one: &Pin, other: &Pin) -> bool {
    std::ptr::eq(Arc::as_ptr(one).cast::<()>(), Arc::as_ptr(other).cast::<()>())
}

fn add(pins: &mut Vec<Pin>, more: Vec<Pin>) {
    for pin in more {
        if !pins.iter().any(|known| same(known, &pin)) {
            pins.push(pin);
        }
    }
}

impl Pins {
    /// Of a context that no commit uses.
    pub(crate) fn hold(&self, pin: Pin) {
        let _change = lock(&CHANGE);
        add(&mut lock(&self.0).held, vec![pin]);
    }

    /// All that the context may call, or is about to.
    fn reach(self: &Arc<Self>) -> Vec<Pin> {
        let (mut pins, mut waiting, mut done) = (Vec::new(), vec![Arc::clone(self)], Vec::new());
        while let Some(next) = waiting.pop() {
            if done.iter().any(|known| Arc::ptr_eq(known, &next)) {
                continue;
            }
            let state = lock(&next.0);
            add(&mut pins, state.held.clone());
            waiting.extend(state.sources.iter().cloned());
            drop(state);
            done.push(next);
        }
        pins
    }

    /// What may go: nobody reads it, and no commit came after the one that said so.
    fn settle(&self) -> Vec<Pin> {
        let mut state = lock(&self.0);
        if state.nr_readers > 0 || !state.sources.is_empty() {
            return Vec::new();
        }
        let keep = state.keep.take();
        keep.map_or_else(Vec::new, |keep| std::mem::replace(&mut state.held, keep))
    }
}

/// How a commit ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The destination has the source's schemes, and no other ones.
    Done,
    /// The destination is as it was.
    Refused,
    /// It is done later, or was refused later.
    Deferred,
}

/// A commit that is under way: what both sides may call stays.
pub(crate) struct Committing {
    into: Arc<Pins>,
    from: Arc<Pins>,
    before: Vec<Pin>,
    number: u64,
    alone: bool,
}

impl Committing {
    pub(crate) fn begin(into: &Arc<Pins>, from: &Arc<Pins>) -> Self {
        let _change = lock(&CHANGE);
        let read = from.reach();
        lock(&from.0).nr_readers += 1;
        let mut state = lock(&into.0);
        let (before, alone) = (state.held.clone(), state.sources.is_empty());
        state.keep = None;
        state.nr_commits += 1;
        state.sources.push(Arc::clone(from));
        add(&mut state.held, read);
        Committing { into: Arc::clone(into), from: Arc::clone(from), before, number: state.nr_commits, alone }
    }

    pub(crate) fn end(self, outcome: Outcome) {
        let change = lock(&CHANGE);
        let read = self.from.reach();
        lock(&self.from.0).nr_readers -= 1;
        let mut state = lock(&self.into.0);
        add(&mut state.held, read.clone());
        let position = state.sources.iter().position(|source| Arc::ptr_eq(source, &self.from));
        position.map(|position| state.sources.swap_remove(position));
        // With another commit in between, which of them was done last is not known: the next one on its own decides.
        let alone = self.alone && state.nr_commits == self.number;
        state.keep = match outcome {
            Outcome::Done if alone => Some(read),
            Outcome::Refused if alone => Some(self.before),
            _ => None,
        };
        drop(state);
        let gone = (self.into.settle(), self.from.settle());
        drop(change);
        drop(gone);
    }
}
