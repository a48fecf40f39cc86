/* SPDX-License-Identifier: MIT */
/**
 * @file damon_c.h
 * @brief libdamon: data access monitoring of the running program, as a library.
 */
/**
 * @mainpage libdamon: the C interface
 *
 * A *context* watches ranges of addresses (its *targets*) with one worker thread, called kdamond. Every sampling
 * interval the worker looks at one page of every *region*; every aggregation interval it merges regions that were
 * accessed alike, splits the others to look closer, and publishes a *snapshot*. What a context learns costs the same
 * whether it watches a megabyte or a terabyte: the number of regions bounds it.
 *
 * Simple use:
 * @code{.c}
 *   damon_ctx *ctx = damon_ctx_new();
 *   damon_target *target = damon_target_new();
 *   struct damon_addr_range heap = { (uint64_t)(uintptr_t)base, (uint64_t)(uintptr_t)base + len };
 *   damon_target_set_regions(target, &heap, 1);
 *   damon_ctx_add_target(ctx, target);                  // the context owns the target now
 *   if (damon_start(&ctx, 1, 0) != 0) { ... damon_ctx_errmsg() says what is wrong ... }
 *
 *   struct damon_region_info regions[1000];
 *   struct damon_snapshot_info info;
 *   damon_snapshot_info_init(&info);
 *   damon_snapshot_wait(ctx, 0, 1000);                  // the first window: 100 ms
 *   int nr = damon_snapshot_read(ctx, regions, 1000, &info);
 *   // regions[i].nr_accesses of info.max_nr_accesses samples found the region accessed
 *
 *   damon_set_pause(ctx, 1);                            // no cost, nothing forgotten
 *   damon_set_pause(ctx, 0);
 *   damon_stop(&ctx, 1);
 *   damon_ctx_free(ctx);
 * @endcode
 *
 * **Results.** Functions that return `int` give 0 or a positive count on success and a negative errno on failure. The
 * reason in words, naming the wrong value and what would be right, is kept for each context: damon_ctx_errmsg(). Nothing
 * throws, aborts or prints. Every handle may be NULL: the call then fails with `-EINVAL` (or returns 0, NULL, or does
 * nothing where it cannot fail).
 *
 * **Structures.** Parameter structures begin with `size`, set by their `..._init()` function, which also fills in the
 * defaults. A program compiled against an older header (smaller `size`) keeps working; a larger `size` is accepted as
 * long as the part that this library does not know is all zero, else `-E2BIG`. A `size` below 16, or not a multiple of
 * the structure's alignment, is `-EINVAL`; one above 4,096 is `-E2BIG`. #damon_call_control and #damos_walk_control,
 * whose last members are answers, must be whole. Members named `reserved` must be 0, else `-EINVAL`: a later release may
 * give them a meaning. Structures used as array elements (#damon_addr_range,
 * #damon_region_info, #damon_sample, #damos_migrate_dest) are frozen.
 *
 * **Threads.** Three words are used below:
 * - *any*: from any thread at any time, also from callbacks.
 * - *owner*: by one thread at a time while the context is stopped, or on the context's worker (inside a callback).
 *   While the context runs, another thread gets `-EBUSY`.
 * - *control*: from any thread, several at a time; waits for the worker. What happens inside a callback of the same
 *   context is said for each function.
 *
 * Callbacks run on the worker with no lock of the library held. They may read, commit and pause their context; they may
 * not stop, free or wait for it (`-EDEADLK`). The worker is an ordinary thread: SCHED_OTHER with a stack of 8 MiB of its
 * own, whatever the thread that called damon_start() has, and all signals blocked but those that its own faults raise
 * (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS). damon_ctx_set_worker_attr() changes what may be changed.
 *
 * A thread cannot be cancelled (pthread_cancel()) inside of the library, callbacks of a manually driven context included;
 * it is afterwards. Only damon_report_access() takes no care of PTHREAD_CANCEL_ASYNCHRONOUS. A thread that waits for the library's locks lends its priority to their holder.
 *
 * **Memory.** The library never calls malloc, free or new (only the C library does, for threads that start and end: in
 * damon_start(), damon_stop() and damon_ctx_free()), so that an allocator can embed it: its small heap is on mmap(). It
 * does not write to, read from or discard memory of the program; access checks only mark pages in the page tables.
 *
 * **Fork.** A child process does not inherit the worker. In the child, every handle can only be freed; other calls on a
 * context fail with `-ECHILD`.
 *
 * **In what follows** a parameter `ctx` that is not described is the context, and what has no `@since` is there since 0.1.
 *
 * **Units** are in the names: `_us` microseconds, `_ms` milliseconds, `_ns` nanoseconds, `_bytes`, `_bp` basis points
 * (1/10,000). Ranges are half-open, [start, end). Sizes and addresses without a unit in the name are in core units,
 * which are bytes unless damon_ctx_set_addr_unit() says otherwise.
 */
#ifndef DAMON_C_H
#define DAMON_C_H

#include <stddef.h>
#include <stdint.h>

#if defined(DAMON_API)
/* Given by whoever builds the library: nothing, for a static library whose functions its user does not export. */
#elif defined(__GNUC__)
#define DAMON_API __attribute__((visibility("default"))) /**< Exported from the shared library. */
#else
#define DAMON_API
#endif

/** @addtogroup version
 * @{ */
#define DAMON_VERSION_MAJOR 0 /**< Of this header. */
#define DAMON_VERSION_MINOR 1 /**< Of this header. */
#define DAMON_VERSION_PATCH 0 /**< Of this header. */
/** @} */

#ifdef __cplusplus
extern "C" {
#endif

/** @ingroup contexts
 * A monitoring context: parameters, learned regions, schemes, and while it runs a worker thread. */
typedef struct damon_ctx damon_ctx;
/** @ingroup targets
 * What is monitored: a process and, optionally, ranges of its addresses. */
typedef struct damon_target damon_target;
/** @ingroup schemes
 * A scheme: an access pattern and what to do with memory that shows it. */
typedef struct damos damos;
/** @ingroup probes
 * A probe: an attribute of memory that is sampled alongside accesses. */
typedef struct damon_probe damon_probe;

/**
 * @defgroup version Version and error numbers
 * What is linked, and what its error numbers mean.
 * @defgroup contexts Contexts
 * A context holds the attributes, targets and schemes of one monitor, and what it has learned.
 * @defgroup targets Targets
 * What is watched: a process and, optionally, ranges of its addresses.
 * @defgroup ranges Ranges, exclusion and coverage
 * What a running context watches can grow and shrink; memory can be kept from every context.
 * @defgroup running Start, stop and state
 * The worker of a context, or steps in virtual time; what it is doing, and why.
 * @defgroup control Online control
 * Changes, pauses, and functions that run on the worker.
 * @defgroup results Snapshots
 * What was found: regions with their accesses, ages, and why some could not be looked at.
 * @defgroup queries Exact questions
 * Which pages of a tracked range were touched, and how large the working set is.
 * @defgroup saved Saved contexts
 * What was learned, for another context, process or day.
 * @defgroup schemes Schemes (DAMOS)
 * Memory that shows an access pattern, and what is done with it: actions, quotas, goals, watermarks, filters.
 * @defgroup presets Presets: the usual policies in one call
 * The policies of Linux's DAMON_RECLAIM, DAMON_LRU_SORT and DAMON_STAT with their parameters and defaults, for the
 * targets that the context has. Each replaces the attributes and appends its schemes, on a stopped context; targets,
 * start and stop stay the caller's. Ages are times, which interval tuning does not stretch.
 * @defgroup probes Probes: attributes of memory, sampled alongside accesses
 * A probe asks of each sampled page whether it has a property, and counts per region how often it had. Without weights
 * probes are by-products. Once some probe has a weight, only attributes are monitored: no page is armed, accesses are
 * not looked at, and regions are merged and split by the weighted sum of hits.
 * @defgroup access_checks Access checks: how accesses are seen
 * The ways in which accesses are learned, which of them work here, and memory whose reads can be seen on every kernel.
 * @defgroup custom_operations Custom operations
 * The program's own access checks and actions.
 * @defgroup simulator Simulator: memory and programs in virtual time
 * A policy can be tried without waiting for the memory that it is meant for: a simulator holds ranges of addresses,
 * access patterns over them, and a machine with so much memory and such costs. A context with DAMON_OPS_SIM and
 * DAMON_DRIVE_MANUAL looks at it and acts on it, one damon_step() a sampling interval; days pass in seconds, equal seeds
 * give equal runs on every machine, and the truth can be asked for at any time.
 * @code{.c}
 *   struct damon_sim_params params;
 *   damon_sim_params_init(&params);
 *   damon_sim *sim = damon_sim_new(&params);
 *   struct damon_sim_range range;                       // 1 GiB of memory of the first target,
 *   damon_sim_range_init(&range);
 *   range.end = 1 << 30;
 *   damon_sim_add_range(sim, &range);
 *   struct damon_sim_pattern pattern;                   // of which 64 MiB are in use
 *   damon_sim_pattern_init(&pattern);
 *   pattern.end = 64 << 20;
 *   damon_sim_add_pattern(sim, &pattern);
 *   damon_ctx_set_sim(ctx, sim);                        // DAMON_OPS_SIM
 *   damon_ctx_set_drive(ctx, DAMON_DRIVE_MANUAL);
 *   damon_ctx_add_target(ctx, damon_target_new());      // without ranges it gets those of the simulated target
 *   damon_start(&ctx, 1, 0);
 *   for (uint64_t now_us = 5000; now_us <= 10000000; now_us += 5000) damon_step(ctx, now_us);
 * @endcode
 * What happens to a page between two moments follows from the rate of its patterns, the seed, and the moments: whoever
 * asks gets the same answer. Residency is kept as expected amounts, not page by page: a pattern that accesses each page
 * once a second brings back 63 % of what was paged out a second ago.
 *
 * Thread: *owner* below means that no step and no worker of a context that uses the simulator runs at the same time;
 * between two steps, and in callbacks, everything is allowed.
 */

/** @addtogroup version
 * @{ */

/** Version of the library that is linked. @return `major << 16 | minor << 8 | patch`. Thread: any. */
DAMON_API uint32_t damon_version(void);

/** The same as text, such as "0.1.0". @return Static text. Thread: any. */
DAMON_API const char *damon_version_string(void);

/**
 * What an error number means in this library.
 * @param err A negative errno as returned by this library (a positive one is understood too).
 * @return Static text, never NULL; "unknown error" for numbers the library does not use. Thread: any. */
DAMON_API const char *damon_strerror(int err);

/** @} */

/** @addtogroup targets
 * @{ */

/** Addresses [start, end). Frozen. */
struct damon_addr_range {
    uint64_t start; /**< First address. */
    uint64_t end;   /**< One past the last address; greater than start. */
};

/** @}
 * @addtogroup contexts
 * @{ */

/** How often to look and how many regions to keep. See damon_attrs_init() for the defaults. */
struct damon_attrs {
    uint32_t size;           /**< sizeof(struct damon_attrs). */
    uint32_t reserved;       /**< 0. */
    uint64_t sample_us;      /**< Sampling interval; at most aggr_us. 0: as fast as possible. Default 5,000. */
    uint64_t aggr_us;        /**< Aggregation interval: a snapshot each. Default 100,000. */
    uint64_t ops_update_us;  /**< How often mappings are read again. 0: every sampling interval. Default 1,000,000, for
                                  which the kernel's DAMON (DAMON_OPS_KERNEL_VADDR) takes its own, 60 seconds. */
    uint64_t min_nr_regions; /**< At least 3, at most max_nr_regions. Accuracy's lower bound. Default 10. */
    uint64_t max_nr_regions; /**< Cost's upper bound; a tenth, at least 16 or half, is for splits. Default 1,000. */
    /** Tunes sample_us and aggr_us (their ratio stays) until access_bp of the possible samples are positive. */
    struct {
        uint64_t access_bp;     /**< Wanted share of positive samples, weighted by size, in basis points. */
        uint64_t aggrs;         /**< Retune every N aggregation intervals. 0 (default): no tuning. */
        uint64_t min_sample_us; /**< sample_us stays in [min_sample_us, max_sample_us]. */
        uint64_t max_sample_us; /**< See min_sample_us. */
    } intervals_goal; /**< Interval tuning. */
    /** Most that monitoring may cost over time, in 1/1,000 of one CPU (1 to 1,000; 0: no limit). Default 10, one per cent.
     * Counted are, from the end of damon_start() on, all of the worker's own CPU time (sampling with merging and
     * splitting, reading the mappings) and an estimate of what the program pays for each access that is seen (a page
     * fault), not schemes and callbacks, which have quotas. A tenth of a second may be spent in advance; then a worker
     * that costs more passes sampling intervals over: a window takes as long as ever and has fewer samples, five at
     * least, each of which counts for the intervals since the one before, so that counts have the same maximum. Where
     * that is not enough, or there are probes, sampling intervals become longer, and windows with them
     * (damon_snapshot_info.window_us says so), and damon_ctx_stats.nr_skipped_intervals grows. Reading the mappings may
     * take a quarter of the limit; beyond that they are read less often than ops_update_us says. damon_ctx_get_state()
     * says both. Calls, commits, pause and stop do not wait longer for it. Without effect on manually driven and
     * simulated contexts, but for a simulator with prices (damon_sim_params.sample_ns). */
    uint64_t max_overhead_permil;
    /** How often accessed bits are read for memory whose reads cannot be sampled, in microseconds, at most 60,000,000. 0
     * (default): never. Passes go over memory that is flagged DAMON_RANGE_STABLE, or over all private memory with
     * DAMON_COVER_STABLE, in windows of a huge page, each of which they make a mapping of its own until the context is
     * paused or stopped, or the range removed: a quarter at most of the mappings that the process may still have, larger
     * windows where those are too few. They work in small steps between the samples, and count as cost: what the worker
     * takes, and what the program pays for the next access to each page (150 ns). Where half of max_overhead_permil is
     * too little the time between passes grows; what was not looked at for a minute is unknown. One context of a process
     * at a time has passes. docs/access-checks.md has prices and stalls. Without userfaultfd's write protection (Linux
     * 6.7) mappings stay whole and are told as a whole; where the kernel balances NUMA nodes then (kernel.numa_balancing),
     * one that was not touched and is not all in memory is unknown. -EOPNOTSUPP with operations that read no accessed
     * bits. */
    uint64_t referenced_us;
    /** Budget of surveys, in basis points of a CPU, at most 10,000. A sample that hits in a region that was not hot is
     * followed, by questions of up to 128 pages, until the run of hot pages around it has exact bounds; the run becomes
     * a region of its own when the window ends. So a mebibyte that is hot in a gibibyte is found within half a second
     * rather than one to four. What they cost, with the program's page faults, stays within the budget in any ten
     * seconds; it counts against max_overhead_permil too. Samples fall on points that leave no gaps then, rather than at
     * random, while the regions are at most a quarter of max_nr_regions. Nothing is followed where they are more than
     * that and than 40. 0: none, the algorithm is the
     * kernel's. #DAMON_SURVEY_DEFAULT (default): 10, a thousandth of a CPU, where the operations can serve surveys, else
     * 0; other values on operations that cannot (custom ones, a kernel's DAMON, DAMON_ACCESS_CHECK_REPORT) are refused
     * with -EOPNOTSUPP by damon_start() and damon_commit_ctx(). See docs/surveys.md. */
    uint64_t survey_bp;
};

/** damon_attrs.survey_bp: the library's choice. */
#define DAMON_SURVEY_DEFAULT 0xffffffffffffffffULL

/** @}
 * @addtogroup results
 * @{ */

/** Why memory could not be looked at. */
enum damon_unknown_reason {
    DAMON_UNKNOWN_NONE = 0,              /**< It could. */
    DAMON_UNKNOWN_HUGE_PAGE = 1,         /**< A huge page, which the access check would have to split. */
    DAMON_UNKNOWN_NOT_REGISTERED = 2,    /**< The mapping is not registered with the access check (yet). */
    DAMON_UNKNOWN_OTHER_USERFAULTFD = 3, /**< The mapping is registered with a userfaultfd of the program's own. */
    DAMON_UNKNOWN_PERMISSION = 4,        /**< The mapping's protection, or a right this process lacks. */
    DAMON_UNKNOWN_UNMAPPED = 5,          /**< Nothing is mapped there. */
    DAMON_UNKNOWN_EXCLUDED = 6,          /**< damon_exclude(). */
    DAMON_UNKNOWN_SHARED_WITH_CHILD = 7, /**< A child of fork shares the pages. */
    DAMON_UNKNOWN_LOCKED = 8,            /**< mlock(): accessed bits cannot be cleared. */
    DAMON_UNKNOWN_RECLAIMED = 9,         /**< Reclaim may have cleared the evidence. */
    DAMON_UNKNOWN_PAUSED = 10,           /**< The context was paused. */
    DAMON_UNKNOWN_NOT_EXAMINED = 11,     /**< Not looked at yet, or too large to examine. */
    DAMON_UNKNOWN_LOST_DESCRIPTOR = 12,  /**< The program closed the library's file descriptors. */
    DAMON_UNKNOWN_NO_ACCESS_CHECK = 13,  /**< No access check works on this kind of memory here. */
    DAMON_UNKNOWN_OTHER = 14             /**< Another reason, such as a failed system call, lost reports, or huge pages that
                                              the balancing of NUMA nodes may hide. */
};

/** One region as it was at the end of a window. Frozen. */
struct damon_region_info {
    uint64_t start;         /**< First address. */
    uint64_t end;           /**< One past the last address. */
    uint64_t age_us;        /**< For how long nr_accesses stayed similar, microseconds of monitoring. A window of which one
                                 sampling interval took most (a stopped process) counts at most twice aggr_us. */
    uint64_t idle_us;       /**< Since the last access that was seen, or since the region is watched where there was none;
                                 in the same time as age_us. 2^64-1: not known (#DAMON_REGION_UNKNOWN).
                                 With #DAMON_REGION_REFERENCED: no more than the time for which passes over accessed bits
                                 have seen all of it untouched, up to the last pass. */
    uint32_t target_idx;    /**< Position of its target in the context. */
    uint32_t nr_accesses;   /**< Samples of the window that found it accessed, of damon_snapshot_info.max_nr_accesses. */
    uint32_t age;           /**< Windows for which nr_accesses stayed similar. */
    uint32_t flags;         /**< enum damon_region_flags. */
    int32_t unknown_reason; /**< enum damon_unknown_reason: why (part of) the window's samples had no answer. */
    uint32_t reserved;      /**< 0. */
};

/** Flags of damon_region_info. */
enum damon_region_flags {
    DAMON_REGION_UNKNOWN = 1,     /**< Less than a quarter of the window's samples could be looked at: nr_accesses does not
                                       mean cold, age and age_us stand still, and no action but DAMOS_STAT is applied, and
                                       DAMOS_NOHUGEPAGE where #DAMON_UNKNOWN_HUGE_PAGE is the reason. */
    DAMON_REGION_WRITES_ONLY = 2, /**< Only writes to (a part of) this region can be seen. */
    DAMON_REGION_PARTIAL = 4,     /**< Some samples of the window could not be looked at: nr_accesses is scaled from those
                                       that could. damon_region_info.unknown_reason says why. */
    DAMON_REGION_REFERENCED = 8   /**< Passes over accessed bits (damon_attrs.referenced_us) know all of the region, reads
                                       too, where samples cannot: touched since the last pass: idle_us is 0 and
                                       nr_accesses at least 1, how often is for the samples to say. Untouched: age, age_us
                                       and idle_us are of time in which passes saw it so. It is not #DAMON_REGION_UNKNOWN,
                                       and for schemes its reads are seen. */
};

/** What a snapshot is, besides its regions. */
struct damon_snapshot_info {
    uint32_t size;                    /**< sizeof(struct damon_snapshot_info). */
    uint32_t flags;                   /**< enum damon_snapshot_flags. */
    uint64_t seq;                     /**< Number of the snapshot since damon_ctx_new(), from 1; 0: there is none yet. */
    uint64_t time_ns;                 /**< CLOCK_MONOTONIC (virtual time for a manually driven context). */
    uint64_t sample_us;               /**< Sampling interval of the window, as tuned. */
    uint64_t aggr_us;                 /**< Aggregation interval of the window, as tuned; window_us is the real one. */
    uint64_t nr_regions;              /**< Regions in the snapshot. */
    uint64_t passed_sample_intervals; /**< Sampling intervals since the start. */
    uint32_t max_nr_accesses;         /**< What nr_accesses is out of: samples in one window. */
    uint32_t nr_targets;              /**< Targets in the context. */
    uint64_t window_us;               /**< How long the window really was, without pauses; damon_live_read(): so far. */
};

/** Flags of damon_snapshot_info. */
enum damon_snapshot_flags {
    DAMON_SNAPSHOT_WRITES_ONLY = 1, /**< Reads of some region cannot be seen here: "cold" means "not written". */
    DAMON_SNAPSHOT_UNKNOWN = 2,     /**< Some region could not be looked at, or hardly. */
    DAMON_SNAPSHOT_PARTIAL = 4      /**< Some region could not be looked at in every sample. */
};

/** @}
 * @addtogroup contexts
 * @{ */

/** Counters of one context since damon_ctx_new(); they only grow. */
struct damon_ctx_stats {
    uint32_t size;                  /**< sizeof(struct damon_ctx_stats). */
    uint32_t reserved;              /**< 0. */
    uint64_t nr_intervals;          /**< Sampling intervals done. */
    uint64_t nr_skipped_intervals;  /**< Deadlines left out: by a late worker, or to keep max_overhead_permil. */
    uint64_t nr_wakeups;            /**< Times the worker woke from a wait, for whatever reason. */
    uint64_t nr_samples;            /**< Questions asked: one per region and interval. */
    uint64_t nr_unknown_samples;    /**< Questions that could not be answered. */
    uint64_t nr_writes_only_samples; /**< Questions whose answer could see writes only. */
    uint64_t cpu_ns;                /**< CPU time of the worker thread, all runs. */
    uint64_t nr_lost_reports;       /**< damon_report_access() calls dropped because the queue was full. */
    uint64_t nr_unknown_by_reason[16]; /**< nr_unknown_samples by enum damon_unknown_reason. */
    uint64_t sampling_cpu_ns;       /**< Part of cpu_ns: arming, looking, counting, merging, splitting, and all that is not
                                         below. These parts are 0 with manual drive. */
    uint64_t update_cpu_ns;         /**< Part of cpu_ns: reading the mappings. */
    uint64_t action_cpu_ns;         /**< Part of cpu_ns: schemes and callbacks. */
    uint64_t survey_cpu_ns;         /**< Part of cpu_ns: surveys. */
    uint64_t referenced_cpu_ns;     /**< Part of cpu_ns: passes over accessed bits. */
};

/** Fills in size and the defaults. @param attrs Written; NULL is ignored. Thread: any. */
DAMON_API void damon_attrs_init(struct damon_attrs *attrs);

/** @}
 * @addtogroup results
 * @{ */

/** Fills in size and zeroes. @param info Written; NULL is ignored. Thread: any. */
DAMON_API void damon_snapshot_info_init(struct damon_snapshot_info *info);

/** @}
 * @addtogroup contexts
 * @{ */

/** Fills in size and zeroes. @param stats Written; NULL is ignored. Thread: any. */
DAMON_API void damon_ctx_stats_init(struct damon_ctx_stats *stats);

/** @} */

/** @addtogroup contexts
 * @{ */

/** Who looks at memory, and what kind of target that needs. */
enum damon_ops_id {
    DAMON_OPS_VADDR = 0,  /**< Virtual addresses of a process: what is mapped, in the given ranges if any. Default. */
    DAMON_OPS_FVADDR = 1, /**< Virtual addresses; exactly the ranges given, for ever. */
    DAMON_OPS_PADDR = 2,  /**< Physical addresses: not in this release (`-EOPNOTSUPP` at start). */
    DAMON_OPS_CUSTOM = 16, /**< The program's own: damon_ctx_set_custom_ops(). */
    DAMON_OPS_SIM = 17,   /**< The simulator: damon_ctx_set_sim(). */
    DAMON_OPS_KERNEL_VADDR = 18,  /**< As VADDR for any process, by the running kernel's DAMON. Needs root. */
    DAMON_OPS_KERNEL_FVADDR = 19, /**< As FVADDR for any process, by the running kernel's DAMON. Needs root. */
    DAMON_OPS_KERNEL_PADDR = 20   /**< Physical addresses, by the running kernel's DAMON; one target, whose ranges are
                                       all memory if none are given. Needs root. */
};

/** Who calls the sampling intervals. */
enum damon_drive {
    DAMON_DRIVE_THREAD = 0, /**< A worker thread (default). */
    DAMON_DRIVE_MANUAL = 1  /**< damon_step(): virtual time, simulations, event loops. */
};

/** Makes a stopped context with default parameters, no target, no scheme.
 * @return The context, to be freed with damon_ctx_free(); NULL: out of memory. Thread: any. */
DAMON_API damon_ctx *damon_ctx_new(void);

/** Frees a context with everything it owns; stops it first if it runs.
 * @param ctx NULL is fine. Not from a callback of this context: there the call does nothing.
 * Thread: control; no other call on this context may be under way. */
DAMON_API void damon_ctx_free(damon_ctx *ctx);

/** The reason of the context's last failure, in words. Also why a worker ended on its own.
 * @param buf Written, always terminated if len > 0; may be NULL if len is 0.
 * @param len Bytes in buf.
 * @return Length of the whole text without the terminator (as snprintf), 0: nothing failed so far; -EINVAL.
 * Thread: any. */
DAMON_API int damon_ctx_errmsg(const damon_ctx *ctx, char *buf, size_t len);

/** Replaces the monitoring attributes.
 * @param attrs Copied.
 * @return 0; -EINVAL: min_nr_regions < 3 or > max_nr_regions, sample_us > aggr_us, or an intervals_goal whose range is
 * inverted or does not hold sample_us; -E2BIG; -ENOMEM: max_nr_regions too large to reserve; -EBUSY. Nothing changes on
 * failure. Thread: owner. On the worker of a running context it acts at once, as damon_commit_ctx(). */
DAMON_API int damon_ctx_set_attrs(damon_ctx *ctx, const struct damon_attrs *attrs);

/** Reads the attributes; intervals as tuned, where tuning is on.
 * @param attrs_out Its size must be set (damon_attrs_init()); written.
 * @return 0; -EINVAL; -E2BIG. Thread: any. */
DAMON_API int damon_ctx_get_attrs(const damon_ctx *ctx, struct damon_attrs *attrs_out);

/** Chooses who looks at memory.
 *
 * With DAMON_OPS_KERNEL_VADDR, _FVADDR and _PADDR the running kernel's DAMON monitors and applies the schemes, driven by
 * root through /sys/kernel/mm/damon/admin, and the context's worker follows it: everything else of this header works as
 * with the library's own operations. What is different:
 * - damon_start() fails with -EPERM where the caller may not write there, with -EOPNOTSUPP where the kernel has no such
 *   DAMON or lacks a setting that is asked for, with -EINVAL where it refuses one, and with -EBUSY where
 *   another user holds it: there is one for the whole system. damon_ctx_errmsg() names the user, or the setting.
 * - damon_stop() leaves it as it was found. If the program is killed instead, the kernel's monitor stays, until a
 *   process that is its only target has ended and /sys/kernel/mm/damon/admin/kdamonds/nr_kdamonds is set to 0.
 * - A snapshot comes when the kernel has tried every scheme once: once in an aggregation interval, or in the longest
 *   apply_interval_us, and calls, commits and damon_stop() may wait as long. Reading many regions is expensive: the
 *   worker then leaves windows out rather than take more than about 5 % of a processor.
 * - damos_walk() reports regions after the kernel has acted on them; DAMOS_CALLBACK, probes of virtual addresses, access
 *   checks, manual drive and a min_region_sz other than the kernel's are refused; a seed has no effect; damon_snapshot_info's
 *   passed_sample_intervals and the counters of samples in damon_ctx_stats stay 0; damos_stat.active is always 1.
 * - damon_set_pause() fails with -EOPNOTSUPP on kernels that cannot pause.
 * @param ops_id DAMON_OPS_VADDR, _FVADDR, _PADDR, or one of DAMON_OPS_KERNEL_VADDR, _FVADDR, _PADDR. CUSTOM and SIM are
 * chosen by their own functions.
 * @return 0; -EINVAL: not one of these; -EBUSY: running (also on the worker). Thread: owner. */
DAMON_API int damon_ctx_set_ops(damon_ctx *ctx, int32_t ops_id);

/** Smallest region, and the granularity of every boundary that the monitor draws.
 * @param min_region_sz Core units; a power of two. Default: the page size.
 * @return 0; -EINVAL: not a power of two; -EBUSY. Thread: owner. */
DAMON_API int damon_ctx_set_min_region_sz(damon_ctx *ctx, uint64_t min_region_sz);

/** Bytes per core unit. Only physical back-ends read it.
 * @param addr_unit At least 1. Default 1.
 * @return 0; -EINVAL: 0; -EBUSY. Thread: owner. */
DAMON_API int damon_ctx_set_addr_unit(damon_ctx *ctx, uint64_t addr_unit);

/** Makes a run repeatable: the same seed and the same accesses give the same regions.
 * @param seed 0 (default): a new one from the system at every start.
 * @return 0; -EINVAL; -EBUSY: running (also on the worker). Thread: owner. */
DAMON_API int damon_ctx_set_seed(damon_ctx *ctx, uint64_t seed);

/** Chooses between a worker thread and damon_step().
 * @param drive enum damon_drive.
 * @return 0; -EINVAL; -EBUSY: running (also on the worker). Thread: owner. */
DAMON_API int damon_ctx_set_drive(damon_ctx *ctx, int32_t drive);

/** Reads the context's counters.
 * @param stats_out Its size must be set; written.
 * @return 0; -EINVAL; -E2BIG. Thread: any. */
DAMON_API int damon_ctx_get_stats(const damon_ctx *ctx, struct damon_ctx_stats *stats_out);

/** @} */

/** @addtogroup targets
 * @{ */

/** Makes a target: this process, no ranges.
 * @return The target, owned by the caller until damon_ctx_add_target() succeeds; NULL: out of memory.
 * Thread: any. */
DAMON_API damon_target *damon_target_new(void);

/** Frees a target that belongs to no context; one that does is left alone. @param t NULL is fine. Thread: owner. */
DAMON_API void damon_target_free(damon_target *t);

/** Which process.
 * @param t The target.
 * @param pid 0 (default) is this process. Others are accepted here and refused at start by back-ends that cannot see
 * them.
 * @return 0; -EINVAL: negative; -EBUSY: its context runs (also on the worker). Thread: owner. */
DAMON_API int damon_target_set_pid(damon_target *t, int32_t pid);

/** Which addresses. On the worker of a running context the regions are fitted at once: regions that stay inside keep
 * what they learned.
 * @param t The target.
 * @param ranges Copied; sorted, disjoint (touching is fine), each start < end. They are aligned outwards to
 * min_region_sz when they are used. They are never left: DAMON_OPS_VADDR watches what is mapped inside of them, as far
 * as it can be read or written, and looks again every ops_update_us; DAMON_OPS_FVADDR watches all of them.
 * @param nr_ranges 0 removes all: DAMON_OPS_VADDR then covers the memory of this process: what is populated of
 * readable or writable anonymous and shared memory, and of the pages of private file mappings that were changed; not
 * stacks, drivers' and special mappings, or the library's own pages (damon_ctx_set_coverage() says more or less). Of
 * another process it covers the three areas round the two biggest gaps.
 * @return 0; -EINVAL: an empty, inverted, unsorted or overlapping range; -ENOMEM; -EBUSY: its context runs, and this is
 * not one of its calls, init or update. Nothing changes on failure. Thread: owner. */
DAMON_API int damon_target_set_regions(damon_target *t, const struct damon_addr_range *ranges, size_t nr_ranges);

/** Marks a target of a commit's source: the destination's target at this position is to be removed.
 * @param t The target.
 * @param obsolete 1 or 0 (default).
 * @return 0; -EINVAL; -EBUSY. Thread: owner. */
DAMON_API int damon_target_set_obsolete(damon_target *t, int obsolete);

/** Gives a target to a context, which appends it and owns it from then on.
 * @param t A target that belongs to no context.
 * @return 0; -EINVAL: it belongs to one already; -ENOMEM; -EBUSY: running (also on the worker; use damon_commit_ctx()).
 * On failure the caller still owns t. Thread: owner. */
DAMON_API int damon_ctx_add_target(damon_ctx *ctx, damon_target *t);

/** Removes and frees a target; those behind it move up.
 * @param idx Position.
 * @return 0; -EINVAL: no such target; -EBUSY: running (also on the worker). Thread: owner. */
DAMON_API int damon_ctx_remove_target(damon_ctx *ctx, size_t idx);

/** @return How many targets it has; 0 for NULL. Thread: any. */
DAMON_API size_t damon_ctx_nr_targets(const damon_ctx *ctx);

/** @param idx Position.
 * @return The target, owned by the context and valid until it is removed or a commit replaces it; NULL: no such target.
 * Thread: any. */
DAMON_API damon_target *damon_ctx_target(const damon_ctx *ctx, size_t idx);

/** @} */

/** @addtogroup schemes
 * @{ */

/** What a scheme does with a matching region. What was done is measured, not assumed: see damos_stat.sz_applied.
 * PAGEOUT, COLD, LRU_DEPRIO and MIGRATE_COLD spare memory whose reads cannot be seen: DAMOS_ALLOW_UNSEEN_READS. */
enum damos_action {
    DAMOS_WILLNEED = 0,     /**< madvise(MADV_WILLNEED): pages of files and swap that are in memory right after. */
    DAMOS_COLD = 1,         /**< madvise(MADV_COLD): pages that were there. */
    DAMOS_PAGEOUT = 2,      /**< madvise(MADV_PAGEOUT): anonymous memory needs swap. */
    /** madvise(MADV_HUGEPAGE) of the whole huge pages in a region. Regions smaller than that have none: set
     * damon_ctx_set_min_region_sz() to the size of a huge page. The same holds for the next two. */
    DAMOS_HUGEPAGE = 3,
    DAMOS_NOHUGEPAGE = 4,   /**< madvise(MADV_NOHUGEPAGE). */
    DAMOS_COLLAPSE = 5,     /**< madvise(MADV_COLLAPSE): synchronous; what has no page in it stays so. */
    DAMOS_LRU_PRIO = 6,     /**< Move to the active list. User space cannot: `-EOPNOTSUPP` with virtual addresses. */
    DAMOS_LRU_DEPRIO = 7,   /**< Move to the inactive list; with virtual addresses as DAMOS_COLD. */
    DAMOS_MIGRATE_HOT = 8,  /**< Move to another NUMA node, hottest first. */
    DAMOS_MIGRATE_COLD = 9, /**< Move to another NUMA node, coldest first. */
    DAMOS_STAT = 10,        /**< Count only. */
    DAMOS_CALLBACK = 11     /**< Call damos_params.action_fn. */
};

/**
 * The embedding program's own action (DAMOS_CALLBACK): an allocator purges, a collector compacts.
 * Called on the worker.
 * @param data damos_params.action_data.
 * @param region The region, nr_accesses as a moving sum; valid during the call.
 * @param scheme_idx Position of the scheme.
 * @return Bytes dealt with. They count as applied and are charged to the quota.
 */
typedef uint64_t (*damos_action_fn)(void *data, damon_ctx *ctx, const struct damon_region_info *region,
                                    size_t scheme_idx);

/** Whose measure a quota goal follows. */
enum damos_quota_goal_metric {
    DAMOS_QUOTA_USER_INPUT = 0,         /**< damon_ctx_set_quota_goal_value(): the program's own score. */
    DAMOS_QUOTA_SOME_MEM_PSI_US = 1,    /**< Growth of "some" memory pressure, microseconds per window. Without
                                             /proc/pressure/memory: -EOPNOTSUPP at start and commit. */
    DAMOS_QUOTA_NODE_MEM_USED_BP = 2,   /**< Used memory of node nid. */
    DAMOS_QUOTA_NODE_MEM_FREE_BP = 3,   /**< Free memory of node nid. */
    DAMOS_QUOTA_NODE_MEMCG_USED_BP = 4, /**< Memory of the group on node nid over the node's. */
    DAMOS_QUOTA_NODE_MEMCG_FREE_BP = 5, /**< 10,000 minus that. */
    DAMOS_QUOTA_ACTIVE_MEM_BP = 6,      /**< Active over active plus inactive memory. */
    DAMOS_QUOTA_INACTIVE_MEM_BP = 7,    /**< 10,000 minus that. */
    DAMOS_QUOTA_NODE_ELIGIBLE_MEM_BP = 8, /**< Share of the matching memory that is on node nid. Physical only. */
    DAMOS_QUOTA_OWN_MEMCG_FREE_BP = 9     /**< Free share of this process's memory group: limit minus usage, of the
                                               limit. Without one: -EOPNOTSUPP at start and commit. */
};

/** How a goal's score turns into an effective quota. */
enum damos_quota_goal_tuner {
    DAMOS_QUOTA_GOAL_TUNER_CONSIST = 0, /**< Grow or shrink the quota in proportion to the distance from the goal. */
    DAMOS_QUOTA_GOAL_TUNER_TEMPORAL = 1 /**< Everything the size quota allows until the goal is reached, then nothing. */
};

/** What a watermark is compared with. */
enum damos_wmark_metric {
    DAMOS_WMARK_NONE = 0,          /**< Always active. */
    DAMOS_WMARK_FREE_MEM_RATE = 1, /**< Free memory (MemFree), permil of all. In a container this says nothing. */
    /** Limit minus usage of this process's memory group, permil of the limit (cgroup 1 and 2; of nested groups the one
     * with the least left; usage includes the page cache). Without a limit: -EOPNOTSUPP at start and commit. */
    DAMOS_WMARK_OWN_MEMCG_FREE_RATE = 2
};

/** What a filter looks at. ADDR and TARGET are decided for whole regions, the others page by page; so ADDR and TARGET
 * come first, in whatever order filters were added. */
enum damos_filter_type {
    DAMOS_FILTER_ANON = 0,          /**< Anonymous memory. */
    DAMOS_FILTER_ACTIVE = 1,        /**< On the active list. Not exposed to user space: `-EOPNOTSUPP`. */
    DAMOS_FILTER_MEMCG = 2,         /**< Charged to memcg_id. */
    DAMOS_FILTER_YOUNG = 3,         /**< Accessed since it was last looked at. Not exposed to user space: `-EOPNOTSUPP`. */
    DAMOS_FILTER_HUGEPAGE_SIZE = 4, /**< In a page of min_bytes to max_bytes. */
    DAMOS_FILTER_UNMAPPED = 5,      /**< No page is mapped there: swapped out, or never touched. */
    DAMOS_FILTER_ADDR = 6,          /**< In [addr_start, addr_end). */
    DAMOS_FILTER_TARGET = 7         /**< In the target at position target_idx. */
};

/** Flags of damos_params. */
enum damos_flags {
    /** PAGEOUT, COLD, LRU_DEPRIO and MIGRATE_COLD act also on memory whose reads cannot be seen: private memory below
     * Linux 7.3, which may be read all the time and looks cold. Without this flag they leave such pages alone, mapping
     * by mapping (custom operations: region by region), and a region that has no others does not count as tried. See
     * DAMOS_SKIP_UNSEEN_READS. Other actions act, and regions say so by DAMON_REGION_WRITES_ONLY. */
    DAMOS_ALLOW_UNSEEN_READS = 1
};

/** Everything about a scheme but its filters, goals and destinations. All bounds are inclusive. */
struct damos_params {
    uint32_t size;  /**< sizeof(struct damos_params). */
    int32_t action; /**< enum damos_action. Default DAMOS_STAT. */
    /** Which regions. Default: all. Bounds that no region can lie in are refused. */
    struct {
        uint64_t min_sz;          /**< Smallest size, core units. */
        uint64_t max_sz;          /**< Largest size, core units. */
        uint32_t min_nr_accesses; /**< Fewest accesses in the last aggr_us (a moving sum). */
        uint32_t max_nr_accesses; /**< Most accesses. */
        uint32_t min_age;         /**< Youngest, in aggregation intervals. */
        uint32_t max_age;         /**< Oldest, in aggregation intervals. */
    } pattern;                    /**< Access pattern. */
    uint64_t apply_interval_us;   /**< How often to apply. 0 (default): every aggr_us. */
    /** How much at most, and what first. Default: no limit. */
    struct {
        uint64_t reset_interval_ms;  /**< Length of a charge window; 0: every application. */
        uint64_t ms;                 /**< Time that acting may take in a window; 0: no limit. */
        uint64_t sz;                 /**< Core units acted on in a window, min_region_sz or more; 0: no limit. */
        uint32_t weight_sz;          /**< Relative weight of size (no back-end uses it). */
        uint32_t weight_nr_accesses; /**< Relative weight of the access frequency. */
        uint32_t weight_age;         /**< Relative weight of the age. */
        int32_t goal_tuner;          /**< enum damos_quota_goal_tuner. */
        uint32_t fail_charge_num;    /**< What was tried and not done is charged num / denom; */
        uint32_t fail_charge_denom;  /**< 0 (default): fully. */
    } quota;                         /**< Quota. */
    /** When. Default: always. */
    struct {
        int32_t metric;       /**< enum damos_wmark_metric. */
        uint32_t high;        /**< Above: inactive. permil. */
        uint32_t mid;         /**< Below, from inactive: active. permil. */
        uint32_t low;         /**< Below: inactive. permil. */
        uint64_t interval_us; /**< How often to look while inactive. */
    } wmarks;                 /**< Watermarks. */
    int32_t target_nid;       /**< MIGRATE_*: destination node; -1 (default): none. */
    uint32_t flags;           /**< enum damos_flags. Default 0. */
    uint64_t max_nr_snapshots; /**< Stop after this many passes; 0 (default): never. */
    damos_action_fn action_fn; /**< DAMOS_CALLBACK: called for each region. */
    void *action_data;         /**< Handed to action_fn. */
    /** Not 0: the youngest age as time; takes the place of pattern.min_age, and keeps its meaning where interval tuning
     * changes how long a window is. Default 0. */
    uint64_t min_age_us;
};

/** A filter of a scheme: the first whose property matches decides, of ADDR and TARGET filters before the others. What an
 * ADDR or TARGET filter allows is acted on without a look at the others. */
struct damos_filter {
    uint32_t size;       /**< sizeof(struct damos_filter). */
    int32_t type;        /**< enum damos_filter_type. */
    uint32_t matching;   /**< 1: filter memory that has the property, 0: memory that has it not. */
    uint32_t allow;      /**< 1: act on it, 0: do not. */
    uint64_t memcg_id;   /**< MEMCG: inode number of the cgroup's directory. */
    uint64_t addr_start; /**< ADDR. */
    uint64_t addr_end;   /**< ADDR; greater than addr_start. */
    uint64_t min_bytes;  /**< HUGEPAGE_SIZE. */
    uint64_t max_bytes;  /**< HUGEPAGE_SIZE; at least min_bytes. */
    uint32_t target_idx; /**< TARGET. */
    uint32_t reserved;   /**< 0. */
};

/** A goal of a scheme's quota. The most satisfied goal decides. */
struct damos_quota_goal {
    uint32_t size;          /**< sizeof(struct damos_quota_goal). */
    int32_t metric;         /**< enum damos_quota_goal_metric. */
    int32_t nid;            /**< NODE_*: the node. */
    uint32_t reserved;      /**< 0. */
    uint64_t target_value;  /**< To be reached; not 0. */
    uint64_t current_value; /**< USER_INPUT: how it stands. */
    uint64_t memcg_id;      /**< NODE_MEMCG_*: inode number of the cgroup's directory. */
};

/** A destination of MIGRATE_*. Frozen. */
struct damos_migrate_dest {
    uint32_t nid;    /**< NUMA node. */
    uint32_t weight; /**< Share of the pages, relative to the other destinations. */
};

/** What a scheme has done since it was added. Commits do not reset it. */
struct damos_stat {
    uint32_t size;                 /**< sizeof(struct damos_stat). */
    uint32_t active;               /**< 1: its watermarks let it run. */
    uint64_t nr_tried;             /**< Regions handed to the action. */
    uint64_t sz_tried;             /**< Their size. */
    uint64_t nr_applied;           /**< Regions on which something was done. */
    uint64_t sz_applied;           /**< Core units on which it was done. */
    uint64_t sz_ops_filter_passed; /**< Core units that passed the page-level filters. */
    uint64_t qt_exceeds;           /**< Charge windows that ended with the quota used up. */
    uint64_t nr_snapshots;         /**< Complete passes. */
    uint64_t esz;                  /**< Effective size quota now, core units; 0: none set or nothing allowed. */
};

/** Fills in size and the defaults: matches everything, DAMOS_STAT, no quota. @param p Written; NULL is ignored.
 * Thread: any. */
DAMON_API void damos_params_init(struct damos_params *p);
/** Fills in size and zeroes. @param f Written; NULL is ignored. Thread: any. */
DAMON_API void damos_filter_init(struct damos_filter *f);
/** Fills in size and the defaults (USER_INPUT, no node). @param g Written; NULL is ignored. Thread: any. */
DAMON_API void damos_quota_goal_init(struct damos_quota_goal *g);
/** Fills in size and zeroes. @param s Written; NULL is ignored. Thread: any. */
DAMON_API void damos_stat_init(struct damos_stat *s);

/** Makes a scheme. Its validity is checked when it is started or committed, as parts of it may still be added.
 * @param p Copied.
 * @return The scheme, owned by the caller until damon_ctx_add_scheme() succeeds; NULL: out of memory, or p has an
 * unknown size. Thread: any. */
DAMON_API damos *damos_new(const struct damos_params *p);

/** Frees a scheme that belongs to no context; one that does is left alone. @param s NULL is fine. Thread: owner. */
DAMON_API void damos_free(damos *s);

/** Replaces the parameters; filters, goals and destinations stay.
 * @param s The scheme.
 * @param p Copied.
 * @return 0; -EINVAL; -E2BIG; -EBUSY: its context runs (also on the worker). Thread: owner. */
DAMON_API int damos_set_params(damos *s, const struct damos_params *p);

/** Appends a filter.
 * @param s The scheme.
 * @param f Copied.
 * @return 0; -EINVAL: unknown type, addr_start >= addr_end, min_bytes > max_bytes; -E2BIG; -ENOMEM; -EBUSY: its context
 * runs (also on the worker). Thread: owner. */
DAMON_API int damos_add_filter(damos *s, const struct damos_filter *f);

/** Appends a goal to the quota.
 * @param s The scheme.
 * @param g Copied.
 * @return 0; -EINVAL: unknown metric, target_value 0; -E2BIG; -ENOMEM; -EBUSY: its context runs (also on the worker).
 * Thread: owner. */
DAMON_API int damos_add_quota_goal(damos *s, const struct damos_quota_goal *g);

/** Replaces the destinations of a MIGRATE_* scheme.
 * @param s The scheme.
 * @param d Copied.
 * @param nr 0: none; target_nid decides.
 * @return 0; -EINVAL: all weights 0; -ENOMEM; -EBUSY: its context runs (also on the worker). Thread: owner. */
DAMON_API int damos_set_migrate_dests(damos *s, const struct damos_migrate_dest *d, size_t nr);

/** Gives a scheme to a context, which appends it and owns it from then on.
 * @param s A scheme that belongs to no context.
 * @return 0; -EINVAL: it belongs to one already, or a parameter is wrong; -ENOMEM; -EBUSY: running (also on the worker;
 * use damon_commit_ctx()). On failure the caller still owns s. Thread: owner. */
DAMON_API int damon_ctx_add_scheme(damon_ctx *ctx, damos *s);

/** Removes and frees a scheme with its statistics; those behind it move up.
 * @param idx Position.
 * @return 0; -EINVAL: no such scheme; -EBUSY: running (also on the worker). Thread: owner. */
DAMON_API int damon_ctx_remove_scheme(damon_ctx *ctx, size_t idx);

/** @return How many schemes it has; 0 for NULL. Thread: any. */
DAMON_API size_t damon_ctx_nr_schemes(const damon_ctx *ctx);

/** @param idx Position.
 * @return The scheme, owned by the context and valid until it is removed or a commit replaces it; NULL: no such scheme.
 * Thread: any. */
DAMON_API damos *damon_ctx_scheme(const damon_ctx *ctx, size_t idx);

/** Reads a scheme's statistics, as of its last pass.
 * @param idx Position of the scheme.
 * @param out Its size must be set; written.
 * @return 0; -EINVAL: no such scheme; -E2BIG. Thread: any. */
DAMON_API int damon_ctx_get_scheme_stat(const damon_ctx *ctx, size_t idx, struct damos_stat *out);

/** Sets the current value of a DAMOS_QUOTA_USER_INPUT goal; it is used when the next charge window opens. Does not wait for
 * the worker.
 * @param scheme Position of the scheme.
 * @param goal Position of the goal in the scheme.
 * @param current_value In the unit of the goal's target_value.
 * @return 0; -EINVAL: no such scheme or goal, or its metric is another. Thread: any. */
DAMON_API int damon_ctx_set_quota_goal_value(damon_ctx *ctx, size_t scheme, size_t goal, uint64_t current_value);

/** Why an action left memory as it was. None of the actions ever discards data. */
enum damos_skip {
    DAMOS_SKIP_UNMAPPED = 0,  /**< Nothing is mapped there, or it was unmapped meanwhile. */
    DAMOS_SKIP_LOCKED = 1,    /**< mlock(). */
    DAMOS_SKIP_HUGETLB = 2,   /**< Of hugetlbfs. */
    DAMOS_SKIP_DEVICE = 3,    /**< Mapped by a driver or the kernel. */
    DAMOS_SKIP_UNFIT = 4,     /**< No whole huge page fits, or the mapping cannot have any. */
    DAMOS_SKIP_KEPT = 5,      /**< Asked for, and the kernel kept it: no swap, mapped by others too, being written. */
    DAMOS_SKIP_BUSY = 6,      /**< Pinned, or in use by the kernel at that moment. */
    DAMOS_SKIP_NO_ROOM = 7,   /**< No free memory for it. */
    DAMOS_SKIP_NO_NODE = 8,   /**< The node does not exist, or this process may not use it. */
    DAMOS_SKIP_FORBIDDEN = 9, /**< This process may not act on that one, or that one is gone. */
    DAMOS_SKIP_FAILED = 10,   /**< A system call failed for another reason. */
    DAMOS_SKIP_ABSENT = 11,   /**< No page was there to act on. */
    DAMOS_SKIP_PENDING = 12,  /**< WILLNEED: asked for, and not there yet. */
    DAMOS_SKIP_UNSEEN_READS = 13, /**< Its reads cannot be seen, and the scheme lacks DAMOS_ALLOW_UNSEEN_READS. */
    DAMOS_SKIP_UNKNOWN = 14,  /**< Its accesses cannot be seen at all, or were not looked at yet. */
    DAMOS_SKIP_ALREADY_SO = 15, /**< It is already what the action makes of it. Costs no quota. */
    /** Nothing could be done in that mapping in three passes in a row (no swap, locked; the reason is counted as such):
     * tried again after a second, then two, up to 64. Costs no quota. */
    DAMOS_SKIP_BACKED_OFF = 16
};

/** What the actions of one context did to virtual address spaces, over all schemes and runs; they only grow. */
struct damon_action_stats {
    uint32_t size;              /**< sizeof(struct damon_action_stats). */
    uint32_t reserved;          /**< 0. */
    uint64_t nr_calls;          /**< Calls of the madvise family, move_pages among them. */
    uint64_t nr_failed_calls;   /**< Those that failed. */
    uint64_t applied_bytes[16]; /**< By enum damos_action: what changed, as measured. */
    uint64_t skipped_bytes[24]; /**< By enum damos_skip: what an action went over and left as it was. */
};

/** Fills in size and zeroes. @param stats Written; NULL is ignored. Thread: any. */
DAMON_API void damon_action_stats_init(struct damon_action_stats *stats);

/** Reads what the actions did. Zero for back-ends other than DAMON_OPS_VADDR and _FVADDR.
 * @param stats_out Its size must be set; written.
 * @return 0; -EINVAL; -E2BIG. Thread: any. */
DAMON_API int damon_ctx_get_action_stats(const damon_ctx *ctx, struct damon_action_stats *stats_out);

/** @param skip enum damos_skip. @return Static text, "unknown" for other numbers. Thread: any. */
DAMON_API const char *damos_skip_text(int32_t skip);

/** @} */

/** @addtogroup probes
 * @{ */

#define DAMON_MAX_PROBES 4 /**< Probes that a context can have. */

/** What a probe looks at. */
enum damon_probe_filter_type {
    DAMON_PROBE_FILTER_ANON = 0,         /**< Anonymous memory. */
    DAMON_PROBE_FILTER_MEMCG = 1,        /**< Of a process in group memcg_id. */
    DAMON_PROBE_FILTER_HUGEPAGE_SIZE = 2 /**< In a page of min_bytes to max_bytes. */
};

/** A filter of a probe: the first whose property matches decides whether the probe hits. */
struct damon_probe_filter {
    uint32_t size;      /**< sizeof(struct damon_probe_filter). */
    int32_t type;       /**< enum damon_probe_filter_type. */
    uint32_t matching;  /**< 1: memory that has the property, 0: memory that has it not. */
    uint32_t allow;     /**< 1: a hit, 0: none. Where no filter matches it is the opposite of the last one's. */
    uint64_t memcg_id;  /**< MEMCG: inode number of the cgroup's directory. */
    uint64_t min_bytes; /**< HUGEPAGE_SIZE. */
    uint64_t max_bytes; /**< HUGEPAGE_SIZE; at least min_bytes. */
};

/** How often each probe hit in one region. Frozen. */
struct damon_probe_hits {
    uint8_t hits[DAMON_MAX_PROBES]; /**< By position of the probe; stays at 255. */
};

/** Fills in size and zeroes. @param f Written; NULL is ignored. Thread: any. */
DAMON_API void damon_probe_filter_init(struct damon_probe_filter *f);

/** Makes a probe without filters, which always hits, and without weight.
 * @return The probe, owned by the caller until damon_ctx_add_probe() succeeds; NULL: out of memory. Thread: any. */
DAMON_API damon_probe *damon_probe_new(void);

/** Frees a probe that belongs to no context; one that does is left alone. @param p NULL is fine. Thread: owner. */
DAMON_API void damon_probe_free(damon_probe *p);

/** @param p The probe. @param weight 0 (default): a by-product.
 * @return 0; -EINVAL; -EBUSY: its context runs (also on the worker). Thread: owner. */
DAMON_API int damon_probe_set_weight(damon_probe *p, uint32_t weight);

/** Appends a filter.
 * @param p The probe.
 * @param f Copied.
 * @return 0; -EINVAL: unknown type, min_bytes > max_bytes; -E2BIG; -ENOMEM; -EBUSY: its context runs (also on the
 * worker). Thread: owner. */
DAMON_API int damon_probe_add_filter(damon_probe *p, const struct damon_probe_filter *f);

/** Gives a probe to a context, which appends it and owns it from then on.
 * @param p A probe that belongs to no context.
 * @return 0; -EINVAL: it belongs to one already, or the context has DAMON_MAX_PROBES; -ENOMEM; -EBUSY: running (also on
 * the worker; use damon_commit_ctx()). On failure the caller still owns p. Thread: owner. */
DAMON_API int damon_ctx_add_probe(damon_ctx *ctx, damon_probe *p);

/** Removes and frees a probe; those behind it move up.
 * @param idx Position.
 * @return 0; -EINVAL: no such probe; -EBUSY: running (also on the worker). Thread: owner. */
DAMON_API int damon_ctx_remove_probe(damon_ctx *ctx, size_t idx);

/** @return How many probes it has; 0 for NULL. Thread: any. */
DAMON_API size_t damon_ctx_nr_probes(const damon_ctx *ctx);

/** @param idx Position.
 * @return The probe, owned by the context and valid until it is removed or a commit replaces it; NULL: no such probe.
 * Thread: any. */
DAMON_API damon_probe *damon_ctx_probe(const damon_ctx *ctx, size_t idx);

/** Copies the last snapshot as damon_snapshot_read() does, with the hits that the probes counted in its window.
 * @param regions Written.
 * @param hits Written: hits[i] is of regions[i].
 * @param cap How many fit, of each.
 * @param info Its size must be set; written, also with -ENOSPC. NULL is fine.
 * @return As damon_snapshot_read(). Thread: any. */
DAMON_API int damon_snapshot_read_probes(const damon_ctx *ctx, struct damon_region_info *regions,
                                         struct damon_probe_hits *hits, size_t cap, struct damon_snapshot_info *info);

/** @} */

/** @addtogroup running
 * @{ */

/** Starts contexts: all or none.
 * @param ctxs The contexts.
 * @param nr_ctxs How many; 0 succeeds.
 * @param exclusive 1: only if no other context of this process runs, and none may start while these run.
 * @return 0: every worker accepts calls; -EINVAL: a parameter is wrong (see damon_ctx_errmsg()), or a context is named
 * twice; -EBUSY: a context runs already, or exclusiveness; -EOPNOTSUPP: the back-end cannot serve the targets here;
 * -ENOMEM; -EAGAIN: no thread or file left, or 32 contexts watch this process already; -ECHILD: after fork. On failure
 * nothing runs that did not run before. Thread: control; -EDEADLK in a callback of one of these contexts.
 *
 * A program that asks the kernel itself which pages it wrote to (PAGEMAP_SCAN with PAGE_IS_WRITTEN, the pagemap's bit of
 * it, a userfaultfd) does not get the same answer of watched memory: damon_exclude() keeps such memory out.
 *
 * A process with a second thread is another thing for some calls: a program whose library constructor starts a context
 * cannot unshare(CLONE_NEWUSER) any more, and setpriv --reuid and the like, which change the credentials of one thread,
 * abort. Start after such changes; after setuid() without exec, set PR_SET_DUMPABLE first, or /proc is closed to the
 * process. dlclose() never unloads the shared library: it is linked with -z nodelete.
 *
 * The program may close the library's descriptors and take their numbers: lost ones are opened again, and numbers that
 * are the program's are not touched. The kernel gives a new file the lowest free number, from where the library moves it
 * above 900: dup2() onto that number, in the fraction of a microsecond in which it is closed there, can lose the
 * program's copy. */
DAMON_API int damon_start(damon_ctx **ctxs, int nr_ctxs, int exclusive);

/** Stops contexts: when it returns sampling and callbacks have ended. Attributes (intervals as tuned), targets with their
 * given ranges, schemes and statistics stay; learned regions go, the last snapshot can still be read. A stopped context
 * can be started again. Pending calls are cancelled.
 *
 * The worker then gives back what the access checks hold, in pieces so short that no other thread waits for them (about
 * 0.7 s a GiB; until then mremap() of a large mapping can fail with EFAULT, but for one between damon_exclude() and
 * damon_include()), and ends by itself; damon_ctx_free() and the next damon_start() of the context wait for that. After the
 * last damon_ctx_free() descriptors, threads and mappings are as before the first start. With DAMON_DRIVE_MANUAL it is
 * done before damon_stop() returns.
 * @param ctxs The contexts.
 * @param nr_ctxs How many.
 * @return 0, also for contexts that do not run or ended on their own; -EINVAL: NULL; -EDEADLK: in a callback of one of
 * them (nothing is stopped); -ECHILD: after fork. Thread: control. */
DAMON_API int damon_stop(damon_ctx **ctxs, int nr_ctxs);

/** @return 1: started and not ended; 0: not running (or ended on its own, or after fork);
 * -EINVAL. Thread: any. */
DAMON_API int damon_is_running(const damon_ctx *ctx);

/** @return How many contexts of this process run. Thread: any. */
DAMON_API int damon_nr_running_ctxs(void);

/** @return Thread id (gettid) of its worker; 0: not running, or driven manually. Thread: any. */
DAMON_API int32_t damon_kdamond_tid(const damon_ctx *ctx);

/** Does one sampling interval of a context with DAMON_DRIVE_MANUAL: looks at what the previous step (or damon_start())
 * armed, runs everything that is due, arms the next samples. While paused only calls run.
 * @param ctx A started context.
 * @param now_us The time now, never less than in the step before; its origin is the caller's choice: a run begins one
 * sample_us before its first step. What is given as time, but sample_us and aggr_us, and simulated memory follow it; windows are counted in steps. With
 * damon_sim_params.sample_ns a step that comes sooner than max_overhead_permil allows leaves its interval open.
 * @return 0; -EINVAL: not started, or not DAMON_DRIVE_MANUAL, or now_us went back; -ECANCELED: the context ended on its
 * own, see damon_ctx_errmsg(); -EBUSY: another thread is stepping; -EDEADLK: in a callback. Thread: control. */
DAMON_API int damon_step(damon_ctx *ctx, uint64_t now_us);

/** @} */

/** @addtogroup control
 * @{ */

/** Flags of damon_call_control. */
enum damon_call_flags {
    DAMON_CALL_REPEAT = 1 /**< Run every sampling interval until fn returns non-zero. */
};

/** A function to run on the worker, between two sampling intervals. */
struct damon_call_control {
    uint32_t size;               /**< sizeof(struct damon_call_control). */
    uint32_t flags;              /**< enum damon_call_flags. */
    int (*fn)(void *data);       /**< What to run. It may read, commit and pause the context. */
    void *data;                  /**< Handed to fn. */
    void (*release)(void *data); /**< REPEAT: called once when the call is dropped; may be NULL. */
    int32_t return_code;         /**< Out, one-shot: what fn returned. */
    int32_t canceled;            /**< Out, one-shot: 1: fn was not run. */
    uint64_t id;                 /**< Out: names the call for damon_call_cancel(); set before fn first runs. */
};

/** Fills in size and zeroes. @param c Written; NULL is ignored. Thread: any. */
DAMON_API void damon_call_control_init(struct damon_call_control *c);

/** Runs a function on the worker: after counting, before schemes, at most one sampling interval from now (at once while
 * paused). With DAMON_CALL_REPEAT it is queued, runs every sampling interval, paused or not, until it returns non-zero,
 * is cancelled or the worker ends, and is copied, so that the control need not live on.
 * @param control The outputs are written before the function returns.
 * @return 0: one-shot: fn has run, its result is in return_code; REPEAT: queued. -EINVAL: no fn, unknown flags;
 * -E2BIG; -ECANCELED: not running, or stopped or cancelled before fn ran; -EDEADLK: one-shot, in a callback of ctx;
 * -ENOMEM: REPEAT. With manual drive a one-shot call runs at once, on the calling thread, between two steps.
 * Thread: control. */
DAMON_API int damon_call(damon_ctx *ctx, struct damon_call_control *control);

/** Drops a pending call. When it returns, a repeat call's fn is not running and will not run again, and its release was
 * called (from inside that fn itself: as soon as fn returns).
 * @param id From damon_call_control.
 * @return 0; -ENOENT: no such call (it ended already); -EINVAL. Thread: control; allowed in callbacks. */
DAMON_API int damon_call_cancel(damon_ctx *ctx, uint64_t id);

/** Changes parameters of a context, running or not: attributes, targets, schemes, probes, min_region_sz, addr_unit, and
 * whether it is paused.
 *
 * Lists are matched by position: entries that are there in both are overwritten, surplus ones removed, new ones
 * appended. Learned regions, ages and counters stay (a source target without ranges keeps the destination's regions
 * whole; with ranges the regions are fitted to them); scheme statistics and quota state stay; a window is restarted
 * only if sample_us or aggr_us changed, and counters are converted then.
 *
 * **Pause** is carried: dst is paused afterwards if and only if src is, which damon_set_pause() on src decides (a new
 * context is not paused). The guarantees are those of damon_set_pause(): from another thread the call returns when the
 * worker is silent, or has resumed; inside damon_call() or a callback it holds when the step has ended; into a stopped
 * context it says how the next run begins. To change something else of a paused context, pause the source first. A
 * damon_set_pause() that comes after a commit which had to wait for the end of a step wins over it.
 *
 * Every member of a context is carried, or refused by its name, or belongs to dst:
 * | member | what a commit does |
 * | --- | --- |
 * | attributes, targets, schemes, probes | carried, as above |
 * | min_region_sz, addr_unit, coverage, pause | carried |
 * | operations (damon_ctx_set_ops()) | running: `-EINVAL` where src chose others; stopped: carried. A source that never chose says nothing. Custom operations and a simulator are not carried: `-EINVAL` where dst has others |
 * | access check | running: `-EINVAL` where src chose another; stopped: carried. A source that never chose says nothing |
 * | worker attributes (damon_ctx_set_worker_attr()) | carried where src has set them; they hold from the next start on |
 * | ranges of damon_ctx_add_range() | dst's own: they stay, and so does the target that they make |
 * | table and priv of custom operations, simulator, drive, seed | dst's own: they stay |
 * | statistics, snapshots, calls, walks | dst's own: they stay |
 * @param dst The context to change. Running, from another thread: carried to the worker and waited for. On its worker,
 * or stopped: at once; inside a callback of a step that uses regions or schemes (access checks, target_valid, scores,
 * actions, walks): checked at once, done when that step has ended.
 * @param src A stopped context that holds the wanted parameters. Not changed, not kept.
 * @return 0; -EINVAL: a parameter is wrong (the reason is in both contexts' damon_ctx_errmsg()), src is dst, a surplus
 * target is obsolete, or a member that a commit does not change differs; -EBUSY: src runs; -ENOMEM; -EOPNOTSUPP: the
 * back-end cannot serve the new targets, or src is paused and the kernel's DAMON, which monitors dst, cannot pause;
 * -ECANCELED: dst ended meanwhile. On failure dst is exactly as before, paused or not. Thread: control. */
DAMON_API int damon_commit_ctx(damon_ctx *dst, const damon_ctx *src);

/** Pauses or resumes.
 *
 * Pausing returns once the worker is silent, in the same time whatever the size of the memory: regions, ages, counters
 * and deadlines stay bit for bit; walks are cancelled; calls, commits and stop keep working. The marks of the interval
 * that was under way, at most one a region, are lifted within 10 ms more (with read-write protection within 0.2 s a GiB,
 * unless it is resumed before), in short pieces; those of tracked ranges (#DAMON_RANGE_TRACKED) follow within 0.5 s a GiB,
 * unless it is resumed before, and cost the worker 20 to 60 ms of CPU time a GiB. From then on the program pays nothing.
 * Mappings stay registered. Without repeat calls and with targets of this process only, a paused worker does not wake up
 * at all. Resuming continues where it stood, but for tracked ranges: what damon_query_range() would have told of them is
 * lost with a pause, so that a program asks before it pauses. On a stopped context it decides how the next start begins.
 * In a callback on the worker it takes effect when the callbacks of this step are done. Idempotent.
 * @param pause 1: pause; 0: resume.
 * @return 0; -EINVAL; -ECANCELED: the worker ended meanwhile; -EOPNOTSUPP: the kernel's DAMON, which monitors, cannot
 * pause; -ECHILD. Thread: control; allowed in callbacks. */
DAMON_API int damon_set_pause(damon_ctx *ctx, int pause);

/** @return 1: paused (stopped: would start paused); 0: not; -EINVAL. Thread: any. */
DAMON_API int damon_is_paused(const damon_ctx *ctx);

/** A function to call for each region that schemes act on. */
struct damos_walk_control {
    uint32_t size;     /**< sizeof(struct damos_walk_control). */
    uint32_t reserved; /**< 0. */
    /** Called on the worker right after each action: data; the context; the region as it was acted on, nr_accesses as a
     * moving sum; position of the scheme; core units that passed its page-level filters. */
    void (*walk_fn)(void *data, damon_ctx *ctx, const struct damon_region_info *r, size_t scheme_idx,
                    uint64_t sz_filter_passed);
    void *data;        /**< Handed to walk_fn. */
    int32_t canceled;  /**< Out: 1: ended early. */
    uint32_t reserved2; /**< 0. */
};

/** Fills in size and zeroes. @param c Written; NULL is ignored. Thread: any. */
DAMON_API void damos_walk_control_init(struct damos_walk_control *c);

/** Reports every region that the schemes act on, one pass of each scheme, and waits for it. A DAMOS_STAT scheme with an
 * open pattern reports all regions. A manually driven context walks while another thread steps it.
 * @param control canceled is written.
 * @return 0; -EINVAL: no walk_fn; -E2BIG; -EBUSY: another walk is pending; -ECANCELED: not running, no schemes, paused,
 * every scheme waits for its watermarks, or stopped meanwhile; -EDEADLK: in a callback of ctx.
 * Thread: control. */
DAMON_API int damos_walk(damon_ctx *ctx, struct damos_walk_control *control);

/** @} */

/** @addtogroup results
 * @{ */

/** Copies the last snapshot: all regions of all targets in order, as they were when the last window ended. Never waits
 * for the worker longer than one such copy, allocates nothing. Also on a stopped context.
 * @param regions Written.
 * @param cap How many fit.
 * @param info Its size must be set (damon_snapshot_info_init()); written, also with -ENOSPC. NULL is fine.
 * @return How many regions were written (0 with info->seq 0: no window has ended yet); -ENOSPC: cap is smaller than
 * info->nr_regions, nothing was written to regions (max_nr_regions of the attributes is nearly always enough);
 * -EINVAL; -E2BIG. Thread: any. */
DAMON_API int damon_snapshot_read(const damon_ctx *ctx, struct damon_region_info *regions, size_t cap,
                                  struct damon_snapshot_info *info);

/** Waits for a snapshot newer than after_seq.
 * @param after_seq damon_snapshot_info.seq of the one already seen; 0: any.
 * @param timeout_ms Negative: for ever; 0: only look.
 * @return 0: there is one; -ETIMEDOUT; -ECANCELED: not running (any more) and there is none; -EDEADLK: in a callback of
 * ctx; -EINVAL. Thread: control. */
DAMON_API int damon_snapshot_wait(const damon_ctx *ctx, uint64_t after_seq, int32_t timeout_ms);

/** Copies the regions as they are at this moment, in the middle of a window: nr_accesses counts the samples so far,
 * where max_overhead_permil has intervals passed over up to the latest look.
 * @param regions Written.
 * @param cap How many fit.
 * @param info As for damon_snapshot_read(); seq is that of the last snapshot.
 * @return As damon_snapshot_read(); -EBUSY: running and not on the worker (use damon_call()); 0 when stopped.
 * Thread: owner; with manual drive also between steps. */
DAMON_API int damon_live_read(const damon_ctx *ctx, struct damon_region_info *regions, size_t cap,
                              struct damon_snapshot_info *info);

/** @} */

/** @addtogroup ranges
 * @{ */

/** What targets without ranges cover (damon_ctx_set_coverage()). */
enum damon_coverage_flags {
    DAMON_COVER_FILES = 1,       /**< Mappings of files too. */
    DAMON_COVER_THREE_AREAS = 2, /**< The kernel's rule: everything but the two largest gaps between mappings. */
    DAMON_COVER_STABLE = 4       /**< No private memory is remapped or grown: as DAMON_RANGE_STABLE for all of it. For who
                                      knows the whole program: mremap() of a stable mapping fails with EFAULT. */
};

/** Flags of damon_ctx_add_range(). */
enum damon_range_flags {
    DAMON_RANGE_SHARED = 1, /**< Declared shared, as damon_shared_declare(). */
    DAMON_RANGE_STABLE = 2, /**< Is not moved or grown by mremap() until it is removed (that would fail with EFAULT): passes
                                 (damon_attrs.referenced_us) may make parts of it mappings of their own. All else works
                                 as ever: mprotect, madvise, munmap, fork, read(2) into it. */
    DAMON_RANGE_TRACKED = 4 /**< Kept armed as a whole for damon_query_range(), until it is removed: by read-write
                                 protection (Linux 7.3), else by write protection (Linux 6.11). Costs the program a fault
                                 of some 0.7 us for the first access, or write, to each page after a question.
                                 Its memory is not collapsed into huge pages meanwhile. Takes 1/900 of the range from the
                                 library's heap, and 10 to 40 ms a GiB of the calling thread when it is added. Nothing
                                 is armed while the context is paused: damon_set_pause(). */
};

/** @}
 * @addtogroup running
 * @{ */

/** What a context is doing. */
enum damon_state {
    DAMON_STATE_STOPPED = 0,    /**< Not started, or stopped. */
    DAMON_STATE_SAMPLING = 1,   /**< At work, at the wanted intervals. */
    DAMON_STATE_LIMITED = 2,    /**< At work, with fewer samples or longer windows for damon_attrs.max_overhead_permil. */
    DAMON_STATE_PAUSED = 3,     /**< Paused. */
    DAMON_STATE_WATERMARKS = 4, /**< Every scheme waits for its watermarks: nothing is sampled. */
    DAMON_STATE_ENDED = 5       /**< Ended on its own. */
};

/** Answer of damon_ctx_get_state(). */
struct damon_state_info {
    uint32_t size;        /**< sizeof(struct damon_state_info). */
    int32_t state;        /**< enum damon_state. */
    uint64_t since_ns;    /**< CLOCK_MONOTONIC (virtual time with manual drive): when this state began. */
    uint64_t window_us;   /**< Real length of the last window; 0: none has ended. */
    uint64_t cost_permil; /**< What max_overhead_permil counts, over the last second or more of sampling, 1/1,000 of one
                               CPU; 0 where nothing is sampled, and with manual drive. */
    char reason[160];     /**< Why, in one line. */
};

/** How the worker thread is made (damon_ctx_set_worker_attr()). */
struct damon_worker_attr {
    uint32_t size;            /**< sizeof(struct damon_worker_attr). */
    int32_t nice;             /**< Nice value, -20 to 19. 0 (default): that of the process (its first thread). */
    uint64_t stack_bytes;     /**< Stack, with a guard page below it; 0 (default): 8 MiB. At least 65,536; callbacks of the
                                   program run on it. */
    const uint64_t *cpu_mask; /**< CPUs that the worker may use, bit by bit; NULL (default): all that the process (its first
                                   thread) may. */
    size_t nr_cpu_words;      /**< Words in cpu_mask. */
    char name[16];            /**< Name of the thread; empty (default): "kdamond.N". */
};

/** @}
 * @addtogroup queries
 * @{ */

/** A question about a tracked range, and its answer (damon_query_range()). */
struct damon_range_query {
    uint32_t size;          /**< sizeof(struct damon_range_query). */
    uint32_t flags;         /**< 0. */
    uint64_t unit_bytes;    /**< In: the page size or the huge page size. */
    uint64_t *touched;      /**< In, may be NULL: one bit a unit, written. */
    uint8_t *idle;          /**< In, may be NULL: one byte a unit, written: idle for 2^(n/4) ms. */
    size_t nr_units;        /**< In: units that touched and idle have room for. */
    uint64_t touched_bytes; /**< Out: touched since the last query. */
    uint64_t present_bytes; /**< Out: present. */
    uint64_t unseen_bytes;  /**< Out: could not be looked at. */
    uint64_t since_ns;      /**< Out: CLOCK_MONOTONIC from which on accesses count. */
    int32_t unseen_reason;  /**< Out: enum damon_unknown_reason. */
    uint32_t sees;          /**< Out: enum damon_access_check_sees. */
};

/** A working set (damon_wss()). */
struct damon_wss_result {
    uint32_t size;          /**< sizeof(struct damon_wss_result). */
    int32_t mode;           /**< In: 0: tracked ranges, since the last query; 1: the whole process. */
    uint64_t interval_us;   /**< In: mode 1: how long to wait between clearing and counting; not 0. */
    uint64_t touched_bytes; /**< Out: touched. */
    uint64_t present_bytes; /**< Out: present. */
    uint64_t unseen_bytes;  /**< Out: could not be looked at. */
    uint32_t sees;          /**< Out: enum damon_access_check_sees. */
    uint32_t reserved;      /**< 0. */
};

/** @}
 * @addtogroup running
 * @{ */

/** Fills in size and zeroes. @param info Written; NULL is ignored. Thread: any. */
DAMON_API void damon_state_info_init(struct damon_state_info *info);
/** Fills in size and the defaults. @param attr Written; NULL is ignored. Thread: any. */
DAMON_API void damon_worker_attr_init(struct damon_worker_attr *attr);

/** @}
 * @addtogroup queries
 * @{ */

/** Fills in size, the page size as unit, and zeroes. @param query Written; NULL is ignored. Thread: any. */
DAMON_API void damon_range_query_init(struct damon_range_query *query);
/** Fills in size and zeroes. @param result Written; NULL is ignored. Thread: any. */
DAMON_API void damon_wss_result_init(struct damon_wss_result *result);

/** @}
 * @addtogroup ranges
 * @{ */

/** Reads the mappings now, instead of at the next ops_update_us. Also while paused. Not needed where samples find a
 * mapping gone or changed: then the worker reads them by itself, after a tenth of a second or more.
 * @return 0: read (on the worker: at once; in a callback of a step that uses the regions: when that step has ended);
 * -EINVAL; -ECANCELED: not running; -EOPNOTSUPP: the kernel's DAMON monitors, which reads them by itself.
 * Thread: control; allowed in callbacks. */
DAMON_API int damon_ctx_refresh(damon_ctx *ctx);

/** @}
 * @addtogroup running
 * @{ */

/** What the context is doing, and why.
 * @param out Its size must be set; written.
 * @return 0; -EINVAL; -E2BIG. Thread: any. */
DAMON_API int damon_ctx_get_state(const damon_ctx *ctx, struct damon_state_info *out);

/** @}
 * @addtogroup ranges
 * @{ */

/** What targets without ranges cover.
 * @param flags enum damon_coverage_flags; 0 (default): memory (see damon_target_set_regions()). A commit carries them.
 * @return 0; -EINVAL: unknown flags, or _FILES with _THREE_AREAS; -EBUSY: running. Thread: owner. */
DAMON_API int damon_ctx_set_coverage(damon_ctx *ctx, uint32_t flags);

/** Adds a range to what the context watches, at any time: it is sampled from the next interval on (with more than 1,024
 * ranges the worker may spend a fiftieth of its time on reading them, so that it can take some intervals more). A
 * context without a target gets one, of ranges, by its first; with the last one removed it watches nothing and keeps
 * running. Added ranges are no parameters: a commit never touches them, and they stay when the context stops. Where there
 * are more of them than half of max_nr_regions, one region spans neighbours; samples and actions fall inside ranges only.
 * Does not allocate with malloc, costs O(log n) and never waits for an interval.
 * @param ctx The context. One whose targets follow memory, or have given ranges, is never narrowed: there a range needs
 * flags, and says something of memory that is watched anyway.
 * @param addr Its start. Ranges are aligned outwards to pages.
 * @param len Bytes.
 * @param flags enum damon_range_flags. DAMON_RANGE_SHARED declares the range as damon_shared_declare() does, until it
 * is removed.
 * @return 0; -EINVAL: len is 0, the range overlaps one that was added, it is to be declared and is no shared mapping or
 * declared already, or it has no flags and the context has targets of its own; -EBUSY: running without a target; -ENOMEM;
 * -EUSERS: too many contexts track ranges; -EOPNOTSUPP: DAMON_RANGE_TRACKED where this system has no asynchronous
 * protection; it or DAMON_RANGE_STABLE where the context does not watch this process by itself. Thread: any. */
DAMON_API int damon_ctx_add_range(damon_ctx *ctx, const void *addr, size_t len, uint32_t flags);

/** Removes a range that was added. When it returns nothing of the library touches the range any more: it waits for the
 * library's own system calls, never for a callback. A callback that runs meanwhile may have been handed the range:
 * whoever frees memory checks that under a lock of its own.
 * @param addr As added.
 * @param len As added.
 * @return 0; -ENOENT: there is no such range; -EINVAL. Thread: any; inside a callback it does not wait. One that is stable
 * is one mapping again when it returns, after some 0.2 ms for each 2 MiB that passes watched. */
DAMON_API int damon_ctx_remove_range(damon_ctx *ctx, const void *addr, size_t len);

/** Keeps every context of this process away from a range: when it returns no mark, registration or action touches it.
 * Its samples are unknown (#DAMON_UNKNOWN_EXCLUDED). Watched memory answers three calls of the program differently: its
 * own UFFDIO_REGISTER with EBUSY; MADV_COLLAPSE with EINVAL while any page of the 2 MiB is armed for a sample, which the
 * kernel does not collapse under write protection (measured with the default attributes: 1 to 5 of 16 calls, each on one
 * 2 MiB of 32; none of 128 between a pair of these calls); and mremap() with EFAULT where the memory grew while
 * it was watched (from Linux 6.17 on it may have moved a part before it fails). Put a pair of calls round one mremap() or
 * MADV_COLLAPSE of memory that is watched, or exclude for good what the program itself registers with a userfaultfd, and
 * what it asks with its own PAGEMAP_SCAN for PAGE_IS_WRITTEN: under write protection a page that a sample waits on is told
 * as not written, although the program wrote to it before (measured: 4,066 of 4,096 dirty pages were told).
 * It waits for the library's system calls that are under way, never for a callback: a DAMOS_CALLBACK may be handed the
 * range once more. Memory that is watched by userfaultfd is a mapping of its own then, and a huge page of it that the range
 * begins or ends in is split into small ones: exclude whole huge pages where they matter.
 * @param addr Page-aligned.
 * @param len Bytes, whole pages. Calls are counted for each range: nested ones and those of several threads add up.
 * @return 0; -EINVAL: empty, not whole pages; -ENOMEM; another error: this process's mappings cannot be read, and nothing
 * is excluded. Thread: any. */
DAMON_API int damon_exclude(const void *addr, size_t len);

/** Takes one damon_exclude() of the same range back.
 * @param addr As excluded.
 * @param len As excluded.
 * @return 0; -ENOENT: that range is not excluded; -EINVAL. Thread: any. */
DAMON_API int damon_include(const void *addr, size_t len);

/** @}
 * @addtogroup running
 * @{ */

/** How the worker thread of the next start is made. A start fails, and names the member, where the system refuses a nice
 * value or a cpu_mask.
 * @param attr Copied, with its cpu_mask.
 * @return 0; -EINVAL: a member is out of its range; -E2BIG; -ENOMEM; -EBUSY: running (also on the worker). Thread: owner. */
DAMON_API int damon_ctx_set_worker_attr(damon_ctx *ctx, const struct damon_worker_attr *attr);

/** @}
 * @addtogroup queries
 * @{ */

/** Which units of a tracked range were touched since this context's last query of them, or since the range was
 * added. Exact for what it sees (`sees`): each access to a page, by the program's threads and by the kernel on their
 * behalf, is reported once, whoever else samples or asks about the same memory. Below Linux 7.3 that is writes to pages of the
 * page size; reads are not seen, but for those that bring a page in: what was not present and is now counts as touched.
 * With read-write protection a touch of a huge page counts all of it. A page that was touched and given back before the
 * query is reported as not present, not as touched. Of shared memory, whose page may outlive its entry in the page tables
 * (reclaim, MADV_PAGEOUT), one that was present at the query before and was written since is touched all the same; with
 * read-write protection it is unseen (#DAMON_UNKNOWN_RECLAIMED). Accesses count by the addresses of the range: those by
 * another mapping of the same memory, or by the file, do not.
 *
 * What cannot be known of written memory counts as unseen_bytes, with the reason of the last such part (unseen_reason),
 * not as touched_bytes. Its bits in `touched` are set and its idle time is 0: unknown is never cold. These are huge pages
 * below Linux 7.3, and those that the range covers in part (#DAMON_UNKNOWN_HUGE_PAGE; they are never split), what is not
 * mapped, and, until it is asked about once more, what was
 * mapped anew or moved there (#DAMON_UNKNOWN_NOT_REGISTERED), what damon_exclude() or a scheme's action took the marks of,
 * and everything once the program has closed the library's descriptor. A pause is a gap of all tracked ranges
 * (#DAMON_UNKNOWN_PAUSED): questions meanwhile, and of each part the first one afterwards, have all of it unseen, even
 * where the pause was over before the marks were lifted. That question arms again; nothing else does.
 *
 * The calling thread looks and arms anew by pieces of 16 MiB, where all is known to be present by 64 MiB, with short
 * rests; each holds the address space for reading for less than 100 us, so that 1 GiB takes milliseconds. The context need
 * not run. Nothing is allocated.
 * @param addr Start, a multiple of unit_bytes.
 * @param len Bytes, a multiple of unit_bytes; a part of one range that was added with #DAMON_RANGE_TRACKED. What is not
 * asked about is kept for the next question.
 * @param query size, unit_bytes, touched, idle and nr_units are read, all else is written. `touched` has a whole number of
 * 64-bit words for the units; a unit is touched if any of its pages is. An idle time is that of the unit's youngest page,
 * up to the question that found it touched, in steps of 16 ms. since_ns is the oldest beginning among the pieces.
 * @return 0; -ENOENT: not inside of one such range; -EINVAL: a member or parameter is wrong; -E2BIG; -EBUSY: another thread
 * is asking this context. After an error the arrays hold nothing of use. Thread: any. */
DAMON_API int damon_query_range(damon_ctx *ctx, const void *addr, size_t len, struct damon_range_query *query);

/** The working set: how much memory is touched in a time.
 *
 * Mode 0: damon_query_range() of all of the context's tracked ranges, added up; the next question begins here too.
 *
 * Mode 1, the whole process: clears every accessed bit of the process's page tables, waits interval_us on the calling
 * thread, and counts the bits that are set again. So it sees reads and writes of all memory in whole pages (one touch of
 * a huge page counts all of it), by the program's threads and by the kernel on their behalf; a page that was touched and
 * given back, or taken by reclaim, in that time is not counted. present_bytes is what is mapped at the end. unseen_bytes
 * of it have no answer: pages of hugetlbfs; huge pages that the balancing of NUMA nodes hides (Linux before 6.7); and
 * whatever was not touched where reclaim has run meanwhile and the multi-generational LRU, which clears the same bits,
 * is not known to be off. Errs to "touched": pages of files that
 * another process reads, and pages that are mapped in while the bits are cleared. The context need not run; one that does
 * goes on sampling undisturbed.
 *
 * Its price is the program's, so it is never done unasked. Clearing stops all of the program's page faults, mmap() and
 * munmap() for 8 to 30 ms for each GiB of present 4 KiB pages (0.3 ms of huge pages); counting takes as long, and lets page
 * faults go on. Then the first touch of each 4 KiB page costs some 0.15 us once more. What the kernel's reclaim
 * and its own DAMON knew of this process by these bits is lost.
 * @param inout size, mode and interval_us are read; with 0 as the result all other members are written.
 * @return 0; -EINVAL: another mode, or interval_us is 0 in mode 1; -E2BIG; -EBUSY: another thread is asking (mode 0) or
 * is in this call, or a context that has not stopped has passes (damon_attrs.referenced_us), whose bits this one would
 * clear (mode 1); -EDEADLK: mode 1 on the worker; -EACCES or -EPERM: the process
 * is not dumpable; -ENOENT: no tracked range (mode 0); no /proc, or a kernel that does not count accessed bits (mode 1).
 * Thread: any, in mode 1 any but the worker; waits interval_us there. */
DAMON_API int damon_wss(damon_ctx *ctx, struct damon_wss_result *inout);

/** @}
 * @addtogroup saved
 * @{ */

/** Writes what the context has learned, for another context, process or day (a warm start): the regions with their access
 * counts and ages, and of each scheme its statistics and its quota with the charge window that is open. Parameters are no
 * part of it. Targets with ranges, given or added, are saved by position: the ranges may lie elsewhere when they are
 * restored. A target of DAMON_OPS_VADDR without ranges is saved by mapping: by the names of this process's mappings, their
 * order and sizes. Other targets without ranges are saved by address, where addresses mean the same (custom operations,
 * simulation, physical memory).
 *
 * A running or paused context is saved by its worker between two intervals; a stopped one as it was at the end of its
 * run, or as it was restored since. The bytes are the same on all machines: little-endian, versioned, with a checksum.
 * @code{.c}
 *   int64_t needed = damon_ctx_save(ctx, NULL, 0);        // some more while it runs: regions come and go
 *   int64_t size = damon_ctx_save(ctx, buf, len);         // write `size` bytes to a file
 *   ...                                                   // in the next process, with as many targets, ranges, schemes
 *   damon_ctx_restore(ctx, buf, (size_t)size);
 *   damon_start(&ctx, 1, 0);                              // the first window goes on from what was learned
 * @endcode
 * @param buf Written, if all of it fits; NULL with len 0.
 * @param len Bytes in buf. 0: a question for the size; nothing is written.
 * @return Bytes written or needed: about 48 for a region and 136 for a scheme; -ENOSPC: more than len; -EINVAL: buf is
 * NULL, nothing was learned yet, or targets came or went since the run; -EOPNOTSUPP: a target of DAMON_OPS_KERNEL_VADDR
 * has no ranges; -ENOMEM; -ECHILD. Thread: control; allowed in callbacks. */
DAMON_API int64_t damon_ctx_save(const damon_ctx *ctx, void *buf, size_t len);

/** Takes over what damon_ctx_save() wrote. A stopped context begins its next run with it (and no later one); a running one
 * has it in the place of its regions at once, and begins its window anew. Range number n of a target takes over what was
 * known of range number n, in the order of addresses, wherever it lies: where it is smaller than it was, its end is
 * dropped; where it is larger, nothing is known of the rest. Counts and ages are in the intervals of now; more
 * regions than max_nr_regions are joined. Ranges that are given or added after the call begin without knowledge.
 *
 * A target that was saved by mapping takes over what was known of the mappings that are there again when this is called: of
 * the same name, in the same order, and where they have no name of similar size. So a program calls this when it has its
 * data back. Of mappings that have other sizes, files and the heap are aligned at their beginnings, stacks and anonymous
 * memory at their ends.
 * @param ctx The context: as many targets as were saved, with as many ranges each, and schemes of the same actions.
 * @param buf As saved. It is not trusted: every field is checked.
 * @param len Bytes in buf, as damon_ctx_save() returned them.
 * @return 0; -EINVAL: the bytes are damaged, of another version or no such bytes, or they were saved of other targets,
 * ranges, schemes or another address unit; -EBUSY: in a callback that uses the regions (access checks, target_valid,
 * schemes) or at a run's start or end; -ENOENT: a target by mapping finds less than half of the saved bytes' mappings;
 * -EOPNOTSUPP: the kernel's DAMON monitors; -ENOMEM; -ECHILD. damon_ctx_errmsg() names the field. On failure nothing has
 * changed. Thread: control; allowed in callbacks but those. */
DAMON_API int damon_ctx_restore(damon_ctx *ctx, const void *buf, size_t len);

/** @} */

/** @addtogroup presets
 * @{ */

/** damon_preset_reclaim(): pages out what has not been accessed for long. Where reads cannot be seen (private memory
 * below Linux 7.3) nothing is known to be unused, and is left alone: see allow_unseen_reads. */
struct damon_reclaim_params {
    uint32_t size;                        /**< sizeof(struct damon_reclaim_params). */
    uint32_t skip_anon;                   /**< 1: only pages of files. Default 0. */
    uint64_t min_age_us;                  /**< For so long. Default 120,000,000. */
    uint64_t quota_ms;                    /**< Time for it in a window; 0: no limit. Default 10. */
    uint64_t quota_sz;                    /**< Bytes in a window; 0: no limit. Default 128 MiB. */
    uint64_t quota_reset_interval_ms;     /**< Length of a window. Default 1,000. */
    uint64_t quota_mem_pressure_us;       /**< Not 0: aim at so much "some" memory pressure in a window. Default 0. */
    uint64_t quota_autotune_feedback;     /**< Not 0: a USER_INPUT goal with target 10,000, and where it stands. Default 0. */
    uint64_t wmarks_interval_us;          /**< Default 5,000,000. */
    uint32_t wmarks_high;                 /**< Inactive with more free memory, permil. Default 500; 1,000: never. */
    uint32_t wmarks_mid;                  /**< Active below. Default 400. */
    uint32_t wmarks_low;                  /**< Inactive with less. Default 200. */
    uint32_t autotune_monitoring_intervals; /**< 1: 5 ms to 10 s, as accesses show. Default 0. */
    uint64_t sample_us;                   /**< Default 5,000. */
    uint64_t aggr_us;                     /**< Default 100,000. */
    uint64_t min_nr_regions;              /**< Default 10. */
    uint64_t max_nr_regions;              /**< Default 1,000. */
    uint32_t allow_unseen_reads;          /**< 1: the scheme has DAMOS_ALLOW_UNSEEN_READS. Default 0. */
    uint32_t own_memcg;                   /**< 1: watermarks are of this process's memory group, see
                                               DAMOS_WMARK_OWN_MEMCG_FREE_RATE, and not of the machine. Default 0. */
};

/** damon_preset_lru_sort(): sorts memory for reclaim: what is cold first, what is hot last. */
struct damon_lru_sort_params {
    uint32_t size;                        /**< sizeof(struct damon_lru_sort_params). */
    uint32_t hot_thres_access_freq;       /**< Hot: accessed in so many permil of samples. Default 500. */
    uint64_t cold_min_age_us;             /**< Cold: not accessed for so long. Default 120,000,000. */
    uint64_t active_mem_bp;               /**< Not 0: aim at this share of active memory. At most 10,000. Default 0. */
    uint64_t quota_ms;                    /**< Time for it in a window, a half for each scheme. Default 10. */
    uint64_t quota_reset_interval_ms;     /**< Length of a window. Default 1,000. */
    uint64_t wmarks_interval_us;          /**< Default 5,000,000. */
    uint32_t wmarks_high;                 /**< Inactive with more free memory, permil. Default 200; 1,000: never. */
    uint32_t wmarks_mid;                  /**< Active below. Default 150. */
    uint32_t wmarks_low;                  /**< Inactive with less. Default 50. */
    uint32_t filter_young_pages;          /**< 1: leave young pages out of cold. Needs the YOUNG filter. Default 0. */
    uint32_t autotune_monitoring_intervals; /**< 1: 5 ms to 10 s, as accesses show. Default 0. */
    uint32_t allow_unseen_reads;          /**< 1: the schemes have DAMOS_ALLOW_UNSEEN_READS. Default 0. */
    uint64_t sample_us;                   /**< Default 5,000. */
    uint64_t aggr_us;                     /**< Default 100,000. */
    uint64_t min_nr_regions;              /**< Default 10. */
    uint64_t max_nr_regions;              /**< Default 1,000. */
    uint32_t own_memcg;                   /**< As in damon_reclaim_params. Default 0. */
    uint32_t reserved;                    /**< 0. */
};

/** Answer of damon_stat_read(). */
struct damon_stat_result {
    uint32_t size;                 /**< sizeof(struct damon_stat_result). */
    uint32_t reserved;             /**< 0. */
    uint64_t seq;                  /**< Of the snapshot that it was computed from; 0: there is none yet. */
    uint64_t aggr_us;              /**< Its window, as tuned. */
    uint64_t bandwidth;            /**< Estimated bytes accessed a second. */
    uint64_t known_bytes;          /**< Memory that could be looked at: what the percentiles are of. */
    uint64_t unknown_bytes;        /**< Memory that could not. */
    int64_t memory_idle_ms[101];   /**< [p]: p percent of the memory is idle for at most as long; negative: in use. */
};

/** Fills in size and the defaults. @param p Written; NULL is ignored. Thread: any. */
DAMON_API void damon_reclaim_params_init(struct damon_reclaim_params *p);
/** Fills in size and the defaults. @param p Written; NULL is ignored. Thread: any. */
DAMON_API void damon_lru_sort_params_init(struct damon_lru_sort_params *p);
/** Fills in size and zeroes. @param r Written; NULL is ignored. Thread: any. */
DAMON_API void damon_stat_result_init(struct damon_stat_result *r);

/** Pages out memory that has been cold for long, while memory is scarce.
 * @param p NULL: the defaults.
 * @return Position of the scheme; -EINVAL: a parameter is wrong; -E2BIG; -ENOMEM; -EBUSY: running (also on the worker).
 * Nothing changes on failure. Thread: owner. */
DAMON_API int damon_preset_reclaim(damon_ctx *ctx, const struct damon_reclaim_params *p);

/** Sorts memory on the kernel's lists: two schemes, the hot one and behind it the cold one. User space can put memory to
 * the front of reclaim, but not to its end: with DAMON_OPS_VADDR and _FVADDR the hot scheme only counts (DAMOS_STAT),
 * and hot memory stays where its own accesses keep it.
 * @param p NULL: the defaults.
 * @return Position of the hot scheme; -EINVAL: a parameter is wrong; -E2BIG; -ENOMEM; -EBUSY: running (also on the
 * worker). Nothing changes on failure. Thread: owner. */
DAMON_API int damon_preset_lru_sort(damon_ctx *ctx, const struct damon_lru_sort_params *p);

/** Watches only, with intervals from 5 ms to 10 s as accesses show, for damon_stat_read().
 * @return 0; -EINVAL; -EBUSY: running (also on the worker). Thread: owner. */
DAMON_API int damon_preset_stat(damon_ctx *ctx);

/** Sums the last snapshot up, of whatever set-up. Takes memory of the library's own heap for a moment.
 * @param out Its size must be set; written.
 * @return 0; -EINVAL; -E2BIG; -ENOMEM. Thread: any. */
DAMON_API int damon_stat_read(const damon_ctx *ctx, struct damon_stat_result *out);

/** @} */

/** @addtogroup access_checks
 * @{ */

/** Access checks: how it is learned whether a page was accessed. Chosen per mapping. */
enum damon_access_check {
    DAMON_ACCESS_CHECK_AUTO = 0,     /**< The best that works here for each mapping (default). */
    DAMON_ACCESS_CHECK_UFFD_RWP = 1, /**< userfaultfd read-write protection: reads and writes. Newest kernels. */
    DAMON_ACCESS_CHECK_ZAP = 2,      /**< Declared shared mappings: reads and writes, any kernel. */
    DAMON_ACCESS_CHECK_UFFD_WP = 3,  /**< userfaultfd asynchronous write protection: writes only. Linux 6.7. */
    DAMON_ACCESS_CHECK_REFERENCED = 4, /**< Accessed bits, by passes alone: no samples. Needs damon_attrs.referenced_us. */
    DAMON_ACCESS_CHECK_UFFD_MOVE = 5, /**< Parked pages. Not in this release. */
    DAMON_ACCESS_CHECK_MPROTECT = 6, /**< PROT_NONE and a signal handler. Not in this release. */
    DAMON_ACCESS_CHECK_PAGE_IDLE = 7, /**< Idle page tracking. Not in this release. */
    DAMON_ACCESS_CHECK_REPORT = 8    /**< The program reports its accesses: damon_report_access(). */
};

/** What an access check can see on this machine, for this user. */
enum damon_access_check_sees {
    DAMON_SEES_READS = 1, /**< Reads are seen. */
    DAMON_SEES_WRITES = 2 /**< Writes are seen. */
};

/** Answer of damon_access_check_probe(). */
struct damon_access_check_info {
    uint32_t size;      /**< sizeof(struct damon_access_check_info). */
    int32_t available;  /**< 1: works here; 0: does not. */
    uint32_t sees;      /**< enum damon_access_check_sees. */
    int32_t error;      /**< Not available: the negative errno that said so. */
    char name[24];      /**< Such as "uffd_wp". */
    char reason[200];   /**< Why not, or what to know; for AUTO: which was chosen and why no better one. */
};

/** Fills in size and zeroes. @param info Written; NULL is ignored. Thread: any. */
DAMON_API void damon_access_check_info_init(struct damon_access_check_info *info);

/** Tries an access check on a scratch page, step by step: a version number or a success code would lie.
 * @param id enum damon_access_check. AUTO: what ordinary private memory gets.
 * @param out Its size must be set; written.
 * @return 0: out says whether it works; -EINVAL: no such id; -E2BIG. Thread: any. */
DAMON_API int damon_access_check_probe(int32_t id, struct damon_access_check_info *out);

/** Chooses the access check for DAMON_OPS_VADDR and _FVADDR.
 * @param id enum damon_access_check. With AUTO, memory that no access check can watch is reported as
 * DAMON_REGION_UNKNOWN; an access check that does not work here at all is refused at start.
 * @return 0; -EINVAL; -EBUSY: running (also on the worker). Thread: owner. */
DAMON_API int damon_ctx_set_access_check(damon_ctx *ctx, int32_t id);

/** One access that the program knows of. */
struct damon_access_report {
    uint32_t size;     /**< sizeof(struct damon_access_report). */
    uint32_t is_write; /**< 1: a write; 0: a read. */
    uint64_t addr;     /**< First address. */
    uint64_t len;      /**< Bytes, at least 1. */
};

/** Fills in size and zeroes. @param r Written; NULL is ignored. Thread: any. */
DAMON_API void damon_access_report_init(struct damon_access_report *r);

/** Reports an access to a context (read barriers, card marks, sampled allocations, a performance counter's records). Counts
 * at most once per region and sampling interval. Lock-free, makes no system call.
 * @param ctx A running context with DAMON_ACCESS_CHECK_REPORT.
 * @param r Read only during the call.
 * @return 0; -EINVAL: len 0 or past the end of the address space; -E2BIG; -EAGAIN: the queue of this interval is full
 * (counted in damon_ctx_stats.nr_lost_reports); -ECANCELED: not running or paused; -EOPNOTSUPP: another access check.
 * Thread: any. */
DAMON_API int damon_report_access(damon_ctx *ctx, const struct damon_access_report *r);

/** Maps shared memory of this process (memfd) and declares it, so that reads and writes of it can be seen on any kernel.
 * Zeroed, readable and writable, private to the process and its children.
 * @param len Bytes, more than 0; rounded up to pages.
 * @return The memory; NULL: errno says why. Thread: any. */
DAMON_API void *damon_shared_map(size_t len);

/** Withdraws and unmaps memory of damon_shared_map().
 * @param addr What damon_shared_map() returned.
 * @param len As given there.
 * @return 0; -EINVAL: not such a mapping. Thread: control. */
DAMON_API int damon_shared_unmap(void *addr, size_t len);

/** Declares: here is a MAP_SHARED mapping that stays until it is withdrawn. The promise is the caller's: if the range were
 * unmapped and replaced by private memory while declared, a check could discard that memory.
 * @param addr Page-aligned.
 * @param len Bytes, a multiple of the page size.
 * @return 0; -EINVAL: not aligned, empty, overlapping another declaration, or not throughout a shared mapping of memory or
 * of a regular file: rings of sockets and of the kernel's tracing, and memory of drivers are refused; -ENOMEM; -ENOSPC: too many declarations. Thread: any. */
DAMON_API int damon_shared_declare(const void *addr, size_t len);

/** Takes a declaration back. When it returns no check can touch the range any more, and it may be unmapped.
 * @param addr As declared.
 * @param len As declared.
 * @return 0; -ENOENT: not declared so. Thread: control; allowed in callbacks. */
DAMON_API int damon_shared_withdraw(const void *addr, size_t len);

/** @} */

/** @addtogroup custom_operations
 * @{ */

/** Answers to a sample. */
enum damon_seen {
    DAMON_SEEN_NO = 0,     /**< Looked: not accessed. */
    DAMON_SEEN_YES = 1,    /**< Looked: accessed. */
    DAMON_SEEN_UNKNOWN = 2 /**< Could not look. */
};

/** One question of a sampling interval. Frozen. */
struct damon_sample {
    uint64_t addr;         /**< The sampled address. */
    uint64_t region_start; /**< The region that it stands for. */
    uint64_t region_end;   /**< Its end. */
    uint32_t target_idx;   /**< Position of the target. */
    int32_t seen;          /**< enum damon_seen; to be set by check_accesses. Comes as DAMON_SEEN_UNKNOWN. */
    int32_t unknown_reason; /**< enum damon_unknown_reason: why seen is DAMON_SEEN_UNKNOWN. Comes as DAMON_UNKNOWN_OTHER. */
    uint32_t reserved;     /**< 0. */
};

/** A table of the program's own operations. All are called on the worker (manual drive: in damon_step()). Absent members
 * get the default named with them. */
struct damon_operations {
    uint32_t size;  /**< sizeof(struct damon_operations). */
    uint32_t flags; /**< enum damon_operations_flags. */
    /** At each start, before the first sample; may set regions with damon_target_set_regions(). Non-zero (a negative
     * errno) makes the context end. Default: nothing. */
    int (*init)(void *priv, damon_ctx *ctx);
    /** Every ops_update_us; may set regions. Default: nothing. */
    void (*update)(void *priv, damon_ctx *ctx);
    /** Clear the evidence at each sample's address. Default: nothing. */
    void (*prepare_access_checks)(void *priv, const struct damon_sample *samples, size_t nr);
    /** One sampling interval later: set seen of each sample; same order as prepared. Default: all unknown. */
    void (*check_accesses)(void *priv, struct damon_sample *samples, size_t nr);
    /** Priority of a region for a scheme's quota, 0 to 99 (others are clamped). Default: no ranking. */
    int (*get_scheme_score)(void *priv, damon_ctx *ctx, const struct damon_region_info *r, size_t scheme_idx);
    /** Act; returns core units applied, adds those that passed page-level filters to *sz_filter_passed. Not asked for
     * DAMOS_CALLBACK. Default: nothing is applied. */
    uint64_t (*apply_scheme)(void *priv, damon_ctx *ctx, const struct damon_region_info *r, size_t scheme_idx,
                             uint64_t *sz_filter_passed);
    /** 1: the target is still there. The context ends when none is. Default: always. */
    int (*target_valid)(void *priv, size_t target_idx);
    /** When pausing: forget everything prepared. Default: nothing. */
    void (*disarm)(void *priv);
    /** At the end of each run for which init succeeded. Default: nothing. */
    void (*cleanup)(void *priv);
};

/** Flags of damon_operations. */
enum damon_operations_flags {
    DAMON_OPERATIONS_WRITES_ONLY = 1 /**< check_accesses cannot see reads. */
};

/** Fills in size and zeroes. @param ops Written; NULL is ignored. Thread: any. */
DAMON_API void damon_operations_init(struct damon_operations *ops);

/** Makes the context use the program's own operations (DAMON_OPS_CUSTOM).
 * @param ops Copied.
 * @param priv Handed to each; must live as long as the context uses it.
 * @return 0; -EINVAL: NULL, unknown flags; -E2BIG; -ENOMEM; -EBUSY: running (also on the worker). Thread: owner. */
DAMON_API int damon_ctx_set_custom_ops(damon_ctx *ctx, const struct damon_operations *ops, void *priv);

/** @} */

/** @addtogroup simulator
 * @{ */

/** A simulated machine with the programs on it. */
typedef struct damon_sim damon_sim;

/** The machine. See damon_sim_params_init() for the defaults. */
struct damon_sim_params {
    uint32_t size;            /**< sizeof(struct damon_sim_params). */
    uint32_t nr_nodes;        /**< NUMA nodes, 1 to 8. Default 1. */
    uint64_t seed;            /**< Of the accesses. Default 1. */
    uint64_t page_size;       /**< A power of two. Default 4,096. */
    uint64_t huge_page_size;  /**< A power of two, at least page_size. Default 2 MiB. */
    uint64_t node_bytes[8];   /**< Memory of each node. Default 16 GiB. */
    uint64_t swap_bytes;      /**< Room for paged-out anonymous memory; 0: no swap. Default: unlimited. */
    uint64_t fault_ns;        /**< What the first touch of a page costs. Default 500. */
    uint64_t refault_ns;      /**< What touching a paged-out page costs, also in memory pressure. Default 100,000. */
    uint64_t young_us;        /**< DAMOS_FILTER_YOUNG: an access is expected in so long. Default 100,000. */
    uint64_t action_ns[12];   /**< What an action costs for each page that it changed, by enum damos_action. */
    uint64_t sample_ns;       /**< What monitoring pays for a sample. With DAMON_DRIVE_MANUAL it counts, with batch_ns and
                                   the model prices of surveys, against damon_attrs.max_overhead_permil: a damon_step()
                                   that comes before it is paid back ends no interval. 0, the default: without limit. */
    uint64_t batch_ns;        /**< What it pays for a sampling interval, where sample_ns is not 0. Default 0. */
};

/** Flags of damon_sim_range. */
enum damon_sim_range_flags {
    DAMON_SIM_RANGE_FILE = 1,        /**< Page cache: can be paged out without swap. Else anonymous memory. */
    DAMON_SIM_RANGE_LOCKED = 2,      /**< Locked: PAGEOUT, COLD and LRU_DEPRIO do nothing. */
    DAMON_SIM_RANGE_WRITES_ONLY = 4, /**< Monitoring sees writes only. */
    DAMON_SIM_RANGE_OPAQUE = 8       /**< Monitoring cannot look here: DAMON_SEEN_UNKNOWN. */
};

/** Mapped memory of one simulated program. */
struct damon_sim_range {
    uint32_t size;        /**< sizeof(struct damon_sim_range). */
    uint32_t flags;       /**< enum damon_sim_range_flags. Default 0. */
    uint64_t start;       /**< First address, a multiple of the page size. Default 0. */
    uint64_t end;         /**< One past the last address, a multiple of the page size. */
    uint32_t target_idx;  /**< The program: position of the context's target that watches it; below 4,096. Default 0. */
    uint32_t nid;         /**< Node of its pages at first. Default 0. */
    uint32_t resident_bp; /**< Share of it that is present at first; the rest was never touched. Default 10,000. */
    uint32_t reserved;    /**< 0. */
    uint64_t memcg_id;    /**< Its memory group. Default 0: none. */
};

/** How the pages of a pattern's range are accessed. */
enum damon_sim_pattern_kind {
    DAMON_SIM_CONSTANT = 0, /**< All of it, always. */
    DAMON_SIM_PULSE = 1,    /**< All of it, for hot_us of every period_us, first after phase_us; period_us 0: once. Phases
                                 of a program: one pulse for each phase and range, period_us the sum of all phases. */
    DAMON_SIM_STAIRS = 2,   /**< nr_regions equal parts, one after another for step_us each, then from the first again. */
    DAMON_SIM_ZIGZAG = 3,   /**< The same, up and down again. */
    DAMON_SIM_MOVING = 4,   /**< A window of window_bytes passes over it once every period_us and wraps around. */
    DAMON_SIM_SWEEP = 5     /**< Each page once every period_us, in address order; no rate. */
};

/** An access pattern. Where patterns overlap, their rates add up. */
struct damon_sim_pattern {
    uint32_t size;         /**< sizeof(struct damon_sim_pattern). */
    int32_t kind;          /**< enum damon_sim_pattern_kind. Default DAMON_SIM_CONSTANT. */
    uint64_t start;        /**< First address, a multiple of the page size. Default 0. */
    uint64_t end;          /**< One past the last address; [start, end) lies in ranges of the target. */
    uint64_t rate_millihz; /**< Accesses of each hot page in 1,000 seconds. Default 1,000,000. 2^64-1: none is missed. */
    uint64_t begin_us;     /**< Before: nothing. Default 0. */
    uint64_t end_us;       /**< From here on: nothing. Default 2^64-1: never. */
    uint64_t step_us;      /**< STAIRS, ZIGZAG: how long one part is hot. */
    uint64_t period_us;    /**< PULSE, MOVING, SWEEP: time until all begins again. */
    uint64_t phase_us;     /**< PULSE: from begin_us to the first hot moment; less than period_us. */
    uint64_t hot_us;       /**< PULSE: how long it is hot; at most period_us. */
    uint64_t window_bytes; /**< MOVING: what is hot at a time; a multiple of the page size. */
    uint32_t target_idx;   /**< The program. Default 0. */
    uint32_t writes_bp;    /**< Share of the accesses that write. Default 10,000. */
    uint32_t nr_regions;   /**< STAIRS, ZIGZAG: number of parts, 2 or more. */
    uint32_t reserved;     /**< 0. */
};

/** What is on the simulated machine now, and what has happened on it since damon_sim_new(). Expected values. */
struct damon_sim_stat {
    uint32_t size;               /**< sizeof(struct damon_sim_stat). */
    uint32_t reserved;           /**< 0. */
    uint64_t now_us;             /**< The time. */
    uint64_t resident_bytes;     /**< Present. */
    uint64_t active_bytes;       /**< Present, and accessed since it was brought in or aged. */
    uint64_t swapped_bytes;      /**< Anonymous, paged out. */
    uint64_t evicted_bytes;      /**< Paged out. */
    uint64_t untouched_bytes;    /**< Mapped, never touched. */
    uint64_t huge_bytes;         /**< Present, in huge pages. */
    uint64_t fault_bytes;        /**< So far: touched for the first time. */
    uint64_t refault_bytes;      /**< So far: touched while paged out. What a bad policy costs. */
    uint64_t paged_out_bytes;    /**< So far: paged out. */
    uint64_t migrated_bytes;     /**< So far: moved to another node. */
    uint64_t stall_ns;           /**< So far: time that programs waited in faults and refaults; their pressure. */
    uint64_t action_ns;          /**< So far: time that actions took. */
    uint64_t nr_actions;         /**< So far: regions that were acted on. */
    uint64_t nr_failed_actions;  /**< So far: not done because the simulator itself was out of memory. */
    uint64_t node_used_bytes[8]; /**< Present, by node. */
};

/** A question about the truth. */
struct damon_sim_query {
    uint32_t size;             /**< sizeof(struct damon_sim_query). */
    uint32_t target_idx;       /**< The program. Default 0. */
    uint64_t at_us;            /**< The moment, past or future. */
    uint64_t min_rate_millihz; /**< Pages with at least this rate are hot; 0 (default): all that are accessed at all. */
};

/** How well a list of regions agrees with the truth. */
struct damon_sim_accuracy {
    uint32_t size;         /**< sizeof(struct damon_sim_accuracy). */
    uint32_t precision_bp; /**< Of what was found hot, how much is. */
    uint32_t recall_bp;    /**< Of what is hot, how much was found. */
    uint32_t f1_bp;        /**< Harmonic mean of the two. */
    uint64_t hot_bytes;    /**< Hot. */
    uint64_t found_bytes;  /**< Found hot. */
    uint64_t both_bytes;   /**< Both. */
};

/** Fills in size and the defaults. @param p Written; NULL is ignored. Thread: any. */
DAMON_API void damon_sim_params_init(struct damon_sim_params *p);
/** Fills in size and the defaults. @param r Written; NULL is ignored. Thread: any. */
DAMON_API void damon_sim_range_init(struct damon_sim_range *r);
/** Fills in size and the defaults. @param p Written; NULL is ignored. Thread: any. */
DAMON_API void damon_sim_pattern_init(struct damon_sim_pattern *p);
/** Fills in size and zeroes. @param s Written; NULL is ignored. Thread: any. */
DAMON_API void damon_sim_stat_init(struct damon_sim_stat *s);
/** Fills in size and zeroes. @param q Written; NULL is ignored. Thread: any. */
DAMON_API void damon_sim_query_init(struct damon_sim_query *q);
/** Fills in size and zeroes. @param a Written; NULL is ignored. Thread: any. */
DAMON_API void damon_sim_accuracy_init(struct damon_sim_accuracy *a);

/** Makes a simulator without any mapped memory, at time 0.
 * @param p Copied; NULL: the defaults.
 * @return The simulator, to be freed with damon_sim_free(); NULL: out of memory, or a parameter is out of its range.
 * Thread: any. */
DAMON_API damon_sim *damon_sim_new(const struct damon_sim_params *p);

/** Frees a simulator.
 * @param sim NULL is fine. Contexts that use it must be freed, or given other ops, before. Thread: owner. */
DAMON_API void damon_sim_free(damon_sim *sim);

/** The reason of the simulator's last failure, in words.
 * @param sim The simulator.
 * @param buf Written, always terminated if len > 0; may be NULL if len is 0.
 * @param len Bytes in buf.
 * @return Length of the whole text without the terminator (as snprintf), 0: nothing failed so far; -EINVAL.
 * Thread: owner. */
DAMON_API int damon_sim_errmsg(const damon_sim *sim, char *buf, size_t len);

/** Maps memory, also in the middle of a run: targets without given ranges cover it from their next update on.
 * @param sim The simulator.
 * @param r Copied.
 * @return 0; -EINVAL: not aligned, empty, overlapping another range of the target, no such node; -E2BIG; -ENOMEM.
 * Nothing changes on failure. Thread: owner. */
DAMON_API int damon_sim_add_range(damon_sim *sim, const struct damon_sim_range *r);

/** Adds an access pattern, also in the middle of a run: it then counts from now on.
 * @param sim The simulator.
 * @param p Copied.
 * @return 0; -EINVAL: outside the ranges of its target, or a parameter that its kind needs is wrong; -E2BIG; -ENOMEM.
 * Nothing changes on failure. Thread: owner. */
DAMON_API int damon_sim_add_pattern(damon_sim *sim, const struct damon_sim_pattern *p);

/** Lets a program end: from then on its target is not valid.
 * @param sim The simulator.
 * @param target_idx The program.
 * @param at_us When; 2^64-1: never.
 * @return 0; -EINVAL: no such program; -ENOMEM. Thread: owner. */
DAMON_API int damon_sim_set_target_end(damon_sim *sim, uint32_t target_idx, uint64_t at_us);

/** Makes the context watch simulated memory (DAMON_OPS_SIM). The i-th target of the context is the i-th program of the
 * simulator; its pid is not used. With DAMON_DRIVE_MANUAL the simulated time is that of damon_step() and never goes
 * back, not even in another run; with a worker thread it is CLOCK_MONOTONIC.
 * @param sim Borrowed: must live as long as the context uses it. Several contexts may use one simulator in turn; start
 * fails with -EBUSY while another one runs.
 * @return 0; -EINVAL: NULL; -EBUSY: running (also on the worker). Thread: owner. */
DAMON_API int damon_ctx_set_sim(damon_ctx *ctx, damon_sim *sim);

/** Reads the state of the simulated machine, now.
 * @param sim The simulator.
 * @param out Its size must be set; written.
 * @return 0; -EINVAL; -E2BIG. Thread: owner. */
DAMON_API int damon_sim_get_stat(const damon_sim *sim, struct damon_sim_stat *out);

/** How often a page is truly accessed at a moment.
 * @param sim The simulator.
 * @param q Its min_rate_millihz is not used.
 * @param addr An address in the page.
 * @param rate_millihz_out Written: accesses in 1,000 seconds.
 * @return 0; -ENOENT: nothing is mapped there; -EINVAL; -E2BIG. Thread: owner. */
DAMON_API int damon_sim_rate(const damon_sim *sim, const struct damon_sim_query *q, uint64_t addr,
                             uint64_t *rate_millihz_out);

/** The truly hot ranges, exactly, sorted and joined where they touch.
 * @param sim The simulator.
 * @param q Which program, when, and what is hot.
 * @param ranges Written.
 * @param cap How many fit.
 * @param nr_out How many there are; written, also with -ENOSPC. NULL is fine.
 * @return How many were written; -ENOSPC: more than cap, nothing was written to ranges; -EINVAL; -E2BIG; -ENOMEM.
 * Thread: owner. */
DAMON_API int damon_sim_hot_ranges(const damon_sim *sim, const struct damon_sim_query *q,
                                   struct damon_addr_range *ranges, size_t cap, size_t *nr_out);

/** Compares regions with the truth.
 * @param sim The simulator.
 * @param q Which program, when, and what is hot.
 * @param regions For instance from damon_snapshot_read(): sorted, disjoint. Those of other targets are passed over.
 * @param nr_regions How many.
 * @param min_nr_accesses Regions with at least so many accesses count as found hot.
 * @param out Its size must be set; written. Shares of nothing are 10,000 where truth and regions agree that there is
 * nothing, else 0.
 * @return 0; -EINVAL; -E2BIG; -ENOMEM. Thread: owner. */
DAMON_API int damon_sim_compare(const damon_sim *sim, const struct damon_sim_query *q,
                                const struct damon_region_info *regions, size_t nr_regions, uint32_t min_nr_accesses,
                                struct damon_sim_accuracy *out);

/** @} */

#ifdef __cplusplus
}
#endif

#endif /* DAMON_C_H */
