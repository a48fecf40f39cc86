// The memory of the simulated machine: which part of the simulated programs is present, and what actions do to it.
// Memory is kept as extents, so that a world of terabytes costs as much as one of megabytes.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "base/vector.h"
#include "model/action.h"
#include "ops/sim/extent.h"
#include "ops/sim/machine.h"
#include "ops/sim/world.h"

namespace damon {

class SimMemory {
public:
    // Where there would be more extents, neighbours are joined and their state averaged.
    static constexpr size_t kMaxExtents = 4 * 1024;

    // `world` must outlive this.
    explicit SimMemory(const SimWorld& world) : world_(&world) {}

    const SimMachine& machine() const { return machine_; }
    // A valid machine with the world's page size.
    void set_machine(const SimMachine& machine);

    // Makes extents for a world that has everything that the present one has, and more; the present one must then be
    // replaced by it. Everything until `now_us` counts with the present rates. -ENOMEM, and then nothing changed.
    Status refit(const SimWorld& next_world, uint64_t now_us);

    // Carries out the action. `now_us` does not go back between calls.
    Outcome apply(const ActionRequest& request, uint64_t now_us);

    SimStat stat(uint64_t now_us) const;
    // Bytes of a memory group that are present on a node.
    uint64_t memcg_bytes(uint64_t memcg_id, int32_t nid, uint64_t now_us) const;
    // The extent that holds an address, as it is at `now_us`; false: nothing is mapped there.
    bool extent_at(uint32_t target_idx, uint64_t address, uint64_t now_us, Extent& out) const;

    size_t nr_extents() const { return extents_.size(); }
    bool is_valid() const;

private:
    // The amounts that limit actions, kept up to date during one apply pass.
    struct Room {
        bool known = false;
        uint64_t at_us = 0;
        uint64_t swapped = 0;
        uint64_t node_used[kMaxSimNodes] = {};
    };

    const SimRange& mapping_of(const Extent& extent) const;
    Extent settled(const Extent& extent, uint64_t now_us) const;
    void settle(Extent& extent, uint64_t now_us);
    void count_faults(const Extent& before, const Extent& after, SimStat& stat) const;

    size_t first_extent_ending_after(uint32_t target_idx, uint64_t address) const;
    bool cut(uint32_t target_idx, uint64_t address, uint64_t now_us);
    void join_alike(uint32_t target_idx, AddressRange range, uint64_t now_us);
    void join_all(uint64_t now_us);

    void count_unseen(const ActionRequest& request, Outcome& outcome) const;
    void apply_range(const ActionRequest& request, AddressRange range, int32_t nid, uint64_t now_us, Outcome& outcome);
    uint64_t act(DamosAction action, size_t extent_idx, int32_t nid, uint64_t now_us);
    uint64_t page_out(Extent& extent, uint64_t now_us);
    uint64_t migrate(size_t extent_idx, int32_t nid, uint64_t now_us);
    void learn_room(uint64_t now_us);
    void update_room(const Extent& before, const Extent& after);

    const SimWorld* world_;
    SimMachine machine_;
    Vector<Extent> extents_;  // by target, then by address, each within one piece
    SimStat counted_;         // what is counted "since the beginning", as far as it is settled
    Room room_;
};

}  // namespace damon
