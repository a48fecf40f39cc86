use std::fmt;
use std::marker::PhantomData;
use std::mem::size_of;
use std::ops::{Deref, DerefMut, Range};

use crate::error::errno;
use crate::{Error, Result, SharedMap};

/// A vector in a [`SharedMap`]: reads and writes of its elements can be seen on every kernel. Its capacity is fixed, so
/// that its addresses stay. Derefs to a slice.
///
/// ```
/// # fn main() -> damon::Result<()> {
/// let mut table = damon::SharedVec::from_elem(0u64, 1 << 17)?; // 1 MiB
/// let watch = damon::Context::builder().ops(damon::Ops::Fvaddr).range(table.range()).start()?;
/// table[17] += 4;
/// assert_eq!(table.iter().sum::<u64>(), 4);
/// # watch.stop()
/// # }
/// ```
pub struct SharedVec<T> {
    map: SharedMap,
    len: usize,
    capacity: usize,
    elements: PhantomData<T>,
}

impl<T> SharedVec<T> {
    /// With room for so many elements, more than 0.
    ///
    /// # Errors
    /// As [`SharedMap::new`]; and where an element has no size, or the alignment of several pages.
    pub fn with_capacity(capacity: usize) -> Result<Self> {
        let bytes =
            capacity.checked_mul(size_of::<T>()).filter(|&bytes| bytes > 0 && std::mem::align_of::<T>() <= 4096);
        let bytes = bytes.ok_or_else(|| {
            let words = format!(
                "a shared vector of {capacity} elements of {} bytes: both must be above 0, and it must fit",
                size_of::<T>()
            );
            Error::new(-errno::EINVAL, words)
        })?;
        Ok(SharedVec { map: SharedMap::new(bytes)?, len: 0, capacity, elements: PhantomData })
    }

    /// So many clones of a value.
    ///
    /// # Errors
    /// As [`with_capacity`](SharedVec::with_capacity).
    pub fn from_elem(value: T, len: usize) -> Result<Self>
    where
        T: Clone,
    {
        let mut vector = SharedVec::with_capacity(len)?;
        (1..len).for_each(|_| vector.push_within_capacity(value.clone()));
        vector.push_within_capacity(value);
        Ok(vector)
    }

    /// Appends an element.
    ///
    /// # Errors
    /// Gives the element back where there is no room left.
    pub fn push(&mut self, value: T) -> std::result::Result<(), T> {
        if self.len == self.capacity {
            return Err(value);
        }
        self.push_within_capacity(value);
        Ok(())
    }

    fn push_within_capacity(&mut self, value: T) {
        debug_assert!(self.len < self.capacity);
        // Safety: inside of the mapping, which is aligned to pages, and not initialised so far.
        unsafe { self.start().add(self.len).write(value) };
        self.len += 1;
    }

    /// Removes the last element.
    pub fn pop(&mut self) -> Option<T> {
        self.len = self.len.checked_sub(1)?;
        // Safety: it was initialised, and is none of the vector's any more.
        Some(unsafe { self.start().add(self.len).read() })
    }

    /// Drops all elements.
    pub fn clear(&mut self) {
        let all: *mut [T] = &mut **self;
        self.len = 0;
        // Safety: they were initialised, and are none of the vector's any more.
        unsafe { all.drop_in_place() };
    }

    /// How many elements fit.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The addresses of all that fits, to be watched.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.map.range()
    }

    #[allow(clippy::cast_ptr_alignment)] // pages
    fn start(&mut self) -> *mut T {
        self.map.as_mut_ptr().cast()
    }
}

impl<T> Deref for SharedVec<T> {
    type Target = [T];

    #[allow(clippy::cast_ptr_alignment)] // pages
    fn deref(&self) -> &[T] {
        // Safety: so many are initialised, and borrowed from their owner.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().cast(), self.len) }
    }
}

impl<T> DerefMut for SharedVec<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // Safety: so many are initialised, and borrowed from their owner.
        unsafe { std::slice::from_raw_parts_mut(self.start(), self.len) }
    }
}

impl<T> Drop for SharedVec<T> {
    fn drop(&mut self) {
        self.clear();
    }
}

// Safety: it owns its elements, as a vector does. The same for Sync.
unsafe impl<T: Send> Send for SharedVec<T> {}
unsafe impl<T: Sync> Sync for SharedVec<T> {}

impl<T: fmt::Debug> fmt::Debug for SharedVec<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

impl<'a, T> IntoIterator for &'a SharedVec<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, T> IntoIterator for &'a mut SharedVec<T> {
    type Item = &'a mut T;
    type IntoIter = std::slice::IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}
