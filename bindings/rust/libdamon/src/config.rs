use crate::error::errno;
use crate::lock::lock;
use crate::{Builder, Coverage, Error, Monitor, Ops, Probe, Result, Scheme, Target};

/// What a context was given, as it was given: the library does not tell it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    pub(crate) targets: Vec<Target>,
    pub(crate) schemes: Vec<Scheme>,
    pub(crate) probes: Vec<Probe>,
    /// Some schemes are of a preset, which makes them in the library.
    pub(crate) has_preset: bool,
    /// Not left to the targets.
    pub(crate) has_ops: bool,
    pub(crate) min_region_sz: Option<usize>,
    pub(crate) coverage: Coverage,
}

impl Config {
    /// Becomes what a commit makes of it: see [`Monitor::commit`].
    pub(crate) fn take(&mut self, source: &Config) {
        let mut targets = Vec::new();
        for (position, wanted) in source.targets.iter().enumerate().filter(|(_, wanted)| !wanted.is_obsolete()) {
            let mut target = wanted.clone();
            if let Some(old) = self.targets.get(position).filter(|_| wanted.ranges().is_empty()) {
                target.set_ranges_to(old.ranges());
            }
            targets.push(target);
        }
        let has_ops = self.has_ops || source.has_ops;
        *self = Config { targets, has_ops, ..source.clone() };
    }

    /// The ops that the targets need: exactly the given ranges where all have some, the mappings of the process where none
    /// has.
    pub(crate) fn fitting_ops(&self) -> Result<Ops> {
        let nr_with_ranges = self.targets.iter().filter(|target| !target.ranges().is_empty()).count();
        if nr_with_ranges == 0 {
            return Ok(Ops::Vaddr);
        }
        if nr_with_ranges == self.targets.len() {
            return Ok(Ops::Fvaddr);
        }
        let words =
            "start: some targets have ranges and some follow the mappings of the process: use two contexts, or \
                     choose Ops::Vaddr";
        Err(Error::new(-errno::EINVAL, words))
    }
}

impl Monitor {
    /// Reads what the context was given.
    pub(crate) fn with_config<R>(&self, read: impl FnOnce(&mut Config) -> R) -> Result<R> {
        let shared = self.shared().ok_or_else(|| Error::new(-errno::EINVAL, "the context is being freed"))?;
        let mut config = lock(&shared.config);
        let config = config.downcast_mut::<Config>();
        Ok(read(config.expect("made with the context")))
    }

    /// The targets, as they were given or committed.
    ///
    /// # Errors
    /// Only while the context is being freed.
    pub fn targets(&self) -> Result<Vec<Target>> {
        self.with_config(|config| config.targets.clone())
    }

    /// The schemes, as they were given or committed.
    ///
    /// # Errors
    /// `Unsupported`: some are of a preset.
    pub fn schemes(&self) -> Result<Vec<Scheme>> {
        self.with_config(|config| if config.has_preset { None } else { Some(config.schemes.clone()) })?.ok_or_else(
            || {
                Error::new(
                    -errno::EOPNOTSUPP,
                    "schemes: those of a preset are made in the library, and are not read back",
                )
            },
        )
    }

    /// The probes, as they were given or committed.
    ///
    /// # Errors
    /// Only while the context is being freed.
    pub fn probes(&self) -> Result<Vec<Probe>> {
        self.with_config(|config| config.probes.clone())
    }

    /// A builder of a context like this one: attributes (intervals as tuned), targets, schemes, probes, and whether it is
    /// paused; for [`commit`](Monitor::commit). The ops, the drive and the seed are the new context's own.
    ///
    /// # Errors
    /// As [`schemes`](Monitor::schemes).
    pub fn to_builder(&self) -> Result<Builder> {
        let schemes = self.schemes()?;
        let config = self.with_config(|config| config.clone())?;
        let mut builder = Builder::new().attrs(self.attrs()?).paused(self.is_paused()).coverage(config.coverage);
        if let Some(size) = config.min_region_sz {
            builder = builder.min_region_sz(size);
        }
        builder = config.targets.into_iter().fold(builder, Builder::target);
        builder = schemes.into_iter().fold(builder, Builder::scheme);
        Ok(config.probes.into_iter().fold(builder, Builder::probe))
    }

    /// Changes parameters, running or not: the closure gets a builder with all that the context has now, changes it, and
    /// the result is committed. Reading and committing are one step of the worker, so that no change of another thread is
    /// lost in between, and a paused context stays paused.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # fn main() -> damon::Result<()> {
    /// # let memory = vec![0u8; 1 << 20];
    /// let context = damon::Context::builder().target(damon::Target::of(&memory[..])).start()?;
    /// context.change(|builder| builder.aggregation(Duration::from_millis(200)))?;
    /// assert_eq!(context.attrs()?.aggregation_interval(), Duration::from_millis(200));
    /// # context.stop()
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`commit`](Monitor::commit) and [`schemes`](Monitor::schemes).
    pub fn change(&self, change: impl FnOnce(Builder) -> Builder + Send) -> Result<()> {
        self.on_worker("change", |monitor| {
            let source = change(monitor.to_builder()?).build()?;
            monitor.commit_here(&source)
        })
    }
}
