#![doc = include_str!("../README.md")]
#![deny(missing_docs)]
#![warn(clippy::pedantic)]
// The constants of C are unsigned where its members are signed, and the library is for addresses of 64 bits.
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]
// What is unsafe of these types is about the handle that it is given, not about their content.
#![allow(clippy::unsafe_derive_deserialize)]

mod access;
mod action;
mod action_stats;
mod attrs;
mod builder;
mod call;
mod callback;
mod config;
mod context;
mod coverage;
mod error;
mod events;
mod filter;
mod lock;
mod machine;
mod monitor;
mod operations;
mod paused;
mod pins;
mod presets;
mod probe;
mod query;
mod quota;
mod record;
#[cfg(doctest)]
mod refused;
mod region;
mod registry;
mod scheme;
#[cfg(feature = "serde")]
mod serial;
mod shared_map;
mod shared_vec;
mod sim;
mod sim_params;
mod snapshot;
mod state;
mod stats;
mod structs;
mod target;
mod unknown_reason;
mod words;
mod worker;

pub use access::{AccessCheck, AccessCheckInfo, AccessKind};
pub use action::{Action, Destination};
pub use action_stats::{ActionStats, Skip};
pub use attrs::{Attrs, IntervalsGoal};
pub use builder::Builder;
pub use call::CallId;
pub use context::{Context, Drive, Ops};
pub use coverage::{exclude, Coverage, Excluded, RangeOptions};
pub use error::{errno, Error, ErrorKind, Result};
pub use events::{NextSnapshot, SnapshotEvents};
pub use filter::{Filter, Property};
pub use monitor::{nr_running, start_all, stop_all, Monitor};
pub use operations::{Applied, Operations, Sample, Seen};
pub use paused::Paused;
pub use presets::{LruSort, Reclaim, Summary};
pub use probe::{Probe, ProbeHits, ProbeMut, ProbeProperty};
pub use query::{RangeAnswer, RangeQuery, WorkingSet, WorkingSetOf};
pub use quota::{Goal, Metric, Quota, Tuner, WatermarkMetric, Watermarks};
pub use record::RecordWriter;
pub use region::Region;
pub use scheme::{Scheme, SchemeMut};
pub use shared_map::{Declared, SharedMap};
pub use shared_vec::SharedVec;
pub use sim::Sim;
pub use sim_params::{SimAccuracy, SimParams, SimPattern, SimQuery, SimRange, SimStats};
pub use snapshot::{Snapshot, SnapshotBuffer, SnapshotInfo};
pub use state::{State, StateInfo, WorkerAttr};
pub use stats::{SchemeStat, Stats};
pub use target::{Target, TargetMut};
pub use unknown_reason::UnknownReason;
pub use worker::Worker;

/// Version of the library that is linked, such as "0.1.0".
#[must_use]
pub fn version() -> &'static str {
    // Safety: static, terminated text.
    let text = unsafe { std::ffi::CStr::from_ptr(damon_sys::damon_version_string()) };
    text.to_str().unwrap_or("?")
}

/// The same as numbers: major, minor, patch.
#[must_use]
pub fn version_numbers() -> (u32, u32, u32) {
    // Safety: no arguments.
    let version = unsafe { damon_sys::damon_version() };
    (version >> 16, version >> 8 & 0xff, version & 0xff)
}
