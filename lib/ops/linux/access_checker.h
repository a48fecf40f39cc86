// The eyes of one context on its own process: picks a way of seeing for each sample's mapping, arms, looks, disarms.
// Only the worker calls it.
//
// It never touches target memory, never makes an access or system call of the program fail, never splits a huge page
// and never loses data. What it cannot see it calls unknown, with the reason counted.
//
//   page when armed    how it is watched                          answer
//   not mapped         nothing is done                            present later: accessed
//   hole or swapped    nothing is done (fact 8)                   present later: accessed
//   present            kUffdRwp, kZap or kUffdWp, as possible     by that way
#pragma once

#include <cstdint>
#include <span>

#include "base/status.h"
#include "model/sample.h"
#include "ops/linux/access_check.h"
#include "ops/linux/mapping_cache.h"
#include "ops/linux/page_scan.h"
#include "ops/linux/page_sizes.h"
#include "ops/linux/uffd_wp.h"
#include "ops/linux/zap.h"

namespace damon {

class AccessChecker {
public:
    AccessChecker() = default;
    ~AccessChecker() { stop(); }
    AccessChecker(const AccessChecker&) = delete;
    AccessChecker& operator=(const AccessChecker&) = delete;

    // `choice`: kAuto, kUffdRwp, kZap or kUffdWp. Fails where no way works at all, with the reasons.
    Status start(AccessCheck choice);
    // Gives everything back. In a forked child it only closes what was inherited.
    void stop();

    // The mappings may have changed: reads them anew.
    void refresh();

    void arm(std::span<Sample> samples);
    // `samples` are those of the last arm.
    void look(std::span<Sample> samples);
    // Drops all marks and registrations; the next arm makes them again.
    void disarm();

    const AccessStatistics& statistics() const { return statistics_; }

private:
    // Samples that are looked at together; bounds the worker's stack.
    static constexpr size_t kBatch = 128;
    struct Batch;

    bool enabled(AccessCheck way) const { return (enabled_ >> static_cast<unsigned>(way) & 1) != 0; }
    void arm_batch(std::span<Sample> samples, Zapper& zapper);
    bool arm_unseen(Sample& sample, uint64_t page);
    void arm_seen(Sample& sample, uint64_t page, uint32_t state, Zapper& zapper);
    Blind arm_present(Sample& sample, CachedMapping& mapping, uint64_t page, bool huge, Zapper& zapper);
    Blind arm_with(AccessCheck way, CachedMapping& mapping, uint64_t page, bool huge, Zapper& zapper, bool& gone);
    void answer(Sample& sample, uint32_t state, bool disturbed);
    bool forked() const;

    PageSizes sizes_;
    PageScan scan_;
    MappingCache mappings_;
    uint32_t enabled_ = 0;  // bit AccessCheck
    bool has_uffd_ = false;
    pid_t owner_ = 0;  // 0: not started
    uint64_t epoch_ = 0;
    AccessStatistics statistics_;
};

}  // namespace damon
