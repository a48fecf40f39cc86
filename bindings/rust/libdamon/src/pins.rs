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

/// Without the library, so that Miri can run it.
#[cfg(test)]
mod tests {
    use super::{lock, Arc, Committing, Mutex, Outcome, Pin, Pins};

    /// A context of a library that copies the source of a commit at a moment of its own choice.
    #[derive(Default)]
    struct Context {
        pins: Arc<Pins>,
        /// Addresses that it may call.
        calls: Mutex<Vec<usize>>,
    }

    fn address(pin: &Pin) -> usize {
        Arc::as_ptr(pin).cast::<()>() as usize
    }

    impl Context {
        fn with(number: u64) -> Self {
            let (context, pin) = (Context::default(), Arc::new(number) as Pin);
            lock(&context.calls).push(address(&pin));
            context.pins.hold(pin);
            context
        }

        fn commit(&self, source: &Context, how: Outcome) {
            let committing = Committing::begin(&self.pins, &source.pins);
            std::thread::yield_now();
            let copied = lock(&source.calls).clone();
            std::thread::yield_now();
            if how != Outcome::Refused {
                *lock(&self.calls) = copied;
            }
            std::thread::yield_now();
            committing.end(how);
        }

        fn assert_alive(&self) {
            let calls = lock(&self.calls);
            let held = self.pins.reach();
            for call in calls.iter() {
                assert!(held.iter().any(|pin| address(pin) == *call), "called after its end");
            }
        }
    }

    #[test]
    fn what_may_be_called_is_alive_whoever_commits_what_into_what() {
        let rounds = if cfg!(miri) { 8 } else { 200 };
        let contexts: Vec<_> = (0..3).map(Context::with).collect();
        std::thread::scope(|scope| {
            for thread in 0..3 {
                let contexts = &contexts;
                scope.spawn(move || {
                    for round in 0..rounds {
                        let (into, from) = ((thread + round) % 3, (thread + round * 2 + 1) % 3);
                        contexts[into].commit(&Context::with(round as u64), Outcome::Done);
                        if into != from {
                            contexts[into].commit(&contexts[from], Outcome::Done);
                        }
                        contexts[into].commit(&contexts[from], Outcome::Refused);
                    }
                });
            }
        });
        for context in &contexts {
            context.assert_alive();
            context.commit(&Context::default(), Outcome::Done);
            assert_eq!(context.pins.reach().len(), 0, "a commit on its own lets everything else go");
        }
    }

    #[test]
    fn a_deferred_commit_keeps_both_until_the_next_one() {
        let (context, source) = (Context::with(1), Context::with(2));
        context.commit(&source, Outcome::Deferred);
        assert_eq!(context.pins.reach().len(), 2);
        context.commit(&Context::with(3), Outcome::Done);
        assert_eq!(context.pins.reach().len(), 1);
        context.assert_alive();
    }
}
