use std::ffi::CStr;
use std::ops::Range;
use std::os::raw::c_char;

use damon_sys as sys;

use crate::error::{errno, strerror};
use crate::structs::zeroed;
use crate::{Error, Monitor, Result};

/// Ways to learn whether a page was accessed. Chosen for each mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AccessCheck {
    /// The best that works here for each mapping. The default.
    Auto,
    /// userfaultfd read-write protection: reads and writes. Newest kernels.
    UffdRwp,
    /// Declared shared mappings ([`SharedMap`](crate::SharedMap)): reads and writes, any kernel.
    Zap,
    /// userfaultfd asynchronous write protection: writes only. Linux 6.7.
    UffdWp,
    /// Passes over accessed bits alone, without samples; needs [`Attrs::referenced`](crate::Attrs::referenced).
    Referenced,
    /// Parked pages. Explicit choice only.
    UffdMove,
    /// `PROT_NONE` and a signal handler. Explicit choice only.
    Mprotect,
    /// Idle page tracking: other processes, privileged.
    PageIdle,
    /// The program reports its accesses: [`Monitor::report_access`].
    Report,
}

/// What an access check can do on this machine, for this user.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct AccessCheckInfo {
    /// Works here.
    pub available: bool,
    /// Reads are seen.
    pub sees_reads: bool,
    /// Writes are seen.
    pub sees_writes: bool,
    /// Not available: the positive error number that said so.
    pub errno: Option<i32>,
    /// Such as `uffd_wp`.
    pub name: String,
    /// Why not, or what to know; for [`AccessCheck::Auto`]: which was chosen and why no better one.
    pub reason: String,
}

impl AccessCheck {
    /// All of them.
    pub const ALL: [AccessCheck; 9] = [
        AccessCheck::Auto,
        AccessCheck::UffdRwp,
        AccessCheck::Zap,
        AccessCheck::UffdWp,
        AccessCheck::Referenced,
        AccessCheck::UffdMove,
        AccessCheck::Mprotect,
        AccessCheck::PageIdle,
        AccessCheck::Report,
    ];

    pub(crate) fn raw(self) -> sys::damon_access_check {
        match self {
            AccessCheck::Auto => sys::DAMON_ACCESS_CHECK_AUTO,
            AccessCheck::UffdRwp => sys::DAMON_ACCESS_CHECK_UFFD_RWP,
            AccessCheck::Zap => sys::DAMON_ACCESS_CHECK_ZAP,
            AccessCheck::UffdWp => sys::DAMON_ACCESS_CHECK_UFFD_WP,
            AccessCheck::Referenced => sys::DAMON_ACCESS_CHECK_REFERENCED,
            AccessCheck::UffdMove => sys::DAMON_ACCESS_CHECK_UFFD_MOVE,
            AccessCheck::Mprotect => sys::DAMON_ACCESS_CHECK_MPROTECT,
            AccessCheck::PageIdle => sys::DAMON_ACCESS_CHECK_PAGE_IDLE,
            AccessCheck::Report => sys::DAMON_ACCESS_CHECK_REPORT,
        }
    }

    /// Tries it on a page of its own, step by step: a version number or a success code would lie.
    ///
    /// ```
    /// # fn main() -> damon::Result<()> {
    /// let auto = damon::AccessCheck::Auto.probe()?;
    /// println!("ordinary memory is watched with {}: {}", auto.name, auto.reason);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Only where the library does not know the access check.
    pub fn probe(self) -> Result<AccessCheckInfo> {
        let mut info = zeroed(sys::damon_access_check_info_init);
        // Safety: an initialised structure.
        let result = unsafe { sys::damon_access_check_probe(self.raw() as i32, &mut info) };
        if result < 0 {
            return Err(Error::of(result, "probing an access check"));
        }
        Ok(AccessCheckInfo {
            available: info.available != 0,
            sees_reads: info.sees & sys::DAMON_SEES_READS != 0,
            sees_writes: info.sees & sys::DAMON_SEES_WRITES != 0,
            errno: (info.available == 0 && info.error != 0).then(|| info.error.wrapping_abs()),
            name: text(&info.name),
            reason: text(&info.reason),
        })
    }
}

/// The text of an array that the library terminated.
pub(crate) fn text(characters: &[c_char]) -> String {
    debug_assert!(characters.contains(&0));
    // Safety: terminated inside of the array.
    unsafe { CStr::from_ptr(characters.as_ptr()) }.to_string_lossy().into_owned()
}

/// Whether a reported access read or wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessKind {
    /// It read.
    Read,
    /// It wrote.
    Write,
}

fn refusal(error: i32, range: &Range<usize>) -> String {
    match -error {
        errno::EINVAL => format!("the range {range:#x?} is empty; its start must be below its end"),
        errno::EAGAIN => "the queue of this sampling interval is full".to_owned(),
        errno::ECANCELED => "the context does not run, or is paused".to_owned(),
        errno::EOPNOTSUPP => "the context has another access check; it needs AccessCheck::Report".to_owned(),
        _ => strerror(error),
    }
}

impl Monitor {
    /// Reports to a running context with [`AccessCheck::Report`] an access that the program knows of: read barriers, card
    /// marks, sampled allocations. Counts at most once per region and sampling interval. Lock-free, no system call.
    ///
    /// # Errors
    /// [`errno::EAGAIN`](crate::errno::EAGAIN): the queue of this interval is full; `ECANCELED`: the context does not run,
    /// or is paused; `EOPNOTSUPP`: it has another access check; `EINVAL`: the range is empty.
    pub fn report_access(&self, range: Range<usize>, kind: AccessKind) -> Result<()> {
        let mut report = zeroed(sys::damon_access_report_init);
        report.is_write = (kind == AccessKind::Write).into();
        report.addr = range.start as u64;
        report.len = range.len() as u64;
        // Safety: a live context, an initialised structure. It leaves no words with the context: it takes no lock.
        match unsafe { sys::damon_report_access(self.as_ptr(), &report) } {
            0 => Ok(()),
            error => Err(Error::new(error, format!("report: {}", refusal(error, &range)))),
        }
    }
}
