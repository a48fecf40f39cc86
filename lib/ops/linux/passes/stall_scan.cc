#include "ops/linux/passes/stall_scan.h"

#include <algorithm>

#include "base/arithmetic.h"
#include "os/accessed_bits.h"
#include "os/clock.h"

namespace damon {
namespace {

constexpr uint64_t kStepNs = 25'000;
constexpr uint64_t kLookBytes = 16u << 20;  // of pages, in one call
// To walk a page table with a page or two in it takes 2 us, as long as 64 pages of a full one.
constexpr uint64_t kPagesOfTable = 64;

}  // namespace

void StallScan::begin(const PageSizes& sizes, uint64_t most_bytes) {
    parts_.clear();
    sizes_ = sizes;
    most_bytes_ = most_bytes;
    at_ = 0;
    from_ = bytes_ = table_end_ = 0;
}

bool StallScan::add(AddressRange part) { return part.size() <= most_bytes_ || parts_.push_back(part); }

// What all of the process has in memory bounds each part, and is one small file.
bool StallScan::process_is_small() const {
    HeldMemory held;
    if (read_held_memory(held) != 0) return false;
    return saturating_add(held.present, saturating_mul(held.tables, kPagesOfTable)) <= most_bytes_;
}

void StallScan::step() {
    if (over()) return;
    if (at_ == 0 && from_ == 0) {
        if (process_is_small()) {
            at_ = parts_.size();
            return;
        }
        if (scan_.open(0, sizes_.base_bytes) != 0) bytes_ = UINT64_MAX;  // nobody knows how long it takes
    }
    const Clock clock;
    const uint64_t start_ns = clock.now_ns();
    while (!over() && clock.now_ns() - start_ns < kStepNs) look();
    if (over()) scan_.close();
}

void StallScan::look() {
    const AddressRange part = parts_[at_];
    if (from_ == 0) from_ = part.start;
    uint64_t until = 0;
    if (look_at({from_, part.end}, until) < 0) bytes_ = UINT64_MAX;
    if (bytes_ > most_bytes_) return;
    from_ = until;
    if (part.end - from_ > most_bytes_ - bytes_) return;
    ++at_;
    from_ = bytes_ = 0;
}

// The front of a part, up to `until`. Below 0: an error.
int StallScan::look_at(AddressRange range, uint64_t& until) {
    if (scan_.passes_holes()) {
        const AddressRange front{range.start, std::min(range.end, range.start + kHoleBytes)};
        const int found = scan_.find_populated(front, false, range.start);
        if (found <= 0) {
            until = front.end;
            return found;
        }
    }
    PageRun runs[64];
    const int nr = scan_.look({range.start, std::min(range.end, range.start + kLookBytes)}, runs, until);
    for (int i = 0; i < nr; ++i) count(runs[i]);
    return nr;
}

void StallScan::count(const PageRun& run) {
    if (!run.present() || run.huge()) return;
    const uint64_t tables_start = std::max(table_end_, align_down(run.range.start, sizes_.huge_bytes));
    table_end_ = std::max(table_end_, align_up(run.range.end, sizes_.huge_bytes));
    const uint64_t nr_tables = (table_end_ - std::min(tables_start, table_end_)) / sizes_.huge_bytes;
    bytes_ += std::max(run.range.size(), nr_tables * kPagesOfTable * sizes_.base_bytes);
}

}  // namespace damon
