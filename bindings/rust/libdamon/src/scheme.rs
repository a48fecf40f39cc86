use std::fmt;
use std::ops::RangeBounds;
use std::os::raw::c_void;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

use damon_sys as sys;

use crate::pins::Pin;
use crate::structs::{inclusive, micros, whole_micros, zeroed};
use crate::{callback, Action, Context, Destination, Error, Filter, Goal, Quota, Region, Result, Watermarks, Worker};

type Act = dyn Fn(&Worker<'_>, &Region, usize) -> u64 + Send + Sync;

/// The program's own action.
pub(crate) struct ActionFn {
    act: Box<Act>,
    panicked: AtomicBool,
}

/// An access pattern and what to do with memory that shows it. Matches everything, without limit, by default.
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
    pub(crate) pattern: Pattern,
    pub(crate) filters: Vec<Filter>,
    pub(crate) goals: Vec<Goal>,
    pub(crate) destinations: Vec<Destination>,
    pub(crate) closure: Option<Arc<ActionFn>>,
}

/// What [`SchemeMut::set_params`] replaces.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub(crate) struct Pattern {
    action: Action,
    size: (u64, u64),
    accesses: (u32, u32),
    age: (u32, u32),
    min_age: Duration,
    apply_interval: Duration,
    quota: Quota,
    watermarks: Option<Watermarks>,
    node: Option<i32>,
    max_nr_snapshots: u64,
    allow_unseen_reads: bool,
}

impl Default for Pattern {
    fn default() -> Self {
        Pattern::from_raw(&zeroed(sys::damos_params_init))
    }
}

impl Pattern {
    pub(crate) fn from_raw(raw: &sys::damos_params) -> Self {
        Pattern {
            action: Action::ALL.into_iter().find(|action| action.raw() as i32 == raw.action).unwrap_or(Action::Stat),
            size: (raw.pattern.min_sz, raw.pattern.max_sz),
            accesses: (raw.pattern.min_nr_accesses, raw.pattern.max_nr_accesses),
            age: (raw.pattern.min_age, raw.pattern.max_age),
            min_age: Duration::from_micros(raw.min_age_us),
            apply_interval: Duration::from_micros(raw.apply_interval_us),
            quota: Quota::from_raw(raw),
            watermarks: Watermarks::from_raw(raw),
            node: Some(raw.target_nid).filter(|&node| node >= 0),
            max_nr_snapshots: raw.max_nr_snapshots,
            allow_unseen_reads: raw.flags & sys::DAMOS_ALLOW_UNSEEN_READS != 0,
        }
    }

    fn raw(&self) -> sys::damos_params {
        let mut raw = zeroed(sys::damos_params_init);
        raw.action = self.action.raw() as i32;
        (raw.pattern.min_sz, raw.pattern.max_sz) = self.size;
        (raw.pattern.min_nr_accesses, raw.pattern.max_nr_accesses) = self.accesses;
        (raw.pattern.min_age, raw.pattern.max_age) = self.age;
        raw.min_age_us = micros(self.min_age);
        raw.apply_interval_us = micros(self.apply_interval);
        self.quota.write(&mut raw);
        if let Some(watermarks) = &self.watermarks {
            watermarks.write(&mut raw);
        }
        raw.target_nid = self.node.unwrap_or(raw.target_nid);
        raw.max_nr_snapshots = self.max_nr_snapshots;
        raw.flags = if self.allow_unseen_reads { sys::DAMOS_ALLOW_UNSEEN_READS } else { 0 };
        raw
    }
}

impl fmt::Debug for Scheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pattern = &self.pattern;
        let mut text = formatter.debug_struct("Scheme");
        match self.closure {
            Some(_) => text.field("action", &format_args!("a closure")),
            None => text.field("action", &pattern.action),
        };
        text.field("size", &(pattern.size.0..=pattern.size.1))
            .field("accesses", &(pattern.accesses.0..=pattern.accesses.1))
            .field("age", &(pattern.age.0..=pattern.age.1))
            .field("min_age", &pattern.min_age)
            .field("apply_interval", &pattern.apply_interval)
            .field("quota", &pattern.quota)
            .field("goals", &self.goals)
            .field("watermarks", &pattern.watermarks)
            .field("filters", &self.filters)
            .field("node", &pattern.node)
            .field("destinations", &self.destinations)
            .field("max_nr_snapshots", &pattern.max_nr_snapshots)
            .field("allow_unseen_reads", &pattern.allow_unseen_reads)
            .finish()
    }
}

/// Closures are equal where they are the same one.
impl PartialEq for Scheme {
    fn eq(&self, other: &Self) -> bool {
        let closures = match (&self.closure, &other.closure) {
            (None, None) => true,
            (Some(one), Some(two)) => Arc::ptr_eq(one, two),
            _ => false,
        };
        closures
            && (&self.pattern, &self.filters, &self.goals, &self.destinations)
                == (&other.pattern, &other.filters, &other.goals, &other.destinations)
    }
}

impl Eq for Scheme {}

impl Scheme {
    /// A scheme for all memory.
    #[must_use]
    pub fn new(action: Action) -> Self {
        let pattern = Pattern { action, ..Pattern::default() };
        Scheme { pattern, filters: Vec::new(), goals: Vec::new(), destinations: Vec::new(), closure: None }
    }

    /// A scheme whose action is the program's own: an allocator purges, a collector compacts.
    ///
    /// The closure gets the region (its `nr_accesses` as a moving sum) and the scheme's position, and returns the bytes
    /// it dealt with: they count as applied and are charged to the quota. It is called on the worker of each context
    /// that the scheme was added or committed to. After a panic it is not called again; see
    /// [`Monitor::take_panic`](crate::Monitor::take_panic).
    pub fn calling(act: impl Fn(&Worker<'_>, &Region, usize) -> u64 + Send + Sync + 'static) -> Self {
        let mut scheme = Scheme::new(Action::Stat);
        scheme.closure = Some(Arc::new(ActionFn { act: Box::new(act), panicked: AtomicBool::new(false) }));
        scheme
    }

    /// Sizes that match, in bytes.
    #[must_use]
    pub fn size(mut self, bytes: impl RangeBounds<u64>) -> Self {
        self.pattern.size = inclusive(bytes);
        self
    }

    /// Accesses in the last aggregation interval (a moving sum) that match.
    #[must_use]
    pub fn accesses(mut self, nr_accesses: impl RangeBounds<u32>) -> Self {
        self.pattern.accesses = inclusive(nr_accesses);
        self
    }

    /// Ages that match, in aggregation intervals.
    #[must_use]
    pub fn age(mut self, windows: impl RangeBounds<u32>) -> Self {
        self.pattern.age = inclusive(windows);
        self
    }

    /// The youngest age as time: takes the place of [`age`](Scheme::age)'s lower bound, and keeps its meaning where
    /// interval tuning changes how long a window is.
    #[must_use]
    pub fn min_age(mut self, age: Duration) -> Self {
        self.pattern.min_age = whole_micros(age);
        self
    }

    /// How often to apply; zero (the default): every aggregation interval.
    #[must_use]
    pub fn apply_interval(mut self, interval: Duration) -> Self {
        self.pattern.apply_interval = whole_micros(interval);
        self
    }

    /// How much at most, and what first.
    #[must_use]
    pub fn quota(mut self, quota: Quota) -> Self {
        self.pattern.quota = quota;
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
        self.pattern.watermarks = Some(watermarks);
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
        self.pattern.node = Some(node);
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
    pub fn max_nr_snapshots(mut self, passes: u64) -> Self {
        self.pattern.max_nr_snapshots = passes;
        self
    }

    /// Lets `PageOut`, `Cold`, `LruDeprio` and `MigrateCold` act on memory whose reads cannot be seen as well. Without it
    /// they leave such pages alone: they may be in use.
    #[must_use]
    pub fn allow_unseen_reads(mut self) -> Self {
        self.pattern.allow_unseen_reads = true;
        self
    }

    /// The structure; it points to the closure.
    fn raw(&self) -> sys::damos_params {
        let mut raw = self.pattern.raw();
        if let Some(closure) = &self.closure {
            raw.action = sys::DAMOS_CALLBACK as i32;
            raw.action_fn = Some(call_action);
            raw.action_data = Arc::as_ptr(closure) as *mut c_void;
        }
        raw
    }

    /// Gives the context a scheme like this.
    pub(crate) fn add_to(&self, context: &mut Context) -> Result<()> {
        self.keep_action(context);
        // Safety: the handle is ours until it is added, and freed where it was not; all pointers live long enough.
        unsafe {
            let scheme =
                NonNull::new(sys::damos_new(&self.raw())).ok_or_else(|| Error::no_memory("making a scheme"))?.as_ptr();
            let added = self
                .complete(scheme)
                .and_then(|()| context.checked("adding a scheme", |ctx| sys::damon_ctx_add_scheme(ctx, scheme)));
            if added.is_err() {
                sys::damos_free(scheme);
            }
            added?;
        }
        context.with_config(|config| config.schemes.push(self.clone()))
    }

    /// The context may call the closure from now on.
    fn keep_action(&self, context: &Context) {
        if let (Some(closure), Some(shared)) = (&self.closure, context.shared()) {
            shared.pins.hold(Arc::clone(closure) as Pin);
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

    /// Keeps what [`Monitor::schemes`](crate::Monitor::schemes) returns up to date, where it returns this scheme.
    fn note(&self, change: impl FnOnce(&mut Scheme)) -> Result<()> {
        self.context.with_config(|config| config.schemes.get_mut(self.index).map_or((), change))
    }

    /// Replaces pattern, action, quota, watermarks and limits by those of `like`; filters, goals and destinations stay.
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn set_params(&mut self, like: &Scheme) -> Result<()> {
        let scheme = self.handle()?;
        like.keep_action(self.context);
        // Safety: see handle().
        match unsafe { sys::damos_set_params(scheme, &like.raw()) } {
            0 => {}
            error => return Err(Error::of(error, "replacing the parameters of a scheme")),
        }
        self.note(|scheme| {
            scheme.pattern = like.pattern.clone();
            scheme.closure.clone_from(&like.closure);
        })
    }

    /// Appends a filter.
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn add_filter(&mut self, filter: &Filter) -> Result<()> {
        let scheme = self.handle()?;
        // Safety: see handle().
        unsafe { filter.add_to(scheme) }?;
        self.note(|scheme| scheme.filters.push(filter.clone()))
    }

    /// Appends a goal to the quota.
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn add_goal(&mut self, goal: &Goal) -> Result<()> {
        let scheme = self.handle()?;
        // Safety: see handle().
        unsafe { goal.add_to(scheme) }?;
        self.note(|scheme| scheme.goals.push(*goal))
    }

    /// Replaces the destinations; none: the node decides.
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn set_destinations(&mut self, destinations: &[Destination]) -> Result<()> {
        let scheme = self.handle()?;
        // Safety: see handle().
        unsafe { set_destinations(scheme, destinations) }?;
        self.note(|scheme| scheme.destinations = destinations.to_vec())
    }
}
