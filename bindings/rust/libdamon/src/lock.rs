use std::sync::{Mutex, MutexGuard};

/// A panic while a lock was held left nothing half done in this crate.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
