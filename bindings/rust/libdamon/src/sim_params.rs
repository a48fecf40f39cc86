use std::ops::Range;
use std::time::Duration;

use damon_sys as sys;

use crate::structs::{debug_members, micros, zeroed};
use crate::Action;

/// A simulated machine. Defaults: one node of 16 GiB, pages of 4 KiB and 2 MiB, unlimited swap.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SimParams(sys::damon_sim_params);

debug_members!(SimParams {
    nr_nodes,
    seed,
    page_size,
    huge_page_size,
    node_bytes,
    swap_bytes,
    fault_ns,
    refault_ns,
    young_us,
    action_ns,
    sample_ns,
    batch_ns
});

impl Default for SimParams {
    fn default() -> Self {
        SimParams::new()
    }
}

impl SimParams {
    /// The defaults.
    pub fn new() -> Self {
        SimParams(zeroed(sys::damon_sim_params_init))
    }

    pub(crate) fn raw(&self) -> &sys::damon_sim_params {
        &self.0
    }

    /// Of the accesses: equal seeds give equal runs.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }

    /// Memory of each NUMA node, 1 to 8 of them.
    #[must_use]
    pub fn nodes(mut self, bytes: &[u64]) -> Self {
        self.0.nr_nodes = bytes.len() as u32;
        for (node, &size) in self.0.node_bytes.iter_mut().zip(bytes) {
            *node = size;
        }
        self
    }

    /// Sizes of pages and of huge pages: powers of two.
    #[must_use]
    pub fn page_sizes(mut self, page: u64, huge_page: u64) -> Self {
        self.0.page_size = page;
        self.0.huge_page_size = huge_page;
        self
    }

    /// Room for paged-out anonymous memory; 0: no swap.
    #[must_use]
    pub fn swap(mut self, bytes: u64) -> Self {
        self.0.swap_bytes = bytes;
        self
    }

    /// What the first touch of a page costs, and touching a paged-out one.
    #[must_use]
    pub fn fault_costs(mut self, fault: Duration, refault: Duration) -> Self {
        self.0.fault_ns = nanos(fault);
        self.0.refault_ns = nanos(refault);
        self
    }

    /// What an action costs for each page that it changed.
    #[must_use]
    pub fn action_cost(mut self, action: Action, cost: Duration) -> Self {
        self.0.action_ns[action.raw() as usize] = nanos(cost);
        self
    }

    /// What monitoring pays for a sample, and for a sampling interval: with a price for samples, a manual drive is held
    /// to the limit of what monitoring may cost.
    #[must_use]
    pub fn sample_cost(mut self, sample: Duration, interval: Duration) -> Self {
        self.0.sample_ns = nanos(sample);
        self.0.batch_ns = nanos(interval);
        self
    }

    /// [`Property::Young`](crate::Property::Young): an access is expected in so long.
    #[must_use]
    pub fn young(mut self, time: Duration) -> Self {
        self.0.young_us = micros(time);
        self
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Mapped memory of one simulated program: anonymous, present, on node 0 by default.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SimRange(sys::damon_sim_range);

debug_members!(SimRange { flags, start, end, target_idx, nid, resident_bp, memcg_id });

impl SimRange {
    /// Memory of the first program; multiples of the page size.
    pub fn new(range: Range<usize>) -> Self {
        let mut raw = zeroed(sys::damon_sim_range_init);
        (raw.start, raw.end) = (range.start as u64, range.end as u64);
        SimRange(raw)
    }

    pub(crate) fn raw(&self) -> &sys::damon_sim_range {
        &self.0
    }

    fn flag(mut self, flag: sys::damon_sim_range_flags) -> Self {
        self.0.flags |= flag;
        self
    }

    /// Page cache: can be paged out without swap.
    #[must_use]
    pub fn file(self) -> Self {
        self.flag(sys::DAMON_SIM_RANGE_FILE)
    }

    /// Locked: reclaim does nothing.
    #[must_use]
    pub fn locked(self) -> Self {
        self.flag(sys::DAMON_SIM_RANGE_LOCKED)
    }

    /// Monitoring sees writes only.
    #[must_use]
    pub fn writes_only(self) -> Self {
        self.flag(sys::DAMON_SIM_RANGE_WRITES_ONLY)
    }

    /// Monitoring cannot look here.
    #[must_use]
    pub fn opaque(self) -> Self {
        self.flag(sys::DAMON_SIM_RANGE_OPAQUE)
    }

    /// The program: position of the context's target that watches it.
    #[must_use]
    pub fn target(mut self, target: u32) -> Self {
        self.0.target_idx = target;
        self
    }

    /// Node of its pages at first.
    #[must_use]
    pub fn node(mut self, node: u32) -> Self {
        self.0.nid = node;
        self
    }

    /// Share of it that is present at first, in basis points; the rest was never touched.
    #[must_use]
    pub fn resident_bp(mut self, share: u32) -> Self {
        self.0.resident_bp = share;
        self
    }

    /// Its memory group.
    #[must_use]
    pub fn memcg(mut self, id: u64) -> Self {
        self.0.memcg_id = id;
        self
    }
}

/// An access pattern of a program. Where patterns overlap, their rates add up.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SimPattern(sys::damon_sim_pattern);

debug_members!(SimPattern {
    kind,
    start,
    end,
    rate_millihz,
    begin_us,
    end_us,
    step_us,
    period_us,
    phase_us,
    hot_us,
    window_bytes,
    target_idx,
    writes_bp,
    nr_regions,
});

impl SimPattern {
    fn of(kind: sys::damon_sim_pattern_kind, range: Range<usize>) -> Self {
        let mut raw = zeroed(sys::damon_sim_pattern_init);
        raw.kind = kind as i32;
        (raw.start, raw.end) = (range.start as u64, range.end as u64);
        SimPattern(raw)
    }

    /// All of it, always.
    #[must_use]
    pub fn constant(range: Range<usize>) -> Self {
        SimPattern::of(sys::DAMON_SIM_CONSTANT, range)
    }

    /// All of it, for `hot` of every `period`, first after `phase`; a period of zero: once.
    #[must_use]
    pub fn pulse(range: Range<usize>, period: Duration, phase: Duration, hot: Duration) -> Self {
        let mut pattern = SimPattern::of(sys::DAMON_SIM_PULSE, range);
        pattern.0.period_us = micros(period);
        pattern.0.phase_us = micros(phase);
        pattern.0.hot_us = micros(hot);
        pattern
    }

    /// Equal parts, one after another for `step` each, then from the first again.
    #[must_use]
    pub fn stairs(range: Range<usize>, parts: u32, step: Duration) -> Self {
        let mut pattern = SimPattern::of(sys::DAMON_SIM_STAIRS, range);
        (pattern.0.nr_regions, pattern.0.step_us) = (parts, micros(step));
        pattern
    }

    /// The same, up and down again.
    #[must_use]
    pub fn zigzag(range: Range<usize>, parts: u32, step: Duration) -> Self {
        let mut pattern = SimPattern::stairs(range, parts, step);
        pattern.0.kind = sys::DAMON_SIM_ZIGZAG as i32;
        pattern
    }

    /// A window of so many bytes passes over it once every `period` and wraps around.
    #[must_use]
    pub fn moving(range: Range<usize>, window: u64, period: Duration) -> Self {
        let mut pattern = SimPattern::of(sys::DAMON_SIM_MOVING, range);
        (pattern.0.window_bytes, pattern.0.period_us) = (window, micros(period));
        pattern
    }

    /// Each page once every `period`, in address order.
    #[must_use]
    pub fn sweep(range: Range<usize>, period: Duration) -> Self {
        let mut pattern = SimPattern::of(sys::DAMON_SIM_SWEEP, range);
        pattern.0.period_us = micros(period);
        pattern
    }

    pub(crate) fn raw(&self) -> &sys::damon_sim_pattern {
        &self.0
    }

    /// Accesses of each hot page in 1,000 seconds; `u64::MAX`: none is missed.
    #[must_use]
    pub fn rate_millihz(mut self, rate: u64) -> Self {
        self.0.rate_millihz = rate;
        self
    }

    /// Only from `begin` on, and (with an `end`) before that.
    #[must_use]
    pub fn during(mut self, begin: Duration, end: Option<Duration>) -> Self {
        self.0.begin_us = micros(begin);
        self.0.end_us = end.map_or(u64::MAX, micros);
        self
    }

    /// The program.
    #[must_use]
    pub fn target(mut self, target: u32) -> Self {
        self.0.target_idx = target;
        self
    }

    /// Share of the accesses that write, in basis points.
    #[must_use]
    pub fn writes_bp(mut self, share: u32) -> Self {
        self.0.writes_bp = share;
        self
    }
}

/// A question about the truth: which program, when, and what is hot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SimQuery {
    /// The program.
    pub target: u32,
    /// The moment, past or future.
    pub at: Duration,
    /// Pages with at least this rate are hot; 0: all that are accessed at all.
    pub min_rate_millihz: u64,
}

impl SimQuery {
    /// What of the first program is accessed at all at this moment.
    #[must_use]
    pub fn at(at: Duration) -> Self {
        SimQuery { at, ..SimQuery::default() }
    }

    pub(crate) fn raw(&self) -> sys::damon_sim_query {
        let mut raw = zeroed(sys::damon_sim_query_init);
        raw.target_idx = self.target;
        raw.at_us = micros(self.at);
        raw.min_rate_millihz = self.min_rate_millihz;
        raw
    }
}

macro_rules! copied {
    ($(#[$about:meta])* $name:ident from $raw:ident { $($(#[$text:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub struct $name { $($(#[$text])* pub $field: $type,)* }

        impl From<&sys::$raw> for $name {
            fn from(raw: &sys::$raw) -> Self {
                $name { $($field: raw.$field,)* }
            }
        }
    };
}

copied! {
    /// What is on the simulated machine now, and what has happened on it so far. Expected values.
    SimStats from damon_sim_stat {
        /// The time.
        now_us: u64,
        /// Present.
        resident_bytes: u64,
        /// Present, and accessed since it was brought in or aged.
        active_bytes: u64,
        /// Anonymous, paged out.
        swapped_bytes: u64,
        /// Paged out.
        evicted_bytes: u64,
        /// Mapped, never touched.
        untouched_bytes: u64,
        /// Present, in huge pages.
        huge_bytes: u64,
        /// So far: touched for the first time.
        fault_bytes: u64,
        /// So far: touched while paged out. What a bad policy costs.
        refault_bytes: u64,
        /// So far: paged out.
        paged_out_bytes: u64,
        /// So far: moved to another node.
        migrated_bytes: u64,
        /// So far: time that programs waited in faults and refaults.
        stall_ns: u64,
        /// So far: time that actions took.
        action_ns: u64,
        /// So far: regions that were acted on.
        nr_actions: u64,
        /// So far: not done because the simulator itself was out of memory.
        nr_failed_actions: u64,
        /// Present, by node.
        node_used_bytes: [u64; 8],
    }
}

copied! {
    /// How well a list of regions agrees with the truth.
    SimAccuracy from damon_sim_accuracy {
        /// Of what was found hot, how much is, in basis points.
        precision_bp: u32,
        /// Of what is hot, how much was found, in basis points.
        recall_bp: u32,
        /// Harmonic mean of the two.
        f1_bp: u32,
        /// Hot.
        hot_bytes: u64,
        /// Found hot.
        found_bytes: u64,
        /// Both.
        both_bytes: u64,
    }
}
