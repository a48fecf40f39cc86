use std::fmt;
use std::time::Duration;

use damon_sys as sys;

use crate::error::errno;
use crate::structs::zeroed;
use crate::Region;

/// Room for snapshots, to be used again and again: reading into one that is large enough allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct SnapshotBuffer {
    regions: Vec<Region>,
}

/// What a snapshot is, besides its regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct SnapshotInfo {
    /// Number of the snapshot since the context was made, from 1; 0: there is none yet.
    pub seq: u64,
    /// Monotonic time of its end (virtual time for a manually driven context).
    pub time: Duration,
    /// Sampling interval of the window, as tuned.
    pub sample: Duration,
    /// Aggregation interval of the window, as tuned.
    pub aggregation: Duration,
    /// How long the window really was.
    pub window: Duration,
    /// Sampling intervals since the start.
    pub passed_sample_intervals: u64,
    /// What [`Region::nr_accesses`] is out of: samples in one window.
    pub max_nr_accesses: u32,
    /// Targets in the context.
    pub nr_targets: usize,
    /// Reads of some region cannot be seen here: "cold" means "not written".
    pub writes_only: bool,
    /// Some region could not be looked at at all.
    pub unknown: bool,
}

/// Regions in order, borrowed from a [`SnapshotBuffer`], and what they are a picture of. Derefs to the slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Snapshot<'a> {
    regions: &'a [Region],
    info: SnapshotInfo,
}

impl SnapshotBuffer {
    /// An empty buffer; the first read makes room.
    #[must_use]
    pub fn new() -> Self {
        SnapshotBuffer::default()
    }

    /// With room for so many regions: the context's maximum is nearly always enough.
    #[must_use]
    pub fn with_capacity(nr_regions: usize) -> Self {
        SnapshotBuffer { regions: Vec::with_capacity(nr_regions) }
    }

    /// How many regions fit without allocation.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.regions.capacity()
    }

    /// The regions that were read last.
    #[must_use]
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// Reads with one of the library's functions, again with more room where there was too little.
    pub(crate) fn fill(
        &mut self,
        mut read: impl FnMut(*mut sys::damon_region_info, usize, *mut sys::damon_snapshot_info) -> i32,
    ) -> (i32, SnapshotInfo) {
        self.regions.clear();
        if self.regions.capacity() == 0 {
            self.regions.reserve(1000);
        }
        let mut info = zeroed(sys::damon_snapshot_info_init);
        loop {
            let result = read(self.regions.as_mut_ptr().cast(), self.regions.capacity(), &mut info);
            if result == -errno::ENOSPC {
                self.regions.reserve(info.nr_regions as usize + info.nr_regions as usize / 4);
                continue;
            }
            // Safety: so many were written, and Region is the same as what was written.
            unsafe { self.regions.set_len(result.max(0) as usize) };
            return (result, SnapshotInfo::from_raw(&info));
        }
    }

    pub(crate) fn snapshot(&self, info: SnapshotInfo) -> Snapshot<'_> {
        Snapshot { regions: &self.regions, info }
    }
}

impl SnapshotInfo {
    fn from_raw(info: &sys::damon_snapshot_info) -> Self {
        SnapshotInfo {
            seq: info.seq,
            time: Duration::from_nanos(info.time_ns),
            sample: Duration::from_micros(info.sample_us),
            aggregation: Duration::from_micros(info.aggr_us),
            window: Duration::from_micros(info.window_us),
            passed_sample_intervals: info.passed_sample_intervals,
            max_nr_accesses: info.max_nr_accesses,
            nr_targets: info.nr_targets as usize,
            writes_only: info.flags & sys::DAMON_SNAPSHOT_WRITES_ONLY != 0,
            unknown: info.flags & sys::DAMON_SNAPSHOT_UNKNOWN != 0,
        }
    }
}

impl<'a> Snapshot<'a> {
    /// The regions of all targets, in order.
    #[must_use]
    pub fn regions(&self) -> &'a [Region] {
        self.regions
    }

    /// What it is a picture of.
    #[must_use]
    pub fn info(&self) -> &SnapshotInfo {
        &self.info
    }

    /// Bytes in regions that were accessed in at least `min_nr_accesses` samples. A lower bound where some memory could
    /// not be looked at: see [`unknown_bytes`](Snapshot::unknown_bytes).
    #[must_use]
    pub fn working_set_bytes(&self, min_nr_accesses: u32) -> usize {
        self.regions.iter().filter(|region| region.nr_accesses() >= min_nr_accesses.max(1)).map(Region::size).sum()
    }

    /// Bytes in regions that could not be looked at.
    #[must_use]
    pub fn unknown_bytes(&self) -> usize {
        self.regions.iter().filter(|region| region.is_unknown()).map(Region::size).sum()
    }

    /// Bytes in regions that were looked at and not seen accessed for at least `windows` windows.
    pub fn idle_bytes(&self, windows: u32) -> usize {
        self.regions.iter().filter(|region| region.is_idle() && region.age() >= windows).map(Region::size).sum()
    }
}

impl<'a> IntoIterator for Snapshot<'a> {
    type Item = &'a Region;
    type IntoIter = std::slice::Iter<'a, Region>;

    fn into_iter(self) -> Self::IntoIter {
        self.regions.iter()
    }
}

impl<'a> IntoIterator for &Snapshot<'a> {
    type Item = &'a Region;
    type IntoIter = std::slice::Iter<'a, Region>;

    fn into_iter(self) -> Self::IntoIter {
        self.regions.iter()
    }
}

/// How much memory was accessed, idle and not visible; and where not all could be seen, what to do about it.
impl fmt::Display for Snapshot<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.info.seq == 0 {
            return formatter.write_str("no window has ended yet: wait_snapshot()");
        }
        let (accessed, unknown) = (self.working_set_bytes(1), self.unknown_bytes());
        let idle = self.idle_bytes(0);
        let total = accessed + idle + unknown;
        write!(
            formatter,
            "{} watched: {} accessed, {} idle, {} not visible",
            Mib(total),
            Mib(accessed),
            Mib(idle),
            Mib(unknown)
        )?;
        if unknown > 0 {
            let mut reasons = self.regions.iter().filter(|region| region.is_unknown()).map(Region::unknown_reason);
            if let Some(Some(reason)) = reasons.next() {
                write!(formatter, " ({reason:?})")?;
            }
        }
        if unknown * 2 > total {
            formatter.write_str("; most cannot be seen here: use SharedMap or SharedVec, whose accesses always can")?;
        } else if self.info.writes_only {
            formatter.write_str(
                "; reads cannot be seen here, \"idle\" means not written: SharedMap and SharedVec show both",
            )?;
        }
        Ok(())
    }
}

/// A size in words.
struct Mib(usize);

impl fmt::Display for Mib {
    #[allow(clippy::cast_precision_loss)]
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.1} MiB", self.0 as f64 / f64::from(1 << 20))
    }
}

impl std::ops::Deref for Snapshot<'_> {
    type Target = [Region];

    fn deref(&self) -> &[Region] {
        self.regions
    }
}
