#include "ops/linux/access/checks/report.h"

#include <bit>
#include <cerrno>
#include <new>

#include "base/arithmetic.h"
#include "base/heap.h"

namespace damon {
namespace {

// The first sample from `begin` on, of the same target, whose region ends after `address`.
size_t first_ending_after(std::span<const Sample> samples, size_t begin, size_t end, uint64_t address) {
    while (begin < end) {
        const size_t middle = begin + (end - begin) / 2;
        if (samples[middle].region.end <= address) {
            begin = middle + 1;
        } else {
            end = middle;
        }
    }
    return begin;
}

void mark(std::span<Sample> samples, const AccessReport& report) {
    const AddressRange reported{report.addr, saturating_add(report.addr, report.bytes == 0 ? 1 : report.bytes)};
    // Samples are in region order within their target.
    for (size_t begin = 0; begin < samples.size();) {
        size_t end = samples.back().target_idx == samples[begin].target_idx ? samples.size() : begin;
        while (end < samples.size() && samples[end].target_idx == samples[begin].target_idx) ++end;
        size_t i = first_ending_after(samples, begin, end, reported.start);
        for (; i < end && samples[i].region.start < reported.end; ++i) samples[i].seen = Seen::kYes;
        begin = end;
    }
}

AccessCheckProbe probe() { return probe_works("whatever the program reports", true); }

}  // namespace

constinit const AccessCheckRow kReportRow = {
    .id = AccessCheck::kReport,
    .name = "report",
    .constant = "DAMON_ACCESS_CHECK_REPORT",
    .source = AnswerSource::kReports,
    .probe = probe,
    .sees_reads = true,
};

ReportRing::~ReportRing() { heap_free(cells_, nr_cells_.load() * sizeof(Cell)); }

bool ReportRing::reserve(size_t max_reports) {
    if (nr_cells_.load() != 0) return true;
    const size_t nr_cells = std::bit_ceil(max_reports < 2 ? size_t{2} : max_reports);
    void* memory = heap_allocate(nr_cells * sizeof(Cell));
    if (memory == nullptr) return false;
    cells_ = static_cast<Cell*>(memory);
    for (size_t i = 0; i < nr_cells; ++i) {
        ::new (cells_ + i) Cell;
        cells_[i].turn.store(i, std::memory_order_relaxed);
    }
    nr_cells_.store(nr_cells, std::memory_order_release);
    return true;
}

int ReportRing::report(const AccessReport& report) {
    const uint64_t nr_cells = nr_cells_.load(std::memory_order_acquire);
    if (nr_cells == 0) return -EOPNOTSUPP;
    if (!open_.load(std::memory_order_relaxed)) return -ECANCELED;
    uint64_t position = head_.load(std::memory_order_relaxed);
    for (;;) {
        Cell& cell = cells_[position & (nr_cells - 1)];
        const uint64_t turn = cell.turn.load(std::memory_order_acquire);
        if (turn == position) {
            if (!head_.compare_exchange_weak(position, position + 1, std::memory_order_relaxed)) continue;
            cell.report = report;
            cell.turn.store(position + 1, std::memory_order_release);
            return 0;
        }
        if (turn < position) {  // still full, of the round before
            dropped_.fetch_add(1, std::memory_order_relaxed);
            return -EAGAIN;
        }
        position = head_.load(std::memory_order_relaxed);
    }
}

bool ReportRing::take(AccessReport& report) {
    const uint64_t nr_cells = nr_cells_.load(std::memory_order_relaxed);
    if (nr_cells == 0) return false;
    Cell& cell = cells_[tail_ & (nr_cells - 1)];
    if (cell.turn.load(std::memory_order_acquire) != tail_ + 1) return false;
    report = cell.report;
    cell.turn.store(tail_ + nr_cells, std::memory_order_release);
    ++tail_;
    return true;
}

void ReportRing::arm() {
    AccessReport report;
    // At most one ring full: a program that reports faster than it is read must not keep the worker here.
    for (uint64_t left = nr_cells_.load(std::memory_order_relaxed); left > 0 && take(report); --left) {
    }
    dropped_before_ = dropped_.load(std::memory_order_relaxed);
    open_.store(true, std::memory_order_relaxed);
}

void ReportRing::look(std::span<Sample> samples, AccessStatistics& statistics) {
    for (Sample& sample : samples) {
        sample.seen = Seen::kNo;
        sample.writes_only = false;
        sample.unknown = Unknown::kNone;
    }
    AccessReport report;
    for (uint64_t left = nr_cells_.load(std::memory_order_relaxed); left > 0 && take(report); --left) {
        mark(samples, report);
        ++statistics.reports;
    }
    const bool lost = dropped_.load(std::memory_order_relaxed) != dropped_before_;
    for (Sample& sample : samples) {
        if (sample.seen == Seen::kYes) {
            ++statistics.yes;
        } else if (lost) {
            sample.seen = Seen::kUnknown;
            sample.unknown = public_reason(UnknownReason::kReportsLost);
            ++statistics.unknown[static_cast<unsigned>(UnknownReason::kReportsLost)];
        } else {
            ++statistics.no;
        }
    }
}

}  // namespace damon
