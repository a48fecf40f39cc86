use std::ops::RangeInclusive;
use std::ptr::NonNull;

use damon_sys as sys;

use crate::structs::zeroed;
use crate::{Context, Error, Monitor, Result, SnapshotBuffer, SnapshotInfo};

/// What a probe looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum ProbeProperty {
    /// Anonymous memory.
    Anonymous,
    /// Of a process in this control group (inode number of its directory).
    Memcg(u64),
    /// In a page of so many bytes.
    PageSize(RangeInclusive<u64>),
}

/// An attribute of memory that is sampled alongside accesses. Without filters it always hits.
///
/// Once some probe of a context has a weight, only attributes are monitored: no page is armed, accesses are not looked
/// at, and regions are merged and split by the weighted sum of hits.
///
/// ```
/// use damon::{Probe, ProbeProperty};
///
/// let huge = Probe::new().hit(ProbeProperty::PageSize(2 << 20..=2 << 20));
/// # let _ = huge;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Probe {
    weight: u32,
    filters: Vec<(ProbeProperty, bool, bool)>,
}

impl Probe {
    /// How many probes a context can have.
    pub const MAX: usize = sys::DAMON_MAX_PROBES as usize;

    /// Without filters and without weight.
    #[must_use]
    pub fn new() -> Self {
        Probe::default()
    }

    /// Monitor by it; 0 (the default): a by-product.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// Memory with the property is a hit. The first filter whose property matches decides.
    #[must_use]
    pub fn hit(self, property: ProbeProperty) -> Self {
        self.filter(property, true, true)
    }

    /// Memory with the property is no hit.
    #[must_use]
    pub fn miss(self, property: ProbeProperty) -> Self {
        self.filter(property, true, false)
    }

    /// A filter in full: of memory that `has_it` or not, whether it is a hit.
    #[must_use]
    pub fn filter(mut self, property: ProbeProperty, has_it: bool, hit: bool) -> Self {
        self.filters.push((property, has_it, hit));
        self
    }

    /// Gives the context a probe like this.
    fn add_to(&self, context: &mut Context) -> Result<()> {
        // Safety: the handle is ours until it is added, and freed where it was not; all pointers live long enough.
        unsafe {
            let probe =
                NonNull::new(sys::damon_probe_new()).ok_or_else(|| Error::no_memory("making a probe"))?.as_ptr();
            let added = set_weight(probe, self.weight)
                .and_then(|()| self.filters.iter().try_for_each(|filter| add_filter(probe, filter)))
                .and_then(|()| context.checked_unit("adding a probe", |ctx| sys::damon_ctx_add_probe(ctx, probe)));
            if added.is_err() {
                sys::damon_probe_free(probe);
            }
            added?;
        }
        context.with_config(|config| config.probes.push(self.clone()))
    }
}

/// Safety of these two: `probe` is a live handle that no other thread uses.
unsafe fn set_weight(probe: *mut sys::damon_probe, weight: u32) -> Result<()> {
    match sys::damon_probe_set_weight(probe, weight) {
        0 => Ok(()),
        error => Err(Error::of(error, "the weight of a probe")),
    }
}

unsafe fn add_filter(probe: *mut sys::damon_probe, filter: &(ProbeProperty, bool, bool)) -> Result<()> {
    let (property, has_it, hit) = filter;
    let mut raw = zeroed(sys::damon_probe_filter_init);
    raw.matching = (*has_it).into();
    raw.allow = (*hit).into();
    raw.type_ = match property {
        ProbeProperty::Anonymous => sys::DAMON_PROBE_FILTER_ANON,
        ProbeProperty::Memcg(id) => {
            raw.memcg_id = *id;
            sys::DAMON_PROBE_FILTER_MEMCG
        }
        ProbeProperty::PageSize(bytes) => {
            (raw.min_bytes, raw.max_bytes) = (*bytes.start(), *bytes.end());
            sys::DAMON_PROBE_FILTER_HUGEPAGE_SIZE
        }
    } as i32;
    match sys::damon_probe_add_filter(probe, &raw) {
        0 => Ok(()),
        error => Err(Error::of(error, &format!("the filter {property:?} (ranges must not be inverted)"))),
    }
}

/// How often each probe hit in one region, by position of the probe; stays at 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct ProbeHits([u8; Probe::MAX]);

impl std::ops::Deref for ProbeHits {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// A probe of a stopped context, to be changed. While the context runs, use [`Monitor::commit`].
#[derive(Debug)]
pub struct ProbeMut<'a> {
    context: &'a mut Context,
    index: usize,
}

impl ProbeMut<'_> {
    /// The handle, which stays valid: the context is stopped, and nobody else can start it meanwhile.
    fn handle(&self) -> Result<*mut sys::damon_probe> {
        self.context.require_stopped("a probe")?;
        // Safety: a live context.
        Ok(unsafe { sys::damon_ctx_probe(self.context.as_ptr(), self.index) })
    }

    /// See [`Probe::weight`].
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn set_weight(&mut self, weight: u32) -> Result<()> {
        let probe = self.handle()?;
        // Safety: see handle().
        unsafe { set_weight(probe, weight) }?;
        self.context.with_config(|config| config.probes.get_mut(self.index).map_or((), |probe| probe.weight = weight))
    }

    /// See [`Probe::filter`].
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn add_filter(&mut self, property: ProbeProperty, has_it: bool, hit: bool) -> Result<()> {
        let probe = self.handle()?;
        // Safety: see handle().
        let filter = (property, has_it, hit);
        unsafe { add_filter(probe, &filter) }?;
        self.context
            .with_config(|config| config.probes.get_mut(self.index).map_or((), |probe| probe.filters.push(filter)))
    }
}

impl Context {
    /// Appends a probe; at most [`Probe::MAX`].
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: a value is wrong.
    pub fn add_probe(&mut self, probe: &Probe) -> Result<()> {
        probe.add_to(self)
    }

    /// Removes a probe; those behind it move up.
    ///
    /// # Errors
    /// `Busy`: the context runs; `InvalidInput`: there is no such probe.
    pub fn remove_probe(&mut self, index: usize) -> Result<()> {
        // Safety: a live context, used by this thread alone.
        self.checked_unit("removing a probe", |ctx| unsafe { sys::damon_ctx_remove_probe(ctx, index) })?;
        self.with_config(|config| drop(config.probes.drain(index..=index)))
    }

    /// A probe, to be changed while the context is stopped.
    pub fn probe_mut(&mut self, index: usize) -> Option<ProbeMut<'_>> {
        if index >= self.nr_probes() {
            return None;
        }
        Some(ProbeMut { context: self, index })
    }
}

impl Monitor {
    /// How many probes there are.
    #[must_use]
    pub fn nr_probes(&self) -> usize {
        // Safety: a live context.
        unsafe { sys::damon_ctx_nr_probes(self.as_ptr()) }
    }

    /// Copies the last snapshot as [`snapshot`](Monitor::snapshot) does, with the hits of each region's probes.
    ///
    /// # Errors
    /// Only where the handle belongs to the parent of a fork (`Forked`).
    pub fn snapshot_probes(&self, buffer: &mut SnapshotBuffer, hits: &mut Vec<ProbeHits>) -> Result<SnapshotInfo> {
        let (result, info) = buffer.fill(|regions, cap, info| {
            hits.clear();
            hits.resize(cap, ProbeHits([0; Probe::MAX]));
            // Safety: a live context; both have the room that is given, and hits are the same on both sides.
            unsafe { sys::damon_snapshot_read_probes(self.as_ptr(), regions, hits.as_mut_ptr().cast(), cap, info) }
        });
        hits.truncate(self.checked("snapshot", |_| result)?);
        Ok(info)
    }
}
