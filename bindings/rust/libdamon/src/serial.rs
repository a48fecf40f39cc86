//! What cannot be derived of the feature `serde`.

use std::ops::Range;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::scheme::Pattern;
use crate::structs::micros;
use crate::{Destination, Filter, Goal, Region, Scheme, UnknownReason};

/// A scheme without a closure, which cannot be written.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Scheme")]
struct Plain {
    #[serde(flatten)]
    pattern: Pattern,
    #[serde(default)]
    filters: Vec<Filter>,
    #[serde(default)]
    goals: Vec<Goal>,
    #[serde(default)]
    destinations: Vec<Destination>,
}

impl Serialize for Scheme {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.closure.is_some() {
            return Err(serde::ser::Error::custom("a scheme whose action is a closure cannot be written"));
        }
        let Scheme { pattern, filters, goals, destinations, .. } = self.clone();
        Plain { pattern, filters, goals, destinations }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Scheme {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Plain { pattern, filters, goals, destinations } = Plain::deserialize(deserializer)?;
        Ok(Scheme { pattern, filters, goals, destinations, closure: None })
    }
}

/// A region as data.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Region")]
struct Plainly {
    range: Range<usize>,
    target: usize,
    nr_accesses: u32,
    age: u32,
    age_time: Duration,
    idle_time: Option<Duration>,
    unknown: bool,
    unknown_reason: Option<UnknownReason>,
    writes_only: bool,
    #[serde(default)]
    referenced: bool,
}

impl Serialize for Region {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let plain = Plainly {
            range: self.range(),
            target: self.target(),
            nr_accesses: self.nr_accesses(),
            age: self.age(),
            age_time: self.age_time(),
            idle_time: self.idle_time(),
            unknown_reason: self.unknown_reason(),
            unknown: self.is_unknown(),
            writes_only: self.is_writes_only(),
            referenced: self.is_referenced(),
        };
        plain.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let plain = Plainly::deserialize(deserializer)?;
        let mut region = Region::new(plain.range, plain.nr_accesses);
        region.0.target_idx = u32::try_from(plain.target).map_err(serde::de::Error::custom)?;
        region.0.age = plain.age;
        region.0.age_us = micros(plain.age_time);
        region.0.idle_us = plain.idle_time.map_or(u64::MAX, micros);
        region.0.unknown_reason = plain.unknown_reason.map_or(0, |reason| reason.raw() as i32);
        region.0.flags = u32::from(plain.unknown) * damon_sys::DAMON_REGION_UNKNOWN
            + u32::from(plain.writes_only) * damon_sys::DAMON_REGION_WRITES_ONLY
            + u32::from(plain.referenced) * damon_sys::DAMON_REGION_REFERENCED;
        Ok(region)
    }
}
