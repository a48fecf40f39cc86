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

/// Whole microseconds, up: 0 often means something else than "a little". What does not fit is as good as for ever.
pub(crate) fn micros(duration: Duration) -> u64 {
    whole(duration, 1_000)
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
