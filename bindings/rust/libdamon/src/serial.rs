//! What cannot be derived of the feature `serde`.

use std::ops::Range;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::scheme::Pattern;
use crate::{Destination, Filter, Goal, Region, Scheme};

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
    unknown: bool,
    writes_only: bool,
}

impl Serialize for Region {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let plain = Plainly {
            range: self.range(),
            target: self.target(),
            nr_accesses: self.nr_accesses(),
            age: self.age(),
            unknown: self.is_unknown(),
            writes_only: self.is_writes_only(),
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
        region.0.flags = u32::from(plain.unknown) * damon_sys::DAMON_REGION_UNKNOWN
            + u32::from(plain.writes_only) * damon_sys::DAMON_REGION_WRITES_ONLY;
        Ok(region)
    }
}
