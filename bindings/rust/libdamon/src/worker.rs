use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, Range};
use std::ptr::NonNull;

use damon_sys as sys;

use crate::structs::raw_range;
use crate::target::ranges_words;
use crate::{Attrs, Monitor, Result, Snapshot, SnapshotBuffer};

/// A context inside of one of its callbacks: what only its worker may do, and all of [`Monitor`].
pub struct Worker<'a> {
    monitor: Monitor,
    // Stays on the worker's thread, and in the callback.
    call: PhantomData<(&'a (), *mut ())>,
}

impl fmt::Debug for Worker<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.monitor.show("Worker", formatter)
    }
}

impl Worker<'_> {
    /// Safety: made in a callback with its context, and used nowhere else.
    pub(crate) unsafe fn new(ctx: *mut sys::damon_ctx) -> Self {
        Worker { monitor: Monitor::from_raw(NonNull::new_unchecked(ctx)), call: PhantomData }
    }

    /// Changes the attributes at once.
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn set_attrs(&self, attrs: &Attrs) -> Result<()> {
        // Safety: on the worker.
        self.checked_unit("attributes", |ctx| unsafe { sys::damon_ctx_set_attrs(ctx, &attrs.raw()) })
    }

    /// Which addresses a target has: sorted, disjoint. Regions that stay inside keep what they learned. Allowed in
    /// calls and in [`Operations::init`](crate::Operations::init) and [`update`](crate::Operations::update).
    ///
    /// # Errors
    /// `InvalidInput`: a range is empty, or they are not sorted and disjoint; `Busy`: in a callback that uses the
    /// regions.
    pub fn set_target_regions(&self, target: usize, ranges: &[Range<usize>]) -> Result<()> {
        let raw: Vec<_> = ranges.iter().map(raw_range).collect();
        // Safety: on the worker, so that no commit replaces the target meanwhile.
        self.checked_unit(&ranges_words(ranges), |ctx| unsafe {
            sys::damon_target_set_regions(sys::damon_ctx_target(ctx, target), raw.as_ptr(), raw.len())
        })?;
        self.with_config(|config| config.targets.get_mut(target).map_or((), |target| target.set_ranges_to(ranges)))
    }

    /// Copies the regions as they are at this moment: `nr_accesses` counts the window's samples so far.
    ///
    /// # Errors
    /// `Busy`: the worker is at work on the regions; `Canceled`: the context does not run.
    pub fn live_snapshot<'a>(&self, buffer: &'a mut SnapshotBuffer) -> Result<Snapshot<'a>> {
        // Safety: on the worker; the buffer has the room that is given.
        let (result, info) =
            buffer.fill(|regions, cap, info| unsafe { sys::damon_live_read(self.as_ptr(), regions, cap, info) });
        self.checked("live snapshot", |_| result)?;
        Ok(buffer.snapshot(info))
    }
}

impl Deref for Worker<'_> {
    type Target = Monitor;

    fn deref(&self) -> &Monitor {
        &self.monitor
    }
}
