use std::fmt;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::Duration;

use damon_sys as sys;

use crate::error::{check, errno, words};
use crate::lock::lock;
use crate::machine::Occupied;
use crate::pins::{Committing, Outcome};
use crate::registry::{self, Shared};
use crate::structs::{micros, zeroed};
use crate::{callback, Attrs, Context, Error, Result, SchemeStat, Snapshot, SnapshotBuffer, Stats};

/// A context, as any thread may use it at any time: reading, pausing, committing, starting and stopping.
///
/// A [`Context`] derefs to it, and so does the [`Worker`](crate::Worker) that callbacks get. In a callback, what would
/// wait for the callback's own end fails with [`errno::EDEADLK`](crate::errno::EDEADLK).
#[repr(transparent)]
pub struct Monitor(NonNull<sys::damon_ctx>);

// Safety: damon_c.h gives every function used here the thread rule "any" or "control": from any thread, several at a
// time. What a simulator adds to that (no step while it is used) its lock ensures.
unsafe impl Send for Monitor {}
unsafe impl Sync for Monitor {}

impl fmt::Debug for Monitor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show("Monitor", formatter)
    }
}

/// What a commit makes of the pause, where that is a change.
pub(crate) type PauseChange = Option<bool>;

impl Monitor {
    /// Safety: the handle stays valid for as long as the monitor is used.
    pub(crate) unsafe fn from_raw(ctx: NonNull<sys::damon_ctx>) -> Self {
        Monitor(ctx)
    }

    /// What `Debug` writes of it, and of what contains it.
    pub(crate) fn show(&self, name: &str, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct(name);
        shown.field("running", &self.is_running()).field("paused", &self.is_paused());
        shown.field("nr_targets", &self.nr_targets()).field("nr_schemes", &self.nr_schemes()).finish_non_exhaustive()
    }

    pub(crate) fn as_ptr(&self) -> *mut sys::damon_ctx {
        self.0.as_ptr()
    }

    pub(crate) fn shared(&self) -> Option<Arc<Shared>> {
        registry::find(self.as_ptr())
    }

    /// Keeps the simulated machine to this thread, where there is one.
    pub(crate) fn occupy_machine(&self) -> Option<Occupied> {
        let machine = self.shared().and_then(|shared| lock(&shared.machine).clone());
        machine.map(Occupied::new)
    }

    /// Calls the library, and explains a failure in the context's own words.
    pub(crate) fn checked(&self, tried: &str, call: impl FnOnce(*mut sys::damon_ctx) -> i32) -> Result<usize> {
        let ctx = self.as_ptr();
        // Safety: a live context; the text has the length that is given.
        check(call(ctx), tried, |text, length| unsafe { sys::damon_ctx_errmsg(ctx, text, length) })
    }

    /// Waits for a callback of the context, if one is under way.
    pub(crate) fn after_callbacks(&self, tried: &str) -> Result<()> {
        callback::wait_for_end(self.as_ptr(), tried).map_err(|said| Error::new(-errno::ETIMEDOUT, said))
    }

    /// The reason of the last failure.
    fn words(&self) -> Option<String> {
        let ctx = self.as_ptr();
        // Safety: a live context; the text has the length that is given.
        words(|text, length| unsafe { sys::damon_ctx_errmsg(ctx, text, length) })
    }

    pub(crate) fn checked_unit(&self, tried: &str, call: impl FnOnce(*mut sys::damon_ctx) -> i32) -> Result<()> {
        self.checked(tried, call).map(|_| ())
    }

    /// Starts the context; its worker accepts calls when this returns.
    ///
    /// # Errors
    /// As [`start_all`](crate::start_all); of a builder also as its `build`.
    pub fn start(&self) -> Result<()> {
        if self.is_running() {
            return Err(Error::new(-errno::EBUSY, "start: the context runs already: stop() it first, or change() it"));
        }
        start_all(&[self], false)
    }

    /// Starts the context only if no other one of this process runs; none may start while it runs.
    ///
    /// # Errors
    /// As [`start_all`](crate::start_all).
    pub fn start_exclusive(&self) -> Result<()> {
        start_all(&[self], true)
    }

    /// Stops the context and waits until its worker has ended; also fine where it does not run. Parameters, targets,
    /// schemes, statistics and the last snapshot stay, learned regions go.
    ///
    /// Where a callback panicked, the context is stopped as well, and the panic is returned as the error.
    ///
    /// # Errors
    /// As [`stop_all`](crate::stop_all).
    pub fn stop(&self) -> Result<()> {
        stop_all(&[self])
    }

    /// Whether it was started and has not ended.
    #[must_use]
    pub fn is_running(&self) -> bool {
        // Safety: a live context.
        unsafe { sys::damon_is_running(self.as_ptr()) == 1 }
    }

    /// Thread id of its worker; `None`: not running, or driven manually.
    #[must_use]
    pub fn kdamond_tid(&self) -> Option<i32> {
        // Safety: a live context.
        Some(unsafe { sys::damon_kdamond_tid(self.as_ptr()) }).filter(|&tid| tid > 0)
    }

    /// Does one sampling interval of a context with [`Drive::Manual`](crate::Drive::Manual). `now` never goes back; its
    /// origin is the caller's choice.
    ///
    /// # Errors
    /// `InvalidInput`: not started, not [`Drive::Manual`](crate::Drive::Manual), or `now` went back; `Canceled`: the
    /// context ended on its own; `Busy`: another thread steps it; `Panicked`: a callback panicked.
    pub fn step(&self, now: Duration) -> Result<()> {
        let _machine = self.occupy_machine();
        // Safety: a live context.
        let stepped = self.checked_unit("step", |ctx| unsafe { sys::damon_step(ctx, micros(now)) });
        if let Some(shared) = self.shared() {
            shared.nr_steps.fetch_add(1, Ordering::Relaxed);
        }
        self.panic_or(stepped)
    }

    /// Pauses: returns once the worker looks at nothing, costs nothing, and has forgotten nothing. Idempotent. In a
    /// callback it takes effect when the callbacks of this step are done.
    ///
    /// # Errors
    /// `Canceled`: the context does not run, or ended meanwhile; `TimedOut`: a callback of it does not end.
    /// `Unsupported`: the kernel's DAMON cannot be paused.
    pub fn pause(&self) -> Result<()> {
        self.set_pause(true)
    }

    /// Continues where it stood.
    ///
    /// # Errors
    /// `Canceled`: the context does not run, or ended meanwhile; `TimedOut`: a callback of it does not end.
    pub fn resume(&self) -> Result<()> {
        self.set_pause(false)
    }

    fn set_pause(&self, pause: bool) -> Result<()> {
        let tried = if pause { "pause" } else { "resume" };
        self.after_callbacks(tried)?;
        let _machine = self.occupy_machine();
        // Safety: a live context.
        self.checked_unit(tried, |ctx| unsafe { sys::damon_set_pause(ctx, pause.into()) })
    }

    /// Whether it is paused; stopped: whether it would start paused.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        // Safety: a live context.
        unsafe { sys::damon_is_paused(self.as_ptr()) == 1 }
    }

    /// The attributes; intervals as tuned, where tuning is on.
    ///
    /// # Errors
    /// Only where the handle belongs to the parent of a fork (`Forked`).
    pub fn attrs(&self) -> Result<Attrs> {
        let mut attrs = zeroed(sys::damon_attrs_init);
        // Safety: a live context, an initialised structure.
        self.checked("attributes", |ctx| unsafe { sys::damon_ctx_get_attrs(ctx, &mut attrs) })?;
        Ok(Attrs::from_raw(&attrs))
    }

    /// The counters.
    ///
    /// # Errors
    /// Only where the handle belongs to the parent of a fork (`Forked`).
    pub fn stats(&self) -> Result<Stats> {
        let mut stats = zeroed(sys::damon_ctx_stats_init);
        // Safety: a live context, an initialised structure.
        self.checked("statistics", |ctx| unsafe { sys::damon_ctx_get_stats(ctx, &mut stats) })?;
        Ok(stats.into())
    }

    /// How many targets there are.
    #[must_use]
    pub fn nr_targets(&self) -> usize {
        // Safety: a live context.
        unsafe { sys::damon_ctx_nr_targets(self.as_ptr()) }
    }

    /// How many schemes there are.
    #[must_use]
    pub fn nr_schemes(&self) -> usize {
        // Safety: a live context.
        unsafe { sys::damon_ctx_nr_schemes(self.as_ptr()) }
    }

    /// What the scheme at this position has done.
    ///
    /// # Errors
    /// `InvalidInput`: there is no such scheme.
    pub fn scheme_stat(&self, scheme: usize) -> Result<SchemeStat> {
        let mut stat = zeroed(sys::damos_stat_init);
        // Safety: a live context, an initialised structure.
        self.checked("scheme statistics", |ctx| unsafe { sys::damon_ctx_get_scheme_stat(ctx, scheme, &mut stat) })?;
        Ok(stat.into())
    }

    /// Sets the current value of a goal with [`Metric::UserInput`](crate::Metric::UserInput); used when the next charge
    /// window opens. Does not wait for the worker.
    ///
    /// # Errors
    /// `InvalidInput`: there is no such scheme or goal, or its metric is another.
    pub fn set_quota_goal_value(&self, scheme: usize, goal: usize, current: u64) -> Result<()> {
        // Safety: a live context.
        self.checked_unit("goal value", |ctx| unsafe {
            sys::damon_ctx_set_quota_goal_value(ctx, scheme, goal, current)
        })
    }

    /// Copies the last snapshot into the buffer; without a region and with `seq` 0 where no window has ended yet. Never
    /// waits for the worker longer than one such copy. Also on a stopped context.
    ///
    /// # Errors
    /// Only where the handle belongs to the parent of a fork (`Forked`).
    pub fn snapshot<'a>(&self, buffer: &'a mut SnapshotBuffer) -> Result<Snapshot<'a>> {
        // Safety: a live context; the buffer has the room that is given.
        let (result, info) =
            buffer.fill(|regions, cap, info| unsafe { sys::damon_snapshot_read(self.as_ptr(), regions, cap, info) });
        self.checked("snapshot", |_| result)?;
        Ok(buffer.snapshot(info))
    }

    /// Waits for a snapshot with a number above `after`; `false`: none came within `timeout` (`None`: for ever).
    ///
    /// # Errors
    /// `Canceled`: the context does not run, or ended meanwhile; `WouldDeadlock`: in a callback of it; `Panicked`: a
    /// callback panicked.
    pub fn wait_snapshot(&self, after: u64, timeout: Option<Duration>) -> Result<bool> {
        // Up to whole milliseconds: who waits a little must not spin.
        let timeout_ms = timeout
            .map_or(-1, |time| i32::try_from(time.as_nanos().saturating_add(999_999) / 1_000_000).unwrap_or(i32::MAX));
        // Safety: a live context.
        let waited = unsafe { sys::damon_snapshot_wait(self.as_ptr(), after, timeout_ms) };
        if waited == -errno::ETIMEDOUT {
            return self.panic_or(Ok(false)); // not even an error is made: an allocator may wait
        }
        self.panic_or(self.checked("wait", |_| waited).map(|_| true))
    }

    /// Takes over the parameters of a stopped context: attributes, targets, schemes, probes, the smallest region, the
    /// address unit, the coverage, and whether it is paused. Lists are matched by position; what was learned and counted stays. On
    /// failure nothing has changed. To change one thing, use [`change`](Monitor::change), which starts from all that the
    /// context has: a commit of a source that is not paused resumes.
    ///
    /// Ops and access check, where the source chose them, are those of a running context already, or refused.
    ///
    /// In a callback of a step that uses regions or schemes it is checked at once and done when that step has ended.
    ///
    /// # Errors
    /// `InvalidInput`: a value is wrong, or source and destination are the same; `Busy`: the source runs;
    /// `OutOfMemory`; `Unsupported`: the ops cannot serve the targets; `Canceled`: the context ended meanwhile;
    /// `TimedOut`: a callback of it does not end.
    pub fn commit(&self, source: &Context) -> Result<()> {
        self.on_worker("commit", |monitor| monitor.commit_here(source))
    }

    /// Runs a change where nothing else changes the context: on the worker, in the order of the library, or where it does
    /// not run.
    pub(crate) fn on_worker(
        &self,
        tried: &str,
        change: impl FnOnce(&Monitor) -> Result<PauseChange> + Send,
    ) -> Result<()> {
        self.after_callbacks(tried)?;
        let _machine = self.occupy_machine();
        if callback::in_callback_of(self.as_ptr()) {
            return change(self).map(|_| ());
        }
        let mut change = Some(change);
        if self.is_running() {
            let done = self.call(|worker| change.take().map(|change| change(worker)));
            match done {
                // In a call a pause holds when the step has ended; here it holds when the worker is silent.
                Ok(Some(done)) => return done?.map_or(Ok(()), |pause| self.set_pause(pause)),
                Err(error) if self.is_running() || error.errno() != errno::ECANCELED => return Err(error),
                _ => {}
            }
        }
        let shared = self.shared();
        let _alone = shared.as_ref().map(|shared| lock(&shared.commit));
        change.take().map_or(Ok(()), |change| change(self).map(|_| ()))
    }

    /// Commits at once, or, in callbacks of steps, when the step has ended.
    pub(crate) fn commit_here(&self, source: &Context) -> Result<PauseChange> {
        let (own, theirs) = match (self.shared(), source.shared()) {
            (Some(own), Some(theirs)) => (own, theirs),
            _ => return Err(Error::new(-errno::EINVAL, "commit: the context is being freed")),
        };
        let config = source.with_config(|config| config.clone())?;
        if config.targets.is_empty() && self.is_running() && self.with_config(|own| !own.targets.is_empty())? {
            let words = "commit: the source has no target, and a context without targets ends: stop() it instead";
            return Err(Error::new(-errno::EINVAL, words));
        }
        let pause = Some(source.is_paused()).filter(|&pause| pause != self.is_paused());
        let committing = Committing::begin(&own.pins, &theirs.pins);
        // Safety: both are live; the borrow keeps owner calls on the source away.
        let done = self.checked_unit("commit", |ctx| unsafe { sys::damon_commit_ctx(ctx, source.as_ptr()) });
        committing.end(match &done {
            _ if callback::in_step_of(self.as_ptr()) => Outcome::Deferred,
            Ok(()) => Outcome::Done,
            Err(_) => Outcome::Refused,
        });
        done?;
        let replaced = self.with_config(|own| {
            let before = own.clone();
            own.take(&config);
            before
        })?;
        drop(replaced); // outside of the lock: destructors of closures are the program's
        Ok(pause)
    }

    /// The ops that the targets need, where nobody has chosen some.
    fn choose_ops(&self) -> Result<()> {
        let ops =
            self.with_config(|config| if config.has_ops { Ok(None) } else { config.fitting_ops().map(Some) })??;
        // Safety: a live context. Where another thread has just started it, it is refused, and so is this start.
        ops.map_or(Ok(()), |ops| {
            self.checked_unit("ops", |ctx| unsafe { sys::damon_ctx_set_ops(ctx, ops.raw() as i32) })
        })
    }

    /// The first panic of a callback that ran on the worker and that was not yet returned. [`stop`](Monitor::stop),
    /// [`step`](Monitor::step) and [`wait_snapshot`](Monitor::wait_snapshot) take it as well and give it as an error.
    #[must_use]
    pub fn take_panic(&self) -> Option<String> {
        registry::take_panic(self.as_ptr())
    }

    fn panic_or<T>(&self, result: Result<T>) -> Result<T> {
        self.take_panic().map_or(result, |said| Err(Error::panicked(&said)))
    }
}

/// The machines of a group, in one order for all threads.
fn occupy_machines(group: &[&Monitor]) -> Vec<Occupied> {
    let mut machines: Vec<_> =
        group.iter().filter_map(|one| one.shared()).filter_map(|shared| lock(&shared.machine).clone()).collect();
    machines.sort_by_key(|machine| Arc::as_ptr(machine) as usize);
    machines.into_iter().map(Occupied::new).collect()
}

fn on_group(group: &[&Monitor], tried: &str, call: impl FnOnce(*mut *mut sys::damon_ctx, i32) -> i32) -> Result<()> {
    let _machines = occupy_machines(group);
    let mut handles: Vec<_> = group.iter().map(|one| one.as_ptr()).collect();
    let number = i32::try_from(handles.len()).map_err(|_| Error::of(-errno::EINVAL, tried))?;
    let before: Vec<_> = if group.len() > 1 { group.iter().map(|one| one.words()).collect() } else { Vec::new() };
    let result = call(handles.as_mut_ptr(), number);
    if result >= 0 {
        return Ok(());
    }
    // The one at fault has new words, or, where it is the same fault as before, may be the only one with words.
    let mut with_words = group.iter().filter(|one| one.words().is_some());
    let new = group.iter().zip(&before).find(|(one, before)| one.words() != **before).map(|(one, _)| one);
    match (new, with_words.next(), with_words.next()) {
        (Some(one), _, _) | (None, Some(one), None) => one.checked_unit(tried, |_| result),
        _ => Err(Error::of(result, tried)),
    }
}

/// Starts contexts: all or none. `exclusive`: only if no other context of this process runs, and none may start while
/// these run.
///
/// # Errors
/// `InvalidInput`: a value is wrong, a context has no target, or is named twice; `Busy`: one runs already, or another
/// one runs exclusively; `Unsupported`: the ops cannot serve the targets here; `OutOfMemory`; `LimitReached`: no
/// thread or file is left, or 32 contexts run. None was started then.
pub fn start_all(contexts: &[&Monitor], exclusive: bool) -> Result<()> {
    if let Some(position) = contexts.iter().position(|one| !one.is_running() && one.nr_targets() == 0) {
        let which = if contexts.len() > 1 { format!("context number {position}") } else { "the context".to_owned() };
        let words = format!("start: {which} has no target: add one; Target::new() is all memory of this process");
        return Err(Error::new(-errno::EINVAL, words));
    }
    contexts.iter().filter(|one| !one.is_running()).try_for_each(|one| one.choose_ops())?;
    // Safety: live contexts.
    on_group(contexts, "start", |ctxs, nr| unsafe { sys::damon_start(ctxs, nr, exclusive.into()) })
}

/// Stops contexts, as [`Monitor::stop`] does.
///
/// # Errors
/// `WouldDeadlock`: in a callback of one of them; `TimedOut`: a callback does not end; `Panicked`: all are stopped,
/// and a callback had panicked.
pub fn stop_all(contexts: &[&Monitor]) -> Result<()> {
    contexts.iter().try_for_each(|one| one.after_callbacks("stop"))?;
    // Safety: live contexts.
    on_group(contexts, "stop", |ctxs, nr| unsafe { sys::damon_stop(ctxs, nr) })?;
    contexts.iter().try_for_each(|one| one.panic_or(Ok(())))
}

/// How many contexts of this process run.
#[must_use]
pub fn nr_running() -> usize {
    // Safety: no arguments.
    unsafe { sys::damon_nr_running_ctxs().max(0) as usize }
}
