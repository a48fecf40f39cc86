use std::ops::RangeInclusive;
use std::time::Duration;

use damon_sys as sys;

use crate::structs::{micros, whole_micros, zeroed};

/// The library chooses the budget of surveys.
const SURVEY_DEFAULT: u64 = u64::MAX;

/// How often to look and how many regions to keep. `Attrs::new()` has the library's defaults.
///
/// ```
/// # use std::time::Duration;
/// let attrs = damon::Attrs::new().sample(Duration::from_millis(1)).aggregation(Duration::from_millis(20));
/// assert_eq!(attrs.regions(), 10..=1000);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Attrs {
    sample: Duration,
    aggregation: Duration,
    update: Duration,
    regions: RangeInclusive<usize>,
    goal: Option<IntervalsGoal>,
    max_overhead_permil: u32,
    referenced: Duration,
    survey_bp: Option<u32>,
}

/// Tunes the sampling and aggregation intervals (their ratio stays) until enough samples are positive.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct IntervalsGoal {
    /// Wanted share of positive samples, weighted by size, in basis points (1/10,000).
    pub access_bp: u64,
    /// Retune every N aggregation intervals; more than 0.
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
    /// The library's defaults: 5 ms, 100 ms, 1 s, 10 to 1,000 regions, no tuning.
    #[must_use]
    pub fn new() -> Self {
        Attrs::from_raw(&zeroed(sys::damon_attrs_init))
    }

    pub(crate) fn from_raw(raw: &sys::damon_attrs) -> Self {
        let goal = &raw.intervals_goal;
        let range = Duration::from_micros(goal.min_sample_us)..=Duration::from_micros(goal.max_sample_us);
        Attrs {
            sample: Duration::from_micros(raw.sample_us),
            aggregation: Duration::from_micros(raw.aggr_us),
            update: Duration::from_micros(raw.ops_update_us),
            regions: raw.min_nr_regions as usize..=raw.max_nr_regions as usize,
            goal: (goal.aggrs > 0).then_some(IntervalsGoal {
                access_bp: goal.access_bp,
                aggregations: goal.aggrs,
                sample: range,
            }),
            max_overhead_permil: u32::try_from(raw.max_overhead_permil).unwrap_or(u32::MAX),
            referenced: Duration::from_micros(raw.referenced_us),
            survey_bp: (raw.survey_bp != SURVEY_DEFAULT).then(|| u32::try_from(raw.survey_bp).unwrap_or(u32::MAX)),
        }
    }

    pub(crate) fn raw(&self) -> sys::damon_attrs {
        let mut raw = zeroed(sys::damon_attrs_init);
        raw.sample_us = micros(self.sample);
        raw.aggr_us = micros(self.aggregation);
        raw.ops_update_us = micros(self.update);
        raw.min_nr_regions = *self.regions.start() as u64;
        raw.max_nr_regions = *self.regions.end() as u64;
        if let Some(goal) = &self.goal {
            raw.intervals_goal.access_bp = goal.access_bp;
            raw.intervals_goal.aggrs = goal.aggregations;
            raw.intervals_goal.min_sample_us = micros(*goal.sample.start());
            raw.intervals_goal.max_sample_us = micros(*goal.sample.end());
        }
        raw.max_overhead_permil = u64::from(self.max_overhead_permil);
        raw.referenced_us = micros(self.referenced);
        raw.survey_bp = self.survey_bp.map_or(SURVEY_DEFAULT, u64::from);
        raw
    }

    /// Sampling interval, at most the aggregation interval; zero: as fast as possible.
    #[must_use]
    pub fn sample(mut self, interval: Duration) -> Self {
        self.sample = whole_micros(interval);
        self
    }

    /// Aggregation interval: a snapshot each.
    #[must_use]
    pub fn aggregation(mut self, interval: Duration) -> Self {
        self.aggregation = whole_micros(interval);
        self
    }

    /// How often mappings are read again; zero: every sampling interval.
    #[must_use]
    pub fn update(mut self, interval: Duration) -> Self {
        self.update = whole_micros(interval);
        self
    }

    /// Fewest (at least 3) and most regions: the bounds of accuracy and of cost.
    #[must_use]
    pub fn nr_regions(mut self, bounds: RangeInclusive<usize>) -> Self {
        self.regions = bounds;
        self
    }

    /// Interval tuning; `None` turns it off.
    #[must_use]
    pub fn intervals_goal(mut self, goal: Option<IntervalsGoal>) -> Self {
        self.goal = goal.filter(|goal| goal.aggregations > 0);
        self
    }

    /// Most that monitoring may cost over time, in 1/1,000 of one CPU; 0: no limit. A worker that costs more makes its
    /// sampling intervals longer.
    #[must_use]
    pub fn max_overhead(mut self, permil: u32) -> Self {
        self.max_overhead_permil = permil;
        self
    }

    /// How often accessed bits of stable memory are read, at most once a minute; zero (the default): never.
    #[must_use]
    pub fn referenced(mut self, interval: Duration) -> Self {
        self.referenced = whole_micros(interval);
        self
    }

    /// Budget of surveys, which find small hot sets, in basis points of a CPU; `Some(0)`: none. `None` (the default):
    /// 10, a thousandth of a CPU, where the operations can serve surveys, else 0; another value there is refused.
    #[must_use]
    pub fn survey_bp(mut self, budget: Option<u32>) -> Self {
        self.survey_bp = budget;
        self
    }

    /// See [`referenced`](Attrs::referenced).
    #[must_use]
    pub fn referenced_interval(&self) -> Duration {
        self.referenced
    }

    /// See [`survey_bp`](Attrs::survey_bp).
    #[must_use]
    pub fn survey_budget_bp(&self) -> Option<u32> {
        self.survey_bp
    }

    /// Most that monitoring may cost over time, in 1/1,000 of one CPU; 0: no limit.
    #[must_use]
    pub fn max_overhead_permil(&self) -> u32 {
        self.max_overhead_permil
    }

    /// The sampling interval, as tuned where tuning is on.
    #[must_use]
    pub fn sample_interval(&self) -> Duration {
        self.sample
    }

    /// The aggregation interval, as tuned where tuning is on.
    #[must_use]
    pub fn aggregation_interval(&self) -> Duration {
        self.aggregation
    }

    /// How often mappings are read again.
    #[must_use]
    pub fn update_interval(&self) -> Duration {
        self.update
    }

    /// Fewest and most regions.
    #[must_use]
    pub fn regions(&self) -> RangeInclusive<usize> {
        self.regions.clone()
    }

    /// The tuning of intervals, if it is on.
    #[must_use]
    pub fn goal(&self) -> Option<IntervalsGoal> {
        self.goal.clone()
    }
}
