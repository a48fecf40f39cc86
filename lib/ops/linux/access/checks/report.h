// Accesses that the program itself reports: read barriers, card marks, sampled allocations, decoded hardware samples.
// Any thread reports, without lock, allocation or system call; the worker takes the reports out.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "model/sample.h"
#include "ops/linux/access/checks/access_check_row.h"

namespace damon {

extern const AccessCheckRow kReportRow;

struct AccessReport {
    uint64_t addr = 0;
    uint64_t bytes = 1;  // 0 counts as 1
};

// The reports of one context: a bounded ring.
class ReportRing {
public:
    ReportRing() = default;
    ~ReportRing();
    ReportRing(const ReportRing&) = delete;
    ReportRing& operator=(const ReportRing&) = delete;

    // Makes the ring; it stays until the end of this object, because reporting threads know no runs. Not while a thread
    // may be reporting for the first time. False: out of memory.
    bool reserve(size_t max_reports);

    // Any thread. 0; -EAGAIN: the ring is full, the report is dropped and counted; -ECANCELED: nobody takes reports
    // now; -EOPNOTSUPP: nobody ever did.
    int report(const AccessReport& report);

    // Reports dropped so far. Any thread.
    uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

    // The worker: from here on reports count for the next look; earlier ones are dropped.
    void arm();
    // The worker: reports are refused until the next arm.
    void disarm() { open_.store(false, std::memory_order_relaxed); }
    // A sample is accessed where a report since arm overlapped its region. Where reports were lost, the others are
    // unknown.
    void look(std::span<Sample> samples, AccessStatistics& statistics);

private:
    struct Cell {
        std::atomic<uint64_t> turn{0};  // who may use the cell: its position to fill it, one more to empty it
        AccessReport report;
    };

    bool take(AccessReport& report);

    Cell* cells_ = nullptr;
    std::atomic<uint64_t> nr_cells_{0};  // a power of two; 0: no ring
    std::atomic<bool> open_{false};
    std::atomic<uint64_t> head_{0};  // next to fill
    std::atomic<uint64_t> dropped_{0};
    uint64_t tail_ = 0;  // next to empty
    uint64_t dropped_before_ = 0;
};

}  // namespace damon
