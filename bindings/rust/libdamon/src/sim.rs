use std::fmt;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

use damon_sys as sys;

use crate::error::{check, errno};
use crate::machine::{Machine, Occupied};
use crate::sim_params::{SimAccuracy, SimParams, SimPattern, SimQuery, SimRange, SimStats};
use crate::structs::{micros, zeroed};
use crate::{Error, Region, Result};

/// A simulated machine with the programs on it, in virtual time: to try a policy without waiting for the memory that it
/// is meant for. [`Context::set_sim`](crate::Context::set_sim) makes a context watch it.
///
/// Clones are the same machine. It waits while another thread steps a context that uses it.
///
/// ```
/// use damon::{Context, Sim, SimParams, SimPattern, SimQuery, SimRange, SnapshotBuffer, Target};
/// use std::time::Duration;
///
/// # fn main() -> damon::Result<()> {
/// let sim = Sim::new(&SimParams::new())?;
/// sim.add_range(&SimRange::new(0..1 << 30))?; // 1 GiB of memory of the first program,
/// sim.add_pattern(&SimPattern::constant(0..64 << 20))?; // of which 64 MiB are in use
/// let mut context = Context::new()?;
/// context.set_sim(&sim)?;
/// context.add_target(&Target::new())?;
/// context.start()?;
/// for step in 1..=2000 {
///     context.step(Duration::from_millis(5 * step))?;
/// }
/// let mut buffer = SnapshotBuffer::new();
/// let found = context.snapshot(&mut buffer)?;
/// let accuracy = sim.compare(&SimQuery::at(Duration::from_secs(10)), found.regions(), 1)?;
/// assert!(accuracy.f1_bp > 9_000);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Sim(Arc<Machine>);

impl fmt::Debug for Sim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Sim").field(&self.0.sim).finish()
    }
}

impl Sim {
    /// A machine without any mapped memory, at time 0.
    ///
    /// # Errors
    /// `InvalidInput`: a parameter is out of its range, or there is no memory.
    pub fn new(params: &SimParams) -> Result<Self> {
        // Safety: an initialised structure.
        let sim = NonNull::new(unsafe { sys::damon_sim_new(params.raw()) }).ok_or_else(|| {
            let words =
                "simulator: out of memory, or a parameter is out of its range (1 to 8 nodes, page sizes powers \
                         of two, huge pages at least as large as pages)";
            Error::new(-errno::EINVAL, words)
        })?;
        // Safety: the handle is this machine's.
        Ok(Sim(Arc::new(unsafe { Machine::new(sim) })))
    }

    pub(crate) fn as_ptr(&self) -> *mut sys::damon_sim {
        self.0.sim.as_ptr()
    }

    pub(crate) fn machine(&self) -> Arc<Machine> {
        Arc::clone(&self.0)
    }

    pub(crate) fn occupy(&self) -> Occupied {
        Occupied::new(self.machine())
    }

    fn checked(&self, tried: &str, call: impl FnOnce(*mut sys::damon_sim) -> i32) -> Result<usize> {
        let _occupied = self.occupy();
        let sim = self.as_ptr();
        // Safety: a live simulator that no step uses; the text has the length that is given.
        check(call(sim), tried, |text, length| unsafe { sys::damon_sim_errmsg(sim, text, length) })
    }

    /// Maps memory, also in the middle of a run: targets without ranges cover it from their next update on.
    ///
    /// # Errors
    /// `InvalidInput`: not aligned, empty, overlapping another range of the program, or no such node; `OutOfMemory`.
    pub fn add_range(&self, range: &SimRange) -> Result<()> {
        // Safety: see checked().
        self.checked("simulated range", |sim| unsafe { sys::damon_sim_add_range(sim, range.raw()) }).map(|_| ())
    }

    /// Adds an access pattern, also in the middle of a run: it then counts from now on.
    ///
    /// # Errors
    /// `InvalidInput`: outside of the ranges of its program, or a value that its kind needs is wrong; `OutOfMemory`.
    pub fn add_pattern(&self, pattern: &SimPattern) -> Result<()> {
        // Safety: see checked().
        self.checked("simulated pattern", |sim| unsafe { sys::damon_sim_add_pattern(sim, pattern.raw()) }).map(|_| ())
    }

    /// Lets a program end at this time (`None`: never): from then on its target is not valid.
    ///
    /// # Errors
    /// `InvalidInput`: there is no such program.
    pub fn set_target_end(&self, target: u32, at: Option<Duration>) -> Result<()> {
        let at_us = at.map_or(u64::MAX, micros);
        // Safety: see checked().
        self.checked("end of a program", |sim| unsafe { sys::damon_sim_set_target_end(sim, target, at_us) }).map(|_| ())
    }

    /// The state of the machine, now.
    ///
    /// # Errors
    /// None that a caller could cause.
    pub fn stats(&self) -> Result<SimStats> {
        let mut stat = zeroed(sys::damon_sim_stat_init);
        // Safety: see checked().
        self.checked("simulator statistics", |sim| unsafe { sys::damon_sim_get_stat(sim, &mut stat) })?;
        Ok(SimStats::from(&stat))
    }

    /// How often a page is truly accessed: accesses in 1,000 seconds.
    ///
    /// # Errors
    /// `NotFound`: nothing is mapped there.
    pub fn rate_millihz(&self, query: &SimQuery, addr: usize) -> Result<u64> {
        let mut rate = 0;
        let query = query.raw();
        // Safety: see checked().
        self.checked("true rate", |sim| unsafe { sys::damon_sim_rate(sim, &query, addr as u64, &mut rate) })?;
        Ok(rate)
    }

    /// The truly hot ranges, exactly, sorted and joined where they touch.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub fn hot_ranges(&self, query: &SimQuery) -> Result<Vec<Range<usize>>> {
        let _occupied = self.occupy(); // both calls see the same
        let query = query.raw();
        let mut nr = 0;
        let read = |ranges: &mut [sys::damon_addr_range], nr: &mut usize| {
            // Safety: see checked(); so many fit.
            self.checked("hot ranges", |sim| unsafe {
                sys::damon_sim_hot_ranges(sim, &query, ranges.as_mut_ptr(), ranges.len(), nr)
            })
        };
        match read(&mut [], &mut nr) {
            Err(error) if error.errno() != errno::ENOSPC => return Err(error),
            _ => {}
        }
        let mut ranges = vec![sys::damon_addr_range { start: 0, end: 0 }; nr];
        read(&mut ranges, &mut nr)?;
        Ok(ranges.iter().map(|range| range.start as usize..range.end as usize).collect())
    }

    /// Compares regions with the truth; those with at least `min_nr_accesses` count as found hot.
    ///
    /// # Errors
    /// `InvalidInput`: the regions are not sorted and disjoint; `OutOfMemory`.
    pub fn compare(&self, query: &SimQuery, regions: &[Region], min_nr_accesses: u32) -> Result<SimAccuracy> {
        let (query, mut accuracy) = (query.raw(), zeroed(sys::damon_sim_accuracy_init));
        // Safety: see checked(); a region is the same on both sides.
        self.checked("accuracy", |sim| unsafe {
            let raw = regions.as_ptr().cast();
            sys::damon_sim_compare(sim, &query, raw, regions.len(), min_nr_accesses, &mut accuracy)
        })?;
        Ok(SimAccuracy::from(&accuracy))
    }
}
