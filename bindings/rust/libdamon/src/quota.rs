use std::time::Duration;

use damon_sys as sys;

use crate::structs::{micros, millis, whole_millis, zeroed};
use crate::{Error, Result};

/// How much a scheme may do, and what comes first. No limit by default.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Quota {
    bytes: u64,
    time: Duration,
    per: Duration,
    weight_size: u32,
    weight_accesses: u32,
    weight_age: u32,
    tuner: Tuner,
    fail_charge: (u32, u32),
}

/// How a goal's score turns into an effective quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Tuner {
    /// Grow or shrink in proportion to the distance from the goal.
    Consist,
    /// Everything that the size quota allows until the goal is reached, then nothing.
    Temporal,
}

impl Default for Quota {
    fn default() -> Self {
        Quota::new()
    }
}

impl Quota {
    /// No limit.
    #[must_use]
    pub fn new() -> Self {
        Quota::from_raw(&zeroed(sys::damos_params_init))
    }

    pub(crate) fn from_raw(params: &sys::damos_params) -> Self {
        let raw = &params.quota;
        let temporal = raw.goal_tuner == sys::DAMOS_QUOTA_GOAL_TUNER_TEMPORAL as i32;
        Quota {
            bytes: raw.sz,
            time: Duration::from_millis(raw.ms),
            per: Duration::from_millis(raw.reset_interval_ms),
            weight_size: raw.weight_sz,
            weight_accesses: raw.weight_nr_accesses,
            weight_age: raw.weight_age,
            tuner: if temporal { Tuner::Temporal } else { Tuner::Consist },
            fail_charge: (raw.fail_charge_num, raw.fail_charge_denom),
        }
    }

    pub(crate) fn write(&self, params: &mut sys::damos_params) {
        let raw = &mut params.quota;
        raw.sz = self.bytes;
        raw.ms = millis(self.time);
        raw.reset_interval_ms = millis(self.per);
        raw.weight_sz = self.weight_size;
        raw.weight_nr_accesses = self.weight_accesses;
        raw.weight_age = self.weight_age;
        raw.goal_tuner = match self.tuner {
            Tuner::Consist => sys::DAMOS_QUOTA_GOAL_TUNER_CONSIST,
            Tuner::Temporal => sys::DAMOS_QUOTA_GOAL_TUNER_TEMPORAL,
        } as i32;
        (raw.fail_charge_num, raw.fail_charge_denom) = self.fail_charge;
    }

    /// Bytes that may be acted on in a window; 0: no limit.
    #[must_use]
    pub fn bytes(mut self, bytes: u64) -> Self {
        self.bytes = bytes;
        self
    }

    /// Time that acting may take in a window, in whole milliseconds; zero: no limit.
    #[must_use]
    pub fn time(mut self, time: Duration) -> Self {
        self.time = whole_millis(time);
        self
    }

    /// Length of a window, in whole milliseconds; zero: every application.
    #[must_use]
    pub fn per(mut self, window: Duration) -> Self {
        self.per = whole_millis(window);
        self
    }

    /// What comes first: relative weights of size, access frequency and age.
    #[must_use]
    pub fn weights(mut self, size: u32, nr_accesses: u32, age: u32) -> Self {
        (self.weight_size, self.weight_accesses, self.weight_age) = (size, nr_accesses, age);
        self
    }

    /// How goals act on the quota.
    #[must_use]
    pub fn tuner(mut self, tuner: Tuner) -> Self {
        self.tuner = tuner;
        self
    }

    /// What was tried and not done is charged `numerator / denominator`; a denominator of 0: fully.
    #[must_use]
    pub fn fail_charge(mut self, numerator: u32, denominator: u32) -> Self {
        self.fail_charge = (numerator, denominator);
        self
    }
}

/// Whose measure a goal follows. Shares are in basis points (1/10,000).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Metric {
    /// The program's own score: [`Monitor::set_quota_goal_value`](crate::Monitor::set_quota_goal_value).
    UserInput,
    /// Growth of "some" memory pressure, microseconds per window.
    SomeMemoryPressure,
    /// Used memory of a node.
    NodeUsed(i32),
    /// Free memory of a node.
    NodeFree(i32),
    /// Memory of a control group (inode number of its directory) on a node, over the node's.
    NodeMemcgUsed(i32, u64),
    /// 10,000 minus that.
    NodeMemcgFree(i32, u64),
    /// Active over active plus inactive memory.
    Active,
    /// 10,000 minus that.
    Inactive,
    /// Share of the matching memory that is on a node; physical addresses only.
    NodeEligible(i32),
    /// Free share of this process's own memory group: limit minus usage.
    OwnMemcgFree,
}

/// A goal of a scheme's quota: a measure and the value it is to reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Goal {
    metric: Metric,
    target: u64,
    current: u64,
}

impl Goal {
    /// `target` is not 0, in the unit of the metric.
    #[must_use]
    pub fn new(metric: Metric, target: u64) -> Self {
        Goal { metric, target, current: 0 }
    }

    /// Where a [`Metric::UserInput`] stands at first.
    #[must_use]
    pub fn starting_at(mut self, current: u64) -> Self {
        self.current = current;
        self
    }

    fn raw(&self) -> sys::damos_quota_goal {
        let (metric, nid, memcg_id) = match self.metric {
            Metric::UserInput => (sys::DAMOS_QUOTA_USER_INPUT, None, 0),
            Metric::SomeMemoryPressure => (sys::DAMOS_QUOTA_SOME_MEM_PSI_US, None, 0),
            Metric::NodeUsed(nid) => (sys::DAMOS_QUOTA_NODE_MEM_USED_BP, Some(nid), 0),
            Metric::NodeFree(nid) => (sys::DAMOS_QUOTA_NODE_MEM_FREE_BP, Some(nid), 0),
            Metric::NodeMemcgUsed(nid, memcg) => (sys::DAMOS_QUOTA_NODE_MEMCG_USED_BP, Some(nid), memcg),
            Metric::NodeMemcgFree(nid, memcg) => (sys::DAMOS_QUOTA_NODE_MEMCG_FREE_BP, Some(nid), memcg),
            Metric::Active => (sys::DAMOS_QUOTA_ACTIVE_MEM_BP, None, 0),
            Metric::Inactive => (sys::DAMOS_QUOTA_INACTIVE_MEM_BP, None, 0),
            Metric::NodeEligible(nid) => (sys::DAMOS_QUOTA_NODE_ELIGIBLE_MEM_BP, Some(nid), 0),
            Metric::OwnMemcgFree => (sys::DAMOS_QUOTA_OWN_MEMCG_FREE_BP, None, 0),
        };
        let mut raw = zeroed(sys::damos_quota_goal_init);
        raw.metric = metric as i32;
        raw.nid = nid.unwrap_or(raw.nid);
        raw.memcg_id = memcg_id;
        raw.target_value = self.target;
        raw.current_value = self.current;
        raw
    }

    /// Safety: `scheme` is a live handle that no other thread uses.
    pub(crate) unsafe fn add_to(&self, scheme: *mut sys::damos) -> Result<()> {
        match sys::damos_add_quota_goal(scheme, &self.raw()) {
            0 => Ok(()),
            error => Err(Error::of(error, &format!("a goal of {} (its target must be above 0)", self.target))),
        }
    }
}

/// Whose free memory [`Watermarks`] look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum WatermarkMetric {
    /// The machine's, in permil of all memory.
    FreeMemory,
    /// Limit minus usage of this process's own memory group, in permil of the limit.
    OwnMemcgFree,
}

/// Lets a scheme run only while free memory is in between. Shares are in permil.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Watermarks {
    /// Whose memory.
    pub metric: WatermarkMetric,
    /// Above: inactive.
    pub high: u32,
    /// Below, from inactive: active.
    pub mid: u32,
    /// Below: inactive.
    pub low: u32,
    /// How often to look while inactive.
    pub interval: Duration,
}

impl Watermarks {
    pub(crate) fn from_raw(params: &sys::damos_params) -> Option<Self> {
        let raw = &params.wmarks;
        let metric = match raw.metric as u32 {
            sys::DAMOS_WMARK_FREE_MEM_RATE => WatermarkMetric::FreeMemory,
            sys::DAMOS_WMARK_OWN_MEMCG_FREE_RATE => WatermarkMetric::OwnMemcgFree,
            _ => return None,
        };
        Some(Watermarks {
            metric,
            high: raw.high,
            mid: raw.mid,
            low: raw.low,
            interval: Duration::from_micros(raw.interval_us),
        })
    }

    pub(crate) fn write(&self, params: &mut sys::damos_params) {
        params.wmarks.metric = match self.metric {
            WatermarkMetric::FreeMemory => sys::DAMOS_WMARK_FREE_MEM_RATE,
            WatermarkMetric::OwnMemcgFree => sys::DAMOS_WMARK_OWN_MEMCG_FREE_RATE,
        } as i32;
        params.wmarks.high = self.high;
        params.wmarks.mid = self.mid;
        params.wmarks.low = self.low;
        params.wmarks.interval_us = micros(self.interval);
    }
}
