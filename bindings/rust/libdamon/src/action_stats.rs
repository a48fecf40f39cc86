use std::ffi::CStr;

use damon_sys as sys;

use crate::structs::{debug_members, zeroed};
use crate::{Action, Monitor, Result};

/// Why an action left memory as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Skip {
    /// Nothing is mapped there, or it was unmapped meanwhile.
    Unmapped,
    /// `mlock()`.
    Locked,
    /// Of hugetlbfs.
    Hugetlb,
    /// Mapped by a driver or the kernel.
    Device,
    /// No whole huge page fits, or the mapping cannot have any.
    Unfit,
    /// Asked for, and the kernel kept it: no swap, mapped by others too, being written.
    Kept,
    /// Pinned, or in use by the kernel at that moment.
    Busy,
    /// No free memory for it.
    NoRoom,
    /// The node does not exist, or this process may not use it.
    NoNode,
    /// This process may not act on that one, or that one is gone.
    Forbidden,
    /// A system call failed for another reason.
    Failed,
    /// No page was there to act on.
    Absent,
    /// Asked for, and not there yet.
    Pending,
    /// Its reads cannot be seen, and the scheme lacks [`Scheme::allow_unseen_reads`](crate::Scheme::allow_unseen_reads).
    UnseenReads,
    /// Its accesses cannot be seen at all, or were not looked at yet.
    Unknown,
    /// It is already what the action makes of it. Costs no quota.
    AlreadySo,
    /// Nothing could be done in that mapping several times in a row: tried again later. Costs no quota.
    BackedOff,
}

impl Skip {
    /// All of them.
    pub const ALL: [Skip; 17] = [
        Skip::Unmapped,
        Skip::Locked,
        Skip::Hugetlb,
        Skip::Device,
        Skip::Unfit,
        Skip::Kept,
        Skip::Busy,
        Skip::NoRoom,
        Skip::NoNode,
        Skip::Forbidden,
        Skip::Failed,
        Skip::Absent,
        Skip::Pending,
        Skip::UnseenReads,
        Skip::Unknown,
        Skip::AlreadySo,
        Skip::BackedOff,
    ];

    fn raw(self) -> sys::damos_skip {
        match self {
            Skip::Unmapped => sys::DAMOS_SKIP_UNMAPPED,
            Skip::Locked => sys::DAMOS_SKIP_LOCKED,
            Skip::Hugetlb => sys::DAMOS_SKIP_HUGETLB,
            Skip::Device => sys::DAMOS_SKIP_DEVICE,
            Skip::Unfit => sys::DAMOS_SKIP_UNFIT,
            Skip::Kept => sys::DAMOS_SKIP_KEPT,
            Skip::Busy => sys::DAMOS_SKIP_BUSY,
            Skip::NoRoom => sys::DAMOS_SKIP_NO_ROOM,
            Skip::NoNode => sys::DAMOS_SKIP_NO_NODE,
            Skip::Forbidden => sys::DAMOS_SKIP_FORBIDDEN,
            Skip::Failed => sys::DAMOS_SKIP_FAILED,
            Skip::Absent => sys::DAMOS_SKIP_ABSENT,
            Skip::Pending => sys::DAMOS_SKIP_PENDING,
            Skip::UnseenReads => sys::DAMOS_SKIP_UNSEEN_READS,
            Skip::Unknown => sys::DAMOS_SKIP_UNKNOWN,
            Skip::AlreadySo => sys::DAMOS_SKIP_ALREADY_SO,
            Skip::BackedOff => sys::DAMOS_SKIP_BACKED_OFF,
        }
    }

    /// The library's words for it.
    #[must_use]
    pub fn text(self) -> &'static str {
        // Safety: the function takes every number and gives static, terminated text.
        unsafe { CStr::from_ptr(sys::damos_skip_text(self.raw() as i32)) }.to_str().unwrap_or("unknown")
    }
}

/// What the actions of a context did to virtual address spaces, over all schemes and runs; the counters only grow.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ActionStats(sys::damon_action_stats);

debug_members!(ActionStats { nr_calls, nr_failed_calls, applied_bytes, skipped_bytes });

impl ActionStats {
    /// Calls of the madvise family, `move_pages` among them.
    #[must_use]
    pub fn nr_calls(&self) -> u64 {
        self.0.nr_calls
    }

    /// Those that failed.
    #[must_use]
    pub fn nr_failed_calls(&self) -> u64 {
        self.0.nr_failed_calls
    }

    /// Bytes that an action changed, as measured.
    #[must_use]
    pub fn applied_bytes(&self, action: Action) -> u64 {
        self.0.applied_bytes[action.raw() as usize]
    }

    /// Bytes that actions went over and left as they were, for this reason.
    #[must_use]
    pub fn skipped_bytes(&self, skip: Skip) -> u64 {
        self.0.skipped_bytes[skip.raw() as usize]
    }
}

impl Monitor {
    /// What the actions did. Zero for ops other than the virtual ones.
    ///
    /// # Errors
    /// Only where the handle belongs to the parent of a fork (`Forked`).
    pub fn action_stats(&self) -> Result<ActionStats> {
        let mut stats = zeroed(sys::damon_action_stats_init);
        // Safety: a live context, an initialised structure.
        self.checked("action statistics", |ctx| unsafe { sys::damon_ctx_get_action_stats(ctx, &mut stats) })?;
        Ok(ActionStats(stats))
    }
}
