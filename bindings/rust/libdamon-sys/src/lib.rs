//! Raw bindings of `damon_c.h`, libdamon's C interface. The crate `libdamon` is the safe one.
//!
//! [`bindings`](self) is bindgen's output for the header, kept in the repository and checked fresh by its tests. What
//! each function promises (ownership, threads, units, errors) stands in the header's comments, which come along.
#![cfg_attr(not(test), no_std)]
#![allow(non_camel_case_types, non_snake_case, non_upper_case_globals, rustdoc::all, clippy::all, clippy::pedantic)]

/// The C types of the interface; `core::ffi` has them only in newer compilers than this crate asks for.
#[doc(hidden)]
pub mod ctypes {
    pub use core::ffi::c_void;
    pub type c_int = i32;
    pub type c_uint = u32;
    #[cfg(any(target_arch = "x86", target_arch = "x86_64", target_arch = "loongarch64"))]
    pub type c_char = i8;
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "loongarch64")))]
    pub type c_char = u8;
}

include!("bindings.rs");
