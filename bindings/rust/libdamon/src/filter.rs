use std::ops::{Range, RangeInclusive};

use damon_sys as sys;

use crate::structs::zeroed;
use crate::{Error, Result};

/// What a filter looks at. `Addresses` and `Target` are decided for whole regions, the others page by page.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Property {
    /// Anonymous memory.
    Anonymous,
    /// On the active list.
    Active,
    /// Charged to this control group (inode number of its directory).
    Memcg(u64),
    /// Accessed since it was last looked at.
    Young,
    /// In a page of so many bytes.
    PageSize(RangeInclusive<u64>),
    /// Mapped by nobody.
    Unmapped,
    /// In this range.
    Addresses(Range<usize>),
    /// In the target at this position.
    Target(usize),
}

/// A filter of a scheme: memory with (or without) a property is acted on, or left alone.
///
/// ```
/// use damon::{Action, Filter, Property, Scheme};
///
/// let scheme = Scheme::new(Action::PageOut)
///     .filter(Filter::reject(Property::Addresses(0x1000..0x9000)))
///     .filter(Filter::reject_without(Property::Anonymous));
/// # let _ = scheme;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Filter {
    property: Property,
    has_it: bool,
    allow: bool,
}

impl Filter {
    /// Acts on memory that has the property.
    #[must_use]
    pub fn allow(property: Property) -> Self {
        Filter { property, has_it: true, allow: true }
    }

    /// Leaves memory alone that has the property.
    #[must_use]
    pub fn reject(property: Property) -> Self {
        Filter { property, has_it: true, allow: false }
    }

    /// Acts on memory that has not the property.
    #[must_use]
    pub fn allow_without(property: Property) -> Self {
        Filter { property, has_it: false, allow: true }
    }

    /// Leaves memory alone that has not the property.
    #[must_use]
    pub fn reject_without(property: Property) -> Self {
        Filter { property, has_it: false, allow: false }
    }

    fn raw(&self) -> sys::damos_filter {
        let mut raw = zeroed(sys::damos_filter_init);
        raw.matching = self.has_it.into();
        raw.allow = self.allow.into();
        raw.type_ = match &self.property {
            Property::Anonymous => sys::DAMOS_FILTER_ANON,
            Property::Active => sys::DAMOS_FILTER_ACTIVE,
            Property::Memcg(id) => {
                raw.memcg_id = *id;
                sys::DAMOS_FILTER_MEMCG
            }
            Property::Young => sys::DAMOS_FILTER_YOUNG,
            Property::PageSize(bytes) => {
                (raw.min_bytes, raw.max_bytes) = (*bytes.start(), *bytes.end());
                sys::DAMOS_FILTER_HUGEPAGE_SIZE
            }
            Property::Unmapped => sys::DAMOS_FILTER_UNMAPPED,
            Property::Addresses(range) => {
                (raw.addr_start, raw.addr_end) = (range.start as u64, range.end as u64);
                sys::DAMOS_FILTER_ADDR
            }
            Property::Target(index) => {
                raw.target_idx = u32::try_from(*index).unwrap_or(u32::MAX);
                sys::DAMOS_FILTER_TARGET
            }
        } as i32;
        raw
    }

    /// Safety: `scheme` is a live handle that no other thread uses.
    pub(crate) unsafe fn add_to(&self, scheme: *mut sys::damos) -> Result<()> {
        match sys::damos_add_filter(scheme, &self.raw()) {
            0 => Ok(()),
            error => Err(Error::of(error, &format!("the filter {self:x?} (ranges must not be empty or inverted)"))),
        }
    }
}
