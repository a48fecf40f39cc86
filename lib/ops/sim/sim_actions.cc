// What actions do to simulated memory: the other half of SimMemory.
#include <algorithm>

#include "ops/sim/sim_filter.h"
#include "ops/sim/sim_memory.h"

namespace damon {
namespace {

bool is_huge_page_action(DamosAction action) {
    return action == DamosAction::kHugepage || action == DamosAction::kNohugepage || action == DamosAction::kCollapse;
}

bool is_migration(DamosAction action) {
    return action == DamosAction::kMigrateHot || action == DamosAction::kMigrateCold;
}

bool spares(UnseenRule rule, const SimRange& mapping) {
    if (rule == UnseenRule::kAct) return false;
    if ((mapping.flags & kSimRangeOpaque) != 0) return true;
    return rule == UnseenRule::kSpareUnseenReads && (mapping.flags & kSimRangeWritesOnly) != 0;
}

uint64_t bring_in(Extent& extent) {
    const uint64_t bytes = extent.evicted;
    extent.inactive += bytes;
    extent.evicted = 0;
    return bytes;
}

uint64_t deactivate(Extent& extent) {
    extent.inactive = extent.resident();
    return extent.resident();
}

uint64_t activate(Extent& extent) {
    extent.inactive = 0;
    return extent.resident();
}

// khugepaged promotes what is complete; a collapse also fills the holes.
uint64_t make_huge(Extent& extent, bool fill) {
    if (extent.huge || (!fill && extent.resident() != extent.range.size())) return 0;
    bring_in(extent);
    extent.inactive += extent.untouched;
    extent.untouched = 0;
    extent.huge = true;
    return extent.range.size();
}

uint64_t make_small(Extent& extent) {
    const uint64_t bytes = extent.huge ? extent.range.size() : 0;
    extent.huge = false;
    return bytes;
}

}  // namespace

void SimMemory::learn_room(uint64_t now_us) {
    if (room_.known && room_.at_us == now_us) return;
    const SimStat now = stat(now_us);
    room_.known = true;
    room_.at_us = now_us;
    room_.swapped = now.swapped_bytes;
    std::copy_n(now.node_used_bytes, kMaxSimNodes, room_.node_used);
}

void SimMemory::update_room(const Extent& before, const Extent& after) {
    if (!room_.known) return;
    room_.node_used[before.nid] -= before.resident();
    room_.node_used[after.nid] += after.resident();
    if ((mapping_of(after).flags & kSimRangeFile) == 0) room_.swapped += after.evicted - before.evicted;
}

uint64_t SimMemory::page_out(Extent& extent, uint64_t now_us) {
    const SimRange& mapping = mapping_of(extent);
    if ((mapping.flags & kSimRangeLocked) != 0) return 0;
    uint64_t bytes = extent.resident();
    const bool needs_swap = (mapping.flags & kSimRangeFile) == 0;
    if (needs_swap && machine_.swap_bytes != UINT64_MAX) {
        learn_room(now_us);
        const uint64_t free_swap = machine_.swap_bytes - std::min(machine_.swap_bytes, room_.swapped);
        bytes = align_down(std::min(bytes, free_swap), machine_.page_size);
    }
    extent.evicted += bytes;
    extent.inactive -= std::min(extent.inactive, bytes);
    if (bytes != 0) extent.huge = false;
    counted_.paged_out_bytes += bytes;
    return bytes;
}

// Moves as much of the front of an extent as the node has room for.
uint64_t SimMemory::migrate(size_t extent_idx, int32_t nid, uint64_t now_us) {
    if (nid < 0 || static_cast<uint32_t>(nid) >= machine_.nr_nodes || extents_[extent_idx].nid == nid) return 0;
    learn_room(now_us);
    const Extent whole = extents_[extent_idx];
    const uint64_t free_bytes = machine_.node_bytes[nid] - std::min(machine_.node_bytes[nid], room_.node_used[nid]);
    if (free_bytes < whole.resident()) {
        const uint64_t fitting = mul_div(whole.range.size(), free_bytes, whole.resident());
        const uint64_t border = whole.range.start + align_down(fitting, machine_.page_size);
        if (border == whole.range.start || !cut(whole.target_idx, border, now_us)) return 0;
    }
    Extent& moved = extents_[extent_idx];
    moved.nid = static_cast<uint16_t>(nid);
    counted_.migrated_bytes += moved.resident();
    return moved.resident();
}

uint64_t SimMemory::act(DamosAction action, size_t extent_idx, int32_t nid, uint64_t now_us) {
    Extent& extent = extents_[extent_idx];
    switch (action) {
        case DamosAction::kWillneed:
            return bring_in(extent);
        case DamosAction::kCold:
        case DamosAction::kLruDeprio:
            return (mapping_of(extent).flags & kSimRangeLocked) != 0 ? 0 : deactivate(extent);
        case DamosAction::kLruPrio:
            return activate(extent);
        case DamosAction::kPageout:
            return page_out(extent, now_us);
        case DamosAction::kHugepage:
            return make_huge(extent, false);
        case DamosAction::kCollapse:
            return make_huge(extent, true);
        case DamosAction::kNohugepage:
            return make_small(extent);
        case DamosAction::kMigrateHot:
        case DamosAction::kMigrateCold:
            return migrate(extent_idx, nid, now_us);
        case DamosAction::kStat:
        case DamosAction::kCallback:
            break;
    }
    return 0;
}

void SimMemory::apply_range(const ActionRequest& request, AddressRange range, int32_t nid, uint64_t now_us,
                            Outcome& outcome) {
    const uint32_t target_idx = request.target_idx;
    if (range.empty()) return;
    if (!cut(target_idx, range.start, now_us) || !cut(target_idx, range.end, now_us)) {
        ++counted_.out_of_memory;
        return;
    }
    for (size_t i = first_extent_ending_after(target_idx, range.start); i < extents_.size(); ++i) {
        if (extents_[i].target_idx != target_idx || extents_[i].range.start >= range.end) break;
        if (spares(request.unseen, mapping_of(extents_[i]))) continue;
        settle(extents_[i], now_us);
        if (!ops_filters_pass(request, {world_, &machine_, &extents_[i], now_us})) continue;
        outcome.filter_passed += extents_[i].resident();
        const Extent before = extents_[i];
        outcome.applied += act(request.scheme->action, i, nid, now_us);
        if (extents_[i].range == before.range) {
            update_room(before, extents_[i]);
        } else {
            room_.known = false;
        }
    }
    join_alike(target_idx, range, now_us);
}

// Memory whose reads cannot be seen is spared by actions that presume coldness (S-38).
void SimMemory::count_unseen(const ActionRequest& request, Outcome& outcome) const {
    uint64_t unseen = 0;
    bool others = false;
    for (const SimRange& mapping : world_->ranges()) {
        if (mapping.target_idx != request.target_idx || !mapping.range.intersects(request.range)) continue;
        if (spares(request.unseen, mapping)) {
            unseen += mapping.range.intersection(request.range).size();
        } else {
            others = true;
        }
    }
    if (unseen != 0 && !others) unseen = request.range.size();  // what lies between is no memory
    outcome.unseen = outcome.spared = unseen;
}

Outcome SimMemory::apply(const ActionRequest& request, uint64_t now_us) {
    Outcome outcome;
    const SchemeParams& scheme = *request.scheme;
    AddressRange range{align_up(request.range.start, machine_.page_size), 0};
    range.end = range.start + align_up(request.range.size(), machine_.page_size);
    if (is_huge_page_action(scheme.action)) {
        range.start = align_up(range.start, machine_.huge_page_size);
        range.end = align_down(range.end, machine_.huge_page_size);
    }
    uint64_t total_weight = 0;
    for (const MigrateDest& dest : scheme.migrate_dests) total_weight += dest.weight;
    if (is_migration(scheme.action) && !scheme.migrate_dests.empty()) {
        // Interleaving by weight, in one stretch for each destination.
        uint64_t weight = 0;
        const uint64_t pages = range.size() / machine_.page_size;
        for (const MigrateDest& dest : scheme.migrate_dests) {
            if (total_weight == 0) break;
            const uint64_t from = range.start + mul_div(pages, weight, total_weight) * machine_.page_size;
            weight += dest.weight;
            const uint64_t until = range.start + mul_div(pages, weight, total_weight) * machine_.page_size;
            apply_range(request, {from, until}, static_cast<int32_t>(dest.nid), now_us, outcome);
        }
    } else {
        apply_range(request, range, scheme.target_nid, now_us, outcome);
    }
    count_unseen(request, outcome);
    const auto action_idx = static_cast<size_t>(scheme.action);
    outcome.elapsed_ns = mul_div(outcome.applied, machine_.action_ns[action_idx], machine_.page_size);
    counted_.action_ns += outcome.elapsed_ns;
    ++counted_.nr_actions;
    return outcome;
}

}  // namespace damon
