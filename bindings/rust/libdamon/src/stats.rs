use std::time::Duration;

use damon_sys as sys;

use crate::UnknownReason;

/// Counters of a context since it was made; they only grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Stats {
    /// Sampling intervals done.
    pub nr_intervals: u64,
    /// Deadlines that a late worker skipped instead of catching up in a burst.
    pub nr_skipped_intervals: u64,
    /// Times the worker woke from a wait, for whatever reason.
    pub nr_wakeups: u64,
    /// Questions asked: one per region and interval.
    pub nr_samples: u64,
    /// Questions that could not be answered.
    pub nr_unknown_samples: u64,
    /// Questions whose answer could see writes only.
    pub nr_writes_only_samples: u64,
    /// CPU time of the worker thread, all runs.
    pub cpu: Duration,
    /// Reported accesses dropped because the queue was full.
    pub nr_lost_reports: u64,
    /// Part of `cpu`: arming, looking, counting.
    pub sampling_cpu: Duration,
    /// Part of `cpu`: reading the mappings.
    pub update_cpu: Duration,
    /// Part of `cpu`: schemes and callbacks.
    pub action_cpu: Duration,
    /// Part of `cpu`: surveys.
    pub survey_cpu: Duration,
    /// Part of `cpu`: passes over accessed bits.
    pub referenced_cpu: Duration,
    nr_unknown_by_reason: [u64; 16],
}

impl Stats {
    /// Of `nr_unknown_samples`, those with this reason.
    #[must_use]
    pub fn nr_unknown(&self, reason: UnknownReason) -> u64 {
        self.nr_unknown_by_reason[reason.raw() as usize]
    }
}

impl From<sys::damon_ctx_stats> for Stats {
    fn from(raw: sys::damon_ctx_stats) -> Self {
        Stats {
            nr_intervals: raw.nr_intervals,
            nr_skipped_intervals: raw.nr_skipped_intervals,
            nr_wakeups: raw.nr_wakeups,
            nr_samples: raw.nr_samples,
            nr_unknown_samples: raw.nr_unknown_samples,
            nr_writes_only_samples: raw.nr_writes_only_samples,
            cpu: Duration::from_nanos(raw.cpu_ns),
            nr_lost_reports: raw.nr_lost_reports,
            sampling_cpu: Duration::from_nanos(raw.sampling_cpu_ns),
            update_cpu: Duration::from_nanos(raw.update_cpu_ns),
            action_cpu: Duration::from_nanos(raw.action_cpu_ns),
            survey_cpu: Duration::from_nanos(raw.survey_cpu_ns),
            referenced_cpu: Duration::from_nanos(raw.referenced_cpu_ns),
            nr_unknown_by_reason: raw.nr_unknown_by_reason,
        }
    }
}

/// What a scheme has done since it was added. Commits do not reset it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct SchemeStat {
    /// Its watermarks let it run.
    pub active: bool,
    /// Regions handed to the action.
    pub nr_tried: u64,
    /// Their size.
    pub sz_tried: u64,
    /// Regions on which something was done.
    pub nr_applied: u64,
    /// Bytes on which it was done.
    pub sz_applied: u64,
    /// Bytes that passed the page-level filters.
    pub sz_ops_filter_passed: u64,
    /// Charge windows that ended with the quota used up.
    pub qt_exceeds: u64,
    /// Complete passes.
    pub nr_snapshots: u64,
    /// Effective size quota now; 0: none set or nothing allowed.
    pub esz: u64,
}

impl From<sys::damos_stat> for SchemeStat {
    fn from(raw: sys::damos_stat) -> Self {
        SchemeStat {
            active: raw.active != 0,
            nr_tried: raw.nr_tried,
            sz_tried: raw.sz_tried,
            nr_applied: raw.nr_applied,
            sz_applied: raw.sz_applied,
            sz_ops_filter_passed: raw.sz_ops_filter_passed,
            qt_exceeds: raw.qt_exceeds,
            nr_snapshots: raw.nr_snapshots,
            esz: raw.esz,
        }
    }
}
