#include "ops/sim/sim_memory.h"

#include <algorithm>
#include <cerrno>

#include "ops/sim/sim_filter.h"
#include "ops/sim/survival.h"

namespace damon {
namespace {

Extent fresh_extent(const SimWorld& world, uint32_t piece_idx, uint64_t now_us) {
    const SimPiece& piece = world.pieces()[piece_idx];
    const SimRange& mapping = world.range_of(piece);
    Extent extent;
    extent.range = piece.range;
    extent.anchor_us = now_us;
    extent.target_idx = piece.target_idx;
    extent.piece_idx = piece_idx;
    extent.nid = static_cast<uint16_t>(mapping.nid);
    extent.inactive = mul_div(piece.range.size(), mapping.resident_bp, kBp);
    extent.untouched = piece.range.size() - extent.inactive;
    return extent;
}

}  // namespace

void SimMemory::set_machine(const SimMachine& machine) {
    DAMON_CHECK(machine.page_size == world_->page_size());
    machine_ = machine;
    room_.known = false;
}

const SimRange& SimMemory::mapping_of(const Extent& extent) const {
    return world_->range_of(world_->pieces()[extent.piece_idx]);
}

Extent SimMemory::settled(const Extent& extent, uint64_t now_us) const {
    Extent after = extent;
    if (now_us <= extent.anchor_us) return after;
    after.anchor_us = now_us;
    if ((extent.evicted | extent.untouched | extent.inactive) == 0) return after;
    const uint64_t middle = extent.range.start + extent.range.size() / 2;
    const uint64_t expected =
        world_->expected_nano(world_->pieces()[extent.piece_idx], middle, {extent.anchor_us, now_us});
    after.evicted = untouched_part(extent.evicted, expected);
    after.untouched = untouched_part(extent.untouched, expected);
    after.inactive = untouched_part(extent.inactive, expected);
    return after;
}

void SimMemory::count_faults(const Extent& before, const Extent& after, SimStat& stat) const {
    const uint64_t refaulted = before.evicted - after.evicted;
    const uint64_t faulted = before.untouched - after.untouched;
    stat.refault_bytes += refaulted;
    stat.fault_bytes += faulted;
    stat.stall_ns += mul_div(refaulted, machine_.refault_ns, machine_.page_size) +
                     mul_div(faulted, machine_.fault_ns, machine_.page_size);
}

void SimMemory::settle(Extent& extent, uint64_t now_us) {
    const Extent after = settled(extent, now_us);
    count_faults(extent, after, counted_);
    extent = after;
}

Status SimMemory::refit(const SimWorld& next_world, uint64_t now_us) {
    Vector<Extent> next;
    const Status no_memory = Status::fail(-ENOMEM, "no memory for the extents of the simulated world");
    size_t cursor = 0;
    Extent rest = extents_.empty() ? Extent{} : settled(extents_[0], now_us);
    for (size_t piece_idx = 0; piece_idx < next_world.pieces().size(); ++piece_idx) {
        const SimPiece& piece = next_world.pieces()[piece_idx];
        const auto here = [&] {
            return cursor < extents_.size() && rest.target_idx == piece.target_idx &&
                   piece.range.intersects(rest.range);
        };
        if (!here() && !next.push_back(fresh_extent(next_world, static_cast<uint32_t>(piece_idx), now_us))) {
            return no_memory;
        }
        while (here()) {
            Extent part = rest;
            if (part.range.end > piece.range.end) {
                rest = split_extent(part, piece.range.end);
            } else if (++cursor < extents_.size()) {
                rest = settled(extents_[cursor], now_us);
            }
            part.piece_idx = static_cast<uint32_t>(piece_idx);
            if (!next.push_back(part)) return no_memory;
        }
    }
    for (Extent& extent : extents_) settle(extent, now_us);
    extents_.swap(next);
    room_.known = false;
    return {};
}

size_t SimMemory::first_extent_ending_after(uint32_t target_idx, uint64_t address) const {
    const Extent* found = std::partition_point(extents_.begin(), extents_.end(), [&](const Extent& extent) {
        return extent.target_idx != target_idx ? extent.target_idx < target_idx : extent.range.end <= address;
    });
    return static_cast<size_t>(found - extents_.begin());
}

// Makes `address` a border between extents; false when out of memory. What happened before is counted first: the parts
// may be accessed differently, but only from now on.
bool SimMemory::cut(uint32_t target_idx, uint64_t address, uint64_t now_us) {
    const size_t index = first_extent_ending_after(target_idx, address);
    if (index == extents_.size() || extents_[index].target_idx != target_idx) return true;
    if (extents_[index].range.start >= address) return true;
    settle(extents_[index], now_us);
    Extent left = extents_[index];
    const Extent right = split_extent(left, address);
    if (!extents_.insert(index + 1, right)) return false;
    extents_[index] = left;
    return true;
}

// Undoes cuts in and next to a range where they have become meaningless.
void SimMemory::join_alike(uint32_t target_idx, AddressRange range, uint64_t now_us) {
    size_t kept = first_extent_ending_after(target_idx, range.start);
    if (kept > 0) --kept;
    size_t next = kept + 1;
    if (kept < extents_.size()) settle(extents_[kept], now_us);
    for (; next < extents_.size(); ++next) {
        if (extents_[next].target_idx > target_idx || extents_[next].range.start > range.end) break;
        settle(extents_[next], now_us);
        if (extents_alike(extents_[kept], extents_[next])) {
            join_extents(extents_[kept], extents_[next]);
        } else {
            extents_[++kept] = extents_[next];
        }
    }
    if (kept + 1 < next) extents_.erase(kept + 1, next);
    if (extents_.size() > kMaxExtents) join_all(now_us);
}

void SimMemory::join_all(uint64_t now_us) {
    size_t kept = 0;
    settle(extents_[0], now_us);
    for (size_t next = 1; next < extents_.size(); ++next) {
        settle(extents_[next], now_us);
        const Extent& left = extents_[kept];
        const Extent& right = extents_[next];
        const bool same = left.piece_idx == right.piece_idx && left.range.end == right.range.start &&
                          left.nid == right.nid && left.huge == right.huge;
        if (same) {
            join_extents(extents_[kept], right);
        } else {
            extents_[++kept] = right;
        }
    }
    extents_.truncate(kept + 1);
}

SimStat SimMemory::stat(uint64_t now_us) const {
    SimStat stat = counted_;
    for (const Extent& extent : extents_) {
        const Extent now = settled(extent, now_us);
        count_faults(extent, now, stat);
        const bool anon = (mapping_of(now).flags & kSimRangeFile) == 0;
        stat.resident_bytes += now.resident();
        stat.active_bytes += now.active();
        stat.evicted_bytes += now.evicted;
        stat.untouched_bytes += now.untouched;
        stat.swapped_bytes += anon ? now.evicted : 0;
        stat.huge_bytes += now.huge ? now.resident() : 0;
        stat.node_used_bytes[now.nid] += now.resident();
    }
    return stat;
}

uint64_t SimMemory::memcg_bytes(uint64_t memcg_id, int32_t nid, uint64_t now_us) const {
    uint64_t bytes = 0;
    for (const Extent& extent : extents_) {
        if (extent.nid != nid || mapping_of(extent).memcg_id != memcg_id) continue;
        bytes += settled(extent, now_us).resident();
    }
    return bytes;
}

bool SimMemory::extent_at(uint32_t target_idx, uint64_t address, uint64_t now_us, Extent& out) const {
    const size_t index = first_extent_ending_after(target_idx, address);
    if (index == extents_.size()) return false;
    const Extent& extent = extents_[index];
    if (extent.target_idx != target_idx || !extent.range.contains(address)) return false;
    out = settled(extent, now_us);
    return true;
}

bool SimMemory::is_valid() const {
    const Extent* previous = nullptr;
    for (const Extent& extent : extents_) {
        if (!extent.is_valid() || extent.piece_idx >= world_->pieces().size()) return false;
        const SimPiece& piece = world_->pieces()[extent.piece_idx];
        if (!piece.range.covers(extent.range) || piece.target_idx != extent.target_idx) return false;
        const bool same_target = previous != nullptr && previous->target_idx == extent.target_idx;
        if (same_target && previous->range.end > extent.range.start) return false;
        if (previous != nullptr && previous->target_idx > extent.target_idx) return false;
        previous = &extent;
    }
    return true;
}

}  // namespace damon
