use std::os::raw::c_char;
use std::time::Duration;

use damon_sys as sys;

use crate::access::text;
use crate::structs::zeroed;
use crate::{Context, Monitor, Result};

/// What a context is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum State {
    /// Not started, or stopped.
    Stopped,
    /// At work, at the wanted intervals.
    Sampling,
    /// At work, slowed by [`Attrs::max_overhead`](crate::Attrs::max_overhead).
    Limited,
    /// Paused.
    Paused,
    /// Every scheme waits for its watermarks: nothing is sampled.
    Watermarks,
    /// Ended on its own.
    Ended,
}

/// What a context is doing, since when, at what cost, and why.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct StateInfo {
    /// What it is doing.
    pub state: State,
    /// Monotonic time at which that began.
    pub since: Duration,
    /// Real length of the last window.
    pub window: Duration,
    /// What monitoring costs at present, in 1/1,000 of one CPU.
    pub cost_permil: u64,
    /// Why, in one line.
    pub reason: String,
}

impl Monitor {
    /// What the context is doing, and why.
    ///
    /// # Errors
    /// Only where the handle belongs to the parent of a fork (`Forked`).
    pub fn state(&self) -> Result<StateInfo> {
        let mut info = zeroed(sys::damon_state_info_init);
        // Safety: a live context, an initialised structure.
        self.checked("state", |ctx| unsafe { sys::damon_ctx_get_state(ctx, &mut info) })?;
        let state = match info.state as u32 {
            sys::DAMON_STATE_SAMPLING => State::Sampling,
            sys::DAMON_STATE_LIMITED => State::Limited,
            sys::DAMON_STATE_PAUSED => State::Paused,
            sys::DAMON_STATE_WATERMARKS => State::Watermarks,
            sys::DAMON_STATE_ENDED => State::Ended,
            _ => State::Stopped,
        };
        Ok(StateInfo {
            state,
            since: Duration::from_nanos(info.since_ns),
            window: Duration::from_micros(info.window_us),
            cost_permil: info.cost_permil,
            reason: text(&info.reason),
        })
    }
}

/// How the worker thread is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct WorkerAttr {
    nice: i32,
    stack_bytes: u64,
    cpus: Vec<usize>,
    name: String,
}

impl WorkerAttr {
    /// The defaults: any CPU, the name "kdamond.N".
    #[must_use]
    pub fn new() -> Self {
        WorkerAttr::default()
    }

    /// Nice value, -20 to 19.
    #[must_use]
    pub fn nice(mut self, nice: i32) -> Self {
        self.nice = nice;
        self
    }

    /// Stack, at least 64 KiB; 0: the library's choice.
    #[must_use]
    pub fn stack(mut self, bytes: u64) -> Self {
        self.stack_bytes = bytes;
        self
    }

    /// CPUs that the worker may use; none: all that the process may.
    #[must_use]
    pub fn cpus(mut self, cpus: &[usize]) -> Self {
        self.cpus = cpus.to_vec();
        self
    }

    /// Name of the thread, at most 15 bytes.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// The CPUs bit by bit.
    fn mask(&self) -> Vec<u64> {
        let mut mask = vec![0; self.cpus.iter().max().map_or(0, |last| last / 64 + 1)];
        self.cpus.iter().for_each(|cpu| mask[cpu / 64] |= 1 << (cpu % 64));
        mask
    }
}

impl Context {
    /// How the worker thread of the next start is made.
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn set_worker_attr(&mut self, attrs: &WorkerAttr) -> Result<()> {
        let mask = attrs.mask();
        let mut raw = zeroed(sys::damon_worker_attr_init);
        raw.nice = attrs.nice;
        raw.stack_bytes = attrs.stack_bytes;
        raw.cpu_mask = if mask.is_empty() { std::ptr::null() } else { mask.as_ptr() };
        raw.nr_cpu_words = mask.len();
        // A name that is too long loses its terminator, which the library refuses.
        raw.name.iter_mut().zip(attrs.name.bytes()).for_each(|(to, from)| *to = from as c_char);
        // Safety: a live context, used by this thread alone; the mask lives until the call returns.
        self.checked_unit("worker attributes", |ctx| unsafe { sys::damon_ctx_set_worker_attr(ctx, &raw) })
    }
}
