use damon_sys as sys;

/// Why memory could not be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum UnknownReason {
    /// A huge page, which the access check would have to split.
    HugePage,
    /// The mapping is not registered with the access check (yet).
    NotRegistered,
    /// The mapping is registered with a userfaultfd of the program's own.
    OtherUserfaultfd,
    /// The mapping's protection, or a right that this process lacks.
    Permission,
    /// Nothing is mapped there.
    Unmapped,
    /// [`exclude`](crate::exclude).
    Excluded,
    /// A child of fork shares the pages.
    SharedWithChild,
    /// `mlock()`: accessed bits cannot be cleared.
    Locked,
    /// Reclaim may have cleared the evidence.
    Reclaimed,
    /// The context was paused.
    Paused,
    /// Not looked at yet, or too large to examine.
    NotExamined,
    /// The program closed the library's file descriptors.
    LostDescriptor,
    /// No access check works on this kind of memory here.
    NoAccessCheck,
    /// Another reason, such as a failed system call, lost reports, or huge pages that the balancing of NUMA nodes may
    /// hide.
    Other,
}

impl UnknownReason {
    /// All of them.
    pub const ALL: [UnknownReason; 14] = [
        UnknownReason::HugePage,
        UnknownReason::NotRegistered,
        UnknownReason::OtherUserfaultfd,
        UnknownReason::Permission,
        UnknownReason::Unmapped,
        UnknownReason::Excluded,
        UnknownReason::SharedWithChild,
        UnknownReason::Locked,
        UnknownReason::Reclaimed,
        UnknownReason::Paused,
        UnknownReason::NotExamined,
        UnknownReason::LostDescriptor,
        UnknownReason::NoAccessCheck,
        UnknownReason::Other,
    ];

    pub(crate) fn raw(self) -> sys::damon_unknown_reason {
        match self {
            UnknownReason::HugePage => sys::DAMON_UNKNOWN_HUGE_PAGE,
            UnknownReason::NotRegistered => sys::DAMON_UNKNOWN_NOT_REGISTERED,
            UnknownReason::OtherUserfaultfd => sys::DAMON_UNKNOWN_OTHER_USERFAULTFD,
            UnknownReason::Permission => sys::DAMON_UNKNOWN_PERMISSION,
            UnknownReason::Unmapped => sys::DAMON_UNKNOWN_UNMAPPED,
            UnknownReason::Excluded => sys::DAMON_UNKNOWN_EXCLUDED,
            UnknownReason::SharedWithChild => sys::DAMON_UNKNOWN_SHARED_WITH_CHILD,
            UnknownReason::Locked => sys::DAMON_UNKNOWN_LOCKED,
            UnknownReason::Reclaimed => sys::DAMON_UNKNOWN_RECLAIMED,
            UnknownReason::Paused => sys::DAMON_UNKNOWN_PAUSED,
            UnknownReason::NotExamined => sys::DAMON_UNKNOWN_NOT_EXAMINED,
            UnknownReason::LostDescriptor => sys::DAMON_UNKNOWN_LOST_DESCRIPTOR,
            UnknownReason::NoAccessCheck => sys::DAMON_UNKNOWN_NO_ACCESS_CHECK,
            UnknownReason::Other => sys::DAMON_UNKNOWN_OTHER,
        }
    }

    /// `None`: it could be looked at.
    pub(crate) fn from_raw(raw: i32) -> Option<Self> {
        if raw == sys::DAMON_UNKNOWN_NONE as i32 {
            return None;
        }
        let known = UnknownReason::ALL.into_iter().find(|reason| reason.raw() as i32 == raw);
        Some(known.unwrap_or(UnknownReason::Other))
    }
}
