#include "ops/linux/memory_reading.h"

#include <algorithm>

#include "base/arithmetic.h"
#include "os/own_pages.h"

namespace damon {
namespace {

// A mapping that is at least so large is looked at block by block, which costs 0.7 ms a GiB of populated memory; page
// by page it would be 3 ms.
constexpr uint64_t kLargeBytes = 4 << 20;
constexpr uint64_t kSmallestBlock = 2 << 20;
// After so many blocks they double in size: a terabyte costs seven times as much as the first 8 GiB.
constexpr uint64_t kBlocksOfOneSize = 4096;
// Of runs of blocks that are smaller than that, so many are cut to their pages: a few hot pieces in a large reservation
// would be a small part of their blocks. Larger ones may grow into their last block.
constexpr uint64_t kCutBelowBytes = 64 << 20;
constexpr size_t kMostCut = 512;
// Pages that lie between small parts are looked at with them.
constexpr uint64_t kGroupBytes = 16 << 20;

}  // namespace

int MemoryReading::open(uint64_t page_bytes) {
    page_bytes_ = page_bytes;
    return scan_.open(0, page_bytes);
}

void MemoryReading::close() {
    scan_.close();
    pieces_.clear();
}

void MemoryReading::begin(bool files) {
    files_ = files;
    failed_ = !scan_.is_open() && scan_.open(0, page_bytes_) != 0;  // the program closed it
    pieces_.clear();
    piece_bytes_ = examined_bytes_ = group_bytes_ = nr_blocks_ = 0;
    nr_in_group_ = next_own_ = nr_cut_ = 0;
    block_bytes_ = std::max(kSmallestBlock, page_bytes_);
    stacks_.read();
    own_.clear();
    if (!list_own_pages(own_)) failed_ = true;
}

void MemoryReading::add(const Mapping& mapping) {
    if (failed_) return;
    if (nr_in_group_ != 0) group_bytes_ = saturating_add(group_bytes_, mapping.range.size());
    if (group_bytes_ > kGroupBytes) read_group();
    if (mapping.vsyscall || !mapping.usable()) return;
    bool only_anonymous = false;
    switch (mapping.kind) {
        case MappingKind::kAnonymous:
            if (!mapping.shared && stacks_.is_stack(mapping.range)) return;
            break;
        case MappingKind::kSharedMemory:
            break;
        case MappingKind::kFile:
            if (mapping.shared && !files_) return;
            only_anonymous = !files_;
            break;
        case MappingKind::kStack:
        case MappingKind::kSpecial:
            return;
    }
    AddressRange rest = mapping.range;
    while (next_own_ < own_.size() && own_[next_own_].end <= rest.start) ++next_own_;
    for (size_t i = next_own_; i < own_.size() && own_[i].start < mapping.range.end; ++i) {
        add_part({{rest.start, std::max(rest.start, own_[i].start)}, only_anonymous});
        rest.start = std::max(rest.start, std::min(own_[i].end, rest.end));
    }
    add_part({rest, only_anonymous});
}

bool MemoryReading::finish() {
    read_group();
    if (failed_) pieces_.clear();
    return !failed_;
}

void MemoryReading::add_part(Part part) {
    if (failed_ || part.range.empty()) return;
    if (part.range.size() >= kLargeBytes) {
        read_group();
        read_large(part);
        return;
    }
    if (nr_in_group_ == kMostInGroup) read_group();
    if (nr_in_group_ == 0) group_bytes_ = part.range.size();
    group_[nr_in_group_++] = part;
}

// Without PAGEMAP_SCAN holes cost as much as memory.
uint64_t MemoryReading::permitted(uint64_t bytes) {
    if (scan_.passes_holes()) return bytes;
    const uint64_t left = kMostExamined - std::min(kMostExamined, examined_bytes_);
    examined_bytes_ = saturating_add(examined_bytes_, bytes);
    return std::min(bytes, left);
}

void MemoryReading::read_large(Part part) {
    AddressRange rest = part.range;
    rest.end = rest.start + permitted(rest.size());
    AddressRange run{rest.start, rest.start};  // of neighbouring blocks
    uint64_t last_page = 0;                    // where the last one is populated
    while (!rest.empty()) {
        uint64_t page = 0;
        const int found = scan_.find_populated(rest, part.only_anonymous, page);
        if (found < 0) failed_ = true;
        if (found <= 0) break;
        const uint64_t block = align_down(page, block_bytes_);
        const uint64_t end = block > rest.end - std::min(rest.end, block_bytes_) ? rest.end : block + block_bytes_;
        if (run.empty() || block > run.end) {
            keep_run(run, last_page, part.only_anonymous);
            run.start = nr_cut_ < kMostCut ? page : std::max(block, rest.start);
        }
        run.end = end;
        last_page = page;
        rest.start = end;
        if (++nr_blocks_ % kBlocksOfOneSize == 0 && block_bytes_ < (uint64_t{1} << 40)) block_bytes_ *= 2;
    }
    keep_run(run, last_page, part.only_anonymous);
}

// `page`: the first populated one of its last block.
void MemoryReading::keep_run(AddressRange run, uint64_t page, bool only_anonymous) {
    if (run.empty()) return;
    const bool cut = run.size() < kCutBelowBytes && nr_cut_ < kMostCut && run.end - page <= 2 * kSmallestBlock;
    if (cut) {
        ++nr_cut_;
        run.end = end_of_pages({page, run.end}, only_anonymous);
    }
    keep(run);
}

// Behind the last populated page; `range` begins with one.
uint64_t MemoryReading::end_of_pages(AddressRange range, bool only_anonymous) {
    uint64_t end = range.start + page_bytes_;
    PageRun runs[128];
    while (!range.empty()) {
        uint64_t until = 0;
        const int nr_runs = scan_.look(range, runs, until);
        if (nr_runs < 0 || until <= range.start) {
            failed_ = true;
            break;
        }
        for (int i = 0; i < nr_runs; ++i) {
            const bool populated = (runs[i].state & (uapi::kPagePresent | uapi::kPageSwapped)) != 0;
            const bool wanted = !only_anonymous || (runs[i].state & uapi::kPageFile) == 0;
            if (populated && wanted) end = std::max(end, std::min(runs[i].range.end, range.end));
        }
        range.start = until;
    }
    return end;
}

void MemoryReading::read_group() {
    const size_t nr_parts = nr_in_group_;
    nr_in_group_ = 0;
    group_bytes_ = 0;
    if (nr_parts == 0 || failed_) return;
    AddressRange rest{group_[0].range.start, group_[nr_parts - 1].range.end};
    if (permitted(group_[0].range.size()) == 0) return;
    PageRun runs[128];
    size_t part = 0;
    while (!rest.empty()) {
        uint64_t until = 0;
        const int nr_runs = scan_.look(rest, runs, until);
        if (nr_runs <= 0 || until <= rest.start) {
            failed_ = true;
            return;
        }
        for (int i = 0; i < nr_runs; ++i) {
            if ((runs[i].state & (uapi::kPagePresent | uapi::kPageSwapped)) == 0) continue;
            while (part < nr_parts && group_[part].range.end <= runs[i].range.start) ++part;
            for (size_t j = part; j < nr_parts && group_[j].range.start < runs[i].range.end; ++j) {
                const bool wanted = !group_[j].only_anonymous || (runs[i].state & uapi::kPageFile) == 0;
                if (wanted) keep(group_[j].range.intersection(runs[i].range));
            }
        }
        // Between the parts nothing needs a look.
        while (part < nr_parts && group_[part].range.end <= until) ++part;
        rest.start = part < nr_parts ? std::max(until, group_[part].range.start) : rest.end;
    }
}

void MemoryReading::keep(AddressRange piece) {
    piece_bytes_ = saturating_add(piece_bytes_, piece.size());
    if (!pieces_.empty() && pieces_.back().end == piece.start) {
        pieces_.back().end = piece.end;
    } else if (!pieces_.push_back(piece)) {
        failed_ = true;
    }
}

}  // namespace damon
