//! Contexts over toy addresses whose accesses a test decides, in virtual time.
#![allow(dead_code)] // each test uses its part

use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use damon::{Builder, Context, Drive, Operations, Result, Sample, Seen};

pub const PAGE: usize = 4096;
pub const MEMORY: Range<usize> = 16 * PAGE..(16 + 256) * PAGE;

/// Sees accesses to one range of addresses, in every interval.
#[derive(Clone, Default)]
pub struct ToyOps {
    pub hot: Arc<Mutex<Range<usize>>>,
    pub calls: Arc<Mutex<Vec<&'static str>>>,
}

impl ToyOps {
    pub fn on(hot: Range<usize>) -> Self {
        ToyOps { hot: Arc::new(Mutex::new(hot)), ..ToyOps::default() }
    }

    pub fn nr_calls(&self, name: &str) -> usize {
        self.calls.lock().unwrap().iter().filter(|call| **call == name).count()
    }
}

impl Operations for ToyOps {
    fn init(&mut self, _worker: &damon::Worker<'_>) -> std::result::Result<(), i32> {
        self.calls.lock().unwrap().push("init");
        Ok(())
    }

    fn check_accesses(&mut self, samples: &mut [Sample]) {
        let hot = self.hot.lock().unwrap().clone();
        for sample in samples {
            sample.answer(if hot.contains(&sample.addr()) { Seen::Yes } else { Seen::No });
        }
    }

    fn disarm(&mut self) {
        self.calls.lock().unwrap().push("disarm");
    }

    fn cleanup(&mut self) {
        self.calls.lock().unwrap().push("cleanup");
    }
}

/// Windows of 5 samples of a millisecond, seed 1, driven by steps.
pub fn builder() -> Builder {
    let builder = Context::builder().drive(Drive::Manual).seed(1).range(MEMORY);
    builder.sample(Duration::from_millis(1)).aggregation(Duration::from_millis(5)).nr_regions(10..=100)
}

pub fn started(builder: Builder, ops: &ToyOps) -> Context {
    let mut context = builder.build().unwrap();
    context.set_operations(ops.clone()).unwrap();
    context.start().unwrap();
    context
}

/// Steps through the milliseconds of `range`.
pub fn run(context: &Context, range: Range<u64>) -> Result<()> {
    range.into_iter().try_for_each(|ms| context.step(Duration::from_millis(ms)))
}
