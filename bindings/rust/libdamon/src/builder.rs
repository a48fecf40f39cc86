use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use crate::{AccessCheck, Attrs, Context, Coverage, Drive, Ops, Probe, Result, Scheme, Target};

/// Collects what a context is to have. Values are checked by [`build`](Builder::build) and at the start.
///
/// ```
/// # use std::time::Duration;
/// # fn main() -> damon::Result<()> {
/// let memory = vec![0u8; 1 << 20];
/// let context = damon::Context::builder()
///     .ops(damon::Ops::Fvaddr)
///     .target(damon::Target::of(&memory[..]))
///     .sample(Duration::from_millis(5))
///     .aggregation(Duration::from_millis(100))
///     .build()?;
/// assert_eq!(context.nr_targets(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Builder {
    attrs: Attrs,
    ops: Option<Ops>,
    drive: Option<Drive>,
    check: Option<AccessCheck>,
    seed: Option<u64>,
    min_region_sz: Option<usize>,
    targets: Vec<Target>,
    schemes: Vec<Scheme>,
    probes: Vec<Probe>,
    paused: bool,
    coverage: Coverage,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Builder::default()
    }

    /// All attributes at once.
    #[must_use]
    pub fn attrs(mut self, attrs: Attrs) -> Self {
        self.attrs = attrs;
        self
    }

    /// See [`Attrs::sample`].
    #[must_use]
    pub fn sample(mut self, interval: Duration) -> Self {
        self.attrs = self.attrs.sample(interval);
        self
    }

    /// See [`Attrs::aggregation`].
    #[must_use]
    pub fn aggregation(mut self, interval: Duration) -> Self {
        self.attrs = self.attrs.aggregation(interval);
        self
    }

    /// See [`Attrs::nr_regions`].
    #[must_use]
    pub fn nr_regions(mut self, bounds: RangeInclusive<usize>) -> Self {
        self.attrs = self.attrs.nr_regions(bounds);
        self
    }

    /// Who looks at memory.
    #[must_use]
    pub fn ops(mut self, ops: Ops) -> Self {
        self.ops = Some(ops);
        self
    }

    /// Who calls the sampling intervals.
    #[must_use]
    pub fn drive(mut self, drive: Drive) -> Self {
        self.drive = Some(drive);
        self
    }

    /// How accesses are seen.
    #[must_use]
    pub fn access_check(mut self, check: AccessCheck) -> Self {
        self.check = Some(check);
        self
    }

    /// See [`Context::set_seed`].
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// See [`Context::set_min_region_sz`].
    #[must_use]
    pub fn min_region_sz(mut self, size: usize) -> Self {
        self.min_region_sz = Some(size);
        self
    }

    /// Adds a target.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.targets.push(target);
        self
    }

    /// Adds a target of one range.
    #[must_use]
    pub fn range(self, range: Range<usize>) -> Self {
        self.target(Target::new().range(range))
    }

    /// Adds a scheme.
    #[must_use]
    pub fn scheme(mut self, scheme: Scheme) -> Self {
        self.schemes.push(scheme);
        self
    }

    /// Adds a probe.
    #[must_use]
    pub fn probe(mut self, probe: Probe) -> Self {
        self.probes.push(probe);
        self
    }

    /// Takes all schemes away.
    #[must_use]
    pub fn without_schemes(mut self) -> Self {
        self.schemes.clear();
        self
    }

    /// Takes all targets away.
    #[must_use]
    pub fn without_targets(mut self) -> Self {
        self.targets.clear();
        self
    }

    /// See [`Context::set_coverage`].
    #[must_use]
    pub fn coverage(mut self, coverage: Coverage) -> Self {
        self.coverage = coverage;
        self
    }

    /// Whether it starts paused; of the source of a commit: whether the destination is paused then.
    #[must_use]
    pub fn paused(mut self, paused: bool) -> Self {
        self.paused = paused;
        self
    }

    /// A stopped context like this.
    ///
    /// # Errors
    /// What a setter of [`Context`] refuses: `InvalidInput`, or `OutOfMemory`.
    pub fn build(self) -> Result<Context> {
        let mut context = Context::new()?;
        context.set_attrs(&self.attrs)?;
        self.ops.map_or(Ok(()), |ops| context.set_ops(ops))?;
        self.drive.map_or(Ok(()), |drive| context.set_drive(drive))?;
        self.check.map_or(Ok(()), |check| context.set_access_check(check))?;
        self.seed.map_or(Ok(()), |seed| context.set_seed(seed))?;
        self.min_region_sz.map_or(Ok(()), |size| context.set_min_region_sz(size))?;
        self.targets.iter().try_for_each(|target| context.add_target(target))?;
        self.schemes.iter().try_for_each(|scheme| context.add_scheme(scheme))?;
        self.probes.iter().try_for_each(|probe| context.add_probe(probe))?;
        if self.coverage != Coverage::default() {
            context.set_coverage(self.coverage)?;
        }
        if self.paused {
            context.pause()?;
        }
        Ok(context)
    }

    /// Builds it and starts it.
    ///
    /// # Errors
    /// As [`start_all`](crate::start_all); of a builder also as its `build`.
    pub fn start(self) -> Result<Context> {
        let context = self.build()?;
        context.start()?;
        Ok(context)
    }
}
