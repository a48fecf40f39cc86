use std::ops::{Deref, DerefMut, Range};
use std::os::raw::c_void;
use std::ptr::NonNull;

use damon_sys as sys;

use crate::error::errno;
use crate::{Error, Result};

/// Zeroed memory whose reads and writes can be seen on every kernel: a shared mapping of this process, declared to the
/// library until it is dropped. Derefs to its bytes.
///
/// ```
/// # fn main() -> damon::Result<()> {
/// let mut heap = damon::SharedMap::new(1 << 20)?;
/// heap[7] = 1;
/// assert_eq!(heap.iter().map(|&byte| u32::from(byte)).sum::<u32>(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SharedMap {
    start: NonNull<u8>,
    len: usize,
}

// Safety: it owns its memory, as a box does.
unsafe impl Send for SharedMap {}
unsafe impl Sync for SharedMap {}

impl SharedMap {
    /// Maps so many bytes, more than 0.
    ///
    /// # Errors
    /// What the system says; `InvalidInput`: not page-aligned, not a shared mapping throughout, or declared already;
    /// for a [`SharedMap`] of 0 bytes.
    pub fn new(len: usize) -> Result<Self> {
        if len == 0 || len > isize::MAX as usize {
            return Err(Error::new(-errno::EINVAL, format!("a shared map of {len} bytes: must be above 0, and fit")));
        }
        // Safety: no pointer is handed over.
        let start = NonNull::new(unsafe { sys::damon_shared_map(len) }.cast());
        let start = start.ok_or_else(|| {
            let error = std::io::Error::last_os_error();
            Error::new(error.raw_os_error().unwrap_or(errno::ENOMEM), format!("a shared map of {len} bytes: {error}"))
        })?;
        Ok(SharedMap { start, len })
    }

    /// Its addresses, to be watched.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        let start = self.start.as_ptr() as usize;
        start..start + self.len
    }

    /// Gives up the value but not the memory, which stays declared until [`from_raw`](SharedMap::from_raw).
    #[must_use]
    pub fn into_raw(self) -> (NonNull<u8>, usize) {
        let parts = (self.start, self.len);
        std::mem::forget(self);
        parts
    }

    /// Takes the memory back.
    ///
    /// # Safety
    /// The parts come from [`into_raw`](SharedMap::into_raw), are taken back once, and nothing refers to the memory.
    #[must_use]
    pub unsafe fn from_raw(start: NonNull<u8>, len: usize) -> Self {
        SharedMap { start, len }
    }
}

impl Deref for SharedMap {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // Safety: mapped and initialised, and borrowed from its owner.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl DerefMut for SharedMap {
    fn deref_mut(&mut self) -> &mut [u8] {
        // Safety: mapped and initialised, and borrowed from its owner.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl Drop for SharedMap {
    fn drop(&mut self) {
        // Safety: what damon_shared_map() gave, given back once.
        let result = unsafe { sys::damon_shared_unmap(self.start.as_ptr().cast(), self.len) };
        debug_assert_eq!(result, 0, "what was mapped can be unmapped");
    }
}

/// A `MAP_SHARED` mapping of the program's own, declared to the library until this is dropped.
#[derive(Debug)]
pub struct Declared {
    range: Range<usize>,
}

impl Declared {
    /// Declares: here is a shared mapping, page-aligned, that stays.
    ///
    /// # Errors
    /// What the system says; `InvalidInput`: not page-aligned, not a shared mapping throughout, or declared already;
    /// for a [`SharedMap`] of 0 bytes.
    ///
    /// # Safety
    /// As long as the value lives, the range is not unmapped and not replaced: were private memory mapped there, an
    /// access check could discard its content.
    pub unsafe fn new(range: Range<usize>) -> Result<Self> {
        match sys::damon_shared_declare(range.start as *const c_void, range.len()) {
            0 => Ok(Declared { range }),
            error => Err(Error::of(
                error,
                &format!("declaring {range:#x?} (page-aligned, a shared mapping throughout, declared once)"),
            )),
        }
    }

    /// The declared addresses.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }
}

impl Drop for Declared {
    /// When this returns, no check can touch the range any more, and it may be unmapped.
    fn drop(&mut self) {
        // Safety: declared so by new().
        let result = unsafe { sys::damon_shared_withdraw(self.range.start as *const c_void, self.range.len()) };
        debug_assert_eq!(result, 0, "what was declared can be withdrawn");
    }
}
