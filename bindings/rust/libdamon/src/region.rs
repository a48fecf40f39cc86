use std::fmt;
use std::ops::Range;
use std::time::Duration;

use damon_sys as sys;

use crate::UnknownReason;

/// One region as it was at the end of a window: addresses that were accessed alike.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Region(pub(crate) sys::damon_region_info);

impl Region {
    /// Safety: `info` points to a region for as long as the reference is used.
    pub(crate) unsafe fn from_raw<'a>(info: *const sys::damon_region_info) -> &'a Region {
        &*info.cast()
    }

    /// A region to compare with or to ask about, accessed in `nr_accesses` samples, of the first target.
    #[must_use]
    pub fn new(range: Range<usize>, nr_accesses: u32) -> Self {
        let (start, end) = (range.start as u64, range.end as u64);
        Region(sys::damon_region_info {
            start,
            end,
            age_us: 0,
            idle_us: u64::MAX,
            target_idx: 0,
            nr_accesses,
            age: 0,
            flags: 0,
            unknown_reason: sys::DAMON_UNKNOWN_NONE as i32,
            reserved: 0,
        })
    }

    /// Its addresses.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.0.start as usize..self.0.end as usize
    }

    /// Its size in bytes (core units, where the context has others); 0 of a [`new`](Region::new) one that ends before it
    /// starts.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.end.saturating_sub(self.0.start) as usize
    }

    /// Position of its target in the context.
    #[must_use]
    pub fn target(&self) -> usize {
        self.0.target_idx as usize
    }

    /// How many samples of the window found it accessed, of [`SnapshotInfo::max_nr_accesses`](crate::SnapshotInfo).
    #[must_use]
    pub fn nr_accesses(&self) -> u32 {
        self.0.nr_accesses
    }

    /// For how many windows that number has stayed similar.
    #[must_use]
    pub fn age(&self) -> u32 {
        self.0.age
    }

    /// For how long that number has stayed similar, in time of monitoring.
    #[must_use]
    pub fn age_time(&self) -> Duration {
        Duration::from_micros(self.0.age_us)
    }

    /// Since the last access of any kind that was seen; `None`: not known.
    #[must_use]
    pub fn idle_time(&self) -> Option<Duration> {
        (self.0.idle_us != u64::MAX).then(|| Duration::from_micros(self.0.idle_us))
    }

    /// Why (part of) the window's samples had no answer; `None`: all had one.
    #[must_use]
    pub fn unknown_reason(&self) -> Option<UnknownReason> {
        UnknownReason::from_raw(self.0.unknown_reason)
    }

    /// No sample of the window could be looked at: `nr_accesses() == 0` does not mean cold.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.0.flags & sys::DAMON_REGION_UNKNOWN != 0
    }

    /// Only writes to (a part of) it can be seen.
    #[must_use]
    pub fn is_writes_only(&self) -> bool {
        self.0.flags & sys::DAMON_REGION_WRITES_ONLY != 0
    }

    /// Passes over accessed bits know all of it, reads too: see [`Attrs::referenced`](crate::Attrs::referenced).
    #[must_use]
    pub fn is_referenced(&self) -> bool {
        self.0.flags & sys::DAMON_REGION_REFERENCED != 0
    }

    /// Looked at, and no access seen in the window.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.0.nr_accesses == 0 && !self.is_unknown()
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Region")
            .field("range", &format_args!("{:#x?}", self.range()))
            .field("target", &self.target())
            .field("nr_accesses", &self.nr_accesses())
            .field("age", &self.age())
            .field("age_time", &self.age_time())
            .field("idle_time", &self.idle_time())
            .field("unknown", &self.is_unknown())
            .field("unknown_reason", &self.unknown_reason())
            .field("writes_only", &self.is_writes_only())
            .field("referenced", &self.is_referenced())
            .finish()
    }
}
