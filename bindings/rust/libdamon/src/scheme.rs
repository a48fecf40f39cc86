use std::fmt;
use std::ops::RangeBounds;
use std::os::raw::c_void;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

use damon_sys as sys;

use crate::pins::Pin;
use crate::structs::{inclusive, micros, zeroed};
use crate::{callback, Context, Error, Filter, Goal, Quota, Region, Result, Watermarks, Worker};

/// What a scheme does with a matching region. What was done is measured: [`SchemeStats`](crate::SchemeStats).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Read it in ahead: `MADV_WILLNEED`.
    WillNeed,
    /// `MADV_COLD`.
    Cold,
    /// `MADV_PAGEOUT`; anonymous memory needs swap.
    PageOut,
    /// `MADV_HUGEPAGE`.
    HugePage,
    /// `MADV_NOHUGEPAGE`.
    NoHugePage,
    /// `MADV_COLLAPSE`: synchronous.
    Collapse,
    /// Move to the active list.
    LruPrio,
    /// Move to the inactive list.
    LruDeprio,
    /// Move to another NUMA node, hottest first.
    MigrateHot,
    /// Move to another NUMA node, coldest first.
    MigrateCold,
    /// Count only.
    Stat,
}

impl Action {
    pub(crate) fn raw(self) -> sys::damos_action {
        match self {
            Action::WillNeed => sys::DAMOS_WILLNEED,
            Action::Cold => sys::DAMOS_COLD,
            Action::PageOut => sys::DAMOS_PAGEOUT,
            Action::HugePage => sys::DAMOS_HUGEPAGE,
            Action::NoHugePage => sys::DAMOS_NOHUGEPAGE,
            Action::Collapse => sys::DAMOS_COLLAPSE,
            Action::LruPrio => sys::DAMOS_LRU_PRIO,
            Action::LruDeprio => sys::DAMOS_LRU_DEPRIO,
            Action::MigrateHot => sys::DAMOS_MIGRATE_HOT,
            Action::MigrateCold => sys::DAMOS_MIGRATE_COLD,
            Action::Stat => sys::DAMOS_STAT,
        }
    }
}

/// A destination of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    /// NUMA node.
    pub node: u32,
    /// Share of the pages, relative to the other destinations.
    pub weight: u32,
}

type Act = dyn Fn(&Worker<'_>, &Region, usize) -> u64 + Send + Sync;

/// The program's own action.
pub(crate) struct ActionFn {
    act: Box<Act>,
    panicked: AtomicBool,
}

/// An access pattern and what to do with memory that shows it. Matches everything, without limit, until told otherwise.
///
/// ```
/// use damon::{Action, Quota, Scheme};
/// use std::time::Duration;
///
/// // Memory that nobody touched for 20 windows, at most 64 MiB a second, oldest first.
/// let scheme = Scheme::new(Action::PageOut)
///     .accesses(..=0)
///     .age(20..)
///     .quota(Quota::new().bytes(64 << 20).per(Duration::from_secs(1)).weights(0, 0, 1));
/// # let _ = scheme;
/// ```
#[derive(Clone)]
pub struct Scheme {
    params: sys::damos_params,
    filters: Vec<Filter>,
    goals: Vec<Goal>,
    destinations: Vec<Destination>,
    action: Option<Arc<ActionFn>>,
}

impl fmt::Debug for Scheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Scheme")
            .field("params", &self.params)
            .field("filters", &self.filters)
            .field("goals", &self.goals)
            .field("destinations", &self.destinations)
            .finish_non_exhaustive()
    }
}

impl Scheme {
    /// A scheme for all memory.
    pub fn new(action: Action) -> Self {
        let mut params = zeroed(sys::damos_params_init);
        params.action = action.raw() as i32;
        Scheme { params, filters: Vec::new(), goals: Vec::new(), destinations: Vec::new(), action: None }
    }

    /// A scheme whose action is the program's own: an allocator purges, a collector compacts.
    ///
    /// The closure gets the region (its `nr_accesses` as a moving sum) and the scheme's position, and returns the bytes
    /// it dealt with: they count as applied and are charged to the quota. It is called on the worker of each context
    /// that the scheme was added or committed to. After a panic it is not called again; see
    /// [`Monitor::take_panic`](crate::Monitor::take_panic).
    pub fn calling(act: impl Fn(&Worker<'_>, &Region, usize) -> u64 + Send + Sync + 'static) -> Self {
        let mut scheme = Scheme::new(Action::Stat);
        let action = Arc::new(ActionFn { act: Box::new(act), panicked: AtomicBool::new(false) });
        scheme.params.action = sys::DAMOS_CALLBACK as i32;
        scheme.params.action_fn = Some(call_action);
        scheme.params.action_data = Arc::as_ptr(&action) as *mut c_void;
        scheme.action = Some(action);
        scheme
    }

    /// Sizes that match, in bytes.
    #[must_use]
    pub fn size(mut self, bytes: impl RangeBounds<u64>) -> Self {
        (self.params.pattern.min_sz, self.params.pattern.max_sz) = inclusive(bytes);
        self
    }

    /// Accesses in the last aggregation interval (a moving sum) that match.
    #[must_use]
    pub fn accesses(mut self, nr_accesses: impl RangeBounds<u32>) -> Self {
        (self.params.pattern.min_nr_accesses, self.params.pattern.max_nr_accesses) = inclusive(nr_accesses);
        self
    }

    /// Ages that match, in aggregation intervals.
    #[must_use]
    pub fn age(mut self, windows: impl RangeBounds<u32>) -> Self {
        (self.params.pattern.min_age, self.params.pattern.max_age) = inclusive(windows);
        self
    }

    /// The youngest age as time: takes the place of [`age`](Scheme::age)'s lower bound, and keeps its meaning where
    /// interval tuning changes how long a window is.
    #[must_use]
    pub fn min_age(mut self, age: Duration) -> Self {
        self.params.min_age_us = micros(age);
        self
    }

    /// How often to apply; zero (the default): every aggregation interval.
    #[must_use]
    pub fn every(mut self, interval: Duration) -> Self {
        self.params.apply_interval_us = micros(interval);
        self
    }

    /// How much at most, and what first.
    #[must_use]
    pub fn quota(mut self, quota: Quota) -> Self {
        self.params.quota = quota.0;
        self
    }

    /// Adds a goal: the quota then follows it. The most satisfied goal decides.
    #[must_use]
    pub fn goal(mut self, goal: Goal) -> Self {
        self.goals.push(goal);
        self
    }

    /// When the scheme runs.
    #[must_use]
    pub fn watermarks(mut self, watermarks: Watermarks) -> Self {
        watermarks.write(&mut self.params);
        self
    }

    /// Adds a filter: the first whose property matches decides.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
    }

    /// Migration: to this node.
    #[must_use]
    pub fn node(mut self, node: i32) -> Self {
        self.params.target_nid = node;
        self
    }

    /// Migration: to several nodes.
    #[must_use]
    pub fn destinations(mut self, destinations: &[Destination]) -> Self {
        self.destinations = destinations.to_vec();
        self
    }

    /// Stop after so many passes; 0 (the default): never.
    #[must_use]
    pub fn max_snapshots(mut self, passes: u64) -> Self {
        self.params.max_nr_snapshots = passes;
        self
    }

    /// Gives the context a scheme like this.
    pub(crate) fn add_to(&self, context: &mut Context) -> Result<()> {
        self.keep_action(context);
        // Safety: the handle is ours until it is added, and freed where it was not; all pointers live long enough.
        unsafe {
            let scheme =
                NonNull::new(sys::damos_new(&self.params)).ok_or_else(|| Error::no_memory("making a scheme"))?.as_ptr();
            let added = self
                .complete(scheme)
                .and_then(|()| context.checked("adding a scheme", |ctx| sys::damon_ctx_add_scheme(ctx, scheme)));
            if added.is_err() {
                sys::damos_free(scheme);
            }
            added.map(|_| ())
        }
    }

    /// The context may call the closure from now on.
    fn keep_action(&self, context: &Context) {
        if let (Some(action), Some(shared)) = (&self.action, context.shared()) {
            shared.pins.hold(Arc::clone(action) as Pin);
        }
    }

    /// Safety: `scheme` is a live handle that no other thread uses.
    unsafe fn complete(&self, scheme: *mut sys::damos) -> Result<()> {
        self.filters.iter().try_for_each(|filter| filter.add_to(scheme))?;
        self.goals.iter().try_for_each(|goal| goal.add_to(scheme))?;
        if self.destinations.is_empty() {
            return Ok(());
        }
        set_destinations(scheme, &self.destinations)
    }
}

/// Safety: `scheme` is a live handle that no other thread uses.
unsafe fn set_destinations(scheme: *mut sys::damos, destinations: &[Destination]) -> Result<()> {
    let raw: Vec<_> = destinations
        .iter()
        .map(|destination| sys::damos_migrate_dest { nid: destination.node, weight: destination.weight })
        .collect();
    match sys::damos_set_migrate_dests(scheme, raw.as_ptr(), raw.len()) {
        0 => Ok(()),
        error => Err(Error::of(error, "the destinations of a scheme (one weight must be above 0)")),
    }
}

unsafe extern "C" fn call_action(
    data: *mut c_void,
    ctx: *mut sys::damon_ctx,
    region: *const sys::damon_region_info,
    scheme_idx: usize,
) -> u64 {
    // Safety: every context that may call keeps the closure alive; the region lives as long as the call.
    let (action, region) = (&*data.cast::<ActionFn>(), Region::from_raw(region));
    if action.panicked.load(Ordering::Relaxed) {
        return 0;
    }
    let (bytes, panicked) = callback::guarded(ctx, 0, || (action.act)(&Worker::new(ctx), region, scheme_idx));
    if panicked {
        action.panicked.store(true, Ordering::Relaxed);
    }
    bytes
}

/// A scheme of a stopped context, to be changed. While the context runs, use
/// [`Monitor::commit`](crate::Monitor::commit).
#[derive(Debug)]
pub struct SchemeMut<'a> {
    pub(crate) context: &'a mut Context,
    pub(crate) index: usize,
}

impl SchemeMut<'_> {
    /// The handle, which stays valid: the context is stopped, and nobody else can start it meanwhile.
    fn handle(&self) -> Result<*mut sys::damos> {
        self.context.require_stopped("a scheme")?;
        // Safety: a live context.
        Ok(unsafe { sys::damon_ctx_scheme(self.context.as_ptr(), self.index) })
    }

    /// Replaces pattern, action, quota, watermarks and limits by those of `like`; filters, goals and destinations stay.
    pub fn set_params(&mut self, like: &Scheme) -> Result<()> {
        let scheme = self.handle()?;
        like.keep_action(self.context);
        // Safety: see handle().
        match unsafe { sys::damos_set_params(scheme, &like.params) } {
            0 => Ok(()),
            error => Err(Error::of(error, "replacing the parameters of a scheme")),
        }
    }

    /// Appends a filter.
    pub fn add_filter(&mut self, filter: &Filter) -> Result<()> {
        let scheme = self.handle()?;
        // Safety: see handle().
        unsafe { filter.add_to(scheme) }
    }

    /// Appends a goal to the quota.
    pub fn add_goal(&mut self, goal: &Goal) -> Result<()> {
        let scheme = self.handle()?;
        // Safety: see handle().
        unsafe { goal.add_to(scheme) }
    }

    /// Replaces the destinations; none: the node decides.
    pub fn set_destinations(&mut self, destinations: &[Destination]) -> Result<()> {
        let scheme = self.handle()?;
        // Safety: see handle().
        unsafe { set_destinations(scheme, destinations) }
    }
}
