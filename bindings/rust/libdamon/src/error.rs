use std::ffi::CStr;
use std::fmt;

use damon_sys as sys;

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
    pub(crate) const ENOSPC: i32 = 28;
    pub(crate) const ETIMEDOUT: i32 = 110;
}

/// Why a call failed: an error number and a line that names the wrong value and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    errno: i32,
    message: String,
}

/// What fallible functions of this crate give.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// From one of the library's negative results.
    pub(crate) fn new(result: i32, message: impl Into<String>) -> Self {
        Error { errno: result.wrapping_abs(), message: message.into() }
    }

    /// With the library's own words for the number, after what was tried.
    pub(crate) fn of(result: i32, tried: &str) -> Self {
        Error::new(result, format!("{tried}: {}", strerror(result)))
    }

    pub(crate) fn no_memory(tried: &str) -> Self {
        Error::of(-errno::ENOMEM, tried)
    }

    pub(crate) fn panicked(said: &str) -> Self {
        Error::new(-errno::ECANCELED, format!("a callback panicked: {said}"))
    }

    /// The positive error number, see [`errno`].
    pub fn errno(&self) -> i32 {
        self.errno
    }

    /// The line that says why.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The standard library's kind for the number.
    pub fn kind(&self) -> std::io::ErrorKind {
        std::io::Error::from_raw_os_error(self.errno).kind()
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
        std::io::Error::new(error.kind(), error)
    }
}

fn strerror(result: i32) -> String {
    // Safety: the function takes every number and gives static, terminated text.
    unsafe { CStr::from_ptr(sys::damon_strerror(result)) }.to_string_lossy().into_owned()
}

/// `Ok` with what is not negative; else an error with the text that `read` copies (as `damon_ctx_errmsg` does).
pub(crate) fn check(result: i32, tried: &str, read: impl Fn(*mut sys::ctypes::c_char, usize) -> i32) -> Result<usize> {
    if result >= 0 {
        return Ok(result as usize);
    }
    Err(words(read).map_or_else(|| Error::of(result, tried), |text| Error::new(result, format!("{tried}: {text}"))))
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
