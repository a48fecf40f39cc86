use std::ops::Range;
use std::os::raw::c_void;
use std::time::Duration;

use damon_sys as sys;

use crate::error::errno;
use crate::structs::{micros, zeroed};
use crate::{Error, Monitor, Result, UnknownReason};

/// An exact question about a tracked range, with room for the answers of its units, to be used again and again.
///
/// ```no_run
/// # fn main() -> damon::Result<()> {
/// # let heap = damon::SharedMap::new(1 << 20)?;
/// # let context = damon::Context::builder().ops(damon::Ops::Fvaddr).range(heap.range()).start()?;
/// context.add_range(heap.range(), damon::RangeOptions { tracked: true, ..Default::default() })?;
/// let mut query = damon::RangeQuery::new().touched();
/// let answer = context.query_range(heap.range(), &mut query)?;
/// println!("{} bytes touched, the first page: {}", answer.touched_bytes, query.is_touched(0));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RangeQuery {
    unit_bytes: usize,
    touched: Option<Vec<u64>>,
    idle: Option<Vec<u8>>,
    nr_units: usize,
}

/// What is known of a range since the last question about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RangeAnswer {
    /// Touched.
    pub touched_bytes: u64,
    /// Present.
    pub present_bytes: u64,
    /// Could not be looked at.
    pub unseen_bytes: u64,
    /// Why not.
    pub unseen_reason: Option<UnknownReason>,
    /// Monotonic time from which on accesses count.
    pub since: Duration,
    /// Reads are seen.
    pub sees_reads: bool,
    /// Writes are seen.
    pub sees_writes: bool,
}

impl Default for RangeQuery {
    fn default() -> Self {
        RangeQuery::new()
    }
}

impl RangeQuery {
    /// Sums alone, in pages.
    #[must_use]
    pub fn new() -> Self {
        let unit_bytes = zeroed(sys::damon_range_query_init).unit_bytes as usize;
        RangeQuery { unit_bytes, touched: None, idle: None, nr_units: 0 }
    }

    /// The size of a unit: that of a page or of a huge page.
    #[must_use]
    pub fn unit(mut self, bytes: usize) -> Self {
        self.unit_bytes = bytes;
        self
    }

    /// Asks of each unit whether it was touched.
    #[must_use]
    pub fn touched(mut self) -> Self {
        self.touched = Some(Vec::new());
        self
    }

    /// Asks of each unit for how long it has been idle.
    #[must_use]
    pub fn idle(mut self) -> Self {
        self.idle = Some(Vec::new());
        self
    }

    /// How many units the last answer has.
    #[must_use]
    pub fn nr_units(&self) -> usize {
        self.nr_units
    }

    /// Whether a unit of the last answer was touched; `false` also where that was not asked.
    #[must_use]
    pub fn is_touched(&self, unit: usize) -> bool {
        let word = self.touched.as_ref().and_then(|words| words.get(unit / 64));
        unit < self.nr_units && word.map_or(false, |word| word >> (unit % 64) & 1 == 1)
    }

    /// For how long a unit of the last answer has been idle, within 19 %; `None` where that was not asked.
    #[must_use]
    pub fn idle_time(&self, unit: usize) -> Option<Duration> {
        let scale = self.idle.as_ref()?.get(unit).filter(|_| unit < self.nr_units)?;
        // 2^(n/4) milliseconds.
        Some(Duration::from_secs_f64((f64::from(*scale) / 4.0).exp2().min(1e15) / 1e3))
    }

    /// Makes room for the units of a range.
    fn prepare(&mut self, len: usize) -> sys::damon_range_query {
        self.nr_units = len / self.unit_bytes + usize::from(len % self.unit_bytes > 0);
        let mut raw = zeroed(sys::damon_range_query_init);
        raw.unit_bytes = self.unit_bytes as u64;
        raw.nr_units = self.nr_units;
        if let Some(words) = &mut self.touched {
            words.clear();
            words.resize(self.nr_units / 64 + 1, 0);
            raw.touched = words.as_mut_ptr();
        }
        if let Some(bytes) = &mut self.idle {
            bytes.clear();
            bytes.resize(self.nr_units, 0);
            raw.idle = bytes.as_mut_ptr();
        }
        raw
    }
}

/// Whose working set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WorkingSetOf {
    /// Of the tracked ranges, since the last question. At once.
    TrackedRanges,
    /// Of the whole process, in the time given: waits for so long.
    Process(Duration),
}

/// A working set, counted page by page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct WorkingSet {
    /// Touched.
    pub touched_bytes: u64,
    /// Present.
    pub present_bytes: u64,
    /// Could not be looked at.
    pub unseen_bytes: u64,
    /// Reads are seen.
    pub sees_reads: bool,
    /// Writes are seen.
    pub sees_writes: bool,
}

impl Monitor {
    /// Which units of a tracked range were touched since this context's last question about it.
    ///
    /// # Errors
    /// `InvalidInput`: the unit is no size of pages; `NotFound`: the range is not tracked; `Busy`: another query of
    /// it is under way.
    pub fn query_range(&self, range: Range<usize>, query: &mut RangeQuery) -> Result<RangeAnswer> {
        if query.unit_bytes == 0 {
            return Err(Error::new(-errno::EINVAL, "query: a unit of 0 bytes; it must be a page or a huge page"));
        }
        let mut raw = query.prepare(range.len());
        // Safety: a live context; there is room for so many units.
        let answered = self.checked(&format!("query of {range:#x?}"), |ctx| unsafe {
            sys::damon_query_range(ctx, range.start as *const c_void, range.len(), &mut raw)
        });
        if answered.is_err() {
            query.nr_units = 0;
        }
        answered?;
        Ok(RangeAnswer {
            touched_bytes: raw.touched_bytes,
            present_bytes: raw.present_bytes,
            unseen_bytes: raw.unseen_bytes,
            unseen_reason: UnknownReason::from_raw(raw.unseen_reason),
            since: Duration::from_nanos(raw.since_ns),
            sees_reads: raw.sees & sys::DAMON_SEES_READS != 0,
            sees_writes: raw.sees & sys::DAMON_SEES_WRITES != 0,
        })
    }

    /// The working set, exactly.
    ///
    /// # Errors
    /// `NotFound`: nothing is tracked; `InvalidInput`: the time is 0; `Busy`: another thread is asking.
    pub fn wss(&self, of: WorkingSetOf) -> Result<WorkingSet> {
        if of == WorkingSetOf::Process(Duration::ZERO) {
            return Err(Error::new(
                -errno::EINVAL,
                "working set: the time is 0; it must be above, to see what is touched in it",
            ));
        }
        let mut raw = zeroed(sys::damon_wss_result_init);
        (raw.mode, raw.interval_us) = match of {
            WorkingSetOf::TrackedRanges => (0, 0),
            WorkingSetOf::Process(interval) => (1, micros(interval)),
        };
        // Safety: a live context, an initialised structure.
        self.checked("working set", |ctx| unsafe { sys::damon_wss(ctx, &mut raw) })?;
        Ok(WorkingSet {
            touched_bytes: raw.touched_bytes,
            present_bytes: raw.present_bytes,
            unseen_bytes: raw.unseen_bytes,
            sees_reads: raw.sees & sys::DAMON_SEES_READS != 0,
            sees_writes: raw.sees & sys::DAMON_SEES_WRITES != 0,
        })
    }

    /// What the context has learned, as bytes: for [`restore`](Monitor::restore), also in another process. Regions with
    /// their ages, and what schemes remember; running, paused or stopped.
    ///
    /// # Errors
    /// `InvalidInput`: nothing was learned yet. `Unsupported`: a target follows the process's mappings, which another one
    /// has elsewhere. `TimedOut`: a callback of it does not end.
    pub fn save(&self) -> Result<Vec<u8>> {
        self.after_callbacks("save")?;
        let _machine = self.occupy_machine();
        let mut bytes: Vec<u8> = Vec::new();
        loop {
            // Safety: a live context; there is room for so many bytes.
            let size = unsafe { sys::damon_ctx_save(self.as_ptr(), bytes.as_mut_ptr().cast(), bytes.len()) };
            match usize::try_from(size) {
                Ok(size) if size <= bytes.len() => {
                    bytes.truncate(size);
                    return Ok(bytes);
                }
                Ok(size) => bytes.resize(size + size / 4, 0),
                // It has learned more since it was asked for the size.
                Err(_) if size == i64::from(-errno::ENOSPC) && !bytes.is_empty() => bytes.clear(),
                Err(_) => return self.checked("save", |_| size as i32).map(|_| bytes),
            }
        }
    }

    /// Takes over what [`save`](Monitor::save) wrote, by the position of targets and ranges: at the next start, or at once
    /// where the context runs. The bytes are not trusted.
    ///
    /// # Errors
    /// `InvalidInput`: these are no such bytes, or of other targets, ranges or schemes. `Unsupported`: a target follows the
    /// process's mappings, or the kernel's DAMON monitors. `Busy`: in a callback that uses the regions. `TimedOut`: a
    /// callback of it does not end.
    pub fn restore(&self, bytes: &[u8]) -> Result<()> {
        self.after_callbacks("restore")?;
        let _machine = self.occupy_machine();
        // Safety: a live context, and so many bytes.
        self.checked_unit("restore", |ctx| unsafe { sys::damon_ctx_restore(ctx, bytes.as_ptr().cast(), bytes.len()) })
    }
}
