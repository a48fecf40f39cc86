#include "kdamond/worker/mappings.h"

#include <cerrno>

namespace damon {

void Mappings::ask_for_update() {
    updates_.ask(run_.clock.now_ns(), saturating_mul(run_.engine.params().attrs.ops_update_us, 1000));
}

// Reading the mappings may take a quarter of the limit: until the last reading is paid for, the next one waits.
void Mappings::update_if_due() {
    if (!updates_.pending() || !updates_.due(run_.clock.now_ns())) return;
    const bool held_back = costs_.update_in_debt();
    progress_.hold_update_back(held_back);
    if (!held_back) read();
}

void Mappings::read() {
    reading_ = true;
    refresh(RefreshReason::kUpdate, nullptr);
    reading_ = false;
    progress_.hold_update_back(false);
    updates_.done(run_.clock.now_ns());
}

void Mappings::refresh(RefreshReason reason, const Vector<uint8_t>* only) {
    const CpuScope scope(run_.meter, Consumer::kUpdate);
    for (uint32_t target_idx = 0; target_idx < run_.engine.nr_targets(); ++target_idx) {
        if (only != nullptr && (target_idx >= only->size() || (*only)[target_idx] == 0)) continue;
        refresh_target(target_idx, reason);
    }
    reserve_published();
}

void Mappings::refresh_target(uint32_t target_idx, RefreshReason reason) {
    if (target_idx == 0 && added_.is_all()) return added_.take_over_again();
    Engine& engine = run_.engine;
    coverage_.changed = false;
    coverage_.ranges.clear();
    coverage_.given = engine.params().targets[target_idx].ranges.span();
    if (reason == RefreshReason::kGiven && coverage_.given.empty()) return;
    run_.ops->refresh(target_idx, reason, coverage_);
    if (!coverage_.changed) return;
    // M-4: a target that cannot be covered now keeps what it has.
    run_.report(engine.set_target_ranges(target_idx, coverage_.ranges.span(), engine.params().min_region_sz));
}

Status Mappings::give_ranges(uint32_t target_idx, std::span<const AddressRange> ranges) {
    const Status status = run_.engine.give_target_ranges(target_idx, ranges);
    if (!status.ok()) return status;
    refresh_target(target_idx, ranges.empty() ? RefreshReason::kInit : RefreshReason::kGiven);
    reserve_published();
    return status;
}

void Mappings::reserve_published() {
    const size_t nr_regions = run_.engine.region_capacity();
    if (publisher_.reserve(nr_regions, run_.engine.nr_schemes())) return;
    run_.report(
        Status::fail(-ENOMEM, "no memory for snapshots of %llu regions", static_cast<unsigned long long>(nr_regions)));
}

}  // namespace damon
