// A monitor on simulated memory, driven in virtual time through the worker's own loop.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kdamond/kdamond.h"
#include "model/params.h"
#include "ops/sim/sim_ops.h"

namespace damon::test {

class SimRun {
public:
    // A thousand accesses of each hot page in a second: 99.3 % are seen in 5 ms.
    static constexpr uint64_t kHotRate = 1'000'000;

    // Default attributes, one target without ranges of its own, seed 1, an empty world.
    SimRun();
    ~SimRun();
    SimRun(const SimRun&) = delete;
    SimRun& operator=(const SimRun&) = delete;

    // Before start().
    Params params;
    uint64_t seed = 1;
    SimOps sim;
    uint64_t truly_hot = kHotRate / 2;  // from this rate on

    // Shorthands for the first target; a failure ends the test program.
    void map(uint64_t start, uint64_t end);
    SimPattern& pattern(SimPatternKind kind, AddressRange range);  // to be completed; added by the next call or start()

    // A failure is reported to GoogleTest.
    void start();
    // One step of the worker, a sampling interval later, and then the invariants (I-1 to I-8).
    void interval();
    // Intervals until a window has ended (or so many).
    void window();
    void windows(unsigned count);
    void run_until(uint64_t now_us);

    const Engine& engine() const { return kdamond_.engine(); }
    uint64_t now_us() const { return now_us_; }
    unsigned nr_windows() const { return nr_windows_; }
    // As they were when the last window ended.
    const std::vector<RegionInfo>& regions() const { return regions_; }

    // Accuracy of regions() for the first target now. Memory is found hot when half of the samples saw it accessed.
    SimAccuracy accuracy() const;
    // How many windows it takes until F1 reaches `f1_bp`; `limit` + 1 where it does not within `limit`.
    unsigned windows_until(uint64_t f1_bp, unsigned limit);

private:
    void add_pending();

    WorkerSync sync_;
    Kdamond kdamond_;
    bool started_ = false;
    std::vector<SimPattern> pending_;
    std::vector<RegionInfo> regions_;
    uint64_t now_us_ = 0;
    unsigned nr_windows_ = 0;
};

}  // namespace damon::test
