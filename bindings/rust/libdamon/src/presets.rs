use std::time::Duration;

use damon_sys as sys;

use crate::structs::{debug_members, micros, millis, zeroed};
use crate::{Context, Monitor, Result};

/// Pages out what has not been accessed for long, while memory is scarce: Linux's `DAMON_RECLAIM`, with its defaults.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reclaim(sys::damon_reclaim_params);

debug_members!(Reclaim {
    min_age_us,
    quota_ms,
    quota_sz,
    quota_reset_interval_ms,
    quota_mem_pressure_us,
    quota_autotune_feedback,
    wmarks_interval_us,
    wmarks_high,
    wmarks_mid,
    wmarks_low,
    skip_anon,
    autotune_monitoring_intervals,
    sample_us,
    aggr_us,
    min_nr_regions,
    max_nr_regions,
    allow_unseen_reads,
    own_memcg,
});

/// Sorts memory for reclaim, what is cold first and what is hot last: Linux's `DAMON_LRU_SORT`, with its defaults.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LruSort(sys::damon_lru_sort_params);

debug_members!(LruSort {
    hot_thres_access_freq,
    cold_min_age_us,
    active_mem_bp,
    quota_ms,
    quota_reset_interval_ms,
    wmarks_interval_us,
    wmarks_high,
    wmarks_mid,
    wmarks_low,
    filter_young_pages,
    autotune_monitoring_intervals,
    sample_us,
    aggr_us,
    min_nr_regions,
    max_nr_regions,
    allow_unseen_reads,
    own_memcg,
});

/// The last snapshot, summed up as Linux's `DAMON_STAT` does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Summary {
    /// Of the snapshot that it was computed from; 0: there is none yet.
    pub seq: u64,
    /// Its window, as tuned.
    pub aggregation: Duration,
    /// Estimated bytes accessed a second.
    pub bandwidth: u64,
    /// Memory that could be looked at: what the percentiles are of.
    pub known_bytes: u64,
    /// Memory that could not.
    pub unknown_bytes: u64,
    /// `[p]`: p percent of the memory is idle for at most as long; negative: in use.
    pub memory_idle_ms: [i64; 101],
}

macro_rules! common {
    ($name:ident $init:path) => {
        impl Default for $name {
            fn default() -> Self {
                $name::new()
            }
        }

        impl $name {
            /// The defaults.
            pub fn new() -> Self {
                $name(zeroed($init))
            }

            /// Time that it may take in a window, in whole milliseconds; zero: no limit.
            #[must_use]
            pub fn quota_time(mut self, time: Duration) -> Self {
                self.0.quota_ms = millis(time);
                self
            }

            /// Length of a window, in whole milliseconds.
            #[must_use]
            pub fn per(mut self, window: Duration) -> Self {
                self.0.quota_reset_interval_ms = millis(window);
                self
            }

            /// Free memory in permil: inactive above `high` and below `low`, active again below `mid`; and how often to
            /// look. A `high` of 1,000: never inactive for too much.
            #[must_use]
            pub fn watermarks(mut self, watermarks: crate::Watermarks) -> Self {
                self.0.wmarks_high = watermarks.high;
                self.0.wmarks_mid = watermarks.mid;
                self.0.wmarks_low = watermarks.low;
                self.0.wmarks_interval_us = micros(watermarks.interval);
                self
            }

            /// Intervals from 5 ms to 10 s, as accesses show.
            #[must_use]
            pub fn autotune_intervals(mut self) -> Self {
                self.0.autotune_monitoring_intervals = 1;
                self
            }

            /// Acts also on memory whose reads cannot be seen.
            #[must_use]
            pub fn allow_unseen_reads(mut self) -> Self {
                self.0.allow_unseen_reads = 1;
                self
            }

            /// The watermarks are of this process's own memory group, not of the machine.
            #[must_use]
            pub fn own_memcg(mut self) -> Self {
                self.0.own_memcg = 1;
                self
            }

            /// Intervals and numbers of regions of these attributes; their update and tuning are the preset's.
            #[must_use]
            pub fn attrs(mut self, attrs: &crate::Attrs) -> Self {
                let attrs = attrs.raw();
                self.0.sample_us = attrs.sample_us;
                self.0.aggr_us = attrs.aggr_us;
                self.0.min_nr_regions = attrs.min_nr_regions;
                self.0.max_nr_regions = attrs.max_nr_regions;
                self
            }
        }
    };
}

common!(Reclaim sys::damon_reclaim_params_init);
common!(LruSort sys::damon_lru_sort_params_init);

impl Reclaim {
    /// Not accessed for so long.
    #[must_use]
    pub fn min_age(mut self, age: Duration) -> Self {
        self.0.min_age_us = micros(age);
        self
    }

    /// Only pages of files.
    #[must_use]
    pub fn skip_anonymous(mut self) -> Self {
        self.0.skip_anon = 1;
        self
    }

    /// Bytes in a window; 0: no limit.
    #[must_use]
    pub fn quota_bytes(mut self, bytes: u64) -> Self {
        self.0.quota_sz = bytes;
        self
    }

    /// Aims at so much "some" memory pressure in a window; zero: at none.
    #[must_use]
    pub fn memory_pressure(mut self, pressure: Duration) -> Self {
        self.0.quota_mem_pressure_us = micros(pressure);
        self
    }

    /// Adds a goal with a target of 10,000 that the program feeds, and where it stands.
    #[must_use]
    pub fn feedback(mut self, current: u64) -> Self {
        self.0.quota_autotune_feedback = current;
        self
    }
}

impl LruSort {
    /// Hot: accessed in so many permil of samples.
    #[must_use]
    pub fn hot_permil(mut self, threshold: u32) -> Self {
        self.0.hot_thres_access_freq = threshold;
        self
    }

    /// Cold: not accessed for so long.
    #[must_use]
    pub fn cold_min_age(mut self, age: Duration) -> Self {
        self.0.cold_min_age_us = micros(age);
        self
    }

    /// Aims at this share of active memory, in basis points; 0: at none.
    #[must_use]
    pub fn active_memory_bp(mut self, share: u64) -> Self {
        self.0.active_mem_bp = share;
        self
    }

    /// Leaves young pages out of cold, where young pages can be recognised.
    #[must_use]
    pub fn filter_young_pages(mut self) -> Self {
        self.0.filter_young_pages = 1;
        self
    }
}

impl Context {
    /// Replaces the attributes and appends the scheme of a preset. Gives the scheme's position.
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn preset_reclaim(&mut self, preset: &Reclaim) -> Result<usize> {
        // Safety: a live context, used by this thread alone.
        let position = self.checked("reclaim preset", |ctx| unsafe { sys::damon_preset_reclaim(ctx, &preset.0) })?;
        self.with_config(|config| config.has_preset = true)?;
        Ok(position)
    }

    /// Replaces the attributes and appends two schemes. Gives the position of the hot one, the cold one follows.
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn preset_lru_sort(&mut self, preset: &LruSort) -> Result<usize> {
        // Safety: a live context, used by this thread alone.
        let position = self.checked("LRU sort preset", |ctx| unsafe { sys::damon_preset_lru_sort(ctx, &preset.0) })?;
        self.with_config(|config| config.has_preset = true)?;
        Ok(position)
    }

    /// Watches only, with intervals as accesses show, for [`Monitor::summary`].
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn preset_stat(&mut self) -> Result<()> {
        // Safety: a live context, used by this thread alone.
        self.checked_unit("stat preset", |ctx| unsafe { sys::damon_preset_stat(ctx) })
    }
}

impl Monitor {
    /// Sums the last snapshot up, of whatever set-up.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub fn summary(&self) -> Result<Summary> {
        let mut raw = zeroed(sys::damon_stat_result_init);
        // Safety: a live context, an initialised structure.
        self.checked("summary", |ctx| unsafe { sys::damon_stat_read(ctx, &mut raw) })?;
        Ok(Summary {
            seq: raw.seq,
            aggregation: Duration::from_micros(raw.aggr_us),
            bandwidth: raw.bandwidth,
            known_bytes: raw.known_bytes,
            unknown_bytes: raw.unknown_bytes,
            memory_idle_ms: raw.memory_idle_ms,
        })
    }
}
