#include "ops/sim/sim_filter.h"

#include "ops/sim/survival.h"

namespace damon {
namespace {

const SimPiece& piece_of(const SimBlock& block) { return block.world->pieces()[block.extent->piece_idx]; }

bool is_anon(const SimBlock& block) { return (block.world->range_of(piece_of(block)).flags & kSimRangeFile) == 0; }

bool is_young(const SimBlock& block) {
    const uint64_t window_us = block.machine->young_us;
    const uint64_t from_us = block.now_us > window_us ? block.now_us - window_us : 0;
    const AddressRange range = block.extent->range;
    const uint64_t middle = range.start + range.size() / 2;
    return block.world->expected_nano(piece_of(block), middle, {from_us, block.now_us}) >= kNanoAccess;
}

bool block_size_within(const SimBlock& block, uint64_t min_bytes, uint64_t max_bytes) {
    const uint64_t bytes = block.extent->huge ? block.machine->huge_page_size : block.machine->page_size;
    return min_bytes <= bytes && bytes <= max_bytes;
}

bool property_holds(const DamosFilter& filter, const SimBlock& block) {
    const Extent& extent = *block.extent;
    switch (filter.type) {
        case FilterType::kAnon:
            return is_anon(block);
        case FilterType::kActive:
            return extent.resident() != 0 && extent.active() >= extent.inactive;
        case FilterType::kMemcg:
            return block.world->range_of(piece_of(block)).memcg_id == filter.memcg_id;
        case FilterType::kYoung:
            return is_young(block);
        case FilterType::kHugepageSize:
            return block_size_within(block, filter.range.start, filter.range.end);
        case FilterType::kUnmapped:
            return extent.resident() == 0;
        case FilterType::kAddr:
        case FilterType::kTarget:
            break;  // handled by the engine
    }
    return false;
}

bool property_holds(const ProbeFilter& filter, const SimBlock& block) {
    if (block.extent == nullptr) return false;
    switch (filter.type) {
        case ProbeFilterType::kAnon:
            return is_anon(block);
        case ProbeFilterType::kMemcg:
            return block.world->range_of(piece_of(block)).memcg_id == filter.memcg_id;
        case ProbeFilterType::kHugepageSize:
            return block_size_within(block, filter.min_bytes, filter.max_bytes);
    }
    return false;
}

}  // namespace

bool ops_filters_pass(const ActionRequest& request, const SimBlock& block) {
    if (request.core_filters_allowed) return true;
    for (const DamosFilter& filter : request.scheme->ops_filters) {
        if (property_holds(filter, block) == filter.matching) return filter.allow;
    }
    return !request.ops_filters_default_reject;
}

bool probe_hits(const ProbeParams& probe, const SimBlock& block) {
    if (probe.filters.empty()) return true;
    for (const ProbeFilter& filter : probe.filters) {
        if (property_holds(filter, block) == filter.matching) return filter.allow;
    }
    return !probe.filters.back().allow;
}

}  // namespace damon
