use std::fmt;
use std::ops::Range;

use damon_sys as sys;

/// One region as it was at the end of a window: addresses that were accessed alike.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Region(pub(crate) sys::damon_region_info);

impl Region {
    /// Safety: `info` points to a region for as long as the reference is used.
    pub(crate) unsafe fn from_raw<'a>(info: *const sys::damon_region_info) -> &'a Region {
        &*info.cast()
    }

    /// A region to compare with or to ask about, accessed in `nr_accesses` samples, of the first target.
    pub fn new(range: Range<usize>, nr_accesses: u32) -> Self {
        let (start, end) = (range.start as u64, range.end as u64);
        Region(sys::damon_region_info { start, end, target_idx: 0, nr_accesses, age: 0, flags: 0 })
    }

    /// Its addresses.
    pub fn range(&self) -> Range<usize> {
        self.0.start as usize..self.0.end as usize
    }

    /// Its size in bytes (core units, where the context has others).
    pub fn size(&self) -> usize {
        (self.0.end - self.0.start) as usize
    }

    /// Position of its target in the context.
    pub fn target(&self) -> usize {
        self.0.target_idx as usize
    }

    /// How many samples of the window found it accessed, of [`SnapshotInfo::max_nr_accesses`](crate::SnapshotInfo).
    pub fn nr_accesses(&self) -> u32 {
        self.0.nr_accesses
    }

    /// For how many windows that number has stayed similar.
    pub fn age(&self) -> u32 {
        self.0.age
    }

    /// No sample of the window could be looked at: `nr_accesses() == 0` does not mean cold.
    pub fn is_unknown(&self) -> bool {
        self.0.flags & sys::DAMON_REGION_UNKNOWN != 0
    }

    /// Only writes to (a part of) it can be seen.
    pub fn is_writes_only(&self) -> bool {
        self.0.flags & sys::DAMON_REGION_WRITES_ONLY != 0
    }

    /// Looked at, and no access seen in the window.
    pub fn is_idle(&self) -> bool {
        self.0.nr_accesses == 0 && !self.is_unknown()
    }

    fn parts(&self) -> (Range<usize>, u32, u32, u32, u32) {
        (self.range(), self.0.target_idx, self.0.nr_accesses, self.0.age, self.0.flags)
    }
}

impl PartialEq for Region {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for Region {}

impl fmt::Debug for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (range, target, nr_accesses, age, flags) = self.parts();
        formatter
            .debug_struct("Region")
            .field("range", &range)
            .field("target", &target)
            .field("nr_accesses", &nr_accesses)
            .field("age", &age)
            .field("flags", &flags)
            .finish()
    }
}
