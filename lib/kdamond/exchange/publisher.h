// What the worker shows to the world: the last snapshot, the schemes' statistics, and counters.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/vector.h"
#include "engine/engine.h"
#include "model/snapshot.h"
#include "os/lock.h"

namespace damon {

struct SnapshotInfo {
    uint64_t seq = 0;  // 0: nothing published yet
    uint64_t time_ns = 0;
    uint64_t sample_us = 0;
    uint64_t aggr_us = 0;
    uint64_t nr_regions = 0;
    uint64_t passed_sample_intervals = 0;
    uint32_t max_nr_accesses = 0;
    uint32_t nr_targets = 0;
    uint32_t region_flags = 0;  // all RegionFlags of the regions, or-ed
    uint64_t window_us = 0;     // how long the window really was
};

struct SchemeStatus {
    SchemeStats stats;
    uint64_t esz = 0;
    bool active = true;
};

// Written by the worker, read by anyone; only ever grow.
struct Counters {
    std::atomic<uint64_t> nr_intervals{0};
    std::atomic<uint64_t> nr_skipped_intervals{0};
    std::atomic<uint64_t> nr_wakeups{0};
    std::atomic<uint64_t> nr_samples{0};
    std::atomic<uint64_t> nr_unknown_samples{0};
    std::atomic<uint64_t> nr_writes_only_samples{0};
    std::atomic<uint64_t> nr_unknown_by_reason[kNrUnknowns] = {};

    static void add(std::atomic<uint64_t>& counter, uint64_t amount) {
        counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }
};

class Publisher {
public:
    explicit Publisher(WorkerSync& sync) : sync_(sync) {}

    // Makes room; never shrinks. False: out of memory, nothing changed. Worker, or stopped.
    [[nodiscard]] bool reserve(size_t nr_regions, size_t nr_schemes);

    // Worker; takes the sync's lock for one copy. publish also wakes those who wait for a snapshot.
    void publish(const Engine& engine, uint64_t now_ns, uint64_t window_us);
    void publish_schemes(const Engine& engine);

    // Copies the last snapshot to `out`, room for `capacity` RegionInfos. False: they do not fit, nothing was copied.
    bool read(void* out, size_t capacity, SnapshotInfo& info) const { return read(out, nullptr, capacity, info); }
    // The same with the hits of probes, room for as many ProbeHits; null: not wanted.
    bool read(void* out, void* hits, size_t capacity, SnapshotInfo& info) const;
    // Copies the engine's regions as they are now, raw counters. Same threads as the engine.
    static void copy_regions(const Engine& engine, void* out);
    bool read_scheme(size_t scheme_idx, SchemeStatus& status) const;
    // Those behind it move up. The sync's mutex is held.
    void forget_scheme_locked(size_t scheme_idx);
    uint64_t seq_locked() const { return info_.seq; }

    // What a snapshot taken now would say of itself.
    SnapshotInfo describe(const Engine& engine, uint64_t now_ns) const;

private:
    WorkerSync& sync_;
    Vector<RegionInfo> regions_;  // sized to its capacity; info_.nr_regions are valid
    Vector<ProbeHits> hits_;      // parallel to regions_
    Vector<SchemeStatus> schemes_;
    size_t nr_schemes_ = 0;
    SnapshotInfo info_;
};

}  // namespace damon
