use std::marker::PhantomData;

use crate::error::errno;
use crate::lock::lock;
use crate::{callback, Error, Monitor, Result};

/// A section in which the context is paused; it ends with this value. As the guard of a mutex it stays on its thread, and
/// so it ends in no callback; asynchronous code pauses and resumes.
#[derive(Debug)]
#[must_use = "the section ends when this is dropped"]
pub struct Paused<'a> {
    monitor: &'a Monitor,
    thread: PhantomData<*mut ()>,
}

impl Monitor {
    /// Pauses until the value is dropped: for a critical section. Sections may nest, and overlap in several threads: the
    /// last one that ends resumes, unless the context was paused before the first began. Not in a callback
    /// ([`errno::EDEADLK`](crate::errno::EDEADLK)).
    ///
    /// # Errors
    /// `Canceled`: the context does not run, or ended meanwhile; `TimedOut`: a callback of it does not end.
    /// `WouldDeadlock`: in a callback of the context.
    pub fn paused(&self) -> Result<Paused<'_>> {
        if callback::in_callback_of(self.as_ptr()) {
            return Err(Error::new(
                -errno::EDEADLK,
                "paused: a callback would wait for its own context; use pause() and resume()",
            ));
        }
        let shared = self.shared().ok_or_else(|| Error::new(-errno::EINVAL, "paused: the context is being freed"))?;
        let mut sections = lock(&shared.sections);
        if sections.inside == 0 {
            sections.was_paused = self.is_paused();
        }
        self.pause()?;
        sections.inside += 1;
        Ok(Paused { monitor: self, thread: PhantomData })
    }

    fn end_section(&self) -> Result<()> {
        let shared = match self.shared() {
            Some(shared) => shared,
            None => return Ok(()),
        };
        let mut sections = lock(&shared.sections);
        sections.inside -= 1;
        if sections.inside > 0 || sections.was_paused {
            return Ok(());
        }
        self.resume()
    }
}

impl Paused<'_> {
    /// Ends the section, and returns whether that worked.
    ///
    /// # Errors
    /// `Canceled`: the context does not run, or ended meanwhile; `TimedOut`: a callback of it does not end.
    pub fn resume(self) -> Result<()> {
        let monitor = self.monitor;
        std::mem::forget(self);
        monitor.end_section()
    }
}

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        // It fails only where the context has ended meanwhile, which its next use reports.
        let _ = self.monitor.end_section();
    }
}
