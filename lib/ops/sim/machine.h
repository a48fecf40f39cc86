// The simulated machine: how much memory there is and what touching it costs. And what has happened on it.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "model/scheme.h"

namespace damon {

inline constexpr unsigned kMaxSimNodes = 8;

struct SimMachine {
    uint64_t page_size = 4096;
    uint64_t huge_page_size = uint64_t{2} << 20;
    uint32_t nr_nodes = 1;
    uint64_t node_bytes[kMaxSimNodes] = {uint64_t{16} << 30};
    uint64_t swap_bytes = UINT64_MAX;  // room for anonymous memory that is paged out; 0: no swap
    uint64_t fault_ns = 500;           // first touch of a page
    uint64_t refault_ns = 100'000;     // touch of a page that was paged out: the stall, which also counts as pressure
    // Time that an action takes for each page that it changed, by DamosAction.
    uint64_t action_ns[kNrDamosActions] = {50'000, 100, 2'000, 10, 10, 300, 100, 100, 1'000, 1'000, 0, 0};
    // What monitoring pays for each sample, arming and looking, and for each interval. sample_ns 0: nothing at all.
    uint64_t sample_ns = 0;
    uint64_t batch_ns = 0;
    uint64_t young_us = 100'000;  // a page is young when an access is expected in so long before now

    uint64_t total_bytes() const {
        uint64_t total = 0;
        for (uint32_t nid = 0; nid < nr_nodes; ++nid) total += node_bytes[nid];
        return total;
    }
};

// -EINVAL with the field, its value and what would be right.
Status validate_machine(const SimMachine& machine);

// Bytes are expected values: the simulated memory is a fluid, not a throw of dice.
struct SimStat {
    uint64_t resident_bytes = 0;
    uint64_t active_bytes = 0;     // resident, accessed since it was brought in, aged or deprioritised
    uint64_t swapped_bytes = 0;    // anonymous memory that is paged out
    uint64_t evicted_bytes = 0;    // all memory that is paged out
    uint64_t untouched_bytes = 0;  // mapped, never touched
    uint64_t huge_bytes = 0;       // in huge pages
    uint64_t fault_bytes = 0;      // since the beginning: first touches
    uint64_t refault_bytes = 0;    // since the beginning: touches of paged-out memory
    uint64_t paged_out_bytes = 0;  // since the beginning: by PAGEOUT
    uint64_t migrated_bytes = 0;   // since the beginning: by MIGRATE_HOT and MIGRATE_COLD
    uint64_t stall_ns = 0;         // since the beginning: time that faults and refaults took
    uint64_t action_ns = 0;        // since the beginning: time that actions took
    uint64_t nr_actions = 0;       // since the beginning
    uint64_t out_of_memory = 0;    // actions that the simulator itself had no memory to carry out
    uint64_t node_used_bytes[kMaxSimNodes] = {};
};

}  // namespace damon
