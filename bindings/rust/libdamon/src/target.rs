use std::ops::Range;
use std::ptr::NonNull;

use damon_sys as sys;

use crate::structs::raw_range;
use crate::{Context, Error, Result};

/// What is monitored: this process and, optionally, ranges of its addresses.
///
/// Without ranges, [`Ops::Vaddr`](crate::Ops::Vaddr) follows the mappings of the process.
///
/// ```
/// let memory = vec![0u8; 1 << 20];
/// let target = damon::Target::of(&memory[..]);
/// # let _ = target;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Target {
    pid: i32,
    ranges: Vec<Range<usize>>,
    obsolete: bool,
}

impl Target {
    /// This process, no ranges.
    #[must_use]
    pub fn new() -> Self {
        Target::default()
    }

    /// The addresses of a slice. They are watched for as long as the context says, whatever becomes of the slice.
    pub fn of<T>(memory: &[T]) -> Self {
        let range = memory.as_ptr_range();
        Target::new().range(range.start as usize..range.end as usize)
    }

    /// Adds addresses: behind those given before, not overlapping them.
    #[must_use]
    pub fn range(mut self, range: Range<usize>) -> Self {
        self.ranges.push(range);
        self
    }

    /// Another process, where the back-end can see one; 0 is this process.
    #[must_use]
    pub fn pid(mut self, pid: i32) -> Self {
        self.pid = pid;
        self
    }

    /// In the source of a commit: the destination's target at this position is to be removed.
    #[must_use]
    pub fn obsolete(mut self) -> Self {
        self.obsolete = true;
        self
    }

    /// Its addresses; none: those that the ops choose.
    #[must_use]
    pub fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// Which process; 0 is this one.
    #[must_use]
    pub fn process(&self) -> i32 {
        self.pid
    }

    /// Whether it is to be removed by a commit.
    #[must_use]
    pub fn is_obsolete(&self) -> bool {
        self.obsolete
    }

    pub(crate) fn set_ranges_to(&mut self, ranges: &[Range<usize>]) {
        self.ranges = ranges.to_vec();
    }

    /// Gives the context a target like this.
    pub(crate) fn add_to(&self, context: &mut Context) -> Result<()> {
        // Safety: the handle is ours until it is added, and freed where it was not; all pointers live long enough.
        unsafe {
            let target =
                NonNull::new(sys::damon_target_new()).ok_or_else(|| Error::no_memory("making a target"))?.as_ptr();
            let added = set_pid(target, self.pid)
                .and_then(|()| set_ranges(target, &self.ranges))
                .and_then(|()| set_obsolete(target, self.obsolete))
                .and_then(|()| context.checked("adding a target", |ctx| sys::damon_ctx_add_target(ctx, target)));
            if added.is_err() {
                sys::damon_target_free(target);
            }
            added?;
        }
        context.with_config(|config| config.targets.push(self.clone()))
    }
}

/// Safety of these three: `target` is a live handle that no other thread uses.
unsafe fn set_pid(target: *mut sys::damon_target, pid: i32) -> Result<()> {
    match sys::damon_target_set_pid(target, pid) {
        0 => Ok(()),
        error => Err(Error::of(error, &format!("pid {pid} (0 is this process, others are above)"))),
    }
}

unsafe fn set_ranges(target: *mut sys::damon_target, ranges: &[Range<usize>]) -> Result<()> {
    let raw: Vec<_> = ranges.iter().map(raw_range).collect();
    match sys::damon_target_set_regions(target, raw.as_ptr(), raw.len()) {
        0 => Ok(()),
        error => Err(Error::of(error, &ranges_words(ranges))),
    }
}

unsafe fn set_obsolete(target: *mut sys::damon_target, obsolete: bool) -> Result<()> {
    match sys::damon_target_set_obsolete(target, obsolete.into()) {
        0 => Ok(()),
        error => Err(Error::of(error, "marking a target as obsolete")),
    }
}

/// Names the range that is wrong.
pub(crate) fn ranges_words(ranges: &[Range<usize>]) -> String {
    if let Some(range) = ranges.iter().find(|range| range.is_empty()) {
        return format!("the range {range:#x?} is empty; its start must be below its end");
    }
    match ranges.windows(2).find(|pair| pair[0].end > pair[1].start) {
        Some(pair) => format!("the ranges {:#x?} and {:#x?} must be sorted and must not overlap", pair[0], pair[1]),
        None => "setting the ranges of a target".to_owned(),
    }
}

/// A target of a stopped context, to be changed. While the context runs, use [`Monitor::commit`](crate::Monitor::commit)
/// or [`Worker::set_target_regions`](crate::Worker::set_target_regions).
#[derive(Debug)]
pub struct TargetMut<'a> {
    pub(crate) context: &'a mut Context,
    pub(crate) index: usize,
}

impl TargetMut<'_> {
    /// The handle, which stays valid: the context is stopped, and nobody else can start it meanwhile.
    fn handle(&self) -> Result<*mut sys::damon_target> {
        self.context.require_stopped("a target")?;
        // Safety: a live context.
        Ok(unsafe { sys::damon_ctx_target(self.context.as_ptr(), self.index) })
    }

    /// Keeps what [`Monitor::targets`](crate::Monitor::targets) returns up to date.
    fn note(&self, change: impl FnOnce(&mut Target)) -> Result<()> {
        self.context.with_config(|config| config.targets.get_mut(self.index).map_or((), change))
    }

    /// Which process; 0 is this one.
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn set_pid(&mut self, pid: i32) -> Result<()> {
        let target = self.handle()?;
        // Safety: see handle().
        unsafe { set_pid(target, pid) }?;
        self.note(|target| target.pid = pid)
    }

    /// Which addresses: sorted, disjoint; none removes all.
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn set_regions(&mut self, ranges: &[Range<usize>]) -> Result<()> {
        let target = self.handle()?;
        // Safety: see handle().
        unsafe { set_ranges(target, ranges) }?;
        self.note(|target| target.ranges = ranges.to_vec())
    }

    /// See [`Target::obsolete`].
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn set_obsolete(&mut self, obsolete: bool) -> Result<()> {
        let target = self.handle()?;
        // Safety: see handle().
        unsafe { set_obsolete(target, obsolete) }?;
        self.note(|target| target.obsolete = obsolete)
    }
}
