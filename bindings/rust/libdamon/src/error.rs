use std::ffi::CStr;
use std::fmt;

use damon_sys as sys;

use crate::words::in_rust_words;

/// The error numbers that this crate's [`Error::errno`] gives most.
pub mod errno {
    /// No such call, or nothing mapped there.
    pub const ENOENT: i32 = 2;
    /// The queue of reports is full, or no thread could be made.
    pub const EAGAIN: i32 = 11;
    /// Out of memory.
    pub const ENOMEM: i32 = 12;
    /// The context runs, or something else is in the way.
    pub const EBUSY: i32 = 16;
    /// A value is wrong.
    pub const EINVAL: i32 = 22;
    /// A call from a callback that would wait for that callback's end.
    pub const EDEADLK: i32 = 35;
    /// This machine, or this access check, cannot do it.
    pub const EOPNOTSUPP: i32 = 95;
    /// Not running, stopped meanwhile, or a callback panicked.
    pub const ECANCELED: i32 = 125;
    /// Waited for too long.
    pub const ETIMEDOUT: i32 = 110;
    pub(crate) const EPERM: i32 = 1;
    pub(crate) const E2BIG: i32 = 7;
    pub(crate) const ECHILD: i32 = 10;
    pub(crate) const EACCES: i32 = 13;
    pub(crate) const ENOSPC: i32 = 28;
}

/// What kind of failure it is. The message of the [`Error`] says which value or which state it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A value is wrong.
    InvalidInput,
    /// The context runs, or something else is in the way.
    Busy,
    /// Not running, or stopped meanwhile.
    Canceled,
    /// A callback panicked.
    Panicked,
    /// A call from a callback that would wait for that callback's end.
    WouldDeadlock,
    /// This machine, this access check or these ops cannot do it.
    Unsupported,
    /// This user may not do it.
    PermissionDenied,
    /// Out of memory.
    OutOfMemory,
    /// A queue is full, or there is no thread, file or place left.
    LimitReached,
    /// No such call, or nothing mapped there.
    NotFound,
    /// Waited for too long.
    TimedOut,
    /// The context was made before this process was forked.
    Forked,
    /// Another one: see [`Error::errno`].
    Other,
}

impl ErrorKind {
    fn of(errno: i32) -> Self {
        match errno {
            errno::EINVAL | errno::E2BIG => ErrorKind::InvalidInput,
            errno::EBUSY => ErrorKind::Busy,
            errno::ECANCELED => ErrorKind::Canceled,
            errno::EDEADLK => ErrorKind::WouldDeadlock,
            errno::EOPNOTSUPP => ErrorKind::Unsupported,
            errno::EPERM | errno::EACCES => ErrorKind::PermissionDenied,
            errno::ENOMEM => ErrorKind::OutOfMemory,
            errno::EAGAIN | errno::ENOSPC => ErrorKind::LimitReached,
            errno::ENOENT => ErrorKind::NotFound,
            errno::ETIMEDOUT => ErrorKind::TimedOut,
            errno::ECHILD => ErrorKind::Forked,
            _ => ErrorKind::Other,
        }
    }
}

/// Why a call failed: an error number, its kind, and a line that names the wrong value and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Error {
    errno: i32,
    kind: ErrorKind,
    message: String,
}

/// What fallible functions of this crate give.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// From one of the library's negative results.
    pub(crate) fn new(result: i32, message: impl Into<String>) -> Self {
        let errno = result.wrapping_abs();
        Error { errno, kind: ErrorKind::of(errno), message: message.into() }
    }

    /// With the library's own words for the number, after what was tried.
    pub(crate) fn of(result: i32, tried: &str) -> Self {
        Error::new(result, format!("{tried}: {}", strerror(result)))
    }

    pub(crate) fn no_memory(tried: &str) -> Self {
        Error::of(-errno::ENOMEM, tried)
    }

    pub(crate) fn panicked(said: &str) -> Self {
        let error = Error::new(-errno::ECANCELED, format!("a callback panicked: {said}"));
        Error { kind: ErrorKind::Panicked, ..error }
    }

    /// The positive error number, see [`errno`].
    #[must_use]
    pub fn errno(&self) -> i32 {
        self.errno
    }

    /// The line that says why.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        std::io::Error::new(std::io::Error::from_raw_os_error(error.errno).kind(), error)
    }
}

pub(crate) fn strerror(result: i32) -> String {
    // Safety: the function takes every number and gives static, terminated text.
    unsafe { CStr::from_ptr(sys::damon_strerror(result)) }.to_string_lossy().into_owned()
}

/// `Ok` with what is not negative; else an error with the text that `read` copies (as `damon_ctx_errmsg` does).
pub(crate) fn check(result: i32, tried: &str, read: impl Fn(*mut sys::ctypes::c_char, usize) -> i32) -> Result<usize> {
    if result >= 0 {
        return Ok(result as usize);
    }
    let said = words(read).map_or_else(|| strerror(result), |text| in_rust_words(&text));
    Err(Error::new(result, format!("{tried}: {said}")))
}

/// The text that `read` copies; `None`: nothing failed so far.
pub(crate) fn words(read: impl Fn(*mut sys::ctypes::c_char, usize) -> i32) -> Option<String> {
    let mut text = [0u8; 512];
    if read(text.as_mut_ptr().cast(), text.len()) <= 0 {
        return None;
    }
    let end = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
    Some(String::from_utf8_lossy(&text[..end]).into_owned())
}
