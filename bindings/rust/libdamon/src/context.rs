use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;
use std::sync::Arc;

use damon_sys as sys;

use crate::config::Config;
use crate::error::errno;
use crate::lock::lock;
use crate::operations::Hosted;
use crate::registry;
use crate::{
    callback, AccessCheck, Attrs, Builder, Error, Monitor, Operations, Result, Scheme, SchemeMut, Sim, Snapshot,
    SnapshotBuffer, Target, TargetMut,
};

/// Who looks at memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ops {
    /// Virtual addresses; ranges follow the mappings of the process. The default where no target has ranges.
    Vaddr,
    /// Virtual addresses; exactly the ranges given, for ever. The default where all targets have ranges.
    Fvaddr,
    /// Physical addresses: refused at start in this release.
    Paddr,
    /// As `Vaddr`, for any process, by the running kernel's DAMON. Needs root.
    KernelVaddr,
    /// As `Fvaddr`, for any process, by the running kernel's DAMON. Needs root.
    KernelFvaddr,
    /// Physical addresses, by the running kernel's DAMON. Needs root.
    KernelPaddr,
}

impl Ops {
    pub(crate) fn raw(self) -> sys::damon_ops_id {
        match self {
            Ops::Vaddr => sys::DAMON_OPS_VADDR,
            Ops::Fvaddr => sys::DAMON_OPS_FVADDR,
            Ops::Paddr => sys::DAMON_OPS_PADDR,
            Ops::KernelVaddr => sys::DAMON_OPS_KERNEL_VADDR,
            Ops::KernelFvaddr => sys::DAMON_OPS_KERNEL_FVADDR,
            Ops::KernelPaddr => sys::DAMON_OPS_KERNEL_PADDR,
        }
    }
}

/// Who calls the sampling intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Drive {
    /// A worker thread. The default.
    Thread,
    /// [`Monitor::step`]: virtual time, simulations, event loops.
    Manual,
}

/// A monitoring context with everything that belongs to it; stopped and freed when dropped.
///
/// Changing it needs `&mut`, and that it does not run (else [`errno::EBUSY`]); what any thread may do at any time is in
/// [`Monitor`], to which it derefs. Dropped in one of its own callbacks, it is freed by a thread of its own afterwards.
pub struct Context {
    monitor: Monitor,
}

impl fmt::Debug for Context {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.monitor.show("Context", formatter)
    }
}

impl Context {
    /// A stopped context with default parameters, no target, no scheme.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub fn new() -> Result<Self> {
        // Safety: the handle is this value's until it is dropped.
        let ctx = NonNull::new(unsafe { sys::damon_ctx_new() }).ok_or_else(|| Error::no_memory("making a context"))?;
        registry::add(ctx.as_ptr(), Box::<Config>::default());
        Ok(Context { monitor: unsafe { Monitor::from_raw(ctx) } })
    }

    /// The short way to a context with targets and schemes.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Replaces the monitoring attributes.
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn set_attrs(&mut self, attrs: &Attrs) -> Result<()> {
        // Safety: a live context, used by this thread alone.
        self.checked_unit("attributes", |ctx| unsafe { sys::damon_ctx_set_attrs(ctx, &attrs.raw()) })
    }

    /// Chooses who looks at memory.
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn set_ops(&mut self, ops: Ops) -> Result<()> {
        // Safety: a live context, used by this thread alone.
        self.checked_unit("ops", |ctx| unsafe { sys::damon_ctx_set_ops(ctx, ops.raw() as i32) })?;
        self.forget_ops();
        self.with_config(|config| config.has_ops = true)
    }

    /// What earlier ops needed is not used any more.
    fn forget_ops(&mut self) {
        if let Some(shared) = self.shared() {
            let operations = lock(&shared.operations).take();
            let machine = lock(&shared.machine).take();
            drop((operations, machine)); // outside of the locks: their destructors are the program's
        }
    }

    /// Makes the context use the program's own operations: access checks and actions.
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn set_operations(&mut self, operations: impl Operations) -> Result<()> {
        let hosted = Arc::new(Hosted::new(self.as_ptr(), operations));
        let (table, data) = hosted.table();
        // Safety: a live context, used by this thread alone; what `data` points to is kept below.
        self.checked("custom operations", |ctx| unsafe { sys::damon_ctx_set_custom_ops(ctx, &table, data) })?;
        self.forget_ops();
        if let Some(shared) = self.shared() {
            *lock(&shared.operations) = Some(hosted);
        }
        self.with_config(|config| config.has_ops = true)
    }

    /// Makes the context watch simulated memory, driven by [`Monitor::step`]: the i-th target is the i-th program.
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn set_sim(&mut self, sim: &Sim) -> Result<()> {
        self.set_drive_raw(Drive::Manual)?;
        let _machine = sim.occupy();
        // Safety: a live context, used by this thread alone; the simulator is kept below.
        self.checked("simulator", |ctx| unsafe { sys::damon_ctx_set_sim(ctx, sim.as_ptr()) })?;
        self.forget_ops();
        if let Some(shared) = self.shared() {
            *lock(&shared.machine) = Some(sim.machine());
        }
        self.with_config(|config| config.has_ops = true)
    }

    /// Smallest region and granularity of every boundary: a power of two. Default: the page size.
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn set_min_region_sz(&mut self, size: usize) -> Result<()> {
        // Safety: a live context, used by this thread alone.
        self.checked_unit("smallest region", |ctx| unsafe { sys::damon_ctx_set_min_region_sz(ctx, size as u64) })?;
        self.with_config(|config| config.min_region_sz = Some(size))
    }

    /// Bytes per core unit. Only physical back-ends read it.
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn set_addr_unit(&mut self, bytes: u64) -> Result<()> {
        // Safety: a live context, used by this thread alone.
        self.checked_unit("address unit", |ctx| unsafe { sys::damon_ctx_set_addr_unit(ctx, bytes) })
    }

    /// Makes a run repeatable; 0 (the default): a new seed from the system at every start.
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn set_seed(&mut self, seed: u64) -> Result<()> {
        // Safety: a live context, used by this thread alone.
        self.checked_unit("seed", |ctx| unsafe { sys::damon_ctx_set_seed(ctx, seed) })
    }

    /// Chooses between a worker thread and [`Monitor::step`]. Simulated memory is driven by steps alone.
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn set_drive(&mut self, drive: Drive) -> Result<()> {
        let simulated = self.shared().map_or(false, |shared| lock(&shared.machine).is_some());
        if simulated && drive == Drive::Thread {
            return Err(Error::new(-errno::EINVAL, "drive: simulated memory needs Drive::Manual; call step()"));
        }
        self.set_drive_raw(drive)
    }

    fn set_drive_raw(&mut self, drive: Drive) -> Result<()> {
        let id = match drive {
            Drive::Thread => sys::DAMON_DRIVE_THREAD,
            Drive::Manual => sys::DAMON_DRIVE_MANUAL,
        };
        // Safety: a live context, used by this thread alone.
        self.checked_unit("drive", |ctx| unsafe { sys::damon_ctx_set_drive(ctx, id as i32) })?;
        if let Some(shared) = self.shared() {
            shared.is_manual.store(drive == Drive::Manual, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Chooses how accesses are seen, for [`Ops::Vaddr`] and [`Ops::Fvaddr`].
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn set_access_check(&mut self, check: AccessCheck) -> Result<()> {
        // Safety: a live context, used by this thread alone.
        self.checked_unit("access check", |ctx| unsafe { sys::damon_ctx_set_access_check(ctx, check.raw() as i32) })
    }

    /// Appends a target.
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn add_target(&mut self, target: &Target) -> Result<()> {
        target.add_to(self)
    }

    /// Removes a target; those behind it move up.
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: there is no such target.
    pub fn remove_target(&mut self, index: usize) -> Result<()> {
        // Safety: a live context, used by this thread alone.
        self.checked_unit("removing a target", |ctx| unsafe { sys::damon_ctx_remove_target(ctx, index) })?;
        self.with_config(|config| drop(config.targets.remove(index)))
    }

    /// A target, to be changed while the context is stopped.
    pub fn target_mut(&mut self, index: usize) -> Option<TargetMut<'_>> {
        (index < self.nr_targets()).then_some(TargetMut { context: self, index })
    }

    /// Appends a scheme.
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn add_scheme(&mut self, scheme: &Scheme) -> Result<()> {
        scheme.add_to(self)
    }

    /// Removes a scheme with its statistics; those behind it move up.
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: there is no such scheme.
    pub fn remove_scheme(&mut self, index: usize) -> Result<()> {
        // Safety: a live context, used by this thread alone.
        self.checked_unit("removing a scheme", |ctx| unsafe { sys::damon_ctx_remove_scheme(ctx, index) })?;
        // With schemes of a preset in between, positions differ; they are not told then.
        let removed = self.with_config(|config| {
            let known = !config.has_preset && index < config.schemes.len();
            known.then(|| config.schemes.remove(index))
        })?;
        drop(removed);
        Ok(())
    }

    /// A scheme, to be changed while the context is stopped.
    pub fn scheme_mut(&mut self, index: usize) -> Option<SchemeMut<'_>> {
        (index < self.nr_schemes()).then_some(SchemeMut { context: self, index })
    }

    /// Copies the regions as they are in the middle of a window: manually driven, between two steps. With a worker, use
    /// [`Worker::live_snapshot`](crate::Worker::live_snapshot) inside of [`Monitor::call`].
    ///
    /// # Errors
    /// `Busy`: the worker is at work on the regions; `Canceled`: the context does not run.
    pub fn live_snapshot<'a>(&mut self, buffer: &'a mut SnapshotBuffer) -> Result<Snapshot<'a>> {
        // Safety: a live context, used by this thread alone; the buffer has the room that is given.
        let (result, info) =
            buffer.fill(|regions, cap, info| unsafe { sys::damon_live_read(self.as_ptr(), regions, cap, info) });
        self.checked("live snapshot", |_| result)?;
        Ok(buffer.snapshot(info))
    }

    pub(crate) fn require_stopped(&self, what: &str) -> Result<()> {
        if self.is_running() {
            return Err(Error::new(-errno::EBUSY, format!("{what} of a running context: stop it, or commit()")));
        }
        Ok(())
    }
}

impl Deref for Context {
    type Target = Monitor;

    fn deref(&self) -> &Monitor {
        &self.monitor
    }
}

/// Frees a context, then what it used.
fn free(ctx: *mut sys::damon_ctx) {
    // Safety: the caller owns the handle and gives it up. What its callbacks and its ops use lives until it is freed.
    let monitor = ManuallyDrop::new(unsafe { Monitor::from_raw(NonNull::new_unchecked(ctx)) });
    let machine = monitor.occupy_machine();
    let free_handle = || unsafe { sys::damon_ctx_free(ctx) };
    // Stopped first: callbacks at the end of the run may still ask the registry.
    unsafe { sys::damon_stop(&mut monitor.as_ptr(), 1) };
    let shared = registry::remove(ctx);
    free_handle();
    drop(machine);
    drop(shared);
}

impl Drop for Context {
    fn drop(&mut self) {
        let ctx = self.as_ptr();
        if !callback::in_callback_of(ctx) {
            free(ctx);
            return;
        }
        // The library frees nothing inside of its own callback. Where no thread can be had, the context stays for ever.
        let address = ctx as usize;
        let _ = std::thread::Builder::new()
            .name("damon-free".to_owned())
            .spawn(move || free(address as *mut sys::damon_ctx));
    }
}
