//! Small conversions between the interface's structures and Rust's types.

use std::mem::MaybeUninit;
use std::ops::{Bound, Range, RangeBounds};
use std::time::Duration;

use damon_sys as sys;

/// A structure as its `..._init()` function leaves it.
pub(crate) fn zeroed<T>(init: unsafe extern "C" fn(*mut T)) -> T {
    let mut value = MaybeUninit::<T>::zeroed();
    // Safety: the init functions write every member of their structure.
    unsafe {
        init(value.as_mut_ptr());
        value.assume_init()
    }
}

/// `Debug` of a wrapper with the members of what it wraps, without bindgen's names.
macro_rules! debug_members {
    ($name:ident { $($member:ident),* $(,)? }) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.debug_struct(stringify!($name))$(.field(stringify!($member), &self.0.$member))*.finish()
            }
        }
    };
}
pub(crate) use debug_members;

/// Whole microseconds, up: 0 often means something else than "a little". What does not fit is as good as for ever.
pub(crate) fn micros(duration: Duration) -> u64 {
    whole(duration, 1_000)
}

/// What the library makes of a duration.
pub(crate) fn whole_micros(duration: Duration) -> Duration {
    Duration::from_micros(micros(duration))
}

/// As [`whole_micros`], in milliseconds.
pub(crate) fn whole_millis(duration: Duration) -> Duration {
    Duration::from_millis(millis(duration))
}

/// Whole milliseconds, up.
pub(crate) fn millis(duration: Duration) -> u64 {
    whole(duration, 1_000_000)
}

fn whole(duration: Duration, unit_ns: u128) -> u64 {
    u64::try_from((duration.as_nanos() + unit_ns - 1) / unit_ns).unwrap_or(u64::MAX)
}

pub(crate) fn raw_range(range: &Range<usize>) -> sys::damon_addr_range {
    sys::damon_addr_range { start: range.start as u64, end: range.end as u64 }
}

/// Inclusive bounds of any range expression: `5..`, `..=10`, `3..7`.
pub(crate) trait Whole: Copy + PartialEq {
    const LOWEST: Self;
    const HIGHEST: Self;
    fn next(self) -> Self;
    fn previous(self) -> Self;
}

macro_rules! whole {
    ($($number:ty)*) => {$(
        impl Whole for $number {
            const LOWEST: Self = 0;
            const HIGHEST: Self = <$number>::MAX;
            fn next(self) -> Self { self.saturating_add(1) }
            fn previous(self) -> Self { self.saturating_sub(1) }
        }
    )*};
}
whole!(u32 u64 usize);

pub(crate) fn inclusive<T: Whole>(range: impl RangeBounds<T>) -> (T, T) {
    let low = match range.start_bound() {
        Bound::Included(&value) => value,
        Bound::Excluded(&value) => value.next(),
        Bound::Unbounded => T::LOWEST,
    };
    let high = match range.end_bound() {
        Bound::Included(&value) => value,
        Bound::Excluded(&value) if value == T::LOWEST => return (T::HIGHEST, T::LOWEST),
        Bound::Excluded(&value) => value.previous(),
        Bound::Unbounded => T::HIGHEST,
    };
    (low, high)
}
