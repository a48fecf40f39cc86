use std::ops::Range;
use std::os::raw::c_void;

use damon_sys as sys;

use crate::{Context, Error, Monitor, Result};

/// What targets without ranges cover: memory, by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Coverage {
    /// Mappings of files too.
    pub files: bool,
    /// The kernel's rule: everything but the two largest gaps between mappings.
    pub three_areas: bool,
    /// Nothing that is watched is remapped or grown.
    pub stable: bool,
}

/// What is known of a range that is added to a context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RangeOptions {
    /// Is not moved or grown by `mremap()` until it is removed: passes may watch it
    /// ([`Attrs::referenced`](crate::Attrs::referenced)).
    pub stable: bool,
    /// Kept armed as a whole for [`Monitor::query_range`].
    pub tracked: bool,
}

impl RangeOptions {
    fn flags(self) -> u32 {
        let stable = if self.stable { sys::DAMON_RANGE_STABLE } else { 0 };
        stable | if self.tracked { sys::DAMON_RANGE_TRACKED } else { 0 }
    }
}

impl Context {
    /// Chooses what targets without ranges cover.
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn set_coverage(&mut self, coverage: Coverage) -> Result<()> {
        let given = [
            (coverage.files, sys::DAMON_COVER_FILES),
            (coverage.three_areas, sys::DAMON_COVER_THREE_AREAS),
            (coverage.stable, sys::DAMON_COVER_STABLE),
        ];
        let flags = given.iter().filter(|(wanted, _)| *wanted).fold(0, |flags, (_, flag)| flags | flag);
        // Safety: a live context, used by this thread alone.
        self.checked_unit("coverage", |ctx| unsafe { sys::damon_ctx_set_coverage(ctx, flags) })?;
        self.with_config(|config| config.coverage = coverage)
    }
}

impl Monitor {
    /// Reads the mappings now, instead of at the next update interval.
    ///
    /// # Errors
    /// `Canceled`: the context does not run, or ended meanwhile; `TimedOut`: a callback of it does not end.
    pub fn refresh(&self) -> Result<()> {
        self.after_callbacks("refresh")?;
        let _machine = self.occupy_machine();
        // Safety: a live context.
        self.checked_unit("refresh", |ctx| unsafe { sys::damon_ctx_refresh(ctx) })
    }

    /// Adds a range to what the context watches, also while it runs: an allocator's new arena. It is no parameter: a
    /// commit leaves it alone, a stop keeps it.
    ///
    /// # Errors
    /// `InvalidInput`: the range is empty; `OutOfMemory`.
    pub fn add_range(&self, range: Range<usize>, options: RangeOptions) -> Result<()> {
        self.add_range_with(&range, options.flags())
    }

    /// As [`add_range`](Monitor::add_range), of a shared mapping, whose reads can be seen on every kernel.
    ///
    /// # Errors
    /// As [`add_range`](Monitor::add_range).
    ///
    /// # Safety
    /// As [`Declared::new`](crate::Declared::new): until it is removed, the range is not unmapped and not replaced.
    pub unsafe fn add_shared_range(&self, range: Range<usize>, options: RangeOptions) -> Result<()> {
        self.add_range_with(&range, options.flags() | sys::DAMON_RANGE_SHARED)
    }

    fn add_range_with(&self, range: &Range<usize>, flags: u32) -> Result<()> {
        // Safety: a live context; what is not mapped is not touched, and what SHARED needs is promised.
        self.checked_unit(&format!("adding the range {range:#x?}"), |ctx| unsafe {
            sys::damon_ctx_add_range(ctx, range.start as *const c_void, range.len(), flags)
        })
    }

    /// Removes a range that was added. When this returns, nothing of the library touches it any more; a callback that is
    /// under way may still be handed it.
    ///
    /// # Errors
    /// `NotFound`: it was not added so.
    pub fn remove_range(&self, range: Range<usize>) -> Result<()> {
        // Safety: a live context.
        self.checked_unit(&format!("removing the range {range:#x?}"), |ctx| unsafe {
            sys::damon_ctx_remove_range(ctx, range.start as *const c_void, range.len())
        })
    }
}

/// A range that every context of this process keeps away from, until this is dropped: no mark, registration or action
/// touches it. Ranges may be excluded several times over.
#[derive(Debug, PartialEq, Eq, Hash)]
#[must_use = "the exclusion ends when this is dropped"]
pub struct Excluded {
    range: Range<usize>,
}

/// Excludes a page-aligned range.
///
/// # Errors
/// `InvalidInput`: not page-aligned, or empty; `OutOfMemory`.
pub fn exclude(range: Range<usize>) -> Result<Excluded> {
    // Safety: only addresses are handed over.
    match unsafe { sys::damon_exclude(range.start as *const c_void, range.len()) } {
        0 => Ok(Excluded { range }),
        error => Err(Error::of(error, &format!("excluding {range:#x?} (page-aligned, not empty)"))),
    }
}

impl Excluded {
    /// The excluded addresses.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }
}

impl Drop for Excluded {
    fn drop(&mut self) {
        // Safety: excluded so by exclude().
        let result = unsafe { sys::damon_include(self.range.start as *const c_void, self.range.len()) };
        debug_assert_eq!(result, 0, "what was excluded can be included");
    }
}
