use std::ops::RangeInclusive;
use std::time::Duration;

use damon_sys as sys;

use crate::structs::{micros, zeroed};

/// How often to look and how many regions to keep. `Attrs::new()` has the library's defaults.
///
/// ```
/// # use std::time::Duration;
/// let attrs = damon::Attrs::new().sample(Duration::from_millis(1)).aggregation(Duration::from_millis(20));
/// assert_eq!(attrs.regions(), 10..=1000);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Attrs(pub(crate) sys::damon_attrs);

/// Tunes the sampling and aggregation intervals (their ratio stays) until enough samples are positive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntervalsGoal {
    /// Wanted share of positive samples, weighted by size, in basis points (1/10,000).
    pub access_bp: u64,
    /// Tune every so many aggregation intervals.
    pub aggregations: u64,
    /// The sampling interval stays in this range.
    pub sample: RangeInclusive<Duration>,
}

impl Default for Attrs {
    fn default() -> Self {
        Attrs::new()
    }
}

impl Attrs {
    /// The library's defaults: 5 ms, 100 ms, 60 s, 10 to 1,000 regions, no tuning.
    pub fn new() -> Self {
        Attrs(zeroed(sys::damon_attrs_init))
    }

    /// Sampling interval, at most the aggregation interval; zero: as fast as possible.
    #[must_use]
    pub fn sample(mut self, interval: Duration) -> Self {
        self.0.sample_us = micros(interval);
        self
    }

    /// Aggregation interval: a snapshot each.
    #[must_use]
    pub fn aggregation(mut self, interval: Duration) -> Self {
        self.0.aggr_us = micros(interval);
        self
    }

    /// How often mappings are read again; zero: every sampling interval.
    #[must_use]
    pub fn update(mut self, interval: Duration) -> Self {
        self.0.ops_update_us = micros(interval);
        self
    }

    /// Fewest (at least 3) and most regions: the bounds of accuracy and of cost.
    #[must_use]
    pub fn nr_regions(mut self, bounds: RangeInclusive<usize>) -> Self {
        self.0.min_nr_regions = *bounds.start() as u64;
        self.0.max_nr_regions = *bounds.end() as u64;
        self
    }

    /// Interval tuning; `None` turns it off.
    #[must_use]
    pub fn intervals_goal(mut self, goal: Option<IntervalsGoal>) -> Self {
        let raw = &mut self.0.intervals_goal;
        raw.aggrs = goal.as_ref().map_or(0, |goal| goal.aggregations);
        if let Some(goal) = goal {
            raw.access_bp = goal.access_bp;
            raw.min_sample_us = micros(*goal.sample.start());
            raw.max_sample_us = micros(*goal.sample.end());
        }
        self
    }

    /// Most that monitoring may cost over time, in 1/1,000 of one CPU; 0: no limit. A worker that costs more makes its
    /// sampling intervals longer.
    #[must_use]
    pub fn max_overhead(mut self, permil: u32) -> Self {
        self.0.max_overhead_permil = u64::from(permil);
        self
    }

    /// Most that monitoring may cost over time, in 1/1,000 of one CPU; 0: no limit.
    pub fn max_overhead_permil(&self) -> u32 {
        u32::try_from(self.0.max_overhead_permil).unwrap_or(u32::MAX)
    }

    /// The sampling interval, as tuned where tuning is on.
    pub fn sample_interval(&self) -> Duration {
        Duration::from_micros(self.0.sample_us)
    }

    /// The aggregation interval, as tuned where tuning is on.
    pub fn aggregation_interval(&self) -> Duration {
        Duration::from_micros(self.0.aggr_us)
    }

    /// How often mappings are read again.
    pub fn update_interval(&self) -> Duration {
        Duration::from_micros(self.0.ops_update_us)
    }

    /// Fewest and most regions.
    pub fn regions(&self) -> RangeInclusive<usize> {
        self.0.min_nr_regions as usize..=self.0.max_nr_regions as usize
    }

    /// The tuning of intervals, if it is on.
    pub fn goal(&self) -> Option<IntervalsGoal> {
        let raw = &self.0.intervals_goal;
        let sample = Duration::from_micros(raw.min_sample_us)..=Duration::from_micros(raw.max_sample_us);
        (raw.aggrs > 0).then_some(IntervalsGoal { access_bp: raw.access_bp, aggregations: raw.aggrs, sample })
    }
}
