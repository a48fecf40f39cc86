use std::os::raw::{c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, TryLockError};

use damon_sys as sys;

use crate::structs::{debug_members, zeroed};
use crate::{callback, Region, UnknownReason, Worker};

/// The answer to a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Seen {
    /// Looked: not accessed.
    No,
    /// Looked: accessed.
    Yes,
    /// Could not look.
    Unknown,
}

/// One question of a sampling interval: was this address accessed? Comes as unknown.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Sample(sys::damon_sample);

debug_members!(Sample { addr, region_start, region_end, target_idx, seen, unknown_reason });

impl Sample {
    /// The sampled address.
    #[must_use]
    pub fn addr(&self) -> usize {
        self.0.addr as usize
    }

    /// The region that it stands for.
    #[must_use]
    pub fn region(&self) -> std::ops::Range<usize> {
        self.0.region_start as usize..self.0.region_end as usize
    }

    /// Position of the target.
    #[must_use]
    pub fn target(&self) -> usize {
        self.0.target_idx as usize
    }

    /// Answers.
    pub fn answer(&mut self, seen: Seen) {
        self.0.seen = match seen {
            Seen::No => sys::DAMON_SEEN_NO,
            Seen::Yes => sys::DAMON_SEEN_YES,
            Seen::Unknown => sys::DAMON_SEEN_UNKNOWN,
        } as i32;
    }

    /// Answers that it could not look, and why.
    pub fn answer_unknown(&mut self, reason: UnknownReason) {
        self.answer(Seen::Unknown);
        self.0.unknown_reason = reason.raw() as i32;
    }
}

/// What an action achieved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Applied {
    /// Bytes on which it was done.
    pub bytes: u64,
    /// Bytes that passed the page-level filters.
    pub filter_passed: u64,
}

/// The program's own operations: access checks and actions. All are called on the worker (manually driven: in `step`), one at a time; those
/// that are not implemented do what the library does without them.
///
/// After a panic in one of them none but `cleanup` is called again: samples are unknown, nothing is applied, and the
/// context ends, as no target is valid any more. See [`Monitor::take_panic`](crate::Monitor::take_panic).
///
/// ```
/// use damon::{Context, Drive, Operations, Sample, Seen, SnapshotBuffer};
/// use std::time::Duration;
///
/// /// Sees accesses to the first page alone.
/// struct FirstPage;
/// impl Operations for FirstPage {
///     fn check_accesses(&mut self, samples: &mut [Sample]) {
///         for sample in samples {
///             sample.answer(if sample.addr() < 0x1000 { Seen::Yes } else { Seen::No });
///         }
///     }
/// }
/// # fn main() -> damon::Result<()> {
/// let mut context = Context::builder().drive(Drive::Manual).range(0..0x10000).build()?;
/// context.set_operations(FirstPage)?;
/// context.start()?;
/// for step in 1..=200 {
///     context.step(Duration::from_millis(5 * step))?;
/// }
/// let mut buffer = SnapshotBuffer::new();
/// let regions = context.snapshot(&mut buffer)?.regions();
/// assert!(regions[0].nr_accesses() > 0 && regions[regions.len() - 1].nr_accesses() == 0);
/// # Ok(())
/// # }
/// ```
pub trait Operations: Send + 'static {
    /// `check_accesses` cannot see reads.
    const WRITES_ONLY: bool = false;

    /// At each start, before the first sample; may set ranges. An error (a positive error number) ends the context.
    ///
    /// # Errors
    /// A positive error number ends the context.
    fn init(&mut self, worker: &Worker<'_>) -> Result<(), i32> {
        let _ = worker;
        Ok(())
    }

    /// Every update interval; may set ranges.
    fn update(&mut self, worker: &Worker<'_>) {
        let _ = worker;
    }

    /// Clear the evidence at each sample's address.
    fn prepare_access_checks(&mut self, samples: &[Sample]) {
        let _ = samples;
    }

    /// One sampling interval later: answer each sample; same order as prepared.
    fn check_accesses(&mut self, samples: &mut [Sample]) {
        let _ = samples;
    }

    /// Priority of a region for a scheme's quota, 0 to 99.
    fn scheme_score(&mut self, worker: &Worker<'_>, region: &Region, scheme: usize) -> i32 {
        let _ = (worker, region, scheme);
        0
    }

    /// Act. Not asked for schemes with an action of their own.
    fn apply_scheme(&mut self, worker: &Worker<'_>, region: &Region, scheme: usize) -> Applied {
        let _ = (worker, region, scheme);
        Applied::default()
    }

    /// Whether the target is still there. The context ends when none is.
    fn target_valid(&mut self, target: usize) -> bool {
        let _ = target;
        true
    }

    /// When pausing: forget everything prepared.
    fn disarm(&mut self) {}

    /// At the end of each run for which `init` succeeded.
    fn cleanup(&mut self) {}
}

/// Operations as a context has them. `data` of the table points to it, so it stays where it is.
pub(crate) struct Hosted {
    table: sys::damon_operations,
    object: Box<dyn std::any::Any + Send + Sync>,
}

/// What the table's functions get.
struct Host<T> {
    ctx: *mut sys::damon_ctx,
    operations: Mutex<T>,
    panicked: AtomicBool,
}

// Safety: the handle is only used in callbacks of that context, where it is valid.
unsafe impl<T: Send> Send for Host<T> {}
unsafe impl<T: Send> Sync for Host<T> {}

impl Hosted {
    pub(crate) fn new<T: Operations>(ctx: *mut sys::damon_ctx, operations: T) -> Self {
        let mut table = zeroed(sys::damon_operations_init);
        if T::WRITES_ONLY {
            table.flags = sys::DAMON_OPERATIONS_WRITES_ONLY;
        }
        table.init = Some(init::<T>);
        table.update = Some(update::<T>);
        table.prepare_access_checks = Some(prepare_access_checks::<T>);
        table.check_accesses = Some(check_accesses::<T>);
        table.get_scheme_score = Some(get_scheme_score::<T>);
        table.apply_scheme = Some(apply_scheme::<T>);
        table.target_valid = Some(target_valid::<T>);
        table.disarm = Some(disarm::<T>);
        table.cleanup = Some(cleanup::<T>);
        let host = Host { ctx, operations: Mutex::new(operations), panicked: AtomicBool::new(false) };
        Hosted { table, object: Box::new(host) }
    }

    /// The table, and what to hand to its functions; valid as long as this value.
    pub(crate) fn table(&self) -> (sys::damon_operations, *mut c_void) {
        (self.table, &*self.object as *const (dyn std::any::Any + Send + Sync) as *mut c_void)
    }
}

/// Runs one of the operations. `otherwise` where one has panicked, or where the call comes from inside another one.
///
/// Safety: `host` is what [`Hosted::table`] gave for a `T`.
unsafe fn run<T: Operations, R>(host: *mut c_void, otherwise: R, call: impl FnOnce(&mut T, &Worker<'_>) -> R) -> R {
    let host = &*host.cast::<Host<T>>();
    if host.panicked.load(Ordering::Relaxed) {
        return otherwise;
    }
    run_always(host, otherwise, call)
}

/// As [`run`], also after a panic.
///
/// Safety: the host's context is in a callback.
unsafe fn run_always<T, R>(host: &Host<T>, otherwise: R, call: impl FnOnce(&mut T, &Worker<'_>) -> R) -> R {
    let mut operations = match host.operations.try_lock() {
        Ok(operations) => operations,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        Err(TryLockError::WouldBlock) => return otherwise,
    };
    let (value, panicked) = callback::guarded(host.ctx, otherwise, || call(&mut operations, &Worker::new(host.ctx)));
    if panicked {
        host.panicked.store(true, Ordering::Relaxed);
    }
    value
}

// The library hands each of these what Hosted::table gave, and pointers that are valid during the call.

unsafe extern "C" fn init<T: Operations>(host: *mut c_void, _ctx: *mut sys::damon_ctx) -> c_int {
    let result = run::<T, _>(host, Err(crate::errno::ECANCELED), Operations::init);
    result.map_or_else(|error| -error.saturating_abs().max(1), |()| 0)
}

unsafe extern "C" fn update<T: Operations>(host: *mut c_void, _ctx: *mut sys::damon_ctx) {
    run::<T, _>(host, (), Operations::update);
}

unsafe extern "C" fn prepare_access_checks<T: Operations>(
    host: *mut c_void,
    samples: *const sys::damon_sample,
    nr: usize,
) {
    if nr > 0 {
        let samples = std::slice::from_raw_parts(samples.cast::<Sample>(), nr);
        run::<T, _>(host, (), |operations, _| operations.prepare_access_checks(samples));
    }
}

unsafe extern "C" fn check_accesses<T: Operations>(host: *mut c_void, samples: *mut sys::damon_sample, nr: usize) {
    if nr > 0 {
        let samples = std::slice::from_raw_parts_mut(samples.cast::<Sample>(), nr);
        run::<T, _>(host, (), |operations, _| operations.check_accesses(samples));
    }
}

unsafe extern "C" fn get_scheme_score<T: Operations>(
    host: *mut c_void,
    _ctx: *mut sys::damon_ctx,
    region: *const sys::damon_region_info,
    scheme_idx: usize,
) -> c_int {
    let region = Region::from_raw(region);
    run::<T, _>(host, 0, |operations, worker| operations.scheme_score(worker, region, scheme_idx))
}

unsafe extern "C" fn apply_scheme<T: Operations>(
    host: *mut c_void,
    _ctx: *mut sys::damon_ctx,
    region: *const sys::damon_region_info,
    scheme_idx: usize,
    sz_filter_passed: *mut u64,
) -> u64 {
    let region = Region::from_raw(region);
    let applied =
        run::<T, _>(host, Applied::default(), |operations, worker| operations.apply_scheme(worker, region, scheme_idx));
    *sz_filter_passed = (*sz_filter_passed).saturating_add(applied.filter_passed);
    applied.bytes
}

unsafe extern "C" fn target_valid<T: Operations>(host: *mut c_void, target_idx: usize) -> c_int {
    run::<T, _>(host, false, |operations, _| operations.target_valid(target_idx)).into()
}

unsafe extern "C" fn disarm<T: Operations>(host: *mut c_void) {
    run::<T, _>(host, (), |operations, _| operations.disarm());
}

unsafe extern "C" fn cleanup<T: Operations>(host: *mut c_void) {
    run_always(&*host.cast::<Host<T>>(), (), |operations: &mut T, _| operations.cleanup());
}
