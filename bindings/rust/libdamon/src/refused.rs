//! What the compiler refuses, each beside the nearest program that it accepts. Run as documentation tests.
//!
//! A context is not changed while somebody else uses it:
//! ```
//! # fn test(context: &mut damon::Context) -> damon::Result<()> {
//! let monitor: &damon::Monitor = context;
//! monitor.pause()?;
//! context.set_seed(1)
//! # }
//! ```
//! ```compile_fail,E0502
//! # fn test(context: &mut damon::Context) -> damon::Result<()> {
//! let monitor: &damon::Monitor = context;
//! context.set_seed(1)?;
//! monitor.pause()
//! # }
//! ```
//!
//! Nor started while one of its targets is being changed:
//! ```
//! # fn test(context: &mut damon::Context) -> damon::Result<()> {
//! context.target_mut(0).unwrap().set_pid(0)?;
//! context.start()
//! # }
//! ```
//! ```compile_fail,E0502
//! # fn test(context: &mut damon::Context) -> damon::Result<()> {
//! let mut target = context.target_mut(0).unwrap();
//! context.start()?;
//! target.set_pid(0)
//! # }
//! ```
//!
//! A snapshot is not overwritten, and does not outlive its buffer:
//! ```
//! # fn test(context: &damon::Context) -> damon::Result<usize> {
//! let mut buffer = damon::SnapshotBuffer::new();
//! let first = context.snapshot(&mut buffer)?.len();
//! let second = context.snapshot(&mut buffer)?;
//! Ok(first + second.len())
//! # }
//! ```
//! ```compile_fail,E0499
//! # fn test(context: &damon::Context) -> damon::Result<usize> {
//! let mut buffer = damon::SnapshotBuffer::new();
//! let first = context.snapshot(&mut buffer)?;
//! let second = context.snapshot(&mut buffer)?;
//! Ok(first.len() + second.len())
//! # }
//! ```
//! ```compile_fail,E0515
//! # fn test(context: &damon::Context) -> damon::Result<damon::Snapshot<'static>> {
//! let mut buffer = damon::SnapshotBuffer::new();
//! context.snapshot(&mut buffer)
//! # }
//! ```
//!
//! What the worker runs can be sent to it, and what it keeps borrows nothing:
//! ```
//! # use std::{ops::ControlFlow, sync::{atomic::{AtomicU64, Ordering}, Arc}};
//! # fn test(context: &damon::Context) -> damon::Result<()> {
//! let count = Arc::new(AtomicU64::new(0));
//! context.call(|_| count.fetch_add(1, Ordering::Relaxed))?;
//! context.call_repeat(move |_| {
//!     count.fetch_add(1, Ordering::Relaxed);
//!     ControlFlow::Continue(())
//! })?;
//! # Ok(())
//! # }
//! ```
//! ```compile_fail,E0277
//! # use std::{cell::Cell, rc::Rc};
//! # fn test(context: &damon::Context) -> damon::Result<()> {
//! let count = Rc::new(Cell::new(0));
//! context.call(|_| count.set(1))
//! # }
//! ```
//! ```compile_fail,E0277
//! # use std::{ops::ControlFlow, rc::Rc};
//! # fn test(context: &damon::Context, count: Rc<u64>) -> damon::Result<damon::CallId> {
//! context.call_repeat(move |_| if *count > 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
//! # }
//! ```
//! ```compile_fail,E0373
//! # use std::{ops::ControlFlow, sync::atomic::{AtomicU64, Ordering}};
//! # fn test(context: &damon::Context) -> damon::Result<damon::CallId> {
//! let count = AtomicU64::new(0);
//! context.call_repeat(|_| {
//!     count.fetch_add(1, Ordering::Relaxed);
//!     ControlFlow::Continue(())
//! })
//! # }
//! ```
//!
//! The same for what a scheme does, which several contexts may do at a time, and for the program's own operations:
//! ```
//! # use std::sync::atomic::{AtomicU64, Ordering};
//! let count = AtomicU64::new(0);
//! damon::Scheme::calling(move |_, _, _| count.fetch_add(1, Ordering::Relaxed));
//! ```
//! ```compile_fail,E0277
//! # use std::cell::Cell;
//! let count = Cell::new(0);
//! damon::Scheme::calling(move |_, _, _| count.replace(1));
//! ```
//! ```compile_fail,E0277
//! struct Own(std::rc::Rc<u64>);
//! impl damon::Operations for Own {}
//! ```
//! ```
//! struct Own(std::sync::Arc<u64>);
//! impl damon::Operations for Own {}
//! ```
//!
//! What a callback gets stays on its thread, and in the callback:
//! ```compile_fail,E0277
//! fn sent<T: Send>() {}
//! sent::<damon::Worker<'static>>();
//! ```
//! ```
//! fn sent<T: Send + Sync>() {}
//! sent::<damon::Context>();
//! ```
//! ```compile_fail
//! # fn test(context: &damon::Context) {
//! let mut kept: Option<&damon::Worker<'_>> = None;
//! let _ = context.call(|worker| kept = Some(worker));
//! # }
//! ```
//!
//! A pause ends before its context does:
//! ```compile_fail,E0505
//! # fn test(context: damon::Context) -> damon::Result<()> {
//! let paused = context.paused()?;
//! drop(context);
//! paused.resume()
//! # }
//! ```
//!
//! Nor does it end in a callback, which would wait for itself:
//! ```compile_fail,E0277
//! # fn test(context: &damon::Context) -> damon::Result<()> {
//! let paused = context.paused()?;
//! context.call(move |_| drop(paused))
//! # }
//! ```
