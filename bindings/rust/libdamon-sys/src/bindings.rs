// Written by bindings/rust/generate from damon_c.h; not to be edited.

pub const DAMON_VERSION_MAJOR: u32 = 0;
pub const DAMON_VERSION_MINOR: u32 = 1;
pub const DAMON_VERSION_PATCH: u32 = 0;
pub const DAMON_SURVEY_DEFAULT: i32 = -1;
pub const DAMON_MAX_PROBES: u32 = 4;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct damon_ctx {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct damon_target {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct damos {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct damon_probe {
    _unused: [u8; 0],
}
extern "C" {
    /**Version of the library that is linked.

Returns `major << 16 | minor << 8 | patch`. Thread: any.*/
    pub fn damon_version() -> u32;
}
extern "C" {
    /**The same as text, such as "0.1.0".

Returns Static text. Thread: any.*/
    pub fn damon_version_string() -> *const crate::ctypes::c_char;
}
extern "C" {
    /**What an error number means in this library.

- `err`: A negative errno as returned by this library (a positive one is understood too).

Returns Static text, never NULL; "unknown error" for numbers the library does not use. Thread: any.*/
    pub fn damon_strerror(err: crate::ctypes::c_int) -> *const crate::ctypes::c_char;
}
/// Addresses [start, end). Frozen.
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_addr_range {
    /// First address.
    pub start: u64,
    /// One past the last address; greater than start.
    pub end: u64,
}
#[test]
fn bindgen_test_layout_damon_addr_range() {
    const UNINIT: ::core::mem::MaybeUninit<damon_addr_range> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_addr_range>(),
        16usize,
        "Size of damon_addr_range",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_addr_range>(),
        8usize,
        "Alignment of damon_addr_range",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).start) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_addr_range::start",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).end) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_addr_range::end",
    );
}
/// How often to look and how many regions to keep. See damon_attrs_init() for the defaults.
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_attrs {
    /// sizeof(struct damon_attrs).
    pub size: u32,
    /// 0.
    pub reserved: u32,
    /// Sampling interval; at most aggr_us. 0: as fast as possible. Default 5,000.
    pub sample_us: u64,
    /// Aggregation interval: a snapshot each. Default 100,000.
    pub aggr_us: u64,
    /**How often mappings are read again. 0: every sampling interval. Default 1,000,000, for
which the kernel's DAMON (DAMON_OPS_KERNEL_VADDR) takes its own, 60 seconds.*/
    pub ops_update_us: u64,
    /// At least 3, at most max_nr_regions. Accuracy's lower bound. Default 10.
    pub min_nr_regions: u64,
    /// Cost's upper bound; a tenth, at least 16 or half, is for splits. Default 1,000.
    pub max_nr_regions: u64,
    /// Interval tuning.
    pub intervals_goal: damon_attrs__bindgen_ty_1,
    /**Most that monitoring may cost over time, in 1/1,000 of one CPU (1 to 1,000; 0: no limit). Default 10, one per cent.
Counted are, from the end of damon_start() on, all of the worker's own CPU time (sampling with merging and
splitting, reading the mappings) and an estimate of what the program pays for each access that is seen (a page
fault), not schemes and callbacks, which have quotas. A tenth of a second may be spent in advance; then a worker
that costs more passes sampling intervals over: a window takes as long as ever and has fewer samples, five at
least, each of which counts for the intervals since the one before, so that counts have the same maximum. Where
that is not enough, or there are probes, sampling intervals become longer, and windows with them
(damon_snapshot_info.window_us says so), and damon_ctx_stats.nr_skipped_intervals grows. Reading the mappings may
take a quarter of the limit; beyond that they are read less often than ops_update_us says. damon_ctx_get_state()
says both. Calls, commits, pause and stop do not wait longer for it. Without effect on manually driven and
simulated contexts, but for a simulator with prices (damon_sim_params.sample_ns).*/
    pub max_overhead_permil: u64,
    /**How often accessed bits are read for memory whose reads cannot be sampled, in microseconds, at most 60,000,000. 0
(default): never. Passes go over memory that is flagged DAMON_RANGE_STABLE, or over all private memory with
DAMON_COVER_STABLE, in windows of a huge page, each of which they make a mapping of its own until the context is
paused or stopped, or the range removed: a quarter at most of the mappings that the process may still have, larger
windows where those are too few. They work in small steps between the samples, and count as cost: what the worker
takes, and what the program pays for the next access to each page (150 ns). Where half of max_overhead_permil is
too little the time between passes grows; what was not looked at for a minute is unknown. One context of a process
at a time has passes. docs/access-checks.md has prices and stalls. Without userfaultfd's write protection (Linux
6.7) mappings stay whole and are told as a whole; where the kernel balances NUMA nodes then (kernel.numa_balancing),
one that was not touched and is not all in memory is unknown. -EOPNOTSUPP with operations that read no accessed
bits.*/
    pub referenced_us: u64,
    /**Budget of surveys, in basis points of a CPU, at most 10,000. A sample that hits in a region that was not hot is
followed, by questions of up to 128 pages, until the run of hot pages around it has exact bounds; the run becomes
a region of its own when the window ends. So a mebibyte that is hot in a gibibyte is found within half a second
rather than one to four. What they cost, with the program's page faults, stays within the budget in any ten
seconds; it counts against max_overhead_permil too. Samples fall on points that leave no gaps then, rather than at
random, while the regions are at most a quarter of max_nr_regions. Nothing is followed where they are more than
that and than 40. 0: none, the algorithm is the
kernel's. #DAMON_SURVEY_DEFAULT (default): 10, a thousandth of a CPU, where the operations can serve surveys, else
0; other values on operations that cannot (custom ones, a kernel's DAMON, DAMON_ACCESS_CHECK_REPORT) are refused
with -EOPNOTSUPP by damon_start() and damon_commit_ctx(). See docs/surveys.md.*/
    pub survey_bp: u64,
}
/// Tunes sample_us and aggr_us (their ratio stays) until access_bp of the possible samples are positive.
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_attrs__bindgen_ty_1 {
    /// Wanted share of positive samples, weighted by size, in basis points.
    pub access_bp: u64,
    /// Retune every N aggregation intervals. 0 (default): no tuning.
    pub aggrs: u64,
    /// sample_us stays in [min_sample_us, max_sample_us].
    pub min_sample_us: u64,
    /// See min_sample_us.
    pub max_sample_us: u64,
}
#[test]
fn bindgen_test_layout_damon_attrs__bindgen_ty_1() {
    const UNINIT: ::core::mem::MaybeUninit<damon_attrs__bindgen_ty_1> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_attrs__bindgen_ty_1>(),
        32usize,
        "Size of damon_attrs__bindgen_ty_1",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_attrs__bindgen_ty_1>(),
        8usize,
        "Alignment of damon_attrs__bindgen_ty_1",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).access_bp) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_attrs__bindgen_ty_1::access_bp",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).aggrs) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_attrs__bindgen_ty_1::aggrs",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).min_sample_us) as usize - ptr as usize },
        16usize,
        "Offset of field: damon_attrs__bindgen_ty_1::min_sample_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).max_sample_us) as usize - ptr as usize },
        24usize,
        "Offset of field: damon_attrs__bindgen_ty_1::max_sample_us",
    );
}
#[test]
fn bindgen_test_layout_damon_attrs() {
    const UNINIT: ::core::mem::MaybeUninit<damon_attrs> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(::core::mem::size_of::<damon_attrs>(), 104usize, "Size of damon_attrs");
    assert_eq!(
        ::core::mem::align_of::<damon_attrs>(),
        8usize,
        "Alignment of damon_attrs",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_attrs::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).reserved) as usize - ptr as usize },
        4usize,
        "Offset of field: damon_attrs::reserved",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).sample_us) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_attrs::sample_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).aggr_us) as usize - ptr as usize },
        16usize,
        "Offset of field: damon_attrs::aggr_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).ops_update_us) as usize - ptr as usize },
        24usize,
        "Offset of field: damon_attrs::ops_update_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).min_nr_regions) as usize - ptr as usize },
        32usize,
        "Offset of field: damon_attrs::min_nr_regions",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).max_nr_regions) as usize - ptr as usize },
        40usize,
        "Offset of field: damon_attrs::max_nr_regions",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).intervals_goal) as usize - ptr as usize },
        48usize,
        "Offset of field: damon_attrs::intervals_goal",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).max_overhead_permil) as usize - ptr as usize
        },
        80usize,
        "Offset of field: damon_attrs::max_overhead_permil",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).referenced_us) as usize - ptr as usize },
        88usize,
        "Offset of field: damon_attrs::referenced_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).survey_bp) as usize - ptr as usize },
        96usize,
        "Offset of field: damon_attrs::survey_bp",
    );
}
/// It could.
pub const DAMON_UNKNOWN_NONE: damon_unknown_reason = 0;
/// A huge page, which the access check would have to split.
pub const DAMON_UNKNOWN_HUGE_PAGE: damon_unknown_reason = 1;
/// The mapping is not registered with the access check (yet).
pub const DAMON_UNKNOWN_NOT_REGISTERED: damon_unknown_reason = 2;
/// The mapping is registered with a userfaultfd of the program's own.
pub const DAMON_UNKNOWN_OTHER_USERFAULTFD: damon_unknown_reason = 3;
/// The mapping's protection, or a right this process lacks.
pub const DAMON_UNKNOWN_PERMISSION: damon_unknown_reason = 4;
/// Nothing is mapped there.
pub const DAMON_UNKNOWN_UNMAPPED: damon_unknown_reason = 5;
/// damon_exclude().
pub const DAMON_UNKNOWN_EXCLUDED: damon_unknown_reason = 6;
/// A child of fork shares the pages.
pub const DAMON_UNKNOWN_SHARED_WITH_CHILD: damon_unknown_reason = 7;
/// mlock(): accessed bits cannot be cleared.
pub const DAMON_UNKNOWN_LOCKED: damon_unknown_reason = 8;
/// Reclaim may have cleared the evidence.
pub const DAMON_UNKNOWN_RECLAIMED: damon_unknown_reason = 9;
/// The context was paused.
pub const DAMON_UNKNOWN_PAUSED: damon_unknown_reason = 10;
/// Not looked at yet, or too large to examine.
pub const DAMON_UNKNOWN_NOT_EXAMINED: damon_unknown_reason = 11;
/// The program closed the library's file descriptors.
pub const DAMON_UNKNOWN_LOST_DESCRIPTOR: damon_unknown_reason = 12;
/// No access check works on this kind of memory here.
pub const DAMON_UNKNOWN_NO_ACCESS_CHECK: damon_unknown_reason = 13;
/**Another reason, such as a failed system call, lost reports, or huge pages that
the balancing of NUMA nodes may hide.*/
pub const DAMON_UNKNOWN_OTHER: damon_unknown_reason = 14;
/// Why memory could not be looked at.
pub type damon_unknown_reason = crate::ctypes::c_uint;
/// One region as it was at the end of a window. Frozen.
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_region_info {
    /// First address.
    pub start: u64,
    /// One past the last address.
    pub end: u64,
    /**For how long nr_accesses stayed similar, microseconds of monitoring. A window of which one
sampling interval took most (a stopped process) counts at most twice aggr_us.*/
    pub age_us: u64,
    /**Since the last access that was seen, or since the region is watched where there was none;
in the same time as age_us. 2^64-1: not known (#DAMON_REGION_UNKNOWN).
With #DAMON_REGION_REFERENCED: no more than the time for which passes over accessed bits
have seen all of it untouched, up to the last pass.*/
    pub idle_us: u64,
    /// Position of its target in the context.
    pub target_idx: u32,
    /// Samples of the window that found it accessed, of damon_snapshot_info.max_nr_accesses.
    pub nr_accesses: u32,
    /// Windows for which nr_accesses stayed similar.
    pub age: u32,
    /// enum damon_region_flags.
    pub flags: u32,
    /// enum damon_unknown_reason: why (part of) the window's samples had no answer.
    pub unknown_reason: i32,
    /// 0.
    pub reserved: u32,
}
#[test]
fn bindgen_test_layout_damon_region_info() {
    const UNINIT: ::core::mem::MaybeUninit<damon_region_info> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_region_info>(),
        56usize,
        "Size of damon_region_info",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_region_info>(),
        8usize,
        "Alignment of damon_region_info",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).start) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_region_info::start",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).end) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_region_info::end",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).age_us) as usize - ptr as usize },
        16usize,
        "Offset of field: damon_region_info::age_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).idle_us) as usize - ptr as usize },
        24usize,
        "Offset of field: damon_region_info::idle_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).target_idx) as usize - ptr as usize },
        32usize,
        "Offset of field: damon_region_info::target_idx",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).nr_accesses) as usize - ptr as usize },
        36usize,
        "Offset of field: damon_region_info::nr_accesses",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).age) as usize - ptr as usize },
        40usize,
        "Offset of field: damon_region_info::age",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).flags) as usize - ptr as usize },
        44usize,
        "Offset of field: damon_region_info::flags",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).unknown_reason) as usize - ptr as usize },
        48usize,
        "Offset of field: damon_region_info::unknown_reason",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).reserved) as usize - ptr as usize },
        52usize,
        "Offset of field: damon_region_info::reserved",
    );
}
/**Less than a quarter of the window's samples could be looked at: nr_accesses does not
mean cold, age and age_us stand still, and no action but DAMOS_STAT is applied, and
DAMOS_NOHUGEPAGE where #DAMON_UNKNOWN_HUGE_PAGE is the reason.*/
pub const DAMON_REGION_UNKNOWN: damon_region_flags = 1;
/// Only writes to (a part of) this region can be seen.
pub const DAMON_REGION_WRITES_ONLY: damon_region_flags = 2;
/**Some samples of the window could not be looked at: nr_accesses is scaled from those
that could. damon_region_info.unknown_reason says why.*/
pub const DAMON_REGION_PARTIAL: damon_region_flags = 4;
/**Passes over accessed bits (damon_attrs.referenced_us) know all of the region, reads
too, where samples cannot: touched since the last pass: idle_us is 0 and
nr_accesses at least 1, how often is for the samples to say. Untouched: age, age_us
and idle_us are of time in which passes saw it so. It is not #DAMON_REGION_UNKNOWN,
and for schemes its reads are seen.*/
pub const DAMON_REGION_REFERENCED: damon_region_flags = 8;
/// Flags of damon_region_info.
pub type damon_region_flags = crate::ctypes::c_uint;
/// What a snapshot is, besides its regions.
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_snapshot_info {
    /// sizeof(struct damon_snapshot_info).
    pub size: u32,
    /// enum damon_snapshot_flags.
    pub flags: u32,
    /// Number of the snapshot since damon_ctx_new(), from 1; 0: there is none yet.
    pub seq: u64,
    /// CLOCK_MONOTONIC (virtual time for a manually driven context).
    pub time_ns: u64,
    /// Sampling interval of the window, as tuned.
    pub sample_us: u64,
    /// Aggregation interval of the window, as tuned; window_us is the real one.
    pub aggr_us: u64,
    /// Regions in the snapshot.
    pub nr_regions: u64,
    /// Sampling intervals since the start.
    pub passed_sample_intervals: u64,
    /// What nr_accesses is out of: samples in one window.
    pub max_nr_accesses: u32,
    /// Targets in the context.
    pub nr_targets: u32,
    /// How long the window really was, without pauses; damon_live_read(): so far.
    pub window_us: u64,
}
#[test]
fn bindgen_test_layout_damon_snapshot_info() {
    const UNINIT: ::core::mem::MaybeUninit<damon_snapshot_info> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_snapshot_info>(),
        72usize,
        "Size of damon_snapshot_info",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_snapshot_info>(),
        8usize,
        "Alignment of damon_snapshot_info",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_snapshot_info::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).flags) as usize - ptr as usize },
        4usize,
        "Offset of field: damon_snapshot_info::flags",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).seq) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_snapshot_info::seq",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).time_ns) as usize - ptr as usize },
        16usize,
        "Offset of field: damon_snapshot_info::time_ns",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).sample_us) as usize - ptr as usize },
        24usize,
        "Offset of field: damon_snapshot_info::sample_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).aggr_us) as usize - ptr as usize },
        32usize,
        "Offset of field: damon_snapshot_info::aggr_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).nr_regions) as usize - ptr as usize },
        40usize,
        "Offset of field: damon_snapshot_info::nr_regions",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).passed_sample_intervals) as usize - ptr as usize
        },
        48usize,
        "Offset of field: damon_snapshot_info::passed_sample_intervals",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).max_nr_accesses) as usize - ptr as usize },
        56usize,
        "Offset of field: damon_snapshot_info::max_nr_accesses",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).nr_targets) as usize - ptr as usize },
        60usize,
        "Offset of field: damon_snapshot_info::nr_targets",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).window_us) as usize - ptr as usize },
        64usize,
        "Offset of field: damon_snapshot_info::window_us",
    );
}
/// Reads of some region cannot be seen here: "cold" means "not written".
pub const DAMON_SNAPSHOT_WRITES_ONLY: damon_snapshot_flags = 1;
/// Some region could not be looked at, or hardly.
pub const DAMON_SNAPSHOT_UNKNOWN: damon_snapshot_flags = 2;
/// Some region could not be looked at in every sample.
pub const DAMON_SNAPSHOT_PARTIAL: damon_snapshot_flags = 4;
/// Flags of damon_snapshot_info.
pub type damon_snapshot_flags = crate::ctypes::c_uint;
/// Counters of one context since damon_ctx_new(); they only grow.
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_ctx_stats {
    /// sizeof(struct damon_ctx_stats).
    pub size: u32,
    /// 0.
    pub reserved: u32,
    /// Sampling intervals done.
    pub nr_intervals: u64,
    /// Deadlines left out: by a late worker, or to keep max_overhead_permil.
    pub nr_skipped_intervals: u64,
    /// Times the worker woke from a wait, for whatever reason.
    pub nr_wakeups: u64,
    /// Questions asked: one per region and interval.
    pub nr_samples: u64,
    /// Questions that could not be answered.
    pub nr_unknown_samples: u64,
    /// Questions whose answer could see writes only.
    pub nr_writes_only_samples: u64,
    /// CPU time of the worker thread, all runs.
    pub cpu_ns: u64,
    /// damon_report_access() calls dropped because the queue was full.
    pub nr_lost_reports: u64,
    /// nr_unknown_samples by enum damon_unknown_reason.
    pub nr_unknown_by_reason: [u64; 16usize],
    /**Part of cpu_ns: arming, looking, counting, merging, splitting, and all that is not
below. These parts are 0 with manual drive.*/
    pub sampling_cpu_ns: u64,
    /// Part of cpu_ns: reading the mappings.
    pub update_cpu_ns: u64,
    /// Part of cpu_ns: schemes and callbacks.
    pub action_cpu_ns: u64,
    /// Part of cpu_ns: surveys.
    pub survey_cpu_ns: u64,
    /// Part of cpu_ns: passes over accessed bits.
    pub referenced_cpu_ns: u64,
}
#[test]
fn bindgen_test_layout_damon_ctx_stats() {
    const UNINIT: ::core::mem::MaybeUninit<damon_ctx_stats> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_ctx_stats>(),
        240usize,
        "Size of damon_ctx_stats",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_ctx_stats>(),
        8usize,
        "Alignment of damon_ctx_stats",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_ctx_stats::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).reserved) as usize - ptr as usize },
        4usize,
        "Offset of field: damon_ctx_stats::reserved",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).nr_intervals) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_ctx_stats::nr_intervals",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).nr_skipped_intervals) as usize - ptr as usize
        },
        16usize,
        "Offset of field: damon_ctx_stats::nr_skipped_intervals",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).nr_wakeups) as usize - ptr as usize },
        24usize,
        "Offset of field: damon_ctx_stats::nr_wakeups",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).nr_samples) as usize - ptr as usize },
        32usize,
        "Offset of field: damon_ctx_stats::nr_samples",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).nr_unknown_samples) as usize - ptr as usize
        },
        40usize,
        "Offset of field: damon_ctx_stats::nr_unknown_samples",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).nr_writes_only_samples) as usize - ptr as usize
        },
        48usize,
        "Offset of field: damon_ctx_stats::nr_writes_only_samples",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).cpu_ns) as usize - ptr as usize },
        56usize,
        "Offset of field: damon_ctx_stats::cpu_ns",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).nr_lost_reports) as usize - ptr as usize },
        64usize,
        "Offset of field: damon_ctx_stats::nr_lost_reports",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).nr_unknown_by_reason) as usize - ptr as usize
        },
        72usize,
        "Offset of field: damon_ctx_stats::nr_unknown_by_reason",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).sampling_cpu_ns) as usize - ptr as usize },
        200usize,
        "Offset of field: damon_ctx_stats::sampling_cpu_ns",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).update_cpu_ns) as usize - ptr as usize },
        208usize,
        "Offset of field: damon_ctx_stats::update_cpu_ns",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).action_cpu_ns) as usize - ptr as usize },
        216usize,
        "Offset of field: damon_ctx_stats::action_cpu_ns",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).survey_cpu_ns) as usize - ptr as usize },
        224usize,
        "Offset of field: damon_ctx_stats::survey_cpu_ns",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).referenced_cpu_ns) as usize - ptr as usize
        },
        232usize,
        "Offset of field: damon_ctx_stats::referenced_cpu_ns",
    );
}
extern "C" {
    /**Fills in size and the defaults.

- `attrs`: Written; NULL is ignored. Thread: any.*/
    pub fn damon_attrs_init(attrs: *mut damon_attrs);
}
extern "C" {
    /**Fills in size and zeroes.

- `info`: Written; NULL is ignored. Thread: any.*/
    pub fn damon_snapshot_info_init(info: *mut damon_snapshot_info);
}
extern "C" {
    /**Fills in size and zeroes.

- `stats`: Written; NULL is ignored. Thread: any.*/
    pub fn damon_ctx_stats_init(stats: *mut damon_ctx_stats);
}
/// Virtual addresses of a process: what is mapped, in the given ranges if any. Default.
pub const DAMON_OPS_VADDR: damon_ops_id = 0;
/// Virtual addresses; exactly the ranges given, for ever.
pub const DAMON_OPS_FVADDR: damon_ops_id = 1;
/// Physical addresses: not in this release (`-EOPNOTSUPP` at start).
pub const DAMON_OPS_PADDR: damon_ops_id = 2;
/// The program's own: damon_ctx_set_custom_ops().
pub const DAMON_OPS_CUSTOM: damon_ops_id = 16;
/// The simulator: damon_ctx_set_sim().
pub const DAMON_OPS_SIM: damon_ops_id = 17;
/// As VADDR for any process, by the running kernel's DAMON. Needs root.
pub const DAMON_OPS_KERNEL_VADDR: damon_ops_id = 18;
/// As FVADDR for any process, by the running kernel's DAMON. Needs root.
pub const DAMON_OPS_KERNEL_FVADDR: damon_ops_id = 19;
/**Physical addresses, by the running kernel's DAMON; one target, whose ranges are
all memory if none are given. Needs root.*/
pub const DAMON_OPS_KERNEL_PADDR: damon_ops_id = 20;
/// Who looks at memory, and what kind of target that needs.
pub type damon_ops_id = crate::ctypes::c_uint;
/// A worker thread (default).
pub const DAMON_DRIVE_THREAD: damon_drive = 0;
/// damon_step(): virtual time, simulations, event loops.
pub const DAMON_DRIVE_MANUAL: damon_drive = 1;
/// Who calls the sampling intervals.
pub type damon_drive = crate::ctypes::c_uint;
extern "C" {
    /**Makes a stopped context with default parameters, no target, no scheme.

Returns The context, to be freed with damon_ctx_free(); NULL: out of memory. Thread: any.*/
    pub fn damon_ctx_new() -> *mut damon_ctx;
}
extern "C" {
    /**Frees a context with everything it owns; stops it first if it runs.

- `ctx`: NULL is fine. Not from a callback of this context: there the call does nothing.
Thread: control; no other call on this context may be under way.*/
    pub fn damon_ctx_free(ctx: *mut damon_ctx);
}
extern "C" {
    /**The reason of the context's last failure, in words. Also why a worker ended on its own.

- `buf`: Written, always terminated if len > 0; may be NULL if len is 0.

- `len`: Bytes in buf.

Returns Length of the whole text without the terminator (as snprintf), 0: nothing failed so far; -EINVAL.
Thread: any.*/
    pub fn damon_ctx_errmsg(
        ctx: *const damon_ctx,
        buf: *mut crate::ctypes::c_char,
        len: usize,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Replaces the monitoring attributes.

- `attrs`: Copied.

Returns 0; -EINVAL: min_nr_regions < 3 or > max_nr_regions, sample_us > aggr_us, or an intervals_goal whose range is
inverted or does not hold sample_us; -E2BIG; -ENOMEM: max_nr_regions too large to reserve; -EBUSY. Nothing changes on
failure. Thread: owner. On the worker of a running context it acts at once, as damon_commit_ctx().*/
    pub fn damon_ctx_set_attrs(
        ctx: *mut damon_ctx,
        attrs: *const damon_attrs,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Reads the attributes; intervals as tuned, where tuning is on.

- `attrs_out`: Its size must be set (damon_attrs_init()); written.

Returns 0; -EINVAL; -E2BIG. Thread: any.*/
    pub fn damon_ctx_get_attrs(
        ctx: *const damon_ctx,
        attrs_out: *mut damon_attrs,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Chooses who looks at memory.

With DAMON_OPS_KERNEL_VADDR, _FVADDR and _PADDR the running kernel's DAMON monitors and applies the schemes, driven by
root through /sys/kernel/mm/damon/admin, and the context's worker follows it: everything else of this header works as
with the library's own operations. What is different:
- damon_start() fails with -EPERM where the caller may not write there, with -EOPNOTSUPP where the kernel has no such
DAMON or lacks a setting that is asked for, with -EINVAL where it refuses one, and with -EBUSY where
another user holds it: there is one for the whole system. damon_ctx_errmsg() names the user, or the setting.
- damon_stop() leaves it as it was found. If the program is killed instead, the kernel's monitor stays, until a
process that is its only target has ended and /sys/kernel/mm/damon/admin/kdamonds/nr_kdamonds is set to 0.
- A snapshot comes when the kernel has tried every scheme once: once in an aggregation interval, or in the longest
apply_interval_us, and calls, commits and damon_stop() may wait as long. Reading many regions is expensive: the
worker then leaves windows out rather than take more than about 5 % of a processor.
- damos_walk() reports regions after the kernel has acted on them; DAMOS_CALLBACK, probes of virtual addresses, access
checks, manual drive and a min_region_sz other than the kernel's are refused; a seed has no effect; damon_snapshot_info's
passed_sample_intervals and the counters of samples in damon_ctx_stats stay 0; damos_stat.active is always 1.
- damon_set_pause() fails with -EOPNOTSUPP on kernels that cannot pause.

- `ops_id`: DAMON_OPS_VADDR, _FVADDR, _PADDR, or one of DAMON_OPS_KERNEL_VADDR, _FVADDR, _PADDR. CUSTOM and SIM are
chosen by their own functions.

Returns 0; -EINVAL: not one of these; -EBUSY: running (also on the worker). Thread: owner.*/
    pub fn damon_ctx_set_ops(ctx: *mut damon_ctx, ops_id: i32) -> crate::ctypes::c_int;
}
extern "C" {
    /**Smallest region, and the granularity of every boundary that the monitor draws.

- `min_region_sz`: Core units; a power of two. Default: the page size.

Returns 0; -EINVAL: not a power of two; -EBUSY. Thread: owner.*/
    pub fn damon_ctx_set_min_region_sz(
        ctx: *mut damon_ctx,
        min_region_sz: u64,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Bytes per core unit. Only physical back-ends read it.

- `addr_unit`: At least 1. Default 1.

Returns 0; -EINVAL: 0; -EBUSY. Thread: owner.*/
    pub fn damon_ctx_set_addr_unit(
        ctx: *mut damon_ctx,
        addr_unit: u64,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Makes a run repeatable: the same seed and the same accesses give the same regions.

- `seed`: 0 (default): a new one from the system at every start.

Returns 0; -EINVAL; -EBUSY: running (also on the worker). Thread: owner.*/
    pub fn damon_ctx_set_seed(ctx: *mut damon_ctx, seed: u64) -> crate::ctypes::c_int;
}
extern "C" {
    /**Chooses between a worker thread and damon_step().

- `drive`: enum damon_drive.

Returns 0; -EINVAL; -EBUSY: running (also on the worker). Thread: owner.*/
    pub fn damon_ctx_set_drive(ctx: *mut damon_ctx, drive: i32) -> crate::ctypes::c_int;
}
extern "C" {
    /**Reads the context's counters.

- `stats_out`: Its size must be set; written.

Returns 0; -EINVAL; -E2BIG. Thread: any.*/
    pub fn damon_ctx_get_stats(
        ctx: *const damon_ctx,
        stats_out: *mut damon_ctx_stats,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Makes a target: this process, no ranges.

Returns The target, owned by the caller until damon_ctx_add_target() succeeds; NULL: out of memory.
Thread: any.*/
    pub fn damon_target_new() -> *mut damon_target;
}
extern "C" {
    /**Frees a target that belongs to no context; one that does is left alone.

- `t`: NULL is fine. Thread: owner.*/
    pub fn damon_target_free(t: *mut damon_target);
}
extern "C" {
    /**Which process.

- `t`: The target.

- `pid`: 0 (default) is this process. Others are accepted here and refused at start by back-ends that cannot see
them.

Returns 0; -EINVAL: negative; -EBUSY: its context runs (also on the worker). Thread: owner.*/
    pub fn damon_target_set_pid(t: *mut damon_target, pid: i32) -> crate::ctypes::c_int;
}
extern "C" {
    /**Which addresses. On the worker of a running context the regions are fitted at once: regions that stay inside keep
what they learned.

- `t`: The target.

- `ranges`: Copied; sorted, disjoint (touching is fine), each start < end. They are aligned outwards to
min_region_sz when they are used. They are never left: DAMON_OPS_VADDR watches what is mapped inside of them, as far
as it can be read or written, and looks again every ops_update_us; DAMON_OPS_FVADDR watches all of them.

- `nr_ranges`: 0 removes all: DAMON_OPS_VADDR then covers the memory of this process: what is populated of
readable or writable anonymous and shared memory, and of the pages of private file mappings that were changed; not
stacks, drivers' and special mappings, or the library's own pages (damon_ctx_set_coverage() says more or less). Of
another process it covers the three areas round the two biggest gaps.

Returns 0; -EINVAL: an empty, inverted, unsorted or overlapping range; -ENOMEM; -EBUSY: its context runs, and this is
not one of its calls, init or update. Nothing changes on failure. Thread: owner.*/
    pub fn damon_target_set_regions(
        t: *mut damon_target,
        ranges: *const damon_addr_range,
        nr_ranges: usize,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Marks a target of a commit's source: the destination's target at this position is to be removed.

- `t`: The target.

- `obsolete`: 1 or 0 (default).

Returns 0; -EINVAL; -EBUSY. Thread: owner.*/
    pub fn damon_target_set_obsolete(
        t: *mut damon_target,
        obsolete: crate::ctypes::c_int,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Gives a target to a context, which appends it and owns it from then on.

- `t`: A target that belongs to no context.

Returns 0; -EINVAL: it belongs to one already; -ENOMEM; -EBUSY: running (also on the worker; use damon_commit_ctx()).
On failure the caller still owns t. Thread: owner.*/
    pub fn damon_ctx_add_target(
        ctx: *mut damon_ctx,
        t: *mut damon_target,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Removes and frees a target; those behind it move up.

- `idx`: Position.

Returns 0; -EINVAL: no such target; -EBUSY: running (also on the worker). Thread: owner.*/
    pub fn damon_ctx_remove_target(
        ctx: *mut damon_ctx,
        idx: usize,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**

Returns How many targets it has; 0 for NULL. Thread: any.*/
    pub fn damon_ctx_nr_targets(ctx: *const damon_ctx) -> usize;
}
extern "C" {
    /**
- `idx`: Position.

Returns The target, owned by the context and valid until it is removed or a commit replaces it; NULL: no such target.
Thread: any.*/
    pub fn damon_ctx_target(ctx: *const damon_ctx, idx: usize) -> *mut damon_target;
}
/// madvise(MADV_WILLNEED): pages of files and swap that are in memory right after.
pub const DAMOS_WILLNEED: damos_action = 0;
/// madvise(MADV_COLD): pages that were there.
pub const DAMOS_COLD: damos_action = 1;
/// madvise(MADV_PAGEOUT): anonymous memory needs swap.
pub const DAMOS_PAGEOUT: damos_action = 2;
/**madvise(MADV_HUGEPAGE) of the whole huge pages in a region. Regions smaller than that have none: set
damon_ctx_set_min_region_sz() to the size of a huge page. The same holds for the next two.*/
pub const DAMOS_HUGEPAGE: damos_action = 3;
/// madvise(MADV_NOHUGEPAGE).
pub const DAMOS_NOHUGEPAGE: damos_action = 4;
/// madvise(MADV_COLLAPSE): synchronous; what has no page in it stays so.
pub const DAMOS_COLLAPSE: damos_action = 5;
/// Move to the active list. User space cannot: `-EOPNOTSUPP` with virtual addresses.
pub const DAMOS_LRU_PRIO: damos_action = 6;
/// Move to the inactive list; with virtual addresses as DAMOS_COLD.
pub const DAMOS_LRU_DEPRIO: damos_action = 7;
/// Move to another NUMA node, hottest first.
pub const DAMOS_MIGRATE_HOT: damos_action = 8;
/// Move to another NUMA node, coldest first.
pub const DAMOS_MIGRATE_COLD: damos_action = 9;
/// Count only.
pub const DAMOS_STAT: damos_action = 10;
/// Call damos_params.action_fn.
pub const DAMOS_CALLBACK: damos_action = 11;
/**What a scheme does with a matching region. What was done is measured, not assumed: see damos_stat.sz_applied.
PAGEOUT, COLD, LRU_DEPRIO and MIGRATE_COLD spare memory whose reads cannot be seen: DAMOS_ALLOW_UNSEEN_READS.*/
pub type damos_action = crate::ctypes::c_uint;
/**The embedding program's own action (DAMOS_CALLBACK): an allocator purges, a collector compacts.
Called on the worker.

- `data`: damos_params.action_data.

- `region`: The region, nr_accesses as a moving sum; valid during the call.

- `scheme_idx`: Position of the scheme.

Returns Bytes dealt with. They count as applied and are charged to the quota.*/
pub type damos_action_fn = ::core::option::Option<
    unsafe extern "C" fn(
        data: *mut crate::ctypes::c_void,
        ctx: *mut damon_ctx,
        region: *const damon_region_info,
        scheme_idx: usize,
    ) -> u64,
>;
/// damon_ctx_set_quota_goal_value(): the program's own score.
pub const DAMOS_QUOTA_USER_INPUT: damos_quota_goal_metric = 0;
/**Growth of "some" memory pressure, microseconds per window. Without
/proc/pressure/memory: -EOPNOTSUPP at start and commit.*/
pub const DAMOS_QUOTA_SOME_MEM_PSI_US: damos_quota_goal_metric = 1;
/// Used memory of node nid.
pub const DAMOS_QUOTA_NODE_MEM_USED_BP: damos_quota_goal_metric = 2;
/// Free memory of node nid.
pub const DAMOS_QUOTA_NODE_MEM_FREE_BP: damos_quota_goal_metric = 3;
/// Memory of the group on node nid over the node's.
pub const DAMOS_QUOTA_NODE_MEMCG_USED_BP: damos_quota_goal_metric = 4;
/// 10,000 minus that.
pub const DAMOS_QUOTA_NODE_MEMCG_FREE_BP: damos_quota_goal_metric = 5;
/// Active over active plus inactive memory.
pub const DAMOS_QUOTA_ACTIVE_MEM_BP: damos_quota_goal_metric = 6;
/// 10,000 minus that.
pub const DAMOS_QUOTA_INACTIVE_MEM_BP: damos_quota_goal_metric = 7;
/// Share of the matching memory that is on node nid. Physical only.
pub const DAMOS_QUOTA_NODE_ELIGIBLE_MEM_BP: damos_quota_goal_metric = 8;
/**Free share of this process's memory group: limit minus usage, of the
limit. Without one: -EOPNOTSUPP at start and commit.*/
pub const DAMOS_QUOTA_OWN_MEMCG_FREE_BP: damos_quota_goal_metric = 9;
/// Whose measure a quota goal follows.
pub type damos_quota_goal_metric = crate::ctypes::c_uint;
/// Grow or shrink the quota in proportion to the distance from the goal.
pub const DAMOS_QUOTA_GOAL_TUNER_CONSIST: damos_quota_goal_tuner = 0;
/// Everything the size quota allows until the goal is reached, then nothing.
pub const DAMOS_QUOTA_GOAL_TUNER_TEMPORAL: damos_quota_goal_tuner = 1;
/// How a goal's score turns into an effective quota.
pub type damos_quota_goal_tuner = crate::ctypes::c_uint;
/// Always active.
pub const DAMOS_WMARK_NONE: damos_wmark_metric = 0;
/// Free memory (MemFree), permil of all. In a container this says nothing.
pub const DAMOS_WMARK_FREE_MEM_RATE: damos_wmark_metric = 1;
/**Limit minus usage of this process's memory group, permil of the limit (cgroup 1 and 2; of nested groups the one
with the least left; usage includes the page cache). Without a limit: -EOPNOTSUPP at start and commit.*/
pub const DAMOS_WMARK_OWN_MEMCG_FREE_RATE: damos_wmark_metric = 2;
/// What a watermark is compared with.
pub type damos_wmark_metric = crate::ctypes::c_uint;
/// Anonymous memory.
pub const DAMOS_FILTER_ANON: damos_filter_type = 0;
/// On the active list. Not exposed to user space: `-EOPNOTSUPP`.
pub const DAMOS_FILTER_ACTIVE: damos_filter_type = 1;
/// Charged to memcg_id.
pub const DAMOS_FILTER_MEMCG: damos_filter_type = 2;
/// Accessed since it was last looked at. Not exposed to user space: `-EOPNOTSUPP`.
pub const DAMOS_FILTER_YOUNG: damos_filter_type = 3;
/// In a page of min_bytes to max_bytes.
pub const DAMOS_FILTER_HUGEPAGE_SIZE: damos_filter_type = 4;
/// No page is mapped there: swapped out, or never touched.
pub const DAMOS_FILTER_UNMAPPED: damos_filter_type = 5;
/// In [addr_start, addr_end).
pub const DAMOS_FILTER_ADDR: damos_filter_type = 6;
/// In the target at position target_idx.
pub const DAMOS_FILTER_TARGET: damos_filter_type = 7;
/**What a filter looks at. ADDR and TARGET are decided for whole regions, the others page by page; so ADDR and TARGET
come first, in whatever order filters were added.*/
pub type damos_filter_type = crate::ctypes::c_uint;
/**PAGEOUT, COLD, LRU_DEPRIO and MIGRATE_COLD act also on memory whose reads cannot be seen: private memory below
Linux 7.3, which may be read all the time and looks cold. Without this flag they leave such pages alone, mapping
by mapping (custom operations: region by region), and a region that has no others does not count as tried. See
DAMOS_SKIP_UNSEEN_READS. Other actions act, and regions say so by DAMON_REGION_WRITES_ONLY.*/
pub const DAMOS_ALLOW_UNSEEN_READS: damos_flags = 1;
/// Flags of damos_params.
pub type damos_flags = crate::ctypes::c_uint;
/// Everything about a scheme but its filters, goals and destinations. All bounds are inclusive.
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct damos_params {
    /// sizeof(struct damos_params).
    pub size: u32,
    /// enum damos_action. Default DAMOS_STAT.
    pub action: i32,
    /// Access pattern.
    pub pattern: damos_params__bindgen_ty_1,
    /// How often to apply. 0 (default): every aggr_us.
    pub apply_interval_us: u64,
    /// Quota.
    pub quota: damos_params__bindgen_ty_2,
    /// Watermarks.
    pub wmarks: damos_params__bindgen_ty_3,
    /// MIGRATE_*: destination node; -1 (default): none.
    pub target_nid: i32,
    /// enum damos_flags. Default 0.
    pub flags: u32,
    /// Stop after this many passes; 0 (default): never.
    pub max_nr_snapshots: u64,
    /// DAMOS_CALLBACK: called for each region.
    pub action_fn: damos_action_fn,
    /// Handed to action_fn.
    pub action_data: *mut crate::ctypes::c_void,
    /**Not 0: the youngest age as time; takes the place of pattern.min_age, and keeps its meaning where interval tuning
changes how long a window is. Default 0.*/
    pub min_age_us: u64,
}
/// Which regions. Default: all. Bounds that no region can lie in are refused.
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damos_params__bindgen_ty_1 {
    /// Smallest size, core units.
    pub min_sz: u64,
    /// Largest size, core units.
    pub max_sz: u64,
    /// Fewest accesses in the last aggr_us (a moving sum).
    pub min_nr_accesses: u32,
    /// Most accesses.
    pub max_nr_accesses: u32,
    /// Youngest, in aggregation intervals.
    pub min_age: u32,
    /// Oldest, in aggregation intervals.
    pub max_age: u32,
}
#[test]
fn bindgen_test_layout_damos_params__bindgen_ty_1() {
    const UNINIT: ::core::mem::MaybeUninit<damos_params__bindgen_ty_1> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damos_params__bindgen_ty_1>(),
        32usize,
        "Size of damos_params__bindgen_ty_1",
    );
    assert_eq!(
        ::core::mem::align_of::<damos_params__bindgen_ty_1>(),
        8usize,
        "Alignment of damos_params__bindgen_ty_1",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).min_sz) as usize - ptr as usize },
        0usize,
        "Offset of field: damos_params__bindgen_ty_1::min_sz",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).max_sz) as usize - ptr as usize },
        8usize,
        "Offset of field: damos_params__bindgen_ty_1::max_sz",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).min_nr_accesses) as usize - ptr as usize },
        16usize,
        "Offset of field: damos_params__bindgen_ty_1::min_nr_accesses",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).max_nr_accesses) as usize - ptr as usize },
        20usize,
        "Offset of field: damos_params__bindgen_ty_1::max_nr_accesses",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).min_age) as usize - ptr as usize },
        24usize,
        "Offset of field: damos_params__bindgen_ty_1::min_age",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).max_age) as usize - ptr as usize },
        28usize,
        "Offset of field: damos_params__bindgen_ty_1::max_age",
    );
}
/// How much at most, and what first. Default: no limit.
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damos_params__bindgen_ty_2 {
    /// Length of a charge window; 0: every application.
    pub reset_interval_ms: u64,
    /// Time that acting may take in a window; 0: no limit.
    pub ms: u64,
    /// Core units acted on in a window, min_region_sz or more; 0: no limit.
    pub sz: u64,
    /// Relative weight of size (no back-end uses it).
    pub weight_sz: u32,
    /// Relative weight of the access frequency.
    pub weight_nr_accesses: u32,
    /// Relative weight of the age.
    pub weight_age: u32,
    /// enum damos_quota_goal_tuner.
    pub goal_tuner: i32,
    /// What was tried and not done is charged num / denom;
    pub fail_charge_num: u32,
    /// 0 (default): fully.
    pub fail_charge_denom: u32,
}
#[test]
fn bindgen_test_layout_damos_params__bindgen_ty_2() {
    const UNINIT: ::core::mem::MaybeUninit<damos_params__bindgen_ty_2> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damos_params__bindgen_ty_2>(),
        48usize,
        "Size of damos_params__bindgen_ty_2",
    );
    assert_eq!(
        ::core::mem::align_of::<damos_params__bindgen_ty_2>(),
        8usize,
        "Alignment of damos_params__bindgen_ty_2",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).reset_interval_ms) as usize - ptr as usize
        },
        0usize,
        "Offset of field: damos_params__bindgen_ty_2::reset_interval_ms",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).ms) as usize - ptr as usize },
        8usize,
        "Offset of field: damos_params__bindgen_ty_2::ms",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).sz) as usize - ptr as usize },
        16usize,
        "Offset of field: damos_params__bindgen_ty_2::sz",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).weight_sz) as usize - ptr as usize },
        24usize,
        "Offset of field: damos_params__bindgen_ty_2::weight_sz",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).weight_nr_accesses) as usize - ptr as usize
        },
        28usize,
        "Offset of field: damos_params__bindgen_ty_2::weight_nr_accesses",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).weight_age) as usize - ptr as usize },
        32usize,
        "Offset of field: damos_params__bindgen_ty_2::weight_age",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).goal_tuner) as usize - ptr as usize },
        36usize,
        "Offset of field: damos_params__bindgen_ty_2::goal_tuner",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).fail_charge_num) as usize - ptr as usize },
        40usize,
        "Offset of field: damos_params__bindgen_ty_2::fail_charge_num",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).fail_charge_denom) as usize - ptr as usize
        },
        44usize,
        "Offset of field: damos_params__bindgen_ty_2::fail_charge_denom",
    );
}
/// When. Default: always.
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damos_params__bindgen_ty_3 {
    /// enum damos_wmark_metric.
    pub metric: i32,
    /// Above: inactive. permil.
    pub high: u32,
    /// Below, from inactive: active. permil.
    pub mid: u32,
    /// Below: inactive. permil.
    pub low: u32,
    /// How often to look while inactive.
    pub interval_us: u64,
}
#[test]
fn bindgen_test_layout_damos_params__bindgen_ty_3() {
    const UNINIT: ::core::mem::MaybeUninit<damos_params__bindgen_ty_3> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damos_params__bindgen_ty_3>(),
        24usize,
        "Size of damos_params__bindgen_ty_3",
    );
    assert_eq!(
        ::core::mem::align_of::<damos_params__bindgen_ty_3>(),
        8usize,
        "Alignment of damos_params__bindgen_ty_3",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).metric) as usize - ptr as usize },
        0usize,
        "Offset of field: damos_params__bindgen_ty_3::metric",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).high) as usize - ptr as usize },
        4usize,
        "Offset of field: damos_params__bindgen_ty_3::high",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).mid) as usize - ptr as usize },
        8usize,
        "Offset of field: damos_params__bindgen_ty_3::mid",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).low) as usize - ptr as usize },
        12usize,
        "Offset of field: damos_params__bindgen_ty_3::low",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).interval_us) as usize - ptr as usize },
        16usize,
        "Offset of field: damos_params__bindgen_ty_3::interval_us",
    );
}
#[test]
fn bindgen_test_layout_damos_params() {
    const UNINIT: ::core::mem::MaybeUninit<damos_params> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(::core::mem::size_of::<damos_params>(), 160usize, "Size of damos_params");
    assert_eq!(
        ::core::mem::align_of::<damos_params>(),
        8usize,
        "Alignment of damos_params",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damos_params::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).action) as usize - ptr as usize },
        4usize,
        "Offset of field: damos_params::action",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).pattern) as usize - ptr as usize },
        8usize,
        "Offset of field: damos_params::pattern",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).apply_interval_us) as usize - ptr as usize
        },
        40usize,
        "Offset of field: damos_params::apply_interval_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).quota) as usize - ptr as usize },
        48usize,
        "Offset of field: damos_params::quota",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).wmarks) as usize - ptr as usize },
        96usize,
        "Offset of field: damos_params::wmarks",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).target_nid) as usize - ptr as usize },
        120usize,
        "Offset of field: damos_params::target_nid",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).flags) as usize - ptr as usize },
        124usize,
        "Offset of field: damos_params::flags",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).max_nr_snapshots) as usize - ptr as usize
        },
        128usize,
        "Offset of field: damos_params::max_nr_snapshots",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).action_fn) as usize - ptr as usize },
        136usize,
        "Offset of field: damos_params::action_fn",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).action_data) as usize - ptr as usize },
        144usize,
        "Offset of field: damos_params::action_data",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).min_age_us) as usize - ptr as usize },
        152usize,
        "Offset of field: damos_params::min_age_us",
    );
}
/**A filter of a scheme: the first whose property matches decides, of ADDR and TARGET filters before the others. What an
ADDR or TARGET filter allows is acted on without a look at the others.*/
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damos_filter {
    /// sizeof(struct damos_filter).
    pub size: u32,
    /// enum damos_filter_type.
    pub type_: i32,
    /// 1: filter memory that has the property, 0: memory that has it not.
    pub matching: u32,
    /// 1: act on it, 0: do not.
    pub allow: u32,
    /// MEMCG: inode number of the cgroup's directory.
    pub memcg_id: u64,
    /// ADDR.
    pub addr_start: u64,
    /// ADDR; greater than addr_start.
    pub addr_end: u64,
    /// HUGEPAGE_SIZE.
    pub min_bytes: u64,
    /// HUGEPAGE_SIZE; at least min_bytes.
    pub max_bytes: u64,
    /// TARGET.
    pub target_idx: u32,
    /// 0.
    pub reserved: u32,
}
#[test]
fn bindgen_test_layout_damos_filter() {
    const UNINIT: ::core::mem::MaybeUninit<damos_filter> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(::core::mem::size_of::<damos_filter>(), 64usize, "Size of damos_filter");
    assert_eq!(
        ::core::mem::align_of::<damos_filter>(),
        8usize,
        "Alignment of damos_filter",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damos_filter::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).type_) as usize - ptr as usize },
        4usize,
        "Offset of field: damos_filter::type_",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).matching) as usize - ptr as usize },
        8usize,
        "Offset of field: damos_filter::matching",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).allow) as usize - ptr as usize },
        12usize,
        "Offset of field: damos_filter::allow",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).memcg_id) as usize - ptr as usize },
        16usize,
        "Offset of field: damos_filter::memcg_id",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).addr_start) as usize - ptr as usize },
        24usize,
        "Offset of field: damos_filter::addr_start",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).addr_end) as usize - ptr as usize },
        32usize,
        "Offset of field: damos_filter::addr_end",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).min_bytes) as usize - ptr as usize },
        40usize,
        "Offset of field: damos_filter::min_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).max_bytes) as usize - ptr as usize },
        48usize,
        "Offset of field: damos_filter::max_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).target_idx) as usize - ptr as usize },
        56usize,
        "Offset of field: damos_filter::target_idx",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).reserved) as usize - ptr as usize },
        60usize,
        "Offset of field: damos_filter::reserved",
    );
}
/// A goal of a scheme's quota. The most satisfied goal decides.
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damos_quota_goal {
    /// sizeof(struct damos_quota_goal).
    pub size: u32,
    /// enum damos_quota_goal_metric.
    pub metric: i32,
    /// NODE_*: the node.
    pub nid: i32,
    /// 0.
    pub reserved: u32,
    /// To be reached; not 0.
    pub target_value: u64,
    /// USER_INPUT: how it stands.
    pub current_value: u64,
    /// NODE_MEMCG_*: inode number of the cgroup's directory.
    pub memcg_id: u64,
}
#[test]
fn bindgen_test_layout_damos_quota_goal() {
    const UNINIT: ::core::mem::MaybeUninit<damos_quota_goal> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damos_quota_goal>(),
        40usize,
        "Size of damos_quota_goal",
    );
    assert_eq!(
        ::core::mem::align_of::<damos_quota_goal>(),
        8usize,
        "Alignment of damos_quota_goal",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damos_quota_goal::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).metric) as usize - ptr as usize },
        4usize,
        "Offset of field: damos_quota_goal::metric",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).nid) as usize - ptr as usize },
        8usize,
        "Offset of field: damos_quota_goal::nid",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).reserved) as usize - ptr as usize },
        12usize,
        "Offset of field: damos_quota_goal::reserved",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).target_value) as usize - ptr as usize },
        16usize,
        "Offset of field: damos_quota_goal::target_value",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).current_value) as usize - ptr as usize },
        24usize,
        "Offset of field: damos_quota_goal::current_value",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).memcg_id) as usize - ptr as usize },
        32usize,
        "Offset of field: damos_quota_goal::memcg_id",
    );
}
/// A destination of MIGRATE_*. Frozen.
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damos_migrate_dest {
    /// NUMA node.
    pub nid: u32,
    /// Share of the pages, relative to the other destinations.
    pub weight: u32,
}
#[test]
fn bindgen_test_layout_damos_migrate_dest() {
    const UNINIT: ::core::mem::MaybeUninit<damos_migrate_dest> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damos_migrate_dest>(),
        8usize,
        "Size of damos_migrate_dest",
    );
    assert_eq!(
        ::core::mem::align_of::<damos_migrate_dest>(),
        4usize,
        "Alignment of damos_migrate_dest",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).nid) as usize - ptr as usize },
        0usize,
        "Offset of field: damos_migrate_dest::nid",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).weight) as usize - ptr as usize },
        4usize,
        "Offset of field: damos_migrate_dest::weight",
    );
}
/// What a scheme has done since it was added. Commits do not reset it.
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damos_stat {
    /// sizeof(struct damos_stat).
    pub size: u32,
    /// 1: its watermarks let it run.
    pub active: u32,
    /// Regions handed to the action.
    pub nr_tried: u64,
    /// Their size.
    pub sz_tried: u64,
    /// Regions on which something was done.
    pub nr_applied: u64,
    /// Core units on which it was done.
    pub sz_applied: u64,
    /// Core units that passed the page-level filters.
    pub sz_ops_filter_passed: u64,
    /// Charge windows that ended with the quota used up.
    pub qt_exceeds: u64,
    /// Complete passes.
    pub nr_snapshots: u64,
    /// Effective size quota now, core units; 0: none set or nothing allowed.
    pub esz: u64,
}
#[test]
fn bindgen_test_layout_damos_stat() {
    const UNINIT: ::core::mem::MaybeUninit<damos_stat> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(::core::mem::size_of::<damos_stat>(), 72usize, "Size of damos_stat");
    assert_eq!(::core::mem::align_of::<damos_stat>(), 8usize, "Alignment of damos_stat");
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damos_stat::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).active) as usize - ptr as usize },
        4usize,
        "Offset of field: damos_stat::active",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).nr_tried) as usize - ptr as usize },
        8usize,
        "Offset of field: damos_stat::nr_tried",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).sz_tried) as usize - ptr as usize },
        16usize,
        "Offset of field: damos_stat::sz_tried",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).nr_applied) as usize - ptr as usize },
        24usize,
        "Offset of field: damos_stat::nr_applied",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).sz_applied) as usize - ptr as usize },
        32usize,
        "Offset of field: damos_stat::sz_applied",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).sz_ops_filter_passed) as usize - ptr as usize
        },
        40usize,
        "Offset of field: damos_stat::sz_ops_filter_passed",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).qt_exceeds) as usize - ptr as usize },
        48usize,
        "Offset of field: damos_stat::qt_exceeds",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).nr_snapshots) as usize - ptr as usize },
        56usize,
        "Offset of field: damos_stat::nr_snapshots",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).esz) as usize - ptr as usize },
        64usize,
        "Offset of field: damos_stat::esz",
    );
}
extern "C" {
    /**Fills in size and the defaults: matches everything, DAMOS_STAT, no quota.

- `p`: Written; NULL is ignored.
Thread: any.*/
    pub fn damos_params_init(p: *mut damos_params);
}
extern "C" {
    /**Fills in size and zeroes.

- `f`: Written; NULL is ignored. Thread: any.*/
    pub fn damos_filter_init(f: *mut damos_filter);
}
extern "C" {
    /**Fills in size and the defaults (USER_INPUT, no node).

- `g`: Written; NULL is ignored. Thread: any.*/
    pub fn damos_quota_goal_init(g: *mut damos_quota_goal);
}
extern "C" {
    /**Fills in size and zeroes.

- `s`: Written; NULL is ignored. Thread: any.*/
    pub fn damos_stat_init(s: *mut damos_stat);
}
extern "C" {
    /**Makes a scheme. Its validity is checked when it is started or committed, as parts of it may still be added.

- `p`: Copied.

Returns The scheme, owned by the caller until damon_ctx_add_scheme() succeeds; NULL: out of memory, or p has an
unknown size. Thread: any.*/
    pub fn damos_new(p: *const damos_params) -> *mut damos;
}
extern "C" {
    /**Frees a scheme that belongs to no context; one that does is left alone.

- `s`: NULL is fine. Thread: owner.*/
    pub fn damos_free(s: *mut damos);
}
extern "C" {
    /**Replaces the parameters; filters, goals and destinations stay.

- `s`: The scheme.

- `p`: Copied.

Returns 0; -EINVAL; -E2BIG; -EBUSY: its context runs (also on the worker). Thread: owner.*/
    pub fn damos_set_params(
        s: *mut damos,
        p: *const damos_params,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Appends a filter.

- `s`: The scheme.

- `f`: Copied.

Returns 0; -EINVAL: unknown type, addr_start >= addr_end, min_bytes > max_bytes; -E2BIG; -ENOMEM; -EBUSY: its context
runs (also on the worker). Thread: owner.*/
    pub fn damos_add_filter(
        s: *mut damos,
        f: *const damos_filter,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Appends a goal to the quota.

- `s`: The scheme.

- `g`: Copied.

Returns 0; -EINVAL: unknown metric, target_value 0; -E2BIG; -ENOMEM; -EBUSY: its context runs (also on the worker).
Thread: owner.*/
    pub fn damos_add_quota_goal(
        s: *mut damos,
        g: *const damos_quota_goal,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Replaces the destinations of a MIGRATE_* scheme.

- `s`: The scheme.

- `d`: Copied.

- `nr`: 0: none; target_nid decides.

Returns 0; -EINVAL: all weights 0; -ENOMEM; -EBUSY: its context runs (also on the worker). Thread: owner.*/
    pub fn damos_set_migrate_dests(
        s: *mut damos,
        d: *const damos_migrate_dest,
        nr: usize,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Gives a scheme to a context, which appends it and owns it from then on.

- `s`: A scheme that belongs to no context.

Returns 0; -EINVAL: it belongs to one already, or a parameter is wrong; -ENOMEM; -EBUSY: running (also on the worker;
use damon_commit_ctx()). On failure the caller still owns s. Thread: owner.*/
    pub fn damon_ctx_add_scheme(
        ctx: *mut damon_ctx,
        s: *mut damos,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Removes and frees a scheme with its statistics; those behind it move up.

- `idx`: Position.

Returns 0; -EINVAL: no such scheme; -EBUSY: running (also on the worker). Thread: owner.*/
    pub fn damon_ctx_remove_scheme(
        ctx: *mut damon_ctx,
        idx: usize,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**

Returns How many schemes it has; 0 for NULL. Thread: any.*/
    pub fn damon_ctx_nr_schemes(ctx: *const damon_ctx) -> usize;
}
extern "C" {
    /**
- `idx`: Position.

Returns The scheme, owned by the context and valid until it is removed or a commit replaces it; NULL: no such scheme.
Thread: any.*/
    pub fn damon_ctx_scheme(ctx: *const damon_ctx, idx: usize) -> *mut damos;
}
extern "C" {
    /**Reads a scheme's statistics, as of its last pass.

- `idx`: Position of the scheme.

- `out`: Its size must be set; written.

Returns 0; -EINVAL: no such scheme; -E2BIG. Thread: any.*/
    pub fn damon_ctx_get_scheme_stat(
        ctx: *const damon_ctx,
        idx: usize,
        out: *mut damos_stat,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Sets the current value of a DAMOS_QUOTA_USER_INPUT goal; it is used when the next charge window opens. Does not wait for
the worker.

- `scheme`: Position of the scheme.

- `goal`: Position of the goal in the scheme.

- `current_value`: In the unit of the goal's target_value.

Returns 0; -EINVAL: no such scheme or goal, or its metric is another. Thread: any.*/
    pub fn damon_ctx_set_quota_goal_value(
        ctx: *mut damon_ctx,
        scheme: usize,
        goal: usize,
        current_value: u64,
    ) -> crate::ctypes::c_int;
}
/// Nothing is mapped there, or it was unmapped meanwhile.
pub const DAMOS_SKIP_UNMAPPED: damos_skip = 0;
/// mlock().
pub const DAMOS_SKIP_LOCKED: damos_skip = 1;
/// Of hugetlbfs.
pub const DAMOS_SKIP_HUGETLB: damos_skip = 2;
/// Mapped by a driver or the kernel.
pub const DAMOS_SKIP_DEVICE: damos_skip = 3;
/// No whole huge page fits, or the mapping cannot have any.
pub const DAMOS_SKIP_UNFIT: damos_skip = 4;
/// Asked for, and the kernel kept it: no swap, mapped by others too, being written.
pub const DAMOS_SKIP_KEPT: damos_skip = 5;
/// Pinned, or in use by the kernel at that moment.
pub const DAMOS_SKIP_BUSY: damos_skip = 6;
/// No free memory for it.
pub const DAMOS_SKIP_NO_ROOM: damos_skip = 7;
/// The node does not exist, or this process may not use it.
pub const DAMOS_SKIP_NO_NODE: damos_skip = 8;
/// This process may not act on that one, or that one is gone.
pub const DAMOS_SKIP_FORBIDDEN: damos_skip = 9;
/// A system call failed for another reason.
pub const DAMOS_SKIP_FAILED: damos_skip = 10;
/// No page was there to act on.
pub const DAMOS_SKIP_ABSENT: damos_skip = 11;
/// WILLNEED: asked for, and not there yet.
pub const DAMOS_SKIP_PENDING: damos_skip = 12;
/// Its reads cannot be seen, and the scheme lacks DAMOS_ALLOW_UNSEEN_READS.
pub const DAMOS_SKIP_UNSEEN_READS: damos_skip = 13;
/// Its accesses cannot be seen at all, or were not looked at yet.
pub const DAMOS_SKIP_UNKNOWN: damos_skip = 14;
/// It is already what the action makes of it. Costs no quota.
pub const DAMOS_SKIP_ALREADY_SO: damos_skip = 15;
/**Nothing could be done in that mapping in three passes in a row (no swap, locked; the reason is counted as such):
tried again after a second, then two, up to 64. Costs no quota.*/
pub const DAMOS_SKIP_BACKED_OFF: damos_skip = 16;
/// Why an action left memory as it was. None of the actions ever discards data.
pub type damos_skip = crate::ctypes::c_uint;
/// What the actions of one context did to virtual address spaces, over all schemes and runs; they only grow.
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_action_stats {
    /// sizeof(struct damon_action_stats).
    pub size: u32,
    /// 0.
    pub reserved: u32,
    /// Calls of the madvise family, move_pages among them.
    pub nr_calls: u64,
    /// Those that failed.
    pub nr_failed_calls: u64,
    /// By enum damos_action: what changed, as measured.
    pub applied_bytes: [u64; 16usize],
    /// By enum damos_skip: what an action went over and left as it was.
    pub skipped_bytes: [u64; 24usize],
}
#[test]
fn bindgen_test_layout_damon_action_stats() {
    const UNINIT: ::core::mem::MaybeUninit<damon_action_stats> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_action_stats>(),
        344usize,
        "Size of damon_action_stats",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_action_stats>(),
        8usize,
        "Alignment of damon_action_stats",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_action_stats::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).reserved) as usize - ptr as usize },
        4usize,
        "Offset of field: damon_action_stats::reserved",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).nr_calls) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_action_stats::nr_calls",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).nr_failed_calls) as usize - ptr as usize },
        16usize,
        "Offset of field: damon_action_stats::nr_failed_calls",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).applied_bytes) as usize - ptr as usize },
        24usize,
        "Offset of field: damon_action_stats::applied_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).skipped_bytes) as usize - ptr as usize },
        152usize,
        "Offset of field: damon_action_stats::skipped_bytes",
    );
}
extern "C" {
    /**Fills in size and zeroes.

- `stats`: Written; NULL is ignored. Thread: any.*/
    pub fn damon_action_stats_init(stats: *mut damon_action_stats);
}
extern "C" {
    /**Reads what the actions did. Zero for back-ends other than DAMON_OPS_VADDR and _FVADDR.

- `stats_out`: Its size must be set; written.

Returns 0; -EINVAL; -E2BIG. Thread: any.*/
    pub fn damon_ctx_get_action_stats(
        ctx: *const damon_ctx,
        stats_out: *mut damon_action_stats,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**
- `skip`: enum damos_skip.

Returns Static text, "unknown" for other numbers. Thread: any.*/
    pub fn damos_skip_text(skip: i32) -> *const crate::ctypes::c_char;
}
/// Anonymous memory.
pub const DAMON_PROBE_FILTER_ANON: damon_probe_filter_type = 0;
/// Of a process in group memcg_id.
pub const DAMON_PROBE_FILTER_MEMCG: damon_probe_filter_type = 1;
/// In a page of min_bytes to max_bytes.
pub const DAMON_PROBE_FILTER_HUGEPAGE_SIZE: damon_probe_filter_type = 2;
/// What a probe looks at.
pub type damon_probe_filter_type = crate::ctypes::c_uint;
/// A filter of a probe: the first whose property matches decides whether the probe hits.
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_probe_filter {
    /// sizeof(struct damon_probe_filter).
    pub size: u32,
    /// enum damon_probe_filter_type.
    pub type_: i32,
    /// 1: memory that has the property, 0: memory that has it not.
    pub matching: u32,
    /// 1: a hit, 0: none. Where no filter matches it is the opposite of the last one's.
    pub allow: u32,
    /// MEMCG: inode number of the cgroup's directory.
    pub memcg_id: u64,
    /// HUGEPAGE_SIZE.
    pub min_bytes: u64,
    /// HUGEPAGE_SIZE; at least min_bytes.
    pub max_bytes: u64,
}
#[test]
fn bindgen_test_layout_damon_probe_filter() {
    const UNINIT: ::core::mem::MaybeUninit<damon_probe_filter> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_probe_filter>(),
        40usize,
        "Size of damon_probe_filter",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_probe_filter>(),
        8usize,
        "Alignment of damon_probe_filter",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_probe_filter::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).type_) as usize - ptr as usize },
        4usize,
        "Offset of field: damon_probe_filter::type_",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).matching) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_probe_filter::matching",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).allow) as usize - ptr as usize },
        12usize,
        "Offset of field: damon_probe_filter::allow",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).memcg_id) as usize - ptr as usize },
        16usize,
        "Offset of field: damon_probe_filter::memcg_id",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).min_bytes) as usize - ptr as usize },
        24usize,
        "Offset of field: damon_probe_filter::min_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).max_bytes) as usize - ptr as usize },
        32usize,
        "Offset of field: damon_probe_filter::max_bytes",
    );
}
/// How often each probe hit in one region. Frozen.
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_probe_hits {
    /// By position of the probe; stays at 255.
    pub hits: [u8; 4usize],
}
#[test]
fn bindgen_test_layout_damon_probe_hits() {
    const UNINIT: ::core::mem::MaybeUninit<damon_probe_hits> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_probe_hits>(),
        4usize,
        "Size of damon_probe_hits",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_probe_hits>(),
        1usize,
        "Alignment of damon_probe_hits",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).hits) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_probe_hits::hits",
    );
}
extern "C" {
    /**Fills in size and zeroes.

- `f`: Written; NULL is ignored. Thread: any.*/
    pub fn damon_probe_filter_init(f: *mut damon_probe_filter);
}
extern "C" {
    /**Makes a probe without filters, which always hits, and without weight.

Returns The probe, owned by the caller until damon_ctx_add_probe() succeeds; NULL: out of memory. Thread: any.*/
    pub fn damon_probe_new() -> *mut damon_probe;
}
extern "C" {
    /**Frees a probe that belongs to no context; one that does is left alone.

- `p`: NULL is fine. Thread: owner.*/
    pub fn damon_probe_free(p: *mut damon_probe);
}
extern "C" {
    /**
- `p`: The probe.

- `weight`: 0 (default): a by-product.

Returns 0; -EINVAL; -EBUSY: its context runs (also on the worker). Thread: owner.*/
    pub fn damon_probe_set_weight(
        p: *mut damon_probe,
        weight: u32,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Appends a filter.

- `p`: The probe.

- `f`: Copied.

Returns 0; -EINVAL: unknown type, min_bytes > max_bytes; -E2BIG; -ENOMEM; -EBUSY: its context runs (also on the
worker). Thread: owner.*/
    pub fn damon_probe_add_filter(
        p: *mut damon_probe,
        f: *const damon_probe_filter,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Gives a probe to a context, which appends it and owns it from then on.

- `p`: A probe that belongs to no context.

Returns 0; -EINVAL: it belongs to one already, or the context has DAMON_MAX_PROBES; -ENOMEM; -EBUSY: running (also on
the worker; use damon_commit_ctx()). On failure the caller still owns p. Thread: owner.*/
    pub fn damon_ctx_add_probe(
        ctx: *mut damon_ctx,
        p: *mut damon_probe,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Removes and frees a probe; those behind it move up.

- `idx`: Position.

Returns 0; -EINVAL: no such probe; -EBUSY: running (also on the worker). Thread: owner.*/
    pub fn damon_ctx_remove_probe(
        ctx: *mut damon_ctx,
        idx: usize,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**

Returns How many probes it has; 0 for NULL. Thread: any.*/
    pub fn damon_ctx_nr_probes(ctx: *const damon_ctx) -> usize;
}
extern "C" {
    /**
- `idx`: Position.

Returns The probe, owned by the context and valid until it is removed or a commit replaces it; NULL: no such probe.
Thread: any.*/
    pub fn damon_ctx_probe(ctx: *const damon_ctx, idx: usize) -> *mut damon_probe;
}
extern "C" {
    /**Copies the last snapshot as damon_snapshot_read() does, with the hits that the probes counted in its window.

- `regions`: Written.

- `hits`: Written: hits[i] is of regions[i].

- `cap`: How many fit, of each.

- `info`: Its size must be set; written, also with -ENOSPC. NULL is fine.

Returns As damon_snapshot_read(). Thread: any.*/
    pub fn damon_snapshot_read_probes(
        ctx: *const damon_ctx,
        regions: *mut damon_region_info,
        hits: *mut damon_probe_hits,
        cap: usize,
        info: *mut damon_snapshot_info,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Starts contexts: all or none.

- `ctxs`: The contexts.

- `nr_ctxs`: How many; 0 succeeds.

- `exclusive`: 1: only if no other context of this process runs, and none may start while these run.

Returns 0: every worker accepts calls; -EINVAL: a parameter is wrong (see damon_ctx_errmsg()), or a context is named
twice; -EBUSY: a context runs already, or exclusiveness; -EOPNOTSUPP: the back-end cannot serve the targets here;
-ENOMEM; -EAGAIN: no thread or file left, or 32 contexts watch this process already; -ECHILD: after fork. On failure
nothing runs that did not run before. Thread: control; -EDEADLK in a callback of one of these contexts.

A program that asks the kernel itself which pages it wrote to (PAGEMAP_SCAN with PAGE_IS_WRITTEN, the pagemap's bit of
it, a userfaultfd) does not get the same answer of watched memory: damon_exclude() keeps such memory out.

A process with a second thread is another thing for some calls: a program whose library constructor starts a context
cannot unshare(CLONE_NEWUSER) any more, and setpriv --reuid and the like, which change the credentials of one thread,
abort. Start after such changes; after setuid() without exec, set PR_SET_DUMPABLE first, or /proc is closed to the
process. dlclose() never unloads the shared library: it is linked with -z nodelete.

The program may close the library's descriptors and take their numbers: lost ones are opened again, and numbers that
are the program's are not touched. The kernel gives a new file the lowest free number, from where the library moves it
above 900: dup2() onto that number, in the fraction of a microsecond in which it is closed there, can lose the
program's copy.*/
    pub fn damon_start(
        ctxs: *mut *mut damon_ctx,
        nr_ctxs: crate::ctypes::c_int,
        exclusive: crate::ctypes::c_int,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Stops contexts: when it returns sampling and callbacks have ended. Attributes (intervals as tuned), targets with their
given ranges, schemes and statistics stay; learned regions go, the last snapshot can still be read. A stopped context
can be started again. Pending calls are cancelled.

The worker then gives back what the access checks hold, in pieces so short that no other thread waits for them (about
0.7 s a GiB; until then mremap() of a large mapping can fail with EFAULT, but for one between damon_exclude() and
damon_include()), and ends by itself; damon_ctx_free() and the next damon_start() of the context wait for that. After the
last damon_ctx_free() descriptors, threads and mappings are as before the first start. With DAMON_DRIVE_MANUAL it is
done before damon_stop() returns.

- `ctxs`: The contexts.

- `nr_ctxs`: How many.

Returns 0, also for contexts that do not run or ended on their own; -EINVAL: NULL; -EDEADLK: in a callback of one of
them (nothing is stopped); -ECHILD: after fork. Thread: control.*/
    pub fn damon_stop(
        ctxs: *mut *mut damon_ctx,
        nr_ctxs: crate::ctypes::c_int,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**

Returns 1: started and not ended; 0: not running (or ended on its own, or after fork);
-EINVAL. Thread: any.*/
    pub fn damon_is_running(ctx: *const damon_ctx) -> crate::ctypes::c_int;
}
extern "C" {
    /**

Returns How many contexts of this process run. Thread: any.*/
    pub fn damon_nr_running_ctxs() -> crate::ctypes::c_int;
}
extern "C" {
    /**

Returns Thread id (gettid) of its worker; 0: not running, or driven manually. Thread: any.*/
    pub fn damon_kdamond_tid(ctx: *const damon_ctx) -> i32;
}
extern "C" {
    /**Does one sampling interval of a context with DAMON_DRIVE_MANUAL: looks at what the previous step (or damon_start())
armed, runs everything that is due, arms the next samples. While paused only calls run.

- `ctx`: A started context.

- `now_us`: The time now, never less than in the step before; its origin is the caller's choice: a run begins one
sample_us before its first step. What is given as time, but sample_us and aggr_us, and simulated memory follow it; windows are counted in steps. With
damon_sim_params.sample_ns a step that comes sooner than max_overhead_permil allows leaves its interval open.

Returns 0; -EINVAL: not started, or not DAMON_DRIVE_MANUAL, or now_us went back; -ECANCELED: the context ended on its
own, see damon_ctx_errmsg(); -EBUSY: another thread is stepping; -EDEADLK: in a callback. Thread: control.*/
    pub fn damon_step(ctx: *mut damon_ctx, now_us: u64) -> crate::ctypes::c_int;
}
/// Run every sampling interval until fn returns non-zero.
pub const DAMON_CALL_REPEAT: damon_call_flags = 1;
/// Flags of damon_call_control.
pub type damon_call_flags = crate::ctypes::c_uint;
/// A function to run on the worker, between two sampling intervals.
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct damon_call_control {
    /// sizeof(struct damon_call_control).
    pub size: u32,
    /// enum damon_call_flags.
    pub flags: u32,
    /// What to run. It may read, commit and pause the context.
    pub fn_: ::core::option::Option<
        unsafe extern "C" fn(data: *mut crate::ctypes::c_void) -> crate::ctypes::c_int,
    >,
    /// Handed to fn.
    pub data: *mut crate::ctypes::c_void,
    /// REPEAT: called once when the call is dropped; may be NULL.
    pub release: ::core::option::Option<
        unsafe extern "C" fn(data: *mut crate::ctypes::c_void),
    >,
    /// Out, one-shot: what fn returned.
    pub return_code: i32,
    /// Out, one-shot: 1: fn was not run.
    pub canceled: i32,
    /// Out: names the call for damon_call_cancel(); set before fn first runs.
    pub id: u64,
}
#[test]
fn bindgen_test_layout_damon_call_control() {
    const UNINIT: ::core::mem::MaybeUninit<damon_call_control> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_call_control>(),
        48usize,
        "Size of damon_call_control",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_call_control>(),
        8usize,
        "Alignment of damon_call_control",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_call_control::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).flags) as usize - ptr as usize },
        4usize,
        "Offset of field: damon_call_control::flags",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).fn_) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_call_control::fn_",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).data) as usize - ptr as usize },
        16usize,
        "Offset of field: damon_call_control::data",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).release) as usize - ptr as usize },
        24usize,
        "Offset of field: damon_call_control::release",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).return_code) as usize - ptr as usize },
        32usize,
        "Offset of field: damon_call_control::return_code",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).canceled) as usize - ptr as usize },
        36usize,
        "Offset of field: damon_call_control::canceled",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).id) as usize - ptr as usize },
        40usize,
        "Offset of field: damon_call_control::id",
    );
}
extern "C" {
    /**Fills in size and zeroes.

- `c`: Written; NULL is ignored. Thread: any.*/
    pub fn damon_call_control_init(c: *mut damon_call_control);
}
extern "C" {
    /**Runs a function on the worker: after counting, before schemes, at most one sampling interval from now (at once while
paused). With DAMON_CALL_REPEAT it is queued, runs every sampling interval, paused or not, until it returns non-zero,
is cancelled or the worker ends, and is copied, so that the control need not live on.

- `control`: The outputs are written before the function returns.

Returns 0: one-shot: fn has run, its result is in return_code; REPEAT: queued. -EINVAL: no fn, unknown flags;
-E2BIG; -ECANCELED: not running, or stopped or cancelled before fn ran; -EDEADLK: one-shot, in a callback of ctx;
-ENOMEM: REPEAT. With manual drive a one-shot call runs at once, on the calling thread, between two steps.
Thread: control.*/
    pub fn damon_call(
        ctx: *mut damon_ctx,
        control: *mut damon_call_control,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Drops a pending call. When it returns, a repeat call's fn is not running and will not run again, and its release was
called (from inside that fn itself: as soon as fn returns).

- `id`: From damon_call_control.

Returns 0; -ENOENT: no such call (it ended already); -EINVAL. Thread: control; allowed in callbacks.*/
    pub fn damon_call_cancel(ctx: *mut damon_ctx, id: u64) -> crate::ctypes::c_int;
}
extern "C" {
    /**Changes parameters of a context, running or not: attributes, targets, schemes, probes, min_region_sz, addr_unit, and
whether it is paused.

Lists are matched by position: entries that are there in both are overwritten, surplus ones removed, new ones
appended. Learned regions, ages and counters stay (a source target without ranges keeps the destination's regions
whole; with ranges the regions are fitted to them); scheme statistics and quota state stay; a window is restarted
only if sample_us or aggr_us changed, and counters are converted then.

**Pause** is carried: dst is paused afterwards if and only if src is, which damon_set_pause() on src decides (a new
context is not paused). The guarantees are those of damon_set_pause(): from another thread the call returns when the
worker is silent, or has resumed; inside damon_call() or a callback it holds when the step has ended; into a stopped
context it says how the next run begins. To change something else of a paused context, pause the source first. A
damon_set_pause() that comes after a commit which had to wait for the end of a step wins over it.

Every member of a context is carried, or refused by its name, or belongs to dst:
| member | what a commit does |
| --- | --- |
| attributes, targets, schemes, probes | carried, as above |
| min_region_sz, addr_unit, coverage, pause | carried |
| operations (damon_ctx_set_ops()) | running: `-EINVAL` where src chose others; stopped: carried. A source that never chose says nothing. Custom operations and a simulator are not carried: `-EINVAL` where dst has others |
| access check | running: `-EINVAL` where src chose another; stopped: carried. A source that never chose says nothing |
| worker attributes (damon_ctx_set_worker_attr()) | carried where src has set them; they hold from the next start on |
| ranges of damon_ctx_add_range() | dst's own: they stay, and so does the target that they make |
| table and priv of custom operations, simulator, drive, seed | dst's own: they stay |
| statistics, snapshots, calls, walks | dst's own: they stay |

- `dst`: The context to change. Running, from another thread: carried to the worker and waited for. On its worker,
or stopped: at once; inside a callback of a step that uses regions or schemes (access checks, target_valid, scores,
actions, walks): checked at once, done when that step has ended.

- `src`: A stopped context that holds the wanted parameters. Not changed, not kept.

Returns 0; -EINVAL: a parameter is wrong (the reason is in both contexts' damon_ctx_errmsg()), src is dst, a surplus
target is obsolete, or a member that a commit does not change differs; -EBUSY: src runs; -ENOMEM; -EOPNOTSUPP: the
back-end cannot serve the new targets, or src is paused and the kernel's DAMON, which monitors dst, cannot pause;
-ECANCELED: dst ended meanwhile. On failure dst is exactly as before, paused or not. Thread: control.*/
    pub fn damon_commit_ctx(
        dst: *mut damon_ctx,
        src: *const damon_ctx,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Pauses or resumes.

Pausing returns once the worker is silent, in the same time whatever the size of the memory: regions, ages, counters
and deadlines stay bit for bit; walks are cancelled; calls, commits and stop keep working. The marks of the interval
that was under way, at most one a region, are lifted within 10 ms more (with read-write protection within 0.2 s a GiB,
unless it is resumed before), in short pieces; those of tracked ranges (#DAMON_RANGE_TRACKED) follow within 0.5 s a GiB,
unless it is resumed before, and cost the worker 20 to 60 ms of CPU time a GiB. From then on the program pays nothing.
Mappings stay registered. Without repeat calls and with targets of this process only, a paused worker does not wake up
at all. Resuming continues where it stood, but for tracked ranges: what damon_query_range() would have told of them is
lost with a pause, so that a program asks before it pauses. On a stopped context it decides how the next start begins.
In a callback on the worker it takes effect when the callbacks of this step are done. Idempotent.

- `pause`: 1: pause; 0: resume.

Returns 0; -EINVAL; -ECANCELED: the worker ended meanwhile; -EOPNOTSUPP: the kernel's DAMON, which monitors, cannot
pause; -ECHILD. Thread: control; allowed in callbacks.*/
    pub fn damon_set_pause(
        ctx: *mut damon_ctx,
        pause: crate::ctypes::c_int,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**

Returns 1: paused (stopped: would start paused); 0: not; -EINVAL. Thread: any.*/
    pub fn damon_is_paused(ctx: *const damon_ctx) -> crate::ctypes::c_int;
}
/// A function to call for each region that schemes act on.
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct damos_walk_control {
    /// sizeof(struct damos_walk_control).
    pub size: u32,
    /// 0.
    pub reserved: u32,
    /**Called on the worker right after each action: data; the context; the region as it was acted on, nr_accesses as a
moving sum; position of the scheme; core units that passed its page-level filters.*/
    pub walk_fn: ::core::option::Option<
        unsafe extern "C" fn(
            data: *mut crate::ctypes::c_void,
            ctx: *mut damon_ctx,
            r: *const damon_region_info,
            scheme_idx: usize,
            sz_filter_passed: u64,
        ),
    >,
    /// Handed to walk_fn.
    pub data: *mut crate::ctypes::c_void,
    /// Out: 1: ended early.
    pub canceled: i32,
    /// 0.
    pub reserved2: u32,
}
#[test]
fn bindgen_test_layout_damos_walk_control() {
    const UNINIT: ::core::mem::MaybeUninit<damos_walk_control> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damos_walk_control>(),
        32usize,
        "Size of damos_walk_control",
    );
    assert_eq!(
        ::core::mem::align_of::<damos_walk_control>(),
        8usize,
        "Alignment of damos_walk_control",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damos_walk_control::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).reserved) as usize - ptr as usize },
        4usize,
        "Offset of field: damos_walk_control::reserved",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).walk_fn) as usize - ptr as usize },
        8usize,
        "Offset of field: damos_walk_control::walk_fn",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).data) as usize - ptr as usize },
        16usize,
        "Offset of field: damos_walk_control::data",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).canceled) as usize - ptr as usize },
        24usize,
        "Offset of field: damos_walk_control::canceled",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).reserved2) as usize - ptr as usize },
        28usize,
        "Offset of field: damos_walk_control::reserved2",
    );
}
extern "C" {
    /**Fills in size and zeroes.

- `c`: Written; NULL is ignored. Thread: any.*/
    pub fn damos_walk_control_init(c: *mut damos_walk_control);
}
extern "C" {
    /**Reports every region that the schemes act on, one pass of each scheme, and waits for it. A DAMOS_STAT scheme with an
open pattern reports all regions. A manually driven context walks while another thread steps it.

- `control`: canceled is written.

Returns 0; -EINVAL: no walk_fn; -E2BIG; -EBUSY: another walk is pending; -ECANCELED: not running, no schemes, paused,
every scheme waits for its watermarks, or stopped meanwhile; -EDEADLK: in a callback of ctx.
Thread: control.*/
    pub fn damos_walk(
        ctx: *mut damon_ctx,
        control: *mut damos_walk_control,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Copies the last snapshot: all regions of all targets in order, as they were when the last window ended. Never waits
for the worker longer than one such copy, allocates nothing. Also on a stopped context.

- `regions`: Written.

- `cap`: How many fit.

- `info`: Its size must be set (damon_snapshot_info_init()); written, also with -ENOSPC. NULL is fine.

Returns How many regions were written (0 with info->seq 0: no window has ended yet); -ENOSPC: cap is smaller than
info->nr_regions, nothing was written to regions (max_nr_regions of the attributes is nearly always enough);
-EINVAL; -E2BIG. Thread: any.*/
    pub fn damon_snapshot_read(
        ctx: *const damon_ctx,
        regions: *mut damon_region_info,
        cap: usize,
        info: *mut damon_snapshot_info,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Waits for a snapshot newer than after_seq.

- `after_seq`: damon_snapshot_info.seq of the one already seen; 0: any.

- `timeout_ms`: Negative: for ever; 0: only look.

Returns 0: there is one; -ETIMEDOUT; -ECANCELED: not running (any more) and there is none; -EDEADLK: in a callback of
ctx; -EINVAL. Thread: control.*/
    pub fn damon_snapshot_wait(
        ctx: *const damon_ctx,
        after_seq: u64,
        timeout_ms: i32,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Copies the regions as they are at this moment, in the middle of a window: nr_accesses counts the samples so far,
where max_overhead_permil has intervals passed over up to the latest look.

- `regions`: Written.

- `cap`: How many fit.

- `info`: As for damon_snapshot_read(); seq is that of the last snapshot.

Returns As damon_snapshot_read(); -EBUSY: running and not on the worker (use damon_call()); 0 when stopped.
Thread: owner; with manual drive also between steps.*/
    pub fn damon_live_read(
        ctx: *const damon_ctx,
        regions: *mut damon_region_info,
        cap: usize,
        info: *mut damon_snapshot_info,
    ) -> crate::ctypes::c_int;
}
/// Mappings of files too.
pub const DAMON_COVER_FILES: damon_coverage_flags = 1;
/// The kernel's rule: everything but the two largest gaps between mappings.
pub const DAMON_COVER_THREE_AREAS: damon_coverage_flags = 2;
/**No private memory is remapped or grown: as DAMON_RANGE_STABLE for all of it. For who
knows the whole program: mremap() of a stable mapping fails with EFAULT.*/
pub const DAMON_COVER_STABLE: damon_coverage_flags = 4;
/// What targets without ranges cover (damon_ctx_set_coverage()).
pub type damon_coverage_flags = crate::ctypes::c_uint;
/// Declared shared, as damon_shared_declare().
pub const DAMON_RANGE_SHARED: damon_range_flags = 1;
/**Is not moved or grown by mremap() until it is removed (that would fail with EFAULT): passes
(damon_attrs.referenced_us) may make parts of it mappings of their own. All else works
as ever: mprotect, madvise, munmap, fork, read(2) into it.*/
pub const DAMON_RANGE_STABLE: damon_range_flags = 2;
/**Kept armed as a whole for damon_query_range(), until it is removed: by read-write
protection (Linux 7.3), else by write protection (Linux 6.11). Costs the program a fault
of some 0.7 us for the first access, or write, to each page after a question.
Its memory is not collapsed into huge pages meanwhile. Takes 1/900 of the range from the
library's heap, and 10 to 40 ms a GiB of the calling thread when it is added. Nothing
is armed while the context is paused: damon_set_pause().*/
pub const DAMON_RANGE_TRACKED: damon_range_flags = 4;
/// Flags of damon_ctx_add_range().
pub type damon_range_flags = crate::ctypes::c_uint;
/// Not started, or stopped.
pub const DAMON_STATE_STOPPED: damon_state = 0;
/// At work, at the wanted intervals.
pub const DAMON_STATE_SAMPLING: damon_state = 1;
/// At work, with fewer samples or longer windows for damon_attrs.max_overhead_permil.
pub const DAMON_STATE_LIMITED: damon_state = 2;
/// Paused.
pub const DAMON_STATE_PAUSED: damon_state = 3;
/// Every scheme waits for its watermarks: nothing is sampled.
pub const DAMON_STATE_WATERMARKS: damon_state = 4;
/// Ended on its own.
pub const DAMON_STATE_ENDED: damon_state = 5;
/// What a context is doing.
pub type damon_state = crate::ctypes::c_uint;
/// Answer of damon_ctx_get_state().
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_state_info {
    /// sizeof(struct damon_state_info).
    pub size: u32,
    /// enum damon_state.
    pub state: i32,
    /// CLOCK_MONOTONIC (virtual time with manual drive): when this state began.
    pub since_ns: u64,
    /// Real length of the last window; 0: none has ended.
    pub window_us: u64,
    /**What max_overhead_permil counts, over the last second or more of sampling, 1/1,000 of one
CPU; 0 where nothing is sampled, and with manual drive.*/
    pub cost_permil: u64,
    /// Why, in one line.
    pub reason: [crate::ctypes::c_char; 160usize],
}
#[test]
fn bindgen_test_layout_damon_state_info() {
    const UNINIT: ::core::mem::MaybeUninit<damon_state_info> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_state_info>(),
        192usize,
        "Size of damon_state_info",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_state_info>(),
        8usize,
        "Alignment of damon_state_info",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_state_info::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).state) as usize - ptr as usize },
        4usize,
        "Offset of field: damon_state_info::state",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).since_ns) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_state_info::since_ns",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).window_us) as usize - ptr as usize },
        16usize,
        "Offset of field: damon_state_info::window_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).cost_permil) as usize - ptr as usize },
        24usize,
        "Offset of field: damon_state_info::cost_permil",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).reason) as usize - ptr as usize },
        32usize,
        "Offset of field: damon_state_info::reason",
    );
}
/// How the worker thread is made (damon_ctx_set_worker_attr()).
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_worker_attr {
    /// sizeof(struct damon_worker_attr).
    pub size: u32,
    /// Nice value, -20 to 19. 0 (default): that of the process (its first thread).
    pub nice: i32,
    /**Stack, with a guard page below it; 0 (default): 8 MiB. At least 65,536; callbacks of the
program run on it.*/
    pub stack_bytes: u64,
    /**CPUs that the worker may use, bit by bit; NULL (default): all that the process (its first
thread) may.*/
    pub cpu_mask: *const u64,
    /// Words in cpu_mask.
    pub nr_cpu_words: usize,
    /// Name of the thread; empty (default): "kdamond.N".
    pub name: [crate::ctypes::c_char; 16usize],
}
#[test]
fn bindgen_test_layout_damon_worker_attr() {
    const UNINIT: ::core::mem::MaybeUninit<damon_worker_attr> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_worker_attr>(),
        48usize,
        "Size of damon_worker_attr",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_worker_attr>(),
        8usize,
        "Alignment of damon_worker_attr",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_worker_attr::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).nice) as usize - ptr as usize },
        4usize,
        "Offset of field: damon_worker_attr::nice",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).stack_bytes) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_worker_attr::stack_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).cpu_mask) as usize - ptr as usize },
        16usize,
        "Offset of field: damon_worker_attr::cpu_mask",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).nr_cpu_words) as usize - ptr as usize },
        24usize,
        "Offset of field: damon_worker_attr::nr_cpu_words",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).name) as usize - ptr as usize },
        32usize,
        "Offset of field: damon_worker_attr::name",
    );
}
/// A question about a tracked range, and its answer (damon_query_range()).
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_range_query {
    /// sizeof(struct damon_range_query).
    pub size: u32,
    /// 0.
    pub flags: u32,
    /// In: the page size or the huge page size.
    pub unit_bytes: u64,
    /// In, may be NULL: one bit a unit, written.
    pub touched: *mut u64,
    /// In, may be NULL: one byte a unit, written: idle for 2^(n/4) ms.
    pub idle: *mut u8,
    /// In: units that touched and idle have room for.
    pub nr_units: usize,
    /// Out: touched since the last query.
    pub touched_bytes: u64,
    /// Out: present.
    pub present_bytes: u64,
    /// Out: could not be looked at.
    pub unseen_bytes: u64,
    /// Out: CLOCK_MONOTONIC from which on accesses count.
    pub since_ns: u64,
    /// Out: enum damon_unknown_reason.
    pub unseen_reason: i32,
    /// Out: enum damon_access_check_sees.
    pub sees: u32,
}
#[test]
fn bindgen_test_layout_damon_range_query() {
    const UNINIT: ::core::mem::MaybeUninit<damon_range_query> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_range_query>(),
        80usize,
        "Size of damon_range_query",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_range_query>(),
        8usize,
        "Alignment of damon_range_query",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_range_query::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).flags) as usize - ptr as usize },
        4usize,
        "Offset of field: damon_range_query::flags",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).unit_bytes) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_range_query::unit_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).touched) as usize - ptr as usize },
        16usize,
        "Offset of field: damon_range_query::touched",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).idle) as usize - ptr as usize },
        24usize,
        "Offset of field: damon_range_query::idle",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).nr_units) as usize - ptr as usize },
        32usize,
        "Offset of field: damon_range_query::nr_units",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).touched_bytes) as usize - ptr as usize },
        40usize,
        "Offset of field: damon_range_query::touched_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).present_bytes) as usize - ptr as usize },
        48usize,
        "Offset of field: damon_range_query::present_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).unseen_bytes) as usize - ptr as usize },
        56usize,
        "Offset of field: damon_range_query::unseen_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).since_ns) as usize - ptr as usize },
        64usize,
        "Offset of field: damon_range_query::since_ns",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).unseen_reason) as usize - ptr as usize },
        72usize,
        "Offset of field: damon_range_query::unseen_reason",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).sees) as usize - ptr as usize },
        76usize,
        "Offset of field: damon_range_query::sees",
    );
}
/// A working set (damon_wss()).
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_wss_result {
    /// sizeof(struct damon_wss_result).
    pub size: u32,
    /// In: 0: tracked ranges, since the last query; 1: the whole process.
    pub mode: i32,
    /// In: mode 1: how long to wait between clearing and counting; not 0.
    pub interval_us: u64,
    /// Out: touched.
    pub touched_bytes: u64,
    /// Out: present.
    pub present_bytes: u64,
    /// Out: could not be looked at.
    pub unseen_bytes: u64,
    /// Out: enum damon_access_check_sees.
    pub sees: u32,
    /// 0.
    pub reserved: u32,
}
#[test]
fn bindgen_test_layout_damon_wss_result() {
    const UNINIT: ::core::mem::MaybeUninit<damon_wss_result> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_wss_result>(),
        48usize,
        "Size of damon_wss_result",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_wss_result>(),
        8usize,
        "Alignment of damon_wss_result",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_wss_result::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).mode) as usize - ptr as usize },
        4usize,
        "Offset of field: damon_wss_result::mode",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).interval_us) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_wss_result::interval_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).touched_bytes) as usize - ptr as usize },
        16usize,
        "Offset of field: damon_wss_result::touched_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).present_bytes) as usize - ptr as usize },
        24usize,
        "Offset of field: damon_wss_result::present_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).unseen_bytes) as usize - ptr as usize },
        32usize,
        "Offset of field: damon_wss_result::unseen_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).sees) as usize - ptr as usize },
        40usize,
        "Offset of field: damon_wss_result::sees",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).reserved) as usize - ptr as usize },
        44usize,
        "Offset of field: damon_wss_result::reserved",
    );
}
extern "C" {
    /**Fills in size and zeroes.

- `info`: Written; NULL is ignored. Thread: any.*/
    pub fn damon_state_info_init(info: *mut damon_state_info);
}
extern "C" {
    /**Fills in size and the defaults.

- `attr`: Written; NULL is ignored. Thread: any.*/
    pub fn damon_worker_attr_init(attr: *mut damon_worker_attr);
}
extern "C" {
    /**Fills in size, the page size as unit, and zeroes.

- `query`: Written; NULL is ignored. Thread: any.*/
    pub fn damon_range_query_init(query: *mut damon_range_query);
}
extern "C" {
    /**Fills in size and zeroes.

- `result`: Written; NULL is ignored. Thread: any.*/
    pub fn damon_wss_result_init(result: *mut damon_wss_result);
}
extern "C" {
    /**Reads the mappings now, instead of at the next ops_update_us. Also while paused. Not needed where samples find a
mapping gone or changed: then the worker reads them by itself, after a tenth of a second or more.

Returns 0: read (on the worker: at once; in a callback of a step that uses the regions: when that step has ended);
-EINVAL; -ECANCELED: not running; -EOPNOTSUPP: the kernel's DAMON monitors, which reads them by itself.
Thread: control; allowed in callbacks.*/
    pub fn damon_ctx_refresh(ctx: *mut damon_ctx) -> crate::ctypes::c_int;
}
extern "C" {
    /**What the context is doing, and why.

- `out`: Its size must be set; written.

Returns 0; -EINVAL; -E2BIG. Thread: any.*/
    pub fn damon_ctx_get_state(
        ctx: *const damon_ctx,
        out: *mut damon_state_info,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**What targets without ranges cover.

- `flags`: enum damon_coverage_flags; 0 (default): memory (see damon_target_set_regions()). A commit carries them.

Returns 0; -EINVAL: unknown flags, or _FILES with _THREE_AREAS; -EBUSY: running. Thread: owner.*/
    pub fn damon_ctx_set_coverage(
        ctx: *mut damon_ctx,
        flags: u32,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Adds a range to what the context watches, at any time: it is sampled from the next interval on (with more than 1,024
ranges the worker may spend a fiftieth of its time on reading them, so that it can take some intervals more). A
context without a target gets one, of ranges, by its first; with the last one removed it watches nothing and keeps
running. Added ranges are no parameters: a commit never touches them, and they stay when the context stops. Where there
are more of them than half of max_nr_regions, one region spans neighbours; samples and actions fall inside ranges only.
Does not allocate with malloc, costs O(log n) and never waits for an interval.

- `ctx`: The context. One whose targets follow memory, or have given ranges, is never narrowed: there a range needs
flags, and says something of memory that is watched anyway.

- `addr`: Its start. Ranges are aligned outwards to pages.

- `len`: Bytes.

- `flags`: enum damon_range_flags. DAMON_RANGE_SHARED declares the range as damon_shared_declare() does, until it
is removed.

Returns 0; -EINVAL: len is 0, the range overlaps one that was added, it is to be declared and is no shared mapping or
declared already, or it has no flags and the context has targets of its own; -EBUSY: running without a target; -ENOMEM;
-EUSERS: too many contexts track ranges; -EOPNOTSUPP: DAMON_RANGE_TRACKED where this system has no asynchronous
protection; it or DAMON_RANGE_STABLE where the context does not watch this process by itself. Thread: any.*/
    pub fn damon_ctx_add_range(
        ctx: *mut damon_ctx,
        addr: *const crate::ctypes::c_void,
        len: usize,
        flags: u32,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Removes a range that was added. When it returns nothing of the library touches the range any more: it waits for the
library's own system calls, never for a callback. A callback that runs meanwhile may have been handed the range:
whoever frees memory checks that under a lock of its own.

- `addr`: As added.

- `len`: As added.

Returns 0; -ENOENT: there is no such range; -EINVAL. Thread: any; inside a callback it does not wait. One that is stable
is one mapping again when it returns, after some 0.2 ms for each 2 MiB that passes watched.*/
    pub fn damon_ctx_remove_range(
        ctx: *mut damon_ctx,
        addr: *const crate::ctypes::c_void,
        len: usize,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Keeps every context of this process away from a range: when it returns no mark, registration or action touches it.
Its samples are unknown (#DAMON_UNKNOWN_EXCLUDED). Watched memory answers three calls of the program differently: its
own UFFDIO_REGISTER with EBUSY; MADV_COLLAPSE with EINVAL while any page of the 2 MiB is armed for a sample, which the
kernel does not collapse under write protection (measured with the default attributes: 1 to 5 of 16 calls, each on one
2 MiB of 32; none of 128 between a pair of these calls); and mremap() with EFAULT where the memory grew while
it was watched (from Linux 6.17 on it may have moved a part before it fails). Put a pair of calls round one mremap() or
MADV_COLLAPSE of memory that is watched, or exclude for good what the program itself registers with a userfaultfd, and
what it asks with its own PAGEMAP_SCAN for PAGE_IS_WRITTEN: under write protection a page that a sample waits on is told
as not written, although the program wrote to it before (measured: 4,066 of 4,096 dirty pages were told).
It waits for the library's system calls that are under way, never for a callback: a DAMOS_CALLBACK may be handed the
range once more. Memory that is watched by userfaultfd is a mapping of its own then, and a huge page of it that the range
begins or ends in is split into small ones: exclude whole huge pages where they matter.

- `addr`: Page-aligned.

- `len`: Bytes, whole pages. Calls are counted for each range: nested ones and those of several threads add up.

Returns 0; -EINVAL: empty, not whole pages; -ENOMEM; another error: this process's mappings cannot be read, and nothing
is excluded. Thread: any.*/
    pub fn damon_exclude(
        addr: *const crate::ctypes::c_void,
        len: usize,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Takes one damon_exclude() of the same range back.

- `addr`: As excluded.

- `len`: As excluded.

Returns 0; -ENOENT: that range is not excluded; -EINVAL. Thread: any.*/
    pub fn damon_include(
        addr: *const crate::ctypes::c_void,
        len: usize,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**How the worker thread of the next start is made. A start fails, and names the member, where the system refuses a nice
value or a cpu_mask.

- `attr`: Copied, with its cpu_mask.

Returns 0; -EINVAL: a member is out of its range; -E2BIG; -ENOMEM; -EBUSY: running (also on the worker). Thread: owner.*/
    pub fn damon_ctx_set_worker_attr(
        ctx: *mut damon_ctx,
        attr: *const damon_worker_attr,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Which units of a tracked range were touched since this context's last query of them, or since the range was
added. Exact for what it sees (`sees`): each access to a page, by the program's threads and by the kernel on their
behalf, is reported once, whoever else samples or asks about the same memory. Below Linux 7.3 that is writes to pages of the
page size; reads are not seen, but for those that bring a page in: what was not present and is now counts as touched.
With read-write protection a touch of a huge page counts all of it. A page that was touched and given back before the
query is reported as not present, not as touched. Of shared memory, whose page may outlive its entry in the page tables
(reclaim, MADV_PAGEOUT), one that was present at the query before and was written since is touched all the same; with
read-write protection it is unseen (#DAMON_UNKNOWN_RECLAIMED). Accesses count by the addresses of the range: those by
another mapping of the same memory, or by the file, do not.

What cannot be known of written memory counts as unseen_bytes, with the reason of the last such part (unseen_reason),
not as touched_bytes. Its bits in `touched` are set and its idle time is 0: unknown is never cold. These are huge pages
below Linux 7.3, and those that the range covers in part (#DAMON_UNKNOWN_HUGE_PAGE; they are never split), what is not
mapped, and, until it is asked about once more, what was
mapped anew or moved there (#DAMON_UNKNOWN_NOT_REGISTERED), what damon_exclude() or a scheme's action took the marks of,
and everything once the program has closed the library's descriptor. A pause is a gap of all tracked ranges
(#DAMON_UNKNOWN_PAUSED): questions meanwhile, and of each part the first one afterwards, have all of it unseen, even
where the pause was over before the marks were lifted. That question arms again; nothing else does.

The calling thread looks and arms anew by pieces of 16 MiB, where all is known to be present by 64 MiB, with short
rests; each holds the address space for reading for less than 100 us, so that 1 GiB takes milliseconds. The context need
not run. Nothing is allocated.

- `addr`: Start, a multiple of unit_bytes.

- `len`: Bytes, a multiple of unit_bytes; a part of one range that was added with #DAMON_RANGE_TRACKED. What is not
asked about is kept for the next question.

- `query`: size, unit_bytes, touched, idle and nr_units are read, all else is written. `touched` has a whole number of
64-bit words for the units; a unit is touched if any of its pages is. An idle time is that of the unit's youngest page,
up to the question that found it touched, in steps of 16 ms. since_ns is the oldest beginning among the pieces.

Returns 0; -ENOENT: not inside of one such range; -EINVAL: a member or parameter is wrong; -E2BIG; -EBUSY: another thread
is asking this context. After an error the arrays hold nothing of use. Thread: any.*/
    pub fn damon_query_range(
        ctx: *mut damon_ctx,
        addr: *const crate::ctypes::c_void,
        len: usize,
        query: *mut damon_range_query,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**The working set: how much memory is touched in a time.

Mode 0: damon_query_range() of all of the context's tracked ranges, added up; the next question begins here too.

Mode 1, the whole process: clears every accessed bit of the process's page tables, waits interval_us on the calling
thread, and counts the bits that are set again. So it sees reads and writes of all memory in whole pages (one touch of
a huge page counts all of it), by the program's threads and by the kernel on their behalf; a page that was touched and
given back, or taken by reclaim, in that time is not counted. present_bytes is what is mapped at the end. unseen_bytes
of it have no answer: pages of hugetlbfs; huge pages that the balancing of NUMA nodes hides (Linux before 6.7); and
whatever was not touched where reclaim has run meanwhile and the multi-generational LRU, which clears the same bits,
is not known to be off. Errs to "touched": pages of files that
another process reads, and pages that are mapped in while the bits are cleared. The context need not run; one that does
goes on sampling undisturbed.

Its price is the program's, so it is never done unasked. Clearing stops all of the program's page faults, mmap() and
munmap() for 8 to 30 ms for each GiB of present 4 KiB pages (0.3 ms of huge pages); counting takes as long, and lets page
faults go on. Then the first touch of each 4 KiB page costs some 0.15 us once more. What the kernel's reclaim
and its own DAMON knew of this process by these bits is lost.

- `inout`: size, mode and interval_us are read; with 0 as the result all other members are written.

Returns 0; -EINVAL: another mode, or interval_us is 0 in mode 1; -E2BIG; -EBUSY: another thread is asking (mode 0) or
is in this call, or a context that has not stopped has passes (damon_attrs.referenced_us), whose bits this one would
clear (mode 1); -EDEADLK: mode 1 on the worker; -EACCES or -EPERM: the process
is not dumpable; -ENOENT: no tracked range (mode 0); no /proc, or a kernel that does not count accessed bits (mode 1).
Thread: any, in mode 1 any but the worker; waits interval_us there.*/
    pub fn damon_wss(
        ctx: *mut damon_ctx,
        inout: *mut damon_wss_result,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Writes what the context has learned, for another context, process or day (a warm start): the regions with their access
counts and ages, and of each scheme its statistics and its quota with the charge window that is open. Parameters are no
part of it. Targets with ranges, given or added, are saved by position: the ranges may lie elsewhere when they are
restored. A target of DAMON_OPS_VADDR without ranges is saved by mapping: by the names of this process's mappings, their
order and sizes. Other targets without ranges are saved by address, where addresses mean the same (custom operations,
simulation, physical memory).

A running or paused context is saved by its worker between two intervals; a stopped one as it was at the end of its
run, or as it was restored since. The bytes are the same on all machines: little-endian, versioned, with a checksum.
```c
int64_t needed = damon_ctx_save(ctx, NULL, 0);        // some more while it runs: regions come and go
int64_t size = damon_ctx_save(ctx, buf, len);         // write `size` bytes to a file
...                                                   // in the next process, with as many targets, ranges, schemes
damon_ctx_restore(ctx, buf, (size_t)size);
damon_start(&ctx, 1, 0);                              // the first window goes on from what was learned
```

- `buf`: Written, if all of it fits; NULL with len 0.

- `len`: Bytes in buf. 0: a question for the size; nothing is written.

Returns Bytes written or needed: about 48 for a region and 136 for a scheme; -ENOSPC: more than len; -EINVAL: buf is
NULL, nothing was learned yet, or targets came or went since the run; -EOPNOTSUPP: a target of DAMON_OPS_KERNEL_VADDR
has no ranges; -ENOMEM; -ECHILD. Thread: control; allowed in callbacks.*/
    pub fn damon_ctx_save(
        ctx: *const damon_ctx,
        buf: *mut crate::ctypes::c_void,
        len: usize,
    ) -> i64;
}
extern "C" {
    /**Takes over what damon_ctx_save() wrote. A stopped context begins its next run with it (and no later one); a running one
has it in the place of its regions at once, and begins its window anew. Range number n of a target takes over what was
known of range number n, in the order of addresses, wherever it lies: where it is smaller than it was, its end is
dropped; where it is larger, nothing is known of the rest. Counts and ages are in the intervals of now; more
regions than max_nr_regions are joined. Ranges that are given or added after the call begin without knowledge.

A target that was saved by mapping takes over what was known of the mappings that are there again when this is called: of
the same name, in the same order, and where they have no name of similar size. So a program calls this when it has its
data back. Of mappings that have other sizes, files and the heap are aligned at their beginnings, stacks and anonymous
memory at their ends.

- `ctx`: The context: as many targets as were saved, with as many ranges each, and schemes of the same actions.

- `buf`: As saved. It is not trusted: every field is checked.

- `len`: Bytes in buf, as damon_ctx_save() returned them.

Returns 0; -EINVAL: the bytes are damaged, of another version or no such bytes, or they were saved of other targets,
ranges, schemes or another address unit; -EBUSY: in a callback that uses the regions (access checks, target_valid,
schemes) or at a run's start or end; -ENOENT: a target by mapping finds less than half of the saved bytes' mappings;
-EOPNOTSUPP: the kernel's DAMON monitors; -ENOMEM; -ECHILD. damon_ctx_errmsg() names the field. On failure nothing has
changed. Thread: control; allowed in callbacks but those.*/
    pub fn damon_ctx_restore(
        ctx: *mut damon_ctx,
        buf: *const crate::ctypes::c_void,
        len: usize,
    ) -> crate::ctypes::c_int;
}
/**damon_preset_reclaim(): pages out what has not been accessed for long. Where reads cannot be seen (private memory
below Linux 7.3) nothing is known to be unused, and is left alone: see allow_unseen_reads.*/
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_reclaim_params {
    /// sizeof(struct damon_reclaim_params).
    pub size: u32,
    /// 1: only pages of files. Default 0.
    pub skip_anon: u32,
    /// For so long. Default 120,000,000.
    pub min_age_us: u64,
    /// Time for it in a window; 0: no limit. Default 10.
    pub quota_ms: u64,
    /// Bytes in a window; 0: no limit. Default 128 MiB.
    pub quota_sz: u64,
    /// Length of a window. Default 1,000.
    pub quota_reset_interval_ms: u64,
    /// Not 0: aim at so much "some" memory pressure in a window. Default 0.
    pub quota_mem_pressure_us: u64,
    /// Not 0: a USER_INPUT goal with target 10,000, and where it stands. Default 0.
    pub quota_autotune_feedback: u64,
    /// Default 5,000,000.
    pub wmarks_interval_us: u64,
    /// Inactive with more free memory, permil. Default 500; 1,000: never.
    pub wmarks_high: u32,
    /// Active below. Default 400.
    pub wmarks_mid: u32,
    /// Inactive with less. Default 200.
    pub wmarks_low: u32,
    /// 1: 5 ms to 10 s, as accesses show. Default 0.
    pub autotune_monitoring_intervals: u32,
    /// Default 5,000.
    pub sample_us: u64,
    /// Default 100,000.
    pub aggr_us: u64,
    /// Default 10.
    pub min_nr_regions: u64,
    /// Default 1,000.
    pub max_nr_regions: u64,
    /// 1: the scheme has DAMOS_ALLOW_UNSEEN_READS. Default 0.
    pub allow_unseen_reads: u32,
    /**1: watermarks are of this process's memory group, see
DAMOS_WMARK_OWN_MEMCG_FREE_RATE, and not of the machine. Default 0.*/
    pub own_memcg: u32,
}
#[test]
fn bindgen_test_layout_damon_reclaim_params() {
    const UNINIT: ::core::mem::MaybeUninit<damon_reclaim_params> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_reclaim_params>(),
        120usize,
        "Size of damon_reclaim_params",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_reclaim_params>(),
        8usize,
        "Alignment of damon_reclaim_params",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_reclaim_params::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).skip_anon) as usize - ptr as usize },
        4usize,
        "Offset of field: damon_reclaim_params::skip_anon",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).min_age_us) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_reclaim_params::min_age_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).quota_ms) as usize - ptr as usize },
        16usize,
        "Offset of field: damon_reclaim_params::quota_ms",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).quota_sz) as usize - ptr as usize },
        24usize,
        "Offset of field: damon_reclaim_params::quota_sz",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).quota_reset_interval_ms) as usize - ptr as usize
        },
        32usize,
        "Offset of field: damon_reclaim_params::quota_reset_interval_ms",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).quota_mem_pressure_us) as usize - ptr as usize
        },
        40usize,
        "Offset of field: damon_reclaim_params::quota_mem_pressure_us",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).quota_autotune_feedback) as usize - ptr as usize
        },
        48usize,
        "Offset of field: damon_reclaim_params::quota_autotune_feedback",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).wmarks_interval_us) as usize - ptr as usize
        },
        56usize,
        "Offset of field: damon_reclaim_params::wmarks_interval_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).wmarks_high) as usize - ptr as usize },
        64usize,
        "Offset of field: damon_reclaim_params::wmarks_high",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).wmarks_mid) as usize - ptr as usize },
        68usize,
        "Offset of field: damon_reclaim_params::wmarks_mid",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).wmarks_low) as usize - ptr as usize },
        72usize,
        "Offset of field: damon_reclaim_params::wmarks_low",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).autotune_monitoring_intervals) as usize
                - ptr as usize
        },
        76usize,
        "Offset of field: damon_reclaim_params::autotune_monitoring_intervals",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).sample_us) as usize - ptr as usize },
        80usize,
        "Offset of field: damon_reclaim_params::sample_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).aggr_us) as usize - ptr as usize },
        88usize,
        "Offset of field: damon_reclaim_params::aggr_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).min_nr_regions) as usize - ptr as usize },
        96usize,
        "Offset of field: damon_reclaim_params::min_nr_regions",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).max_nr_regions) as usize - ptr as usize },
        104usize,
        "Offset of field: damon_reclaim_params::max_nr_regions",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).allow_unseen_reads) as usize - ptr as usize
        },
        112usize,
        "Offset of field: damon_reclaim_params::allow_unseen_reads",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).own_memcg) as usize - ptr as usize },
        116usize,
        "Offset of field: damon_reclaim_params::own_memcg",
    );
}
/// damon_preset_lru_sort(): sorts memory for reclaim: what is cold first, what is hot last.
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_lru_sort_params {
    /// sizeof(struct damon_lru_sort_params).
    pub size: u32,
    /// Hot: accessed in so many permil of samples. Default 500.
    pub hot_thres_access_freq: u32,
    /// Cold: not accessed for so long. Default 120,000,000.
    pub cold_min_age_us: u64,
    /// Not 0: aim at this share of active memory. At most 10,000. Default 0.
    pub active_mem_bp: u64,
    /// Time for it in a window, a half for each scheme. Default 10.
    pub quota_ms: u64,
    /// Length of a window. Default 1,000.
    pub quota_reset_interval_ms: u64,
    /// Default 5,000,000.
    pub wmarks_interval_us: u64,
    /// Inactive with more free memory, permil. Default 200; 1,000: never.
    pub wmarks_high: u32,
    /// Active below. Default 150.
    pub wmarks_mid: u32,
    /// Inactive with less. Default 50.
    pub wmarks_low: u32,
    /// 1: leave young pages out of cold. Needs the YOUNG filter. Default 0.
    pub filter_young_pages: u32,
    /// 1: 5 ms to 10 s, as accesses show. Default 0.
    pub autotune_monitoring_intervals: u32,
    /// 1: the schemes have DAMOS_ALLOW_UNSEEN_READS. Default 0.
    pub allow_unseen_reads: u32,
    /// Default 5,000.
    pub sample_us: u64,
    /// Default 100,000.
    pub aggr_us: u64,
    /// Default 10.
    pub min_nr_regions: u64,
    /// Default 1,000.
    pub max_nr_regions: u64,
    /// As in damon_reclaim_params. Default 0.
    pub own_memcg: u32,
    /// 0.
    pub reserved: u32,
}
#[test]
fn bindgen_test_layout_damon_lru_sort_params() {
    const UNINIT: ::core::mem::MaybeUninit<damon_lru_sort_params> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_lru_sort_params>(),
        112usize,
        "Size of damon_lru_sort_params",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_lru_sort_params>(),
        8usize,
        "Alignment of damon_lru_sort_params",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_lru_sort_params::size",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).hot_thres_access_freq) as usize - ptr as usize
        },
        4usize,
        "Offset of field: damon_lru_sort_params::hot_thres_access_freq",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).cold_min_age_us) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_lru_sort_params::cold_min_age_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).active_mem_bp) as usize - ptr as usize },
        16usize,
        "Offset of field: damon_lru_sort_params::active_mem_bp",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).quota_ms) as usize - ptr as usize },
        24usize,
        "Offset of field: damon_lru_sort_params::quota_ms",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).quota_reset_interval_ms) as usize - ptr as usize
        },
        32usize,
        "Offset of field: damon_lru_sort_params::quota_reset_interval_ms",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).wmarks_interval_us) as usize - ptr as usize
        },
        40usize,
        "Offset of field: damon_lru_sort_params::wmarks_interval_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).wmarks_high) as usize - ptr as usize },
        48usize,
        "Offset of field: damon_lru_sort_params::wmarks_high",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).wmarks_mid) as usize - ptr as usize },
        52usize,
        "Offset of field: damon_lru_sort_params::wmarks_mid",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).wmarks_low) as usize - ptr as usize },
        56usize,
        "Offset of field: damon_lru_sort_params::wmarks_low",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).filter_young_pages) as usize - ptr as usize
        },
        60usize,
        "Offset of field: damon_lru_sort_params::filter_young_pages",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).autotune_monitoring_intervals) as usize
                - ptr as usize
        },
        64usize,
        "Offset of field: damon_lru_sort_params::autotune_monitoring_intervals",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).allow_unseen_reads) as usize - ptr as usize
        },
        68usize,
        "Offset of field: damon_lru_sort_params::allow_unseen_reads",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).sample_us) as usize - ptr as usize },
        72usize,
        "Offset of field: damon_lru_sort_params::sample_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).aggr_us) as usize - ptr as usize },
        80usize,
        "Offset of field: damon_lru_sort_params::aggr_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).min_nr_regions) as usize - ptr as usize },
        88usize,
        "Offset of field: damon_lru_sort_params::min_nr_regions",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).max_nr_regions) as usize - ptr as usize },
        96usize,
        "Offset of field: damon_lru_sort_params::max_nr_regions",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).own_memcg) as usize - ptr as usize },
        104usize,
        "Offset of field: damon_lru_sort_params::own_memcg",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).reserved) as usize - ptr as usize },
        108usize,
        "Offset of field: damon_lru_sort_params::reserved",
    );
}
/// Answer of damon_stat_read().
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_stat_result {
    /// sizeof(struct damon_stat_result).
    pub size: u32,
    /// 0.
    pub reserved: u32,
    /// Of the snapshot that it was computed from; 0: there is none yet.
    pub seq: u64,
    /// Its window, as tuned.
    pub aggr_us: u64,
    /// Estimated bytes accessed a second.
    pub bandwidth: u64,
    /// Memory that could be looked at: what the percentiles are of.
    pub known_bytes: u64,
    /// Memory that could not.
    pub unknown_bytes: u64,
    /// [p]: p percent of the memory is idle for at most as long; negative: in use.
    pub memory_idle_ms: [i64; 101usize],
}
#[test]
fn bindgen_test_layout_damon_stat_result() {
    const UNINIT: ::core::mem::MaybeUninit<damon_stat_result> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_stat_result>(),
        856usize,
        "Size of damon_stat_result",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_stat_result>(),
        8usize,
        "Alignment of damon_stat_result",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_stat_result::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).reserved) as usize - ptr as usize },
        4usize,
        "Offset of field: damon_stat_result::reserved",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).seq) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_stat_result::seq",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).aggr_us) as usize - ptr as usize },
        16usize,
        "Offset of field: damon_stat_result::aggr_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).bandwidth) as usize - ptr as usize },
        24usize,
        "Offset of field: damon_stat_result::bandwidth",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).known_bytes) as usize - ptr as usize },
        32usize,
        "Offset of field: damon_stat_result::known_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).unknown_bytes) as usize - ptr as usize },
        40usize,
        "Offset of field: damon_stat_result::unknown_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).memory_idle_ms) as usize - ptr as usize },
        48usize,
        "Offset of field: damon_stat_result::memory_idle_ms",
    );
}
extern "C" {
    /**Fills in size and the defaults.

- `p`: Written; NULL is ignored. Thread: any.*/
    pub fn damon_reclaim_params_init(p: *mut damon_reclaim_params);
}
extern "C" {
    /**Fills in size and the defaults.

- `p`: Written; NULL is ignored. Thread: any.*/
    pub fn damon_lru_sort_params_init(p: *mut damon_lru_sort_params);
}
extern "C" {
    /**Fills in size and zeroes.

- `r`: Written; NULL is ignored. Thread: any.*/
    pub fn damon_stat_result_init(r: *mut damon_stat_result);
}
extern "C" {
    /**Pages out memory that has been cold for long, while memory is scarce.

- `p`: NULL: the defaults.

Returns Position of the scheme; -EINVAL: a parameter is wrong; -E2BIG; -ENOMEM; -EBUSY: running (also on the worker).
Nothing changes on failure. Thread: owner.*/
    pub fn damon_preset_reclaim(
        ctx: *mut damon_ctx,
        p: *const damon_reclaim_params,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Sorts memory on the kernel's lists: two schemes, the hot one and behind it the cold one. User space can put memory to
the front of reclaim, but not to its end: with DAMON_OPS_VADDR and _FVADDR the hot scheme only counts (DAMOS_STAT),
and hot memory stays where its own accesses keep it.

- `p`: NULL: the defaults.

Returns Position of the hot scheme; -EINVAL: a parameter is wrong; -E2BIG; -ENOMEM; -EBUSY: running (also on the
worker). Nothing changes on failure. Thread: owner.*/
    pub fn damon_preset_lru_sort(
        ctx: *mut damon_ctx,
        p: *const damon_lru_sort_params,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Watches only, with intervals from 5 ms to 10 s as accesses show, for damon_stat_read().

Returns 0; -EINVAL; -EBUSY: running (also on the worker). Thread: owner.*/
    pub fn damon_preset_stat(ctx: *mut damon_ctx) -> crate::ctypes::c_int;
}
extern "C" {
    /**Sums the last snapshot up, of whatever set-up. Takes memory of the library's own heap for a moment.

- `out`: Its size must be set; written.

Returns 0; -EINVAL; -E2BIG; -ENOMEM. Thread: any.*/
    pub fn damon_stat_read(
        ctx: *const damon_ctx,
        out: *mut damon_stat_result,
    ) -> crate::ctypes::c_int;
}
/// The best that works here for each mapping (default).
pub const DAMON_ACCESS_CHECK_AUTO: damon_access_check = 0;
/// userfaultfd read-write protection: reads and writes. Newest kernels.
pub const DAMON_ACCESS_CHECK_UFFD_RWP: damon_access_check = 1;
/// Declared shared mappings: reads and writes, any kernel.
pub const DAMON_ACCESS_CHECK_ZAP: damon_access_check = 2;
/// userfaultfd asynchronous write protection: writes only. Linux 6.7.
pub const DAMON_ACCESS_CHECK_UFFD_WP: damon_access_check = 3;
/// Accessed bits, by passes alone: no samples. Needs damon_attrs.referenced_us.
pub const DAMON_ACCESS_CHECK_REFERENCED: damon_access_check = 4;
/// Parked pages. Not in this release.
pub const DAMON_ACCESS_CHECK_UFFD_MOVE: damon_access_check = 5;
/// PROT_NONE and a signal handler. Not in this release.
pub const DAMON_ACCESS_CHECK_MPROTECT: damon_access_check = 6;
/// Idle page tracking. Not in this release.
pub const DAMON_ACCESS_CHECK_PAGE_IDLE: damon_access_check = 7;
/// The program reports its accesses: damon_report_access().
pub const DAMON_ACCESS_CHECK_REPORT: damon_access_check = 8;
/// Access checks: how it is learned whether a page was accessed. Chosen per mapping.
pub type damon_access_check = crate::ctypes::c_uint;
/// Reads are seen.
pub const DAMON_SEES_READS: damon_access_check_sees = 1;
/// Writes are seen.
pub const DAMON_SEES_WRITES: damon_access_check_sees = 2;
/// What an access check can see on this machine, for this user.
pub type damon_access_check_sees = crate::ctypes::c_uint;
/// Answer of damon_access_check_probe().
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_access_check_info {
    /// sizeof(struct damon_access_check_info).
    pub size: u32,
    /// 1: works here; 0: does not.
    pub available: i32,
    /// enum damon_access_check_sees.
    pub sees: u32,
    /// Not available: the negative errno that said so.
    pub error: i32,
    /// Such as "uffd_wp".
    pub name: [crate::ctypes::c_char; 24usize],
    /// Why not, or what to know; for AUTO: which was chosen and why no better one.
    pub reason: [crate::ctypes::c_char; 200usize],
}
#[test]
fn bindgen_test_layout_damon_access_check_info() {
    const UNINIT: ::core::mem::MaybeUninit<damon_access_check_info> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_access_check_info>(),
        240usize,
        "Size of damon_access_check_info",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_access_check_info>(),
        4usize,
        "Alignment of damon_access_check_info",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_access_check_info::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).available) as usize - ptr as usize },
        4usize,
        "Offset of field: damon_access_check_info::available",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).sees) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_access_check_info::sees",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).error) as usize - ptr as usize },
        12usize,
        "Offset of field: damon_access_check_info::error",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).name) as usize - ptr as usize },
        16usize,
        "Offset of field: damon_access_check_info::name",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).reason) as usize - ptr as usize },
        40usize,
        "Offset of field: damon_access_check_info::reason",
    );
}
extern "C" {
    /**Fills in size and zeroes.

- `info`: Written; NULL is ignored. Thread: any.*/
    pub fn damon_access_check_info_init(info: *mut damon_access_check_info);
}
extern "C" {
    /**Tries an access check on a scratch page, step by step: a version number or a success code would lie.

- `id`: enum damon_access_check. AUTO: what ordinary private memory gets.

- `out`: Its size must be set; written.

Returns 0: out says whether it works; -EINVAL: no such id; -E2BIG. Thread: any.*/
    pub fn damon_access_check_probe(
        id: i32,
        out: *mut damon_access_check_info,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Chooses the access check for DAMON_OPS_VADDR and _FVADDR.

- `id`: enum damon_access_check. With AUTO, memory that no access check can watch is reported as
DAMON_REGION_UNKNOWN; an access check that does not work here at all is refused at start.

Returns 0; -EINVAL; -EBUSY: running (also on the worker). Thread: owner.*/
    pub fn damon_ctx_set_access_check(
        ctx: *mut damon_ctx,
        id: i32,
    ) -> crate::ctypes::c_int;
}
/// One access that the program knows of.
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_access_report {
    /// sizeof(struct damon_access_report).
    pub size: u32,
    /// 1: a write; 0: a read.
    pub is_write: u32,
    /// First address.
    pub addr: u64,
    /// Bytes, at least 1.
    pub len: u64,
}
#[test]
fn bindgen_test_layout_damon_access_report() {
    const UNINIT: ::core::mem::MaybeUninit<damon_access_report> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_access_report>(),
        24usize,
        "Size of damon_access_report",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_access_report>(),
        8usize,
        "Alignment of damon_access_report",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_access_report::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).is_write) as usize - ptr as usize },
        4usize,
        "Offset of field: damon_access_report::is_write",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).addr) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_access_report::addr",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).len) as usize - ptr as usize },
        16usize,
        "Offset of field: damon_access_report::len",
    );
}
extern "C" {
    /**Fills in size and zeroes.

- `r`: Written; NULL is ignored. Thread: any.*/
    pub fn damon_access_report_init(r: *mut damon_access_report);
}
extern "C" {
    /**Reports an access to a context (read barriers, card marks, sampled allocations, a performance counter's records). Counts
at most once per region and sampling interval. Lock-free, makes no system call.

- `ctx`: A running context with DAMON_ACCESS_CHECK_REPORT.

- `r`: Read only during the call.

Returns 0; -EINVAL: len 0 or past the end of the address space; -E2BIG; -EAGAIN: the queue of this interval is full
(counted in damon_ctx_stats.nr_lost_reports); -ECANCELED: not running or paused; -EOPNOTSUPP: another access check.
Thread: any.*/
    pub fn damon_report_access(
        ctx: *mut damon_ctx,
        r: *const damon_access_report,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Maps shared memory of this process (memfd) and declares it, so that reads and writes of it can be seen on any kernel.
Zeroed, readable and writable, private to the process and its children.

- `len`: Bytes, more than 0; rounded up to pages.

Returns The memory; NULL: errno says why. Thread: any.*/
    pub fn damon_shared_map(len: usize) -> *mut crate::ctypes::c_void;
}
extern "C" {
    /**Withdraws and unmaps memory of damon_shared_map().

- `addr`: What damon_shared_map() returned.

- `len`: As given there.

Returns 0; -EINVAL: not such a mapping. Thread: control.*/
    pub fn damon_shared_unmap(
        addr: *mut crate::ctypes::c_void,
        len: usize,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Declares: here is a MAP_SHARED mapping that stays until it is withdrawn. The promise is the caller's: if the range were
unmapped and replaced by private memory while declared, a check could discard that memory.

- `addr`: Page-aligned.

- `len`: Bytes, a multiple of the page size.

Returns 0; -EINVAL: not aligned, empty, overlapping another declaration, or not throughout a shared mapping of memory or
of a regular file: rings of sockets and of the kernel's tracing, and memory of drivers are refused; -ENOMEM; -ENOSPC: too many declarations. Thread: any.*/
    pub fn damon_shared_declare(
        addr: *const crate::ctypes::c_void,
        len: usize,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Takes a declaration back. When it returns no check can touch the range any more, and it may be unmapped.

- `addr`: As declared.

- `len`: As declared.

Returns 0; -ENOENT: not declared so. Thread: control; allowed in callbacks.*/
    pub fn damon_shared_withdraw(
        addr: *const crate::ctypes::c_void,
        len: usize,
    ) -> crate::ctypes::c_int;
}
/// Looked: not accessed.
pub const DAMON_SEEN_NO: damon_seen = 0;
/// Looked: accessed.
pub const DAMON_SEEN_YES: damon_seen = 1;
/// Could not look.
pub const DAMON_SEEN_UNKNOWN: damon_seen = 2;
/// Answers to a sample.
pub type damon_seen = crate::ctypes::c_uint;
/// One question of a sampling interval. Frozen.
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_sample {
    /// The sampled address.
    pub addr: u64,
    /// The region that it stands for.
    pub region_start: u64,
    /// Its end.
    pub region_end: u64,
    /// Position of the target.
    pub target_idx: u32,
    /// enum damon_seen; to be set by check_accesses. Comes as DAMON_SEEN_UNKNOWN.
    pub seen: i32,
    /// enum damon_unknown_reason: why seen is DAMON_SEEN_UNKNOWN. Comes as DAMON_UNKNOWN_OTHER.
    pub unknown_reason: i32,
    /// 0.
    pub reserved: u32,
}
#[test]
fn bindgen_test_layout_damon_sample() {
    const UNINIT: ::core::mem::MaybeUninit<damon_sample> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(::core::mem::size_of::<damon_sample>(), 40usize, "Size of damon_sample");
    assert_eq!(
        ::core::mem::align_of::<damon_sample>(),
        8usize,
        "Alignment of damon_sample",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).addr) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_sample::addr",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).region_start) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_sample::region_start",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).region_end) as usize - ptr as usize },
        16usize,
        "Offset of field: damon_sample::region_end",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).target_idx) as usize - ptr as usize },
        24usize,
        "Offset of field: damon_sample::target_idx",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).seen) as usize - ptr as usize },
        28usize,
        "Offset of field: damon_sample::seen",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).unknown_reason) as usize - ptr as usize },
        32usize,
        "Offset of field: damon_sample::unknown_reason",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).reserved) as usize - ptr as usize },
        36usize,
        "Offset of field: damon_sample::reserved",
    );
}
/**A table of the program's own operations. All are called on the worker (manual drive: in damon_step()). Absent members
get the default named with them.*/
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct damon_operations {
    /// sizeof(struct damon_operations).
    pub size: u32,
    /// enum damon_operations_flags.
    pub flags: u32,
    /**At each start, before the first sample; may set regions with damon_target_set_regions(). Non-zero (a negative
errno) makes the context end. Default: nothing.*/
    pub init: ::core::option::Option<
        unsafe extern "C" fn(
            priv_: *mut crate::ctypes::c_void,
            ctx: *mut damon_ctx,
        ) -> crate::ctypes::c_int,
    >,
    /// Every ops_update_us; may set regions. Default: nothing.
    pub update: ::core::option::Option<
        unsafe extern "C" fn(priv_: *mut crate::ctypes::c_void, ctx: *mut damon_ctx),
    >,
    /// Clear the evidence at each sample's address. Default: nothing.
    pub prepare_access_checks: ::core::option::Option<
        unsafe extern "C" fn(
            priv_: *mut crate::ctypes::c_void,
            samples: *const damon_sample,
            nr: usize,
        ),
    >,
    /// One sampling interval later: set seen of each sample; same order as prepared. Default: all unknown.
    pub check_accesses: ::core::option::Option<
        unsafe extern "C" fn(
            priv_: *mut crate::ctypes::c_void,
            samples: *mut damon_sample,
            nr: usize,
        ),
    >,
    /// Priority of a region for a scheme's quota, 0 to 99 (others are clamped). Default: no ranking.
    pub get_scheme_score: ::core::option::Option<
        unsafe extern "C" fn(
            priv_: *mut crate::ctypes::c_void,
            ctx: *mut damon_ctx,
            r: *const damon_region_info,
            scheme_idx: usize,
        ) -> crate::ctypes::c_int,
    >,
    /**Act; returns core units applied, adds those that passed page-level filters to *sz_filter_passed. Not asked for
DAMOS_CALLBACK. Default: nothing is applied.*/
    pub apply_scheme: ::core::option::Option<
        unsafe extern "C" fn(
            priv_: *mut crate::ctypes::c_void,
            ctx: *mut damon_ctx,
            r: *const damon_region_info,
            scheme_idx: usize,
            sz_filter_passed: *mut u64,
        ) -> u64,
    >,
    /// 1: the target is still there. The context ends when none is. Default: always.
    pub target_valid: ::core::option::Option<
        unsafe extern "C" fn(
            priv_: *mut crate::ctypes::c_void,
            target_idx: usize,
        ) -> crate::ctypes::c_int,
    >,
    /// When pausing: forget everything prepared. Default: nothing.
    pub disarm: ::core::option::Option<
        unsafe extern "C" fn(priv_: *mut crate::ctypes::c_void),
    >,
    /// At the end of each run for which init succeeded. Default: nothing.
    pub cleanup: ::core::option::Option<
        unsafe extern "C" fn(priv_: *mut crate::ctypes::c_void),
    >,
}
#[test]
fn bindgen_test_layout_damon_operations() {
    const UNINIT: ::core::mem::MaybeUninit<damon_operations> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_operations>(),
        80usize,
        "Size of damon_operations",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_operations>(),
        8usize,
        "Alignment of damon_operations",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_operations::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).flags) as usize - ptr as usize },
        4usize,
        "Offset of field: damon_operations::flags",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).init) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_operations::init",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).update) as usize - ptr as usize },
        16usize,
        "Offset of field: damon_operations::update",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).prepare_access_checks) as usize - ptr as usize
        },
        24usize,
        "Offset of field: damon_operations::prepare_access_checks",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).check_accesses) as usize - ptr as usize },
        32usize,
        "Offset of field: damon_operations::check_accesses",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).get_scheme_score) as usize - ptr as usize
        },
        40usize,
        "Offset of field: damon_operations::get_scheme_score",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).apply_scheme) as usize - ptr as usize },
        48usize,
        "Offset of field: damon_operations::apply_scheme",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).target_valid) as usize - ptr as usize },
        56usize,
        "Offset of field: damon_operations::target_valid",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).disarm) as usize - ptr as usize },
        64usize,
        "Offset of field: damon_operations::disarm",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).cleanup) as usize - ptr as usize },
        72usize,
        "Offset of field: damon_operations::cleanup",
    );
}
/// check_accesses cannot see reads.
pub const DAMON_OPERATIONS_WRITES_ONLY: damon_operations_flags = 1;
/// Flags of damon_operations.
pub type damon_operations_flags = crate::ctypes::c_uint;
extern "C" {
    /**Fills in size and zeroes.

- `ops`: Written; NULL is ignored. Thread: any.*/
    pub fn damon_operations_init(ops: *mut damon_operations);
}
extern "C" {
    /**Makes the context use the program's own operations (DAMON_OPS_CUSTOM).

- `ops`: Copied.

- `priv`: Handed to each; must live as long as the context uses it.

Returns 0; -EINVAL: NULL, unknown flags; -E2BIG; -ENOMEM; -EBUSY: running (also on the worker). Thread: owner.*/
    pub fn damon_ctx_set_custom_ops(
        ctx: *mut damon_ctx,
        ops: *const damon_operations,
        priv_: *mut crate::ctypes::c_void,
    ) -> crate::ctypes::c_int;
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct damon_sim {
    _unused: [u8; 0],
}
/// The machine. See damon_sim_params_init() for the defaults.
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_sim_params {
    /// sizeof(struct damon_sim_params).
    pub size: u32,
    /// NUMA nodes, 1 to 8. Default 1.
    pub nr_nodes: u32,
    /// Of the accesses. Default 1.
    pub seed: u64,
    /// A power of two. Default 4,096.
    pub page_size: u64,
    /// A power of two, at least page_size. Default 2 MiB.
    pub huge_page_size: u64,
    /// Memory of each node. Default 16 GiB.
    pub node_bytes: [u64; 8usize],
    /// Room for paged-out anonymous memory; 0: no swap. Default: unlimited.
    pub swap_bytes: u64,
    /// What the first touch of a page costs. Default 500.
    pub fault_ns: u64,
    /// What touching a paged-out page costs, also in memory pressure. Default 100,000.
    pub refault_ns: u64,
    /// DAMOS_FILTER_YOUNG: an access is expected in so long. Default 100,000.
    pub young_us: u64,
    /// What an action costs for each page that it changed, by enum damos_action.
    pub action_ns: [u64; 12usize],
    /**What monitoring pays for a sample. With DAMON_DRIVE_MANUAL it counts, with batch_ns and
the model prices of surveys, against damon_attrs.max_overhead_permil: a damon_step()
that comes before it is paid back ends no interval. 0, the default: without limit.*/
    pub sample_ns: u64,
    /// What it pays for a sampling interval, where sample_ns is not 0. Default 0.
    pub batch_ns: u64,
}
#[test]
fn bindgen_test_layout_damon_sim_params() {
    const UNINIT: ::core::mem::MaybeUninit<damon_sim_params> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_sim_params>(),
        240usize,
        "Size of damon_sim_params",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_sim_params>(),
        8usize,
        "Alignment of damon_sim_params",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_sim_params::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).nr_nodes) as usize - ptr as usize },
        4usize,
        "Offset of field: damon_sim_params::nr_nodes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).seed) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_sim_params::seed",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).page_size) as usize - ptr as usize },
        16usize,
        "Offset of field: damon_sim_params::page_size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).huge_page_size) as usize - ptr as usize },
        24usize,
        "Offset of field: damon_sim_params::huge_page_size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).node_bytes) as usize - ptr as usize },
        32usize,
        "Offset of field: damon_sim_params::node_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).swap_bytes) as usize - ptr as usize },
        96usize,
        "Offset of field: damon_sim_params::swap_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).fault_ns) as usize - ptr as usize },
        104usize,
        "Offset of field: damon_sim_params::fault_ns",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).refault_ns) as usize - ptr as usize },
        112usize,
        "Offset of field: damon_sim_params::refault_ns",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).young_us) as usize - ptr as usize },
        120usize,
        "Offset of field: damon_sim_params::young_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).action_ns) as usize - ptr as usize },
        128usize,
        "Offset of field: damon_sim_params::action_ns",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).sample_ns) as usize - ptr as usize },
        224usize,
        "Offset of field: damon_sim_params::sample_ns",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).batch_ns) as usize - ptr as usize },
        232usize,
        "Offset of field: damon_sim_params::batch_ns",
    );
}
/// Page cache: can be paged out without swap. Else anonymous memory.
pub const DAMON_SIM_RANGE_FILE: damon_sim_range_flags = 1;
/// Locked: PAGEOUT, COLD and LRU_DEPRIO do nothing.
pub const DAMON_SIM_RANGE_LOCKED: damon_sim_range_flags = 2;
/// Monitoring sees writes only.
pub const DAMON_SIM_RANGE_WRITES_ONLY: damon_sim_range_flags = 4;
/// Monitoring cannot look here: DAMON_SEEN_UNKNOWN.
pub const DAMON_SIM_RANGE_OPAQUE: damon_sim_range_flags = 8;
/// Flags of damon_sim_range.
pub type damon_sim_range_flags = crate::ctypes::c_uint;
/// Mapped memory of one simulated program.
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_sim_range {
    /// sizeof(struct damon_sim_range).
    pub size: u32,
    /// enum damon_sim_range_flags. Default 0.
    pub flags: u32,
    /// First address, a multiple of the page size. Default 0.
    pub start: u64,
    /// One past the last address, a multiple of the page size.
    pub end: u64,
    /// The program: position of the context's target that watches it; below 4,096. Default 0.
    pub target_idx: u32,
    /// Node of its pages at first. Default 0.
    pub nid: u32,
    /// Share of it that is present at first; the rest was never touched. Default 10,000.
    pub resident_bp: u32,
    /// 0.
    pub reserved: u32,
    /// Its memory group. Default 0: none.
    pub memcg_id: u64,
}
#[test]
fn bindgen_test_layout_damon_sim_range() {
    const UNINIT: ::core::mem::MaybeUninit<damon_sim_range> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_sim_range>(),
        48usize,
        "Size of damon_sim_range",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_sim_range>(),
        8usize,
        "Alignment of damon_sim_range",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_sim_range::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).flags) as usize - ptr as usize },
        4usize,
        "Offset of field: damon_sim_range::flags",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).start) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_sim_range::start",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).end) as usize - ptr as usize },
        16usize,
        "Offset of field: damon_sim_range::end",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).target_idx) as usize - ptr as usize },
        24usize,
        "Offset of field: damon_sim_range::target_idx",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).nid) as usize - ptr as usize },
        28usize,
        "Offset of field: damon_sim_range::nid",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).resident_bp) as usize - ptr as usize },
        32usize,
        "Offset of field: damon_sim_range::resident_bp",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).reserved) as usize - ptr as usize },
        36usize,
        "Offset of field: damon_sim_range::reserved",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).memcg_id) as usize - ptr as usize },
        40usize,
        "Offset of field: damon_sim_range::memcg_id",
    );
}
/// All of it, always.
pub const DAMON_SIM_CONSTANT: damon_sim_pattern_kind = 0;
/**All of it, for hot_us of every period_us, first after phase_us; period_us 0: once. Phases
of a program: one pulse for each phase and range, period_us the sum of all phases.*/
pub const DAMON_SIM_PULSE: damon_sim_pattern_kind = 1;
/// nr_regions equal parts, one after another for step_us each, then from the first again.
pub const DAMON_SIM_STAIRS: damon_sim_pattern_kind = 2;
/// The same, up and down again.
pub const DAMON_SIM_ZIGZAG: damon_sim_pattern_kind = 3;
/// A window of window_bytes passes over it once every period_us and wraps around.
pub const DAMON_SIM_MOVING: damon_sim_pattern_kind = 4;
/// Each page once every period_us, in address order; no rate.
pub const DAMON_SIM_SWEEP: damon_sim_pattern_kind = 5;
/// How the pages of a pattern's range are accessed.
pub type damon_sim_pattern_kind = crate::ctypes::c_uint;
/// An access pattern. Where patterns overlap, their rates add up.
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_sim_pattern {
    /// sizeof(struct damon_sim_pattern).
    pub size: u32,
    /// enum damon_sim_pattern_kind. Default DAMON_SIM_CONSTANT.
    pub kind: i32,
    /// First address, a multiple of the page size. Default 0.
    pub start: u64,
    /// One past the last address; [start, end) lies in ranges of the target.
    pub end: u64,
    /// Accesses of each hot page in 1,000 seconds. Default 1,000,000. 2^64-1: none is missed.
    pub rate_millihz: u64,
    /// Before: nothing. Default 0.
    pub begin_us: u64,
    /// From here on: nothing. Default 2^64-1: never.
    pub end_us: u64,
    /// STAIRS, ZIGZAG: how long one part is hot.
    pub step_us: u64,
    /// PULSE, MOVING, SWEEP: time until all begins again.
    pub period_us: u64,
    /// PULSE: from begin_us to the first hot moment; less than period_us.
    pub phase_us: u64,
    /// PULSE: how long it is hot; at most period_us.
    pub hot_us: u64,
    /// MOVING: what is hot at a time; a multiple of the page size.
    pub window_bytes: u64,
    /// The program. Default 0.
    pub target_idx: u32,
    /// Share of the accesses that write. Default 10,000.
    pub writes_bp: u32,
    /// STAIRS, ZIGZAG: number of parts, 2 or more.
    pub nr_regions: u32,
    /// 0.
    pub reserved: u32,
}
#[test]
fn bindgen_test_layout_damon_sim_pattern() {
    const UNINIT: ::core::mem::MaybeUninit<damon_sim_pattern> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_sim_pattern>(),
        104usize,
        "Size of damon_sim_pattern",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_sim_pattern>(),
        8usize,
        "Alignment of damon_sim_pattern",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_sim_pattern::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).kind) as usize - ptr as usize },
        4usize,
        "Offset of field: damon_sim_pattern::kind",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).start) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_sim_pattern::start",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).end) as usize - ptr as usize },
        16usize,
        "Offset of field: damon_sim_pattern::end",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).rate_millihz) as usize - ptr as usize },
        24usize,
        "Offset of field: damon_sim_pattern::rate_millihz",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).begin_us) as usize - ptr as usize },
        32usize,
        "Offset of field: damon_sim_pattern::begin_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).end_us) as usize - ptr as usize },
        40usize,
        "Offset of field: damon_sim_pattern::end_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).step_us) as usize - ptr as usize },
        48usize,
        "Offset of field: damon_sim_pattern::step_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).period_us) as usize - ptr as usize },
        56usize,
        "Offset of field: damon_sim_pattern::period_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).phase_us) as usize - ptr as usize },
        64usize,
        "Offset of field: damon_sim_pattern::phase_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).hot_us) as usize - ptr as usize },
        72usize,
        "Offset of field: damon_sim_pattern::hot_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).window_bytes) as usize - ptr as usize },
        80usize,
        "Offset of field: damon_sim_pattern::window_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).target_idx) as usize - ptr as usize },
        88usize,
        "Offset of field: damon_sim_pattern::target_idx",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).writes_bp) as usize - ptr as usize },
        92usize,
        "Offset of field: damon_sim_pattern::writes_bp",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).nr_regions) as usize - ptr as usize },
        96usize,
        "Offset of field: damon_sim_pattern::nr_regions",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).reserved) as usize - ptr as usize },
        100usize,
        "Offset of field: damon_sim_pattern::reserved",
    );
}
/// What is on the simulated machine now, and what has happened on it since damon_sim_new(). Expected values.
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_sim_stat {
    /// sizeof(struct damon_sim_stat).
    pub size: u32,
    /// 0.
    pub reserved: u32,
    /// The time.
    pub now_us: u64,
    /// Present.
    pub resident_bytes: u64,
    /// Present, and accessed since it was brought in or aged.
    pub active_bytes: u64,
    /// Anonymous, paged out.
    pub swapped_bytes: u64,
    /// Paged out.
    pub evicted_bytes: u64,
    /// Mapped, never touched.
    pub untouched_bytes: u64,
    /// Present, in huge pages.
    pub huge_bytes: u64,
    /// So far: touched for the first time.
    pub fault_bytes: u64,
    /// So far: touched while paged out. What a bad policy costs.
    pub refault_bytes: u64,
    /// So far: paged out.
    pub paged_out_bytes: u64,
    /// So far: moved to another node.
    pub migrated_bytes: u64,
    /// So far: time that programs waited in faults and refaults; their pressure.
    pub stall_ns: u64,
    /// So far: time that actions took.
    pub action_ns: u64,
    /// So far: regions that were acted on.
    pub nr_actions: u64,
    /// So far: not done because the simulator itself was out of memory.
    pub nr_failed_actions: u64,
    /// Present, by node.
    pub node_used_bytes: [u64; 8usize],
}
#[test]
fn bindgen_test_layout_damon_sim_stat() {
    const UNINIT: ::core::mem::MaybeUninit<damon_sim_stat> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_sim_stat>(),
        192usize,
        "Size of damon_sim_stat",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_sim_stat>(),
        8usize,
        "Alignment of damon_sim_stat",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_sim_stat::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).reserved) as usize - ptr as usize },
        4usize,
        "Offset of field: damon_sim_stat::reserved",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).now_us) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_sim_stat::now_us",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).resident_bytes) as usize - ptr as usize },
        16usize,
        "Offset of field: damon_sim_stat::resident_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).active_bytes) as usize - ptr as usize },
        24usize,
        "Offset of field: damon_sim_stat::active_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).swapped_bytes) as usize - ptr as usize },
        32usize,
        "Offset of field: damon_sim_stat::swapped_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).evicted_bytes) as usize - ptr as usize },
        40usize,
        "Offset of field: damon_sim_stat::evicted_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).untouched_bytes) as usize - ptr as usize },
        48usize,
        "Offset of field: damon_sim_stat::untouched_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).huge_bytes) as usize - ptr as usize },
        56usize,
        "Offset of field: damon_sim_stat::huge_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).fault_bytes) as usize - ptr as usize },
        64usize,
        "Offset of field: damon_sim_stat::fault_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).refault_bytes) as usize - ptr as usize },
        72usize,
        "Offset of field: damon_sim_stat::refault_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).paged_out_bytes) as usize - ptr as usize },
        80usize,
        "Offset of field: damon_sim_stat::paged_out_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).migrated_bytes) as usize - ptr as usize },
        88usize,
        "Offset of field: damon_sim_stat::migrated_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).stall_ns) as usize - ptr as usize },
        96usize,
        "Offset of field: damon_sim_stat::stall_ns",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).action_ns) as usize - ptr as usize },
        104usize,
        "Offset of field: damon_sim_stat::action_ns",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).nr_actions) as usize - ptr as usize },
        112usize,
        "Offset of field: damon_sim_stat::nr_actions",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).nr_failed_actions) as usize - ptr as usize
        },
        120usize,
        "Offset of field: damon_sim_stat::nr_failed_actions",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).node_used_bytes) as usize - ptr as usize },
        128usize,
        "Offset of field: damon_sim_stat::node_used_bytes",
    );
}
/// A question about the truth.
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_sim_query {
    /// sizeof(struct damon_sim_query).
    pub size: u32,
    /// The program. Default 0.
    pub target_idx: u32,
    /// The moment, past or future.
    pub at_us: u64,
    /// Pages with at least this rate are hot; 0 (default): all that are accessed at all.
    pub min_rate_millihz: u64,
}
#[test]
fn bindgen_test_layout_damon_sim_query() {
    const UNINIT: ::core::mem::MaybeUninit<damon_sim_query> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_sim_query>(),
        24usize,
        "Size of damon_sim_query",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_sim_query>(),
        8usize,
        "Alignment of damon_sim_query",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_sim_query::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).target_idx) as usize - ptr as usize },
        4usize,
        "Offset of field: damon_sim_query::target_idx",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).at_us) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_sim_query::at_us",
    );
    assert_eq!(
        unsafe {
            ::core::ptr::addr_of!((*ptr).min_rate_millihz) as usize - ptr as usize
        },
        16usize,
        "Offset of field: damon_sim_query::min_rate_millihz",
    );
}
/// How well a list of regions agrees with the truth.
#[repr(C)]
#[derive(Debug, Copy, Clone, Hash, PartialEq, Eq)]
pub struct damon_sim_accuracy {
    /// sizeof(struct damon_sim_accuracy).
    pub size: u32,
    /// Of what was found hot, how much is.
    pub precision_bp: u32,
    /// Of what is hot, how much was found.
    pub recall_bp: u32,
    /// Harmonic mean of the two.
    pub f1_bp: u32,
    /// Hot.
    pub hot_bytes: u64,
    /// Found hot.
    pub found_bytes: u64,
    /// Both.
    pub both_bytes: u64,
}
#[test]
fn bindgen_test_layout_damon_sim_accuracy() {
    const UNINIT: ::core::mem::MaybeUninit<damon_sim_accuracy> = ::core::mem::MaybeUninit::uninit();
    let ptr = UNINIT.as_ptr();
    assert_eq!(
        ::core::mem::size_of::<damon_sim_accuracy>(),
        40usize,
        "Size of damon_sim_accuracy",
    );
    assert_eq!(
        ::core::mem::align_of::<damon_sim_accuracy>(),
        8usize,
        "Alignment of damon_sim_accuracy",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).size) as usize - ptr as usize },
        0usize,
        "Offset of field: damon_sim_accuracy::size",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).precision_bp) as usize - ptr as usize },
        4usize,
        "Offset of field: damon_sim_accuracy::precision_bp",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).recall_bp) as usize - ptr as usize },
        8usize,
        "Offset of field: damon_sim_accuracy::recall_bp",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).f1_bp) as usize - ptr as usize },
        12usize,
        "Offset of field: damon_sim_accuracy::f1_bp",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).hot_bytes) as usize - ptr as usize },
        16usize,
        "Offset of field: damon_sim_accuracy::hot_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).found_bytes) as usize - ptr as usize },
        24usize,
        "Offset of field: damon_sim_accuracy::found_bytes",
    );
    assert_eq!(
        unsafe { ::core::ptr::addr_of!((*ptr).both_bytes) as usize - ptr as usize },
        32usize,
        "Offset of field: damon_sim_accuracy::both_bytes",
    );
}
extern "C" {
    /**Fills in size and the defaults.

- `p`: Written; NULL is ignored. Thread: any.*/
    pub fn damon_sim_params_init(p: *mut damon_sim_params);
}
extern "C" {
    /**Fills in size and the defaults.

- `r`: Written; NULL is ignored. Thread: any.*/
    pub fn damon_sim_range_init(r: *mut damon_sim_range);
}
extern "C" {
    /**Fills in size and the defaults.

- `p`: Written; NULL is ignored. Thread: any.*/
    pub fn damon_sim_pattern_init(p: *mut damon_sim_pattern);
}
extern "C" {
    /**Fills in size and zeroes.

- `s`: Written; NULL is ignored. Thread: any.*/
    pub fn damon_sim_stat_init(s: *mut damon_sim_stat);
}
extern "C" {
    /**Fills in size and zeroes.

- `q`: Written; NULL is ignored. Thread: any.*/
    pub fn damon_sim_query_init(q: *mut damon_sim_query);
}
extern "C" {
    /**Fills in size and zeroes.

- `a`: Written; NULL is ignored. Thread: any.*/
    pub fn damon_sim_accuracy_init(a: *mut damon_sim_accuracy);
}
extern "C" {
    /**Makes a simulator without any mapped memory, at time 0.

- `p`: Copied; NULL: the defaults.

Returns The simulator, to be freed with damon_sim_free(); NULL: out of memory, or a parameter is out of its range.
Thread: any.*/
    pub fn damon_sim_new(p: *const damon_sim_params) -> *mut damon_sim;
}
extern "C" {
    /**Frees a simulator.

- `sim`: NULL is fine. Contexts that use it must be freed, or given other ops, before. Thread: owner.*/
    pub fn damon_sim_free(sim: *mut damon_sim);
}
extern "C" {
    /**The reason of the simulator's last failure, in words.

- `sim`: The simulator.

- `buf`: Written, always terminated if len > 0; may be NULL if len is 0.

- `len`: Bytes in buf.

Returns Length of the whole text without the terminator (as snprintf), 0: nothing failed so far; -EINVAL.
Thread: owner.*/
    pub fn damon_sim_errmsg(
        sim: *const damon_sim,
        buf: *mut crate::ctypes::c_char,
        len: usize,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Maps memory, also in the middle of a run: targets without given ranges cover it from their next update on.

- `sim`: The simulator.

- `r`: Copied.

Returns 0; -EINVAL: not aligned, empty, overlapping another range of the target, no such node; -E2BIG; -ENOMEM.
Nothing changes on failure. Thread: owner.*/
    pub fn damon_sim_add_range(
        sim: *mut damon_sim,
        r: *const damon_sim_range,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Adds an access pattern, also in the middle of a run: it then counts from now on.

- `sim`: The simulator.

- `p`: Copied.

Returns 0; -EINVAL: outside the ranges of its target, or a parameter that its kind needs is wrong; -E2BIG; -ENOMEM.
Nothing changes on failure. Thread: owner.*/
    pub fn damon_sim_add_pattern(
        sim: *mut damon_sim,
        p: *const damon_sim_pattern,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Lets a program end: from then on its target is not valid.

- `sim`: The simulator.

- `target_idx`: The program.

- `at_us`: When; 2^64-1: never.

Returns 0; -EINVAL: no such program; -ENOMEM. Thread: owner.*/
    pub fn damon_sim_set_target_end(
        sim: *mut damon_sim,
        target_idx: u32,
        at_us: u64,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Makes the context watch simulated memory (DAMON_OPS_SIM). The i-th target of the context is the i-th program of the
simulator; its pid is not used. With DAMON_DRIVE_MANUAL the simulated time is that of damon_step() and never goes
back, not even in another run; with a worker thread it is CLOCK_MONOTONIC.

- `sim`: Borrowed: must live as long as the context uses it. Several contexts may use one simulator in turn; start
fails with -EBUSY while another one runs.

Returns 0; -EINVAL: NULL; -EBUSY: running (also on the worker). Thread: owner.*/
    pub fn damon_ctx_set_sim(
        ctx: *mut damon_ctx,
        sim: *mut damon_sim,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Reads the state of the simulated machine, now.

- `sim`: The simulator.

- `out`: Its size must be set; written.

Returns 0; -EINVAL; -E2BIG. Thread: owner.*/
    pub fn damon_sim_get_stat(
        sim: *const damon_sim,
        out: *mut damon_sim_stat,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**How often a page is truly accessed at a moment.

- `sim`: The simulator.

- `q`: Its min_rate_millihz is not used.

- `addr`: An address in the page.

- `rate_millihz_out`: Written: accesses in 1,000 seconds.

Returns 0; -ENOENT: nothing is mapped there; -EINVAL; -E2BIG. Thread: owner.*/
    pub fn damon_sim_rate(
        sim: *const damon_sim,
        q: *const damon_sim_query,
        addr: u64,
        rate_millihz_out: *mut u64,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**The truly hot ranges, exactly, sorted and joined where they touch.

- `sim`: The simulator.

- `q`: Which program, when, and what is hot.

- `ranges`: Written.

- `cap`: How many fit.

- `nr_out`: How many there are; written, also with -ENOSPC. NULL is fine.

Returns How many were written; -ENOSPC: more than cap, nothing was written to ranges; -EINVAL; -E2BIG; -ENOMEM.
Thread: owner.*/
    pub fn damon_sim_hot_ranges(
        sim: *const damon_sim,
        q: *const damon_sim_query,
        ranges: *mut damon_addr_range,
        cap: usize,
        nr_out: *mut usize,
    ) -> crate::ctypes::c_int;
}
extern "C" {
    /**Compares regions with the truth.

- `sim`: The simulator.

- `q`: Which program, when, and what is hot.

- `regions`: For instance from damon_snapshot_read(): sorted, disjoint. Those of other targets are passed over.

- `nr_regions`: How many.

- `min_nr_accesses`: Regions with at least so many accesses count as found hot.

- `out`: Its size must be set; written. Shares of nothing are 10,000 where truth and regions agree that there is
nothing, else 0.

Returns 0; -EINVAL; -E2BIG; -ENOMEM. Thread: owner.*/
    pub fn damon_sim_compare(
        sim: *const damon_sim,
        q: *const damon_sim_query,
        regions: *const damon_region_info,
        nr_regions: usize,
        min_nr_accesses: u32,
        out: *mut damon_sim_accuracy,
    ) -> crate::ctypes::c_int;
}
